//! Fetches a small JSON document of the provider: within limits of time and size, and from nowhere else.

use std::{error::Error, fs, io, path::Path, time::Duration};

use reqwest::{
    Certificate, Client, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderMap},
    redirect::{Action, Attempt, Policy},
};
use serde_json::Value;
use url::Url;

const TIME_LIMIT: Duration = Duration::from_secs(5);
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
const MAX_BYTES: usize = 1024 * 1024;
const MAX_REDIRECTS: usize = 3;

/// Why documents cannot be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum FetcherError {
    /// The bundle of certificates cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Unreadable {
        /// The bundle.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The bundle is not one.
    #[error("{path} holds no PEM certificate: it must have one or more `BEGIN CERTIFICATE` blocks")]
    NoCertificate {
        /// The bundle.
        path: String,
    },
    /// TLS cannot be set up: mostly there are no roots, or one in the bundle is broken.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A document, and how long it may be used.
pub struct Document {
    /// The document.
    pub json: Value,
    /// `max-age` (RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
}

/// Fetches documents.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
}

impl Fetcher {
    /// A fetcher that trusts the system's roots, and those of a PEM bundle besides.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, FetcherError> {
        let roots = ca_file.map(certificates).transpose()?.unwrap_or_default();
        let client = Client::builder()
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .timeout(TIME_LIMIT)
            .connect_timeout(CONNECT_LIMIT)
            .redirect(Policy::custom(same_host_only))
            .referer(false)
            .no_proxy()
            .tls_certs_merge(roots)
            .build();
        match client {
            Ok(client) => Ok(Self { client }),
            Err(error) => Err(FetcherError::Tls(causes(error))),
        }
    }

    /// Fetches a document; the error is a short text without the address.
    pub async fn json(&self, url: &Url) -> Result<Document, String> {
        let mut response = self.client.get(url.clone()).send().await.map_err(causes)?;
        if response.status() != StatusCode::OK {
            return Err(format!("the answer was {}", response.status().as_u16()));
        }
        let max_age = max_age(response.headers());
        let body = body(&mut response).await?;
        let json = serde_json::from_slice(&body).map_err(|_| "the answer was not JSON")?;
        Ok(Document { json, max_age })
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, FetcherError> {
    let name = || path.display().to_string();
    let pem = fs::read(path).map_err(|cause| FetcherError::Unreadable { path: name(), cause })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FetcherError::NoCertificate { path: name() }),
    }
}

fn same_host_only(attempt: Attempt<'_>) -> Action {
    let first = attempt.previous().first().map(Url::origin);
    if first != Some(attempt.url().origin()) {
        attempt.error("redirected to another host")
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("redirected too often")
    } else {
        attempt.follow()
    }
}

async fn body(response: &mut Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(causes)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err("the answer was over 1 MiB".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a fetch failed. The address is known to whoever reads this, and might hold a secret.
fn causes(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let error = error.without_url();
    // The outer layers say no more than that something was sent.
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let place = if error.is_connect() { "no connection: " } else { "" };
    format!("{place}{innermost}")
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(seconds)
}

fn seconds(directive: &str) -> Option<Duration> {
    let (name, value) = directive.trim().split_once('=')?;
    let seconds = value.trim_matches('"').parse().ok()?;
    name.eq_ignore_ascii_case("max-age").then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn max_age_is_read_among_other_directives() {
        for (value, expected) in [
            ("max-age=90", Some(90)),
            ("public, Max-Age=\"90\", immutable", Some(90)),
            ("no-store", None),
            ("s-maxage=5", None),
            ("max-age=-1", None),
            ("max-age", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            assert_eq!(max_age(&headers), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_bundle_that_is_none_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let missing = dir.path().join("missing.pem");
        let Err(error) = Fetcher::new(Some(&missing)) else { panic!("there is no such file") };
        assert!(error.to_string().contains("missing.pem cannot be read"), "{error}");
        for content in
            ["", "nonsense", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"]
        {
            let path = dir.path().join("broken.pem");
            fs::write(&path, content).expect("written");
            let Err(error) = Fetcher::new(Some(&path)) else { panic!("{content:?} is no bundle") };
            assert!(error.to_string().contains("broken.pem holds no PEM"), "{error}");
        }
    }
}
