//! Deletes tenants, which may have more members than one transaction can change.
//!
//! The transaction of a large deletion leaves a marker document among the tombstones. The
//! memberships are removed in batches after the commit, and then the marker document.
//!
//! Adding a member locks the tenant, so it cannot happen during the deletion. A sync from groups
//! does not lock it, and may commit a membership that the transaction did not see. The deletion
//! therefore looks for members once more after its commit, and a sync checks whether the tenants
//! that it joined still exist.

use mongodb::{
    ClientSession,
    bson::{Document, doc, oid},
};

use super::{
    connect::MongoStore,
    documents::{
        date, id_of, log_decode_error, oid as to_oid,
        search::SearchOwner,
        tombstone::{PendingCleanup, decode_marker, encode_marker},
    },
    errors::with_timeout,
    keyset::min_object_id,
    queries::{batch_size_for, for_each_document},
    writes::{WriteError, delete, ensure_matched, id_version_filter, write_with_timeout},
};
use crate::{
    domain::{change::Change, id::TenantId, time::Timestamp},
    store::StoreError,
};

/// The maximum number of members that are changed in the transaction of a deletion. More are
/// changed after it, in batches of this size.
const MAX_BATCH: usize = 1_000;
/// The field of a user that names the tenant whose deletion has removed a membership last.
///
/// Nothing reads the stored value. The change stream reports each of them, so that the former members
/// learn of the deletion.
pub(super) const DELETED_TENANT: &str = "deletedTenant";

impl MongoStore {
    /// Deletes a tenant with its subscriptions and invitations. Also removes its memberships, or inserts a marker
    /// document if there are too many.
    pub(super) async fn delete_tenant(
        &self,
        id: TenantId,
        expected: i32,
        at: Timestamp,
        watermark: Timestamp,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        ensure_matched(delete(&self.tenants, id_version_filter(id, expected), session).await?)?;
        self.delete_search_keys(SearchOwner::Tenant, &[to_oid(id.raw).into()], session).await?;
        let of_tenant = doc! { "tenantId": to_oid(id.raw) };
        for collection in [&self.subscriptions, &self.invitations] {
            let delete = collection.delete_many(of_tenant.clone()).session(&mut *session);
            write_with_timeout(collection.command("delete"), delete).await?;
        }
        let cleanup = PendingCleanup { tenant: id, deleted_at: at, groups_as_of: watermark };
        let members = self.users.count_documents(members_of(id)).limit(MAX_BATCH as u64 + 1);
        let members = members.session(&mut *session);
        if write_with_timeout(self.users.command("aggregate"), members).await? > MAX_BATCH as u64 {
            return self.insert(&self.tombstones, encode_marker(&cleanup), Some(session)).await;
        }
        let update = self.users.update_many(members_of(id), remove_membership(&cleanup));
        write_with_timeout(self.users.command("update"), update.session(session)).await.map(drop)
    }

    /// Removes memberships that a sync committed while the tenant was being deleted. If there is a
    /// marker document, its cleanup removes them. A failure is only logged, because reads omit a
    /// membership whose tenant does not exist.
    pub(super) async fn remove_late_memberships(&self, changes: &[Change]) {
        for change in changes {
            let Change::DeleteTenant { id, at, watermark, .. } = change else { continue };
            let cleanup = PendingCleanup { tenant: *id, deleted_at: *at, groups_as_of: *watermark };
            if let Err(error) = self.remove_late_memberships_of(&cleanup).await {
                tracing::warn!(%error, "memberships of a deleted tenant may remain");
            }
        }
    }

    async fn remove_late_memberships_of(&self, cleanup: &PendingCleanup) -> Result<(), StoreError> {
        let marker = self.tombstones.find_one(doc! { "_id": to_oid(cleanup.tenant.raw) });
        if with_timeout(self.tombstones.command("find"), marker).await?.is_some()
            || self.members_after(cleanup.tenant, min_object_id()).await?.is_empty()
        {
            return Ok(());
        }
        self.finish_cleanup(cleanup).await.map(drop)
    }

    /// Finishes the cleanups of all marker documents, and returns the number of memberships that
    /// were removed.
    pub(super) async fn finish_cleanups(&self) -> Result<u64, StoreError> {
        let (mut after, mut removed) = (min_object_id(), 0);
        loop {
            let mut markers = Vec::new();
            let batch = self.tombstones.find(doc! { "tenantId": { "$gt": after } });
            let batch = batch.sort(doc! { "tenantId": 1 }).limit(MAX_BATCH as i64);
            let find = self.tombstones.command("find");
            for_each_document(find, batch.batch_size(batch_size_for(MAX_BATCH)).batch(), |raw| {
                markers.push((raw.get_object_id("tenantId").ok(), decode_marker(raw)));
            })
            .await?;
            let Some(last) = markers.iter().filter_map(|(tenant, _)| *tenant).next_back() else {
                return Ok(removed);
            };
            for (_, cleanup) in markers {
                match cleanup {
                    Ok(cleanup) => removed += self.finish_cleanup(&cleanup).await?,
                    Err(error) => log_decode_error(self.tombstones.name(), None, &error),
                }
            }
            after = last;
        }
    }

    /// Removes the remaining memberships of one tenant, and then its marker document.
    async fn finish_cleanup(&self, cleanup: &PendingCleanup) -> Result<u64, StoreError> {
        let (mut after, mut removed) = (min_object_id(), 0);
        loop {
            let members = self.members_after(cleanup.tenant, after).await?;
            let Some(last) = members.last() else { break };
            after = *last;
            // The condition is repeated, because another instance may work on the same users.
            let mut still_members = members_of(cleanup.tenant);
            still_members.insert("_id", doc! { "$in": members });
            let update = self.users.update_many(still_members, remove_membership(cleanup));
            removed += with_timeout(self.users.command("update"), update).await?.modified_count;
        }
        let marker = self.tombstones.delete_one(doc! { "_id": to_oid(cleanup.tenant.raw) });
        with_timeout(self.tombstones.command("delete"), marker).await?;
        Ok(removed)
    }

    /// Returns a batch of members in the order of their identifiers. Because of the order, a loop
    /// over all batches ends even if an update changes nothing.
    async fn members_after(
        &self,
        tenant: TenantId,
        after: oid::ObjectId,
    ) -> Result<Vec<oid::ObjectId>, StoreError> {
        let mut filter = members_of(tenant);
        filter.insert("_id", doc! { "$gt": after });
        let find = self.users.find(filter).projection(doc! { "_id": 1 }).sort(doc! { "_id": 1 });
        let mut members = Vec::with_capacity(MAX_BATCH);
        let find = find.limit(MAX_BATCH as i64).batch_size(batch_size_for(MAX_BATCH));
        for_each_document(self.users.command("find"), find.batch(), |raw| {
            members.extend(id_of(raw).map(to_oid));
        })
        .await?;
        Ok(members)
    }
}

fn members_of(tenant: TenantId) -> Document {
    doc! { "memberships.tenantId": to_oid(tenant.raw) }
}

/// Returns the update that removes the membership from a user. Like any other change of a user, it
/// sets the version of `next_version`. Parts of a user that a manual edit made unreadable stay as they
/// are, and do not fail the update.
fn remove_membership(cleanup: &PendingCleanup) -> Vec<Document> {
    let tenant = to_oid(cleanup.tenant.raw);
    let tenants = doc! { "$cond": [
        { "$isArray": "$$this.tenantId" }, "$$this.tenantId", ["$$this.tenantId"],
    ] };
    let others = doc! { "$filter": {
        "input": "$memberships",
        "cond": { "$not": { "$in": [tenant, tenants] } },
    } };
    let version = doc! { "$ifNull": ["$version", 1] };
    // In the order of BSON, only numbers are between two numbers.
    let is_in_range = doc! { "$and": [
        { "$gte": [&version, i32::MIN] }, { "$lt": [&version, i32::MAX] },
    ] };
    let is_last = doc! { "$eq": [&version, i32::MAX] };
    let next = doc! { "$switch": {
        "branches": [
            { "case": is_in_range, "then": { "$add": [&version, 1] } },
            { "case": is_last, "then": 1 },
        ],
        "default": &version,
    } };
    vec![doc! { "$set": {
        "memberships": { "$cond": [{ "$isArray": "$memberships" }, others, []] },
        "version": next,
        "updatedAt": date(cleanup.deleted_at),
        "groupsAsOf": { "$max": ["$groupsAsOf", date(cleanup.groups_as_of)] },
        DELETED_TENANT: tenant,
    } }]
}
