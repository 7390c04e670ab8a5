//! Caches of documents, bounded by the memory that they use.
//!
//! Clients control the content of both caches. Each cache evicts the documents that were used
//! least.

use std::sync::{Arc, OnceLock};

use async_graphql::{
    Positioned,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition},
};
use quick_cache::{Weighter, sync::Cache};

use super::repeats::remove_repeats;
use crate::graphql::{
    limits::OperationMeasures,
    operation_info::{DocumentInfo, OperationInfo},
    validation::NonNullUse,
};

/// The maximum size of the cache of parsed documents, in bytes. The size is an estimate.
const PARSED_BYTES: u64 = 16 * 1024 * 1024;
/// The maximum size of the cache of registered documents, in bytes of text.
const REGISTERED_BYTES: u64 = 8 * 1024 * 1024;
/// The memory that one token of a parsed document uses, in bytes. Measured and rounded up.
const BYTES_PER_TOKEN: u64 = 200;
/// The number of tokens above which repeated selections are removed. Documents of usual clients are
/// shorter and have none.
const LONG_DOCUMENT_TOKENS: u64 = 500;
/// The number of documents that a new cache has room for.
const INITIAL_CAPACITY: usize = 128;

/// The texts of registered documents, by their SHA-256.
pub(super) type RegisteredCache = Cache<[u8; 32], Arc<str>, ByteWeighter>;
/// The parsed documents, by their text.
pub(super) type ParsedCache = Cache<Arc<str>, Arc<ParsedDocument>, ByteWeighter>;

/// Creates an empty cache of registered documents.
pub(super) fn registered() -> RegisteredCache {
    Cache::with_weighter(INITIAL_CAPACITY, REGISTERED_BYTES, ByteWeighter)
}

/// Creates an empty cache of parsed documents.
pub(super) fn parsed() -> ParsedCache {
    Cache::with_weighter(INITIAL_CAPACITY, PARSED_BYTES, ByteWeighter)
}

/// A valid document with the facts that telemetry reports of it.
pub(in crate::graphql) struct ParsedDocument {
    /// The syntax tree of the document.
    pub(in crate::graphql) document: ExecutableDocument,
    /// The variables that a request must not set to `null` although their types allow it.
    pub(in crate::graphql) non_null_uses: Vec<NonNullUse>,
    /// `true` if the document selects a field of a tenant that most documents do not select.
    pub(in crate::graphql) selects_tenant_details: bool,
    /// The attributes that all operations of the document share.
    pub(in crate::graphql) info: DocumentInfo,
    /// The attributes of the operation, if the document has only one and it was requested before.
    pub(in crate::graphql) only_operation: OnceLock<Arc<OperationInfo>>,
    /// The measures of the operation, if the document has only one, it was requested before, and they
    /// depend on no variable.
    pub(in crate::graphql) only_measures: OnceLock<OperationMeasures>,
    /// The number of lexical tokens.
    pub(super) tokens: u64,
}

impl ParsedDocument {
    /// Returns `true` if the document has exactly one operation.
    pub(in crate::graphql) fn has_one_operation(&self) -> bool {
        self.document.operations.iter().take(2).count() == 1
    }

    /// Returns a copy of one operation and of all fragments for the engine.
    ///
    /// The other operations are left out, because the engine visits all. The copy of a long document
    /// has no repeated selections, because it stays in memory as long as the request.
    pub(in crate::graphql) fn to_executable(
        &self,
        operation: &Positioned<OperationDefinition>,
    ) -> ExecutableDocument {
        let operations = DocumentOperations::Single(operation.clone());
        let fragments = self.document.fragments.clone();
        let mut document = ExecutableDocument { operations, fragments };
        if self.tokens > LONG_DOCUMENT_TOKENS {
            remove_repeats(&mut document);
        }
        document
    }
}

/// Estimates the memory that a cache entry uses, in bytes. It adds a constant for the key and the
/// bookkeeping of the entry.
#[derive(Clone)]
pub(super) struct ByteWeighter;

impl Weighter<[u8; 32], Arc<str>> for ByteWeighter {
    fn weight(&self, _: &[u8; 32], text: &Arc<str>) -> u64 {
        text.len() as u64 + 64
    }
}

impl Weighter<Arc<str>, Arc<ParsedDocument>> for ByteWeighter {
    fn weight(&self, text: &Arc<str>, parsed: &Arc<ParsedDocument>) -> u64 {
        text.len() as u64 + parsed.tokens * BYTES_PER_TOKEN + 256
    }
}
