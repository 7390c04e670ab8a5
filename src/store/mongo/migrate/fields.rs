//! Finds the old fields of a document, and collects the changes that convert it.

use mongodb::bson::{Bson, Document, RawBsonRef, RawDocument, RawDocumentBuf, doc};

use super::values;
use crate::{
    domain::{
        id::ObjectId,
        migration::{FieldMapping, OldCollection, report::FindingKind},
        time::Timestamp,
    },
    store::mongo::documents::{DecodeError, DecodeResult, created_at_of, date, id_of},
};

/// The field in which Mongoose counts the changes of arrays.
const MONGOOSE_VERSION: &str = "__v";

/// The paths at which the fields of one collection are stored.
pub(super) struct OldFields {
    collection: OldCollection,
    mappings: Vec<(String, &'static str)>,
}

impl OldFields {
    pub(super) fn new(collection: OldCollection, mappings: &[FieldMapping]) -> Self {
        let own = mappings.iter().filter(|mapping| mapping.collection == collection);
        let mappings = own.map(|mapping| (mapping.stored.clone(), mapping.name)).collect();
        Self { collection, mappings }
    }

    /// Returns the value of a field, `None` if it is absent or null.
    pub(super) fn get<'a>(&self, raw: &'a RawDocument, name: &str) -> Option<RawBsonRef<'a>> {
        self.paths(name).iter().find_map(|path| get(raw, path))
    }

    /// Returns the paths of a field, first those that the operator has named.
    pub(super) fn paths(&self, name: &str) -> Vec<String> {
        let mapped = self.mappings.iter().filter(|(_, of)| *of == name);
        let mut paths: Vec<String> = mapped.map(|(path, _)| path.clone()).collect();
        paths.push(name.to_owned());
        if ["authentikGroup", "ocisSpace", "stalwartDomain"].contains(&name) {
            paths.push(format!("{name}Id"));
        }
        paths
    }

    /// Returns the paths in a document that only the former service reads.
    fn obsolete_paths(&self, raw: &RawDocument, kept: &[&str]) -> Vec<String> {
        let names = self.collection.fields().iter().filter(|name| !kept.contains(name));
        let names = names.flat_map(|name| self.paths(name));
        let paths = names.chain([MONGOOSE_VERSION.to_owned()]);
        paths.filter(|path| !self.is_current(path) && exists(raw, path)).collect()
    }

    /// Returns whether the gateway itself stores this field.
    fn is_current(&self, path: &str) -> bool {
        let field = path.split('.').next().unwrap_or(path);
        let common = ["_id", "version", "createdAt", "updatedAt"];
        let own: &[&str] = match self.collection {
            OldCollection::Tenants => {
                &["slug", "name", "status", "plan", "domains", "billingInfo", "integrations"]
            }
            OldCollection::Users => &[
                "subject",
                "issuer",
                "email",
                "name",
                "platformAdmin",
                "platformAdminSource",
                "disabled",
                "memberships",
                "groupsAsOf",
                "lastSeenAt",
            ],
            OldCollection::Subscriptions => &[
                "tenantId",
                "plan",
                "status",
                "currentPeriodStart",
                "currentPeriodEnd",
                "cancelAtPeriodEnd",
                "stripe",
            ],
        };
        common.contains(&field) || own.contains(&field)
    }
}

/// The changes that convert one document.
pub(super) struct Conversion<'a> {
    raw: &'a RawDocument,
    /// The fields to set, by their paths.
    pub(super) set: Document,
    /// The paths to remove.
    pub(super) unset: Vec<String>,
    /// The old fields that stay, because their values were not taken over.
    pub(super) kept: Vec<&'static str>,
    /// The remarks for the report.
    pub(super) findings: Vec<(FindingKind, String)>,
}

impl<'a> Conversion<'a> {
    pub(super) fn new(raw: &'a RawDocument) -> Self {
        let (set, unset) = (Document::new(), Vec::new());
        Self { raw, set, unset, kept: Vec::new(), findings: Vec::new() }
    }

    /// Sets a field, unless it has this value.
    pub(super) fn set(&mut self, path: &str, value: impl Into<Bson>) {
        let value = value.into();
        let stored = get(self.raw, path).and_then(|stored| Bson::try_from(stored).ok());
        if stored.as_ref() != Some(&value) {
            self.set.insert(path, value);
        }
    }

    /// Sets a field of a nested document. If the document is null, it becomes one with this field.
    pub(super) fn set_nested(&mut self, outer: &str, field: &str, value: impl Into<Bson>) {
        let is_document = matches!(get(self.raw, outer), Some(RawBsonRef::Document(_)));
        if is_document {
            self.set(&format!("{outer}.{field}"), value);
        } else if let Ok(document) = self.set.get_document_mut(outer) {
            document.insert(field, value);
        } else {
            self.set.insert(outer, doc! { field: value });
        }
    }

    /// Converts the times of creation and of the latest change.
    pub(super) fn set_times(&mut self, fields: &OldFields) -> Result<(), String> {
        for name in ["createdAt", "updatedAt"] {
            if let Some(at) = values::time(name, fields.get(self.raw, name))? {
                self.set(name, date(at));
            }
        }
        Ok(())
    }

    /// Adds a remark for the report.
    pub(super) fn report(&mut self, kind: FindingKind, detail: impl Into<String>) {
        self.findings.push((kind, detail.into()));
    }

    /// Removes the fields that only the former service reads.
    pub(super) fn remove_old_fields(&mut self, fields: &OldFields) {
        self.unset = fields.obsolete_paths(self.raw, &self.kept);
    }

    /// Returns whether the document stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Returns the statement of an `update` command. It does nothing if one of the fields to set has
    /// been changed since the document was read.
    pub(super) fn statement(&self) -> Result<RawDocumentBuf, String> {
        let malformed = |_| "the document is no valid BSON".to_owned();
        let id = self.raw.get("_id").map_err(malformed)?.unwrap_or(RawBsonRef::Null);
        let mut filter = doc! { "_id": Bson::try_from(id).map_err(malformed)? };
        for (path, _) in &self.set {
            let value = stored(self.raw, path).unwrap_or(RawBsonRef::Null);
            filter.insert(path, Bson::try_from(value).map_err(malformed)?);
        }
        let mut update = Document::new();
        if !self.set.is_empty() {
            update.insert("$set", self.set.clone());
        }
        if !self.unset.is_empty() {
            let unset = self.unset.iter().map(|path| (path.clone(), Bson::from("")));
            update.insert("$unset", unset.collect::<Document>());
        }
        RawDocumentBuf::try_from(&doc! { "q": filter, "u": update }).map_err(malformed)
    }

    /// Checks that the gateway can read the converted document.
    pub(super) fn check<T>(
        &self,
        decode: impl Fn(&RawDocument) -> DecodeResult<T>,
    ) -> Result<(), String> {
        let reason = |raw, DecodeError { field, expected }| match get(raw, &field) {
            Some(value) => values::unexpected(&field, expected, Some(value)),
            None => format!("{field}: expected {expected}"),
        };
        if self.set.is_empty() {
            return decode(self.raw).map(drop).map_err(|error| reason(self.raw, error));
        }
        let malformed = |_| "the document is no valid BSON".to_owned();
        let mut document = Document::try_from(self.raw).map_err(malformed)?;
        for (path, value) in &self.set {
            insert(&mut document, path, value.clone());
        }
        let converted = RawDocumentBuf::try_from(&document).map_err(malformed)?;
        decode(&converted).map(drop).map_err(|error| reason(&converted, error))
    }
}

/// Returns the identifier of a document.
pub(super) fn require_id(raw: &RawDocument) -> Result<ObjectId, String> {
    let found = || raw.get("_id").ok().flatten();
    id_of(raw).ok_or_else(|| values::unexpected("_id", "an ObjectId", found()))
}

/// Returns the time of a document's creation, from the document or from its identifier.
pub(super) fn created_at(raw: &RawDocument, fields: &OldFields, id: ObjectId) -> Timestamp {
    let stored = values::time("createdAt", fields.get(raw, "createdAt")).ok().flatten();
    stored.unwrap_or_else(|| created_at_of(id))
}

/// Returns the value at a path, `None` if it is absent or null.
pub(super) fn get<'a>(raw: &'a RawDocument, path: &str) -> Option<RawBsonRef<'a>> {
    stored(raw, path).filter(|value| !matches!(value, RawBsonRef::Null | RawBsonRef::Undefined))
}

/// Returns whether a document has a field, even with null.
fn exists(raw: &RawDocument, path: &str) -> bool {
    stored(raw, path).is_some()
}

fn stored<'a>(raw: &'a RawDocument, path: &str) -> Option<RawBsonRef<'a>> {
    match path.split_once('.') {
        None => raw.get(path).ok()?,
        Some((outer, rest)) => match raw.get(outer).ok()?? {
            RawBsonRef::Document(inner) => stored(inner, rest),
            _ => None,
        },
    }
}

/// Inserts a value at a path, as `$set` does.
fn insert(document: &mut Document, path: &str, value: Bson) {
    match path.split_once('.') {
        None => {
            document.insert(path, value);
        }
        Some((outer, rest)) => {
            if let Ok(inner) = document.get_document_mut(outer) {
                insert(inner, rest, value);
            } else {
                let mut inner = Document::new();
                insert(&mut inner, rest, value);
                document.insert(outer, inner);
            }
        }
    }
}
