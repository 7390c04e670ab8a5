//! One request, whatever brought it here: parsed, checked, run, and its errors made fit to be seen.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use async_graphql::{
    Name, Pos, Positioned, Request, Response, ServerError, Value, Variables,
    parser::{
        parse_query,
        types::{
            DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition,
            OperationType, Selection, SelectionSet, VariableDefinition,
        },
    },
};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::{
    Root,
    batch::BatchExecutor,
    context::RequestContext,
    documents::{DocumentRef, Documents, ParsedDocument, TrustedDocuments},
    error::{Code, RequestError, code, set_code},
    field_merging,
    limits::{self, OperationContext, SchemaIndex},
    operation_info::OperationInfo,
    root,
};
use crate::{
    access::{AccessError, Session},
    domain::limits::Limits,
    metrics::Metrics,
};

/// A request's parameters, as GraphQL over HTTP names them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphQlRequest {
    /// The document's text; absent where it is named in another way.
    #[serde(default)]
    pub query: Option<String>,
    /// The identifier of a trusted document (GraphQL over HTTP, appendix A; Relay's `doc_id`).
    #[serde(default, alias = "doc_id")]
    pub document_id: Option<String>,
    /// Which of its operations to run, where it has several.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// The values of its variables.
    #[serde(default)]
    pub variables: Option<serde_json::Map<String, serde_json::Value>>,
    /// For extensions of the protocol: `persistedQuery.sha256Hash` is known here.
    #[serde(default)]
    pub extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

impl GraphQlRequest {
    fn hash(&self) -> Option<&str> {
        self.extensions.as_ref()?.get("persistedQuery")?.get("sha256Hash")?.as_str()
    }

    /// Whether it names a document at all.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.query.is_some() || self.document_id.is_some() || self.hash().is_some()
    }

    fn named(&self) -> DocumentRef<'_> {
        let (text, id) = (self.query.as_deref(), self.document_id.as_deref());
        DocumentRef { text, id, hash: self.hash() }
    }
}

/// A document that was parsed, and whose operation was found.
pub struct PreparedOperation {
    request: Request,
    operation: OperationType,
    complexity: u64,
    label: Arc<OperationInfo>,
}

impl PreparedOperation {
    /// Whether it is a query: running it is safe to repeat.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.operation == OperationType::Query
    }

    /// What may be told of it.
    #[must_use]
    pub const fn label(&self) -> &Arc<OperationInfo> {
        &self.label
    }

    /// What it may cost at most: the number that its limit is held against.
    #[must_use]
    pub const fn complexity(&self) -> u64 {
        self.complexity
    }
}

/// The schema, ready to answer.
pub struct GraphQlExecutor {
    schema: Root,
    shape: SchemaIndex,
    documents: Documents,
    limits: Limits,
    introspection: bool,
    metrics: Metrics,
}

impl GraphQlExecutor {
    /// The schema. Without introspection, asking for it is an error, and errors suggest no names.
    #[must_use]
    pub fn new(
        introspection: bool,
        limits: Limits,
        trusted: TrustedDocuments,
        metrics: Metrics,
    ) -> Self {
        let builder = root();
        let builder = if introspection { builder } else { builder.disable_suggestions() };
        let schema = builder.finish();
        let shape = SchemaIndex::read(&schema.sdl());
        Self { schema, shape, documents: Documents::new(trusted), limits, introspection, metrics }
    }

    /// Finds a document and the operation that is to run, and refuses one that asks for too much:
    /// before it is parsed by its length in tokens, after that by what it would cost.
    pub fn prepare(&self, document: GraphQlRequest) -> Result<PreparedOperation, GraphQlResponse> {
        let parsed = self.parsed(document.named())?;
        let variables = document.variables.unwrap_or_default();
        let mut variables = Variables::from_json(serde_json::Value::Object(variables));
        // Some clients send an empty name for none.
        let name = document.operation_name.filter(|name| !name.is_empty());
        let ExecutableDocument { fragments, .. } = &parsed.document;
        let (own_name, operation) = get_operation(&parsed.document, name.as_deref())?;
        for (name, value) in defaults(operation) {
            variables.entry(name).or_insert(value);
        }
        check_required_variables(operation, &variables)?;
        let asked = OperationContext { operation, fragments, variables: &variables };
        let complexity = limits::check(asked, &self.shape, &self.limits);
        let complexity = complexity.map_err(GraphQlResponse::from_request_error)?;
        if !self.introspection {
            let mut seen = HashSet::new();
            refuse_introspection(&operation.selection_set.node, fragments, &mut seen)?;
        }
        if operation.ty == OperationType::Mutation
            && field_merging::root_fields_conflict(&operation.selection_set.node, fragments)
        {
            let message = "Fields of one response key differ: give them aliases.";
            return Err(GraphQlResponse::from_request_error(RequestError::new(
                Code::ValidationFailed,
                message,
            )));
        }
        let label = self.label((own_name, operation), &parsed);
        let operation = operation.ty;
        let mut request = Request::new(String::new()).variables(variables);
        request.operation_name = name;
        request.set_parsed_query(parsed.document.clone());
        Ok(PreparedOperation { request, operation, complexity, label })
    }

    /// What is told of an operation; of a document's only one it is found out once.
    fn label(
        &self,
        chosen: (Option<&str>, &OperationDefinition),
        parsed: &ParsedDocument,
    ) -> Arc<OperationInfo> {
        let label = || Arc::new(OperationInfo::of(chosen, parsed, &self.shape));
        match parsed.document.operations.iter().count() {
            1 => parsed.label.get_or_init(label).clone(),
            _ => label(),
        }
    }

    /// A document as it was parsed, now or before.
    fn parsed(&self, named: DocumentRef<'_>) -> Result<Arc<ParsedDocument>, GraphQlResponse> {
        let text = self.documents.find(named).map_err(GraphQlResponse::from_request_error)?;
        if let Some(parsed) = self.documents.parsed(&text) {
            self.documents.register(named, &text);
            return Ok(parsed);
        }
        let (readable, tokens) = limits::normalize_document(&text, &self.limits)
            .map_err(GraphQlResponse::from_request_error)?;
        let document = parse_query(&readable)
            .map_err(|error| GraphQlResponse::syntax(error.positions().collect()))?;
        self.documents.register(named, &text);
        Ok(self.documents.cache_parsed(text, document, tokens))
    }

    /// Runs a prepared document. A panic of a resolver is an error of this request alone.
    pub async fn execute(
        &self,
        session: Arc<Session>,
        prepared: PreparedOperation,
    ) -> GraphQlResponse {
        let batches = BatchExecutor::default();
        let scope = RequestContext::new(session.clone(), batches.clone(), self.metrics.clone());
        let run = batches.drive(self.schema.execute(prepared.request.data(scope)));
        let answer = match AssertUnwindSafe(run).catch_unwind().await {
            Ok(response) => GraphQlResponse::from_execution(response),
            Err(_) => GraphQlResponse::denied_by(AccessError::Internal),
        };
        answer.with_request_id(session.request_id())
    }
}

/// The default values of an operation's variables. The engine decides `@skip` and `@include` by the
/// variables that came, so a default has to come too.
fn defaults(operation: &OperationDefinition) -> Vec<(Name, Value)> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let default = |definition: &VariableDefinition| {
        Some((definition.name.node.clone(), definition.default_value.as_ref()?.node.clone()))
    };
    definitions.filter_map(default).collect()
}

/// Refuses an operation that lacks the value of a variable (the specification, section 6.1.2). The
/// engine finds out only when a field asks for it, which others may have run before.
fn check_required_variables(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), GraphQlResponse> {
    let lacks = |definition: &&Positioned<VariableDefinition>| {
        let VariableDefinition { name, var_type, .. } = &definition.node;
        let given = variables.get(&name.node).is_some_and(|value| *value != Value::Null);
        !var_type.node.nullable && !given
    };
    let Some(lacking) = operation.variable_definitions.iter().find(lacks) else { return Ok(()) };
    let name = &lacking.node.name.node;
    let message = format!("The variable `${name}` has to have a value.");
    let mut error = RequestError::new(Code::ValidationFailed, message).into_server_error();
    error.locations = vec![lacking.pos];
    Err(GraphQlResponse::not_executed(error))
}

/// The operation that is to run, with the name that it has in the document.
fn get_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a str>, &'a OperationDefinition), GraphQlResponse> {
    fn own<'a>(
        (name, operation): (&'a Name, &'a Positioned<OperationDefinition>),
    ) -> (Option<&'a str>, &'a OperationDefinition) {
        (Some(name.as_str()), &operation.node)
    }
    let chosen = match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Ok((None, &only.node)),
        (DocumentOperations::Multiple(named), Some(name)) => {
            named.get_key_value(name).map(own).ok_or("The document has no operation of that name.")
        }
        (DocumentOperations::Single(_), Some(_)) => {
            Err("The document has no operation of that name.")
        }
        (DocumentOperations::Multiple(named), None) => match named.len() {
            1 => named.iter().next().map(own).ok_or("The document has no operation."),
            _ => Err("The document has several operations: `operationName` has to choose one."),
        },
    };
    let refused = |message| {
        GraphQlResponse::from_request_error(RequestError::new(Code::ValidationFailed, message))
    };
    chosen.map_err(refused)
}

/// The engine answers `null` without a word; a client is to be told. Fragments may still go in
/// circles here, so each is looked at once.
fn refuse_introspection<'a>(
    set: &'a SelectionSet,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    seen: &mut HashSet<&'a str>,
) -> Result<(), GraphQlResponse> {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                if matches!(field.node.name.node.as_str(), "__schema" | "__type") {
                    let message = "Introspection is off here.";
                    return Err(GraphQlResponse::from_request_error(RequestError::new(
                        Code::ValidationFailed,
                        message,
                    )));
                }
            }
            Selection::InlineFragment(inline) => {
                refuse_introspection(&inline.node.selection_set.node, fragments, seen)?;
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = fragments.get(name)
                    && seen.insert(name.as_str())
                {
                    refuse_introspection(&fragment.node.selection_set.node, fragments, seen)?;
                }
            }
        }
    }
    Ok(())
}

/// How many errors a document that did not run is told, and how long each may be: enough to mend it,
/// and no way to make a long answer of a short document.
const MAX_REPORTED_ERRORS: usize = 10;
const MAX_ERROR_MESSAGE_CHARS: usize = 300;

/// The engine's messages have names of the document in them, which may be as long as that is.
fn shorten(error: &mut ServerError) {
    if let Some((end, _)) = error.message.char_indices().nth(MAX_ERROR_MESSAGE_CHARS) {
        error.message.truncate(end);
        error.message.push('…');
    }
    error.locations.truncate(MAX_REPORTED_ERRORS);
}

/// What a request is answered, before a transport gives it its form.
#[derive(Debug)]
pub struct GraphQlResponse {
    // In a box, because an answer is also what a refused request's `Err` is.
    response: Box<Response>,
    ran: bool,
}

impl GraphQlResponse {
    /// An answer to a request that does not run.
    #[must_use]
    pub fn from_request_error(problem: RequestError) -> Self {
        Self::not_executed(problem.into_server_error())
    }

    /// The answer to an actor who is refused whatever was asked: as if each field had said so.
    #[must_use]
    pub fn denied_by(refusal: AccessError) -> Self {
        let mut error = async_graphql::Error::from(refusal).into_server_error(Pos::default());
        error.locations.clear();
        Self { response: Box::new(Response::from_errors(vec![error])), ran: true }
    }

    /// The answer to what is no GraphQL: where, but not what, because that would echo the document.
    fn syntax(locations: Vec<Pos>) -> Self {
        let place = locations.first().map_or_else(String::new, |pos| {
            format!(" at line {}, column {}", pos.line, pos.column)
        });
        let message = format!("The document is not valid GraphQL{place}.");
        let mut error = RequestError::new(Code::ParseFailed, message).into_server_error();
        error.locations = locations;
        Self::not_executed(error)
    }

    fn not_executed(error: ServerError) -> Self {
        Self { response: Box::new(Response::from_errors(vec![error])), ran: false }
    }

    fn from_execution(mut response: Response) -> Self {
        // The engine's own errors have no code. Those of a document that does not fit the schema
        // come before it runs, so without a path.
        let ran = response.errors.iter().all(|error| !error.path.is_empty());
        if !ran {
            response.errors.truncate(MAX_REPORTED_ERRORS);
            response.errors.iter_mut().for_each(shorten);
        }
        for error in response.errors.iter_mut().filter(|error| code(error).is_none()) {
            set_code(error, Code::ValidationFailed);
        }
        Self { response: Box::new(response), ran }
    }

    /// Gives an answer with errors the request's identifier, under which the log has more.
    #[must_use]
    pub fn with_request_id(mut self, request_id: &str) -> Self {
        if self.response.errors.is_empty() {
            return self;
        }
        let internal = Value::from(Code::Internal.as_str());
        for error in &mut self.response.errors {
            if code(error) == Some(&internal) {
                error.extensions.get_or_insert_default().set("requestId", request_id);
            }
        }
        self.response.extensions.insert("requestId".to_owned(), Value::from(request_id));
        self
    }

    /// Whether the document ran: otherwise the answer has no `data`.
    #[must_use]
    pub const fn executed(&self) -> bool {
        self.ran
    }

    /// The codes of the errors.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.response.errors.iter().filter_map(code).filter_map(|value| match value {
            Value::String(word) => Some(word.as_str()),
            _ => None,
        })
    }
}

/// The response of GraphQL's specification, section 7: `errors` first, so that they are seen.
impl Serialize for GraphQlResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.response.errors.is_empty() {
            map.serialize_entry("errors", &self.response.errors)?;
        }
        if self.ran {
            map.serialize_entry("data", &self.response.data)?;
        }
        if !self.response.extensions.is_empty() {
            map.serialize_entry("extensions", &self.response.extensions)?;
        }
        map.end()
    }
}
