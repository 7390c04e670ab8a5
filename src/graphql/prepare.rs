//! Prepares a request for execution, and executes it.
//!
//! Preparation parses the document, selects the operation, and rejects a request that exceeds a
//! limit or lacks a variable. It needs neither a caller nor the store. Execution runs the prepared
//! operation for a [`Session`].

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{
    Name, Positioned, Request, Value, Variables,
    parser::{
        parse_query,
        types::{
            DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
            OperationType, VariableDefinition,
        },
    },
};
use futures_util::FutureExt;

use super::{
    batch::BatchExecutor,
    context::RequestContext,
    documents::{DocumentRef, Documents, ParsedDocument, TrustedDocuments},
    error::{Code, RequestError},
    field_merging, introspection,
    limits::{self, OperationContext, OperationCost, SchemaIndex},
    operation_info::OperationInfo,
    request::GraphQlRequest,
    response::GraphQlResponse,
    schema::{self, GraphQlSchema},
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
}

impl PreparedOperation {
    /// Returns `true` if the operation is a query, which is safe to repeat.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.operation_type == OperationType::Query
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
        if self.is_query() { 0 } else { self.cost.root_fields }
    }

    /// Returns a digest of the document, the operation and its variables.
    ///
    /// It distinguishes different requests with one idempotency key.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

/// Prepares and executes requests against the schema.
pub struct GraphQlExecutor {
    schema: GraphQlSchema,
    /// The schema for operations with introspection, or `None` if introspection is disabled.
    introspection_schema: Option<GraphQlSchema>,
    schema_index: SchemaIndex,
    documents: Documents,
    limits: Limits,
    metrics: Metrics,
}

impl GraphQlExecutor {
    /// Creates an executor with empty document caches.
    ///
    /// If `introspection` is `false`, introspection is an error and no error suggests names.
    #[must_use]
    pub fn new(
        introspection: bool,
        limits: Limits,
        trusted: TrustedDocuments,
        metrics: Metrics,
    ) -> Self {
        let builder = schema::builder();
        let builder = if introspection { builder } else { builder.disable_suggestions() };
        let schema = builder.finish();
        let introspection_schema = introspection.then(introspection::schema);
        let schema_index = SchemaIndex::from_sdl(&schema.sdl());
        let documents = Documents::new(trusted);
        Self { schema, introspection_schema, schema_index, documents, limits, metrics }
    }

    /// Finds the document and the operation of a request, and checks the operation.
    ///
    /// The number of tokens is checked before parsing, and the cost of the operation after it.
    ///
    /// # Errors
    ///
    /// Returns the response to a request that is rejected.
    pub fn prepare(&self, request: &GraphQlRequest) -> Result<PreparedOperation, GraphQlResponse> {
        let parsed = self.parse(request.document_ref())?;
        // Some clients send an empty name instead of none.
        let operation_name = request.operation_name.as_deref().filter(|name| !name.is_empty());
        let (name, operation) = get_operation(&parsed.document, operation_name)?;
        let declared = request.variables.parse_declared(operation, &self.limits);
        let declared = declared.map_err(GraphQlResponse::from_request_error)?;
        let fingerprint = request.fingerprint(&declared);
        let mut variables = Variables::from_json(declared.into());
        for (name, value) in default_values(operation) {
            variables.entry(name).or_insert(value);
        }
        check_required_variables(operation, &variables)?;
        let fragments = &parsed.document.fragments;
        let context = OperationContext { operation, fragments, variables: &variables };
        let cost = limits::check(context, &self.schema_index, &self.limits)
            .map_err(GraphQlResponse::from_request_error)?;
        let introspects = self.check_introspection(operation, fragments)?;
        check_root_fields(operation, fragments)?;
        let info = self.operation_info(name, operation, &parsed);
        let operation_type = operation.ty;
        let name = name.map(str::to_owned);
        let mut request = Request::new(String::new()).variables(variables);
        request.operation_name = name;
        request.set_parsed_query(parsed.to_executable());
        Ok(PreparedOperation { request, operation_type, introspects, cost, info, fingerprint })
    }

    /// Executes a prepared operation.
    ///
    /// A panic in a resolver becomes an error of this request and affects no other.
    pub async fn execute(
        &self,
        session: Arc<Session>,
        prepared: PreparedOperation,
    ) -> GraphQlResponse {
        let batches = BatchExecutor::default();
        let context = RequestContext::new(session.clone(), batches.clone(), self.metrics.clone());
        let schema = match &self.introspection_schema {
            Some(schema) if prepared.introspects => schema,
            _ => &self.schema,
        };
        let execution = batches.drive(schema.execute(prepared.request.data(context)));
        let response = match AssertUnwindSafe(execution).catch_unwind().await {
            Ok(response) => GraphQlResponse::from_execution(response),
            Err(_) => GraphQlResponse::denied_by(AccessError::Internal),
        };
        response.with_request_id(session.request_id())
    }

    /// Returns the parsed document, from the cache if possible.
    fn parse(&self, reference: DocumentRef<'_>) -> Result<Arc<ParsedDocument>, GraphQlResponse> {
        let text = self.documents.find(reference).map_err(GraphQlResponse::from_request_error)?;
        if let Some(parsed) = self.documents.cached(&text) {
            self.documents.register(reference, &text);
            return Ok(parsed);
        }
        let (normalized, tokens) = limits::normalize_document(&text, &self.limits)
            .map_err(GraphQlResponse::from_request_error)?;
        let document = parse_query(&normalized)
            .map_err(|error| GraphQlResponse::syntax_error(error.positions().collect()))?;
        self.documents.register(reference, &text);
        Ok(self.documents.cache_parsed(text, document, tokens))
    }

    /// Returns whether an operation uses introspection. Rejects it if introspection is disabled.
    ///
    /// `async-graphql` would return `null` without an error, which a client cannot interpret.
    fn check_introspection(
        &self,
        operation: &OperationDefinition,
        fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    ) -> Result<bool, GraphQlResponse> {
        let introspects = introspection::is_selected(&operation.selection_set.node, fragments);
        if introspects && self.introspection_schema.is_none() {
            return Err(validation_error("Introspection is disabled on this server."));
        }
        Ok(introspects)
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
        match parsed.document.operations.iter().count() {
            1 => parsed.only_operation.get_or_init(compute).clone(),
            _ => compute(),
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
) -> Result<(Option<&'a str>, &'a OperationDefinition), GraphQlResponse> {
    fn with_name<'a>(
        (name, operation): (&'a Name, &'a Positioned<OperationDefinition>),
    ) -> (Option<&'a str>, &'a OperationDefinition) {
        (Some(name.as_str()), &operation.node)
    }
    const UNKNOWN_NAME: &str = "The document has no operation with this `operationName`.";
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Ok((None, &only.node)),
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

/// Rejects an operation without a value for a non-null variable (CoerceVariableValues() of the
/// GraphQL specification, section 6.1.2).
///
/// `async-graphql` reports the missing value when a field uses it. Other fields may have been
/// executed by then.
fn check_required_variables(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), GraphQlResponse> {
    let is_missing = |definition: &&Positioned<VariableDefinition>| {
        let VariableDefinition { name, var_type, .. } = &definition.node;
        let has_value = variables.get(&name.node).is_some_and(|value| *value != Value::Null);
        !var_type.node.nullable && !has_value
    };
    let Some(missing) = operation.variable_definitions.iter().find(is_missing) else {
        return Ok(());
    };
    let name = &missing.node.name.node;
    let message = format!("The variable `${name}` is required, but the request has no value.");
    let mut error = RequestError::new(Code::ValidationFailed, message).into_server_error();
    error.locations = vec![missing.pos];
    Err(GraphQlResponse::not_executed(error))
}

/// Rejects a mutation whose root fields cannot be merged.
fn check_root_fields(
    operation: &OperationDefinition,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> Result<(), GraphQlResponse> {
    if operation.ty == OperationType::Mutation
        && field_merging::root_fields_conflict(&operation.selection_set.node, fragments)
    {
        return Err(validation_error(
            "Fields with the same response key differ. Give each its own key with an alias.",
        ));
    }
    Ok(())
}
