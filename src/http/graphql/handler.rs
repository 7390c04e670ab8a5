//! Handles a GraphQL request of `POST` or `GET`. Its response is JSON or an event stream.

use std::sync::Arc;

use axum::{
    http::{HeaderName, HeaderValue, Method, header, request::Parts},
    response::Response,
};

use crate::{
    access::Caller,
    domain::time::Timestamp,
    http::{
        error::{ErrorFormat, HttpError},
        live_connections::{LiveTransport, wait_for_expiry},
        media::ResponseFormat,
        response::{ResponseCodes, render_body, render_response},
        state::AppState,
        timeout::Deadline,
    },
};

use super::{
    event_stream,
    pipeline::{AdmittedOperation, AllowedOperations, OperationResult, Pipeline},
    request::RequestSource,
};

/// The header with the cursor of the last event that a client has received.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Handles one GraphQL request.
pub(super) struct RequestHandler<'a> {
    parts: &'a Parts,
    pipeline: Pipeline,
    format: Option<ResponseFormat>,
}

impl<'a> RequestHandler<'a> {
    /// Creates the handler of a request with this head.
    pub(super) fn new(state: &Arc<AppState>, parts: &'a Parts) -> Self {
        let format = ResponseFormat::negotiate(&parts.headers);
        Self { parts, pipeline: Pipeline::new(state, parts), format }
    }

    /// Returns the response to the request. The source has its parameters.
    pub(super) async fn handle(&self, source: RequestSource<'_>) -> Response {
        match self.process(source).await {
            Ok(response) => response,
            // A client of event streams cannot read any other response (graphql-sse, "Distinct
            // connections mode").
            Err(error)
                if self.format.is_some_and(ResponseFormat::prefers_event_stream)
                    && error.is_document_error() =>
            {
                let response = error.into_response().with_request_id(self.pipeline.request_id());
                event_stream::render_response(&response)
            }
            Err(error) => {
                ErrorFormat::from_request(&self.parts.headers, &self.parts.extensions).render(error)
            }
        }
    }

    /// Runs the steps in order. The first error ends the request.
    ///
    /// The comments list the HTTP statuses of the errors of each step.
    async fn process(&self, source: RequestSource<'_>) -> Result<Response, HttpError> {
        let format = self.format.ok_or_else(HttpError::not_acceptable)?; // 406
        let credentials = self.parts.headers.get_all(header::AUTHORIZATION).iter();
        let credentials = credentials.map(HeaderValue::as_bytes);
        // 400, 401, 429, 503
        let (caller, expires_at) = self.pipeline.authenticate(credentials).await?.unzip();
        let allowed = AllowedOperations {
            mutations: self.parts.method == Method::POST,
            subscriptions: format.accepts_event_stream(),
        };
        let headers = Some(&self.parts.headers);
        // 400, 405, 406, 413, 415, 429, 503
        let admitted = self.pipeline.admit(caller.as_ref(), source, headers, allowed).await?;
        if admitted.is_subscription() {
            return self.subscribe(admitted, caller, expires_at).await; // 429
        }
        let deadline = Deadline::from_extensions(&self.parts.extensions)?;
        // 409, 422, 429, 503, 504
        let result = self.pipeline.execute(admitted, caller, deadline).await?;
        Ok(render_result(result, format))
    }

    /// Starts a subscription. The response lasts as long as the subscription.
    async fn subscribe(
        &self,
        admitted: AdmittedOperation,
        caller: Option<Caller>,
        expires_at: Option<Timestamp>,
    ) -> Result<Response, HttpError> {
        let state = self.pipeline.state();
        let live_connections = &state.traffic_limits.live_connections;
        let key = self.pipeline.rate_limit_key(caller.as_ref());
        let connection = live_connections
            .try_open(key, LiveTransport::EventStream)
            .ok_or_else(HttpError::too_many_live_connections)?;
        let last_event_id = self.parts.headers.get(LAST_EVENT_ID);
        let last_event_id = last_event_id.and_then(|id| id.to_str().ok());
        let subscription = match self.pipeline.subscribe(admitted, caller, last_event_id).await {
            Ok(subscription) => subscription,
            Err(response) => return Ok(event_stream::render_response(&response)),
        };
        let expiry = wait_for_expiry(state.clock.clone(), expires_at);
        let state = state.clone();
        let end = async move {
            let limits = &state.traffic_limits.live_connections;
            tokio::select! {
                () = limits.wait_for_shutdown(state.shutdown.clone()) => {}
                () = expiry => {}
            }
        };
        let telemetry = self.pipeline.telemetry();
        Ok(event_stream::render_subscription(subscription, end, telemetry, connection))
    }
}

/// Renders the result of a query or a mutation.
fn render_result(result: OperationResult, format: ResponseFormat) -> Response {
    match (result, format.media_type()) {
        (OperationResult::Executed(response, cost), Some(media_type)) => {
            render_response(&response, media_type, cost)
        }
        (OperationResult::Executed(response, cost), None) => {
            let mut rendered = event_stream::render_response(&response);
            rendered.extensions_mut().insert(cost);
            rendered
        }
        (OperationResult::Replayed(body), media_type) => {
            let mut response = match media_type {
                Some(media_type) => render_body(body.into_bytes(), true, media_type),
                None => event_stream::render_json(body),
            };
            response.extensions_mut().insert(ResponseCodes::replayed());
            response
        }
    }
}
