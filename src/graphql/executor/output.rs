//! The types of fields: scalars, enumerations, objects, and nullable values and lists of them.

use async_graphql::{ID, ScalarType, Value, resolver_utils::enum_value};
use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};

use super::{FieldNode, ObjectFields, Origin, Path, Resolved, internal_error, resolve_objects};
use crate::{
    access::AccessError,
    graphql::{
        enums::{
            ActorKind, InvitationStatus, MailStatus, MembershipSource, Plan, TenantRole,
            TenantStatus, TenantSubscriptionStatus,
        },
        scalar::{DateTime, Json},
    },
};

/// A type that a field can return.
pub(in crate::graphql) trait Output: Send + Sized {
    /// Resolves the values of one field of many objects. The result has one entry for each value.
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Vec<Resolved>>
    where
        Self: 'a;
}

/// Implements [`Output`] for types without a selection set.
macro_rules! leaves {
    ($($type:ty => |$value:ident| $convert:expr;)+) => { $(
        impl Output for $type {
            fn resolve_all<'a>(values: Vec<Self>, _: FieldNode<'a>) -> BoxFuture<'a, Vec<Resolved>>
            where
                Self: 'a,
            {
                let resolved = values.into_iter().map(|$value| Ok($convert)).collect();
                ready(resolved).boxed()
            }
        }
    )+ };
}

leaves! {
    ID => |id| Value::String(id.0);
    String => |text| Value::String(text);
    &str => |text| Value::String(text.to_owned());
    &[String] => |texts| Value::List(texts.iter().cloned().map(Value::String).collect());
    bool => |flag| Value::Boolean(flag);
    i32 => |number| Value::from(number);
    DateTime => |time| time.to_value();
    Json => |json| json.0;
    ActorKind => |value| enum_value(value);
    InvitationStatus => |value| enum_value(value);
    MailStatus => |value| enum_value(value);
    MembershipSource => |value| enum_value(value);
    Plan => |value| enum_value(value);
    TenantRole => |value| enum_value(value);
    TenantStatus => |value| enum_value(value);
    TenantSubscriptionStatus => |value| enum_value(value);
}

impl<T: ObjectFields> Output for &T {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Vec<Resolved>>
    where
        Self: 'a,
    {
        Box::pin(async move { resolve_objects(&values, node).await })
    }
}

/// An absent value is null. An error of a present one is added to the response, and null stays.
impl<T: Output> Output for Option<T> {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Vec<Resolved>>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let values = values.into_iter().map(|value| value.ok_or(Ok(Value::Null)));
            let resolved = resolve_some(values.collect(), node).await.into_iter();
            let or_null = |result: Resolved| {
                result.unwrap_or_else(|error| {
                    node.add_error(*error);
                    Value::Null
                })
            };
            resolved.map(|result| Ok(or_null(result))).collect()
        })
    }
}

impl<T: Output> Output for Result<T, AccessError> {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Vec<Resolved>>
    where
        Self: 'a,
    {
        Box::pin(async move {
            let values = values.into_iter().enumerate();
            let values = values.map(|(n, value)| value.map_err(|error| Err(node.error(n, error))));
            resolve_some(values.collect(), node).await
        })
    }
}

/// An error of an element is an error of the list, unless the elements are nullable.
impl<T: Output> Output for Vec<T> {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Vec<Resolved>>
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
            let mut resolved = resolved.into_iter();
            let list = |length| {
                // All elements are taken, also after an error.
                let list: Vec<Resolved> = resolved.by_ref().take(length).collect();
                list.into_iter().collect::<Result<Vec<Value>, _>>().map(Value::List)
            };
            lengths.into_iter().map(list).collect()
        })
    }
}

/// Resolves the values that are not resolved yet.
pub(in crate::graphql) async fn resolve_some<T: Output>(
    values: Vec<Result<T, Resolved>>,
    node: FieldNode<'_>,
) -> Vec<Resolved> {
    let mut present = Vec::with_capacity(values.len());
    let mut origins = Vec::with_capacity(values.len());
    let mut resolved = Vec::with_capacity(values.len());
    for (parent, value) in values.into_iter().enumerate() {
        match value {
            Ok(value) => {
                present.push(value);
                origins.push(Origin { parent, index: None });
                resolved.push(None);
            }
            Err(known) => resolved.push(Some(known)),
        }
    }
    if present.len() == resolved.len() {
        return T::resolve_all(present, node).await;
    }
    let path = Path::Parts(node.path, origins);
    let mut others = T::resolve_all(present, FieldNode { path: &path, ..node }).await.into_iter();
    let next = |known: Option<Resolved>| {
        known.or_else(|| others.next()).unwrap_or_else(|| Err(internal_error()))
    };
    resolved.into_iter().map(next).collect()
}
