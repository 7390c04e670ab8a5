//! The types of fields: scalars, enumerations, objects, and nullable values and lists of them.

use async_graphql::{
    ID, ServerError,
    resolver_utils::{EnumItem, EnumType},
};
use futures_util::future::{BoxFuture, ready};

use super::{Column, FieldNode, ObjectFields, Origin, Path, resolve_objects};
use crate::{
    access::AccessError,
    graphql::{
        enums::{
            ActorKind, ChangeKind, InvitationStatus, MailStatus, MembershipSource, Plan,
            TenantRole, TenantStatus, TenantSubscriptionStatus,
        },
        scalar::{DateTime, Json},
    },
};

/// A type that a field can return.
pub(in crate::graphql) trait Output: Send + Sized {
    /// Resolves the values of one field of many objects. The result has one entry for each value.
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Column>
    where
        Self: 'a;
}

/// The space for the text of a scalar. Identifiers have 30 characters, and most texts fewer.
const LEAF_BYTES: usize = 32;

/// Implements [`Output`] for types without a selection set.
macro_rules! leaves {
    ($($type:ty => |$value:ident| $json:expr;)+) => { $(
        impl Output for $type {
            fn resolve_all<'a>(values: Vec<Self>, _: FieldNode<'a>) -> BoxFuture<'a, Column>
            where
                Self: 'a,
            {
                let bytes = values.len() * LEAF_BYTES;
                let mut column = Column::with_capacity(values.len(), bytes);
                values.into_iter().for_each(|$value| column.push(&$json));
                Box::pin(ready(column))
            }
        }
    )+ };
}

leaves! {
    ID => |id| id.0;
    String => |text| text;
    &str => |text| text;
    &[String] => |texts| texts;
    bool => |flag| flag;
    i32 => |number| number;
    DateTime => |time| time;
    Json => |json| json.0;
    ActorKind => |value| enum_name(&value);
    ChangeKind => |value| enum_name(&value);
    InvitationStatus => |value| enum_name(&value);
    MailStatus => |value| enum_name(&value);
    MembershipSource => |value| enum_name(&value);
    Plan => |value| enum_name(&value);
    TenantRole => |value| enum_name(&value);
    TenantStatus => |value| enum_name(&value);
    TenantSubscriptionStatus => |value| enum_name(&value);
}

/// Returns the name of a value in the schema.
fn enum_name<T: EnumType>(value: &T) -> Option<&'static str> {
    let items: &'static [EnumItem<T>] = T::items();
    items.iter().find(|item| item.value == *value).map(|item| item.name)
}

impl<T: ObjectFields> Output for &T {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Column>
    where
        Self: 'a,
    {
        Box::pin(async move { resolve_objects(&values, node).await })
    }
}

/// An absent value is null. An error of a present one is added to the response, and null stays.
impl<T: Output> Output for Option<T> {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Column>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let values = values.into_iter().map(|value| value.ok_or(Absent::Null));
            let resolved = resolve_some(values.collect(), node).await;
            if !resolved.has_errors() {
                return resolved;
            }
            let mut column = Column::with_capacity(resolved.len(), resolved.bytes());
            let (count, mut values) = (resolved.len(), resolved.into_values());
            for _ in 0..count {
                match values.next() {
                    Ok(value) => column.push_resolved(Ok(value)),
                    Err(error) => {
                        node.add_error(*error);
                        column.push_null();
                    }
                }
            }
            column
        })
    }
}

impl<T: Output> Output for Result<T, AccessError> {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Column>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let error = |(number, error)| Absent::Error(node.error(number, error));
            let values = values.into_iter().enumerate();
            let values = values.map(|(n, value)| value.map_err(|other| error((n, other))));
            resolve_some(values.collect(), node).await
        })
    }
}

/// An error of an element is an error of the list, unless the elements are nullable.
impl<T: Output> Output for Vec<T> {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Column>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let lengths: Vec<usize> = values.iter().map(Vec::len).collect();
            let mut elements = Vec::with_capacity(lengths.iter().sum());
            let mut origins = Vec::with_capacity(elements.capacity());
            for (parent, list) in values.into_iter().enumerate() {
                let indices = 0..list.len();
                origins.extend(indices.map(|index| Origin { parent, index: Some(index) }));
                elements.extend(list);
            }
            let path = Path::Parts(node.path, origins);
            let resolved = T::resolve_all(elements, FieldNode { path: &path, ..node }).await;
            // Each element is followed by a comma or a bracket.
            let bytes = resolved.bytes() + resolved.len() + 2 * lengths.len();
            let mut column = Column::with_capacity(lengths.len(), bytes);
            let mut elements = resolved.into_values();
            for length in lengths {
                column.push_with(|text| {
                    let mut failure = None;
                    text.push(b'[');
                    // All elements are taken, also after an error.
                    for index in 0..length {
                        if index > 0 {
                            text.push(b',');
                        }
                        match elements.next() {
                            Ok(element) => text.extend_from_slice(element),
                            Err(error) => drop(failure.get_or_insert(error)),
                        }
                    }
                    text.push(b']');
                    failure.map_or(Ok(()), Err)
                });
            }
            column
        })
    }
}

/// A value that needs no resolution.
pub(in crate::graphql) enum Absent {
    /// The value is null.
    Null,
    /// The value is an error that goes up to the nearest nullable field.
    Error(Box<ServerError>),
}

/// Resolves the values that are present.
pub(in crate::graphql) async fn resolve_some<T: Output>(
    values: Vec<Result<T, Absent>>,
    node: FieldNode<'_>,
) -> Column {
    let mut present = Vec::with_capacity(values.len());
    let mut origins = Vec::with_capacity(values.len());
    let mut absent = Vec::new();
    let count = values.len();
    for (parent, value) in values.into_iter().enumerate() {
        match value {
            Ok(value) => {
                present.push(value);
                origins.push(Origin { parent, index: None });
            }
            Err(value) => absent.push((parent, value)),
        }
    }
    if absent.is_empty() {
        return T::resolve_all(present, node).await;
    }
    let path = Path::Parts(node.path, origins);
    let resolved = T::resolve_all(present, FieldNode { path: &path, ..node }).await;
    let mut column = Column::with_capacity(count, resolved.bytes() + 4 * absent.len());
    let (mut resolved, mut absent) = (resolved.into_values(), absent.into_iter().peekable());
    for number in 0..count {
        match absent.next_if(|(parent, _)| *parent == number) {
            Some((_, Absent::Null)) => column.push_null(),
            Some((_, Absent::Error(error))) => column.push_error(error),
            None => column.push_resolved(resolved.next()),
        }
    }
    column
}
