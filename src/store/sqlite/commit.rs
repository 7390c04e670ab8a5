//! Writes: a list of changes in one transaction.

use rusqlite::{Connection, Params, Transaction, TransactionBehavior, params};

use super::{
    idempotency,
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

/// Applies every change, or none.
pub(super) fn commit(db: &mut Connection, changes: &[Change]) -> Result<(), CommitError> {
    // Immediate: a transaction that turns from reading to writing can fail half-way.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        apply(&transaction, change)?;
    }
    for change in changes {
        if let Change::RequireOwner(tenant) = change {
            keep_owner(&transaction, *tenant)?;
        }
    }
    Ok(transaction.commit()?)
}

fn apply(db: &Transaction<'_>, change: &Change) -> Result<(), CommitError> {
    match change {
        Change::InsertTenant(tenant) => Ok(rows::tenant::insert(db, tenant)?),
        Change::UpdateTenant { was, tenant } => {
            ensure_matched(rows::tenant::update(db, *was, tenant)?)
        }
        Change::DeleteTenant { id, was, at, watermark } => {
            delete_tenant(db, *id, *was, *at, *watermark)
        }
        // Nobody else writes until this is committed.
        Change::LockTenant { id, was } => {
            ensure_matched(exists(db, HOLD_TENANT, params![id.raw.0, was])?)
        }
        // Once all else is done.
        Change::RequireOwner(_) => Ok(()),
        Change::InsertSubscription(subscription) => {
            Ok(rows::subscription::insert(db, subscription)?)
        }
        Change::UpdateSubscription { was, subscription } => {
            ensure_matched(rows::subscription::update(db, *was, subscription)?)
        }
        Change::DeleteSubscription { id, was } => {
            ensure_matched(run(db, DELETE_SUBSCRIPTION, params![id.raw.0, was])? > 0)
        }
        Change::RequireNoLiveSubscription(tenant) => {
            ensure_matched(!exists(db, &live_subscription(), params![tenant.raw.0])?)
        }
        Change::InsertUser(user) => Ok(rows::user::insert(db, user)?),
        Change::UpdateUser { was, user } => ensure_matched(rows::user::update(db, *was, user)?),
        Change::DeleteUser { id, was } => ensure_matched(delete_user(db, *id, *was)?),
        Change::InsertTombstone(tombstone) => Ok(insert_tombstone(db, tombstone)?),
        Change::DeleteTombstones { identity, was } => lift_tombstones(db, identity, *was),
        Change::TouchLastSeen { id, at } => {
            run(db, SEE_USER, params![at.millis(), id.raw.0])?;
            Ok(())
        }
        Change::InsertAuditEvent(event) => Ok(rows::audit::insert(db, event)?),
        Change::RecordIdempotentStep { key, run_id: holder, step } => {
            idempotency::done(db, *key, *holder, step)
        }
    }
}

/// Every statement of this file that looks for rows, for the test of the plans.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let mut all: Vec<String> = [
        DELETE_TENANT,
        DELETE_SUBSCRIPTIONS,
        END_MEMBERS,
        DELETE_MEMBERSHIPS,
        HOLD_TENANT,
        OWNER,
        DELETE_SUBSCRIPTION,
        DELETE_USER,
        LIFT_TOMBSTONES,
        SEE_USER,
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    all.push(live_subscription());
    all
}

const DELETE_TENANT: &str = "DELETE FROM tenants WHERE id = ?1 AND version = ?2";
const DELETE_SUBSCRIPTIONS: &str = "DELETE FROM subscriptions WHERE tenant_id = ?1";
const END_MEMBERS: &str = "UPDATE users SET version = version + 1, updated_at = ?2, \
    groups_as_of = max(coalesce(groups_as_of, ?3), ?3) \
    WHERE id IN (SELECT m.user_id FROM memberships m WHERE m.tenant_id = ?1)";
const DELETE_MEMBERSHIPS: &str = "DELETE FROM memberships WHERE tenant_id = ?1";
const HOLD_TENANT: &str = "SELECT 1 FROM tenants WHERE id = ?1 AND version = ?2";
// CROSS: the owners are few, and the users are not.
const OWNER: &str = "SELECT 1 FROM memberships m CROSS JOIN users u ON u.id = m.user_id \
    WHERE m.tenant_id = ?1 AND m.role = 'owner' AND u.disabled = 0 LIMIT 1";
const DELETE_SUBSCRIPTION: &str = "DELETE FROM subscriptions WHERE id = ?1 AND version = ?2";
const DELETE_USER: &str = "DELETE FROM users WHERE id = ?1 AND version = ?2 AND groups_as_of IS ?3";
const LIFT_TOMBSTONES: &str = "DELETE FROM tombstones WHERE issuer = ?1 AND subject = ?2";
const SEE_USER: &str = "UPDATE users SET last_seen_at = ?1 \
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

/// What was read is still so, or all of it has to be decided anew.
fn ensure_matched(still_so: bool) -> Result<(), CommitError> {
    if still_so { Ok(()) } else { Err(CommitError::Stale) }
}

fn delete_tenant(
    db: &Transaction<'_>,
    id: TenantId,
    was: i32,
    at: Timestamp,
    watermark: Timestamp,
) -> Result<(), CommitError> {
    // Its domains go with it: they refer to it.
    ensure_matched(run(db, DELETE_TENANT, params![id.raw.0, was])? > 0)?;
    run(db, DELETE_SUBSCRIPTIONS, params![id.raw.0])?;
    run(db, END_MEMBERS, params![id.raw.0, at.millis(), watermark.millis()])?;
    run(db, DELETE_MEMBERSHIPS, params![id.raw.0])?;
    Ok(())
}

fn keep_owner(db: &Transaction<'_>, tenant: TenantId) -> Result<(), CommitError> {
    if exists(db, OWNER, params![tenant.raw.0])? { Ok(()) } else { Err(CommitError::LastOwner) }
}

fn delete_user(db: &Transaction<'_>, id: UserId, was: UserVersion) -> rusqlite::Result<bool> {
    let watermark = was.groups_as_of.map(Timestamp::millis);
    // The memberships go with it: they refer to it.
    Ok(run(db, DELETE_USER, params![id.raw.0, was.version, watermark])? > 0)
}

fn insert_tombstone(db: &Transaction<'_>, tombstone: &Tombstone) -> rusqlite::Result<()> {
    let Tombstone { identity: Identity { issuer, subject }, deleted_at } = tombstone;
    // Two of one moment say the same.
    let sql = "INSERT OR IGNORE INTO tombstones (issuer, subject, deleted_at) VALUES (?, ?, ?)";
    run(db, sql, params![issuer, subject, deleted_at.millis()])?;
    Ok(())
}

fn lift_tombstones(
    db: &Transaction<'_>,
    identity: &Identity,
    was: Option<Timestamp>,
) -> Result<(), CommitError> {
    let youngest = queries::tombstone(db, identity.clone())?;
    ensure_matched(youngest.map(|tombstone| tombstone.deleted_at) == was)?;
    run(db, LIFT_TOMBSTONES, params![identity.issuer, identity.subject])?;
    Ok(())
}
