//! Writes the changes of converted documents in batches.

use mongodb::bson::{Bson, RawDocument, RawDocumentBuf, rawdoc};

use crate::store::{
    StoreError,
    mongo::{collection::RawCollection, connect::MongoStore, errors::read_error},
};

/// The maximum number of documents that one command updates.
const MAX_STATEMENTS: usize = 500;
/// The size at which a batch is full. A command may have 48 MB.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Statements of one `update` command, and the identifiers of their documents.
#[derive(Default)]
pub(super) struct Batch {
    statements: Vec<RawDocumentBuf>,
    ids: Vec<Bson>,
    bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, raw: &RawDocument, statement: RawDocumentBuf) {
        self.bytes += statement.as_bytes().len();
        self.statements.push(statement);
        let id = raw.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
        self.ids.push(id.unwrap_or(Bson::Null));
    }

    pub(super) fn is_full(&self) -> bool {
        self.statements.len() >= MAX_STATEMENTS || self.bytes >= MAX_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl MongoStore {
    /// Writes a batch. Returns the identifiers of all its documents if some of them were not written,
    /// because another program has changed them since they were read.
    pub(super) async fn write_batch(
        &self,
        collection: &RawCollection,
        batch: Batch,
    ) -> Result<Vec<Bson>, StoreError> {
        let expected = batch.statements.len();
        let mut updates = mongodb::bson::RawArrayBuf::new();
        for statement in batch.statements {
            updates.push(statement);
        }
        let command = rawdoc! {
            "update": collection.name(),
            "updates": updates,
            "ordered": false,
            "writeConcern": { "w": "majority" },
        };
        let command = self.database.run_raw_command(command);
        let write = async { command.await.map_err(|error| read_error(&error)) };
        let response = collection.command("update").instrument(write).await?;
        let has_errors = response.contains_key("writeErrors");
        let matched = response.get_i32("n").unwrap_or_default();
        if let Ok(errors) = response.get_array("writeErrors")
            && let Some(error) = errors.first().and_then(Bson::as_document)
        {
            tracing::warn!(
                code = error.get_i32("code").ok(),
                collection = collection.name(),
                "a document was not written"
            );
        }
        let complete = !has_errors && usize::try_from(matched) == Ok(expected);
        Ok(if complete { Vec::new() } else { batch.ids })
    }
}
