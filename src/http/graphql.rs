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
    Gateway,
    media::{self, MediaType},
    observe::{Outcome, Trail},
    playground,
    rate::{self, Payer, rate_limited},
    repeat::{self, Admitted},
    request_id::RequestId,
    serve::Peer,
    time_limit::Deadline,
};
use crate::{
    access::{Caller, Session},
    auth::token::Refused,
    graphql::{Answer, Code, Document, Problem},
};

/// What an answer has cost, among the response's extensions: not on the wire, for logs and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Reads of the store.
    pub store_reads: u32,
    /// Changes of documents that were committed.
    pub store_writes: u32,
}

impl Cost {
    const NOTHING: Self = Self { store_reads: 0, store_writes: 0 };
}

/// How long a client does well to wait for keys, in seconds.
const KEYS_RETRY_AFTER: &str = "5";

/// A request that is refused before its document is looked at: its status and what it says.
pub(super) struct Rejection {
    status: StatusCode,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    problem: Problem,
}

impl Rejection {
    pub(super) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self { status, header: None, problem: Problem::new(code, message) }
    }

    pub(super) fn with(self, name: HeaderName, value: &'static str) -> Self {
        self.with_value(name, HeaderValue::from_static(value))
    }

    pub(super) fn with_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// With one more of `extensions`.
    pub(super) fn saying(mut self, name: &'static str, value: u64) -> Self {
        self.problem = self.problem.with(name, value);
        self
    }

    /// Not a request of GraphQL over HTTP.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput, message)
    }
}

/// The form in which a request is refused.
pub(super) struct Form {
    media_type: MediaType,
    id: String,
}

impl Form {
    /// As the client takes it, under the request's identifier.
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let id = extensions.get::<RequestId>().map_or("", |RequestId(id)| id);
        let media_type = MediaType::accepted(headers).unwrap_or(MediaType::Json);
        Self { media_type, id: id.to_owned() }
    }

    /// The answer to a request that is refused.
    pub(super) fn refuse(&self, rejection: Rejection) -> Response {
        let Rejection { status, header, problem } = rejection;
        let answer = Answer::refused(problem).with_request_id(&self.id);
        let mut response = respond(&answer, self.media_type, Cost::NOTHING);
        *response.status_mut() = status;
        response.headers_mut().extend(header.map(|header| *header));
        response
    }
}

/// `POST /graphql`: a query or a mutation, as JSON.
pub(super) async fn post(
    State(gateway): State<Arc<Gateway>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let incoming = Incoming { gateway: &gateway, parts: &parts, id: &id };
    incoming.answer(incoming.document_of_body(body)).await
}

/// `GET /graphql`: a query in the URL; or the playground, for a browser.
pub(super) async fn get(
    State(gateway): State<Arc<Gateway>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if gateway.playground && media::wants_page(&parts.headers) {
        return playground::html();
    }
    let incoming = Incoming { gateway: &gateway, parts: &parts, id: &id };
    incoming.answer(async { document_of_url(&parts) }).await
}

/// Any other method.
pub(super) async fn not_allowed(
    State(gateway): State<Arc<Gateway>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let incoming = Incoming { gateway: &gateway, parts: &parts, id: &id };
    let message = "Use POST, or GET for a query.";
    incoming.reject(not_this_method("GET, POST", message))
}

fn not_this_method(allowed: &'static str, message: &str) -> Rejection {
    Rejection::new(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message)
        .with(header::ALLOW, allowed)
}

/// A request as it came, and what is needed to answer it.
struct Incoming<'a> {
    gateway: &'a Arc<Gateway>,
    parts: &'a Parts,
    id: &'a str,
}

impl Incoming<'_> {
    /// The one preparation of a request: the answer's form, credential, document, session, run.
    async fn answer(
        &self,
        document: impl Future<Output = Result<Document, Rejection>>,
    ) -> Response {
        match self.run(document).await {
            Ok(response) => response,
            Err(rejection) => self.reject(rejection),
        }
    }

    async fn run(
        &self,
        document: impl Future<Output = Result<Document, Rejection>>,
    ) -> Result<Response, Rejection> {
        let Some(media_type) = MediaType::accepted(&self.parts.headers) else {
            let message = "Accept application/graphql-response+json or application/json.";
            return Err(Rejection::new(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message));
        };
        let caller = self.caller().await?;
        let payer = caller.as_ref().map_or_else(|| self.address(), |c| Payer::Actor(&c.identity));
        self.charge(payer, rate::REQUEST, 0)?;
        let document = document.await?;
        let place = self.gateway.bounds.places.take()?;
        let repeatable = repeat::key(&self.parts.headers)?;
        let repeatable = repeatable.map(|key| (key, repeat::fingerprint(&document)));
        let prepared = match self.gateway.api.prepare(document) {
            Ok(prepared) => prepared,
            Err(refused) => {
                self.fine(payer);
                return Ok(respond(&refused.with_request_id(self.id), media_type, Cost::NOTHING));
            }
        };
        let trail = Trail::of(&self.parts.extensions);
        trail.asks(prepared.label());
        if self.parts.method != Method::POST && !prepared.is_query() {
            return Err(not_this_method("POST", "Use POST for a mutation."));
        }
        self.charge(payer, prepared.complexity(), rate::REQUEST)?;
        let session = |run| {
            let access = self.gateway.access.clone();
            let session = Session::new(access, caller.clone(), self.id.to_owned(), run);
            let session = Arc::new(session);
            trail.runs(&session);
            session
        };
        let (answer, session) = match (&caller, repeatable) {
            // A query changes nothing, and who is nobody can change nothing.
            (Some(caller), Some((key, fingerprint))) if !prepared.is_query() => {
                match repeat::admit(self.gateway, caller, key, fingerprint).await? {
                    Admitted::Run(run) => {
                        let session = session(Some(run.clone()));
                        let gateway = self.gateway.clone();
                        let bounds = (Deadline::of(&self.parts.extensions)?, place);
                        let ran = repeat::run(gateway, session.clone(), prepared, run, bounds);
                        let ran = ran.await?;
                        (ran, session)
                    }
                    Admitted::Answered(body) => {
                        let session = session(None);
                        match session.viewer(false).await {
                            Ok(_) => {
                                let body = body.into_bytes();
                                let mut answer = respond_with(body, true, media_type);
                                answer.extensions_mut().insert(Outcome::repeated());
                                return Ok(answer);
                            }
                            // It was theirs to read then; who is shut out since reads nothing.
                            Err(refusal) => {
                                (Answer::denied(refusal).with_request_id(self.id), session)
                            }
                        }
                    }
                }
            }
            _ => {
                let session = session(None);
                (self.gateway.api.execute(session.clone(), prepared).await, session)
            }
        };
        let cost = Cost { store_reads: session.reads(), store_writes: session.writes() };
        Ok(respond(&answer, media_type, cost))
    }

    /// Who asks, by the credential alone; before any document is read.
    async fn caller(&self) -> Result<Option<Caller>, Rejection> {
        let values = self.parts.headers.get_all(header::AUTHORIZATION);
        let unverified = values.iter().map(HeaderValue::as_bytes);
        let now = self.gateway.clock.now();
        match self.gateway.authenticator.authenticate(unverified, now).await {
            Ok(verified) => {
                Ok(verified.map(|v| Caller { identity: v.identity, profile: v.profile }))
            }
            Err(refused) => {
                // The reason is for the log alone: an attacker learns nothing by trying.
                Trail::of(&self.parts.extensions).refused(refused.word());
                if refused != Refused::KeysUnavailable {
                    self.charge(self.address(), rate::REQUEST, 0)?;
                    self.fine(self.address());
                }
                Err(unauthenticated(refused))
            }
        }
    }

    fn address(&self) -> Payer<'static> {
        let peer = self.parts.extensions.get::<Peer>();
        Payer::at(peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |Peer(address)| *address))
    }

    /// Counts what a request costs, besides what it has paid, and refuses whoever asks for too much.
    fn charge(&self, payer: Payer<'_>, cost: u64, paid: u64) -> Result<(), Rejection> {
        let Some(limiter) = &self.gateway.bounds.rate else { return Ok(()) };
        limiter.spend(payer, cost, paid, self.gateway.clock.now()).map_err(|wait| {
            self.gateway.metrics.rate_limited(payer.word());
            rate_limited(wait)
        })
    }

    /// Counts what was refused.
    fn fine(&self, payer: Payer<'_>) {
        if let Some(limiter) = &self.gateway.bounds.rate {
            limiter.fine(payer, self.gateway.clock.now());
        }
    }

    async fn document_of_body(&self, body: Body) -> Result<Document, Rejection> {
        if !media::is_json(&self.parts.headers) {
            let message = "Send the request as application/json in UTF-8.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Rejection::new(status, Code::BadUserInput, message));
        }
        let max = self.gateway.max_body_bytes;
        // A body that says that it is too long is not read at all; one that lies, no further.
        if body.size_hint().lower() > max as u64 {
            return Err(too_large(max));
        }
        match to_bytes(body, max).await {
            Ok(bytes) => parse(&bytes),
            Err(error) if is_length_limit(&error) => Err(too_large(max)),
            Err(_) => Err(Rejection::malformed("The body did not arrive whole.")),
        }
    }

    fn reject(&self, rejection: Rejection) -> Response {
        Form::of(&self.parts.headers, &self.parts.extensions).refuse(rejection)
    }
}

/// RFC 6750, section 3.1.
fn unauthenticated(refused: Refused) -> Rejection {
    let rejection = |status, code, message: &str| Rejection::new(status, code, message);
    match refused {
        Refused::Several => {
            let message = "Send one credential.";
            rejection(StatusCode::BAD_REQUEST, Code::Unauthenticated, message)
                .with(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_request""#)
        }
        Refused::Invalid(_) => {
            let message = "The token is not valid.";
            rejection(StatusCode::UNAUTHORIZED, Code::Unauthenticated, message)
                .with(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)
        }
        Refused::KeysUnavailable => {
            let message = "Tokens cannot be verified just now; try again.";
            rejection(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
                .with(header::RETRY_AFTER, KEYS_RETRY_AFTER)
        }
    }
}

fn too_large(max: usize) -> Rejection {
    let message = format!("The body may have at most {max} bytes.");
    let mut rejection = Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, Code::LimitExceeded, message);
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
fn parse(body: &[u8]) -> Result<Document, Rejection> {
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Rejection::malformed("Batches are not taken: send one request at a time."));
    }
    let document = serde_json::from_slice(body).map_err(|error| {
        Rejection::malformed(match error.classify() {
            serde_json::error::Category::Data => {
                "The body must be an object with `query` (a string), and may have `operationName` and `documentId` (strings), `variables` and `extensions` (objects)."
            }
            _ => "The body is not valid JSON.",
        })
    })?;
    named(document)
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

fn document_of_url(parts: &Parts) -> Result<Document, Rejection> {
    let Ok(Query(parameters)) = Query::<Parameters>::try_from_uri(&parts.uri) else {
        return Err(Rejection::malformed("The URL must have each parameter once."));
    };
    named(Document {
        query: parameters.query,
        document_id: parameters.document_id,
        operation_name: parameters.operation_name,
        variables: object("variables", parameters.variables)?,
        extensions: object("extensions", parameters.extensions)?,
    })
}

/// A request that names no document is none.
fn named(document: Document) -> Result<Document, Rejection> {
    if document.is_named() {
        return Ok(document);
    }
    let message = "Send `query`, `documentId`, or `extensions.persistedQuery.sha256Hash`.";
    Err(Rejection::malformed(message))
}

type Object = serde_json::Map<String, serde_json::Value>;

fn object(name: &str, text: Option<String>) -> Result<Option<Object>, Rejection> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(&text)
        .map_err(|_| Rejection::malformed(format!("`{name}` must be an object in JSON.")))
}

/// An answer in its form. Only `application/graphql-response+json` shows by its status whether the
/// document ran: for the other, 200 says no more than that this is an answer of GraphQL.
fn respond(answer: &Answer, media_type: MediaType, cost: Cost) -> Response {
    let Ok(body) = serde_json::to_vec(answer) else {
        // Nothing in an answer is without a form in JSON.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = respond_with(body, answer.ran(), media_type);
    response.extensions_mut().insert(cost);
    response.extensions_mut().insert(Outcome::of(answer.codes()));
    response
}

fn respond_with(body: Vec<u8>, ran: bool, media_type: MediaType) -> Response {
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
