//! Errors of authentication and of fetching an issuer's keys, with help for the operator.
//!
//! `Display` and `help()` texts are for the log, the readiness probe and `tenantry check`. They are
//! short and contain no secret. A client never sees them. This module imports no other module of
//! `auth`, so that all of them can use its types. Startup errors are defined next to the code that
//! returns them: [`fetch`](super::fetch), [`discovery`](super::discovery) and
//! [`dev_issuer`](super::dev_issuer).

/// The reason why a credential was rejected. Like [`TokenError`], it has no text for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// The request presents more than one credential.
    MultipleCredentials,
    /// The credential is not a valid token.
    InvalidToken(TokenError),
    /// No key set of the token's issuer was ever fetched, or the last one is too old.
    KeysUnavailable,
}

impl AuthError {
    /// Returns the value for the log field and for the metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MultipleCredentials => "multiple_credentials",
            Self::InvalidToken(error) => error.as_str(),
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        Self::InvalidToken(error)
    }
}

/// The reason why a token was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// The scheme is not `Bearer`, or the credential does not have the syntax of a bearer token.
    Credential,
    /// The token is longer than 16 KiB.
    TooLong,
    /// The token is not a JWS of three base64url parts, or a JSON object in it repeats a name.
    Malformed,
    /// `alg` is missing or not accepted.
    Algorithm,
    /// The header has a `crit` parameter.
    UnsupportedCrit,
    /// `typ` is not the type of an access token.
    UnexpectedTyp,
    /// The token has no `kid`, and the key set does not have exactly one usable key.
    AmbiguousKey,
    /// No usable key has this `kid`.
    UnknownKey,
    /// The key does not allow this `alg`.
    KeyAlgorithmMismatch,
    /// The signature was not made by this key.
    Signature,
    /// `iss` is not a configured issuer.
    Issuer,
    /// `aud` contains no configured audience.
    Audience,
    /// `sub` is not a string of 1 to 255 characters.
    Subject,
    /// The token has no `exp`.
    MissingExp,
    /// `exp`, `nbf` or `iat` is not a number, or is before 1970 or after 9999.
    InvalidTimestamp,
    /// `exp` is in the past.
    Expired,
    /// `nbf` is in the future.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
}

impl TokenError {
    /// Returns the value for the log field and for the metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::UnsupportedCrit => "unsupported_crit",
            Self::UnexpectedTyp => "unexpected_typ",
            Self::AmbiguousKey => "ambiguous_key",
            Self::UnknownKey => "unknown_key",
            Self::KeyAlgorithmMismatch => "key_algorithm_mismatch",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::MissingExp => "missing_exp",
            Self::InvalidTimestamp => "invalid_timestamp",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
        }
    }
}

/// The reason why the cache has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLookupError {
    /// No set was ever fetched, or the last one is too old.
    Unavailable,
    /// No usable key has this `kid`, and it is too early for another fetch.
    Unknown,
    /// The token has no `kid`, and the set does not have exactly one usable key.
    Ambiguous,
    /// The key does not allow the token's algorithm.
    AlgorithmMismatch,
}

impl From<KeyLookupError> for AuthError {
    fn from(error: KeyLookupError) -> Self {
        Self::InvalidToken(match error {
            KeyLookupError::Unavailable => return Self::KeysUnavailable,
            KeyLookupError::Unknown => TokenError::UnknownKey,
            KeyLookupError::Ambiguous => TokenError::AmbiguousKey,
            KeyLookupError::AlgorithmMismatch => TokenError::KeyAlgorithmMismatch,
        })
    }
}

/// The reason why no token of an issuer can be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysUnavailable {
    /// The first fetch has not finished.
    #[error("no keys: not fetched yet")]
    Pending,
    /// Every fetch so far failed.
    #[error("no keys: {0}")]
    Failed(KeyFetchError),
    /// The last successful fetch was too long ago, and the later ones failed.
    #[error("no keys: the last valid ones are too old; {0}")]
    Stale(KeyFetchError),
    /// The issuer publishes an empty set.
    // Authentik publishes an empty set for a provider without a signing key, and signs with HS256.
    #[error("no keys: the issuer's set is empty: is a signing key chosen at the provider?")]
    Empty {
        /// True if the provider declares that it signs only with shared secrets.
        hmac_only: bool,
    },
    /// No key of the issuer is usable. The text names the first key and the reason.
    #[error("no keys: none of the issuer's keys can be used: {0}")]
    Unusable(String),
}

impl KeysUnavailable {
    /// Returns the operator's next step.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Pending => "wait: the first fetch is in progress".to_owned(),
            Self::Failed(error) | Self::Stale(error) => error.help(),
            Self::Empty { hmac_only } => {
                let evidence = if *hmac_only { " (its discovery document says so)" } else { "" };
                format!(
                    "choose a signing key in the provider's settings. Without one, Authentik signs \
                     with HS256{evidence}, which uses a secret that it shares with the client, and \
                     publishes no keys. The gateway never accepts HS256"
                )
            }
            Self::Unusable(_) => {
                "choose another signing key at the provider: RSA of at least 2048 bits, EC P-256 \
                 or P-384, or Ed25519"
                    .to_owned()
            }
        }
    }
}

/// The reason why a fetch of an issuer's keys failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFetchError {
    /// The discovery document could not be fetched.
    #[error("discovery: {url}: {error}")]
    Discovery {
        /// The address of the document, without credentials.
        url: String,
        /// The reason.
        error: FetchError,
    },
    /// The discovery document belongs to another issuer.
    #[error("discovery: it names the issuer {named:?}, but {configured:?} is configured")]
    IssuerMismatch {
        /// The issuer that the document names, at most 200 characters of it.
        named: String,
        /// The configured issuer.
        configured: String,
    },
    /// The discovery document has no usable `issuer` or `jwks_uri`.
    #[error("discovery: {0}")]
    InvalidMetadata(String),
    /// The key set could not be fetched.
    #[error("key set: {url}: {error}")]
    KeySet {
        /// The address of the key set, without credentials.
        url: String,
        /// The reason.
        error: FetchError,
    },
    /// The response is not a key set.
    #[error("key set: the response has no array `keys`")]
    NotAKeySet,
}

impl KeyFetchError {
    /// Returns the value of the metric's label `outcome`.
    #[must_use]
    pub const fn metric_label(&self) -> &'static str {
        match self {
            Self::Discovery { error, .. } | Self::KeySet { error, .. } => error.metric_label(),
            Self::IssuerMismatch { .. } => "another_issuer",
            Self::InvalidMetadata(_) | Self::NotAKeySet => "unusable",
        }
    }

    /// Returns the operator's next step.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::IssuerMismatch { named, configured } => issuer_mismatch_help(named, configured),
            Self::Discovery { error: FetchError::Status(404), .. } => {
                "this issuer has no discovery document: set TENANTRY_OIDC_ISSUER to the `iss` of \
                 the tokens (Authentik: https://<host>/application/o/<application slug>/, with the \
                 slash at the end), or set TENANTRY_OIDC_JWKS_URL if the provider has no discovery"
                    .to_owned()
            }
            Self::Discovery { error, .. } | Self::KeySet { error, .. } => error.help().to_owned(),
            Self::InvalidMetadata(_) => {
                "correct the provider's discovery document, or set TENANTRY_OIDC_JWKS_URL, which \
                 replaces it"
                    .to_owned()
            }
            Self::NotAKeySet => {
                "this address does not return a JWK set: check the provider's `jwks_uri`, or \
                 TENANTRY_OIDC_JWKS_URL if it is set"
                    .to_owned()
            }
        }
    }
}

/// Returns help for a discovery document of another issuer.
///
/// The usual cause is a missing or an additional slash at the end.
fn issuer_mismatch_help(named: &str, configured: &str) -> String {
    if named.contains('{') {
        // The document of Microsoft Entra ID's address for all tenants names `{tenantid}`.
        return format!(
            "{named:?} is a pattern, because this address serves the tenants of many \
             organizations. Set TENANTRY_OIDC_ISSUER to the issuer of your own tenant at the \
             provider, with its tenant ID in the place of the braces"
        );
    }
    if named.strip_suffix('/') == Some(configured) {
        format!(
            "set TENANTRY_OIDC_ISSUER to {named:?}, with the slash at the end. The issuer must \
             match exactly, and Authentik's issuers end with a slash"
        )
    } else if configured.strip_suffix('/') == Some(named) {
        format!(
            "set TENANTRY_OIDC_ISSUER to {named:?}, without the slash at the end. The issuer must \
             match exactly"
        )
    } else {
        format!(
            "set TENANTRY_OIDC_ISSUER to {named:?} if this is the intended provider. The issuer \
             must match exactly. Authentik's setting `Issuer mode` decides which issuer its tokens \
             have"
        )
    }
}

/// The reason why a fetch of one document failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The fetch exceeded its time limit.
    #[error("no response in time")]
    Timeout,
    /// The connection could not be opened.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The server's certificate has a root that is not trusted.
    #[error("no connection: {0}")]
    Untrusted(String),
    /// The server's certificate is expired, not yet valid, or for another name.
    #[error("no connection: {0}")]
    Certificate(String),
    /// The server sent a redirect that is not followed.
    #[error("redirected {0}")]
    Redirected(&'static str),
    /// The status of the response is not 200.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The body of the response is larger than 1 MiB.
    #[error("the response is larger than 1 MiB")]
    TooLarge,
    /// The body of the response is not JSON.
    #[error("the response is not JSON")]
    NotJson,
    /// The connection broke, or the response was not HTTP.
    #[error("{0}")]
    Transport(String),
}

impl FetchError {
    const fn metric_label(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable(_) | Self::Transport(_) => "unreachable",
            Self::Untrusted(_) | Self::Certificate(_) => "untrusted",
            Self::Redirected(_) => "redirected",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
        }
    }

    /// Returns the operator's next step.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Untrusted(_) => {
                "the gateway does not trust the provider's certificate: if a private CA issued it, \
                 set TENANTRY_OIDC_CA_FILE to the CA's root certificate (PEM). mkcert keeps it as \
                 rootCA.pem in the folder that `mkcert -CAROOT` prints. The usual case is \
                 Authentik behind Traefik or Caddy with a private CA"
            }
            Self::Certificate(_) => {
                "the provider's certificate is expired, not yet valid, or for another name than \
                 the configured one: renew it, or configure the name in the certificate"
            }
            Self::Timeout | Self::Unreachable(_) | Self::Transport(_) => {
                "the provider cannot be reached from here: check the host name, the port and the \
                 network path"
            }
            Self::Redirected(_) => {
                "the provider redirects to another address: configure that address (often https \
                 instead of http, or another host name)"
            }
            Self::Status(_) => "the provider reports an error: see the provider's log",
            Self::TooLarge | Self::NotJson => {
                "this address returns another kind of document, such as a sign-in page: check the \
                 address"
            }
        }
    }
}

/// A probable mistake in the configured audiences of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudienceHint {
    /// The description of the mistake.
    pub message: String,
    /// The operator's next step.
    pub help: &'static str,
    /// True if no token can have these audiences.
    pub certain: bool,
}

/// Checks the configured audiences without a token to compare them with.
///
/// The check relies on how the issuer's product sets `aud`. Authentik's issuers have
/// `/application/o/` in their path, and their tokens have the provider's client ID as audience.
/// Operators often configure the application's slug or address instead.
#[must_use]
pub fn audience_hint(issuer: &str, audiences: &[String]) -> Option<AudienceHint> {
    let (_, slug) = issuer.split_once("/application/o/")?;
    let help = "set TENANTRY_OIDC_AUDIENCE to the `Client ID` of the provider in Authentik";
    let hint = |message, certain| Some(AudienceHint { message, help, certain });
    if audiences.iter().all(|audience| audience.contains("://")) {
        let message = "the audience is an address, but Authentik's tokens have the client ID there";
        return hint(message.to_owned(), true);
    }
    let slug = slug.trim_end_matches('/');
    if audiences.iter().all(|audience| audience == slug) {
        let message = format!(
            "the audience is the application's slug {slug:?}, which is correct only if the client \
             ID is the same"
        );
        return hint(message, false);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer_mismatch(named: &str, configured: &str) -> KeyFetchError {
        KeyFetchError::IssuerMismatch { named: named.to_owned(), configured: configured.to_owned() }
    }

    fn discovery_error(error: FetchError) -> KeyFetchError {
        KeyFetchError::Discovery { url: "https://id.example/".to_owned(), error }
    }

    #[test]
    fn help_names_the_common_mistakes() {
        let untrusted = discovery_error(FetchError::Untrusted("UnknownIssuer".to_owned()));
        let missing_slash =
            issuer_mismatch("https://id.example/o/app/", "https://id.example/o/app");
        let other_issuer = issuer_mismatch("https://id.example/", "https://id.example/o/app/");
        for (help, parts) in [
            (
                issuer_mismatch(
                    "https://login.example/{tenantid}/v2.0",
                    "https://login.example/common/v2.0",
                )
                .help(),
                ["TENANTRY_OIDC_ISSUER", "your own tenant", "tenant ID"],
            ),
            (missing_slash.help(), ["Authentik", "https://id.example/o/app/", "slash"]),
            (other_issuer.help(), ["Authentik", "Issuer mode", "https://id.example/"]),
            (untrusted.help(), ["Authentik", "TENANTRY_OIDC_CA_FILE", "mkcert -CAROOT"]),
            (
                KeysUnavailable::Empty { hmac_only: true }.help(),
                ["Authentik", "signing key", "HS256"],
            ),
            (
                discovery_error(FetchError::Status(404)).help(),
                ["Authentik", "TENANTRY_OIDC_ISSUER", "/application/o/"],
            ),
        ] {
            for part in parts {
                assert!(help.contains(part), "{part}: {help}");
            }
        }
        let additional_slash = issuer_mismatch("https://id.example", "https://id.example/").help();
        assert!(additional_slash.contains("without the slash"), "{additional_slash}");
    }

    /// `tenantry check` prints the same help as the log of `tenantry serve`, and then exits.
    #[test]
    fn help_for_an_unreachable_provider_does_not_promise_a_retry() {
        let help = discovery_error(FetchError::Timeout).help();
        assert!(help.contains("check the host name, the port and the network path"), "{help}");
        assert!(!help.contains("trying") && !help.contains("retr"), "{help}");
    }

    #[test]
    fn audience_that_authentik_never_issues_is_detected() {
        let issuer = "https://id.example/application/o/portal/";
        let certain = |issuer: &str, audiences: &[&str]| {
            let audiences: Vec<String> =
                audiences.iter().map(|&audience| audience.to_owned()).collect();
            audience_hint(issuer, &audiences).map(|hint| hint.certain)
        };
        assert_eq!(certain(issuer, &[issuer]), Some(true));
        assert_eq!(certain(issuer, &["portal"]), Some(false));
        assert_eq!(certain(issuer, &[issuer, "kV4p0Zc"]), None);
        assert_eq!(certain("https://id.example/", &["https://api.example"]), None);
    }
}
