//! Builds updates that keep fields which this version of the gateway does not know.

use mongodb::bson::{Bson, Document, doc};

/// An update that sets known fields with a value, unsets known fields without one, and leaves all
/// other fields unchanged. It does so at the top level and in nested documents.
///
/// It is a pipeline, because the plain operators cannot set a field of a nested document that may
/// be null.
#[derive(Default)]
pub(super) struct MergeUpdate {
    set: Document,
    set_inner: Document,
    unset: Vec<String>,
}

impl MergeUpdate {
    /// Sets every field of a document except the identifier and the time of creation, which never
    /// change.
    pub(super) fn from_document(document: Document) -> Self {
        let mut update = Self::default();
        for (field, value) in document {
            if field != "_id" && field != "createdAt" {
                update.set.insert(field, literal(value));
            }
        }
        update
    }

    /// Sets a field, or unsets it if there is no value.
    pub(super) fn optional_field(mut self, field: &str, value: Option<impl Into<Bson>>) -> Self {
        match value {
            Some(value) => drop(self.set.insert(field, literal(value))),
            None => self.unset.push(field.to_owned()),
        }
        self
    }

    /// Merges a nested document, or unsets it if there is none. `fields` are the known fields of
    /// the nested document. Those without a value are unset.
    pub(super) fn nested(mut self, path: &str, nested: Option<Document>, fields: &[&str]) -> Self {
        let Some(nested) = nested else {
            self.unset.push(path.to_owned());
            return self;
        };
        let absent = fields.iter().filter(|field| !nested.contains_key(*field));
        self.unset.extend(absent.map(|field| format!("{path}.{field}")));
        // A document at the second level is merged in a later stage than the one that contains it.
        let stage = if path.contains('.') { &mut self.set_inner } else { &mut self.set };
        let merged = doc! { "$mergeObjects": [format!("${path}"), literal(nested)] };
        stage.insert(path, merged);
        self
    }

    /// Returns the stages of the update.
    pub(super) fn pipeline(self) -> Vec<Document> {
        let mut stages = vec![doc! { "$set": self.set }];
        if !self.set_inner.is_empty() {
            stages.push(doc! { "$set": self.set_inner });
        }
        if !self.unset.is_empty() {
            stages.push(doc! { "$unset": self.unset });
        }
        stages
    }
}

/// Wraps a value so that the server does not evaluate it as an expression.
fn literal(value: impl Into<Bson>) -> Document {
    doc! { "$literal": value.into() }
}
