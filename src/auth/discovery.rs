//! Where an issuer keeps its keys: what its discovery document says, or a configured address.

use async_trait::async_trait;
use serde_json::Value;
use url::{Host, Url};

use super::{
    fetch::Fetcher,
    jwk::KeySet,
    keys::{Fetched, Source},
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
pub struct Discovery {
    fetcher: Fetcher,
    issuer: String,
    origin: Place,
}

enum Place {
    /// The discovery document, which says where the keys are.
    Document(Url),
    /// The keys themselves.
    Keys(Url),
}

impl Discovery {
    /// The keys that the issuer's discovery document names.
    pub fn of_issuer(fetcher: Fetcher, issuer: &str) -> Result<Self, DiscoveryError> {
        let url = document_url(issuer)?;
        Ok(Self { fetcher, issuer: issuer.to_owned(), origin: Place::Document(url) })
    }

    /// The keys at that address, whatever a discovery document may say.
    pub fn at(fetcher: Fetcher, issuer: &str, jwks_url: &str) -> Result<Self, DiscoveryError> {
        let url = secure(jwks_url)?;
        Ok(Self { fetcher, issuer: issuer.to_owned(), origin: Place::Keys(url) })
    }

    async fn jwks_url(&self) -> Result<Url, String> {
        let document = match &self.origin {
            Place::Keys(url) => return Ok(url.clone()),
            Place::Document(url) => url,
        };
        let fetched = self.fetcher.json(document).await;
        let found = fetched.map_err(|fault| format!("discovery: {fault}"))?;
        jwks_uri(&found.json, &self.issuer, document).map_err(|fault| format!("discovery: {fault}"))
    }
}

#[async_trait]
impl Source for Discovery {
    async fn fetch(&self) -> Result<Fetched, String> {
        let url = self.jwks_url().await?;
        let found = self.fetcher.json(&url).await.map_err(|fault| format!("key set: {fault}"))?;
        let set = KeySet::read(&found.json).ok_or("key set: it has no array `keys`")?;
        Ok(Fetched { set, max_age: found.max_age })
    }
}

/// OIDC Discovery section 4.1: a slash at the end of the issuer goes before the rest is added.
fn document_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let mut url = secure(issuer)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(DiscoveryError::NotAUrl);
    }
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    let path = format!("{path}/.well-known/openid-configuration");
    url.set_path(&path);
    Ok(url)
}

fn secure(url: &str) -> Result<Url, DiscoveryError> {
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
fn jwks_uri(document: &Value, issuer: &str, document_url: &Url) -> Result<Url, String> {
    let text = |name| document.get(name).and_then(Value::as_str);
    let named = text("issuer").ok_or("it names no issuer")?;
    if named != issuer {
        let named: String = named.chars().take(200).collect();
        return Err(format!("it names the issuer {named:?}, and {issuer:?} is configured"));
    }
    let url = text("jwks_uri").ok_or("it has no jwks_uri")?;
    let url = secure(url).map_err(|error| format!("its jwks_uri is refused: {error}"))?;
    // Of loopback hosts only the issuer itself: another is another program.
    if url.scheme() != "https" && url.origin() != document_url.origin() {
        return Err("its jwks_uri is refused: another host must be https".to_owned());
    }
    Ok(url)
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
            assert_eq!(read(issuer, document).as_deref(), Ok(jwks));
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
            let refused = read(issuer, document.clone()).expect_err("refused");
            assert!(refused.contains(why), "{document}: {refused}");
        }
    }
}
