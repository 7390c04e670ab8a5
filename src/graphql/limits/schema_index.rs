//! Indexes the fields of the schema with their types and cardinalities, for the limits.

use std::collections::HashMap;

use async_graphql::{
    parser::types::{FieldDefinition, TypeKind, TypeSystemDefinition},
    parser::{parse_schema, types::BaseType},
};

/// The number of objects that a field returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// One object, or a list in a connection, whose page size was counted at the field of the
    /// connection.
    One,
    /// As many objects as the page has.
    Connection,
    /// As many objects as the argument `ids` has identifiers.
    ByIds,
    /// A list without a size argument.
    List,
}

/// The type and the cardinality of a field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The number of objects that the field returns.
    pub(super) cardinality: Cardinality,
    /// The name of the type of these objects.
    pub(super) type_name: String,
}

/// The fields of the schema, by the names of the type and of the field.
#[derive(Debug)]
pub(in super::super) struct SchemaIndex {
    types: HashMap<String, HashMap<String, Field>>,
}

impl SchemaIndex {
    /// Builds the index from the schema's own SDL, so that it always matches the schema.
    pub(in super::super) fn from_sdl(sdl: &str) -> Self {
        let mut types = HashMap::new();
        // The SDL is generated, so it always parses. A test checks that the index is complete.
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
                fields.iter().map(|f| (f.node.name.node.to_string(), index_field(&name, &f.node)));
            types.insert(name.clone(), fields.collect());
        }
        Self { types }
    }

    /// Returns `true` if the index has the fields of this type.
    pub(super) fn has_type(&self, type_name: &str) -> bool {
        self.types.contains_key(type_name)
    }

    /// Returns `true` if the type has a field of this name.
    pub(in super::super) fn has_field(&self, type_name: &str, field: &str) -> bool {
        self.field(type_name, field).is_some()
    }

    /// Returns the field of this name.
    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&Field> {
        self.types.get(type_name)?.get(field)
    }
}

fn index_field(parent: &str, field: &FieldDefinition) -> Field {
    let (mut base, mut is_list) = (&field.ty.node.base, false);
    let type_name = loop {
        match base {
            BaseType::Named(name) => break name.to_string(),
            BaseType::List(inner) => {
                is_list = true;
                base = &inner.base;
            }
        }
    };
    let has_ids = field.arguments.iter().any(|argument| argument.node.name.node == "ids");
    let cardinality = match is_list {
        // The page size was counted at the field of the connection.
        true if parent.ends_with("Connection") => Cardinality::One,
        true if has_ids => Cardinality::ByIds,
        true => Cardinality::List,
        false if type_name.ends_with("Connection") => Cardinality::Connection,
        false => Cardinality::One,
    };
    Field { cardinality, type_name }
}
