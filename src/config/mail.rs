//! Options of outgoing mail.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::{Host, Url};

use super::error::ConfigError;
use crate::domain::text::{has_visible_char, parse_email, parse_name};

const SMTP_URL: &str = "TENANTRY_SMTP_URL";
const MAIL_FROM: &str = "TENANTRY_MAIL_FROM";
const INVITATION_URL: &str = "TENANTRY_INVITATION_URL";

const SMTP_URL_EXPECTED: &str = "smtps://user:password@host:465, or smtp://user:password@host:587 for \
    STARTTLS, with user and password percent-encoded";
const MAIL_FROM_EXPECTED: &str = "an address or `Name <address>`, e.g. Portal <portal@example.org>";
/// The port of SMTP over TLS (RFC 8314).
const SMTPS_PORT: u16 = 465;
/// The port of message submission (RFC 6409).
const SUBMISSION_PORT: u16 = 587;

/// Options of outgoing mail.
#[derive(Args, Clone, Debug, Default)]
pub struct MailOptions {
    /// SMTP server that sends the mail of invitations: `smtps://user:password@host:465`, or `smtp://`
    /// for STARTTLS, without which only a loopback host is used. Without this option, no mail is sent.
    /// It requires `--mail-from` and `--invitation-url`.
    #[arg(long, env = "TENANTRY_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// File of CA certificates (PEM) to trust for the SMTP server, in addition to the system's.
    #[arg(long, env = "TENANTRY_SMTP_CA_FILE", value_name = "FILE")]
    pub smtp_ca_file: Option<String>,
    /// Sender of all mail: an address, or `Name <address>`.
    #[arg(long, env = "TENANTRY_MAIL_FROM", value_name = "SENDER")]
    pub mail_from: Option<String>,
}

/// The configuration of outgoing mail.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// The server that accepts all mail.
    pub smtp: SmtpConfig,
    /// The sender of all mail.
    pub sender: MailSender,
}

/// The SMTP server that accepts all mail.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// The use of TLS.
    pub tls: SmtpTls,
    /// The host name or address of the server.
    pub host: String,
    /// The port of the server.
    pub port: u16,
    /// The credentials, or `None` to send mail without authentication.
    pub login: Option<SmtpLogin>,
    /// The file of CA certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
}

/// The use of TLS in a connection to an SMTP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// The connection begins with TLS.
    Implicit,
    /// The connection must be upgraded with STARTTLS.
    StartTls,
    /// The connection is upgraded if the server offers it. This is for a loopback host only.
    StartTlsIfOffered,
}

/// The credentials for an SMTP server.
#[derive(Clone, Debug)]
pub struct SmtpLogin {
    /// The name of the user.
    pub user: String,
    /// The password of the user.
    pub password: SecretString,
}

/// The sender of mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSender {
    /// The displayed name.
    pub name: Option<String>,
    /// The address of the sender.
    pub address: String,
}

impl MailOptions {
    /// Validates the options. The result is `None` if no mail is to be sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a value is invalid, or if the server, the sender or the URL of
    /// invitations is missing.
    pub fn validate(self, has_invitation_url: bool) -> Result<Option<MailConfig>, ConfigError> {
        let missing = |variable, expected: &str, other| {
            ConfigError::missing(variable, format!("{expected}, because {other} is set"))
        };
        let (url, from) = match (self.smtp_url, self.mail_from) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(missing(SMTP_URL, SMTP_URL_EXPECTED, MAIL_FROM)),
            (Some(_), None) => return Err(missing(MAIL_FROM, MAIL_FROM_EXPECTED, SMTP_URL)),
            (Some(url), Some(from)) => (url, from),
        };
        let mut smtp = parse_smtp_url(&url).ok_or_else(|| {
            // The value may contain the password.
            ConfigError::invalid_secret(SMTP_URL, "URL", SMTP_URL_EXPECTED)
        })?;
        smtp.ca_file = self.smtp_ca_file.map(PathBuf::from);
        let sender = MailSender::parse(&from)
            .ok_or_else(|| ConfigError::invalid(MAIL_FROM, "sender", &from, MAIL_FROM_EXPECTED))?;
        if !has_invitation_url {
            let expected = "the URL of the page that accepts an invitation, with `{token}` in it";
            return Err(missing(INVITATION_URL, expected, SMTP_URL));
        }
        Ok(Some(MailConfig { smtp, sender }))
    }
}

fn parse_smtp_url(value: &str) -> Option<SmtpConfig> {
    let url = Url::parse(value).ok()?;
    let host = match url.host()? {
        // A host of this scheme is not parsed as an IPv4 address.
        Host::Domain(name) if !name.is_empty() && name.is_ascii() && !name.contains('%') => {
            name.to_ascii_lowercase()
        }
        Host::Domain(_) => return None,
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    };
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let (tls, default_port) = match url.scheme() {
        "smtps" => (SmtpTls::Implicit, SMTPS_PORT),
        "smtp" if is_loopback => (SmtpTls::StartTlsIfOffered, SUBMISSION_PORT),
        "smtp" => (SmtpTls::StartTls, SUBMISSION_PORT),
        _ => return None,
    };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return None;
    }
    let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) | (_, None) => return None,
        (user, Some(password)) => {
            Some(SmtpLogin { user: decode(user)?, password: decode(password)?.into() })
        }
    };
    let port = url.port().unwrap_or(default_port);
    Some(SmtpConfig { tls, host, port, login, ca_file: None })
}

impl MailSender {
    /// Parses an address or `Name <address>`. Returns `None` if it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        let name = has_visible_char(name)
            .then(|| parse_name(name))
            .map_or(Ok(None), |name| name.map(Some).ok_or(()));
        let address = parse_email(address).filter(|address| address.is_ascii())?;
        Some(Self { name: name.ok()?, address })
    }

    /// Returns the domain of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn validate(
        url: Option<&str>,
        from: Option<&str>,
        has_invitation_url: bool,
    ) -> Result<Option<MailConfig>, String> {
        let options = MailOptions {
            smtp_url: url.map(str::to_owned),
            smtp_ca_file: None,
            mail_from: from.map(str::to_owned),
        };
        options.validate(has_invitation_url).map_err(|error| error.to_string())
    }

    #[test]
    fn url_has_server_and_credentials() {
        for (url, tls, host, port, login) in [
            ("smtps://a%40b:p%2F%3A@mx.example", SmtpTls::Implicit, "mx.example", 465, "a@b p/:"),
            ("smtp://u:p@mx.example:25/", SmtpTls::StartTls, "mx.example", 25, "u p"),
            ("smtp://127.0.0.1", SmtpTls::StartTlsIfOffered, "127.0.0.1", 587, ""),
            ("smtp://[::1]:1025", SmtpTls::StartTlsIfOffered, "::1", 1025, ""),
            ("smtp://LOCALHOST:1025", SmtpTls::StartTlsIfOffered, "localhost", 1025, ""),
            ("smtp://localhost.example", SmtpTls::StartTls, "localhost.example", 587, ""),
        ] {
            let config = validate(Some(url), Some("ada@example.org"), true);
            let smtp = config.expect(url).expect(url).smtp;
            assert_eq!((smtp.tls, smtp.host.as_str(), smtp.port), (tls, host, port), "{url}");
            let shown = |l: SmtpLogin| format!("{} {}", l.user, l.password.expose_secret());
            assert_eq!(smtp.login.map(shown).unwrap_or_default(), login, "{url}");
        }
    }

    #[test]
    fn invalid_url_is_an_error_without_the_password() {
        for url in [
            "",
            "mx.example:465",
            "https://u:secret@mx.example",
            "smtp://",
            "smtp://u@mx.example",
            "smtp://:secret@mx.example",
            "smtp://u:secret@mx.example/path",
            "smtp://u:secret@mx.example?tls=none",
            "smtp://u:secret%ff@mx.example",
            "smtp://u:secret@mx.example:99999",
        ] {
            let error = validate(Some(url), Some("ada@example.org"), true).expect_err(url);
            assert!(error.starts_with("TENANTRY_SMTP_URL: invalid URL; expected"), "{error}");
            assert!(!error.contains("secret") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn server_sender_and_invitation_url_require_each_other() {
        let (url, from) = (Some("smtps://mx.example"), Some("ada@example.org"));
        for (url, from, has_invitation_url, variable) in [
            (url, None, true, "TENANTRY_MAIL_FROM: not set"),
            (None, from, true, "TENANTRY_SMTP_URL: not set"),
            (url, from, false, "TENANTRY_INVITATION_URL: not set"),
        ] {
            let error = validate(url, from, has_invitation_url).expect_err(variable);
            assert!(error.starts_with(variable) && !error.contains('\n'), "{error}");
        }
        assert!(validate(None, None, true).expect("valid").is_none());
    }

    #[test]
    fn sender_is_an_address_with_an_optional_name() {
        let sender = |name: Option<&str>| MailSender {
            name: name.map(str::to_owned),
            address: "ada@example.org".to_owned(),
        };
        for (text, expected) in [
            ("ada@example.org", Some(sender(None))),
            ("<ada@example.org>", Some(sender(None))),
            (" Ada, the \u{1f600} <ada@example.org>", Some(sender(Some("Ada, the \u{1f600}")))),
            ("\"Ada\" <ada@example.org>", Some(sender(Some("Ada")))),
            ("Ada", None),
            ("Ada <ada>", None),
            ("Ada\r\nBcc: bob@example.org <ada@example.org>", None),
            ("ada@example.org\r\nBcc: bob@example.org", None),
            ("ada@ex\u{e4}mple.org", None),
        ] {
            assert_eq!(MailSender::parse(text), expected, "{text:?}");
        }
    }
}
