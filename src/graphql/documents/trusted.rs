//! The documents that the operator trusts, read from a manifest.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::Deserialize;

use crate::{domain::trusted_documents::TrustedDocumentsMode, graphql::validation};

/// The operator's trusted documents, by identifier.
#[derive(Debug, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<str>>,
    texts: HashSet<Arc<str>>,
    mode: TrustedDocumentsMode,
}

/// A manifest in one of the formats that tools write.
///
/// `ById` is an object of document texts by identifier (GraphQL Code Generator, Relay). `Apollo`
/// is Apollo's persisted query manifest.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { operations: Vec<ManifestOperation> },
    ById(HashMap<String, String>),
}

#[derive(Deserialize)]
struct ManifestOperation {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Parses a manifest.
    ///
    /// # Errors
    ///
    /// Returns a one-line description of the first error in the manifest.
    pub fn parse(json: &str, mode: TrustedDocumentsMode) -> Result<Self, String> {
        let manifest: Manifest = serde_json::from_str(json).map_err(|_| {
            "expected JSON: an object of documents by identifier, or Apollo's manifest".to_owned()
        })?;
        let documents: Vec<(String, String)> = match manifest {
            Manifest::ById(by_id) => by_id.into_iter().collect(),
            Manifest::Apollo { operations } => {
                operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
        };
        let mut trusted = Self { mode, ..Self::default() };
        for (id, text) in documents {
            if let Some(line) = validation::syntax_error_line(&text) {
                return Err(format!("the document {id:?} is not valid GraphQL at line {line}"));
            }
            let text: Arc<str> = text.into();
            trusted.texts.insert(text.clone());
            trusted.by_id.insert(id, text);
        }
        Ok(trusted)
    }

    /// Returns the number of trusted documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns `true` if no document is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Returns the configured treatment of documents that are not trusted.
    pub(super) const fn mode(&self) -> TrustedDocumentsMode {
        self.mode
    }

    /// Returns `true` if the manifest has a document with exactly this text.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// Returns the text of the document with this identifier.
    ///
    /// The prefix `sha256:` is optional, both in the manifest and in the argument.
    pub(super) fn find(&self, id: &str) -> Option<&Arc<str>> {
        let without_prefix = || self.by_id.get(id.strip_prefix("sha256:")?);
        let with_prefix = || self.by_id.get(&format!("sha256:{id}"));
        self.by_id.get(id).or_else(without_prefix).or_else(with_prefix)
    }
}
