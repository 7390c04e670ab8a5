//! Resolves the object types of the schema, one selection at a time instead of one object at a time.
//!
//! `async-graphql` keeps the schema, introspection, root fields, arguments and mutations. It makes a
//! future for each field of each object, which costs more than everything else in a request for a
//! long list. So [`object!`](object) implements `OutputType::resolve` of our object types with this
//! module. It resolves all objects that one selection set applies to together, in three steps:
//!
//! 1. *Select*: [`FieldNode::select`] merges the fields of the selection set by response key.
//! 2. *Gather*: each field returns its values for all objects as a [`Column`] of JSON text. The only
//!    awaits are in fields that call a loader, once for all objects. [`output`] resolves the
//!    selections of these values.
//! 3. *Write*: the values of each object become the text of the object. An error of a field goes up
//!    to the nearest nullable field, which becomes null.
//!
//! The engine has already applied `@skip` and `@include`, and the document is valid. It carries the
//! text of a root field to the response as a `Value::Binary`. It cannot merge such values, so the
//! first of the root fields with one response key resolves the selections of all of them.

mod column;
mod object;
mod output;

use async_graphql::{
    ContextSelectionSet, Error, InputType, Name, OutputType, PathSegment, Positioned, ServerError,
    ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
};
use futures_util::future::{BoxFuture, join_all};

use super::{context::RequestContext, loaders::Loaders};
use crate::access::Session;
use column::internal_error;

pub(super) use column::Column;
pub(super) use object::{SchemaField, each, fail_all, gather, object};
pub(super) use output::{Absent, Output, resolve_some};

/// An object type whose fields this module resolves. [`object!`](object) implements it.
pub(super) trait ObjectFields: OutputType {
    /// The interfaces that the type implements.
    const INTERFACES: &'static [&'static str];

    /// Returns the value of one field for each object.
    fn resolve_field<'a>(
        objects: &'a [&'a Self],
        name: &str,
        node: FieldNode<'a>,
    ) -> BoxFuture<'a, Column>;
}

/// A field of the document with all places in which it is selected, for many objects.
#[derive(Clone, Copy)]
pub(super) struct FieldNode<'a> {
    engine: &'a ContextSelectionSet<'a>,
    /// The selections with the same response key. They have the same name and arguments.
    fields: &'a [&'a Positioned<Field>],
    path: &'a Path<'a>,
}

/// The paths of the values of a field, of which only those of errors are ever computed.
enum Path<'a> {
    /// The path of the engine's field, which has one value.
    Root,
    /// The path of a field, with one value for each object of the parent.
    Field(&'a Path<'a>, &'a Name),
    /// The paths of values that are a part of the parent's values: the present ones, or the elements
    /// of lists.
    Parts(&'a Path<'a>, Vec<Origin>),
}

/// The place of a value in the values of its parent.
#[derive(Clone, Copy)]
struct Origin {
    parent: usize,
    /// The index in the list, if the parent's value is a list.
    index: Option<usize>,
}

impl Path<'_> {
    /// Appends the path of the value with this number.
    fn write(&self, number: usize, segments: &mut Vec<PathSegment>) {
        match self {
            Self::Root => {}
            Self::Field(parent, key) => {
                parent.write(number, segments);
                segments.push(PathSegment::Field(key.to_string()));
            }
            Self::Parts(parent, origins) => {
                let Some(origin) = origins.get(number) else { return };
                parent.write(origin.parent, segments);
                segments.extend(origin.index.map(PathSegment::Index));
            }
        }
    }
}

/// A field of a selection set after the merge by response key.
struct SelectedField<'a> {
    key: &'a Name,
    fields: Vec<&'a Positioned<Field>>,
    path: Path<'a>,
}

impl<'a> FieldNode<'a> {
    /// Returns the session of the current root field.
    pub(super) fn session(self) -> &'a Session {
        self.engine.data_unchecked::<RequestContext>().session()
    }

    /// Returns the loaders of the current root field.
    pub(super) fn loaders(self) -> &'a Loaders {
        self.engine.data_unchecked::<RequestContext>().loaders()
    }

    /// Returns the value of an argument.
    pub(super) fn argument<T: InputType>(self, name: &str) -> Result<T, Box<ServerError>> {
        let Some(field) = self.fields.first() else { return Err(internal_error()) };
        let context = self.engine.with_field(field);
        context.param_value(name, None).map(|(_, value)| value).map_err(Box::new)
    }

    /// Returns an error of the value with this number.
    pub(super) fn error(self, number: usize, error: impl Into<Error>) -> Box<ServerError> {
        let position = self.fields.first().map_or_else(Default::default, |field| field.pos);
        let mut error = self.engine.set_error_path(error.into().into_server_error(position));
        self.path.write(number, &mut error.path);
        Box::new(error)
    }

    /// Adds an error to the response. The value itself stays, or is null already.
    pub(super) fn add_error(self, error: ServerError) {
        self.engine.add_error(error);
    }

    /// Returns the fields that are selected of an object of this type, in the order of the document.
    fn select<T: ObjectFields>(self) -> Vec<SelectedField<'a>> {
        let (type_name, mut selected) = (T::type_name(), Vec::<SelectedField<'a>>::new());
        let applies = |on: &str| on == type_name || T::INTERFACES.contains(&on);
        let mut add = |field: &'a Positioned<Field>| {
            let key = &field.node.response_key().node;
            match selected.iter_mut().find(|other| other.key == key) {
                Some(other) => other.fields.push(field),
                None => {
                    let path = Path::Field(self.path, key);
                    selected.push(SelectedField { key, fields: vec![field], path });
                }
            }
        };
        let mut visited = Vec::new();
        for field in self.fields {
            let set = &field.node.selection_set.node;
            collect_fields(self.engine, set, &applies, &mut visited, &mut add);
        }
        selected
    }
}

/// Resolves one value of a root field.
///
/// The first of the root fields with the same response key has the value. The others are null, which
/// the engine ignores.
pub(super) async fn resolve_root<T: Output>(
    value: T,
    engine: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let operation = &engine.query_env.operation.node;
    let mut fields = Vec::with_capacity(1);
    let is_same = |other: &Field| other.response_key().node == field.node.response_key().node;
    let set = &operation.selection_set.node;
    collect_fields(engine, set, &|_| true, &mut Vec::new(), &mut |other| {
        fields.extend(is_same(&other.node).then_some(other));
    });
    if fields.first().is_some_and(|first| first.pos != field.pos) {
        return Ok(Value::Null);
    }
    let node = FieldNode { engine, fields: &fields, path: &Path::Root };
    let column = T::resolve_all(vec![value], node).await;
    column.into_only_value().map(|text| Value::Binary(text.into())).map_err(|error| *error)
}

/// Calls `visit` with the fields of a selection set, and with those of its fragments whose type
/// condition applies.
///
/// `visited` has the fragments that were visited. Each is visited once, as in CollectFields() of the
/// GraphQL specification, section 6.3.2. So fragments that spread each other repeatedly cost no more
/// than their text.
fn collect_fields<'a>(
    engine: &'a ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    applies: &impl Fn(&str) -> bool,
    visited: &mut Vec<&'a Name>,
    visit: &mut impl FnMut(&'a Positioned<Field>),
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => visit(field),
            Selection::InlineFragment(inline) => {
                let condition = inline.node.type_condition.as_ref();
                if condition.is_none_or(|condition| applies(&condition.node.on.node)) {
                    let set = &inline.node.selection_set.node;
                    collect_fields(engine, set, applies, visited, visit);
                }
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if visited.contains(&name) {
                    continue;
                }
                visited.push(name);
                if let Some(fragment) = engine.query_env.fragments.get(name)
                    && applies(&fragment.node.type_condition.node.on.node)
                {
                    let set = &fragment.node.selection_set.node;
                    collect_fields(engine, set, applies, visited, visit);
                }
            }
        }
    }
}

/// Resolves the selection set of a field for all its objects.
async fn resolve_objects<T: ObjectFields>(objects: &[&T], node: FieldNode<'_>) -> Column {
    if objects.is_empty() {
        return Column::default();
    }
    let selection = node.select::<T>();
    let columns = selection.iter().map(|selected| {
        let node = FieldNode { fields: &selected.fields, path: &selected.path, ..node };
        match selected.fields[0].node.name.node.as_str() {
            "__typename" => {
                let name = T::type_name();
                each(objects, node, move |_, _| name.clone().into_owned())
            }
            name => T::resolve_field(objects, name, node),
        }
    });
    let columns = join_all(columns).await;
    let values_bytes: usize = columns.iter().map(Column::bytes).sum();
    let mut fields = Vec::with_capacity(columns.len());
    for (selected, column) in selection.iter().zip(columns) {
        // A name needs no escape sequences (GraphQL specification, section 2.1.9).
        let comma = if fields.is_empty() { "" } else { "," };
        fields.push((format!("{comma}\"{}\":", selected.key), column.into_values()));
    }
    let object_bytes = 2 + fields.iter().map(|(key, _): &(String, _)| key.len()).sum::<usize>();
    let mut column =
        Column::with_capacity(objects.len(), values_bytes + objects.len() * object_bytes);
    for _ in objects {
        column.push_with(|text| {
            let mut failure = None;
            text.push(b'{');
            for (key, values) in &mut fields {
                match values.next() {
                    Ok(value) => {
                        text.extend_from_slice(key.as_bytes());
                        text.extend_from_slice(value);
                    }
                    Err(error) => drop(failure.get_or_insert(error)),
                }
            }
            text.push(b'}');
            failure.map_or(Ok(()), Err)
        });
    }
    column
}
