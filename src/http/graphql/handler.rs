//! The pipeline that every GraphQL request passes.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{
    http::{HeaderValue, Method, header, request::Parts},
    response::Response,
};

use crate::{
    access::{Caller, Session},
    auth::token::AuthError,
    graphql::{GraphQlRequest, PreparedOperation},
    http::{
        concurrency_limit::ConcurrencyPermit,
        error::{ErrorFormat, HttpError},
        idempotency::{IdempotencyKey, KeyedMutation, KeyedResponse},
        media::MediaType,
        rate_limit::{BASE_COST, RateLimitKey},
        request_id::RequestId,
        response::{ResponseCodes, StoreCost, render_body, render_response},
        serve::PeerAddr,
        state::AppState,
        telemetry::RequestTelemetry,
        timeout::Deadline,
    },
};

/// Handles one GraphQL request.
pub(super) struct RequestHandler<'a> {
    state: &'a Arc<AppState>,
    parts: &'a Parts,
    request_id: &'a str,
    telemetry: RequestTelemetry,
}

impl<'a> RequestHandler<'a> {
    /// Creates the handler of a request with this head.
    pub(super) fn new(state: &'a Arc<AppState>, parts: &'a Parts) -> Self {
        let request_id = parts.extensions.get::<RequestId>().map_or("", |RequestId(id)| id);
        let telemetry = RequestTelemetry::from_extensions(&parts.extensions);
        Self { state, parts, request_id, telemetry }
    }

    /// Returns the response to the request.
    ///
    /// `read_request` reads and parses the request's body or URL. It is awaited only after the
    /// credential has been verified.
    pub(super) async fn handle(
        &self,
        read_request: impl Future<Output = Result<GraphQlRequest, HttpError>>,
    ) -> Response {
        self.process(read_request).await.unwrap_or_else(|error| {
            ErrorFormat::from_request(&self.parts.headers, &self.parts.extensions).render(error)
        })
    }

    /// Runs the steps in order. The first error ends the request.
    ///
    /// The comments list the HTTP statuses of the errors of each step.
    async fn process(
        &self,
        read_request: impl Future<Output = Result<GraphQlRequest, HttpError>>,
    ) -> Result<Response, HttpError> {
        let media_type = self.negotiate_media_type()?; // 406
        let caller = self.authenticate().await?; // 400, 401, 429, 503
        let rate_limit_key = self.rate_limit_key(caller.as_ref());
        self.check_rate_limit(rate_limit_key, BASE_COST, 0)?; // 429
        let request = read_request.await?; // 400, 413, 415
        let permit = self.acquire_permit()?; // 503
        let idempotency_key = IdempotencyKey::from_request(&self.parts.headers, &request)?; // 400
        let operation = self.prepare(request, rate_limit_key)?; // 400, 405, 429
        // 409, 422, 429, 503, 504
        self.execute(operation, caller, idempotency_key, permit, media_type).await
    }

    fn negotiate_media_type(&self) -> Result<MediaType, HttpError> {
        MediaType::negotiate(&self.parts.headers).ok_or_else(HttpError::not_acceptable)
    }

    /// Verifies the credential. Returns `None` for an anonymous request.
    async fn authenticate(&self) -> Result<Option<Caller>, HttpError> {
        let credentials = self.parts.headers.get_all(header::AUTHORIZATION);
        let credentials = credentials.iter().map(HeaderValue::as_bytes);
        let now = self.state.clock.now();
        match self.state.authenticator.authenticate(credentials, now).await {
            Ok(token) => {
                Ok(token.map(|token| Caller { identity: token.identity, profile: token.profile }))
            }
            Err(error) => {
                // Only the log has the reason. The response must not help an attacker who is
                // trying out tokens.
                self.telemetry.set_auth_error(error.as_str());
                if error != AuthError::KeysUnavailable {
                    self.check_rate_limit(self.client_ip_key(), BASE_COST, 0)?;
                    self.penalize(self.client_ip_key());
                }
                Err(HttpError::unauthenticated(error))
            }
        }
    }

    /// Returns the key of the caller, or of the client's address for an anonymous request.
    fn rate_limit_key<'c>(&self, caller: Option<&'c Caller>) -> RateLimitKey<'c> {
        caller.map_or_else(|| self.client_ip_key(), |caller| RateLimitKey::User(&caller.identity))
    }

    fn client_ip_key(&self) -> RateLimitKey<'static> {
        let peer = self.parts.extensions.get::<PeerAddr>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |PeerAddr(address)| *address);
        let proxies = &self.state.traffic_limits.trusted_proxies;
        RateLimitKey::from_ip(proxies.client_ip(peer, &self.parts.headers))
    }

    /// Charges the cost of the request, or rejects the request if it exceeds the rate limit.
    ///
    /// `charged` is the part of the cost that was charged before.
    fn check_rate_limit(
        &self,
        key: RateLimitKey<'_>,
        cost: u64,
        charged: u64,
    ) -> Result<(), HttpError> {
        let Some(limiter) = &self.state.traffic_limits.rate_limiter else { return Ok(()) };
        limiter.try_acquire(key, cost, charged, self.state.clock.now()).map_err(|wait| {
            self.state.metrics.record_rate_limited(key.as_label());
            HttpError::too_many_requests(wait)
        })
    }

    /// Charges the penalty for a rejected token or document.
    fn penalize(&self, key: RateLimitKey<'_>) {
        if let Some(limiter) = &self.state.traffic_limits.rate_limiter {
            limiter.penalize(key, self.state.clock.now());
        }
    }

    fn acquire_permit(&self) -> Result<ConcurrencyPermit, HttpError> {
        self.state.traffic_limits.concurrency.try_acquire()
    }

    /// Parses and validates the document, and charges its cost.
    fn prepare(
        &self,
        request: GraphQlRequest,
        rate_limit_key: RateLimitKey<'_>,
    ) -> Result<PreparedOperation, HttpError> {
        let operation = self.state.executor.prepare(request).map_err(|response| {
            self.penalize(rate_limit_key);
            HttpError::from(response)
        })?;
        self.telemetry.set_operation(operation.operation_info());
        if self.parts.method != Method::POST && !operation.is_query() {
            return Err(HttpError::method_not_allowed("POST", "Use POST for a mutation."));
        }
        self.check_rate_limit(rate_limit_key, operation.complexity(), BASE_COST)?;
        Ok(operation)
    }

    async fn execute(
        &self,
        operation: PreparedOperation,
        caller: Option<Caller>,
        idempotency_key: Option<IdempotencyKey>,
        permit: ConcurrencyPermit,
        media_type: MediaType,
    ) -> Result<Response, HttpError> {
        match (caller, idempotency_key) {
            // An `Idempotency-Key` has no effect on queries and anonymous requests, because they
            // change nothing.
            (Some(caller), Some(key)) if !operation.is_query() => {
                self.execute_idempotent(operation, caller, key, permit, media_type).await
            }
            (caller, _) => {
                let session = self.new_session(caller);
                let response = self.state.executor.execute(session.clone(), operation).await;
                Ok(render_response(&response, media_type, StoreCost::from_session(&session)))
            }
        }
    }

    /// Executes a mutation with an `Idempotency-Key`, or replays its stored response.
    async fn execute_idempotent(
        &self,
        operation: PreparedOperation,
        caller: Caller,
        key: IdempotencyKey,
        permit: ConcurrencyPermit,
        media_type: MediaType,
    ) -> Result<Response, HttpError> {
        let deadline = Deadline::from_extensions(&self.parts.extensions)?;
        let (state, identity) = (self.state.clone(), caller.identity.clone());
        let session = self.new_session(Some(caller));
        let mutation = KeyedMutation {
            state,
            session: session.clone(),
            caller: identity,
            operation,
            key,
            deadline,
            permit,
        };
        match mutation.run().await? {
            KeyedResponse::Executed(response) => {
                Ok(render_response(&response, media_type, StoreCost::from_session(&session)))
            }
            KeyedResponse::Replayed(body) => {
                let mut response = render_body(body.into_bytes(), true, media_type);
                response.extensions_mut().insert(ResponseCodes::replayed());
                Ok(response)
            }
        }
    }

    fn new_session(&self, caller: Option<Caller>) -> Arc<Session> {
        let access = self.state.access.clone();
        let session = Arc::new(Session::new(access, caller, self.request_id.to_owned()));
        self.telemetry.set_session(&session);
        session
    }
}
