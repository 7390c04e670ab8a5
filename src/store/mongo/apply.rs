//! Translates each change into its commands.

use mongodb::{
    ClientSession,
    bson::{Bson, Document, doc},
};

use super::{
    collection::RawCollection,
    connect::MongoStore,
    documents::{
        audit, date, invitation, oid, outbox,
        search::{SearchFields, SearchOwner},
        subscription, tenant, tombstone, user,
    },
    pages::pending_after,
    queries::live_statuses,
    writes::{WriteError, delete, ensure_matched, id_version_filter, update, write_with_timeout},
};
use crate::{
    domain::{
        change::{Change, UniqueField, UserVersion},
        id::{Id, TenantId, UserId},
        tenant::Tenant,
        time::Timestamp,
        user::{Identity, TenantRole, User},
    },
    store::{CommitError, StoreError},
};

impl MongoStore {
    /// Applies a change. Without a session it must be a change of one document, which is atomic
    /// by itself.
    pub(super) async fn write(
        &self,
        change: &Change,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        match (change, session) {
            (Change::InsertAuditEvent(event), session) => {
                self.insert(&self.audit_events, audit::encode(event), session).await
            }
            (Change::UpdateUser { expected, user }, session) => {
                self.update_user(*expected, user, session).await
            }
            (Change::TouchLastSeen { id, at }, session) => {
                let touch = doc! { "$max": { "lastSeenAt": date(*at) } };
                update(&self.users, by_id(*id), touch, session).await.map(drop)
            }
            (Change::PostponeOutboxMessage { id, lease, due_at }, session) => {
                let postpone = doc! { "$set": { "dueAt": date(*due_at) } };
                let leased = outbox::leased_filter(*id, *lease);
                ensure_matched(update(&self.outbox, leased, postpone, session).await?)
            }
            (Change::RecordIdempotentStep { key, run_id, step }, session) => {
                self.record_step(*key, *run_id, step, session).await
            }
            (change, Some(session)) => self.write_in_transaction(change, session).await,
            (_, None) => {
                let text = "a change that needs a transaction has none".to_owned();
                Err(WriteError::Final(StoreError::Internal(text).into()))
            }
        }
    }

    /// Applies a change that needs a transaction.
    async fn write_in_transaction(
        &self,
        change: &Change,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        match change {
            Change::InsertTenant(tenant) => {
                self.insert(&self.tenants, tenant::encode(tenant), Some(&mut *session)).await?;
                let keys = SearchFields::of_tenant(tenant).key_documents(oid(tenant.id.raw));
                self.insert_search_keys(SearchOwner::Tenant, keys, session).await
            }
            Change::UpdateTenant { expected, tenant } => {
                self.update_tenant(*expected, tenant, session).await
            }
            Change::DeleteTenant { id, expected, at, watermark } => {
                self.delete_tenant(*id, *expected, *at, *watermark, session).await
            }
            // The counter has no other use. Of two transactions that write it, one conflicts and
            // retries.
            Change::LockTenant { id, expected } => {
                let filter = id_version_filter(*id, *expected);
                let lock = doc! { "$inc": { "holds": 1 } };
                ensure_matched(update(&self.tenants, filter, lock, Some(session)).await?)
            }
            Change::InsertSubscription(subscription) => {
                let document = subscription::encode(subscription);
                self.insert(&self.subscriptions, document, Some(session)).await
            }
            Change::UpdateSubscription { expected, subscription } => {
                let filter = id_version_filter(subscription.id, *expected);
                let pipeline = subscription::update(subscription);
                let update =
                    self.update_by_pipeline(&self.subscriptions, filter, pipeline, session);
                ensure_matched(update.await?)
            }
            Change::DeleteSubscription { id, expected } => {
                let filter = id_version_filter(*id, *expected);
                ensure_matched(delete(&self.subscriptions, filter, session).await?)
            }
            Change::RequireNoLiveSubscription(tenant) => {
                self.require_no_live_subscription(*tenant, session).await
            }
            Change::InsertInvitation(new) => {
                self.insert(&self.invitations, invitation::encode(new), Some(session)).await
            }
            Change::UpdateInvitation { expected, invitation } => {
                let mut filter = id_version_filter(invitation.id, *expected);
                filter.extend(invitation::same_mail_or_new_generation(invitation));
                let pipeline = invitation::update(invitation);
                let update = self.update_by_pipeline(&self.invitations, filter, pipeline, session);
                ensure_matched(update.await?)
            }
            Change::SetInvitationMail { id, generation, mail } => {
                let filter = doc! { "_id": oid(id.raw), "generation": generation };
                let set = doc! { "$set": { "mail": mail.as_str() } };
                update(&self.invitations, filter, set, Some(session)).await.map(drop)
            }
            Change::LimitPendingInvitations { tenant, at, max } => {
                self.limit_pending_invitations(*tenant, *at, *max, session).await
            }
            Change::LockUser { id, expected } => {
                let filter = user_version_filter(*id, *expected);
                let lock = doc! { "$inc": { "holds": 1 } };
                ensure_matched(update(&self.users, filter, lock, Some(session)).await?)
            }
            Change::InsertUser(user) => self.insert_user(user, session).await,
            Change::DeleteUser { id, expected } => {
                let filter = user_version_filter(*id, *expected);
                ensure_matched(delete(&self.users, filter, session).await?)?;
                self.delete_search_keys(SearchOwner::User, &[oid(id.raw).into()], session).await
            }
            Change::InsertTombstone(tombstone) => {
                self.insert(&self.tombstones, tombstone::encode(tombstone), Some(session)).await
            }
            Change::InsertOutboxMessage(message) => {
                self.insert(&self.outbox, outbox::encode(message), Some(session)).await
            }
            Change::RemoveOutboxMessage { id, lease } => {
                let leased = outbox::leased_filter(*id, *lease);
                ensure_matched(delete(&self.outbox, leased, session).await?)
            }
            Change::DeleteTombstones { identity, expected } => {
                self.delete_tombstones(identity, *expected, session).await
            }
            // `commit` checks `RequireOwner` after all changes, and `write` applies the others.
            Change::RequireOwner(_)
            | Change::UpdateUser { .. }
            | Change::TouchLastSeen { .. }
            | Change::InsertAuditEvent(_)
            | Change::PostponeOutboxMessage { .. }
            | Change::RecordIdempotentStep { .. } => Ok(()),
        }
    }

    /// Inserts a user. The unique index distinguishes a user without an issuer from one with the
    /// default issuer. They have the same identity, so this method looks for the former one first.
    async fn insert_user(
        &self,
        user: &User,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        if user.identity.issuer == self.default_issuer {
            let filter = doc! { "subject": &user.identity.subject, "issuer": null };
            let find = self.users.find_one(filter).session(&mut *session);
            if write_with_timeout(self.users.command("find"), find).await?.is_some() {
                return Err(WriteError::Final(CommitError::Conflict(UniqueField::Subject)));
            }
        }
        self.insert(&self.users, user::encode(user), Some(&mut *session)).await?;
        let keys = SearchFields::of_user(user).key_documents(oid(user.id.raw));
        self.insert_search_keys(SearchOwner::User, keys, session).await
    }

    /// Updates a user. If its search keys change, a session is needed. Without one, the result is
    /// [`CommitError::Stale`].
    async fn update_user(
        &self,
        expected: UserVersion,
        user: &User,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        let fields = SearchFields::of_user(user);
        let filter = user_version_filter(user.id, expected);
        let same_keys = fields.are_stored(filter.clone());
        let Some(session) = session else {
            let update = update(&self.users, same_keys, user::update(user), None);
            return ensure_matched(update.await?);
        };
        let changes = user::update(user);
        if update(&self.users, same_keys, changes.clone(), Some(&mut *session)).await? > 0 {
            return Ok(());
        }
        ensure_matched(update(&self.users, filter, changes, Some(&mut *session)).await?)?;
        self.replace_search_keys(SearchOwner::User, oid(user.id.raw), &fields, session).await
    }

    async fn update_tenant(
        &self,
        expected: i32,
        tenant: &Tenant,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let fields = SearchFields::of_tenant(tenant);
        let filter = id_version_filter(tenant.id, expected);
        let same_keys = fields.are_stored(filter.clone());
        let pipeline = tenant::update(tenant);
        let update = self.update_by_pipeline(&self.tenants, same_keys, pipeline.clone(), session);
        if update.await? > 0 {
            return Ok(());
        }
        let update = self.update_by_pipeline(&self.tenants, filter, pipeline, session);
        ensure_matched(update.await?)?;
        self.replace_search_keys(SearchOwner::Tenant, oid(tenant.id.raw), &fields, session).await
    }

    /// Returns whether both changes only insert a document, and into the same collection.
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
            Change::InsertInvitation(_) => Some(&self.invitations),
            // `insert_user` makes a read first.
            Change::InsertUser(user) if user.identity.issuer == self.default_issuer => None,
            Change::InsertUser(_) => Some(&self.users),
            Change::InsertAuditEvent(_) => Some(&self.audit_events),
            Change::InsertTombstone(_) => Some(&self.tombstones),
            _ => None,
        }
    }

    /// Inserts the documents of changes that [`can_batch`](Self::can_batch) accepts, in one
    /// command.
    pub(super) async fn insert_many(
        &self,
        changes: &[Change],
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let Some(collection) = changes.first().and_then(|first| self.inserts_into(first)) else {
            return Ok(());
        };
        let document = |change: &Change| match change {
            Change::InsertTenant(new) => Some(tenant::encode(new)),
            Change::InsertSubscription(new) => Some(subscription::encode(new)),
            Change::InsertInvitation(new) => Some(invitation::encode(new)),
            Change::InsertUser(new) => Some(user::encode(new)),
            Change::InsertAuditEvent(new) => Some(audit::encode(new)),
            Change::InsertTombstone(new) => Some(tombstone::encode(new)),
            _ => None,
        };
        let documents: Vec<_> = changes.iter().filter_map(document).collect();
        let insert = doc! { "insert": collection.name(), "documents": documents };
        self.run_write(collection.command("insert"), insert, session).await?;
        let (mut of_tenants, mut of_users) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::InsertTenant(new) => {
                    of_tenants.extend(SearchFields::of_tenant(new).key_documents(oid(new.id.raw)));
                }
                Change::InsertUser(new) => {
                    of_users.extend(SearchFields::of_user(new).key_documents(oid(new.id.raw)));
                }
                _ => {}
            }
        }
        self.insert_search_keys(SearchOwner::Tenant, of_tenants, session).await?;
        self.insert_search_keys(SearchOwner::User, of_users, session).await
    }

    async fn limit_pending_invitations(
        &self,
        tenant: TenantId,
        at: Timestamp,
        max: u64,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let mut pending = pending_after(at);
        pending.insert("tenantId", oid(tenant.raw));
        let count = self.invitations.count_documents(pending).limit(max + 1).session(session);
        match write_with_timeout(self.invitations.command("aggregate"), count).await? {
            count if count > max => Err(WriteError::Final(CommitError::Stale)),
            _ => Ok(()),
        }
    }

    async fn require_no_live_subscription(
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

    /// Checks that a user who is not disabled owns the tenant. If a manual edit has stored two
    /// memberships in one tenant, the first one counts, as it does when the user is read.
    pub(super) async fn require_owner(
        &self,
        tenant: TenantId,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let find = self.users.find_one(owners_of(tenant)).session(session);
        match write_with_timeout(self.users.command("find"), find).await? {
            Some(_) => Ok(()),
            None => Err(WriteError::Final(CommitError::LastOwner)),
        }
    }

    /// Deletes the tombstones of an identity, if the latest one is as expected.
    ///
    /// Two transactions may do this at the same time. If both read that there is none, both then
    /// insert the same user, and the unique index admits only one. The same index protects against
    /// a tombstone that is inserted meanwhile, because that is the deletion of a user with this
    /// identity. If there are tombstones, both transactions delete the same documents and conflict.
    async fn delete_tombstones(
        &self,
        identity: &Identity,
        expected: Option<Timestamp>,
        session: &mut ClientSession,
    ) -> Result<(), WriteError> {
        let all = doc! { "subject": &identity.subject, "issuer": &identity.issuer };
        let latest = self.tombstones.find_one(all.clone()).sort(doc! { "deletedAt": -1 });
        let latest =
            write_with_timeout(self.tombstones.command("find"), latest.session(&mut *session))
                .await?;
        let latest = latest.map(|raw| tombstone::decode(&raw)).transpose();
        let latest = latest.map_err(|_| {
            let text = "a tombstone cannot be read".to_owned();
            WriteError::Final(StoreError::Internal(text).into())
        })?;
        if latest.map(|tombstone| tombstone.deleted_at) != expected {
            return Err(WriteError::Final(CommitError::Stale));
        }
        if expected.is_some() {
            let delete = self.tombstones.delete_many(all).session(session);
            write_with_timeout(self.tombstones.command("delete"), delete).await?;
        }
        Ok(())
    }
}

/// Matches the owners of a tenant who are not disabled. The role is a condition twice. The first
/// makes the server use the index of all owners, and the second one is about this tenant.
fn owners_of(tenant: TenantId) -> Document {
    let (tenant, owner) = (oid(tenant.raw), TenantRole::Owner.as_str());
    let in_tenant = doc! { "$filter": { "input": "$memberships", "cond": { "$eq": ["$$this.tenantId", tenant] } } };
    let first =
        doc! { "$let": { "vars": { "first": { "$first": in_tenant } }, "in": "$$first.role" } };
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

/// Matches a user with the expected version and watermark. An absent watermark reads as `None`.
fn user_version_filter(id: UserId, expected: UserVersion) -> Document {
    let mut filter = id_version_filter(id, expected.version);
    filter.insert("groupsAsOf", expected.groups_as_of.map_or(Bson::Null, |at| date(at).into()));
    filter
}
