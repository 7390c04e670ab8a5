//! Finds the document of a request.
//!
//! The gateway knows three kinds of documents:
//!
//! - documents that it has validated before, in a [`cache`];
//! - documents that a client has registered (automatic persisted queries), in a [`cache`];
//! - documents that the operator trusts, in [`TrustedDocuments`].

mod cache;
mod repeats;
mod trusted;

use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use aws_lc_rs::digest::{SHA256, digest};

use super::{
    error::{Code, RequestError},
    operation_info::DocumentInfo,
    validation::NonNullUse,
};
use crate::domain::trusted_documents::TrustedDocumentsMode;

use cache::{ParsedCache, RegisteredCache};

pub(super) use cache::ParsedDocument;
pub use trusted::TrustedDocuments;

/// The fields of a tenant that a store need not read unless a document selects one of them.
const TENANT_DETAILS: [&str; 3] = ["domains", "billingInfo", "integrations"];

/// The parameters of a request that identify its document.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DocumentRef<'a> {
    /// The text of the document.
    pub(super) text: Option<&'a str>,
    /// The identifier of a trusted document.
    pub(super) id: Option<&'a str>,
    /// The SHA-256 in hexadecimal digits (`extensions.persistedQuery.sha256Hash`).
    pub(super) hash: Option<&'a str>,
}

/// The documents that the gateway knows.
pub(super) struct Documents {
    trusted: TrustedDocuments,
    registered: RegisteredCache,
    parsed: ParsedCache,
}

impl Documents {
    /// Creates empty caches beside the trusted documents.
    pub(super) fn new(trusted: TrustedDocuments) -> Self {
        Self { trusted, registered: cache::registered(), parsed: cache::parsed() }
    }

    /// Returns the text of the document that a request references.
    ///
    /// # Errors
    ///
    /// Returns an error if the reference is contradictory or unknown, or if the document is not
    /// trusted and the mode is `enforce`.
    pub(super) fn find(&self, reference: DocumentRef<'_>) -> Result<Arc<str>, RequestError> {
        match reference {
            DocumentRef { text: Some(_), id: Some(_), .. } => {
                Err(bad_input("A request must not have both `query` and `documentId`."))
            }
            DocumentRef { text: Some(text), id: None, hash } => {
                if hash.is_some_and(|hash| parse_hash(hash) != Some(sha256(text))) {
                    return Err(bad_input("`sha256Hash` is not the SHA-256 hash of `query`."));
                }
                self.reject_if_untrusted(text)?;
                Ok(text.into())
            }
            DocumentRef { text: None, id: Some(id), .. } => {
                let text = self.trusted.find(id).cloned();
                text.ok_or_else(|| bad_input("No trusted document has this `documentId`."))
            }
            DocumentRef { text: None, id: None, hash: Some(hash) } => self.find_by_hash(hash),
            DocumentRef { text: None, id: None, hash: None } => {
                Err(bad_input("The request has no document. Send it in `query`."))
            }
        }
    }

    /// Returns the text of a trusted or registered document by its hash.
    ///
    /// The message of the error belongs to the protocol of automatic persisted queries. Clients
    /// compare it, and then send the text together with the hash.
    fn find_by_hash(&self, hash: &str) -> Result<Arc<str>, RequestError> {
        if let Some(text) = self.trusted.find(hash) {
            return Ok(text.clone());
        }
        let registered = parse_hash(hash).and_then(|key| self.registered.get(&key));
        let text = registered.ok_or_else(|| bad_input("PersistedQueryNotFound"))?;
        self.reject_if_untrusted(&text)?;
        Ok(text)
    }

    /// Rejects an untrusted document in the mode `enforce`. Only logs it in the mode `report`.
    fn reject_if_untrusted(&self, text: &str) -> Result<(), RequestError> {
        if self.trusted.mode() == TrustedDocumentsMode::Off || self.trusted.contains(text) {
            return Ok(());
        }
        let document_sha256 = hex::encode(sha256(text));
        if self.trusted.mode() == TrustedDocumentsMode::Report {
            tracing::warn!(document_sha256, "an untrusted document would be rejected");
            return Ok(());
        }
        tracing::info!(document_sha256, "an untrusted document was rejected");
        Err(RequestError::new(Code::Forbidden, "This server runs only trusted documents."))
    }

    /// Stores the text of a document that was sent with its hash.
    ///
    /// The document must be valid, so that clients cannot fill the cache with other text.
    pub(super) fn register(&self, reference: DocumentRef<'_>, text: &Arc<str>) {
        if let DocumentRef { text: Some(_), hash: Some(hash), .. } = reference
            && let Some(key) = parse_hash(hash)
        {
            self.registered.insert(key, text.clone());
        }
    }

    /// Returns the parsed document with this text, if it is in the cache.
    pub(super) fn cached(&self, text: &str) -> Option<Arc<ParsedDocument>> {
        self.parsed.get(text)
    }

    /// Stores a valid document in the cache and returns it.
    pub(super) fn cache_parsed(
        &self,
        text: Arc<str>,
        (document, non_null_uses): (ExecutableDocument, Vec<NonNullUse>),
        tokens: u64,
    ) -> Arc<ParsedDocument> {
        let hash = hex::encode(sha256(&text));
        let info = DocumentInfo { hash, trusted: self.trusted.contains(&text) };
        let (only_operation, only_measures) = (OnceLock::new(), OnceLock::new());
        let parsed = Arc::new(ParsedDocument {
            selects_tenant_details: selects_tenant_details(&document),
            document,
            non_null_uses,
            info,
            only_operation,
            only_measures,
            tokens,
        });
        self.parsed.insert(text, parsed.clone());
        parsed
    }
}

/// Returns whether a document selects a field with the name of one of [`TENANT_DETAILS`].
fn selects_tenant_details(document: &ExecutableDocument) -> bool {
    fn is_selected(set: &SelectionSet) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                TENANT_DETAILS.contains(&field.node.name.node.as_str())
                    || is_selected(&field.node.selection_set.node)
            }
            Selection::InlineFragment(inline) => is_selected(&inline.node.selection_set.node),
            // All fragments are searched.
            Selection::FragmentSpread(_) => false,
        })
    }
    let operations = document.operations.iter();
    operations.map(|(_, operation)| &operation.node.selection_set.node).any(is_selected)
        || document.fragments.values().any(|f| is_selected(&f.node.selection_set.node))
}

fn bad_input(message: &'static str) -> RequestError {
    RequestError::new(Code::BadUserInput, message)
}

fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// Parses a SHA-256 of 64 hexadecimal digits.
fn parse_hash(hash: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(hash, &mut key).ok()?;
    Some(key)
}
