//! Options of invitations: the secret, and the page that accepts them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use secrecy::SecretSlice;
use url::Url;

use super::{error::ConfigError, parse};

const SECRET: &str = "TENANTRY_SECRET";
const URL: &str = "TENANTRY_INVITATION_URL";
const VERIFIED: &str = "TENANTRY_INVITATION_REQUIRE_VERIFIED_EMAIL";
/// The minimum length of a secret, in bytes.
const MIN_SECRET_BYTES: usize = 32;
/// The part of the URL that the token replaces.
const PLACEHOLDER: &str = "{token}";

/// Options of invitations.
#[derive(Args, Clone)]
pub struct InvitationOptions {
    /// Secret from which the tokens of invitations and the keys of live cursors are derived: base64 of
    /// at least 32 bytes. Separate several with commas. The first one signs, all verify. Without it,
    /// there are no invitations.
    #[arg(long, env = "TENANTRY_SECRET", hide_env_values = true, value_name = "SECRETS")]
    pub secret: Option<String>,
    /// URL of the page that accepts an invitation, with `{token}` for its token:
    /// `https://portal.example.org/invitations/{token}`.
    #[arg(long, env = "TENANTRY_INVITATION_URL", value_name = "URL")]
    pub invitation_url: Option<String>,
    /// Accept an invitation only if the caller's token has `"email_verified": true`. Off by default,
    /// because some providers never send it.
    #[arg(long, env = "TENANTRY_INVITATION_REQUIRE_VERIFIED_EMAIL", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub invitation_require_verified_email: Option<String>,
}

/// The debug output has no secret.
impl fmt::Debug for InvitationOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationOptions")
            .field("invitation_url", &self.invitation_url)
            .field("invitation_require_verified_email", &self.invitation_require_verified_email)
            .finish_non_exhaustive()
    }
}

/// The configuration of invitations.
#[derive(Debug, Default)]
pub struct InvitationConfig {
    /// The secrets. The first one signs, and all verify. Without one, there are no invitations.
    pub secrets: Vec<SecretSlice<u8>>,
    /// The URL of the page that accepts an invitation, with `{token}` in it.
    pub url: Option<String>,
    /// `true` if an invitation can only be accepted with a verified e-mail address.
    pub requires_verified_email: bool,
}

impl InvitationOptions {
    /// Validates the secrets and the URL.
    ///
    /// # Errors
    ///
    /// Returns the error of the first invalid option. It shows no secret.
    pub fn validate(self) -> Result<InvitationConfig, ConfigError> {
        let verified = self.invitation_require_verified_email.as_deref();
        Ok(InvitationConfig {
            secrets: self.secret.as_deref().map_or(Ok(Vec::new()), parse_secrets)?,
            url: self.invitation_url.map(parse_url).transpose()?,
            requires_verified_email: parse::boolean(VERIFIED, verified, false)?,
        })
    }
}

fn parse_secrets(value: &str) -> Result<Vec<SecretSlice<u8>>, ConfigError> {
    let parse_one = |text: &str| {
        let bytes = STANDARD.decode(text.trim()).ok();
        bytes.filter(|bytes| bytes.len() >= MIN_SECRET_BYTES).map(SecretSlice::from)
    };
    let secrets: Option<Vec<_>> = value.split(',').map(parse_one).collect();
    secrets.ok_or_else(|| {
        let expected = "base64 of at least 32 bytes, as `openssl rand -base64 32` prints it, or several \
                        separated by commas";
        ConfigError::invalid_secret(SECRET, "secret", expected)
    })
}

fn parse_url(value: String) -> Result<String, ConfigError> {
    const SAMPLE: &str = "0a0";
    let is_valid = |url: &Url| {
        ["http", "https"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && url.host_str().is_some_and(|host| !host.is_empty())
    };
    let filled = Url::parse(&value.replace(PLACEHOLDER, SAMPLE)).ok().filter(is_valid);
    // A token has upper-case letters, which a host does not keep.
    let plain = Url::parse(&value.replace(PLACEHOLDER, "")).ok();
    let host = |url: &Option<Url>| url.as_ref().map(|url| url.host_str().map(str::to_owned));
    if value.contains(PLACEHOLDER) && filled.is_some() && host(&filled) == host(&plain) {
        return Ok(value);
    }
    let expected = "an http or https URL with `{token}` after its host, e.g. \
                    https://portal.example.org/invitations/{token}";
    if value.contains('@') {
        return Err(ConfigError::invalid_secret(URL, "URL", expected));
    }
    Err(ConfigError::invalid(URL, "URL", &value, expected))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn validate(secret: Option<&str>, url: Option<&str>) -> Result<InvitationConfig, ConfigError> {
        InvitationOptions {
            secret: secret.map(str::to_owned),
            invitation_url: url.map(str::to_owned),
            invitation_require_verified_email: None,
        }
        .validate()
    }

    #[test]
    fn secrets_are_long_and_never_shown() {
        let (one, two) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 48]));
        let config = validate(Some(&format!("{one}, {two}")), None).expect("valid");
        let lengths: Vec<_> = config.secrets.iter().map(|s| s.expose_secret().len()).collect();
        assert_eq!(lengths, [32, 48]);
        assert!(!format!("{config:?}").contains('1'), "{config:?}");
        let short = STANDARD.encode([1; 31]);
        for invalid in [short.as_str(), "hunter2", "", &format!("{one},"), &format!("{one},x")] {
            let error = validate(Some(invalid), None).expect_err("invalid").to_string();
            assert!(error.starts_with("TENANTRY_SECRET: invalid secret; expected"), "{error}");
            assert!(invalid.is_empty() || !error.contains(invalid), "{error}");
        }
    }

    #[test]
    fn url_has_the_token_after_its_host() {
        for url in ["https://portal.example.org/i/{token}", "http://localhost:3000/?t={token}#x"] {
            assert_eq!(validate(None, Some(url)).expect("valid").url.as_deref(), Some(url));
        }
        for invalid in [
            "",
            "{token}",
            "https://portal.example.org/",
            "https://portal.example.org/{TOKEN}",
            "https://{token}.example.org/",
            "https://portal.example.org{token}/",
            "https://ada:hunter2@portal.example.org/{token}",
            "ftp://portal.example.org/{token}",
            "javascript:{token}",
        ] {
            let error = validate(None, Some(invalid)).expect_err(invalid).to_string();
            assert!(error.starts_with("TENANTRY_INVITATION_URL: invalid URL"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
