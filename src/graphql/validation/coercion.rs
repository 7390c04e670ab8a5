//! Coerces the values of variables to the types that the operation declares.
//!
//! This is CoerceVariableValues() of the GraphQL specification, section 6.1.2, with the input
//! coercion of the types in section 3.

use apollo_compiler::{
    Name, Schema,
    ast::Type,
    schema::{EnumType, ExtendedType, InputObjectType},
};
use async_graphql::{
    Name as EngineName, Pos, Value, Variables,
    indexmap::IndexMap,
    parser::types::{BaseType, OperationDefinition, Type as EngineType, VariableDefinition},
};

use super::values::{DATE_TIME, NonNullUse};
use crate::{
    domain::time::Timestamp,
    graphql::{
        response::MAX_REPORTED_ERRORS,
        scalar::{DATE_TIME_FORM, integer},
    },
};

/// The message and the position of an invalid variable.
pub(super) type Fault = (String, Pos);

/// Returns the values of the declared variables, or all faults up to the number that is reported.
///
/// `variables` has the values of the request and the default values of the other variables.
pub(super) fn coerce<'a>(
    schema: &Schema,
    operation: &OperationDefinition,
    non_null_uses: impl Iterator<Item = &'a NonNullUse>,
    mut variables: Variables,
) -> Result<Variables, Vec<Fault>> {
    let (mut coerced, mut faults) = (Variables::default(), Vec::new());
    for definition in &operation.variable_definitions {
        let (position, definition) = (definition.pos, &definition.node);
        let name = &definition.name.node;
        let path = Vec::new();
        let mut coercion = Coercion { schema, definition, position, path, faults: &mut faults };
        match variables.remove(name) {
            Some(value) => {
                let value = coercion.coerce(value, &type_of(&definition.var_type.node));
                coerced.insert(name.clone(), value);
            }
            None if !definition.var_type.node.nullable => {
                let message = format!("the variable `${name}` is required, but has no value");
                faults.push((message, position));
            }
            None => {}
        }
    }
    for NonNullUse { variable, .. } in non_null_uses {
        if coerced.get(variable.as_str()) == Some(&Value::Null) {
            let declared = operation.variable_definitions.iter();
            let position = declared.filter(|d| d.node.name.node == *variable).map(|d| d.pos).next();
            let message =
                format!("the variable `${variable}` is null, but is used where null is invalid");
            faults.push((message, position.unwrap_or_default()));
        }
    }
    faults.truncate(MAX_REPORTED_ERRORS);
    if faults.is_empty() { Ok(coerced) } else { Err(faults) }
}

/// A step from a value to a value in it.
enum PathSegment<'a> {
    Field(&'a str),
    Index(usize),
}

struct Coercion<'a, 'f> {
    schema: &'a Schema,
    definition: &'a VariableDefinition,
    position: Pos,
    /// The path from the variable to the present value.
    path: Vec<PathSegment<'a>>,
    faults: &'f mut Vec<Fault>,
}

impl<'a> Coercion<'a, '_> {
    /// Coerces a value. The result of a value that does not fit is `null`, with a fault.
    fn coerce(&mut self, value: Value, ty: &Type) -> Value {
        if self.faults.len() >= MAX_REPORTED_ERRORS {
            return Value::Null;
        }
        match (value, ty) {
            (Value::Null, ty) if ty.is_non_null() => self.fault(&format!("expected `{ty}`")),
            (Value::Null, _) => Value::Null,
            (Value::List(items), Type::List(item) | Type::NonNullList(item)) => {
                let items = items.into_iter().enumerate().map(|(index, value)| {
                    self.path.push(PathSegment::Index(index));
                    let value = self.coerce(value, item);
                    self.path.pop();
                    value
                });
                Value::List(items.collect())
            }
            (value, Type::List(item) | Type::NonNullList(item)) => {
                Value::List(vec![self.coerce(value, item)])
            }
            (value, Type::Named(name) | Type::NonNullNamed(name)) => self.coerce_named(value, name),
        }
    }

    fn coerce_named(&mut self, value: Value, name: &Name) -> Value {
        let coerced = match (self.schema.types.get(name), value) {
            (Some(ExtendedType::InputObject(definition)), Value::Object(fields)) => {
                return self.coerce_object(fields, definition);
            }
            (Some(ExtendedType::Enum(definition)), value) => coerce_enum(value, definition),
            (Some(ExtendedType::Scalar(_)), value) => coerce_scalar(value, name),
            _ => None,
        };
        match coerced {
            Some(value) => value,
            None if name == DATE_TIME => self.fault(&format!("expected {DATE_TIME_FORM}")),
            None => self.fault(&format!("expected a value of type `{name}`")),
        }
    }

    fn coerce_object(
        &mut self,
        mut fields: IndexMap<EngineName, Value>,
        definition: &'a InputObjectType,
    ) -> Value {
        if let Some(unknown) =
            fields.keys().find(|name| !definition.fields.contains_key(name.as_str()))
        {
            let ty = &definition.name;
            return self.fault(&format!("the field `{unknown}` does not exist on `{ty}`"));
        }
        for (name, field) in &definition.fields {
            self.path.push(PathSegment::Field(name.as_str()));
            match fields.get_mut(name.as_str()) {
                Some(value) => *value = self.coerce(std::mem::take(value), &field.ty),
                None if field.is_required() => {
                    self.fault(&format!("expected `{}`, but there is no value", field.ty));
                }
                None => {}
            }
            self.path.pop();
        }
        Value::Object(fields)
    }

    /// Adds a fault at the present value.
    fn fault(&mut self, reason: &str) -> Value {
        let name = &self.definition.name.node;
        let mut place = format!("${name}");
        for segment in &self.path {
            match segment {
                PathSegment::Field(name) => place.extend([".", name]),
                PathSegment::Index(index) => place.extend([".", &index.to_string()]),
            }
        }
        self.faults
            .push((format!("invalid value of the variable `{place}`: {reason}"), self.position));
        Value::Null
    }
}

/// Returns an enumeration value. JSON has strings for them (section 3.9), a default value has names.
fn coerce_enum(value: Value, definition: &EnumType) -> Option<Value> {
    let name = match value {
        Value::String(name) => EngineName::new(name),
        Value::Enum(name) => name,
        _ => return None,
    };
    definition.values.contains_key(name.as_str()).then_some(Value::Enum(name))
}

/// Returns a scalar value (section 3.5).
fn coerce_scalar(value: Value, name: &Name) -> Option<Value> {
    match (name.as_str(), value) {
        ("Int", Value::Number(number)) => {
            let integer = integer(&number).and_then(|integer| i32::try_from(integer).ok());
            Some(Value::Number(integer?.into()))
        }
        ("ID", Value::Number(number)) => match number.as_u64() {
            Some(integer) => Some(Value::String(integer.to_string())),
            None => Some(Value::String(integer(&number)?.to_string())),
        },
        ("Float", value @ Value::Number(_))
        | ("String" | "ID", value @ Value::String(_))
        | ("Boolean", value @ Value::Boolean(_)) => Some(value),
        ("Int" | "ID" | "Float" | "String" | "Boolean", _) => None,
        (DATE_TIME, Value::String(text)) => {
            Timestamp::parse(&text).is_some().then_some(Value::String(text))
        }
        (DATE_TIME, _) => None,
        (_, value) => Some(value),
    }
}

fn type_of(ty: &EngineType) -> Type {
    let base = match &ty.base {
        BaseType::Named(name) => Type::Named(Name::new_unchecked(name)),
        BaseType::List(item) => Type::List(Box::new(type_of(item))),
    };
    if ty.nullable { base } else { base.non_null() }
}
