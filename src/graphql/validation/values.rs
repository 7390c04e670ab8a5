//! Checks the values and the uses of variables in a document that `apollo-compiler` accepts.
//!
//! `apollo-compiler` 1.33 does not report an input field that is given twice (GraphQL specification,
//! section 5.6.3). It compares the whole type of a variable only if the variable is the value of an
//! argument, and it takes a default value of `null` for a value (section 5.8.5). It accepts every
//! value for a custom scalar (section 5.6.1).

use std::collections::HashSet;

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{DirectiveList, Type, Value},
    executable::{Operation, Selection, SelectionSet},
    parser::SourceSpan,
    schema::{ExtendedType, InputObjectType},
};

use crate::{
    domain::time::Timestamp,
    graphql::{response::MAX_REPORTED_ERRORS, scalar::DATE_TIME_FORM},
};

/// The name of the only custom scalar that inputs have.
pub(super) const DATE_TIME: &str = "DateTime";

/// The message and the place of a violated rule.
pub(super) type Fault = (String, Option<SourceSpan>);

/// A variable that may be `null` by its type, but not where it is used.
///
/// Such a use is valid if a default value stands there (section 5.8.5). A request must still not set
/// the variable to `null`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::graphql) struct NonNullUse {
    /// The name of the operation, which is `None` for an anonymous one.
    pub(super) operation: Option<String>,
    /// The name of the variable.
    pub(super) variable: String,
}

/// The result of the check.
#[derive(Default)]
pub(super) struct CheckedValues {
    /// The violated rules.
    pub(super) faults: Vec<Fault>,
    /// The uses of variables that depend on the request.
    pub(super) non_null_uses: Vec<NonNullUse>,
}

/// Checks all operations of a document, each with the fragments that it uses.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> CheckedValues {
    let mut checked = CheckedValues::default();
    for operation in document.operations.iter() {
        let visited = HashSet::new();
        let mut visitor =
            ValueVisitor { schema, document, operation, visited, checked: &mut checked };
        visitor.visit_operation();
        if checked.faults.len() >= MAX_REPORTED_ERRORS {
            break;
        }
    }
    checked
}

struct ValueVisitor<'a, 'c> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    /// The names of the fragments that were visited for this operation.
    visited: HashSet<&'a Name>,
    checked: &'c mut CheckedValues,
}

impl<'a> ValueVisitor<'a, '_> {
    fn visit_operation(&mut self) {
        for variable in &self.operation.variables {
            if let Some(default) = &variable.default_value {
                self.visit_value(&variable.ty, false, default);
            }
        }
        self.visit_directives(&self.operation.directives);
        self.visit_selection_set(&self.operation.selection_set);
    }

    fn visit_selection_set(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            if self.checked.faults.len() >= MAX_REPORTED_ERRORS {
                return;
            }
            self.visit_directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    for argument in &field.arguments {
                        if let Some(definition) = field.definition.argument_by_name(&argument.name)
                        {
                            let has_default = definition.default_value.is_some();
                            self.visit_value(&definition.ty, has_default, &argument.value);
                        }
                    }
                    self.visit_selection_set(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.visit_selection_set(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        && self.visited.insert(&fragment.name)
                    {
                        self.visit_directives(&fragment.directives);
                        self.visit_selection_set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn visit_directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            let Some(definition) = self.schema.directive_definitions.get(&directive.name) else {
                continue;
            };
            for argument in &directive.arguments {
                if let Some(definition) = definition.argument_by_name(&argument.name) {
                    let has_default = definition.default_value.is_some();
                    self.visit_value(&definition.ty, has_default, &argument.value);
                }
            }
        }
    }

    /// Checks a value at a place of this type. `has_default` is `true` if the place has a default
    /// value.
    fn visit_value(&mut self, ty: &Type, has_default: bool, value: &Node<Value>) {
        match (&**value, ty) {
            (Value::Null, _) => {}
            (Value::Variable(name), _) => self.check_use(ty, has_default, name, value.location()),
            (Value::List(items), Type::List(item) | Type::NonNullList(item)) => {
                items.iter().for_each(|value| self.visit_value(item, false, value));
            }
            (value_, _) => match (value_, self.schema.types.get(ty.inner_named_type())) {
                (Value::Object(fields), Some(ExtendedType::InputObject(definition))) => {
                    self.visit_object(fields, definition);
                }
                (_, Some(ExtendedType::Scalar(scalar))) if scalar.name == DATE_TIME => {
                    if !value.as_str().is_some_and(|text| Timestamp::parse(text).is_some()) {
                        let message = format!("expected {DATE_TIME_FORM}");
                        self.checked.faults.push((message, value.location()));
                    }
                }
                _ => {}
            },
        }
    }

    fn visit_object(&mut self, fields: &[(Name, Node<Value>)], definition: &InputObjectType) {
        let mut names = HashSet::new();
        for (name, value) in fields {
            if !names.insert(name) {
                let message = format!("the input field `{name}` is provided multiple times");
                self.checked.faults.push((message, name.location()));
            }
            if let Some(field) = definition.fields.get(name) {
                self.visit_value(&field.ty, field.default_value.is_some(), value);
            }
        }
    }

    /// Checks that a variable may be used at a place (IsVariableUsageAllowed() of section 5.8.5).
    fn check_use(
        &mut self,
        ty: &Type,
        has_default: bool,
        name: &Name,
        location: Option<SourceSpan>,
    ) {
        let definition = self.operation.variables.iter().find(|variable| variable.name == *name);
        let Some(definition) = definition else { return };
        let is_nullable_use = ty.is_non_null() && !definition.ty.is_non_null();
        let default = definition.default_value.as_ref();
        let is_allowed = if is_nullable_use {
            (has_default || default.is_some_and(|value| !value.is_null()))
                && definition.ty.is_assignable_to(&ty.clone().nullable())
        } else {
            definition.ty.is_assignable_to(ty)
        };
        if !is_allowed {
            let actual = &definition.ty;
            let message = format!(
                "variable `${name}` of type `{actual}` cannot be used where `{ty}` is expected"
            );
            self.checked.faults.push((message, location));
        } else if is_nullable_use {
            let operation = self.operation.name.as_ref().map(ToString::to_string);
            let used = NonNullUse { operation, variable: name.to_string() };
            if !self.checked.non_null_uses.contains(&used) {
                self.checked.non_null_uses.push(used);
            }
        }
    }
}
