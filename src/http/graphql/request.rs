//! Parses the parameters of a GraphQL request from a body or a URL (GraphQL over HTTP, section 5).
//!
//! Error messages never repeat the rejected input.

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Query,
    http::{HeaderMap, Uri},
};
use serde::Deserialize;

use crate::{
    graphql::GraphQlRequest,
    http::{error::HttpError, media},
};

type JsonObject = serde_json::Map<String, serde_json::Value>;

/// Reads and parses a JSON body of at most `max_bytes` bytes.
pub(super) async fn parse_body(
    headers: &HeaderMap,
    body: Body,
    max_bytes: usize,
) -> Result<GraphQlRequest, HttpError> {
    if !media::is_json(headers) {
        return Err(HttpError::unsupported_media_type());
    }
    // A body with an excessive `Content-Length` is not read at all. Any other body is read up to
    // the limit.
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(HttpError::payload_too_large(max_bytes));
    }
    match to_bytes(body, max_bytes).await {
        Ok(bytes) => parse_json(&bytes),
        Err(error) if is_length_limit_error(&error) => Err(HttpError::payload_too_large(max_bytes)),
        Err(_) => Err(HttpError::bad_request("The body is incomplete.")),
    }
}

/// Returns whether reading failed because the body is too long.
fn is_length_limit_error(error: &axum::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn parse_json(body: &[u8]) -> Result<GraphQlRequest, HttpError> {
    if body.trim_ascii_start().starts_with(b"[") {
        let message = "Batches are not supported. Send one request at a time.";
        return Err(HttpError::bad_request(message));
    }
    let request = serde_json::from_slice(body).map_err(|error| {
        HttpError::bad_request(match error.classify() {
            serde_json::error::Category::Data => {
                "The body must be an object with `query` (a string), and may have `operationName` and `documentId` (strings), `variables` and `extensions` (objects)."
            }
            _ => "The body is not valid JSON.",
        })
    })?;
    require_document(request)
}

/// The query parameters of a GET request.
///
/// `variables` and `extensions` are JSON objects (GraphQL over HTTP, section 5.2).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryParams {
    query: Option<String>,
    #[serde(alias = "doc_id")]
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// Parses the query parameters of a GET request.
pub(super) fn parse_query_params(uri: &Uri) -> Result<GraphQlRequest, HttpError> {
    let Ok(Query(params)) = Query::<QueryParams>::try_from_uri(uri) else {
        let message = "The URL must have each parameter at most once.";
        return Err(HttpError::bad_request(message));
    };
    require_document(GraphQlRequest {
        query: params.query,
        document_id: params.document_id,
        operation_name: params.operation_name,
        variables: parse_object("variables", params.variables)?,
        extensions: parse_object("extensions", params.extensions)?,
    })
}

/// Parses a parameter whose value is a JSON object. An empty value counts as absent.
fn parse_object(name: &str, text: Option<String>) -> Result<Option<JsonObject>, HttpError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(&text)
        .map_err(|_| HttpError::bad_request(format!("`{name}` must be a JSON object.")))
}

/// Rejects a request that has no document and does not refer to one.
fn require_document(request: GraphQlRequest) -> Result<GraphQlRequest, HttpError> {
    if request.has_document() {
        return Ok(request);
    }
    let message = "Send `query`, `documentId`, or `extensions.persistedQuery.sha256Hash`.";
    Err(HttpError::bad_request(message))
}
