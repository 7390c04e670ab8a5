//! Leases the messages of the outbox.

use mongodb::{
    bson::{Document, RawDocumentBuf, doc},
    options::ReturnDocument,
};

use super::{
    connect::MongoStore,
    documents::{date, decode_or_log, oid, outbox},
    errors::{COMMAND_TIMEOUT, with_timeout},
};
use crate::{
    domain::outbox::{LeaseResult, OutboxLease},
    store::StoreError,
};

impl MongoStore {
    /// Leases the message that is due first, by one atomic command.
    ///
    /// The driver retries a lost command once, and the server recognizes the retry. If the reply is
    /// lost for good, the message is due again at the end of the lease.
    pub(super) async fn lease_message(
        &self,
        lease: &OutboxLease,
    ) -> Result<LeaseResult, StoreError> {
        // Each attempt moves a message into the future, so the loop ends.
        while let Some(raw) = self.take_message(lease).await? {
            if let Ok(message) = decode_or_log(self.outbox.name(), &raw, outbox::decode) {
                return Ok(LeaseResult::Leased(message));
            }
        }
        let next = self.outbox.find_one(doc! { "dueAt": { "$gt": date(lease.now) } });
        let next = next.sort(by_due_at()).projection(doc! { "_id": 0, "dueAt": 1 });
        let next = with_timeout(self.outbox.command("find"), next).await?;
        Ok(LeaseResult::Idle(next.and_then(|raw| outbox::due_at(&raw))))
    }

    async fn take_message(
        &self,
        lease: &OutboxLease,
    ) -> Result<Option<RawDocumentBuf>, StoreError> {
        let due = doc! { "dueAt": { "$lte": date(lease.now) } };
        let take = doc! {
            "$set": { "dueAt": date(lease.until()), "lease": oid(lease.id) },
            "$inc": { "attempts": 1 },
        };
        let take = self.outbox.find_one_and_update(due, take).sort(by_due_at());
        let take = take.return_document(ReturnDocument::After).max_time(COMMAND_TIMEOUT);
        with_timeout(self.outbox.command("findAndModify"), take).await
    }
}

fn by_due_at() -> Document {
    doc! { "dueAt": 1 }
}
