//! The facts about a request that its telemetry reports.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Extensions;

use super::{live_connections::LiveTransport, response::ResponseCodes};
use crate::{access::Session, graphql::OperationInfo};

/// Collects the facts about a request for its telemetry.
///
/// It is an extension of the request. `telemetry` reads it when the request ends.
#[derive(Clone, Default)]
pub(super) struct RequestTelemetry(Arc<Mutex<RequestFacts>>);

/// The facts about a request.
#[derive(Default)]
pub(super) struct RequestFacts {
    pub(super) operation: Option<Arc<OperationInfo>>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) auth_error: Option<&'static str>,
    pub(super) subscription: Option<SubscriptionFacts>,
}

/// The facts about a running subscription.
pub(super) struct SubscriptionFacts {
    pub(super) transport: LiveTransport,
    /// The number of responses.
    pub(super) events: u64,
    /// The codes of the last response.
    pub(super) codes: ResponseCodes,
    has_completed: bool,
}

impl SubscriptionFacts {
    /// Returns the side that has ended the subscription.
    pub(super) const fn ended_by(&self) -> &'static str {
        if self.has_completed { "gateway" } else { "client" }
    }
}

impl RequestTelemetry {
    /// Returns the telemetry of a request, or a detached one if `telemetry::layer` did not run.
    pub(super) fn from_extensions(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Records why the credential was rejected.
    pub(super) fn set_auth_error(&self, reason: &'static str) {
        self.with_facts(|facts| facts.auth_error = Some(reason));
    }

    /// Records the operation of the request.
    pub(super) fn set_operation(&self, operation: &Arc<OperationInfo>) {
        self.with_facts(|facts| facts.operation = Some(operation.clone()));
    }

    /// Records the session of the request, which counts the store operations.
    pub(super) fn set_session(&self, session: &Arc<Session>) {
        self.with_facts(|facts| facts.session = Some(session.clone()));
    }

    /// Records that the operation is a subscription, which has begun.
    pub(super) fn start_subscription(&self, transport: LiveTransport) {
        let (events, codes, has_completed) = (0, ResponseCodes::default(), false);
        let subscription = SubscriptionFacts { transport, events, codes, has_completed };
        self.with_facts(|facts| facts.subscription = Some(subscription));
    }

    /// Records a response of the subscription.
    pub(super) fn record_event(&self, codes: ResponseCodes) {
        self.with_facts(|facts| {
            if let Some(subscription) = &mut facts.subscription {
                subscription.events += 1;
                subscription.codes = codes;
            }
        });
    }

    /// Records that the gateway has completed the subscription.
    pub(super) fn complete_subscription(&self) {
        self.with_facts(|facts| {
            if let Some(subscription) = &mut facts.subscription {
                subscription.has_completed = true;
            }
        });
    }

    /// Returns whether the operation is a subscription that has begun.
    pub(super) fn is_subscription(&self) -> bool {
        self.with_facts(|facts| facts.subscription.is_some())
    }

    /// Reads or changes the facts.
    pub(super) fn with_facts<T>(&self, f: impl FnOnce(&mut RequestFacts) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
