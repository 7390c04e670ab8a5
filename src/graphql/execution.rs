//! Executes one operation against a schema, with the context of one request.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{ObjectType, Request, Schema, SubscriptionType};
use futures_util::FutureExt;

use super::{batch::BatchExecutor, context::RequestContext, response::GraphQlResponse};
use crate::{
    access::{AccessError, Session},
    metrics::Metrics,
};

/// Executes a request with a new context for this session.
///
/// A panic in a resolver becomes an error of this request and affects no other.
pub(super) async fn execute<Q, M, S>(
    schema: &Schema<Q, M, S>,
    request: Request,
    session: Arc<Session>,
    metrics: &Metrics,
) -> GraphQlResponse
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let batches = BatchExecutor::default();
    let context = RequestContext::new(session.clone(), batches.clone(), metrics.clone());
    let execution = batches.drive(schema.execute(request.data(context)));
    let response = match AssertUnwindSafe(execution).catch_unwind().await {
        Ok(response) => GraphQlResponse::from_execution(response),
        Err(_) => GraphQlResponse::denied_by(AccessError::Internal),
    };
    response.with_request_id(session.request_id())
}
