//! Commits a list of changes in one transaction.

use rusqlite::{Connection, Params, Transaction, TransactionBehavior, params};

use super::{
    change_feed::DELETE_OLD_CHANGES,
    idempotency, outbox,
    queries::{self, LIVE},
    rows,
};
use crate::{
    domain::{
        change::{Change, UserVersion},
        id::{TenantId, UserId},
        time::Timestamp,
        user::{Identity, Tombstone},
    },
    store::CommitError,
};

/// Applies all changes, or none of them.
pub(super) fn commit(db: &mut Connection, changes: &[Change]) -> Result<(), CommitError> {
    // Immediate, because a transaction that starts as a reader can fail when it begins to write.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        apply(&transaction, change)?;
    }
    for change in changes {
        if let Change::RequireOwner(tenant) = change {
            require_owner(&transaction, *tenant)?;
        }
    }
    run(&transaction, DELETE_OLD_CHANGES, [])?;
    Ok(transaction.commit()?)
}

/// Applies one change.
pub(super) fn apply(db: &Transaction<'_>, change: &Change) -> Result<(), CommitError> {
    match change {
        Change::InsertTenant(tenant) => Ok(rows::tenant::insert(db, tenant)?),
        Change::UpdateTenant { expected, tenant } => {
            ensure_matched(rows::tenant::update(db, *expected, tenant)?)
        }
        Change::DeleteTenant { id, expected, at, watermark } => {
            delete_tenant(db, *id, *expected, *at, *watermark)
        }
        // There is one writer at a time, so the transaction itself is the lock.
        Change::LockTenant { id, expected } => {
            ensure_matched(exists(db, MATCH_TENANT, params![id.raw.0, expected])?)
        }
        // `commit` checks this after all changes.
        Change::RequireOwner(_) => Ok(()),
        Change::InsertSubscription(subscription) => {
            Ok(rows::subscription::insert(db, subscription)?)
        }
        Change::UpdateSubscription { expected, subscription } => {
            ensure_matched(rows::subscription::update(db, *expected, subscription)?)
        }
        Change::DeleteSubscription { id, expected } => {
            ensure_matched(run(db, DELETE_SUBSCRIPTION, params![id.raw.0, expected])? > 0)
        }
        Change::RequireNoLiveSubscription(tenant) => {
            ensure_matched(!exists(db, &live_subscription(), params![tenant.raw.0])?)
        }
        Change::InsertInvitation(invitation) => Ok(rows::invitation::insert(db, invitation)?),
        Change::UpdateInvitation { expected, invitation } => {
            ensure_matched(rows::invitation::update(db, *expected, invitation)?)
        }
        Change::SetInvitationMail { id, generation, mail } => {
            run(db, SET_INVITATION_MAIL, params![mail.as_str(), id.raw.0, generation])?;
            Ok(())
        }
        Change::LimitPendingInvitations { tenant, at, max } => {
            limit_pending_invitations(db, *tenant, *at, *max)
        }
        Change::LockUser { id, expected } => {
            let watermark = expected.groups_as_of.map(Timestamp::millis);
            ensure_matched(exists(db, MATCH_USER, params![id.raw.0, expected.version, watermark])?)
        }
        Change::InsertUser(user) => Ok(rows::user::insert(db, user)?),
        Change::UpdateUser { expected, user } => {
            ensure_matched(rows::user::update(db, *expected, user)?)
        }
        Change::DeleteUser { id, expected } => ensure_matched(delete_user(db, *id, *expected)?),
        Change::InsertTombstone(tombstone) => Ok(insert_tombstone(db, tombstone)?),
        Change::DeleteTombstones { identity, expected } => {
            delete_tombstones(db, identity, *expected)
        }
        Change::TouchLastSeen { id, at } => {
            run(db, TOUCH_LAST_SEEN, params![at.millis(), id.raw.0])?;
            Ok(())
        }
        Change::InsertAuditEvent(event) => Ok(rows::audit::insert(db, event)?),
        Change::InsertOutboxMessage(message) => Ok(outbox::insert(db, message)?),
        Change::RemoveOutboxMessage { id, lease } => {
            ensure_matched(outbox::remove(db, *id, *lease)?)
        }
        Change::PostponeOutboxMessage { id, lease, due_at } => {
            ensure_matched(outbox::postpone(db, *id, *lease, *due_at)?)
        }
        Change::RecordIdempotentStep { key, run_id, step } => {
            idempotency::record_step(db, *key, *run_id, step)
        }
    }
}

/// All statements of this file that search for rows. The test of the query plans reads them.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let mut all: Vec<String> = [
        DELETE_TENANT,
        DELETE_SUBSCRIPTIONS,
        DELETE_INVITATIONS,
        SET_INVITATION_MAIL,
        UPDATE_FORMER_MEMBERS,
        DELETE_MEMBERSHIPS,
        MATCH_TENANT,
        MATCH_USER,
        COUNT_PENDING,
        FIND_OWNER,
        DELETE_SUBSCRIPTION,
        DELETE_USER,
        DELETE_TOMBSTONES,
        TOUCH_LAST_SEEN,
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    all.push(live_subscription());
    all
}

const DELETE_TENANT: &str = "DELETE FROM tenants WHERE id = ?1 AND version = ?2";
const DELETE_SUBSCRIPTIONS: &str = "DELETE FROM subscriptions WHERE tenant_id = ?1";
// The version is the one of `next_version`. A manual edit may have stored a number beyond its range,
// which stays as it is.
const UPDATE_FORMER_MEMBERS: &str = "UPDATE users SET version = CASE \
    WHEN version < 2147483647 THEN version + 1 WHEN version = 2147483647 THEN 1 ELSE version END, \
    updated_at = ?2, \
    groups_as_of = max(coalesce(groups_as_of, ?3), ?3) \
    WHERE id IN (SELECT m.user_id FROM memberships m WHERE m.tenant_id = ?1)";
const SET_INVITATION_MAIL: &str =
    "UPDATE invitations SET mail = ?1 WHERE id = ?2 AND generation = ?3";
const DELETE_INVITATIONS: &str = "DELETE FROM invitations WHERE tenant_id = ?1";
const DELETE_MEMBERSHIPS: &str = "DELETE FROM memberships WHERE tenant_id = ?1";
const MATCH_TENANT: &str = "SELECT 1 FROM tenants WHERE id = ?1 AND version = ?2";
const MATCH_USER: &str =
    "SELECT 1 FROM users WHERE id = ?1 AND version = ?2 AND groups_as_of IS ?3";
const COUNT_PENDING: &str = "SELECT count(*) FROM invitations \
    WHERE tenant_id = ?1 AND status = 'pending' AND expires_at > ?2";
// CROSS JOIN makes the memberships the outer loop: a tenant has few owners, and there are many
// users.
const FIND_OWNER: &str = "SELECT 1 FROM memberships m CROSS JOIN users u ON u.id = m.user_id \
    WHERE m.tenant_id = ?1 AND m.role = 'owner' AND u.disabled = 0 LIMIT 1";
const DELETE_SUBSCRIPTION: &str = "DELETE FROM subscriptions WHERE id = ?1 AND version = ?2";
const DELETE_USER: &str = "DELETE FROM users WHERE id = ?1 AND version = ?2 AND groups_as_of IS ?3";
const DELETE_TOMBSTONES: &str = "DELETE FROM tombstones WHERE issuer = ?1 AND subject = ?2";
const TOUCH_LAST_SEEN: &str = "UPDATE users SET last_seen_at = ?1 \
    WHERE id = ?2 AND (last_seen_at IS NULL OR last_seen_at < ?1)";

fn live_subscription() -> String {
    format!("SELECT 1 FROM subscriptions s WHERE s.tenant_id = ?1 AND {LIVE} LIMIT 1")
}

fn run(db: &Transaction<'_>, sql: &str, parameters: impl Params) -> rusqlite::Result<usize> {
    db.prepare_cached(sql)?.execute(parameters)
}

fn exists(db: &Transaction<'_>, sql: &str, parameters: impl Params) -> rusqlite::Result<bool> {
    db.prepare_cached(sql)?.exists(parameters)
}

/// Returns [`CommitError::Stale`] if the stored state is not the expected one. The command must
/// then read it and decide again.
fn ensure_matched(matched: bool) -> Result<(), CommitError> {
    if matched { Ok(()) } else { Err(CommitError::Stale) }
}

fn delete_tenant(
    db: &Transaction<'_>,
    id: TenantId,
    expected: i32,
    at: Timestamp,
    watermark: Timestamp,
) -> Result<(), CommitError> {
    // The foreign key deletes its domains.
    ensure_matched(run(db, DELETE_TENANT, params![id.raw.0, expected])? > 0)?;
    run(db, DELETE_SUBSCRIPTIONS, params![id.raw.0])?;
    run(db, DELETE_INVITATIONS, params![id.raw.0])?;
    run(db, UPDATE_FORMER_MEMBERS, params![id.raw.0, at.millis(), watermark.millis()])?;
    run(db, DELETE_MEMBERSHIPS, params![id.raw.0])?;
    Ok(())
}

fn limit_pending_invitations(
    db: &Transaction<'_>,
    tenant: TenantId,
    at: Timestamp,
    max: u64,
) -> Result<(), CommitError> {
    let mut count = db.prepare_cached(COUNT_PENDING)?;
    let count: i64 = count.query_row(params![tenant.raw.0, at.millis()], |row| row.get(0))?;
    ensure_matched(count.cast_unsigned() <= max)
}

fn require_owner(db: &Transaction<'_>, tenant: TenantId) -> Result<(), CommitError> {
    if exists(db, FIND_OWNER, params![tenant.raw.0])? {
        Ok(())
    } else {
        Err(CommitError::LastOwner)
    }
}

fn delete_user(db: &Transaction<'_>, id: UserId, expected: UserVersion) -> rusqlite::Result<bool> {
    let watermark = expected.groups_as_of.map(Timestamp::millis);
    // The foreign key deletes the memberships.
    Ok(run(db, DELETE_USER, params![id.raw.0, expected.version, watermark])? > 0)
}

fn insert_tombstone(db: &Transaction<'_>, tombstone: &Tombstone) -> rusqlite::Result<()> {
    let Tombstone { identity: Identity { issuer, subject }, deleted_at } = tombstone;
    // Two tombstones of the same time are identical.
    let sql = "INSERT OR IGNORE INTO tombstones (issuer, subject, deleted_at) VALUES (?, ?, ?)";
    run(db, sql, params![issuer, subject, deleted_at.millis()])?;
    Ok(())
}

fn delete_tombstones(
    db: &Transaction<'_>,
    identity: &Identity,
    expected: Option<Timestamp>,
) -> Result<(), CommitError> {
    let latest = queries::tombstone(db, identity.clone())?;
    ensure_matched(latest.map(|tombstone| tombstone.deleted_at) == expected)?;
    run(db, DELETE_TOMBSTONES, params![identity.issuer, identity.subject])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    /// A version beyond 32 bits makes a user unreadable, and does not fail the deletion of a tenant.
    #[test]
    fn former_member_has_the_next_version() {
        let mut db = Connection::open_in_memory().expect("a database");
        schema::migrate(&mut db).expect("migrated");
        let transaction = db.transaction().expect("a transaction");
        for (before, after) in [
            (1, 2),
            (-1, 0),
            (i64::from(i32::MAX), 1),
            (i64::from(i32::MAX) + 1, i64::from(i32::MAX) + 1),
            (i64::MAX, i64::MAX),
        ] {
            let user = "INSERT INTO users (id, issuer, subject, name, name_fold, disabled, version, \
                created_at, updated_at) VALUES (zeroblob(12), 'i', 's', 'A', 'a', 0, ?1, 0, 0)";
            transaction.execute(user, [before]).expect("a user");
            let membership = "INSERT INTO memberships (user_id, tenant_id, ordinal, role, source, since) \
                VALUES (zeroblob(12), zeroblob(12), 0, 'member', 'direct', 0)";
            transaction.execute(membership, []).expect("a membership");
            run(&transaction, UPDATE_FORMER_MEMBERS, params![[0_u8; 12], 5, 6]).expect("updated");
            let stored = transaction.query_row("SELECT version FROM users", [], |row| row.get(0));
            assert_eq!(stored, Ok(after), "{before}");
            transaction.execute("DELETE FROM users", []).expect("deleted");
        }
    }
}
