//! Fetches a small JSON document of the provider: within limits of time and size, and from nowhere else.

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
pub struct JsonDocument {
    /// The document.
    pub json: Value,
    /// `max-age` (RFC 9111 section 5.2.2.1).
    pub max_age: Option<Duration>,
}

/// Fetches documents. Clones share one client and what it trusts.
#[derive(Clone)]
pub struct Fetcher {
    ca_file: Option<PathBuf>,
    trusting: Arc<ArcSwap<ClientWithCa>>,
}

/// A client, and the bundle that it was made with.
struct ClientWithCa {
    pem: Vec<u8>,
    client: Client,
}

impl Fetcher {
    /// A fetcher that trusts the system's roots, and those of a PEM bundle besides. The bundle is
    /// read again before each fetch, so a new one is in force without a restart.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, FetcherError> {
        let pem = ca_file.map(read).transpose()?;
        let trusting = ClientWithCa::new(pem.unwrap_or_default(), ca_file)?;
        Ok(Self {
            ca_file: ca_file.map(Path::to_owned),
            trusting: Arc::new(ArcSwap::from_pointee(trusting)),
        })
    }

    /// Fetches a document.
    pub async fn json(&self, url: &Url) -> Result<JsonDocument, FetchError> {
        self.reload_ca_bundle();
        let client = self.trusting.load().client.clone();
        let mut headers = HeaderMap::new();
        trace::inject(&mut headers);
        let asked = client.get(url.clone()).headers(headers);
        let mut response = asked.send().await.map_err(fault)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let max_age = max_age(response.headers());
        let body = body(&mut response).await?;
        let json = serde_json::from_slice(&body).map_err(|_| FetchError::NotJson)?;
        Ok(JsonDocument { json, max_age })
    }

    /// Trusts what the bundle has now. One that is gone or broken changes nothing: it may be half
    /// written, and the next fetch looks again.
    fn reload_ca_bundle(&self) {
        let Some(path) = &self.ca_file else { return };
        let renewed = read(path).and_then(|pem| {
            let changed = pem != self.trusting.load().pem;
            changed.then(|| ClientWithCa::new(pem, Some(path))).transpose()
        });
        match renewed {
            Ok(None) => {}
            Ok(Some(trusting)) => {
                self.trusting.store(Arc::new(trusting));
                tracing::info!(ca_file = %path.display(), "the trusted certificates were read anew");
            }
            Err(error) => tracing::warn!(%error, "the trusted certificates stay as they were"),
        }
    }
}

impl ClientWithCa {
    fn new(pem: Vec<u8>, ca_file: Option<&Path>) -> Result<Self, FetcherError> {
        let roots = ca_file.map(|path| certificates(&pem, path)).transpose()?;
        let client = Client::builder()
            .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
            .timeout(TIME_LIMIT)
            .connect_timeout(CONNECT_LIMIT)
            .redirect(Policy::custom(same_host_only))
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

fn read(path: &Path) -> Result<Vec<u8>, FetcherError> {
    let unreadable = |cause| FetcherError::Unreadable { path: path.display().to_string(), cause };
    fs::read(path).map_err(unreadable)
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<Certificate>, FetcherError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FetcherError::NoCertificate { path: path.display().to_string() }),
    }
}

/// How TLS says that the root is unknown, that the certificate is its own root, and that a known
/// root of that name has another key (mkcert names each of its roots after user and machine).
const UNTRUSTED: [&str; 3] = ["UnknownIssuer", "CaUsedAsEndEntity", "BadSignature"];

/// What is said of a redirect that is not followed.
const REDIRECT_ERRORS: [&str; 2] = ["to another host", "too often"];

fn same_host_only(attempt: Attempt<'_>) -> Action {
    let first = attempt.previous().first().map(Url::origin);
    if first != Some(attempt.url().origin()) {
        attempt.error(REDIRECT_ERRORS[0])
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(REDIRECT_ERRORS[1])
    } else {
        attempt.follow()
    }
}

async fn body(response: &mut Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fault)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a fetch failed. The address is known to whoever reads this, and might hold a secret.
fn fault(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::Timeout;
    }
    let error = error.without_url();
    let cause = root_cause(&error);
    if let Some(refused) =
        REDIRECT_ERRORS.into_iter().find(|refused| error.is_redirect() && cause == *refused)
    {
        return FetchError::Redirected(refused);
    }
    // TLS has no other way to say so that reaches here.
    if UNTRUSTED.iter().any(|why| cause.contains(why)) {
        return FetchError::Untrusted(cause);
    }
    if cause.starts_with("invalid peer certificate") {
        return FetchError::Certificate(cause);
    }
    if error.is_connect() { FetchError::Unreachable(cause) } else { FetchError::Broken(cause) }
}

/// The outer layers of an error say no more than that something was sent.
fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
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
