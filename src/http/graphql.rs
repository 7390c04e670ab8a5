//! GraphQL over HTTP: a credential, a document, an answer in the form that the client asked for.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{
    Extension,
    body::{Body, HttpBody, to_bytes},
    extract::{Query, Request, State},
    http::{
        Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    AppState,
    idempotency::{self, IdempotencyDecision},
    media::{self, MediaType},
    playground,
    rate_limit::{self, RateLimitKey, too_many_requests},
    request_id::RequestId,
    serve::PeerAddr,
    telemetry::{RequestTelemetry, ResponseCodes},
    timeout::Deadline,
};
use crate::{
    access::{Caller, Session},
    auth::token::AuthError,
    graphql::{Code, GraphQlRequest, GraphQlResponse, RequestError},
};

/// What an answer has cost, among the response's extensions: not on the wire, for logs and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreCost {
    /// Reads of the store.
    pub store_reads: u32,
    /// Changes of documents that were committed.
    pub store_writes: u32,
}

impl StoreCost {
    const ZERO: Self = Self { store_reads: 0, store_writes: 0 };
}

/// How long a client does well to wait for keys, in seconds.
const KEYS_RETRY_AFTER: &str = "5";

/// A request that is refused before its document is looked at: its status and what it says.
pub(super) struct HttpError {
    status: StatusCode,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    problem: RequestError,
}

impl HttpError {
    pub(super) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { status, header: None, problem: RequestError::new(code, message) }
    }

    pub(super) fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        self.with_header_value(name, HeaderValue::from_static(value))
    }

    pub(super) fn with_header_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// With one more of `extensions`.
    pub(super) fn with_extension(mut self, name: &'static str, value: u64) -> Self {
        self.problem = self.problem.with(name, value);
        self
    }

    /// Not a request of GraphQL over HTTP.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }
}

/// The form in which a request is refused.
pub(super) struct ErrorFormat {
    media_type: MediaType,
    id: String,
}

impl ErrorFormat {
    /// As the client takes it, under the request's identifier.
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let id = extensions.get::<RequestId>().map_or("", |RequestId(id)| id);
        let media_type = MediaType::negotiate(headers).unwrap_or(MediaType::Json);
        Self { media_type, id: id.to_owned() }
    }

    /// The answer to a request that is refused.
    pub(super) fn into_response(&self, rejection: HttpError) -> Response {
        let HttpError { status, header, problem } = rejection;
        let answer = GraphQlResponse::from_request_error(problem).with_request_id(&self.id);
        let mut response = render_response(&answer, self.media_type, StoreCost::ZERO);
        *response.status_mut() = status;
        response.headers_mut().extend(header.map(|header| *header));
        response
    }
}

/// `POST /graphql`: a query or a mutation, as JSON.
pub(super) async fn post(
    State(gateway): State<Arc<AppState>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let incoming = RequestHandler { gateway: &gateway, parts: &parts, id: &id };
    incoming.respond(incoming.parse_body(body)).await
}

/// `GET /graphql`: a query in the URL; or the playground, for a browser.
pub(super) async fn get(
    State(gateway): State<Arc<AppState>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if gateway.playground && media::prefers_html(&parts.headers) {
        return playground::page(&gateway, &parts.headers);
    }
    let incoming = RequestHandler { gateway: &gateway, parts: &parts, id: &id };
    incoming.respond(async { parse_query_params(&parts) }).await
}

/// Any other method.
pub(super) async fn not_allowed(
    State(gateway): State<Arc<AppState>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let incoming = RequestHandler { gateway: &gateway, parts: &parts, id: &id };
    let message = "Use POST, or GET for a query.";
    incoming.reject(method_not_allowed("GET, POST", message))
}

fn method_not_allowed(allowed: &'static str, message: &str) -> HttpError {
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message)
        .with_header(header::ALLOW, allowed)
}

/// A request as it came, and what is needed to answer it.
struct RequestHandler<'a> {
    gateway: &'a Arc<AppState>,
    parts: &'a Parts,
    id: &'a str,
}

impl RequestHandler<'_> {
    /// The one preparation of a request: the answer's form, credential, document, session, run.
    async fn respond(
        &self,
        document: impl Future<Output = Result<GraphQlRequest, HttpError>>,
    ) -> Response {
        match self.execute(document).await {
            Ok(response) => response,
            Err(rejection) => self.reject(rejection),
        }
    }

    async fn execute(
        &self,
        document: impl Future<Output = Result<GraphQlRequest, HttpError>>,
    ) -> Result<Response, HttpError> {
        let Some(media_type) = MediaType::negotiate(&self.parts.headers) else {
            let message = "Accept application/graphql-response+json or application/json.";
            return Err(HttpError::new(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message));
        };
        let caller = self.caller().await?;
        let payer = caller
            .as_ref()
            .map_or_else(|| self.client_ip_key(), |c| RateLimitKey::Actor(&c.identity));
        self.check_rate_limit(payer, rate_limit::BASE_COST, 0)?;
        let document = document.await?;
        let place = self.gateway.bounds.places.try_acquire()?;
        let repeatable = idempotency::key(&self.parts.headers)?;
        let repeatable = repeatable.map(|key| (key, idempotency::fingerprint(&document)));
        let prepared = match self.gateway.api.prepare(document) {
            Ok(prepared) => prepared,
            Err(refused) => {
                self.fine(payer);
                return Ok(render_response(
                    &refused.with_request_id(self.id),
                    media_type,
                    StoreCost::ZERO,
                ));
            }
        };
        let trail = RequestTelemetry::from_extensions(&self.parts.extensions);
        trail.set_operation(prepared.operation_info());
        if self.parts.method != Method::POST && !prepared.is_query() {
            return Err(method_not_allowed("POST", "Use POST for a mutation."));
        }
        self.check_rate_limit(payer, prepared.complexity(), rate_limit::BASE_COST)?;
        let session = |run| {
            let access = self.gateway.access.clone();
            let session = Session::new(access, caller.clone(), self.id.to_owned(), run);
            let session = Arc::new(session);
            trail.set_session(&session);
            session
        };
        let (answer, session) = match (&caller, repeatable) {
            // A query changes nothing, and who is nobody can change nothing.
            (Some(caller), Some((key, fingerprint))) if !prepared.is_query() => {
                match idempotency::begin(self.gateway, caller, key, fingerprint).await? {
                    IdempotencyDecision::Run(run) => {
                        let session = session(Some(run.clone()));
                        let gateway = self.gateway.clone();
                        let bounds = (Deadline::of(&self.parts.extensions)?, place);
                        let ran = idempotency::run(gateway, session.clone(), prepared, run, bounds);
                        let ran = ran.await?;
                        (ran, session)
                    }
                    IdempotencyDecision::Answered(body) => {
                        let session = session(None);
                        match session.viewer(false).await {
                            Ok(_) => {
                                let body = body.into_bytes();
                                let mut answer = render_body(body, true, media_type);
                                answer.extensions_mut().insert(ResponseCodes::repeated());
                                return Ok(answer);
                            }
                            // It was theirs to read then; who is shut out since reads nothing.
                            Err(refusal) => (
                                GraphQlResponse::denied_by(refusal).with_request_id(self.id),
                                session,
                            ),
                        }
                    }
                }
            }
            _ => {
                let session = session(None);
                (self.gateway.api.execute(session.clone(), prepared).await, session)
            }
        };
        let cost = StoreCost { store_reads: session.reads(), store_writes: session.writes() };
        Ok(render_response(&answer, media_type, cost))
    }

    /// Who asks, by the credential alone; before any document is read.
    async fn caller(&self) -> Result<Option<Caller>, HttpError> {
        let values = self.parts.headers.get_all(header::AUTHORIZATION);
        let unverified = values.iter().map(HeaderValue::as_bytes);
        let now = self.gateway.clock.now();
        match self.gateway.authenticator.authenticate(unverified, now).await {
            Ok(verified) => {
                Ok(verified.map(|v| Caller { identity: v.identity, profile: v.profile }))
            }
            Err(refused) => {
                // The reason is for the log alone: an attacker learns nothing by trying.
                RequestTelemetry::from_extensions(&self.parts.extensions)
                    .set_auth_error(refused.word());
                if refused != AuthError::KeysUnavailable {
                    self.check_rate_limit(self.client_ip_key(), rate_limit::BASE_COST, 0)?;
                    self.fine(self.client_ip_key());
                }
                Err(unauthenticated(refused))
            }
        }
    }

    fn client_ip_key(&self) -> RateLimitKey<'static> {
        let peer = self.parts.extensions.get::<PeerAddr>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |PeerAddr(address)| *address);
        RateLimitKey::from_ip(self.gateway.bounds.proxies.client_ip(peer, &self.parts.headers))
    }

    /// Counts what a request costs, besides what it has paid, and refuses whoever asks for too much.
    fn check_rate_limit(
        &self,
        payer: RateLimitKey<'_>,
        cost: u64,
        paid: u64,
    ) -> Result<(), HttpError> {
        let Some(limiter) = &self.gateway.bounds.rate else { return Ok(()) };
        limiter.try_acquire(payer, cost, paid, self.gateway.clock.now()).map_err(|wait| {
            self.gateway.metrics.rate_limited(payer.as_label());
            too_many_requests(wait)
        })
    }

    /// Counts what was refused.
    fn fine(&self, payer: RateLimitKey<'_>) {
        if let Some(limiter) = &self.gateway.bounds.rate {
            limiter.penalize(payer, self.gateway.clock.now());
        }
    }

    async fn parse_body(&self, body: Body) -> Result<GraphQlRequest, HttpError> {
        if !media::is_json(&self.parts.headers) {
            let message = "Send the request as application/json in UTF-8.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(HttpError::new(status, Code::BadUserInput, message));
        }
        let max = self.gateway.max_body_bytes;
        // A body that says that it is too long is not read at all; one that lies, no further.
        if body.size_hint().lower() > max as u64 {
            return Err(too_large(max));
        }
        match to_bytes(body, max).await {
            Ok(bytes) => parse(&bytes),
            Err(error) if is_length_limit(&error) => Err(too_large(max)),
            Err(_) => Err(HttpError::malformed("The body did not arrive whole.")),
        }
    }

    fn reject(&self, rejection: HttpError) -> Response {
        ErrorFormat::of(&self.parts.headers, &self.parts.extensions).into_response(rejection)
    }
}

/// RFC 6750, section 3.1.
fn unauthenticated(refused: AuthError) -> HttpError {
    let rejection = |status, code, message: &str| HttpError::new(status, code, message);
    match refused {
        AuthError::MultipleCredentials => {
            let message = "Send one credential.";
            rejection(StatusCode::BAD_REQUEST, Code::Unauthenticated, message)
                .with_header(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_request""#)
        }
        AuthError::InvalidToken(_) => {
            let message = "The token is not valid.";
            rejection(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
                .with_header(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
        }
        AuthError::KeysUnavailable => {
            let message = "Tokens cannot be verified just now; try again.";
            rejection(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
                .with_header(header::RETRY_AFTER, KEYS_RETRY_AFTER)
        }
    }
}

fn too_large(max: usize) -> HttpError {
    let message = format!("The body may have at most {max} bytes.");
    let mut rejection = HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::LimitExceeded, message);
    rejection.problem = rejection.problem.with("limit", "bodyBytes").with("max", max);
    rejection
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The parameters in a body. What is said of a wrong one does not repeat it.
fn parse(body: &[u8]) -> Result<GraphQlRequest, HttpError> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(HttpError::malformed("Batches are not taken: send one request at a time."));
    }
    let document = serde_json::from_slice(body).map_err(|error| {
        HttpError::malformed(match error.classify() {
            serde_json::error::Category::Data => {
                "The body must be an object with `query` (a string), and may have `operationName` and `documentId` (strings), `variables` and `extensions` (objects)."
            }
            _ => "The body is not valid JSON.",
        })
    })?;
    require_document(document)
}

/// The parameters of a GET (GraphQL over HTTP, section 5.2): objects are JSON there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    #[serde(alias = "doc_id")]
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn parse_query_params(parts: &Parts) -> Result<GraphQlRequest, HttpError> {
    let Ok(Query(parameters)) = Query::<Parameters>::try_from_uri(&parts.uri) else {
        return Err(HttpError::malformed("The URL must have each parameter once."));
    };
    require_document(GraphQlRequest {
        query: parameters.query,
        document_id: parameters.document_id,
        operation_name: parameters.operation_name,
        variables: object("variables", parameters.variables)?,
        extensions: object("extensions", parameters.extensions)?,
    })
}

/// A request that names no document is none.
fn require_document(document: GraphQlRequest) -> Result<GraphQlRequest, HttpError> {
    if document.is_named() {
        return Ok(document);
    }
    let message = "Send `query`, `documentId`, or `extensions.persistedQuery.sha256Hash`.";
    Err(HttpError::malformed(message))
}

type Object = serde_json::Map<String, serde_json::Value>;

fn object(name: &str, text: Option<String>) -> Result<Option<Object>, HttpError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(&text)
        .map_err(|_| HttpError::malformed(format!("`{name}` must be an object in JSON.")))
}

/// An answer in its form. Only `application/graphql-response+json` shows by its status whether the
/// document ran: for the other, 200 says no more than that this is an answer of GraphQL.
fn render_response(answer: &GraphQlResponse, media_type: MediaType, cost: StoreCost) -> Response {
    let Ok(body) = serde_json::to_vec(answer) else {
        // Nothing in an answer is without a form in JSON.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = render_body(body, answer.executed(), media_type);
    response.extensions_mut().insert(cost);
    response.extensions_mut().insert(ResponseCodes::of(answer.codes()));
    response
}

fn render_body(body: Vec<u8>, ran: bool, media_type: MediaType) -> Response {
    let status = match media_type {
        MediaType::GraphqlResponse if !ran => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type.content_type());
    // Answers depend on who asks, and are true now.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
