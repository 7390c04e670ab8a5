//! Fetches small JSON documents from a provider over HTTP.
//!
//! A fetch has limits for time, size and redirects, follows redirects only on the same origin, and
//! uses no proxy.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use reqwest::{
    Certificate, Client, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderMap},
    redirect::{Action, Attempt, Policy},
};
use serde_json::Value;
use url::Url;

use super::error::FetchError;
use crate::trace;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_BODY_BYTES: usize = 1024 * 1024;
const MAX_REDIRECTS: usize = 3;

/// The reason why a [`Fetcher`] could not be created.
#[derive(Debug, thiserror::Error)]
pub enum FetcherError {
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
    /// TLS cannot be set up. Usually the system has no roots, or a root in the CA file is invalid.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A JSON document and its freshness lifetime.
pub struct JsonDocument {
    /// The parsed body of the response.
    pub json: Value,
    /// The `max-age` of the response (RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
}

/// A fetcher of JSON documents. Clones share one HTTP client and its trusted roots.
#[derive(Clone)]
pub struct Fetcher {
    ca_file: Option<PathBuf>,
    client: Arc<ArcSwap<ClientWithCa>>,
}

/// An HTTP client and the CA bundle with which it was created.
struct ClientWithCa {
    pem: Vec<u8>,
    client: Client,
}

impl Fetcher {
    /// Creates a fetcher that trusts the system's roots and the roots in a PEM file.
    ///
    /// The file is read again before each fetch, so a change applies without a restart.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, FetcherError> {
        let pem = ca_file.map(read_ca_file).transpose()?;
        let client = ClientWithCa::new(pem.unwrap_or_default(), ca_file)?;
        Ok(Self {
            ca_file: ca_file.map(Path::to_owned),
            client: Arc::new(ArcSwap::from_pointee(client)),
        })
    }

    /// Fetches a JSON document.
    pub async fn json(&self, url: &Url) -> Result<JsonDocument, FetchError> {
        self.reload_ca_bundle();
        let client = self.client.load().client.clone();
        let mut headers = HeaderMap::new();
        trace::inject(&mut headers);
        let request = client.get(url.clone()).headers(headers);
        let mut response = request.send().await.map_err(classify_error)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let max_age = max_age(response.headers());
        let body = read_body(&mut response).await?;
        let json = serde_json::from_slice(&body).map_err(|_| FetchError::NotJson)?;
        Ok(JsonDocument { json, max_age })
    }

    /// Trusts the roots that the CA file has now.
    ///
    /// A missing or invalid file changes nothing. It may be only partly written, and the next fetch
    /// reads it again.
    fn reload_ca_bundle(&self) {
        let Some(path) = &self.ca_file else { return };
        let reloaded = read_ca_file(path).and_then(|pem| {
            let has_changed = pem != self.client.load().pem;
            has_changed.then(|| ClientWithCa::new(pem, Some(path))).transpose()
        });
        match reloaded {
            Ok(None) => {}
            Ok(Some(client)) => {
                self.client.store(Arc::new(client));
                tracing::info!(ca_file = %path.display(), "the CA file was reloaded");
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    "the CA file was not reloaded; the previous roots stay trusted"
                );
            }
        }
    }
}

impl ClientWithCa {
    fn new(pem: Vec<u8>, ca_file: Option<&Path>) -> Result<Self, FetcherError> {
        let roots = ca_file.map(|path| parse_certificates(&pem, path)).transpose()?;
        let client = Client::builder()
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::custom(same_origin_only))
            .referer(false)
            .no_proxy()
            .tls_certs_merge(roots.unwrap_or_default())
            .build();
        match client {
            Ok(client) => Ok(Self { pem, client }),
            Err(error) => Err(FetcherError::Tls(root_cause(&error))),
        }
    }
}

fn read_ca_file(path: &Path) -> Result<Vec<u8>, FetcherError> {
    let unreadable = |cause| FetcherError::Unreadable { path: path.display().to_string(), cause };
    fs::read(path).map_err(unreadable)
}

fn parse_certificates(pem: &[u8], path: &Path) -> Result<Vec<Certificate>, FetcherError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FetcherError::NoCertificate { path: path.display().to_string() }),
    }
}

/// The names of TLS errors for an untrusted root.
///
/// The root is unknown, the certificate is its own root, or the trusted root of the same name has
/// another key. The last case occurs with mkcert, which gives every new root of a user the same name.
const UNTRUSTED_ROOT_ERRORS: [&str; 3] = ["UnknownIssuer", "CaUsedAsEndEntity", "BadSignature"];

/// The end of the error text of a redirect to another origin.
const CROSS_ORIGIN: &str = "to another origin";
/// The end of the error text of a redirect after [`MAX_REDIRECTS`] others.
const TOO_MANY: &str = "too often";

fn same_origin_only(attempt: Attempt<'_>) -> Action {
    let first_origin = attempt.previous().first().map(Url::origin);
    if first_origin != Some(attempt.url().origin()) {
        attempt.error(CROSS_ORIGIN)
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(TOO_MANY)
    } else {
        attempt.follow()
    }
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(classify_error)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Converts an error of the HTTP client, without the URL.
///
/// The operator knows the URL, and it might contain a secret.
fn classify_error(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::Timeout;
    }
    let error = error.without_url();
    let cause = root_cause(&error);
    if let Some(reason) =
        [CROSS_ORIGIN, TOO_MANY].into_iter().find(|reason| error.is_redirect() && cause == *reason)
    {
        return FetchError::Redirected(reason);
    }
    // The kind of a TLS error is available only as text.
    if UNTRUSTED_ROOT_ERRORS.iter().any(|name| cause.contains(name)) {
        return FetchError::Untrusted(cause);
    }
    if cause.starts_with("invalid peer certificate") {
        return FetchError::Certificate(cause);
    }
    if error.is_connect() { FetchError::Unreachable(cause) } else { FetchError::Transport(cause) }
}

/// Returns the text of the innermost error. The outer errors only report that a request failed.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(parse_max_age)
}

fn parse_max_age(directive: &str) -> Option<Duration> {
    let (name, value) = directive.trim().split_once('=')?;
    let seconds = value.trim_matches('"').parse().ok()?;
    name.eq_ignore_ascii_case("max-age").then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn max_age_is_parsed_among_other_directives() {
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
    fn error_names_an_invalid_ca_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let missing = dir.path().join("missing.pem");
        let Err(error) = Fetcher::new(Some(&missing)) else {
            panic!("a missing file was accepted")
        };
        assert!(error.to_string().contains("missing.pem cannot be read"), "{error}");
        for content in
            ["", "nonsense", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n"]
        {
            let path = dir.path().join("invalid.pem");
            fs::write(&path, content).expect("written");
            let Err(error) = Fetcher::new(Some(&path)) else { panic!("{content:?} was accepted") };
            assert!(error.to_string().contains("invalid.pem has no PEM"), "{error}");
        }
    }
}
