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
        rate_limit::{BASE_COST, RateLimitKey, cost_of_length, cost_of_operation},
        request_id::RequestId,
        response::{ResponseCodes, StoreCost, render_body, render_response},
        serve::PeerAddr,
        state::AppState,
        telemetry::RequestTelemetry,
        timeout::Deadline,
    },
};

use super::request::RequestSource;

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

    /// Returns the response to the request. The source has its parameters.
    pub(super) async fn handle(&self, source: RequestSource) -> Response {
        self.process(source).await.unwrap_or_else(|error| {
            ErrorFormat::from_request(&self.parts.headers, &self.parts.extensions).render(error)
        })
    }

    /// Runs the steps in order. The first error ends the request.
    ///
    /// The comments list the HTTP statuses of the errors of each step.
    async fn process(&self, source: RequestSource) -> Result<Response, HttpError> {
        let media_type = self.negotiate_media_type()?; // 406
        let caller = self.authenticate().await?; // 400, 401, 429, 503
        let rate_limit_key = self.rate_limit_key(caller.as_ref());
        self.check_rate_limit(rate_limit_key, BASE_COST, 0)?; // 429
        let mut charged = BASE_COST;
        let charge = |bytes| self.charge_length(rate_limit_key, bytes, &mut charged);
        let request = source.read(self.parts, charge).await?; // 400, 413, 415, 429
        let permit = self.acquire_permit(rate_limit_key)?; // 429, 503
        let idempotency_key = IdempotencyKey::from_headers(&self.parts.headers)?; // 400
        let operation = self.prepare(&request, rate_limit_key, charged)?; // 400, 405, 406, 429
        // The texts of the request are not needed while it executes.
        drop(request);
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
            let message =
                "The rate limit is exceeded. Wait for `retryAfterSeconds` before trying again.";
            HttpError::too_many_requests(message, wait)
        })
    }

    /// Charges for the length of a body or a query string. Adds the cost to `charged`, which is the
    /// cost that was charged before.
    fn charge_length(
        &self,
        key: RateLimitKey<'_>,
        bytes: usize,
        charged: &mut u64,
    ) -> Result<(), HttpError> {
        let cost = cost_of_length(bytes).saturating_sub(*charged);
        if cost > 0 {
            self.check_rate_limit(key, cost, *charged)?;
            *charged += cost;
        }
        Ok(())
    }

    /// Charges the penalty for a rejected token or document.
    fn penalize(&self, key: RateLimitKey<'_>) {
        if let Some(limiter) = &self.state.traffic_limits.rate_limiter {
            limiter.penalize(key, self.state.clock.now());
        }
    }

    fn acquire_permit(&self, caller: RateLimitKey<'_>) -> Result<ConcurrencyPermit, HttpError> {
        self.state.traffic_limits.concurrency.try_acquire(caller)
    }

    /// Parses and validates the document, and charges its cost. `charged` was charged before.
    fn prepare(
        &self,
        request: &GraphQlRequest,
        rate_limit_key: RateLimitKey<'_>,
        charged: u64,
    ) -> Result<PreparedOperation, HttpError> {
        let operation = self.state.executor.prepare(request).map_err(|response| {
            self.penalize(rate_limit_key);
            HttpError::from(response)
        })?;
        self.telemetry.set_operation(operation.operation_info());
        if self.parts.method != Method::POST && !operation.is_query() {
            let message = "Use POST for a mutation or a subscription.";
            return Err(HttpError::method_not_allowed("POST", message));
        }
        if operation.is_subscription() {
            return Err(HttpError::not_a_stream());
        }
        let cost = cost_of_operation(operation.complexity(), operation.writes());
        self.check_rate_limit(rate_limit_key, cost, charged)?;
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
                let session = self.new_session(caller, &permit);
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
        let session = self.new_session(Some(caller), &permit);
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

    fn new_session(&self, caller: Option<Caller>, permit: &ConcurrencyPermit) -> Arc<Session> {
        let access = self.state.access.clone();
        let session = Session::new(access, caller, self.request_id.to_owned());
        let session = Arc::new(session.with_permit(permit.downgrade()));
        self.telemetry.set_session(&session);
        session
    }
}
