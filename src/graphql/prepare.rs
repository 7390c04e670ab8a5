//! Prepares a request for execution, and executes it.
//!
//! Preparation parses and validates the document, selects the operation, coerces the variables, and
//! rejects a request that exceeds a limit. It needs neither a caller nor the store. Execution runs the
//! prepared operation for a [`Session`] and has nothing left to check.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use async_graphql::{
    Name, Positioned, Request, Value, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
        OperationType, VariableDefinition,
    },
};

use super::{
    documents::{Documents, ParsedDocument, TrustedDocuments},
    error::{Code, RequestError},
    execution,
    introspection::{self, IntrospectionSchema},
    limits::{self, OperationContext, OperationCost, OperationMeasures, SchemaIndex},
    live::{LiveOperation, LiveSchema, LiveSource, live_schema},
    operation_info::OperationInfo,
    request::GraphQlRequest,
    response::GraphQlResponse,
    schema::{self, GraphQlSchema},
    validation::{ParsedText, Validator},
};
use crate::{
    access::{AccessError, Session},
    domain::limits::Limits,
    metrics::Metrics,
};

/// An operation that passed all checks and can be executed.
pub struct PreparedOperation {
    request: Request,
    operation_type: OperationType,
    introspects: bool,
    cost: OperationCost,
    info: Arc<OperationInfo>,
    fingerprint: [u8; 32],
    /// `true` if the operation needs the details of tenants.
    needs_tenant_details: bool,
    /// The operation, if it is a subscription.
    live: Option<LiveSource>,
}

impl PreparedOperation {
    /// Returns `true` if the operation is a query, which is safe to repeat.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.operation_type == OperationType::Query
    }

    /// Returns `true` if the operation is a mutation.
    #[must_use]
    pub fn is_mutation(&self) -> bool {
        self.operation_type == OperationType::Mutation
    }

    /// Returns `true` if the operation is a subscription, which [`GraphQlExecutor::subscribe`] starts.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        self.operation_type == OperationType::Subscription
    }

    /// Returns the facts about the operation that telemetry may report.
    #[must_use]
    pub const fn operation_info(&self) -> &Arc<OperationInfo> {
        &self.info
    }

    /// Returns the upper bound of the operation's cost, which the complexity limit applies to.
    #[must_use]
    pub const fn complexity(&self) -> u64 {
        self.cost.complexity
    }

    /// Returns the number of root fields that write, each with a commit of its own.
    #[must_use]
    pub fn writes(&self) -> u64 {
        if self.operation_type == OperationType::Mutation { self.cost.root_fields } else { 0 }
    }

    /// Returns a digest of the document, the operation and its variables.
    ///
    /// It distinguishes different requests with one idempotency key.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

/// The operation of a request that is within the limits.
struct SelectedOperation<'a> {
    name: Option<&'a str>,
    operation: &'a Positioned<OperationDefinition>,
    variables: Variables,
    cost: OperationCost,
    introspects: bool,
    fingerprint: [u8; 32],
}

/// Prepares and executes requests against the schema.
pub struct GraphQlExecutor {
    schema: GraphQlSchema,
    /// The schema for operations with introspection, or `None` if introspection is disabled.
    introspection_schema: Option<IntrospectionSchema>,
    live_schema: LiveSchema,
    validator: Validator,
    schema_index: SchemaIndex,
    documents: Documents,
    limits: Limits,
    metrics: Metrics,
}

impl GraphQlExecutor {
    /// Creates an executor with empty document caches.
    ///
    /// If `introspection` is `false`, introspection is an error.
    #[must_use]
    pub fn new(
        introspection: bool,
        limits: Limits,
        trusted: TrustedDocuments,
        metrics: Metrics,
    ) -> Self {
        let schema = schema::build();
        let live_schema = live_schema();
        let validator = Validator::new(&schema::print(&schema));
        let introspection_schema =
            introspection.then(|| introspection::schema(validator.schema().clone()));
        let schema_index = SchemaIndex::new(validator.schema());
        let documents = Documents::new(trusted);
        Self {
            schema,
            introspection_schema,
            live_schema,
            validator,
            schema_index,
            documents,
            limits,
            metrics,
        }
    }

    /// Finds the document and the operation of a request, and checks everything that can be checked
    /// before execution.
    ///
    /// # Errors
    ///
    /// Returns the response to a request that is rejected.
    pub fn prepare(&self, request: &GraphQlRequest) -> Result<PreparedOperation, GraphQlResponse> {
        let parsed = self.find_document(request)?;
        let only_measures = parsed.has_one_operation().then_some(&parsed.only_measures);
        let selected = self.select_operation(&parsed.document, request, only_measures)?;
        let SelectedOperation { name, operation, variables, cost, introspects, fingerprint } =
            selected;
        let uses = &parsed.non_null_uses;
        let variables =
            self.validator.coerce_variables((name, &operation.node), uses, variables)?;
        let info = self.operation_info(name, &operation.node, &parsed);
        let operation_type = operation.node.ty;
        let mut request = Request::new(String::new());
        let live = if operation_type == OperationType::Subscription {
            let operation_name = name.map(str::to_owned);
            Some(LiveSource { document: parsed.clone(), operation_name, variables })
        } else {
            request.set_parsed_query(parsed.to_executable(operation));
            request = request.variables(variables);
            None
        };
        Ok(PreparedOperation {
            request,
            operation_type,
            introspects,
            cost,
            info,
            fingerprint,
            needs_tenant_details: operation_type != OperationType::Query
                || parsed.selects_tenant_details,
            live,
        })
    }

    /// Executes a prepared query or mutation.
    ///
    /// A panic in a resolver becomes an error of this request and affects no other.
    pub async fn execute(
        &self,
        session: Arc<Session>,
        prepared: PreparedOperation,
    ) -> GraphQlResponse {
        let (request, metrics) = (prepared.request, &self.metrics);
        if !prepared.needs_tenant_details {
            session.skip_tenant_details();
        }
        match &self.introspection_schema {
            Some(schema) if prepared.introspects => {
                execution::execute(schema, request, session, metrics).await
            }
            _ => execution::execute(&self.schema, request, session, metrics).await,
        }
    }

    /// Starts a prepared subscription. The operation outlives this call and the executor.
    ///
    /// The session authorizes the start. Each event has a session of its own. `last_event_id` is the
    /// cursor that the transport received. It takes precedence over the argument `since`.
    ///
    /// # Errors
    ///
    /// Returns the response to an operation that cannot start: its input is invalid, the viewer has
    /// no right to it, or its cursor is outdated.
    pub async fn subscribe(
        &self,
        session: Arc<Session>,
        prepared: PreparedOperation,
        last_event_id: Option<&str>,
    ) -> Result<LiveOperation, GraphQlResponse> {
        let failed = |error: AccessError| {
            GraphQlResponse::denied_by(error).with_request_id(session.request_id())
        };
        let source = prepared.live.ok_or_else(|| failed(AccessError::Internal))?;
        let arguments = source.arguments().map_err(failed)?;
        let since = last_event_id.or(arguments.since.as_deref());
        let listener = session.listen(arguments.topic, since).await;
        let listener = listener.map_err(failed)?;
        let (schema, metrics) = (self.live_schema.clone(), self.metrics.clone());
        Ok(LiveOperation::new(schema, source, listener, metrics))
    }

    /// Returns the valid document of a request, from the cache if possible.
    fn find_document(
        &self,
        request: &GraphQlRequest,
    ) -> Result<Arc<ParsedDocument>, GraphQlResponse> {
        let reference = request.document_ref();
        let text = self.documents.find(reference).map_err(GraphQlResponse::from_request_error)?;
        if let Some(parsed) = self.documents.cached(&text) {
            self.documents.register(reference, &text);
            return Ok(parsed);
        }
        let (normalized, tokens) = limits::normalize_document(&text, &self.limits)
            .map_err(GraphQlResponse::from_request_error)?;
        let parsed = ParsedText::parse(&normalized)?;
        limits::check_shape(&parsed.executable).map_err(GraphQlResponse::from_request_error)?;
        // A request that exceeds a limit is rejected before its document is validated.
        self.select_operation(&parsed.executable, request, None)?;
        let non_null_uses = self.validator.validate(&parsed)?;
        self.documents.register(reference, &text);
        Ok(self.documents.cache_parsed(text, (parsed.executable, non_null_uses), tokens))
    }

    /// Selects the operation of a request and checks it against the limits.
    ///
    /// `known` has the measures of the document's only operation, once they are known.
    fn select_operation<'a>(
        &self,
        document: &'a ExecutableDocument,
        request: &GraphQlRequest,
        known: Option<&OnceLock<OperationMeasures>>,
    ) -> Result<SelectedOperation<'a>, GraphQlResponse> {
        // Some clients send an empty name instead of none.
        let name = request.operation_name.as_deref().filter(|name| !name.is_empty());
        let (name, operation) = get_operation(document, name)?;
        let declared = request.variables.parse_declared(&operation.node, &self.limits);
        let declared = declared.map_err(GraphQlResponse::from_request_error)?;
        let fingerprint = request.fingerprint(&declared);
        let mut variables = Variables::from_json(declared.into());
        for (name, value) in default_values(&operation.node) {
            variables.entry(name).or_insert(value);
        }
        let OperationMeasures { cost, introspects } = match known.and_then(OnceLock::get) {
            Some(measures) => *measures,
            None => self.measure(operation, document, &variables, known)?,
        };
        Ok(SelectedOperation { name, operation, variables, cost, introspects, fingerprint })
    }

    /// Checks an operation against the limits. Keeps its measures if they depend on no variable.
    fn measure(
        &self,
        operation: &Positioned<OperationDefinition>,
        document: &ExecutableDocument,
        variables: &Variables,
        kept: Option<&OnceLock<OperationMeasures>>,
    ) -> Result<OperationMeasures, GraphQlResponse> {
        let (fragments, uses_variables) = (&document.fragments, &Cell::new(false));
        let context =
            OperationContext { operation: &operation.node, fragments, variables, uses_variables };
        let cost = limits::check(context, &self.schema_index, &self.limits)
            .map_err(GraphQlResponse::from_request_error)?;
        let introspects = self.check_introspection(&operation.node, fragments)?;
        let measures = OperationMeasures { cost, introspects };
        if let Some(kept) = kept
            && !uses_variables.get()
        {
            kept.get_or_init(|| measures);
        }
        Ok(measures)
    }

    /// Returns whether an operation uses introspection. Rejects it if introspection is disabled.
    ///
    /// `async-graphql` would return `null` without an error, which a client cannot interpret.
    fn check_introspection(
        &self,
        operation: &OperationDefinition,
        fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    ) -> Result<bool, GraphQlResponse> {
        let position = introspection::find(&operation.selection_set.node, fragments);
        if position.is_some() && self.introspection_schema.is_none() {
            let message = "Introspection is disabled on this server.";
            let mut error = RequestError::new(Code::ValidationFailed, message).into_server_error();
            error.locations.extend(position);
            return Err(GraphQlResponse::not_executed(vec![error]));
        }
        Ok(position.is_some())
    }

    /// Returns the facts for telemetry. If the document has only one operation, they are computed
    /// once and kept with the document.
    fn operation_info(
        &self,
        name: Option<&str>,
        operation: &OperationDefinition,
        parsed: &ParsedDocument,
    ) -> Arc<OperationInfo> {
        let compute = || {
            let fragments = &parsed.document.fragments;
            let index = &self.schema_index;
            Arc::new(OperationInfo::new(name, operation, fragments, &parsed.info, index))
        };
        match parsed.has_one_operation() {
            true => parsed.only_operation.get_or_init(compute).clone(),
            false => compute(),
        }
    }
}

/// Returns the response to a request whose document or variables do not fit the schema.
fn validation_error(message: impl Into<String>) -> GraphQlResponse {
    GraphQlResponse::from_request_error(RequestError::new(Code::ValidationFailed, message))
}

/// Returns the operation to execute and its name, which is `None` for an anonymous operation.
///
/// This is GetOperation() of the GraphQL specification, section 6.1.
fn get_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a str>, &'a Positioned<OperationDefinition>), GraphQlResponse> {
    fn with_name<'a>(
        (name, operation): (&'a Name, &'a Positioned<OperationDefinition>),
    ) -> (Option<&'a str>, &'a Positioned<OperationDefinition>) {
        (Some(name.as_str()), operation)
    }
    const UNKNOWN_NAME: &str = "The document has no operation with this `operationName`.";
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Ok((None, only)),
        (DocumentOperations::Multiple(named), Some(name)) => {
            named.get_key_value(name).map(with_name).ok_or(UNKNOWN_NAME)
        }
        (DocumentOperations::Single(_), Some(_)) => Err(UNKNOWN_NAME),
        (DocumentOperations::Multiple(named), None) => match named.len() {
            1 => named.iter().next().map(with_name).ok_or("The document has no operation."),
            _ => Err("The document has several operations. Select one with `operationName`."),
        },
    };
    operation.map_err(validation_error)
}

/// Returns the default values of an operation's variables.
///
/// `async-graphql` evaluates `@skip` and `@include` with the variables of the request only, so the
/// defaults are added to them.
fn default_values(operation: &OperationDefinition) -> Vec<(Name, Value)> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let default = |definition: &VariableDefinition| {
        Some((definition.name.node.clone(), definition.default_value.as_ref()?.node.clone()))
    };
    definitions.filter_map(default).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn executor() -> GraphQlExecutor {
        let metrics = Metrics::new().expect("a catalogue");
        GraphQlExecutor::new(true, Limits::default(), TrustedDocuments::default(), metrics)
    }

    fn request(query: &str, variables: &Json) -> GraphQlRequest {
        let body = json!({ "query": query, "variables": variables });
        serde_json::from_value(body).expect("a request")
    }

    /// Returns the complexity of a request, and whether its document keeps it for later ones.
    fn prepare(executor: &GraphQlExecutor, query: &str, variables: &Json) -> (u64, bool) {
        let request = request(query, variables);
        let prepared = executor.prepare(&request).unwrap_or_else(|_| panic!("{query}"));
        let document = executor.find_document(&request).unwrap_or_else(|_| panic!("{query}"));
        (prepared.complexity(), document.only_measures.get().is_some())
    }

    #[test]
    fn document_keeps_its_cost_unless_a_variable_affects_it() {
        let executor = executor();
        for kept in [
            "{ tenants(first: 3) { nodes { id } } }",
            "query($slug: String!) { tenant(slug: $slug) { id } }",
            "query($slug: String = \"acme\") { tenants(filter: {search: $slug}) { nodes { id } } }",
        ] {
            let first = prepare(&executor, kept, &json!({ "slug": "acme" }));
            assert_eq!(first, prepare(&executor, kept, &json!({ "slug": "globex" })), "{kept}");
            assert!(first.1, "{kept}");
        }
        let paged = "query($n: Int) { tenants(first: $n) { nodes { id name } } }";
        let conditional = "query($more: Boolean = true) {
            tenants(first: 10) { nodes { id name @include(if: $more) } } }";
        for (query, small, large) in [
            (paged, json!({ "n": 1 }), json!({ "n": 100 })),
            (conditional, json!({ "more": false }), json!({ "more": true })),
        ] {
            let (small, small_kept) = prepare(&executor, query, &small);
            let (large, large_kept) = prepare(&executor, query, &large);
            assert!(small < large, "{query}: {small} {large}");
            assert!(!small_kept && !large_kept, "{query}");
        }
        let several = "query A { tenants { nodes { id } } } query B { users { nodes { id } } }";
        let request: GraphQlRequest =
            serde_json::from_value(json!({ "query": several, "operationName": "A" }))
                .expect("a request");
        executor.prepare(&request).unwrap_or_else(|_| panic!("{several}"));
        let document = executor.find_document(&request).unwrap_or_else(|_| panic!("{several}"));
        assert!(document.only_measures.get().is_none(), "the operations have different costs");
    }
}
