//! Deletions of tenants, whose members may be many more than one transaction can take.
//!
//! Where they are, the transaction leaves a mark among the tombstones, and the memberships end in
//! batches after it. Who adds a member holds the tenant, so nobody is added meanwhile; a sync from
//! groups holds none, and may commit a place that the transaction did not see. So places are looked
//! for once more when the tenant is gone, and a sync looks whether it is.

use mongodb::{
    ClientSession,
    bson::{Document, doc, oid},
};

use super::{
    MongoStore,
    apply::{delete, ensure_matched, id_version_filter},
    commit::{WriteError, write_with_timeout},
    documents::{
        date, id_of, log_decode_error, oid as to_oid,
        tombstone::{PendingCleanup, read_leftover, write_leftover},
    },
    errors::with_timeout,
    keyset::min_object_id,
    queries::{batch_size_for, for_each_document},
};
use crate::{
    domain::{change::Change, id::TenantId, time::Timestamp},
    store::StoreError,
};

/// How many members a tenant may have so that all goes in one transaction; and how many go at once
/// where there are more.
const BATCH: usize = 1_000;

impl MongoStore {
    /// Deletes the tenant, its subscriptions, and its memberships or a mark for them.
    pub(super) async fn delete_tenant(
        &self,
        id: TenantId,
        was: i32,
        at: Timestamp,
        watermark: Timestamp,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        ensure_matched(delete(&self.tenants, id_version_filter(id, was), session).await?)?;
        let of_tenant = doc! { "tenantId": to_oid(id.raw) };
        let delete = self.subscriptions.delete_many(of_tenant).session(&mut *session);
        write_with_timeout(self.subscriptions.command("delete"), delete).await?;
        let left = PendingCleanup { tenant: id, deleted_at: at, groups_as_of: watermark };
        let members = self.users.count_documents(members_of(id)).limit(BATCH as u64 + 1);
        let members = members.session(&mut *session);
        if write_with_timeout(self.users.command("aggregate"), members).await? > BATCH as u64 {
            return self.insert(&self.tombstones, write_leftover(&left), Some(session)).await;
        }
        let end = self.users.update_many(members_of(id), remove_membership(&left));
        write_with_timeout(self.users.command("update"), end.session(session)).await.map(drop)
    }

    /// Ends what came to a tenant while it was being deleted; where a mark is left, that does. What
    /// remains where this does not work out shows nowhere.
    pub(super) async fn remove_late_memberships(&self, changes: &[Change]) {
        for change in changes {
            let Change::DeleteTenant { id, at, watermark, .. } = change else { continue };
            let left = PendingCleanup { tenant: *id, deleted_at: *at, groups_as_of: *watermark };
            if let Err(error) = self.remove_unmarked(&left).await {
                tracing::warn!(%error, "memberships of a deleted tenant may be left");
            }
        }
    }

    async fn remove_unmarked(&self, left: &PendingCleanup) -> Result<(), StoreError> {
        let mark = self.tombstones.find_one(doc! { "_id": to_oid(left.tenant.raw) });
        if with_timeout(self.tombstones.command("find"), mark).await?.is_some()
            || self.members_after(left.tenant, min_object_id()).await?.is_empty()
        {
            return Ok(());
        }
        self.remove_leftover(left).await.map(drop)
    }

    /// Ends what deleted tenants have left: how many memberships that were.
    pub(super) async fn remove_leftovers(&self) -> Result<u64, StoreError> {
        let (mut after, mut ended) = (min_object_id(), 0);
        loop {
            let mut found = Vec::new();
            let some = self.tombstones.find(doc! { "tenantId": { "$gt": after } });
            let some = some.sort(doc! { "tenantId": 1 }).limit(BATCH as i64);
            let find = self.tombstones.command("find");
            for_each_document(find, some.batch_size(batch_size_for(BATCH)).batch(), |raw| {
                found.push((raw.get_object_id("tenantId").ok(), read_leftover(raw)));
            })
            .await?;
            let Some(last) = found.iter().filter_map(|(tenant, _)| *tenant).next_back() else {
                return Ok(ended);
            };
            for (_, left) in found {
                match left {
                    Ok(left) => ended += self.remove_leftover(&left).await?,
                    Err(fault) => log_decode_error(self.tombstones.name(), None, &fault),
                }
            }
            after = last;
        }
    }

    /// Ends what one tenant has left, and takes the mark away once nothing is.
    async fn remove_leftover(&self, left: &PendingCleanup) -> Result<u64, StoreError> {
        let (mut after, mut ended) = (min_object_id(), 0);
        loop {
            let members = self.members_after(left.tenant, after).await?;
            let Some(last) = members.last() else { break };
            after = *last;
            // Those that are members still: another instance may be at the same ones.
            let mut still = members_of(left.tenant);
            still.insert("_id", doc! { "$in": members });
            let end = self.users.update_many(still, remove_membership(left));
            ended += with_timeout(self.users.command("update"), end).await?.modified_count;
        }
        let mark = self.tombstones.delete_one(doc! { "_id": to_oid(left.tenant.raw) });
        with_timeout(self.tombstones.command("delete"), mark).await?;
        Ok(ended)
    }

    /// Some members, in the order of their identifiers: a round of them ends, whatever is stored.
    async fn members_after(
        &self,
        tenant: TenantId,
        after: oid::ObjectId,
    ) -> Result<Vec<oid::ObjectId>, StoreError> {
        let mut filter = members_of(tenant);
        filter.insert("_id", doc! { "$gt": after });
        let find = self.users.find(filter).projection(doc! { "_id": 1 }).sort(doc! { "_id": 1 });
        let mut members = Vec::with_capacity(BATCH);
        let find = find.limit(BATCH as i64).batch_size(batch_size_for(BATCH));
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

/// Takes the membership out, as any other change of a user: with the next version. What cannot be
/// read of a user (a hand's work) stays so, and is in nobody's way.
fn remove_membership(left: &PendingCleanup) -> Vec<Document> {
    let tenant = to_oid(left.tenant.raw);
    let of_tenants = doc! { "$cond": [
        { "$isArray": "$$this.tenantId" }, "$$this.tenantId", ["$$this.tenantId"],
    ] };
    let others = doc! { "$filter": {
        "input": "$memberships",
        "cond": { "$not": { "$in": [tenant, of_tenants] } },
    } };
    let version = doc! { "$ifNull": ["$version", 1] };
    let next = doc! { "$cond": [
        { "$isNumber": &version }, { "$add": [&version, 1] }, &version,
    ] };
    vec![doc! { "$set": {
        "memberships": { "$cond": [{ "$isArray": "$memberships" }, others, []] },
        "version": next,
        "updatedAt": date(left.deleted_at),
        "groupsAsOf": { "$max": ["$groupsAsOf", date(left.groups_as_of)] },
    } }]
}
