//! What the checks know of the schema: of which type a field is, and how many it answers.

use std::collections::HashMap;

use async_graphql::{
    parser::types::{FieldDefinition, TypeKind, TypeSystemDefinition},
    parser::{parse_schema, types::BaseType},
};

/// How many objects a field answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// One, or what the list around it has been counted for.
    One,
    /// As many as its page has.
    Connection,
    /// As many as it is given identifiers.
    ByIds,
    /// A list that nobody bounds.
    List,
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// How many it answers.
    pub(super) kind: Cardinality,
    /// Their type's name.
    pub(super) type_name: String,
}

/// The schema's fields, by type and name.
#[derive(Debug)]
pub(in super::super) struct SchemaIndex {
    types: HashMap<String, HashMap<String, Field>>,
}

impl SchemaIndex {
    /// Reads the schema from its own text, so that it cannot be another one.
    pub(in super::super) fn read(sdl: &str) -> Self {
        let mut types = HashMap::new();
        // What this program prints is GraphQL; a test has every field of it here.
        let definitions = parse_schema(sdl).map(|schema| schema.definitions).unwrap_or_default();
        for definition in definitions {
            let TypeSystemDefinition::Type(named) = definition else { continue };
            let name = named.node.name.node.to_string();
            let fields = match named.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            let fields =
                fields.iter().map(|f| (f.node.name.node.to_string(), field(&name, &f.node)));
            types.insert(name.clone(), fields.collect());
        }
        Self { types }
    }

    /// Whether it is known which fields a type has.
    pub(super) fn has(&self, type_name: &str) -> bool {
        self.types.contains_key(type_name)
    }

    /// Whether the schema has that field.
    pub(in super::super) fn has_field(&self, type_name: &str, field: &str) -> bool {
        self.field(type_name, field).is_some()
    }

    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&Field> {
        self.types.get(type_name)?.get(field)
    }
}

fn field(of: &str, field: &FieldDefinition) -> Field {
    let (mut base, mut list) = (&field.ty.node.base, false);
    let type_name = loop {
        match base {
            BaseType::Named(name) => break name.to_string(),
            BaseType::List(inner) => {
                list = true;
                base = &inner.base;
            }
        }
    };
    let takes_ids = field.arguments.iter().any(|argument| argument.node.name.node == "ids");
    let kind = match list {
        // The page has been counted at the connection.
        true if of.ends_with("Connection") => Cardinality::One,
        true if takes_ids => Cardinality::ByIds,
        true => Cardinality::List,
        false if type_name.ends_with("Connection") => Cardinality::Connection,
        false => Cardinality::One,
    };
    Field { kind, type_name }
}
