//! Writes the records of a checked file to a store.

use std::collections::{HashMap, HashSet};

use tokio::sync::mpsc;

use super::{
    conflicts::{check_tenant, find_bootstrap, find_user},
    error::TransferError,
    validate::ImportFile,
};
use crate::{
    domain::{
        change::{Change, UserVersion, next_version},
        id::{AuditEventId, UserId},
        record::{ImportPlan, ImportState, ImportStep, Record, TransferScope},
        sync::LEEWAY,
        time::Timestamp,
        user::User,
    },
    store::Store,
};

/// The number of changes of one commit.
const BATCH_SIZE: usize = 500;
/// The number of batches that wait to be written.
const CHANNEL_CAPACITY: usize = 1;

/// The numbers of records of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// The records of the file.
    pub records: u64,
    /// The members who had a user already, and got the membership.
    pub joined: u64,
}

/// Imports a file into a store.
pub struct Importer<'a> {
    store: &'a dyn Store,
    file: &'a ImportFile,
    /// The time of changes of existing users.
    now: Timestamp,
    counts: ImportCounts,
    /// The changes of a tenant's import that come last. Without its tenant, all others are hidden.
    last: Vec<Change>,
    /// The events of a tenant that the database still has, because its deletion keeps its history.
    known_events: HashSet<AuditEventId>,
    /// The users of a tenant's import whom the database has under another identifier.
    stored_users: HashMap<UserId, UserId>,
}

impl<'a> Importer<'a> {
    /// Creates an import.
    #[must_use]
    pub fn new(store: &'a dyn Store, file: &'a ImportFile, now: Timestamp) -> Self {
        let counts = ImportCounts { records: 0, joined: 0 };
        let (last, known_events, stored_users) = Default::default();
        Self { store, file, now, counts, last, known_events, stored_users }
    }

    /// Compares the file with the database, writes it, and calls `progress` with the number of records.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is not empty or has a value of the file already. Nothing is then
    /// written. Returns an error if the store fails. The same import then continues.
    pub async fn run(
        mut self,
        mut progress: impl FnMut(u64),
    ) -> Result<ImportCounts, TransferError> {
        let state = self.store.import_state(&self.file.digest).await?;
        if state == ImportState::Blocked {
            let text = "the import of another file was interrupted: first import that file again";
            return Err(TransferError::new(text));
        }
        let scope = self.file.scope;
        let replaced = match scope {
            _ if state == ImportState::Interrupted => None,
            TransferScope::Everything => find_bootstrap(self.store).await?,
            TransferScope::Tenant(tenant) => {
                self.known_events = check_tenant(self.store, self.file, tenant).await?;
                None
            }
        };
        let plan = ImportPlan { scope, digest: self.file.digest, replaced };
        let (sender, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        let store = self.store;
        let write = async { Ok(store.import(plan, receiver).await?) };
        let read = async {
            let result = self.send_all(sender, &mut progress).await;
            result.map(|()| self.counts)
        };
        let (written, counts) = tokio::join!(write, read);
        // If the store fails, the sender only knows that its steps are not received.
        written.and(counts)
    }

    async fn send_all(
        &mut self,
        steps: mpsc::Sender<ImportStep>,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), TransferError> {
        let mut records = self.file.records()?;
        let mut batch = Vec::with_capacity(BATCH_SIZE);
        while let Some((_, record)) = records.next()? {
            self.add(record, &mut batch).await?;
            self.counts.records += 1;
            if batch.len() >= BATCH_SIZE {
                send(&steps, ImportStep::Changes(std::mem::take(&mut batch))).await?;
                progress(self.counts.records);
            }
        }
        for changes in [batch, std::mem::take(&mut self.last)] {
            if !changes.is_empty() {
                send(&steps, ImportStep::Changes(changes)).await?;
            }
        }
        progress(self.counts.records);
        send(&steps, ImportStep::Complete).await
    }

    /// Adds the changes that store a record.
    async fn add(&mut self, record: Record, batch: &mut Vec<Change>) -> Result<(), TransferError> {
        let is_whole = self.file.scope == TransferScope::Everything;
        match record {
            Record::Tenant(tenant) if is_whole => batch.push(Change::InsertTenant(tenant)),
            Record::Tenant(tenant) => self.last.push(Change::InsertTenant(tenant)),
            Record::User(user) if is_whole => batch.push(Change::InsertUser(user)),
            Record::User(user) => self.add_member(user, batch).await?,
            // The tenant and its live subscription appear in one commit.
            Record::Subscription(subscription) if !is_whole && !subscription.status.is_ended() => {
                self.last.push(Change::InsertSubscription(subscription));
            }
            Record::Subscription(subscription) => {
                batch.push(Change::InsertSubscription(subscription));
            }
            Record::Invitation(mut invitation) => {
                invitation.invited_by = self.stored(invitation.invited_by);
                invitation.accepted_by = invitation.accepted_by.map(|user| self.stored(user));
                batch.push(Change::InsertInvitation(invitation));
            }
            Record::AuditEvent(event) if self.known_events.contains(&event.id) => {}
            Record::AuditEvent(event) => batch.push(Change::InsertAuditEvent(event)),
            Record::Tombstone(tombstone) => batch.push(Change::InsertTombstone(tombstone)),
        }
        Ok(())
    }

    /// Returns the identifier under which the database has a user of the file.
    ///
    /// A user whom the file does not have keeps its identifier, for example a platform admin. In
    /// another database, its invitations are then without an inviter until they are renewed.
    fn stored(&self, user: UserId) -> UserId {
        self.stored_users.get(&user).copied().unwrap_or(user)
    }

    /// Adds the changes that store a member. An existing user gets the membership, and nothing else of
    /// it changes. A new one may have a tombstone, which is lifted, as by `createUser`.
    async fn add_member(
        &mut self,
        mut member: User,
        batch: &mut Vec<Change>,
    ) -> Result<(), TransferError> {
        if let Some(stored) = find_user(self.store, &member.identity).await? {
            let expected = UserVersion::from(&stored);
            if stored.id != member.id {
                self.stored_users.insert(member.id, stored.id);
            }
            let mut user = stored;
            let joins = |membership: &_| {
                let crate::domain::user::Membership { tenant_id, .. } = membership;
                user.membership(*tenant_id).is_none()
            };
            let new: Vec<_> = member.memberships.into_iter().filter(joins).collect();
            self.counts.joined += 1;
            if !new.is_empty() {
                user.memberships.extend(new);
                user.version = next_version(user.version);
                user.updated_at = self.now;
                batch.push(Change::UpdateUser { expected, user });
            }
            return Ok(());
        }
        if let Some(tombstone) = self.store.tombstone(&member.identity).await? {
            let watermark = tombstone.deleted_at.saturating_add(LEEWAY);
            member.groups_as_of = member.groups_as_of.max(Some(watermark));
            let identity = member.identity.clone();
            let expected = Some(tombstone.deleted_at);
            batch.push(Change::DeleteTombstones { identity, expected });
        }
        batch.push(Change::InsertUser(member));
        Ok(())
    }
}

async fn send(steps: &mpsc::Sender<ImportStep>, step: ImportStep) -> Result<(), TransferError> {
    let stopped = |_| TransferError::new("the database stopped the import");
    steps.send(step).await.map_err(stopped)
}
