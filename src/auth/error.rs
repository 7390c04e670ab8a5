//! Why an issuer's keys could not be fetched, and what whoever runs this can do about it.
//!
//! Texts are for the log, for readiness and for `tenantry check`: short, and without a secret.

use super::jwks_cache::KeysUnavailable;

/// How a fetch of one document failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Over the time limit.
    #[error("no answer in time")]
    Timeout,
    /// Nobody answers there.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Somebody answers there, with a certificate whose root is not trusted.
    #[error("no connection: {0}")]
    Untrusted(String),
    /// Somebody answers there, with a certificate that is over or for another name.
    #[error("no connection: {0}")]
    Certificate(String),
    /// A redirect that is not followed.
    #[error("redirected {0}")]
    Redirected(&'static str),
    /// Another status than 200.
    #[error("the answer was {0}")]
    Status(u16),
    /// More than 1 MiB.
    #[error("the answer was over 1 MiB")]
    TooLarge,
    /// Not JSON.
    #[error("the answer was not JSON")]
    NotJson,
    /// The connection broke, or what came was not HTTP.
    #[error("{0}")]
    Broken(String),
}

/// How a fetch of an issuer's keys failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFetchError {
    /// The discovery document did not come.
    #[error("discovery: {0}")]
    OidcKeySource(FetchError),
    /// The discovery document is another issuer's.
    #[error("discovery: it names the issuer {named:?}, and {configured:?} is configured")]
    AnotherIssuer {
        /// Whose it is, cut short.
        named: String,
        /// Whose it should be.
        configured: String,
    },
    /// The discovery document cannot be used.
    #[error("discovery: {0}")]
    Document(String),
    /// The key set did not come.
    #[error("key set: {0}")]
    KeySet(FetchError),
    /// What came is no key set.
    #[error("key set: it has no array `keys`")]
    NotAKeySet,
}

impl KeyFetchError {
    /// One word for the metric's label.
    #[must_use]
    pub const fn metric_label(&self) -> &'static str {
        match self {
            Self::OidcKeySource(fault) | Self::KeySet(fault) => match fault {
                FetchError::Timeout => "timeout",
                FetchError::Unreachable(_) | FetchError::Broken(_) => "unreachable",
                FetchError::Untrusted(_) | FetchError::Certificate(_) => "untrusted",
                FetchError::Redirected(_) => "redirected",
                FetchError::Status(_) => "status",
                FetchError::TooLarge => "too_large",
                FetchError::NotJson => "not_json",
            },
            Self::AnotherIssuer { .. } => "another_issuer",
            Self::Document(_) | Self::NotAKeySet => "unusable",
        }
    }

    /// What would mend it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::AnotherIssuer { named, configured } => issuer_mismatch_help(named, configured),
            Self::OidcKeySource(FetchError::Status(404)) => {
                "there is no discovery document below this issuer: set TENANTRY_OIDC_ISSUER to the \
                 `iss` of the tokens (Authentik: https://<host>/application/o/<application slug>/, \
                 with the slash at its end), or TENANTRY_OIDC_JWKS_URL where the provider has no \
                 discovery"
                    .to_owned()
            }
            Self::OidcKeySource(fault) | Self::KeySet(fault) => fault.fix().to_owned(),
            Self::Document(_) => {
                "the provider's discovery document is at fault; TENANTRY_OIDC_JWKS_URL names the \
                 keys without it"
                    .to_owned()
            }
            Self::NotAKeySet => {
                "the address answers something else than a JWK set: look at the provider's \
                 `jwks_uri`, or at TENANTRY_OIDC_JWKS_URL"
                    .to_owned()
            }
        }
    }
}

impl FetchError {
    const fn fix(&self) -> &'static str {
        match self {
            Self::Untrusted(_) => {
                "the provider's certificate is not trusted here: where a private CA issued it, name \
                 its root (PEM) in TENANTRY_OIDC_CA_FILE (mkcert keeps it as rootCA.pem in the \
                 folder that `mkcert -CAROOT` prints; Authentik behind Traefik or Caddy with a \
                 private CA is the usual case)"
            }
            Self::Certificate(_) => {
                "the provider's certificate is over, not yet valid, or for another name than the \
                 configured one: renew it, or configure the name that it is for"
            }
            Self::Timeout | Self::Unreachable(_) | Self::Broken(_) => {
                "the provider cannot be reached from here: look at its host name, its port and \
                 what is between; this goes on trying"
            }
            Self::Redirected(_) => {
                "the provider redirects to another place: configure the address that it redirects \
                 to (often https in place of http, or another host name)"
            }
            Self::Status(_) => "the provider answers with a failure: its own log says why",
            Self::TooLarge | Self::NotJson => {
                "the address answers something else, such as a page to sign in: look at the address"
            }
        }
    }
}

/// The issuer is compared to the letter, and mostly it is the last one.
fn issuer_mismatch_help(named: &str, configured: &str) -> String {
    let slash = "the issuer is compared to the letter";
    if named.strip_suffix('/') == Some(configured) {
        format!(
            "set TENANTRY_OIDC_ISSUER to {named:?}, with the slash at its end: {slash}, and \
             Authentik's have one"
        )
    } else if configured.strip_suffix('/') == Some(named) {
        format!("set TENANTRY_OIDC_ISSUER to {named:?}, without the slash at its end: {slash}")
    } else {
        format!(
            "set TENANTRY_OIDC_ISSUER to {named:?} where that is the provider that is meant: \
             {slash} (Authentik's setting `Issuer mode` decides which one its tokens have)"
        )
    }
}

impl KeysUnavailable {
    /// What would mend it.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Pending => "the first fetch is under way".to_owned(),
            Self::Failed(fault) | Self::Stale(fault) => fault.help(),
            Self::Empty { symmetric } => {
                let and = if *symmetric { " (its discovery document says so)" } else { "" };
                format!(
                    "choose a signing key in the provider's settings: without one Authentik signs \
                     with HS256{and}, a secret that it shares with the client, and publishes no \
                     keys; HS256 is never accepted here"
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

/// What may be wrong with the audiences of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudienceHint {
    /// What it is.
    pub what: String,
    /// What would mend it.
    pub fix: &'static str,
    /// Whether no token can have such an audience.
    pub certain: bool,
}

/// Looks at audiences without a token to compare them with: all that can be known is how the
/// issuer's product makes its own. Authentik, whose issuers are below `/application/o/`, puts the
/// provider's client identifier there, which people take for the application's slug or address.
#[must_use]
pub fn audience_hint(issuer: &str, audiences: &[String]) -> Option<AudienceHint> {
    let (_, slug) = issuer.split_once("/application/o/")?;
    let fix = "set TENANTRY_OIDC_AUDIENCE to the `Client ID` of the provider in Authentik";
    let every = |is: &dyn Fn(&str) -> bool| audiences.iter().all(|audience| is(audience));
    let hint = |what: String, certain| Some(AudienceHint { what, fix, certain });
    if every(&|audience| audience.contains("://")) {
        let what = "the audience is an address, and Authentik's tokens have the client ID there";
        return hint(what.to_owned(), true);
    }
    let slug = slug.trim_end_matches('/');
    if every(&|audience| audience == slug) {
        let what = format!(
            "the audience is the application's slug {slug:?}, which is right only where the client \
             ID is the same"
        );
        return hint(what, false);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn another(named: &str, configured: &str) -> KeyFetchError {
        KeyFetchError::AnotherIssuer { named: named.to_owned(), configured: configured.to_owned() }
    }

    #[test]
    fn the_traps_of_authentik_are_told_by_name() {
        let untrusted =
            KeyFetchError::OidcKeySource(FetchError::Untrusted("UnknownIssuer".to_owned()));
        let slash = another("https://id.example/o/app/", "https://id.example/o/app");
        let other = another("https://id.example/", "https://id.example/o/app/");
        for (fix, parts) in [
            (slash.help(), ["Authentik", "https://id.example/o/app/", "slash"]),
            (other.help(), ["Authentik", "Issuer mode", "https://id.example/"]),
            (untrusted.help(), ["Authentik", "TENANTRY_OIDC_CA_FILE", "mkcert -CAROOT"]),
            (
                KeysUnavailable::Empty { symmetric: true }.fix(),
                ["Authentik", "signing key", "HS256"],
            ),
            (
                KeyFetchError::OidcKeySource(FetchError::Status(404)).help(),
                ["Authentik", "TENANTRY_OIDC_ISSUER", "/application/o/"],
            ),
        ] {
            for part in parts {
                assert!(fix.contains(part), "{part}: {fix}");
            }
        }
        let without = another("https://id.example", "https://id.example/").help();
        assert!(without.contains("without the slash"), "{without}");
    }

    #[test]
    fn an_audience_that_authentik_never_gives_is_known() {
        let issuer = "https://id.example/application/o/portal/";
        let certain = |issuer: &str, audiences: &[&str]| {
            let audiences: Vec<String> = audiences.iter().map(|&a| a.to_owned()).collect();
            audience_hint(issuer, &audiences).map(|hint| hint.certain)
        };
        assert_eq!(certain(issuer, &[issuer]), Some(true));
        assert_eq!(certain(issuer, &["portal"]), Some(false));
        assert_eq!(certain(issuer, &[issuer, "kV4p0Zc"]), None);
        assert_eq!(certain("https://id.example/", &["https://api.example"]), None);
    }
}
