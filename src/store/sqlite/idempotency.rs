//! Requests that may be sent twice.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::rows::idempotency::{step_json, steps};
use crate::{
    domain::{
        id::ObjectId,
        idempotency::{
            Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, KEY_TTL, LEASE_TTL,
            RunOutcome,
        },
        time::Timestamp,
    },
    store::{CommitError, StoreError},
};

/// How many records that nobody asks for any more go with each claim. More than one, so that they
/// get fewer.
const SWEEP_BATCH: i64 = 8;

const FIND: &str = "SELECT fingerprint, holder, lease_until, steps, answer FROM requests \
    WHERE key = ?1 AND expires_at > ?2";
const TAKE: &str = "INSERT OR REPLACE INTO requests (key, fingerprint, holder, claimed_at, \
    lease_until, expires_at, steps, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6, '[]', NULL)";
const TAKE_OVER: &str = "UPDATE requests SET holder = ?2, claimed_at = ?3, lease_until = ?4, \
    expires_at = ?5 WHERE key = ?1";
const SWEEP: &str = "DELETE FROM requests WHERE rowid IN (SELECT r.rowid FROM requests r \
    WHERE r.expires_at <= ?1 ORDER BY r.expires_at LIMIT ?2)";
const DONE: &str = "UPDATE requests SET steps = json_insert(steps, '$[#]', json(?3)) \
    WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const ANSWER: &str =
    "UPDATE requests SET answer = ?3 WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const DELETE_IF_EMPTY: &str =
    "DELETE FROM requests WHERE key = ?1 AND holder = ?2 AND answer IS NULL AND steps = '[]'";
const END_LEASE: &str =
    "UPDATE requests SET lease_until = ?3 WHERE key = ?1 AND holder = ?2 AND answer IS NULL";

/// Every statement of this file that looks for rows, for the test of the plans.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[FIND, TAKE_OVER, SWEEP, DONE, ANSWER, DELETE_IF_EMPTY, END_LEASE];

/// A claim that is there.
struct Record {
    fingerprint: [u8; 32],
    lease_until: i64,
    steps: String,
    answer: Option<String>,
}

impl Record {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            fingerprint: row.get("fingerprint")?,
            lease_until: row.get("lease_until")?,
            steps: row.get("steps")?,
            answer: row.get("answer")?,
        })
    }
}

/// Claims a request. Nobody else writes meanwhile, so what was found is so until the end.
pub(super) fn claim(db: &mut Connection, claim: &Claim) -> Result<ClaimResult, StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let claimed = claim_in(&transaction, claim)?;
    let swept = params![claim.now.millis(), SWEEP_BATCH];
    transaction.prepare_cached(SWEEP)?.execute(swept)?;
    transaction.commit()?;
    Ok(claimed)
}

fn claim_in(db: &Transaction<'_>, claim: &Claim) -> Result<ClaimResult, StoreError> {
    let Claim { key, fingerprint, run_id: holder, now } = claim;
    let (lease, expiry) =
        (now.saturating_add(LEASE_TTL).millis(), now.saturating_add(KEY_TTL).millis());
    let found = params![key.0, now.millis()];
    let Some(found) = db.prepare_cached(FIND)?.query_row(found, Record::read).optional()? else {
        let taken = params![key.0, fingerprint, holder.0, now.millis(), lease, expiry];
        db.prepare_cached(TAKE)?.execute(taken)?;
        return Ok(ClaimResult::Acquired(Vec::new()));
    };
    if found.fingerprint != *fingerprint {
        return Ok(ClaimResult::KeyReused);
    }
    if let Some(answer) = found.answer {
        return Ok(ClaimResult::Completed(answer));
    }
    if found.lease_until > now.millis() {
        return Ok(ClaimResult::InProgress);
    }
    let steps = steps(&found.steps);
    let steps = steps
        .ok_or_else(|| StoreError::Internal("the steps of a request cannot be read".to_owned()))?;
    let taken = params![key.0, holder.0, now.millis(), lease, expiry];
    db.prepare_cached(TAKE_OVER)?.execute(taken)?;
    Ok(ClaimResult::Acquired(steps))
}

/// Ends a run.
pub(super) fn settle(
    db: &mut Connection,
    key: IdempotencyKeyHash,
    holder: ObjectId,
    end: &RunOutcome,
) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match end {
        RunOutcome::Completed(body) => {
            transaction.prepare_cached(ANSWER)?.execute(params![key.0, holder.0, body])?;
        }
        RunOutcome::Abandoned => {
            transaction.prepare_cached(DELETE_IF_EMPTY)?.execute(params![key.0, holder.0])?;
            let over = Timestamp::MIN.millis();
            transaction.prepare_cached(END_LEASE)?.execute(params![key.0, holder.0, over])?;
        }
    }
    transaction.commit()
}

/// Keeps what a run has done.
pub(super) fn done(
    db: &Transaction<'_>,
    key: IdempotencyKeyHash,
    holder: ObjectId,
    step: &CompletedMutation,
) -> Result<(), CommitError> {
    let kept = params![key.0, holder.0, step_json(step)?];
    match db.prepare_cached(DONE)?.execute(kept)? {
        0 => Err(CommitError::Superseded),
        _ => Ok(()),
    }
}
