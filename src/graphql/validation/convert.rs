//! Converts documents of `apollo-compiler` to the form that `async-graphql` executes.
//!
//! The conversion needs no schema and accepts documents that are not valid. The limits are checked
//! on the converted document before it is validated.

use std::collections::HashMap;

use apollo_compiler::{Name, Node, ast};
use async_graphql::{
    Name as EngineName, Pos, Positioned, Value as ConstValue,
    parser::types::{
        BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition,
        FragmentSpread, InlineFragment, OperationDefinition, OperationType, Selection,
        SelectionSet, Type, TypeCondition, VariableDefinition,
    },
};
use async_graphql_value::Value;
use serde_json::Number;

use super::positions::Positions;

/// Converts a document. Definitions of types, which validation rejects, are omitted.
pub(super) fn to_executable(document: &ast::Document, positions: &Positions) -> ExecutableDocument {
    let converter = Converter { positions };
    let (mut anonymous, mut named, mut fragments) = (None, HashMap::new(), HashMap::new());
    for definition in &document.definitions {
        match definition {
            ast::Definition::OperationDefinition(operation) => {
                let converted = converter.operation(operation);
                match &operation.name {
                    Some(name) => drop(named.insert(engine_name(name), converted)),
                    None => anonymous = Some(converted),
                }
            }
            ast::Definition::FragmentDefinition(fragment) => {
                fragments.insert(engine_name(&fragment.name), converter.fragment(fragment));
            }
            _ => {}
        }
    }
    let operations = match anonymous {
        Some(operation) if named.is_empty() => DocumentOperations::Single(operation),
        _ => DocumentOperations::Multiple(named),
    };
    ExecutableDocument { operations, fragments }
}

struct Converter<'a> {
    positions: &'a Positions,
}

impl Converter<'_> {
    fn position<T>(&self, node: &Node<T>) -> Pos {
        self.positions.of(node.location())
    }

    fn name(&self, name: &Name) -> Positioned<EngineName> {
        Positioned::new(engine_name(name), self.positions.of(name.location()))
    }

    fn operation(
        &self,
        operation: &Node<ast::OperationDefinition>,
    ) -> Positioned<OperationDefinition> {
        let pos = self.position(operation);
        let definition = OperationDefinition {
            ty: match operation.operation_type {
                ast::OperationType::Query => OperationType::Query,
                ast::OperationType::Mutation => OperationType::Mutation,
                ast::OperationType::Subscription => OperationType::Subscription,
            },
            variable_definitions: operation.variables.iter().map(|v| self.variable(v)).collect(),
            directives: self.directives(&operation.directives),
            selection_set: self.selection_set(&operation.selection_set, pos),
        };
        Positioned::new(definition, pos)
    }

    fn variable(&self, variable: &Node<ast::VariableDefinition>) -> Positioned<VariableDefinition> {
        let default_value = variable.default_value.as_ref().map(|value| {
            let constant = value_of(value).into_const().unwrap_or(ConstValue::Null);
            Positioned::new(constant, self.position(value))
        });
        let definition = VariableDefinition {
            name: self.name(&variable.name),
            var_type: Positioned::new(type_of(&variable.ty), self.position(&variable.ty)),
            directives: self.directives(&variable.directives),
            default_value,
        };
        Positioned::new(definition, self.position(variable))
    }

    fn fragment(&self, fragment: &Node<ast::FragmentDefinition>) -> Positioned<FragmentDefinition> {
        let pos = self.position(fragment);
        let definition = FragmentDefinition {
            type_condition: self.type_condition(&fragment.type_condition),
            directives: self.directives(&fragment.directives),
            selection_set: self.selection_set(&fragment.selection_set, pos),
        };
        Positioned::new(definition, pos)
    }

    fn type_condition(&self, name: &Name) -> Positioned<TypeCondition> {
        let on = self.name(name);
        let pos = on.pos;
        Positioned::new(TypeCondition { on }, pos)
    }

    fn selection_set(&self, set: &[ast::Selection], pos: Pos) -> Positioned<SelectionSet> {
        let items = set.iter().map(|selection| self.selection(selection)).collect();
        Positioned::new(SelectionSet { items }, pos)
    }

    fn selection(&self, selection: &ast::Selection) -> Positioned<Selection> {
        let (pos, selection) = match selection {
            ast::Selection::Field(field) => {
                let pos = self.position(field);
                (pos, Selection::Field(Positioned::new(self.field(field, pos), pos)))
            }
            ast::Selection::FragmentSpread(spread) => {
                let pos = self.position(spread);
                let converted = FragmentSpread {
                    fragment_name: self.name(&spread.fragment_name),
                    directives: self.directives(&spread.directives),
                };
                (pos, Selection::FragmentSpread(Positioned::new(converted, pos)))
            }
            ast::Selection::InlineFragment(inline) => {
                let pos = self.position(inline);
                let type_condition = inline.type_condition.as_ref();
                let converted = InlineFragment {
                    type_condition: type_condition.map(|name| self.type_condition(name)),
                    directives: self.directives(&inline.directives),
                    selection_set: self.selection_set(&inline.selection_set, pos),
                };
                (pos, Selection::InlineFragment(Positioned::new(converted, pos)))
            }
        };
        Positioned::new(selection, pos)
    }

    fn field(&self, field: &ast::Field, pos: Pos) -> Field {
        Field {
            alias: field.alias.as_ref().map(|alias| self.name(alias)),
            name: self.name(&field.name),
            arguments: self.arguments(&field.arguments),
            directives: self.directives(&field.directives),
            selection_set: self.selection_set(&field.selection_set, pos),
        }
    }

    fn directives(&self, directives: &ast::DirectiveList) -> Vec<Positioned<Directive>> {
        let convert = |directive: &Node<ast::Directive>| {
            let converted = Directive {
                name: self.name(&directive.name),
                arguments: self.arguments(&directive.arguments),
            };
            Positioned::new(converted, self.position(directive))
        };
        directives.iter().map(convert).collect()
    }

    fn arguments(
        &self,
        arguments: &[Node<ast::Argument>],
    ) -> Vec<(Positioned<EngineName>, Positioned<Value>)> {
        let convert = |argument: &Node<ast::Argument>| {
            let value = Positioned::new(value_of(&argument.value), self.position(&argument.value));
            (self.name(&argument.name), value)
        };
        arguments.iter().map(convert).collect()
    }
}

fn engine_name(name: &Name) -> EngineName {
    EngineName::new(name.as_str())
}

fn type_of(ty: &ast::Type) -> Type {
    let named = |name: &Name| BaseType::Named(engine_name(name));
    let list = |item: &ast::Type| BaseType::List(Box::new(type_of(item)));
    let base = match ty {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => named(name),
        ast::Type::List(item) | ast::Type::NonNullList(item) => list(item),
    };
    Type { base, nullable: !ty.is_non_null() }
}

fn value_of(value: &ast::Value) -> Value {
    match value {
        ast::Value::Null => Value::Null,
        ast::Value::Enum(name) => Value::Enum(engine_name(name)),
        ast::Value::Variable(name) => Value::Variable(engine_name(name)),
        ast::Value::String(text) => Value::String(text.clone()),
        // A longer integer is valid for the type `ID` only, whose values are text.
        ast::Value::Int(number) => number.as_str().parse::<i64>().map_or_else(
            |_| Value::String(number.as_str().to_owned()),
            |integer| Value::Number(integer.into()),
        ),
        ast::Value::Float(number) => {
            let float = number.try_to_f64().ok().and_then(Number::from_f64);
            float.map_or(Value::Null, Value::Number)
        }
        ast::Value::Boolean(boolean) => Value::Boolean(*boolean),
        ast::Value::List(items) => Value::List(items.iter().map(|item| value_of(item)).collect()),
        ast::Value::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (engine_name(name), value_of(value))).collect(),
        ),
    }
}
