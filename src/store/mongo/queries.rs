//! Reads by key.

use futures_util::StreamExt;
use mongodb::{
    bson::{Bson, Document, RawDocument, doc},
    raw_batch_cursor::RawBatchCursor,
};

use super::{
    MongoStore, RawCollection,
    documents::{self, DecodeResult, decode_or_log, oid},
    errors::{COMMAND_TIMEOUT, read_error, timeout_error, with_timeout},
};
use crate::{
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, Id, UserId},
        list::UnreadableDocument,
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::Tenant,
        user::{Identity, Tombstone, User},
    },
    store::{Decoded, StoreError, SubscriptionKeys, TenantKeys, instrumentation::Command},
};

/// The command of every read by key.
const FIND: &str = "find";

impl MongoStore {
    pub(super) async fn tenants_by(
        &self,
        keys: TenantKeys<'_>,
    ) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        let (filter, size) = match keys {
            TenantKeys::Ids(ids) => (doc! { "_id": id_filter(ids) }, ids.len()),
            TenantKeys::Slugs([slug]) => (doc! { "slug": slug }, 1),
            TenantKeys::Slugs(slugs) => (doc! { "slug": { "$in": slugs } }, slugs.len()),
            TenantKeys::SlugsOrGroups(slugs, groups) => {
                let by_slug = doc! { "slug": { "$in": slugs } };
                // The index holds texts only, and is used only where the query says so too.
                let by_group = doc! { "integrations.authentikGroup": { "$in": groups, "$gt": "" } };
                (doc! { "$or": [by_slug, by_group] }, slugs.len() + groups.len())
            }
        };
        by_key(&self.tenants, filter, size, documents::tenant::read).await
    }

    pub(super) async fn users_by_id(
        &self,
        ids: &[UserId],
    ) -> Result<Vec<Decoded<User>>, StoreError> {
        let read = |raw: &_| documents::user::read(raw, &self.default_issuer);
        by_key(&self.users, doc! { "_id": id_filter(ids) }, ids.len(), read).await
    }

    /// At most one user. By subject alone, because an older document names no issuer; one that
    /// names it goes before one that only falls back to it.
    pub(super) async fn user_by_identity(
        &self,
        identity: &Identity,
    ) -> Result<Vec<Decoded<User>>, StoreError> {
        let default = identity.issuer == self.default_issuer;
        let (mut exact, mut fallback) = (None, None);
        let cursor = self.users.find(doc! { "subject": &identity.subject });
        for_each_document(self.users.command(FIND), cursor.batch(), |raw| {
            let place = match documents::user::issuer(raw) {
                Some(issuer) if issuer == identity.issuer => &mut exact,
                None if default => &mut fallback,
                _ => return,
            };
            let read = |raw: &_| documents::user::read(raw, &self.default_issuer);
            *place = Some(decode_or_log(self.users.name(), raw, read));
        })
        .await?;
        Ok(exact.or(fallback).into_iter().collect())
    }

    pub(super) async fn subscriptions_by(
        &self,
        keys: SubscriptionKeys<'_>,
    ) -> Result<Vec<Decoded<TenantSubscription>>, StoreError> {
        let (filter, size) = match keys {
            SubscriptionKeys::Ids(ids) => (doc! { "_id": id_filter(ids) }, ids.len()),
            SubscriptionKeys::LiveSubscriptionKey(tenants) => (
                doc! { "tenantId": id_filter(tenants), "status": { "$in": live_statuses() } },
                tenants.len(),
            ),
        };
        by_key(&self.subscriptions, filter, size, documents::subscription::read).await
    }

    pub(super) async fn audit_events_by_id(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        let filter = doc! { "_id": id_filter(ids) };
        by_key(&self.audit_events, filter, ids.len(), documents::audit::read).await
    }

    /// A tombstone that cannot be read is an error: taking it for none would let somebody in.
    pub(super) async fn youngest_tombstone(
        &self,
        identity: &Identity,
    ) -> Result<Option<Tombstone>, StoreError> {
        let filter = doc! { "subject": &identity.subject, "issuer": &identity.issuer };
        let youngest = self.tombstones.find(filter).sort(doc! { "deletedAt": -1 }).limit(1);
        let mut read = None;
        for_each_document(self.tombstones.command(FIND), youngest.batch(), |raw| {
            read = Some(decode_or_log(self.tombstones.name(), raw, documents::tombstone::read));
        })
        .await?;
        let broken =
            |_: UnreadableDocument| StoreError::Internal("a tombstone cannot be read".to_owned());
        read.transpose().map_err(broken)
    }
}

/// `{$in: [..]}`, or the one itself: the server has a shorter way for that.
pub(super) fn id_filter<E>(ids: &[Id<E>]) -> Bson {
    match ids {
        [id] => oid(id.raw).into(),
        _ => doc! { "$in": ids.iter().map(|id| oid(id.raw)).collect::<Vec<_>>() }.into(),
    }
}

/// The words of every status of a subscription that is not over.
pub(super) fn live_statuses() -> Vec<&'static str> {
    TenantSubscriptionStatus::LIVE.iter().map(|status| status.as_str()).collect()
}

async fn by_key<T>(
    collection: &RawCollection,
    filter: Document,
    size: usize,
    read: impl Fn(&RawDocument) -> DecodeResult<T>,
) -> Result<Vec<Decoded<T>>, StoreError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let mut all = Vec::with_capacity(size);
    let cursor = collection.find(filter).batch_size(batch_size_for(size));
    let find = collection.command(FIND);
    for_each_document(find, cursor.batch(), |raw| {
        all.push(decode_or_log(collection.name(), raw, &read))
    })
    .await?;
    Ok(all)
}

/// A batch that holds `size` documents and one more: so the server need not be asked for the next.
pub(super) fn batch_size_for(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX).saturating_add(1)
}

/// Shows every document of a query, as it lies in the server's answer.
pub(super) async fn for_each_document(
    command: Command<'_>,
    query: impl Future<Output = Result<RawBatchCursor, mongodb::error::Error>>,
    mut show: impl FnMut(&RawDocument),
) -> Result<(), StoreError> {
    let mut cursor = with_timeout(command, query).await?;
    loop {
        let next = tokio::time::timeout(COMMAND_TIMEOUT, cursor.next()).await;
        let Some(batch) = next.map_err(|_| timeout_error())? else { return Ok(()) };
        let batch = batch.map_err(|error| read_error(&error))?;
        let documents = batch.doc_slices().map_err(|error| read_error(&error))?;
        for document in documents {
            let document = document.map_err(|error| StoreError::Internal(error.to_string()))?;
            if let Some(document) = document.as_document() {
                show(document);
            }
        }
    }
}
