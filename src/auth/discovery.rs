//! Where an issuer keeps its keys: what its discovery document says, or a configured address.

use async_trait::async_trait;
use serde_json::Value;
use url::{Host, Url};

use super::{
    error::KeyFetchError,
    fetch::Fetcher,
    jwk::KeySet,
    jwks_cache::{FetchedKeySet, JwksSource},
};

/// Why keys cannot come from there.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// It is not a URL, or one with a query or a fragment (OIDC Discovery section 3).
    #[error("it is not a URL of a host and a path")]
    NotAUrl,
    /// Keys that come over an open line can be anybody's.
    #[error("it must be https (http is for a loopback host only)")]
    NotSecure,
}

/// The keys of one issuer, fetched over HTTP.
pub struct OidcKeySource {
    fetcher: Fetcher,
    issuer: String,
    origin: KeyLocation,
}

enum KeyLocation {
    /// The discovery document, which says where the keys are.
    Document(Url),
    /// The keys themselves.
    Keys(Url),
}

impl OidcKeySource {
    /// The keys that the issuer's discovery document names.
    pub fn discover(fetcher: Fetcher, issuer: &str) -> Result<Self, DiscoveryError> {
        let url = document_url(issuer)?;
        Ok(Self { fetcher, issuer: issuer.to_owned(), origin: KeyLocation::Document(url) })
    }

    /// The keys at that address, whatever a discovery document may say.
    pub fn with_jwks_url(
        fetcher: Fetcher,
        issuer: &str,
        jwks_url: &str,
    ) -> Result<Self, DiscoveryError> {
        let url = parse_secure_url(jwks_url)?;
        Ok(Self { fetcher, issuer: issuer.to_owned(), origin: KeyLocation::Keys(url) })
    }

    async fn found(&self) -> Result<ProviderMetadata, KeyFetchError> {
        let document = match &self.origin {
            KeyLocation::Keys(url) => {
                return Ok(ProviderMetadata { jwks_url: url.clone(), symmetric: false });
            }
            KeyLocation::Document(url) => url,
        };
        let fetched = self.fetcher.json(document).await.map_err(KeyFetchError::OidcKeySource)?;
        let jwks_url = jwks_uri(&fetched.json, &self.issuer, document)?;
        Ok(ProviderMetadata { jwks_url, symmetric: signs_with_hmac_only(&fetched.json) })
    }
}

/// What a discovery document says.
struct ProviderMetadata {
    jwks_url: Url,
    /// It signs with shared secrets alone.
    symmetric: bool,
}

#[async_trait]
impl JwksSource for OidcKeySource {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    async fn fetch(&self) -> Result<FetchedKeySet, KeyFetchError> {
        let ProviderMetadata { jwks_url, symmetric } = self.found().await?;
        let found = self.fetcher.json(&jwks_url).await.map_err(KeyFetchError::KeySet)?;
        let set = KeySet::from_jwks(&found.json).ok_or(KeyFetchError::NotAKeySet)?;
        Ok(FetchedKeySet { set, max_age: found.max_age, symmetric })
    }
}

/// OIDC Discovery section 4.1: a slash at the end of the issuer goes before the rest is added.
fn document_url(issuer: &str) -> Result<Url, DiscoveryError> {
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

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Where a document of that issuer says that the keys are (OIDC Discovery sections 3 and 4.3).
fn jwks_uri(document: &Value, issuer: &str, document_url: &Url) -> Result<Url, KeyFetchError> {
    let unusable = |why: &str| KeyFetchError::Document(why.to_owned());
    let text = |name| document.get(name).and_then(Value::as_str);
    let named = text("issuer").ok_or_else(|| unusable("it names no issuer"))?;
    if named != issuer {
        let named: String = named.chars().take(200).collect();
        return Err(KeyFetchError::AnotherIssuer { named, configured: issuer.to_owned() });
    }
    let url = text("jwks_uri").ok_or_else(|| unusable("it has no jwks_uri"))?;
    let url =
        parse_secure_url(url).map_err(|e| unusable(&format!("its jwks_uri is refused: {e}")))?;
    // Of loopback hosts only the issuer itself: another is another program.
    if url.scheme() != "https" && url.origin() != document_url.origin() {
        return Err(unusable("its jwks_uri is refused: another host must be https"));
    }
    Ok(url)
}

/// Whether a document says that tokens are signed with shared secrets and nothing else.
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
    fn the_document_is_below_the_issuer() {
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
            assert_eq!(document_url(issuer).expect("good").as_str(), url);
        }
    }

    #[test]
    fn an_issuer_is_secure_or_on_this_machine() {
        for good in ["http://localhost:1", "http://127.1.2.3", "http://[::1]:1/"] {
            assert!(document_url(good).is_ok(), "{good}");
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
            assert!(document_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_where_our_issuer_says_and_nobody_else() {
        let read = |issuer: &str, document: Value| {
            jwks_uri(&document, issuer, &document_url(issuer).expect("good")).map(String::from)
        };
        let (ours, here) = ("https://id.example/", "http://127.0.0.1:1");
        for (issuer, jwks) in [
            (ours, "https://id.example/jwks"),
            (ours, "https://keys.example/jwks"),
            (here, "http://127.0.0.1:1/jwks"),
            (here, "https://keys.example/jwks"),
        ] {
            let document = json!({"issuer": issuer, "jwks_uri": jwks});
            assert_eq!(read(issuer, document), Ok(jwks.to_owned()));
        }
        for (issuer, document, why) in [
            (ours, json!({}), "names no issuer"),
            (ours, json!({"issuer": "https://id.example"}), "\"https://id.example\""),
            (ours, json!({"issuer": ours}), "no jwks_uri"),
            (ours, json!({"issuer": ours, "jwks_uri": 1}), "no jwks_uri"),
            (ours, json!({"issuer": ours, "jwks_uri": "/jwks"}), "not a URL"),
            (ours, json!({"issuer": ours, "jwks_uri": "http://id.example/jwks"}), "must be https"),
            (ours, json!({"issuer": ours, "jwks_uri": "http://127.0.0.1/jwks"}), "must be https"),
            (here, json!({"issuer": here, "jwks_uri": "http://127.0.0.1:2/jwks"}), "must be https"),
        ] {
            let refused = read(issuer, document.clone()).expect_err("refused").to_string();
            assert!(refused.contains(why), "{document}: {refused}");
        }
    }

    #[test]
    fn a_provider_that_signs_with_secrets_alone_is_known() {
        let says = |algorithms: Value| {
            signs_with_hmac_only(&json!({"id_token_signing_alg_values_supported": algorithms}))
        };
        assert!(says(json!(["HS256"])) && says(json!(["HS256", "HS512"])));
        for other in [json!([]), json!(["RS256"]), json!(["HS256", "RS256"]), json!([1]), json!(1)]
        {
            assert!(!says(other.clone()), "{other}");
        }
        assert!(!signs_with_hmac_only(&json!({})));
    }
}
