//! The documents that are known: those that were parsed before, those that a client has registered
//! (automatic persisted queries), and those that whoever runs this trusts.
//!
//! What clients can fill is bounded by bytes; what was asked for least goes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use async_graphql::parser::types::ExecutableDocument;
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::{Weighter, sync::Cache};
use serde::Deserialize;

use super::{
    error::{Code, RequestError},
    operation_info::OperationInfo,
};
use crate::domain::trusted_documents::TrustedDocumentsMode;

/// How much parsed documents may take, in bytes, as far as that can be told.
const PARSED_BYTES: u64 = 16 * 1024 * 1024;
/// How much the text of registered documents may take, in bytes.
const REGISTERED_BYTES: u64 = 8 * 1024 * 1024;
/// What a token of a document takes once it is parsed, in bytes: measured, and rounded up.
const BYTES_PER_TOKEN: u64 = 200;
/// How many documents the caches make room for to begin with.
const INITIAL_CAPACITY: usize = 128;

/// Documents that whoever runs this trusts, by identifier.
#[derive(Debug, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<String, Arc<str>>,
    texts: HashSet<Arc<str>>,
    mode: TrustedDocumentsMode,
}

/// A list of trusted documents, in the forms in which tools write it: an object of texts by
/// identifier (GraphQL Code Generator, Relay), or Apollo's manifest.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { operations: Vec<Operation> },
    ById(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Reads a manifest; an error says what is wrong with it, in one line.
    pub fn read(json: &str, mode: TrustedDocumentsMode) -> Result<Self, String> {
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
            if let Err(error) = async_graphql::parser::parse_query(&text) {
                let places = error.positions();
                let line = places.into_iter().next().map_or(0, |place| place.line);
                return Err(format!("the document {id:?} is not valid GraphQL at line {line}"));
            }
            let text: Arc<str> = text.into();
            trusted.texts.insert(text.clone());
            trusted.by_id.insert(id, text);
        }
        Ok(trusted)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// By its identifier, with or without the name of the digest before it, on either side.
    fn find(&self, id: &str) -> Option<&Arc<str>> {
        let bare = || self.by_id.get(id.strip_prefix("sha256:")?);
        let named = || self.by_id.get(&format!("sha256:{id}"));
        self.by_id.get(id).or_else(bare).or_else(named)
    }
}

/// How a request names its document.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DocumentRef<'a> {
    /// By its text.
    pub(super) text: Option<&'a str>,
    /// By its identifier among the trusted ones.
    pub(super) id: Option<&'a str>,
    /// By its SHA-256 in hexadecimal digits (`extensions.persistedQuery.sha256Hash`).
    pub(super) hash: Option<&'a str>,
}

/// Every document that is known.
pub(super) struct Documents {
    trusted: TrustedDocuments,
    registered: Cache<[u8; 32], Arc<str>, Weight>,
    parsed: Cache<Arc<str>, Arc<ParsedDocument>, Weight>,
}

/// A document that was parsed.
pub(super) struct ParsedDocument {
    pub(super) document: ExecutableDocument,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub(super) hash: String,
    /// Whether it is one of the trusted ones.
    pub(super) trusted: bool,
    /// What is told of its only operation, once that is known.
    pub(super) label: OnceLock<Arc<OperationInfo>>,
    tokens: u64,
}

/// What an entry takes, in bytes.
#[derive(Clone)]
struct Weight;

impl Weighter<[u8; 32], Arc<str>> for Weight {
    fn weight(&self, _: &[u8; 32], text: &Arc<str>) -> u64 {
        text.len() as u64 + 64
    }
}

impl Weighter<Arc<str>, Arc<ParsedDocument>> for Weight {
    fn weight(&self, text: &Arc<str>, parsed: &Arc<ParsedDocument>) -> u64 {
        text.len() as u64 + parsed.tokens * BYTES_PER_TOKEN + 256
    }
}

impl Documents {
    pub(super) fn new(trusted: TrustedDocuments) -> Self {
        Self {
            trusted,
            registered: Cache::with_weighter(INITIAL_CAPACITY, REGISTERED_BYTES, Weight),
            parsed: Cache::with_weighter(INITIAL_CAPACITY, PARSED_BYTES, Weight),
        }
    }

    /// The text of the document that a request names.
    pub(super) fn find(&self, named: DocumentRef<'_>) -> Result<Arc<str>, RequestError> {
        let text: Arc<str> = match named {
            DocumentRef { text: Some(text), id: None, hash: None } => text.into(),
            DocumentRef { text: Some(text), id: None, hash: Some(hash) } => {
                if key_of(hash).is_none_or(|key| key != sha256(text)) {
                    let message = "`sha256Hash` is not the SHA-256 of `query`.";
                    return Err(RequestError::new(Code::BadUserInput, message));
                }
                text.into()
            }
            DocumentRef { text: None, id: Some(id), .. } => {
                return self.trusted.find(id).cloned().ok_or_else(|| {
                    RequestError::new(
                        Code::BadUserInput,
                        "There is no document of that identifier.",
                    )
                });
            }
            DocumentRef { text: None, id: None, hash: Some(hash) } => {
                return self.find_by_hash(hash);
            }
            DocumentRef { text: Some(_), id: Some(_), .. } => {
                let message = "Name a document by its text or by its identifier, not both.";
                return Err(RequestError::new(Code::BadUserInput, message));
            }
            DocumentRef { text: None, id: None, hash: None } => {
                return Err(RequestError::new(Code::BadUserInput, "There is no document."));
            }
        };
        self.check_policy(&text)?;
        Ok(text)
    }

    /// Refuses a document that is not trusted, where only those may run.
    fn check_policy(&self, text: &str) -> Result<(), RequestError> {
        if self.trusted.mode == TrustedDocumentsMode::Off || self.trusted.texts.contains(text) {
            return Ok(());
        }
        let hash = hex::encode(sha256(text));
        match self.trusted.mode {
            TrustedDocumentsMode::Report => {
                tracing::warn!(sha256 = hash, "a document that is not trusted would be refused");
                Ok(())
            }
            _ => {
                tracing::info!(sha256 = hash, "a document that is not trusted was refused");
                Err(RequestError::new(Code::Forbidden, "Only trusted documents run here."))
            }
        }
    }

    /// Keeps the text of a document that was sent with its hash; of one that can run, so that nobody
    /// fills the registry with what is nothing.
    pub(super) fn register(&self, named: DocumentRef<'_>, text: &Arc<str>) {
        if let DocumentRef { text: Some(_), hash: Some(hash), .. } = named
            && let Some(key) = key_of(hash)
        {
            self.registered.insert(key, text.clone());
        }
    }

    /// By its hash: trusted, or registered before. The message is what clients of the protocol
    /// look for: then they send the text, too.
    fn find_by_hash(&self, hash: &str) -> Result<Arc<str>, RequestError> {
        if let Some(text) = self.trusted.find(hash) {
            return Ok(text.clone());
        }
        let registered = key_of(hash).and_then(|key| self.registered.get(&key));
        let Some(text) = registered else {
            return Err(RequestError::new(Code::BadUserInput, "PersistedQueryNotFound"));
        };
        self.check_policy(&text)?;
        Ok(text)
    }

    /// A document that was parsed before.
    pub(super) fn parsed(&self, text: &str) -> Option<Arc<ParsedDocument>> {
        self.parsed.get(text)
    }

    /// Keeps a parsed document for the next time.
    pub(super) fn cache_parsed(
        &self,
        text: Arc<str>,
        document: ExecutableDocument,
        tokens: u64,
    ) -> Arc<ParsedDocument> {
        let hash = hex::encode(sha256(&text));
        let trusted = self.trusted.texts.contains(&text);
        let parsed =
            Arc::new(ParsedDocument { document, hash, trusted, label: OnceLock::new(), tokens });
        self.parsed.insert(text, parsed.clone());
        parsed
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// 64 hexadecimal digits.
fn key_of(hash: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(hash, &mut key).ok()?;
    Some(key)
}
