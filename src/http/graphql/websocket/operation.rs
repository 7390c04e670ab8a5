//! Runs the operations of a WebSocket.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use crate::{
    access::Caller,
    graphql::{Code, GraphQlResponse, LiveItem, LiveOperation},
    http::{
        error::HttpError, request_id, response::ResponseCodes, telemetry::OperationObserver,
        timeout::Deadline,
    },
};

use super::{
    super::{
        pipeline::{AllowedOperations, OperationResult, Pipeline},
        request::RequestSource,
    },
    connection::Connection,
    guard::{MAX_OPERATIONS, NewOperation},
};

/// Executes the operations that `async-graphql` starts.
///
/// `async-graphql` gets no request: the guard keeps it, because `async-graphql` would parse all of its
/// variables.
#[derive(Clone)]
pub(super) struct OperationExecutor(pub(super) Arc<Connection>);

impl Executor for OperationExecutor {
    async fn execute(&self, request: Request) -> Response {
        self.execute_stream(request, None).next().await.unwrap_or_default()
    }

    fn execute_stream(
        &self,
        _request: Request,
        _data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        match self.0.guard.take_starting() {
            Some(operation) => run(self.0.clone(), operation).flatten_stream().boxed(),
            None => stream::empty().boxed(),
        }
    }
}

/// The begin of an operation.
enum Started {
    /// A query or a mutation has ended, or a subscription cannot start.
    Response(GraphQlResponse),
    /// The stored response of an earlier request with the same idempotency key.
    Replayed(String),
    /// A subscription has started.
    Subscription(LiveOperation),
}

/// Runs an operation, and returns its responses.
async fn run(connection: Arc<Connection>, operation: NewOperation) -> BoxStream<'static, Response> {
    let NewOperation { id, payload } = operation;
    let (request_id, connection_id) = (request_id::generate(), connection.pipeline.request_id());
    let metrics = &connection.pipeline.state().metrics;
    let mut observer = OperationObserver::start(metrics.clone(), &request_id, connection_id);
    let pipeline = connection.pipeline.for_operation(request_id.clone(), observer.telemetry());
    let caller = connection.identity().and_then(|identity| identity.caller.clone());
    // The work has a task of its own, so that it does not wait for a client that reads slowly. It ends
    // with this future.
    let mut task = JoinSet::new();
    task.spawn(observer.observe(start(pipeline, caller, payload)));
    let started = match task.join_next().await {
        Some(Ok(started)) => started,
        _ => Err(HttpError::internal_server_error()),
    };
    let response = match started {
        Ok(Started::Subscription(operation)) => {
            connection.guard.set_subscribed(&id);
            return responses(&connection, operation, observer);
        }
        Ok(Started::Replayed(body)) => {
            observer.complete(ResponseCodes::replayed());
            // The stored body is a response in JSON.
            let response = serde_json::from_str(&body).unwrap_or_default();
            return stream::once(async { response }).boxed();
        }
        Ok(Started::Response(response)) => response,
        Err(error) => error.into_response().with_request_id(&request_id),
    };
    observer.complete(ResponseCodes::new(response.codes()));
    if response.codes().any(|code| code == Code::Timeout.as_str()) {
        metrics.record_timeout();
    }
    let response = if response.executed() {
        response
    } else {
        connection.guard.set_rejected(&id);
        response.with_request_id_in_errors(&request_id)
    };
    stream::once(async { response.into_inner() }).boxed()
}

/// Passes an operation through the pipeline.
async fn start(
    pipeline: Pipeline,
    caller: Option<Caller>,
    payload: Option<Box<RawValue>>,
) -> Result<Started, HttpError> {
    let payload = payload.ok_or_else(|| HttpError::too_many_operations(MAX_OPERATIONS))?;
    let state = pipeline.state();
    let deadline = Deadline::after(state.traffic_limits.request_timeout);
    let source = RequestSource::Message { payload, max_bytes: state.max_body_bytes };
    let allowed = AllowedOperations { mutations: true, subscriptions: true };
    let work = async {
        let admitted = pipeline.admit(caller.as_ref(), source, None, allowed).await?;
        if admitted.is_subscription() {
            let subscription = pipeline.subscribe(admitted, caller, None).await;
            return Ok(subscription.map_or_else(Started::Response, Started::Subscription));
        }
        Ok(match pipeline.execute(admitted, caller, deadline).await? {
            OperationResult::Executed(response, _) => Started::Response(response),
            OperationResult::Replayed(body) => Started::Replayed(body),
        })
    };
    deadline.run(work).await.unwrap_or_else(|| Err(HttpError::gateway_timeout()))
}

/// Returns the responses of a subscription.
fn responses(
    connection: &Connection,
    operation: LiveOperation,
    observer: OperationObserver,
) -> BoxStream<'static, Response> {
    if let Some(identity) = connection.identity() {
        observer.telemetry().start_subscription(identity.live_connection.transport());
    }
    let state = (operation, observer);
    let responses = stream::unfold(state, |(mut operation, observer)| async move {
        let Some(item) = observer.observe(operation.next()).await else {
            observer.telemetry().complete_subscription();
            return None;
        };
        let (LiveItem::Event { response, .. } | LiveItem::Failed(response)) = item;
        observer.telemetry().record_event(ResponseCodes::new(response.codes()));
        Some((response.into_inner(), (operation, observer)))
    });
    responses.boxed()
}
