//! Sends mail by an SMTP server (RFC 5321), with TLS (RFC 3207, RFC 8314) and authentication
//! (RFC 4954).
//!
//! Each message has a connection of its own. Invitations are rare, and an open connection would have
//! to be kept alive.

use std::{error::Error as _, fs, io, path::Path, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
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

/// The reason why the server accepts no message of this configuration. The text has no secret.
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
    /// The server rejected the sender.
    #[error("the server rejected the sender: {0}")]
    Sender(String),
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
            Self::Sender(_) => {
                "name a sender in TENANTRY_MAIL_FROM for which the user of TENANTRY_SMTP_URL may send"
            }
        }
    }
}

/// A fault of the configuration is no fault of the message, which can be sent after the fix.
impl From<SmtpFault> for MailError {
    fn from(fault: SmtpFault) -> Self {
        Self::Failed(format!("{fault}; help: {}", fault.help()))
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

    /// Connects, authenticates, names the sender and disconnects.
    ///
    /// # Errors
    ///
    /// Returns the first fault.
    pub async fn check(&self) -> Result<(), SmtpFault> {
        let mut connection = self.connect().await?;
        // The configuration has validated the address.
        let sender = self.config.sender.address.parse().ok();
        let named = name_sender(&mut connection, sender, Vec::new());
        let named = tokio::time::timeout(CONNECT_TIMEOUT, named).await;
        quit(connection).await;
        named.map_err(|_| SmtpFault::TimedOut)?
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
        let mut connection = self.connect().await?;
        let sent = tokio::time::timeout(SEND_TIMEOUT, transmit(&mut connection, &message)).await;
        quit(connection).await;
        let late = || MailError::Failed("the server did not accept the message in time".to_owned());
        sent.map_err(|_| late())?
    }
}

/// Sends a message over a connection that is ready for it.
async fn transmit(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
) -> Result<(), MailError> {
    let (envelope, body) = (message.envelope(), message.formatted());
    let mut parameters = Vec::new();
    // Names and texts are encoded, so only an address can have other characters.
    if !body.is_ascii() {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let text = "the address needs SMTPUTF8, which the server does not offer";
            return Err(MailError::Rejected(text.to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    name_sender(connection, envelope.from().cloned(), parameters).await?;
    for recipient in envelope.to() {
        let recipient = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await;
        recipient.map_err(|error| message_error(&error))?;
    }
    connection.command(Data).await.map_err(|error| message_error(&error))?;
    connection.message(&body).await.map_err(|error| message_error(&error)).map(drop)
}

/// Names the sender of the next message. A server that rejects it rejects every message.
async fn name_sender(
    connection: &mut AsyncSmtpConnection,
    sender: Option<Address>,
    parameters: Vec<MailParameter>,
) -> Result<(), SmtpFault> {
    let named = connection.command(Mail::new(sender, parameters)).await;
    named.map(drop).map_err(|error| match error.is_permanent() {
        true => SmtpFault::Sender(reply_code(&error)),
        false => session_fault(&error),
    })
}

/// Returns the error of a reply to the recipient or to the message itself.
fn message_error(error: &Error) -> MailError {
    match error.is_permanent() {
        true => MailError::Rejected(reply_code(error)),
        false => session_fault(error).into(),
    }
}

/// Ends a session. The result of the session is known already, so an error does not matter.
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
