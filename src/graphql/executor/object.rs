//! The macro that declares an object type: its schema and its fields.

use async_graphql::{
    InputType, OutputType, ServerError, TypeDirective,
    indexmap::IndexMap,
    registry::{MetaField, MetaInputValue, Registry},
};
use futures_util::future::BoxFuture;

use super::{Column, FieldNode, ObjectFields, Output};
use crate::graphql::{enums::Requirement, guard::guard};

/// Declares an object type. Each field is declared once, with its documentation, its guard, its name,
/// its arguments, its type and its body.
///
/// The body of `each` returns the value of one object. The body of `gather` is called once for all
/// objects of a selection and returns a future of all their values. It is for fields that read.
macro_rules! object {
    (
        $(#[doc = $description:literal])+
        [$($generics:tt)*] $type:ty, $name:expr, [$($interface:literal)*] {
            $(
                $(#[doc = $field_description:literal])+
                $(#[requires($requirement:expr)])?
                $field:literal $(($(#[doc = $argument_description:literal] $argument:ident: $argument_type:ty,)+))?:
                $field_type:ty = $kind:ident $body:expr;
            )+
        }
    ) => {
        impl<$($generics)*> async_graphql::OutputType for $type {
            fn type_name() -> std::borrow::Cow<'static, str> {
                ($name).into()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                use $crate::graphql::executor::SchemaField;
                let object = async_graphql::registry::MetaTypeId::Object;
                registry.create_output_type::<Self, _>(object, |registry| {
                    let mut fields = async_graphql::indexmap::IndexMap::new();
                    $(
                        SchemaField::new::<$field_type>($field, &[$($field_description),+], registry)
                            $(.requires($requirement, registry))?
                            $($(.argument::<$argument_type>(stringify!($argument), $argument_description, registry))+)?
                            .insert_into(&mut fields);
                    )+
                    async_graphql::registry::ObjectBuilder::new(Self::type_name(), fields)
                        .description(Some(SchemaField::description(&[$($description),+])))
                        .rust_typename(std::any::type_name::<Self>())
                        .build()
                })
            }

            async fn resolve(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'_>,
                field: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                $crate::graphql::executor::resolve_root(self, ctx, field).await
            }
        }

        impl<$($generics)*> $crate::graphql::executor::ObjectFields for $type {
            const INTERFACES: &'static [&'static str] = &[$($interface),*];

            fn resolve_field<'a>(
                objects: &'a [&'a Self],
                name: &str,
                node: $crate::graphql::executor::FieldNode<'a>,
            ) -> futures_util::future::BoxFuture<'a, $crate::graphql::executor::Column> {
                match name {
                    $($field => {
                        $($(
                            let $argument: $argument_type = match node.argument(stringify!($argument)) {
                                Ok(value) => value,
                                Err(error) => return $crate::graphql::executor::fail_all(objects, &error),
                            };
                        )+)?
                        $crate::graphql::executor::$kind::<Self, $field_type, _>(objects, node, $body)
                    })+
                    _ => $crate::graphql::executor::fail_all(
                        objects,
                        &node.error(0, $crate::access::AccessError::Internal),
                    ),
                }
            }
        }

        impl<$($generics)*> $crate::graphql::executor::Output for $type {
            fn resolve_all<'a>(
                values: Vec<Self>,
                node: $crate::graphql::executor::FieldNode<'a>,
            ) -> futures_util::future::BoxFuture<'a, $crate::graphql::executor::Column>
            where
                Self: 'a,
            {
                Box::pin(async move {
                    let objects: Vec<&Self> = values.iter().collect();
                    $crate::graphql::executor::Output::resolve_all(objects, node).await
                })
            }
        }
    };
}
pub(in crate::graphql) use object;

/// Resolves a field whose value depends on one object only.
pub(in crate::graphql) fn each<'a, T, F: Output + 'a, B: Fn(&'a T, FieldNode<'a>) -> F>(
    objects: &'a [&'a T],
    node: FieldNode<'a>,
    body: B,
) -> BoxFuture<'a, Column> {
    F::resolve_all(objects.iter().map(|object| body(object, node)).collect(), node)
}

/// Resolves a field that reads the values of all objects.
pub(in crate::graphql) fn gather<'a, T: ObjectFields, F: Output + 'a, V>(
    objects: &'a [&'a T],
    node: FieldNode<'a>,
    body: impl FnOnce(&'a [&'a T], FieldNode<'a>) -> V,
) -> BoxFuture<'a, Column>
where
    V: Future<Output = Vec<F>> + Send + 'a,
{
    let values = body(objects, node);
    Box::pin(async move { F::resolve_all(values.await, node).await })
}

/// Returns the same error for each object.
pub(in crate::graphql) fn fail_all<'a, T>(
    objects: &[&T],
    error: &ServerError,
) -> BoxFuture<'a, Column> {
    let mut column = Column::with_capacity(objects.len(), 0);
    objects.iter().for_each(|_| column.push_error(Box::new(error.clone())));
    Box::pin(std::future::ready(column))
}

/// A field of the schema.
pub(in crate::graphql) struct SchemaField(MetaField);

impl SchemaField {
    /// Creates a field without arguments.
    pub(in crate::graphql) fn new<T: OutputType>(
        name: &str,
        description: &[&str],
        registry: &mut Registry,
    ) -> Self {
        let mut field = MetaField::new(name, T::create_type_info(registry));
        field.description = Some(Self::description(description));
        Self(field)
    }

    /// Adds the directive that shows the requirement of the field.
    pub(in crate::graphql) fn requires(
        mut self,
        requirement: Requirement,
        registry: &mut Registry,
    ) -> Self {
        guard.register(registry);
        self.0.directive_invocations.push(guard::apply(requirement));
        self
    }

    /// Adds an argument.
    pub(in crate::graphql) fn argument<T: InputType>(
        mut self,
        name: &str,
        description: &str,
        registry: &mut Registry,
    ) -> Self {
        let mut argument = MetaInputValue::new(name, T::create_type_info(registry));
        argument.description = Some(description.trim().to_owned());
        self.0.args.insert(name.to_owned(), argument);
        self
    }

    /// Adds the field to the fields of its type.
    pub(in crate::graphql) fn insert_into(self, fields: &mut IndexMap<String, MetaField>) {
        fields.insert(self.0.name.clone(), self.0);
    }

    /// Joins the lines of a doc comment.
    pub(in crate::graphql) fn description(lines: &[&str]) -> String {
        lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
    }
}
