//! Each change, as the commands that it takes.

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    options::UpdateModifications,
};

use super::{
    MongoStore, RawCollection,
    commit::{WriteError, write_with_timeout},
    documents::{audit, date, oid, subscription, tenant, tombstone, user},
    errors::{refused_write, unique},
    queries::live_statuses,
};
use crate::{
    domain::{
        change::{Change, UniqueField, UserVersion},
        id::{Id, TenantId, UserId},
        time::Timestamp,
        user::{Identity, TenantRole, User},
    },
    store::{CommitError, StoreError, instrumentation::Command},
};

impl MongoStore {
    /// Applies a change; without a session only one that is all or nothing by itself.
    pub(super) async fn write(
        &self,
        change: &Change,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        match (change, session) {
            (Change::InsertAuditEvent(event), session) => {
                self.insert(&self.audit_events, audit::write(event), session).await
            }
            (Change::UpdateUser { was, user }, session) => {
                let update = update(
                    &self.users,
                    user_version_filter(user.id, *was),
                    user::update(user),
                    session,
                );
                ensure_matched(update.await?)
            }
            (Change::TouchLastSeen { id, at }, session) => {
                let seen = doc! { "$max": { "lastSeenAt": date(*at) } };
                update(&self.users, by_id(*id), seen, session).await.map(drop)
            }
            (Change::RecordIdempotentStep { key, run_id: holder, step }, session) => {
                self.record_step(*key, *holder, step, session).await
            }
            (change, Some(session)) => self.write_in_transaction(change, session).await,
            (_, None) => {
                let text = "a change that needs a transaction has none".to_owned();
                Err(WriteError::Final(StoreError::Internal(text).into()))
            }
        }
    }

    /// Applies a change that only a transaction can have.
    async fn write_in_transaction(
        &self,
        change: &Change,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        match change {
            Change::InsertTenant(t) => {
                self.insert(&self.tenants, tenant::write(t), Some(session)).await
            }
            Change::UpdateTenant { was, tenant } => {
                let stored = id_version_filter(tenant.id, *was);
                self.replace(&self.tenants, stored, tenant::update(tenant), session).await
            }
            Change::DeleteTenant { id, was, at, watermark } => {
                self.delete_tenant(*id, *was, *at, *watermark, session).await
            }
            // A write, so that of two who hold it the second waits for the first and starts anew.
            Change::LockTenant { id, was } => {
                let hold = doc! { "$inc": { "holds": 1 } };
                ensure_matched(
                    update(&self.tenants, id_version_filter(*id, *was), hold, Some(session))
                        .await?,
                )
            }
            Change::InsertSubscription(s) => {
                self.insert(&self.subscriptions, subscription::write(s), Some(session)).await
            }
            Change::UpdateSubscription { was, subscription } => {
                let stored = id_version_filter(subscription.id, *was);
                let pipeline = subscription::update(subscription);
                self.replace(&self.subscriptions, stored, pipeline, session).await
            }
            Change::DeleteSubscription { id, was } => ensure_matched(
                delete(&self.subscriptions, id_version_filter(*id, *was), session).await?,
            ),
            Change::RequireNoLiveSubscription(tenant) => self.no_live(*tenant, session).await,
            Change::InsertUser(user) => self.insert_user(user, session).await,
            Change::DeleteUser { id, was } => {
                ensure_matched(delete(&self.users, user_version_filter(*id, *was), session).await?)
            }
            Change::InsertTombstone(t) => {
                self.insert(&self.tombstones, tombstone::write(t), Some(session)).await
            }
            Change::DeleteTombstones { identity, was } => {
                self.lift_tombstones(identity, *was, session).await
            }
            // The one comes last of all, the others were applied.
            Change::RequireOwner(_)
            | Change::UpdateUser { .. }
            | Change::TouchLastSeen { .. }
            | Change::InsertAuditEvent(_)
            | Change::RecordIdempotentStep { .. } => Ok(()),
        }
    }

    /// To the unique index, a user without an issuer and one with the default one are two; to
    /// everybody else they are the same.
    async fn insert_user(
        &self,
        user: &User,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        if user.identity.issuer == self.default_issuer {
            let same = doc! { "subject": &user.identity.subject, "issuer": null };
            let same = self.users.find_one(same).session(&mut *session);
            if write_with_timeout(self.users.command("find"), same).await?.is_some() {
                return Err(WriteError::Final(CommitError::Conflict(UniqueField::Subject)));
            }
        }
        self.insert(&self.users, user::write(user), Some(session)).await
    }

    /// Whether both do nothing but insert a document into the same collection.
    pub(super) fn can_batch(&self, a: &Change, b: &Change) -> bool {
        match (self.inserts_into(a), self.inserts_into(b)) {
            (Some(a), Some(b)) => a.name() == b.name(),
            _ => false,
        }
    }

    fn inserts_into(&self, change: &Change) -> Option<&RawCollection> {
        match change {
            Change::InsertTenant(_) => Some(&self.tenants),
            Change::InsertSubscription(_) => Some(&self.subscriptions),
            // Another look comes before it: see above.
            Change::InsertUser(user) if user.identity.issuer == self.default_issuer => None,
            Change::InsertUser(_) => Some(&self.users),
            Change::InsertAuditEvent(_) => Some(&self.audit_events),
            _ => None,
        }
    }

    /// Inserts the documents of changes that go together.
    pub(super) async fn insert_many(
        &self,
        changes: &[Change],
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let Some(collection) = changes.first().and_then(|first| self.inserts_into(first)) else {
            return Ok(());
        };
        let document = |change: &Change| match change {
            Change::InsertTenant(new) => Some(tenant::write(new)),
            Change::InsertSubscription(new) => Some(subscription::write(new)),
            Change::InsertUser(new) => Some(user::write(new)),
            Change::InsertAuditEvent(new) => Some(audit::write(new)),
            _ => None,
        };
        let documents: Vec<_> = changes.iter().filter_map(document).collect();
        let insert = doc! { "insert": collection.name(), "documents": documents };
        self.run(collection.command("insert"), insert, session).await.map(drop)
    }

    /// In a transaction by the bare command. (Outside of one, the driver's is the one that retries.)
    pub(super) async fn insert(
        &self,
        collection: &RawCollection,
        document: Document,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        let Some(session) = session else {
            let typed: Collection<Document> = collection.clone_with_type();
            return write_with_timeout(collection.command("insert"), typed.insert_one(document))
                .await
                .map(drop);
        };
        let insert = doc! { "insert": collection.name(), "documents": [document] };
        self.run(collection.command("insert"), insert, session).await.map(drop)
    }

    /// Puts a document in the place of the stored one, which must be there.
    async fn replace(
        &self,
        collection: &RawCollection,
        stored: Document,
        pipeline: Vec<Document>,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let update = doc! { "q": stored, "u": pipeline };
        let update = doc! { "update": collection.name(), "updates": [update] };
        ensure_matched(self.run(collection.command("update"), update, session).await?)
    }

    /// A bare write command: how many documents it met. The driver's own writes throw away what the
    /// server says of the index that refused one.
    async fn run(
        &self,
        command: Command<'_>,
        document: Document,
        session: &mut ClientSession,
    ) -> Result<u64, WriteError> {
        let run = self.database.run_command(document).session(session);
        let reply = write_with_timeout(command, run).await?;
        let Some(error) = first_write_error(&reply) else {
            let met = reply.get_i32("n").unwrap_or_default();
            return Ok(met.try_into().unwrap_or_default());
        };
        let first_field = error.get_document("keyPattern").ok().and_then(|keys| keys.keys().next());
        Err(WriteError::Final(match first_field.and_then(|field| unique(field)) {
            Some(unique) => CommitError::Conflict(unique),
            None => refused_write(error.get_i32("code").unwrap_or_default()).into(),
        }))
    }

    async fn no_live(
        &self,
        tenant: TenantId,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let live = doc! { "tenantId": oid(tenant.raw), "status": { "$in": live_statuses() } };
        let find = self.subscriptions.find_one(live).session(session);
        match write_with_timeout(self.subscriptions.command("find"), find).await? {
            Some(_) => Err(WriteError::Final(CommitError::Stale)),
            None => Ok(()),
        }
    }

    /// Whether somebody who is not disabled owns the tenant. Where a hand has stored two memberships
    /// of one tenant the first counts, as in reading.
    pub(super) async fn keep_owner(
        &self,
        tenant: TenantId,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let find = self.users.find_one(owners_of(tenant)).session(session);
        match write_with_timeout(self.users.command("find"), find).await? {
            Some(_) => Ok(()),
            None => Err(WriteError::Final(CommitError::OwnerRequirement)),
        }
    }

    /// Two at once: both may read that there is none, and then make the same user, which only one
    /// can; that is also who stands in the way of a tombstone that comes in between, because it is
    /// the end of a user of that identity. Where there are some, both delete the same documents.
    async fn lift_tombstones(
        &self,
        identity: &Identity,
        was: Option<Timestamp>,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let all = doc! { "subject": &identity.subject, "issuer": &identity.issuer };
        let youngest = self.tombstones.find_one(all.clone()).sort(doc! { "deletedAt": -1 });
        let youngest =
            write_with_timeout(self.tombstones.command("find"), youngest.session(&mut *session))
                .await?;
        let youngest = youngest.map(|raw| tombstone::read(&raw)).transpose();
        let youngest = youngest.map_err(|_| {
            let text = "a tombstone cannot be read".to_owned();
            WriteError::Final(StoreError::Internal(text).into())
        })?;
        if youngest.map(|tombstone| tombstone.deleted_at) != was {
            return Err(WriteError::Final(CommitError::Stale));
        }
        if was.is_some() {
            let delete = self.tombstones.delete_many(all).session(session);
            write_with_timeout(self.tombstones.command("delete"), delete).await?;
        }
        Ok(())
    }
}

/// The condition twice: once for the index of the owners, which holds whoever owns anything, and
/// once for who owns this one.
fn owners_of(tenant: TenantId) -> Document {
    let (tenant, owner) = (oid(tenant.raw), TenantRole::Owner.as_str());
    let here = doc! { "$filter": { "input": "$memberships", "cond": { "$eq": ["$$this.tenantId", tenant] } } };
    let first = doc! { "$let": { "vars": { "first": { "$first": here } }, "in": "$$first.role" } };
    doc! {
        "memberships.role": owner,
        "memberships": { "$elemMatch": { "tenantId": tenant, "role": owner } },
        "disabled": { "$ne": true },
        "$expr": { "$eq": [first, owner] },
    }
}

fn by_id<E>(id: Id<E>) -> Document {
    doc! { "_id": oid(id.raw) }
}

/// The document as it was read: an absent version reads as 1.
pub(super) fn id_version_filter<E>(id: Id<E>, was: i32) -> Document {
    let version = match was {
        1 => doc! { "$in": [1, null] }.into(),
        version => Bson::Int32(version),
    };
    doc! { "_id": oid(id.raw), "version": version }
}

/// The user as it was read: an absent watermark reads as none.
fn user_version_filter(id: UserId, was: UserVersion) -> Document {
    let mut stored = id_version_filter(id, was.version);
    stored.insert("groupsAsOf", was.groups_as_of.map_or(Bson::Null, |at| date(at).into()));
    stored
}

/// What was read is still there, or all of it has to be decided anew.
pub(super) fn ensure_matched(met: u64) -> Result<(), WriteError> {
    if met == 0 { Err(WriteError::Final(CommitError::Stale)) } else { Ok(()) }
}

fn first_write_error(reply: &Document) -> Option<&Document> {
    reply.get_array("writeErrors").ok()?.first()?.as_document()
}

/// How many documents the filter matched: 0 or 1.
pub(super) async fn update(
    collection: &RawCollection,
    filter: Document,
    update: impl Into<UpdateModifications>,
    session: Option<&mut ClientSession>,
) -> Result<u64, WriteError> {
    let update = collection.update_one(filter, update);
    let updated = match session {
        Some(session) => {
            write_with_timeout(collection.command("update"), update.session(session)).await
        }
        None => write_with_timeout(collection.command("update"), update).await,
    };
    Ok(updated?.matched_count)
}

/// How many documents were deleted: 0 or 1.
pub(super) async fn delete(
    collection: &RawCollection,
    filter: Document,
    session: &mut ClientSession,
) -> Result<u64, WriteError> {
    let delete = collection.delete_one(filter).session(session);
    Ok(write_with_timeout(collection.command("delete"), delete).await?.deleted_count)
}
