//! Tests live operations on both stores, without a transport: what they report, and when they end.

mod authorization;
mod delivery;
mod feed;
mod members;
mod resume;

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tenantry::{
    access::{Caller, Session},
    clock::Clock,
    graphql::{GraphQlRequest, LiveItem, LiveOperation},
};

use crate::support::app::{App, response_to_json};

/// The time after which a test fails because an event is missing.
const TIMEOUT: Duration = Duration::from_secs(60);

const TENANT: &str = "subscription($id: ID!, $since: String) { \
    tenantChanged(id: $id, since: $since) { kind tenantId tenant { slug name status version } } }";
const TENANTS: &str = "subscription($since: String) { tenantsChanged(since: $since) { kind tenantId tenant { name } } }";
const ME: &str = "subscription($since: String) { meChanged(since: $since) { name memberships { role tenant { slug } } } }";
const SUBSCRIPTION: &str = "subscription($id: ID!, $since: String) { \
    subscriptionChanged(tenantId: $id, since: $since) { kind subscriptionId \
    subscription { status plan tenant { slug plan } } } }";

/// A live operation that a test reads as a transport does.
pub(crate) struct Live {
    operation: LiveOperation,
    /// The cursor of the latest event.
    cursor: Option<String>,
}

impl Live {
    /// Starts an operation that can start.
    async fn start(app: &App, subject: &str, document: &str, variables: Value) -> Self {
        Self::try_start(app, subject, document, variables).await.expect("an operation")
    }

    /// Starts an operation, or returns the response that rejects it.
    pub(crate) async fn try_start(
        app: &App,
        subject: &str,
        document: &str,
        variables: Value,
    ) -> Result<Self, Value> {
        let body = json!({"query": document, "variables": variables});
        let request: GraphQlRequest = serde_json::from_value(body).expect("a request");
        let prepared = app.state.executor.prepare(&request).expect("a valid document");
        let session =
            Session::new(app.access.clone(), caller(app, subject).await, "r-1".to_owned());
        let started = app.state.executor.subscribe(session.into(), prepared, None).await;
        match started {
            Ok(operation) => Ok(Self { operation, cursor: None }),
            Err(response) => Err(response_to_json(&response)),
        }
    }

    /// Waits for the next event and returns its data.
    #[track_caller]
    fn event(&mut self) -> impl Future<Output = Value> {
        let location = std::panic::Location::caller();
        async move {
            match self.item().await {
                Some(LiveItem::Event { response, cursor }) => {
                    let response = response_to_json(&response);
                    assert_eq!(response.get("errors"), None, "{location}: {response}");
                    assert_eq!(response["extensions"]["cursor"], cursor.as_str());
                    self.cursor = Some(cursor);
                    response["data"].clone()
                }
                other => panic!("{location}: {other:?}"),
            }
        }
    }

    /// Waits for the end and returns the code of its error, or `None` if the operation is complete.
    async fn end(&mut self) -> Option<String> {
        let failed = match self.item().await? {
            LiveItem::Failed(response) => response_to_json(&response),
            event @ LiveItem::Event { .. } => panic!("{event:?}"),
        };
        assert_eq!(failed["data"], Value::Null);
        assert!(self.item().await.is_none(), "an error is the last item");
        Some(code(&failed))
    }

    pub(crate) async fn item(&mut self) -> Option<LiveItem> {
        tokio::time::timeout(TIMEOUT, self.operation.next()).await.expect("an item in time")
    }
}

/// Returns the code of the only error of a response.
fn code(response: &Value) -> String {
    let errors = response["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{response}");
    errors[0]["extensions"]["code"].as_str().expect("a code").to_owned()
}

async fn caller(app: &App, subject: &str) -> Option<Caller> {
    if subject.is_empty() {
        return None;
    }
    let credential = format!("Bearer {}", app.token(subject, []));
    let token =
        app.state.authenticator.authenticate([credential.as_bytes()], app.clock.now()).await;
    let token = token.expect("a valid token").expect("a token");
    Some(Caller { identity: token.identity, profile: token.profile })
}

/// Runs a mutation that succeeds, as this subject.
async fn mutate(app: &App, subject: &str, name: &str, input: Value) {
    let type_name = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let document =
        format!("mutation($input: {type_name}!) {{ {name}(input: $input) {{ __typename }} }}");
    let reply =
        app.query_with_variables(&app.token(subject, []), &document, json!({"input": input})).await;
    reply.data();
}

/// Renames a tenant, which reports one change of it.
async fn rename(app: &App, tenant: impl ToString, name: &str) {
    mutate(app, "ada", "updateTenant", json!({"id": tenant.to_string(), "name": name})).await;
}

fn id_of(tenant: tenantry::domain::id::TenantId) -> Value {
    json!({"id": tenant.to_string()})
}
