//! Makes `apollo-compiler` compare the lengths of lists in arguments.
//!
//! Fields with the same response key must have identical arguments (GraphQL specification, section
//! 5.3.2). `apollo-compiler` 1.33 compares two lists only up to the end of the shorter one.

use apollo_compiler::{
    Node,
    ast::{Argument, Definition, Document, Selection, Value},
    name,
};

/// Returns a copy of a document in which each list in an argument of a field is an object of the
/// list and its length, or `None` if the document has fewer than two lists to compare.
///
/// The copy is of use for the comparison of arguments only.
pub(super) fn with_lengths(document: &Document) -> Option<Document> {
    let lists = document.definitions.iter().filter_map(selections).map(|set| count_lists(set));
    if lists.sum::<usize>() < 2 {
        return None;
    }
    let mut copy = document.clone();
    for definition in &mut copy.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                add_lengths(&mut operation.make_mut().selection_set);
            }
            Definition::FragmentDefinition(fragment) => {
                add_lengths(&mut fragment.make_mut().selection_set);
            }
            _ => {}
        }
    }
    Some(copy)
}

fn selections(definition: &Definition) -> Option<&[Selection]> {
    match definition {
        Definition::OperationDefinition(operation) => Some(&operation.selection_set),
        Definition::FragmentDefinition(fragment) => Some(&fragment.selection_set),
        _ => None,
    }
}

fn count_lists(set: &[Selection]) -> usize {
    let in_value = |argument: &Node<Argument>| count_lists_in_value(&argument.value);
    set.iter()
        .map(|selection| match selection {
            Selection::Field(field) => {
                let in_arguments = field.arguments.iter().map(in_value).sum::<usize>();
                in_arguments + count_lists(&field.selection_set)
            }
            Selection::InlineFragment(inline) => count_lists(&inline.selection_set),
            Selection::FragmentSpread(_) => 0,
        })
        .sum()
}

fn count_lists_in_value(value: &Value) -> usize {
    match value {
        Value::List(items) => {
            1 + items.iter().map(|item| count_lists_in_value(item)).sum::<usize>()
        }
        Value::Object(fields) => {
            fields.iter().map(|(_, value)| count_lists_in_value(value)).sum::<usize>()
        }
        _ => 0,
    }
}

fn add_lengths(set: &mut [Selection]) {
    for selection in set {
        match selection {
            Selection::Field(field) => {
                let field = field.make_mut();
                for argument in &mut field.arguments {
                    add_length(&mut argument.make_mut().value);
                }
                add_lengths(&mut field.selection_set);
            }
            Selection::InlineFragment(inline) => {
                add_lengths(&mut inline.make_mut().selection_set);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn add_length(value: &mut Node<Value>) {
    if !matches!(**value, Value::List(_) | Value::Object(_)) {
        return;
    }
    match value.make_mut() {
        Value::List(items) => {
            items.iter_mut().for_each(add_length);
            let length = Node::new(Value::String(items.len().to_string()));
            let list = Node::new(Value::List(std::mem::take(items)));
            let object = Value::Object(vec![(name!("list"), list), (name!("length"), length)]);
            *value = value.same_location(object);
        }
        Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| add_length(value)),
        _ => {}
    }
}
