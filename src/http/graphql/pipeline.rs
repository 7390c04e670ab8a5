//! The steps that every operation passes, regardless of its transport.
//!
//! `handler` runs them for `POST` and `GET`, also if the response is an event stream. `websocket` runs
//! them for each operation of a connection.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::http::{HeaderMap, request::Parts};

use crate::{
    access::{Caller, Session},
    auth::token::{AuthError, VerifiedToken},
    domain::time::Timestamp,
    graphql::{GraphQlRequest, GraphQlResponse, LiveOperation, PreparedOperation},
    http::{
        concurrency_limit::ConcurrencyPermit,
        error::HttpError,
        idempotency::{IdempotencyKey, KeyedMutation, KeyedResponse},
        rate_limit::{BASE_COST, RateLimitKey, cost_of_length, cost_of_operation},
        request_facts::RequestTelemetry,
        request_id::RequestId,
        response::StoreCost,
        serve::PeerAddr,
        state::AppState,
        timeout::Deadline,
    },
};

use super::request::RequestSource;

/// The steps of one request, or of one operation of a WebSocket.
pub(super) struct Pipeline {
    state: Arc<AppState>,
    client: IpAddr,
    request_id: String,
    telemetry: RequestTelemetry,
}

/// The kinds of operations that a request may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllowedOperations {
    /// True if mutations are allowed.
    pub(super) mutations: bool,
    /// True if subscriptions are allowed.
    pub(super) subscriptions: bool,
}

/// An operation that may execute.
pub(super) struct AdmittedOperation {
    operation: PreparedOperation,
    idempotency_key: Option<IdempotencyKey>,
    permit: ConcurrencyPermit,
}

/// The result of an operation.
pub(super) enum OperationResult {
    /// The response of this execution.
    Executed(GraphQlResponse, StoreCost),
    /// The body of the stored response of an earlier request with the same idempotency key.
    Replayed(String),
}

impl Pipeline {
    /// Creates the pipeline of a request with this head.
    pub(super) fn new(state: &Arc<AppState>, parts: &Parts) -> Self {
        let peer = parts.extensions.get::<PeerAddr>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |PeerAddr(address)| *address);
        Self {
            state: state.clone(),
            client: state.traffic_limits.trusted_proxies.client_ip(peer, &parts.headers),
            request_id: RequestId::from_extensions(&parts.extensions).to_owned(),
            telemetry: RequestTelemetry::from_extensions(&parts.extensions),
        }
    }

    /// Creates the pipeline of one operation on the connection of this request.
    pub(super) fn for_operation(&self, request_id: String, telemetry: &RequestTelemetry) -> Self {
        let (state, telemetry) = (self.state.clone(), telemetry.clone());
        Self { state, client: self.client, request_id, telemetry }
    }

    /// Returns the state that all requests share.
    pub(super) const fn state(&self) -> &Arc<AppState> {
        &self.state
    }

    /// Returns the identifier of the request.
    pub(super) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Returns the telemetry of the request.
    pub(super) const fn telemetry(&self) -> &RequestTelemetry {
        &self.telemetry
    }

    /// Verifies a credential. Returns the caller and the time at which its token expires, or `None` for
    /// an anonymous request.
    pub(super) async fn authenticate<'a>(
        &self,
        credentials: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<(Caller, Timestamp)>, HttpError> {
        let now = self.state.clock.now();
        let token = self.state.authenticator.authenticate(credentials, now).await;
        let token = token.map_err(|error| self.reject_credential(error))?;
        Ok(token.map(|VerifiedToken { identity, profile, expires_at }| {
            (Caller { identity, profile }, expires_at)
        }))
    }

    /// Charges a client for a rejected credential.
    fn reject_credential(&self, error: AuthError) -> HttpError {
        // Only the log has the reason. The response must not help an attacker who is trying out
        // tokens.
        self.telemetry.set_auth_error(error.as_str());
        if error != AuthError::KeysUnavailable {
            if let Err(error) = self.check_rate_limit(self.client_key(), BASE_COST, 0) {
                return error;
            }
            self.penalize(self.client_key());
        }
        HttpError::unauthenticated(error)
    }

    /// Returns the key of the caller, or of the client's address for an anonymous request.
    pub(super) fn rate_limit_key<'c>(&self, caller: Option<&'c Caller>) -> RateLimitKey<'c> {
        caller.map_or_else(|| self.client_key(), |caller| RateLimitKey::User(&caller.identity))
    }

    fn client_key(&self) -> RateLimitKey<'static> {
        RateLimitKey::from_ip(self.client)
    }

    /// Runs all checks that precede the execution. The first error ends the request.
    ///
    /// `headers` has the `Idempotency-Key` of an HTTP request. A message of a WebSocket has none, and its
    /// key is in the `extensions` of the request. The comments list the HTTP statuses of the errors.
    pub(super) async fn admit(
        &self,
        caller: Option<&Caller>,
        source: RequestSource<'_>,
        headers: Option<&HeaderMap>,
        allowed: AllowedOperations,
    ) -> Result<AdmittedOperation, HttpError> {
        let rate_limit_key = self.rate_limit_key(caller);
        self.check_rate_limit(rate_limit_key, BASE_COST, 0)?; // 429
        let mut charged = BASE_COST;
        let charge = |bytes| self.charge_length(rate_limit_key, bytes, &mut charged);
        let request = source.read(charge).await?; // 400, 413, 415, 429
        let permit = self.state.traffic_limits.concurrency.try_acquire(rate_limit_key)?; // 429, 503
        let idempotency_key = match headers {
            Some(headers) => IdempotencyKey::from_headers(headers)?, // 400
            None => IdempotencyKey::from_extensions(&request.extensions)?,
        };
        // 400, 405, 406, 429
        let operation = self.prepare(&request, rate_limit_key, charged, allowed)?;
        Ok(AdmittedOperation { operation, idempotency_key, permit })
    }

    /// Charges the cost of a part of the request, or rejects the request if it exceeds the rate limit.
    ///
    /// `charged` is the part of the cost that was charged before.
    pub(super) fn check_rate_limit(
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

    /// Parses and validates the document, and charges its cost. `charged` was charged before.
    fn prepare(
        &self,
        request: &GraphQlRequest,
        rate_limit_key: RateLimitKey<'_>,
        charged: u64,
        allowed: AllowedOperations,
    ) -> Result<PreparedOperation, HttpError> {
        let operation = self.state.executor.prepare(request).map_err(|response| {
            self.penalize(rate_limit_key);
            HttpError::from(response)
        })?;
        self.telemetry.set_operation(operation.operation_info());
        if operation.is_mutation() && !allowed.mutations {
            return Err(HttpError::method_not_allowed("POST", "Use POST for a mutation."));
        }
        if operation.is_subscription() && !allowed.subscriptions {
            return Err(HttpError::event_stream_required());
        }
        let cost = cost_of_operation(operation.complexity(), operation.writes());
        self.check_rate_limit(rate_limit_key, cost, charged)?;
        Ok(operation)
    }

    /// Executes a query or a mutation.
    pub(super) async fn execute(
        &self,
        admitted: AdmittedOperation,
        caller: Option<Caller>,
        deadline: Deadline,
    ) -> Result<OperationResult, HttpError> {
        let AdmittedOperation { operation, idempotency_key, permit } = admitted;
        let identity = caller.as_ref().map(|caller| caller.identity.clone());
        let session = self.new_session(caller, &permit, !operation.is_mutation());
        let penalized = identity.clone();
        let response = match (identity, idempotency_key) {
            // An idempotency key has no effect on queries and anonymous requests, because they
            // change nothing.
            (Some(caller), Some(key)) if operation.is_mutation() => {
                let (state, session) = (self.state.clone(), session.clone());
                let mutation =
                    KeyedMutation { state, session, caller, operation, key, deadline, permit };
                match mutation.run().await? {
                    KeyedResponse::Executed(response) => response,
                    KeyedResponse::Replayed(body) => return Ok(OperationResult::Replayed(body)),
                }
            }
            _ => self.state.executor.execute(session.clone(), operation).await,
        };
        if let Some(identity) = &penalized {
            // A wrong token of an invitation is as bad as a wrong credential.
            (0..session.rejected_tokens())
                .for_each(|_| self.penalize(RateLimitKey::User(identity)));
        }
        Ok(OperationResult::Executed(response, StoreCost::from_session(&session)))
    }

    /// Starts a subscription. It resumes after the event with `last_event_id`, if there is one.
    ///
    /// The permit is held only until the subscription has started.
    ///
    /// # Errors
    ///
    /// Returns the response to a subscription that cannot start.
    pub(super) async fn subscribe(
        &self,
        admitted: AdmittedOperation,
        caller: Option<Caller>,
        last_event_id: Option<&str>,
    ) -> Result<LiveOperation, GraphQlResponse> {
        let AdmittedOperation { operation, permit, .. } = admitted;
        let session = self.new_session(caller, &permit, false);
        self.state.executor.subscribe(session, operation, last_event_id).await
    }

    fn new_session(
        &self,
        caller: Option<Caller>,
        permit: &ConcurrencyPermit,
        only_reads: bool,
    ) -> Arc<Session> {
        let access = self.state.access.clone();
        let session = Session::new(access, caller, self.request_id.clone());
        let session = if only_reads { session.with_actor_cache() } else { session };
        let session = Arc::new(session.with_permit(permit.downgrade()));
        self.telemetry.set_session(&session);
        session
    }
}

impl AdmittedOperation {
    /// Returns whether the operation is a subscription.
    pub(super) fn is_subscription(&self) -> bool {
        self.operation.is_subscription()
    }
}
