//! Sends mail by an SMTP server (RFC 5321), with TLS (RFC 3207, RFC 8314) and authentication
//! (RFC 4954).
//!
//! Each message has a connection of its own. Invitations are rare, and an open connection would have
//! to be kept alive.

use std::{error::Error as _, fs, io, path::Path, time::Duration};

use async_trait::async_trait;
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, Certificate, TlsParameters},
    extension::ClientId,
};
use secrecy::ExposeSecret;

use super::{MailError, MailTransport, OutgoingMail};
use crate::config::{MailConfig, SmtpConfig, SmtpTls};

/// The time limit of a connection, including TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// The time limit of a message after the connection is ready.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of the farewell.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);
/// The mechanisms whose only input is a password.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// The reason why the CA file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    /// The CA file cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// The path of the CA file.
        path: String,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The CA file is not a PEM bundle.
    #[error("{path} has no PEM certificate: expected one or more `BEGIN CERTIFICATE` blocks")]
    NoCertificate {
        /// The path of the CA file.
        path: String,
    },
}

/// The reason why a connection to the server is not ready for a message. The text has no secret.
#[derive(Debug, thiserror::Error)]
pub enum SmtpFault {
    /// The CA file cannot be used.
    #[error("{0}")]
    CaFile(#[from] SmtpSetupError),
    /// The server is unreachable, or the connection broke.
    #[error("no SMTP session: {0}")]
    Unreachable(String),
    /// The server offers no TLS.
    #[error("the server does not offer STARTTLS")]
    NoTls,
    /// TLS failed, for example because the certificate is not trusted.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The server offers no mechanism with a password.
    #[error("the server offers no authentication with a password (AUTH PLAIN or LOGIN)")]
    NoAuthentication,
    /// The server rejected user and password.
    #[error("the server rejected the user or the password: {0}")]
    Credentials(String),
    /// The server did not respond in time.
    #[error("no response within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut,
}

impl SmtpFault {
    /// Returns the fix.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::CaFile(_) => "name a readable PEM file in TENANTRY_SMTP_CA_FILE",
            Self::Unreachable(_) | Self::TimedOut => {
                "fix host and port of TENANTRY_SMTP_URL, or let this machine connect to them; \
                 smtps:// is for port 465, smtp:// for ports 587 and 25"
            }
            Self::NoTls => "use smtps:// in TENANTRY_SMTP_URL, or enable STARTTLS on the server",
            Self::Tls(_) => {
                "use the host name of the server's certificate in TENANTRY_SMTP_URL, and name the \
                 file of its root certificate in TENANTRY_SMTP_CA_FILE if it is a private one"
            }
            Self::NoAuthentication => {
                "remove user and password from TENANTRY_SMTP_URL, or enable authentication on the \
                 server for this port"
            }
            Self::Credentials(_) => {
                "fix user and password in TENANTRY_SMTP_URL, both percent-encoded"
            }
        }
    }
}

/// Sends mail by one SMTP server.
pub struct SmtpSender {
    config: MailConfig,
}

impl SmtpSender {
    /// Creates a sender. It connects for each message.
    ///
    /// # Errors
    ///
    /// Returns an error if the CA file cannot be used. It is read again for each connection, so a
    /// change applies without a restart.
    pub fn new(config: MailConfig) -> Result<Self, SmtpSetupError> {
        config.smtp.ca_file.as_deref().map(read_certificates).transpose()?;
        Ok(Self { config })
    }

    /// Connects, authenticates and disconnects.
    ///
    /// # Errors
    ///
    /// Returns the first fault.
    pub async fn check(&self) -> Result<(), SmtpFault> {
        quit(self.connect().await?).await;
        Ok(())
    }

    /// Opens a connection that is ready for a message.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpFault> {
        let connect = tokio::time::timeout(CONNECT_TIMEOUT, self.open_session());
        connect.await.map_err(|_| SmtpFault::TimedOut)?
    }

    async fn open_session(&self) -> Result<AsyncSmtpConnection, SmtpFault> {
        let SmtpConfig { tls, host, port, login, .. } = &self.config.smtp;
        let client = ClientId::Domain(self.config.sender.domain().to_owned());
        let parameters = self.tls_parameters()?;
        let implicit = (*tls == SmtpTls::Implicit).then(|| parameters.clone());
        let connection = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(CONNECT_TIMEOUT),
            &client,
            implicit,
            None,
        );
        let mut connection = connection.await.map_err(|error| session_fault(&error))?;
        match tls {
            SmtpTls::Implicit => {}
            SmtpTls::StartTls if !connection.can_starttls() => return Err(SmtpFault::NoTls),
            SmtpTls::StartTlsIfOffered if !connection.can_starttls() => {}
            SmtpTls::StartTls | SmtpTls::StartTlsIfOffered => {
                let upgrade = connection.starttls(parameters, &client);
                upgrade.await.map_err(|error| session_fault(&error))?;
            }
        }
        if let Some(login) = login {
            if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
                return Err(SmtpFault::NoAuthentication);
            }
            let password = login.password.expose_secret().to_owned();
            let credentials = Credentials::new(login.user.clone(), password);
            connection.auth(&MECHANISMS, &credentials).await.map_err(|error| {
                match error.status() {
                    Some(_) => SmtpFault::Credentials(reply_code(&error)),
                    None => session_fault(&error),
                }
            })?;
        }
        Ok(connection)
    }

    fn tls_parameters(&self) -> Result<TlsParameters, SmtpFault> {
        let mut parameters = TlsParameters::builder(self.config.smtp.host.clone());
        if let Some(path) = &self.config.smtp.ca_file {
            for certificate in read_certificates(path)? {
                parameters = parameters.add_root_certificate(certificate);
            }
        }
        parameters.build().map_err(|error| SmtpFault::Tls(root_cause(&error)))
    }
}

#[async_trait]
impl MailTransport for SmtpSender {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        let message = mail.render(&self.config.sender)?;
        // A reply to the login is no reply to the message. The operator can fix the configuration,
        // and the message is sent then.
        let connect = self.connect().await;
        let mut connection = connect.map_err(|fault| MailError::Failed(fault.to_string()))?;
        let body = message.formatted();
        let send = connection.send(message.envelope(), &body);
        match tokio::time::timeout(SEND_TIMEOUT, send).await {
            Ok(Ok(_)) => {
                quit(connection).await;
                Ok(())
            }
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Rejected(reply_code(&error))),
            Ok(Err(error)) if error.is_transient() => {
                Err(MailError::Failed(format!("the server replied {}", reply_code(&error))))
            }
            Ok(Err(error)) => Err(MailError::Failed(session_fault(&error).to_string())),
            Err(_) => {
                Err(MailError::Failed("the server did not accept the message in time".into()))
            }
        }
    }
}

/// Ends a session. The message is accepted already, so an error does not matter.
async fn quit(mut connection: AsyncSmtpConnection) {
    let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, SmtpSetupError> {
    let name = || path.display().to_string();
    let pem = fs::read(path).map_err(|cause| SmtpSetupError::Unreadable { path: name(), cause })?;
    let has_certificate = pem.windows(17).any(|window| window == b"BEGIN CERTIFICATE");
    let certificate = has_certificate.then(|| Certificate::from_pem(&pem).ok()).flatten();
    // One value has all certificates of the file.
    certificate.map(|all| vec![all]).ok_or_else(|| SmtpSetupError::NoCertificate { path: name() })
}

fn session_fault(error: &Error) -> SmtpFault {
    if error.status().is_some() {
        return SmtpFault::Unreachable(format!("the server replied {}", reply_code(error)));
    }
    let cause = root_cause(error);
    if error.is_tls() || cause.contains("certificate") {
        return SmtpFault::Tls(cause);
    }
    SmtpFault::Unreachable(cause)
}

/// Returns the code of a reply, and its enhanced status code (RFC 3463) if there is one. The rest of
/// the text is left out, because it may contain an address.
fn reply_code(error: &Error) -> String {
    let code = error.status().map_or_else(|| "no code".to_owned(), |code| code.to_string());
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    match enhanced_code(&text) {
        Some(enhanced) => format!("{code} {enhanced}"),
        None => code,
    }
}

fn enhanced_code(text: &str) -> Option<&str> {
    let word = text.split([' ', '-']).next()?;
    let parts: Vec<_> = word.split('.').collect();
    let is_number = |part: &&str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (parts.len() == 3 && parts.iter().all(is_number)).then_some(word)
}

/// Returns the text of the innermost error. The outer errors only report that a step failed.
fn root_cause(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_code_is_the_first_word_of_a_reply() {
        for (text, expected) in [
            ("5.1.1 <ada@example.org> unknown", Some("5.1.1")),
            ("4.7.1", Some("4.7.1")),
            ("no such user", None),
            ("ada@example.org unknown", None),
            ("127.0.0.1 is blocked", None),
            ("5.1.1.1 x", None),
            ("", None),
        ] {
            assert_eq!(enhanced_code(text), expected, "{text}");
        }
    }
}
