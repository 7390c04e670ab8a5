//! Lookups by key, and helpers for every query.

use futures_util::{StreamExt, future::BoxFuture};
use mongodb::{
    action::Find,
    bson::{Bson, Document, RawDocument, RawDocumentBuf, doc},
    raw_batch_cursor::RawBatchCursor,
};

use super::{
    collection::RawCollection,
    connect::MongoStore,
    documents::{self, DecodeResult, decode_or_log, oid},
    errors::{COMMAND_TIMEOUT, read_error, timeout_error, with_timeout},
};
use crate::{
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, Id, UserId},
        invitation::{Invitation, InvitationStatus},
        list::UnreadableDocument,
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::Tenant,
        user::{Identity, Tombstone, User},
    },
    store::{
        Decoded, InvitationKeys, StoreError, SubscriptionKeys, TenantKeys, instrumentation::Command,
    },
};

/// The command of every lookup.
const FIND: &str = "find";

impl MongoStore {
    pub(super) async fn tenants_by(
        &self,
        keys: TenantKeys<'_>,
        projection: Document,
    ) -> Result<Vec<Decoded<Tenant>>, StoreError> {
        let (filter, size) = match keys {
            TenantKeys::Ids(ids) => (doc! { "_id": id_filter(ids) }, ids.len()),
            // `$gt` repeats the filter of the partial index, which has only strings. Without it the
            // server does not use the index.
            TenantKeys::Slugs([slug]) => (doc! { "slug": { "$eq": slug, "$gt": "" } }, 1),
            TenantKeys::Slugs(slugs) => (doc! { "slug": { "$in": slugs, "$gt": "" } }, slugs.len()),
            TenantKeys::SlugsOrGroups(slugs, groups) => {
                let by_slug = doc! { "slug": { "$in": slugs, "$gt": "" } };
                let by_group = doc! { "integrations.authentikGroup": { "$in": groups, "$gt": "" } };
                (doc! { "$or": [by_slug, by_group] }, slugs.len() + groups.len())
            }
        };
        by_key(
            &self.tenants,
            self.tenants.find(filter).projection(projection),
            size,
            documents::tenant::decode,
        )
        .await
    }

    pub(super) async fn users_by_id(
        &self,
        ids: &[UserId],
    ) -> Result<Vec<Decoded<User>>, StoreError> {
        let decode = |raw: &_| documents::user::decode(raw, &self.default_issuer);
        let find = self.users.find_without_search_keys(doc! { "_id": id_filter(ids) });
        by_key(&self.users, find, ids.len(), decode).await
    }

    /// Returns at most one user. The query is by subject only, because an older document names no
    /// issuer. A document that names the issuer takes precedence over one that falls back to it.
    pub(super) async fn user_by_identity(
        &self,
        identity: &Identity,
    ) -> Result<Vec<Decoded<User>>, StoreError> {
        let is_default_issuer = identity.issuer == self.default_issuer;
        let (mut exact, mut fallback) = (None, None);
        let cursor = self.users.find_without_search_keys(doc! { "subject": &identity.subject });
        for_each_document(self.users.command(FIND), cursor.batch(), |raw| {
            let user = match documents::user::issuer(raw) {
                Some(issuer) if issuer == identity.issuer => &mut exact,
                None if is_default_issuer => &mut fallback,
                _ => return,
            };
            let decode = |raw: &_| documents::user::decode_for_sync(raw, &self.default_issuer);
            *user = Some(decode_or_log(self.users.name(), raw, decode));
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
            SubscriptionKeys::LiveOfTenants(tenants) => (
                doc! { "tenantId": id_filter(tenants), "status": { "$in": live_statuses() } },
                tenants.len(),
            ),
        };
        by_key(
            &self.subscriptions,
            self.subscriptions.find(filter),
            size,
            documents::subscription::decode,
        )
        .await
    }

    pub(super) async fn invitations_by(
        &self,
        keys: InvitationKeys<'_>,
    ) -> Result<Vec<Decoded<Invitation>>, StoreError> {
        let (filter, size) = match keys {
            InvitationKeys::Ids(ids) => (doc! { "_id": id_filter(ids) }, ids.len()),
            InvitationKeys::Pending(tenant, email) => {
                let status = InvitationStatus::Pending.as_str();
                (doc! { "tenantId": oid(tenant.raw), "email": email, "status": status }, 1)
            }
        };
        by_key(
            &self.invitations,
            self.invitations.find(filter),
            size,
            documents::invitation::decode,
        )
        .await
    }

    pub(super) async fn audit_events_by_id(
        &self,
        ids: &[AuditEventId],
    ) -> Result<Vec<Decoded<AuditEvent>>, StoreError> {
        let filter = doc! { "_id": id_filter(ids) };
        by_key(
            &self.audit_events,
            self.audit_events.find(filter),
            ids.len(),
            documents::audit::decode,
        )
        .await
    }

    /// Returns the latest tombstone of an identity. An unreadable one is an error. If it counted as
    /// absent, the deleted user could sign in.
    pub(super) async fn latest_tombstone(
        &self,
        identity: &Identity,
    ) -> Result<Option<Tombstone>, StoreError> {
        let filter = doc! { "subject": &identity.subject, "issuer": &identity.issuer };
        let latest = self.tombstones.find(filter).sort(doc! { "deletedAt": -1 }).limit(1);
        let mut tombstone = None;
        for_each_document(self.tombstones.command(FIND), latest.batch(), |raw| {
            let decode = documents::tombstone::decode;
            tombstone = Some(decode_or_log(self.tombstones.name(), raw, decode));
        })
        .await?;
        let unreadable =
            |_: UnreadableDocument| StoreError::Internal("a tombstone cannot be read".to_owned());
        tombstone.transpose().map_err(unreadable)
    }
}

/// Matches these identifiers. A single one is not wrapped in `$in`, because the server has a faster
/// path for that.
pub(super) fn id_filter<E>(ids: &[Id<E>]) -> Bson {
    match ids {
        [id] => oid(id.raw).into(),
        _ => doc! { "$in": ids.iter().map(|id| oid(id.raw)).collect::<Vec<_>>() }.into(),
    }
}

/// Returns the stored statuses of a live subscription.
pub(super) fn live_statuses() -> Vec<&'static str> {
    TenantSubscriptionStatus::LIVE.iter().map(|status| status.as_str()).collect()
}

async fn by_key<T>(
    collection: &RawCollection,
    find: Find<'_, RawDocumentBuf>,
    size: usize,
    decode: impl Fn(&RawDocument) -> DecodeResult<T>,
) -> Result<Vec<Decoded<T>>, StoreError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let mut all = Vec::with_capacity(size);
    let cursor = find.batch_size(batch_size_for(size));
    for_each_document(collection.command(FIND), cursor.batch(), |raw| {
        all.push(decode_or_log(collection.name(), raw, &decode));
    })
    .await?;
    Ok(all)
}

/// Returns a batch size of one more than `size`. With it, one reply holds all documents and closes
/// the cursor.
pub(super) fn batch_size_for(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX).saturating_add(1)
}

/// Calls `visit` with every document of a query. The documents are slices of the server's reply.
///
/// The driver's future has many kilobytes. It is boxed here, before any other future contains it.
/// Otherwise each of them would copy it.
pub(super) fn for_each_document<'a>(
    command: Command<'a>,
    query: impl Future<Output = Result<RawBatchCursor, mongodb::error::Error>> + Send + 'a,
    mut visit: impl FnMut(&RawDocument),
) -> impl Future<Output = Result<(), StoreError>> {
    let query: BoxFuture<'a, _> = Box::pin(query);
    async move {
        let mut cursor = with_timeout(command, query).await?;
        loop {
            let next = tokio::time::timeout(COMMAND_TIMEOUT, cursor.next()).await;
            let Some(batch) = next.map_err(|_| timeout_error())? else { return Ok(()) };
            let batch = batch.map_err(|error| read_error(&error))?;
            let documents = batch.doc_slices().map_err(|error| read_error(&error))?;
            for document in documents {
                let document = document.map_err(|error| StoreError::Internal(error.to_string()))?;
                if let Some(document) = document.as_document() {
                    visit(document);
                }
            }
        }
    }
}
