//! Parses the parameters of a GraphQL request from a body or a URL (GraphQL over HTTP, section 5).
//!
//! Error messages never repeat the rejected input.

use axum::{
    body::{Body, HttpBody},
    extract::Query,
    http::{HeaderMap, Uri},
};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    graphql::{GraphQlRequest, RawObject},
    http::{error::HttpError, media},
};

/// The parameters of a request before they are read.
pub(super) enum RequestSource<'a> {
    /// The body of a `POST` request.
    Body {
        /// The headers of the request.
        headers: &'a HeaderMap,
        /// The body, of which nothing is read yet.
        body: Body,
        /// The maximum length of the body, in bytes.
        max_bytes: usize,
    },
    /// The URL of a `GET` request.
    Url(&'a Uri),
    /// The payload of a WebSocket's message.
    Message {
        /// The payload, whose syntax is valid JSON.
        payload: Box<RawValue>,
        /// The maximum length of the payload, in bytes.
        max_bytes: usize,
    },
}

impl RequestSource<'_> {
    /// Reads and parses the parameters.
    ///
    /// `charge` gets the announced length and then the received length, in bytes. If it fails, nothing
    /// more is read, and nothing is parsed.
    pub(super) async fn read(
        self,
        mut charge: impl FnMut(usize) -> Result<(), HttpError>,
    ) -> Result<GraphQlRequest, HttpError> {
        match self {
            Self::Body { headers, .. } if !media::is_json(headers) => {
                Err(HttpError::unsupported_media_type())
            }
            Self::Body { body, max_bytes, .. } => {
                parse_json(&read_body(body, max_bytes, charge).await?)
            }
            Self::Url(uri) => {
                charge(uri.query().map_or(0, str::len))?;
                parse_query_params(uri)
            }
            Self::Message { payload, max_bytes } => {
                let length = payload.get().len();
                if length > max_bytes {
                    return Err(HttpError::payload_too_large(max_bytes, Some(length)));
                }
                charge(length)?;
                parse_json(payload.get().as_bytes())
            }
        }
    }
}

/// Reads a body of at most `max_bytes` bytes.
///
/// Each frame is copied and dropped at once. A list of frames would take a multiple of their length if
/// the client sends small chunks.
async fn read_body(
    mut body: Body,
    max_bytes: usize,
    mut charge: impl FnMut(usize) -> Result<(), HttpError>,
) -> Result<Vec<u8>, HttpError> {
    // A body with an excessive `Content-Length` is not read at all. Any other body is read up to
    // the limit.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max_bytes {
        return Err(HttpError::payload_too_large(max_bytes, Some(announced)));
    }
    charge(announced)?;
    let mut bytes = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| HttpError::bad_request("The body is incomplete."))?;
        let Ok(data) = frame.into_data() else { continue };
        let received = bytes.len() + data.len();
        if received > max_bytes {
            return Err(HttpError::payload_too_large(max_bytes, None));
        }
        charge(received)?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
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
fn parse_query_params(uri: &Uri) -> Result<GraphQlRequest, HttpError> {
    let Ok(Query(params)) = Query::<QueryParams>::try_from_uri(uri) else {
        let message = "The URL must have each parameter at most once.";
        return Err(HttpError::bad_request(message));
    };
    require_document(GraphQlRequest {
        query: params.query,
        document_id: params.document_id,
        operation_name: params.operation_name,
        variables: parse_object("variables", params.variables)?.into(),
        extensions: parse_object("extensions", params.extensions)?.into(),
    })
}

/// Parses a parameter whose value is a JSON object. An empty value counts as absent.
fn parse_object(name: &str, text: Option<String>) -> Result<Option<RawObject>, HttpError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    RawObject::parse(text)
        .map(Some)
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
