//! A document in the place of another, of which this program may not know all.

use mongodb::bson::{Bson, Document, doc};

/// An update that sets what has a value, takes away what has none, and leaves alone what this
/// program does not know of, at the top and in the parts.
///
/// As a pipeline: the plain operators cannot set a field of a part that may be null.
#[derive(Default)]
pub(super) struct MergeUpdate {
    set: Document,
    inner: Document,
    unset: Vec<String>,
}

impl MergeUpdate {
    /// Every value of a document; an identity and a beginning never change.
    pub(super) fn of(document: Document) -> Self {
        let mut replacement = Self::default();
        for (field, value) in document {
            if field != "_id" && field != "createdAt" {
                replacement.set.insert(field, literal(value));
            }
        }
        replacement
    }

    /// A field that may have no value.
    pub(super) fn field(mut self, field: &str, value: Option<impl Into<Bson>>) -> Self {
        match value {
            Some(value) => drop(self.set.insert(field, literal(value))),
            None => self.unset.push(field.to_owned()),
        }
        self
    }

    /// A part with these fields, each of which may have no value.
    pub(super) fn part(mut self, path: &str, part: Option<Document>, fields: &[&str]) -> Self {
        let Some(part) = part else {
            self.unset.push(path.to_owned());
            return self;
        };
        let absent = fields.iter().filter(|field| !part.contains_key(*field));
        self.unset.extend(absent.map(|field| format!("{path}.{field}")));
        // What is inside of a part comes after it.
        let stage = if path.contains('.') { &mut self.inner } else { &mut self.set };
        let merged = doc! { "$mergeObjects": [format!("${path}"), literal(part)] };
        stage.insert(path, merged);
        self
    }

    /// The update's stages.
    pub(super) fn pipeline(self) -> Vec<Document> {
        let mut stages = vec![doc! { "$set": self.set }];
        if !self.inner.is_empty() {
            stages.push(doc! { "$set": self.inner });
        }
        if !self.unset.is_empty() {
            stages.push(doc! { "$unset": self.unset });
        }
        stages
    }
}

/// A value that is no expression, whatever it says.
fn literal(value: impl Into<Bson>) -> Document {
    doc! { "$literal": value.into() }
}
