//! The definitions that introspection describes.

use std::{collections::HashMap, sync::Arc};

use apollo_compiler::{Name, Schema, schema::Implementers, validation::Valid};

/// The definitions that introspection describes.
pub(super) struct IntrospectionData {
    pub(super) schema: Arc<Valid<Schema>>,
    pub(super) implementers: HashMap<Name, Implementers>,
}

impl IntrospectionData {
    /// Collects the definitions of a schema.
    pub(super) fn new(schema: Arc<Valid<Schema>>) -> Self {
        let implementers = schema.implementers_map().into_iter().collect();
        Self { schema, implementers }
    }
}
