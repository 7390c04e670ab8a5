//! Locates and fetches an issuer's key set, by OIDC Discovery or from a configured address.
//!
//! A key set comes only over https, or over http from a loopback host. The discovery document must
//! name exactly the configured issuer.

use async_trait::async_trait;
use serde_json::Value;
use url::{Host, Url};

use super::{
    error::KeyFetchError,
    fetch::Fetcher,
    jwk::KeySet,
    jwks_cache::{FetchedKeySet, JwksSource},
};

/// The reason why a configured address cannot be the source of keys.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The address is not a URL with a host, or the issuer has a query or a fragment, which OIDC
    /// Discovery section 3 forbids.
    #[error("it is not a URL of a host and a path")]
    NotAUrl,
    /// The scheme is not https. An attacker could replace keys that are fetched without TLS.
    #[error("it must be https (http is allowed only for a loopback host)")]
    NotSecure,
}

/// A source that fetches the keys of one issuer over HTTP.
pub struct OidcKeySource {
    fetcher: Fetcher,
    issuer: String,
    location: KeyLocation,
}

enum KeyLocation {
    /// The URL of the discovery document, which names the URL of the key set.
    Discovery(Url),
    /// The URL of the key set.
    Jwks(Url),
}

impl OidcKeySource {
    /// Creates a source that reads the issuer's discovery document before each fetch of keys.
    pub fn discover(fetcher: Fetcher, issuer: &str) -> Result<Self, DiscoveryError> {
        let url = discovery_url(issuer)?;
        Ok(Self { fetcher, issuer: issuer.to_owned(), location: KeyLocation::Discovery(url) })
    }

    /// Creates a source that fetches the keys from this address, without discovery.
    pub fn with_jwks_url(
        fetcher: Fetcher,
        issuer: &str,
        jwks_url: &str,
    ) -> Result<Self, DiscoveryError> {
        let url = parse_secure_url(jwks_url)?;
        Ok(Self { fetcher, issuer: issuer.to_owned(), location: KeyLocation::Jwks(url) })
    }

    async fn provider_metadata(&self) -> Result<ProviderMetadata, KeyFetchError> {
        let document_url = match &self.location {
            KeyLocation::Jwks(url) => {
                return Ok(ProviderMetadata { jwks_url: url.clone(), hmac_only: false });
            }
            KeyLocation::Discovery(url) => url,
        };
        let document = self.fetcher.json(document_url).await.map_err(|error| {
            KeyFetchError::Discovery { url: without_credentials(document_url), error }
        })?;
        let jwks_url = parse_jwks_uri(&document.json, &self.issuer, document_url)?;
        Ok(ProviderMetadata { jwks_url, hmac_only: signs_with_hmac_only(&document.json) })
    }
}

/// The parts of a discovery document that the gateway uses.
struct ProviderMetadata {
    jwks_url: Url,
    /// True if the provider signs only with shared secrets.
    hmac_only: bool,
}

#[async_trait]
impl JwksSource for OidcKeySource {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    async fn fetch(&self) -> Result<FetchedKeySet, KeyFetchError> {
        let ProviderMetadata { jwks_url, hmac_only } = self.provider_metadata().await?;
        let jwks = self.fetcher.json(&jwks_url).await.map_err(|error| KeyFetchError::KeySet {
            url: without_credentials(&jwks_url),
            error,
        })?;
        let set = KeySet::from_jwks(&jwks.json).ok_or(KeyFetchError::NotAKeySet)?;
        Ok(FetchedKeySet { set, max_age: jwks.max_age, hmac_only })
    }
}

/// Returns the URL of an issuer's discovery document.
///
/// A slash at the end of the issuer is removed before the well-known path is appended, as OIDC
/// Discovery section 4.1 requires.
fn discovery_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let mut url = parse_secure_url(issuer)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(DiscoveryError::NotAUrl);
    }
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    let path = format!("{path}/.well-known/openid-configuration");
    url.set_path(&path);
    Ok(url)
}

fn parse_secure_url(url: &str) -> Result<Url, DiscoveryError> {
    let url = Url::parse(url).map_err(|_| DiscoveryError::NotAUrl)?;
    match url.scheme() {
        _ if !url.has_host() => Err(DiscoveryError::NotAUrl),
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(DiscoveryError::NotSecure),
    }
}

/// Returns a URL for an error message.
fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for a URL without a host, which has no credentials.
    let _ = (url.set_username(""), url.set_password(None));
    url.into()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Returns the `jwks_uri` of an issuer's discovery document (OIDC Discovery sections 3 and 4.3).
fn parse_jwks_uri(
    document: &Value,
    issuer: &str,
    document_url: &Url,
) -> Result<Url, KeyFetchError> {
    let invalid = |reason: &str| KeyFetchError::InvalidMetadata(reason.to_owned());
    let string = |name| document.get(name).and_then(Value::as_str);
    let named = string("issuer").ok_or_else(|| invalid("it names no issuer"))?;
    if named != issuer {
        let named: String = named.chars().take(200).collect();
        return Err(KeyFetchError::IssuerMismatch { named, configured: issuer.to_owned() });
    }
    let url = string("jwks_uri").ok_or_else(|| invalid("it has no jwks_uri"))?;
    let url = parse_secure_url(url)
        .map_err(|error| invalid(&format!("its jwks_uri is not accepted: {error}")))?;
    // Plain http is accepted only from the issuer's own origin. Another port of a loopback host can
    // belong to another program.
    if url.scheme() != "https" && url.origin() != document_url.origin() {
        return Err(invalid(
            "its jwks_uri is not accepted: an address of another origin must be https",
        ));
    }
    Ok(url)
}

/// Returns whether a discovery document lists only HMAC algorithms.
fn signs_with_hmac_only(document: &Value) -> bool {
    let algorithms =
        document.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
    algorithms.is_some_and(|all| {
        !all.is_empty() && all.iter().all(|alg| alg.as_str().is_some_and(|a| a.starts_with("HS")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn discovery_document_is_below_the_issuer() {
        for (issuer, url) in [
            ("https://id.example", "https://id.example/.well-known/openid-configuration"),
            ("https://id.example/", "https://id.example/.well-known/openid-configuration"),
            (
                "https://id.example/o/app",
                "https://id.example/o/app/.well-known/openid-configuration",
            ),
            (
                "https://id.example/o/app/",
                "https://id.example/o/app/.well-known/openid-configuration",
            ),
            ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x/.well-known/openid-configuration"),
        ] {
            assert_eq!(discovery_url(issuer).expect("a valid issuer").as_str(), url);
        }
    }

    #[test]
    fn issuer_must_be_https_or_loopback() {
        for good in ["http://localhost:1", "http://127.1.2.3", "http://[::1]:1/"] {
            assert!(discovery_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "id.example",
            "http://id.example",
            "http://localhost.example",
            "http://128.0.0.1",
            "ftp://localhost",
            "file:///etc/passwd",
            "https://id.example/?a=b",
            "https://id.example/#a",
        ] {
            assert!(discovery_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn jwks_uri_is_accepted_only_from_the_configured_issuer() {
        let parse = |issuer: &str, document: Value| {
            let url = discovery_url(issuer).expect("a valid issuer");
            parse_jwks_uri(&document, issuer, &url).map(String::from)
        };
        let (idp, local) = ("https://id.example/", "http://127.0.0.1:1");
        for (issuer, jwks) in [
            (idp, "https://id.example/jwks"),
            (idp, "https://keys.example/jwks"),
            (local, "http://127.0.0.1:1/jwks"),
            (local, "https://keys.example/jwks"),
        ] {
            let document = json!({"issuer": issuer, "jwks_uri": jwks});
            assert_eq!(parse(issuer, document), Ok(jwks.to_owned()));
        }
        for (issuer, document, reason) in [
            (idp, json!({}), "names no issuer"),
            (idp, json!({"issuer": "https://id.example"}), "\"https://id.example\""),
            (idp, json!({"issuer": idp}), "no jwks_uri"),
            (idp, json!({"issuer": idp, "jwks_uri": 1}), "no jwks_uri"),
            (idp, json!({"issuer": idp, "jwks_uri": "/jwks"}), "not a URL"),
            (idp, json!({"issuer": idp, "jwks_uri": "http://id.example/jwks"}), "must be https"),
            (idp, json!({"issuer": idp, "jwks_uri": "http://127.0.0.1/jwks"}), "must be https"),
            (
                local,
                json!({"issuer": local, "jwks_uri": "http://127.0.0.1:2/jwks"}),
                "must be https",
            ),
        ] {
            let error = parse(issuer, document.clone()).expect_err("rejected").to_string();
            assert!(error.contains(reason), "{document}: {error}");
        }
    }

    #[test]
    fn provider_that_signs_only_with_hmac_is_detected() {
        let is_hmac_only = |algorithms: Value| {
            signs_with_hmac_only(&json!({"id_token_signing_alg_values_supported": algorithms}))
        };
        assert!(is_hmac_only(json!(["HS256"])) && is_hmac_only(json!(["HS256", "HS512"])));
        for other in [json!([]), json!(["RS256"]), json!(["HS256", "RS256"]), json!([1]), json!(1)]
        {
            assert!(!is_hmac_only(other.clone()), "{other}");
        }
        assert!(!signs_with_hmac_only(&json!({})));
    }
}
