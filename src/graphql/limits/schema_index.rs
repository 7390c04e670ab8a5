//! Indexes the fields of the schema with their types and cardinalities, for the limits.

use std::collections::HashMap;

use apollo_compiler::{
    Schema,
    schema::{ExtendedType, FieldDefinition},
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
    /// Builds the index from the schema that documents are validated against.
    pub(in super::super) fn new(schema: &Schema) -> Self {
        let mut types = HashMap::new();
        for (name, definition) in &schema.types {
            let fields = match definition {
                ExtendedType::Object(object) => &object.fields,
                ExtendedType::Interface(interface) => &interface.fields,
                _ => continue,
            };
            let fields = fields.iter().filter(|_| !definition.is_built_in());
            let fields = fields
                .map(|(field, definition)| (field.to_string(), index_field(name, definition)));
            types.insert(name.to_string(), fields.collect());
        }
        Self { types }
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
    let type_name = field.ty.inner_named_type().to_string();
    let has_ids = field.argument_by_name("ids").is_some();
    let cardinality = match field.ty.is_list() {
        // The page size was counted at the field of the connection.
        true if parent.ends_with("Connection") => Cardinality::One,
        true if has_ids => Cardinality::ByIds,
        true => Cardinality::List,
        false if type_name.ends_with("Connection") => Cardinality::Connection,
        false => Cardinality::One,
    };
    Field { cardinality, type_name }
}
