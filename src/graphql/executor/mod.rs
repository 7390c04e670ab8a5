//! Resolves the object types of the schema, one selection at a time instead of one object at a time.
//!
//! `async-graphql` keeps the schema, introspection, root fields, arguments and mutations. It makes a
//! future for each field of each object, which costs more than everything else in a request for a
//! long list. So [`object!`](object) implements `OutputType::resolve` of our object types with this
//! module. It resolves all objects that one selection set applies to together, in three steps:
//!
//! 1. *Select*: [`FieldNode::select`] merges the fields of the selection set by response key.
//! 2. *Gather*: each field returns its values for all objects. The only awaits are in fields that
//!    call a loader, once for all objects. [`output`] resolves the selections of these values.
//! 3. *Write*: the values of each object become one `Value`. An error of a field goes up to the
//!    nearest nullable field, which becomes null.
//!
//! The engine has already applied `@skip` and `@include`, and the document is valid.

mod object;
mod output;

use async_graphql::{
    ContextSelectionSet, Error, InputType, Name, OutputType, PathSegment, Positioned, ServerError,
    ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
};
use futures_util::future::{BoxFuture, join_all};

use super::{context::RequestContext, loaders::Loaders};
use crate::access::{AccessError, Session};

pub(super) use object::{SchemaField, each, fail_all, gather, object};
pub(super) use output::{Output, resolve_some};

/// The value of one field of one object, or the error that goes up to the nearest nullable field.
pub(super) type Resolved = Result<Value, Box<ServerError>>;

/// An object type whose fields this module resolves. [`object!`](object) implements it.
pub(super) trait ObjectFields: OutputType {
    /// The interfaces that the type implements.
    const INTERFACES: &'static [&'static str];

    /// Returns the value of one field for each object.
    fn resolve_field<'a>(
        objects: &'a [&'a Self],
        name: &str,
        node: FieldNode<'a>,
    ) -> BoxFuture<'a, Vec<Resolved>>;
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
        let (type_name, mut selected) = (T::type_name(), Vec::new());
        for field in self.fields {
            let set = &field.node.selection_set.node;
            self.select_from::<T>(set, &type_name, &mut selected);
        }
        selected
    }

    fn select_from<T: ObjectFields>(
        self,
        set: &'a SelectionSet,
        type_name: &str,
        selected: &mut Vec<SelectedField<'a>>,
    ) {
        let applies = |on: &str| on == type_name || T::INTERFACES.contains(&on);
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    match selected.iter_mut().find(|other| other.key == key) {
                        Some(other) => other.fields.push(field),
                        None => {
                            let path = Path::Field(self.path, key);
                            selected.push(SelectedField { key, fields: vec![field], path });
                        }
                    }
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    if condition.is_none_or(|condition| applies(&condition.node.on.node)) {
                        let set = &inline.node.selection_set.node;
                        self.select_from::<T>(set, type_name, selected);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.engine.query_env.fragments.get(name) else {
                        continue;
                    };
                    if applies(&fragment.node.type_condition.node.on.node) {
                        let set = &fragment.node.selection_set.node;
                        self.select_from::<T>(set, type_name, selected);
                    }
                }
            }
        }
    }
}

/// Resolves one object of a field that the engine resolves.
pub(super) async fn resolve_root<T: Output>(
    value: T,
    engine: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let node = FieldNode { engine, fields: &[field], path: &Path::Root };
    let resolved = T::resolve_all(vec![value], node).await.pop();
    resolved.unwrap_or_else(|| Err(internal_error())).map_err(|error| *error)
}

/// Resolves the selection set of a field for all its objects.
async fn resolve_objects<T: ObjectFields>(objects: &[&T], node: FieldNode<'_>) -> Vec<Resolved> {
    if objects.is_empty() {
        return Vec::new();
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
    let mut columns: Vec<_> = join_all(columns).await.into_iter().map(Vec::into_iter).collect();
    let write = |_: &&T| {
        let mut object = IndexMap::with_capacity(selection.len());
        let mut failure = None;
        for (selected, column) in selection.iter().zip(&mut columns) {
            match column.next() {
                Some(Ok(value)) => drop(object.insert(selected.key.clone(), value)),
                Some(Err(error)) => drop(failure.get_or_insert(error)),
                None => drop(failure.get_or_insert_with(internal_error)),
            }
        }
        failure.map_or(Ok(Value::Object(object)), Err)
    };
    objects.iter().map(write).collect()
}

/// Returns the error for a state that cannot occur.
fn internal_error() -> Box<ServerError> {
    Box::new(Error::from(AccessError::Internal).into_server_error(Default::default()))
}
