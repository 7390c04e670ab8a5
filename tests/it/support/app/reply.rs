//! The response to a request of a test.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tenantry::{graphql::GraphQlResponse, http::StoreCost};
use tower::ServiceExt;

/// A response whose body was read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// The body as JSON, or null if it is not JSON.
    pub(crate) json: Value,
    /// The number of store reads that the request took.
    pub(crate) reads: u32,
    /// The number of changes that the request committed.
    pub(crate) writes: u32,
}

impl Reply {
    /// Returns a response without headers, such as an event of a live operation.
    pub(crate) fn from_json(json: Value) -> Self {
        let headers = HeaderMap::new();
        Self { status: 200, headers, body: json.to_string(), json, reads: 0, writes: 0 }
    }

    /// Returns the data of a response that has no errors.
    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        assert_eq!(self.json.get("errors"), None, "{}", self.body);
        &self.json["data"]
    }

    /// Returns the codes of the errors in their order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().map(|e| e["extensions"]["code"].as_str().unwrap_or("none")).collect()
    }

    /// Returns the errors as `code path`. They are sorted, because fields are executed
    /// concurrently.
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let mut errors: Vec<String> = errors
            .iter()
            .map(|error| {
                let path = error["path"].as_array().map_or(&[][..], Vec::as_slice);
                let path = path
                    .iter()
                    .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned));
                let code = error["extensions"]["code"].as_str().unwrap_or("none");
                format!("{code} {}", path.collect::<Vec<_>>().join("."))
            })
            .collect();
        errors.sort();
        errors
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Returns the body that a client gets for a response of the executor.
pub(crate) fn response_to_json(response: &GraphQlResponse) -> Value {
    serde_json::from_slice(&response.to_json().expect("JSON")).expect("JSON")
}

/// Adds the `Host` header that a client of HTTP/1.1 sends, unless the request has one.
pub(super) fn with_host(mut request: Request<Body>) -> Request<Body> {
    let host = HeaderValue::from_static("localhost");
    request.headers_mut().entry(header::HOST).or_insert(host);
    request
}

/// Sends a request through a router.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(with_host(request)).await.expect("a response");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    let body = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    Reply {
        status: parts.status.as_u16(),
        reads: parts.extensions.get::<StoreCost>().map_or(0, |cost| cost.store_reads),
        writes: parts.extensions.get::<StoreCost>().map_or(0, |cost| cost.store_writes),
        headers: parts.headers,
        json: serde_json::from_str(&body).unwrap_or(Value::Null),
        body,
    }
}
