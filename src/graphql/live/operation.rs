//! Executes a live operation: its selection set, once for each event.

use std::{
    cell::Cell,
    collections::HashSet,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_graphql::{
    EmptyMutation, EmptySubscription, Positioned, Request, Schema, ValidationMode, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};
use futures_util::{Stream, stream};

use super::{
    arguments::{self, LiveArguments},
    root::Subscription,
};
use crate::{
    access::{AccessError, EventPermit, Listener, LiveChange, LiveEvent, LiveNotice, Session},
    graphql::{
        documents::ParsedDocument,
        error::Code,
        execution,
        limits::{MAX_NESTING, OperationContext},
        response::GraphQlResponse,
    },
    metrics::Metrics,
};

/// The schema that executes the selection set of a subscription for one event.
///
/// `async-graphql` keeps one context for the whole life of a subscription. Here each event is an
/// operation of its own, whose root type is that of subscriptions, so that it gets a new context.
pub(in crate::graphql) type LiveSchema = Schema<Subscription, EmptyMutation, EmptySubscription>;

/// Returns the schema that executes live operations.
pub(in crate::graphql) fn live_schema() -> LiveSchema {
    Schema::build(Subscription, EmptyMutation, EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(MAX_NESTING as usize)
        .finish()
}

/// A prepared subscription. Listeners with the same document share its syntax tree.
#[derive(Clone)]
pub(in crate::graphql) struct LiveSource {
    /// The document of the operation.
    pub(in crate::graphql) document: Arc<ParsedDocument>,
    /// The name of the operation, or `None` for an anonymous one.
    pub(in crate::graphql) operation_name: Option<String>,
    /// The coerced variables.
    pub(in crate::graphql) variables: Variables,
}

impl LiveSource {
    /// Reads the topic and the cursor of the operation.
    ///
    /// # Errors
    ///
    /// [`AccessError::BadInput`] if an identifier is malformed.
    pub(in crate::graphql) fn arguments(&self) -> Result<LiveArguments, AccessError> {
        let operation = self.operation().ok_or(AccessError::Internal)?;
        let (fragments, variables) = (&self.document.document.fragments, &self.variables);
        let (operation, uses_variables) = (&operation.node, &Cell::new(false));
        arguments::read(OperationContext { operation, fragments, variables, uses_variables })
    }

    fn operation(&self) -> Option<&Positioned<OperationDefinition>> {
        match (&self.document.document.operations, &self.operation_name) {
            (DocumentOperations::Single(only), _) => Some(only),
            (DocumentOperations::Multiple(named), Some(name)) => named.get(name.as_str()),
            (DocumentOperations::Multiple(_), None) => None,
        }
    }

    /// Returns the operation as a query of [`LiveSchema`].
    fn to_query(&self) -> Option<ExecutableDocument> {
        let mut operation = self.operation()?.clone();
        operation.node.ty = OperationType::Query;
        Some(self.document.to_executable(&operation))
    }
}

/// The maximum number of executions of one event while the store is unavailable. They last for about a
/// minute. Then the client gets the error.
const MAX_REPETITIONS: u32 = 300;

/// One item of a live operation.
#[derive(Debug)]
pub enum LiveItem {
    /// The response for one event. `extensions.cursor` of the response has the same cursor.
    Event {
        /// The response to send.
        response: GraphQlResponse,
        /// The cursor from which another operation can resume.
        cursor: String,
    },
    /// The operation has failed, or the viewer has lost the right to it. This is the last item.
    Failed(GraphQlResponse),
}

/// A live operation that has started. The stream ends when the operation is complete.
///
/// Dropping it ends the operation.
pub struct LiveOperation {
    items: Pin<Box<dyn Stream<Item = LiveItem> + Send>>,
}

impl LiveOperation {
    pub(in crate::graphql) fn new(
        schema: LiveSchema,
        source: LiveSource,
        listener: Listener,
        metrics: Metrics,
    ) -> Self {
        let state = LiveState { schema, source, listener, metrics, ended: false, repetitions: 0 };
        let items = stream::unfold(state, |mut state| async move {
            let item = state.next_item().await?;
            Some((item, state))
        });
        Self { items: Box::pin(items) }
    }
}

impl Stream for LiveOperation {
    type Item = LiveItem;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<LiveItem>> {
        self.items.as_mut().poll_next(cx)
    }
}

/// The state of a live operation between two events.
struct LiveState {
    schema: LiveSchema,
    source: LiveSource,
    listener: Listener,
    metrics: Metrics,
    ended: bool,
    /// The number of times that the present event was executed while the store was unavailable.
    repetitions: u32,
}

impl LiveState {
    async fn next_item(&mut self) -> Option<LiveItem> {
        if self.ended {
            return None;
        }
        loop {
            match self.listener.next().await? {
                Ok((LiveNotice::Event(event), permit)) => {
                    // Boxed, so that a listener that waits does not reserve memory for it.
                    if let Some(item) = Box::pin(self.deliver(event, permit)).await {
                        return Some(item);
                    }
                }
                Ok((LiveNotice::RoleLowered { before, after, change }, _permit)) => {
                    if Box::pin(self.loses_a_field(before, after, change)).await {
                        return Some(self.fail(AccessError::Forbidden));
                    }
                }
                Err(error) => return Some(self.fail(error)),
            }
        }
    }

    /// Returns the item of an event. Returns `None` if the store is unavailable and the listener reports
    /// the change again.
    async fn deliver(&mut self, event: LiveEvent, permit: Option<EventPermit>) -> Option<LiveItem> {
        let response = self.execute(event.session.clone(), event.change.clone()).await;
        drop(permit);
        if response.codes().any(|code| code == Code::Unavailable.as_str())
            && self.repetitions < MAX_REPETITIONS
        {
            self.repetitions += 1;
            self.listener.repeat(event).await;
            return None;
        }
        self.repetitions = 0;
        self.metrics.record_live_event(event.received.elapsed());
        let response = response.with_cursor(&event.cursor);
        Some(LiveItem::Event { response, cursor: event.cursor })
    }

    fn fail(&mut self, error: AccessError) -> LiveItem {
        self.ended = true;
        let response = GraphQlResponse::denied_by(error);
        response.codes().for_each(|code| self.metrics.record_live_cut(code));
        LiveItem::Failed(response.with_request_id(self.listener.request_id()))
    }

    /// Returns whether a lower role denies a field of the selection set that it did not deny before.
    ///
    /// Both roles execute the selection set against the same state. The results are not sent.
    async fn loses_a_field(
        &self,
        before: Arc<Session>,
        after: Arc<Session>,
        change: LiveChange,
    ) -> bool {
        let denied = |response: GraphQlResponse| -> HashSet<String> {
            response.paths_with(Code::Forbidden).collect()
        };
        let before = denied(self.execute(before, change.clone()).await);
        let after = denied(self.execute(after, change).await);
        !after.is_subset(&before)
    }

    async fn execute(&self, session: Arc<Session>, change: LiveChange) -> GraphQlResponse {
        let Some(document) = self.source.to_query() else {
            return GraphQlResponse::denied_by(AccessError::Internal);
        };
        let mut request = Request::new(String::new()).variables(self.source.variables.clone());
        request.set_parsed_query(document);
        execution::execute(&self.schema, request.data(change), session, &self.metrics).await
    }
}
