//! The types of introspection (GraphQL specification, section 4.2), resolved from the schema that
//! documents are validated against.
//!
//! `async-graphql` 8.0.0-rc.5 has these types, too, but differs from the specification: interfaces have
//! no `interfaces`, `__Schema.description` describes its own type, and unused scalars are listed.
//! Enumerations are resolved as text, because no client sees the types of this module.

use std::borrow::Cow;

use apollo_compiler::{
    Name,
    ast::{DirectiveDefinition, FieldDefinition, InputValueDefinition, Type},
    collections::IndexMap,
    schema::{Component, ExtendedType},
};
use async_graphql::{Context, Object};

use super::{
    data::IntrospectionData,
    deprecation::{EnumValueObject, deprecation_reason, is_deprecated, is_included},
};

/// The root fields of introspection.
pub(super) struct IntrospectionFields;

#[Object]
impl IntrospectionFields {
    #[graphql(name = "__schema")]
    async fn schema<'a>(&self, ctx: &Context<'a>) -> SchemaObject<'a> {
        SchemaObject(ctx.data_unchecked())
    }

    #[graphql(name = "__type")]
    async fn type_by_name<'a>(&self, ctx: &Context<'a>, name: String) -> Option<TypeObject<'a>> {
        TypeObject::named(ctx.data_unchecked(), &name)
    }
}

/// The schema itself.
struct SchemaObject<'a>(&'a IntrospectionData);

#[Object(name = "__Schema")]
impl<'a> SchemaObject<'a> {
    async fn description(&self) -> Option<&'a str> {
        self.0.schema.schema_definition.description.as_deref()
    }

    async fn types(&self) -> Vec<TypeObject<'a>> {
        let data = self.0;
        let types = data.schema.types.values();
        types.map(|definition| TypeObject { data, kind: Kind::Named(definition) }).collect()
    }

    async fn query_type(&self) -> Option<TypeObject<'a>> {
        let name = self.0.schema.schema_definition.query.as_ref()?;
        TypeObject::named(self.0, name)
    }

    async fn mutation_type(&self) -> Option<TypeObject<'a>> {
        let name = self.0.schema.schema_definition.mutation.as_ref()?;
        TypeObject::named(self.0, name)
    }

    async fn subscription_type(&self) -> Option<TypeObject<'a>> {
        let name = self.0.schema.schema_definition.subscription.as_ref()?;
        TypeObject::named(self.0, name)
    }

    async fn directives(&self) -> Vec<DirectiveObject<'a>> {
        let data = self.0;
        let directives = data.schema.directive_definitions.values();
        directives.map(|definition| DirectiveObject { data, definition }).collect()
    }
}

/// A named type, or a type that wraps another one.
enum Kind<'a> {
    Named(&'a ExtendedType),
    List(Cow<'a, Type>),
    NonNull(Cow<'a, Type>),
}

struct TypeObject<'a> {
    data: &'a IntrospectionData,
    kind: Kind<'a>,
}

impl<'a> TypeObject<'a> {
    fn named(data: &'a IntrospectionData, name: &str) -> Option<Self> {
        let definition = data.schema.types.get(name)?;
        Some(Self { data, kind: Kind::Named(definition) })
    }

    /// Returns the type of a field or of an input value. It always exists in a valid schema.
    fn of(data: &'a IntrospectionData, ty: Cow<'a, Type>) -> Option<Self> {
        let kind = match ty.as_ref() {
            Type::Named(name) => return Self::named(data, name),
            Type::List(_) => Kind::List(ty),
            Type::NonNullNamed(_) | Type::NonNullList(_) => Kind::NonNull(ty),
        };
        Some(Self { data, kind })
    }

    fn definition(&self) -> Option<&'a ExtendedType> {
        match self.kind {
            Kind::Named(definition) => Some(definition),
            Kind::List(_) | Kind::NonNull(_) => None,
        }
    }

    fn named_types<'n>(&self, names: impl Iterator<Item = &'n Name>) -> Vec<Self> {
        names.filter_map(|name| Self::named(self.data, name)).collect()
    }
}

#[Object(name = "__Type")]
impl<'a> TypeObject<'a> {
    async fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Named(ExtendedType::Scalar(_)) => "SCALAR",
            Kind::Named(ExtendedType::Object(_)) => "OBJECT",
            Kind::Named(ExtendedType::Interface(_)) => "INTERFACE",
            Kind::Named(ExtendedType::Union(_)) => "UNION",
            Kind::Named(ExtendedType::Enum(_)) => "ENUM",
            Kind::Named(ExtendedType::InputObject(_)) => "INPUT_OBJECT",
            Kind::List(_) => "LIST",
            Kind::NonNull(_) => "NON_NULL",
        }
    }

    async fn name(&self) -> Option<&'a str> {
        Some(self.definition()?.name().as_str())
    }

    async fn description(&self) -> Option<&'a str> {
        Some(self.definition()?.description()?.as_str())
    }

    #[graphql(name = "specifiedByURL")]
    async fn specified_by_url(&self) -> Option<&'a str> {
        let directive = self.definition()?.as_scalar()?.directives.get("specifiedBy")?;
        directive.specified_argument_by_name("url")?.as_str()
    }

    async fn fields(&self, include_deprecated: Option<bool>) -> Option<Vec<FieldObject<'a>>> {
        let data = self.data;
        let fields: &'a IndexMap<Name, Component<FieldDefinition>> = match self.definition()? {
            ExtendedType::Object(object) => &object.fields,
            ExtendedType::Interface(interface) => &interface.fields,
            _ => return None,
        };
        let fields = fields.values().map(|field| &**field);
        let fields = fields.filter(|field| is_included(&field.directives, include_deprecated));
        Some(fields.map(|definition| FieldObject { data, definition }).collect())
    }

    async fn interfaces(&self) -> Option<Vec<Self>> {
        let interfaces = match self.definition()? {
            ExtendedType::Object(object) => &object.implements_interfaces,
            ExtendedType::Interface(interface) => &interface.implements_interfaces,
            _ => return None,
        };
        Some(self.named_types(interfaces.iter().map(|interface| &interface.name)))
    }

    async fn possible_types(&self) -> Option<Vec<Self>> {
        match self.definition()? {
            ExtendedType::Interface(interface) => {
                let implementers = self.data.implementers.get(&interface.name);
                let objects = implementers.iter().flat_map(|implementers| &implementers.objects);
                Some(self.named_types(objects))
            }
            ExtendedType::Union(union) => {
                Some(self.named_types(union.members.iter().map(|member| &member.name)))
            }
            _ => None,
        }
    }

    async fn enum_values(
        &self,
        include_deprecated: Option<bool>,
    ) -> Option<Vec<EnumValueObject<'a>>> {
        let values = self.definition()?.as_enum()?.values.values().map(|value| &**value);
        let values = values.filter(|value| is_included(&value.directives, include_deprecated));
        let data = self.data;
        Some(values.map(|definition| EnumValueObject { data, definition }).collect())
    }

    async fn input_fields(
        &self,
        include_deprecated: Option<bool>,
    ) -> Option<Vec<InputValueObject<'a>>> {
        let fields = self.definition()?.as_input_object()?.fields.values().map(|field| &***field);
        Some(input_values(self.data, fields, include_deprecated))
    }

    async fn of_type(&self) -> Option<Self> {
        match &self.kind {
            Kind::Named(_) => None,
            Kind::List(ty) => Self::of(self.data, item_type(ty)),
            Kind::NonNull(ty) => Self::of(self.data, Cow::Owned(ty.as_ref().clone().nullable())),
        }
    }

    async fn is_one_of(&self) -> Option<bool> {
        Some(self.definition()?.as_input_object()?.directives.has("oneOf"))
    }
}

fn item_type<'a>(list: &Cow<'a, Type>) -> Cow<'a, Type> {
    match list {
        Cow::Borrowed(list) => Cow::Borrowed(list.item_type()),
        Cow::Owned(list) => Cow::Owned(list.item_type().clone()),
    }
}

struct FieldObject<'a> {
    data: &'a IntrospectionData,
    definition: &'a FieldDefinition,
}

#[Object(name = "__Field")]
impl<'a> FieldObject<'a> {
    async fn name(&self) -> &'a str {
        &self.definition.name
    }

    async fn description(&self) -> Option<&'a str> {
        self.definition.description.as_deref()
    }

    async fn args(&self, include_deprecated: Option<bool>) -> Vec<InputValueObject<'a>> {
        let arguments = self.definition.arguments.iter().map(|argument| &**argument);
        input_values(self.data, arguments, include_deprecated)
    }

    #[graphql(name = "type")]
    async fn ty(&self) -> Option<TypeObject<'a>> {
        TypeObject::of(self.data, Cow::Borrowed(&self.definition.ty))
    }

    async fn is_deprecated(&self) -> bool {
        is_deprecated(&self.definition.directives)
    }

    async fn deprecation_reason(&self) -> Option<&'a str> {
        deprecation_reason(&self.definition.directives, self.data)
    }
}

struct InputValueObject<'a> {
    data: &'a IntrospectionData,
    definition: &'a InputValueDefinition,
}

#[Object(name = "__InputValue")]
impl<'a> InputValueObject<'a> {
    async fn name(&self) -> &'a str {
        &self.definition.name
    }

    async fn description(&self) -> Option<&'a str> {
        self.definition.description.as_deref()
    }

    #[graphql(name = "type")]
    async fn ty(&self) -> Option<TypeObject<'a>> {
        TypeObject::of(self.data, Cow::Borrowed(&self.definition.ty))
    }

    async fn default_value(&self) -> Option<String> {
        let value = self.definition.default_value.as_ref()?;
        Some(value.serialize().no_indent().to_string())
    }

    async fn is_deprecated(&self) -> bool {
        is_deprecated(&self.definition.directives)
    }

    async fn deprecation_reason(&self) -> Option<&'a str> {
        deprecation_reason(&self.definition.directives, self.data)
    }
}

struct DirectiveObject<'a> {
    data: &'a IntrospectionData,
    definition: &'a DirectiveDefinition,
}

#[Object(name = "__Directive")]
impl<'a> DirectiveObject<'a> {
    async fn name(&self) -> &'a str {
        &self.definition.name
    }

    async fn description(&self) -> Option<&'a str> {
        self.definition.description.as_deref()
    }

    async fn is_repeatable(&self) -> bool {
        self.definition.repeatable
    }

    async fn locations(&self) -> Vec<&'static str> {
        self.definition.locations.iter().map(|location| location.name()).collect()
    }

    async fn args(&self, include_deprecated: Option<bool>) -> Vec<InputValueObject<'a>> {
        let arguments = self.definition.arguments.iter().map(|argument| &**argument);
        input_values(self.data, arguments, include_deprecated)
    }
}

fn input_values<'a>(
    data: &'a IntrospectionData,
    definitions: impl Iterator<Item = &'a InputValueDefinition>,
    include_deprecated: Option<bool>,
) -> Vec<InputValueObject<'a>> {
    definitions
        .filter(|definition| is_included(&definition.directives, include_deprecated))
        .map(|definition| InputValueObject { data, definition })
        .collect()
}
