//! Leases and changes the messages of the outbox.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::rows;
use crate::domain::{
    id::ObjectId,
    outbox::{LeaseResult, OutboxLease, OutboxMessage},
    time::Timestamp,
};

const INSERT: &str = "INSERT INTO outbox (id, topic, subject, revision, created_at, due_at, \
    attempts, lease) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const LEASE: &str = "UPDATE outbox SET due_at = ?2, lease = ?3, attempts = attempts + 1 \
    WHERE rowid = (SELECT o.rowid FROM outbox o WHERE o.due_at <= ?1 ORDER BY o.due_at LIMIT 1) \
    RETURNING *";
const NEXT_DUE: &str =
    "SELECT o.due_at FROM outbox o WHERE o.due_at > ?1 ORDER BY o.due_at LIMIT 1";
const REMOVE: &str = "DELETE FROM outbox WHERE id = ?1 AND lease = ?2";
const POSTPONE: &str = "UPDATE outbox SET due_at = ?3 WHERE id = ?1 AND lease = ?2";

/// All statements of this file that search for rows. The test of the query plans reads them.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LEASE, NEXT_DUE, REMOVE, POSTPONE];

/// Leases the message that is due first.
pub(super) fn lease_message(
    db: &mut Connection,
    lease: &OutboxLease,
) -> rusqlite::Result<LeaseResult> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = lease_readable(&transaction, lease)?;
    transaction.commit()?;
    Ok(result)
}

fn lease_readable(db: &Transaction<'_>, lease: &OutboxLease) -> rusqlite::Result<LeaseResult> {
    let parameters = params![lease.now.millis(), lease.until().millis(), lease.id.0];
    let mut take = db.prepare_cached(LEASE)?;
    // Each attempt moves a message into the future, so the loop ends.
    while let Some(message) = take.query_row(parameters, rows::outbox::decode).optional()? {
        if let Ok(message) = message {
            return Ok(LeaseResult::Leased(message));
        }
    }
    let next = db.prepare_cached(NEXT_DUE)?.query_row([lease.now.millis()], |row| row.get(0));
    Ok(LeaseResult::Idle(next.optional()?.and_then(Timestamp::from_millis)))
}

/// Inserts a message.
pub(super) fn insert(db: &Transaction<'_>, message: &OutboxMessage) -> rusqlite::Result<()> {
    let OutboxMessage { id, topic, subject, revision, created_at, due_at, attempts, lease } =
        message;
    let (created_at, due_at) = (created_at.millis(), due_at.millis());
    let lease = lease.map(|lease| lease.0);
    let parameters =
        params![id.0, topic.as_str(), subject.0, revision, created_at, due_at, attempts, lease];
    db.prepare_cached(INSERT)?.execute(parameters).map(drop)
}

/// Removes a message, and returns whether the lease held it.
pub(super) fn remove(
    db: &Transaction<'_>,
    id: ObjectId,
    lease: ObjectId,
) -> rusqlite::Result<bool> {
    Ok(db.prepare_cached(REMOVE)?.execute(params![id.0, lease.0])? > 0)
}

/// Moves the next attempt of a message, and returns whether the lease held it.
pub(super) fn postpone(
    db: &Transaction<'_>,
    id: ObjectId,
    lease: ObjectId,
    due_at: Timestamp,
) -> rusqlite::Result<bool> {
    Ok(db.prepare_cached(POSTPONE)?.execute(params![id.0, lease.0, due_at.millis()])? > 0)
}
