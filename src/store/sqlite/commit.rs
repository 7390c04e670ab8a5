//! Writes: a list of changes in one transaction.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::rows;
use crate::{domain::change::Change, store::CommitError};

/// Applies every change, or none.
pub(super) fn all_or_nothing(db: &mut Connection, changes: &[Change]) -> Result<(), CommitError> {
    // Immediate: a transaction that turns from reading to writing can fail half-way.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        apply(&transaction, change)?;
    }
    Ok(transaction.commit()?)
}

fn apply(db: &Transaction<'_>, change: &Change) -> Result<(), CommitError> {
    match change {
        Change::InsertTenant(tenant) => rows::tenant::insert(db, tenant)?,
        Change::InsertSubscription(subscription) => rows::subscription::insert(db, subscription)?,
        Change::InsertUser(user) => rows::user::insert(db, user)?,
        Change::Record(event) => rows::audit::insert(db, event)?,
        Change::UpdateUser { was, user } => {
            if !rows::user::update(db, *was, user)? {
                return Err(CommitError::Stale);
            }
        }
        Change::SeeUser { id, at } => {
            let sql = "UPDATE users SET last_seen_at = ?1 \
                       WHERE id = ?2 AND (last_seen_at IS NULL OR last_seen_at < ?1)";
            db.prepare_cached(sql)?.execute(params![at.millis(), id.raw.0])?;
        }
    }
    Ok(())
}
