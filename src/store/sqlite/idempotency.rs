//! Claims, steps and responses of idempotent requests, in the table `requests`.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::rows::idempotency::{parse_steps, step_json};
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

/// The number of expired records that each claim deletes. It is more than one, so that a backlog
/// shrinks.
const SWEEP_BATCH: i64 = 8;

const FIND: &str = "SELECT fingerprint, holder, lease_until, steps, answer FROM requests \
    WHERE key = ?1 AND expires_at > ?2";
const INSERT: &str = "INSERT OR REPLACE INTO requests (key, fingerprint, holder, claimed_at, \
    lease_until, expires_at, steps, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6, '[]', NULL)";
const TAKE_OVER: &str = "UPDATE requests SET holder = ?2, claimed_at = ?3, lease_until = ?4, \
    expires_at = ?5 WHERE key = ?1";
const SWEEP: &str = "DELETE FROM requests WHERE rowid IN (SELECT r.rowid FROM requests r \
    WHERE r.expires_at <= ?1 ORDER BY r.expires_at LIMIT ?2)";
const RECORD_STEP: &str = "UPDATE requests SET steps = json_insert(steps, '$[#]', json(?3)) \
    WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const STORE_RESPONSE: &str =
    "UPDATE requests SET answer = ?3 WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const DELETE_IF_EMPTY: &str =
    "DELETE FROM requests WHERE key = ?1 AND holder = ?2 AND answer IS NULL AND steps = '[]'";
const END_LEASE: &str =
    "UPDATE requests SET lease_until = ?3 WHERE key = ?1 AND holder = ?2 AND answer IS NULL";

/// All statements of this file that search for rows. The test of the query plans reads them.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[FIND, TAKE_OVER, SWEEP, RECORD_STEP, STORE_RESPONSE, DELETE_IF_EMPTY, END_LEASE];

/// The record of a claimed request.
struct IdempotencyRecord {
    fingerprint: [u8; 32],
    lease_until: i64,
    steps: String,
    /// The body of the response, if the request is completed.
    response: Option<String>,
}

impl IdempotencyRecord {
    fn decode(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            fingerprint: row.get("fingerprint")?,
            lease_until: row.get("lease_until")?,
            steps: row.get("steps")?,
            response: row.get("answer")?,
        })
    }
}

/// Claims a request. The transaction is the only writer, so the record cannot change between the
/// read and the update.
pub(super) fn claim_request(db: &mut Connection, claim: &Claim) -> Result<ClaimResult, StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = claim_record(&transaction, claim)?;
    transaction.prepare_cached(SWEEP)?.execute(params![claim.now.millis(), SWEEP_BATCH])?;
    transaction.commit()?;
    Ok(result)
}

fn claim_record(db: &Transaction<'_>, claim: &Claim) -> Result<ClaimResult, StoreError> {
    let Claim { key, fingerprint, run_id, now } = claim;
    let lease_until = now.saturating_add(LEASE_TTL).millis();
    let expires_at = now.saturating_add(KEY_TTL).millis();
    let find = params![key.0, now.millis()];
    let Some(record) =
        db.prepare_cached(FIND)?.query_row(find, IdempotencyRecord::decode).optional()?
    else {
        let insert = params![key.0, fingerprint, run_id.0, now.millis(), lease_until, expires_at];
        db.prepare_cached(INSERT)?.execute(insert)?;
        return Ok(ClaimResult::Acquired(Vec::new()));
    };
    if record.fingerprint != *fingerprint {
        return Ok(ClaimResult::KeyReused);
    }
    if let Some(response) = record.response {
        return Ok(ClaimResult::Completed(response));
    }
    if record.lease_until > now.millis() {
        return Ok(ClaimResult::InProgress);
    }
    let unreadable =
        || StoreError::Internal("the steps of an idempotency record cannot be read".to_owned());
    let steps = parse_steps(&record.steps).ok_or_else(unreadable)?;
    let take_over = params![key.0, run_id.0, now.millis(), lease_until, expires_at];
    db.prepare_cached(TAKE_OVER)?.execute(take_over)?;
    Ok(ClaimResult::Acquired(steps))
}

/// Stores the response of a run, or releases its request.
pub(super) fn complete_request(
    db: &mut Connection,
    key: IdempotencyKeyHash,
    run_id: ObjectId,
    outcome: &RunOutcome,
) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match outcome {
        RunOutcome::Completed(body) => {
            transaction.prepare_cached(STORE_RESPONSE)?.execute(params![key.0, run_id.0, body])?;
        }
        RunOutcome::Abandoned => {
            transaction.prepare_cached(DELETE_IF_EMPTY)?.execute(params![key.0, run_id.0])?;
            let ended = Timestamp::MIN.millis();
            transaction.prepare_cached(END_LEASE)?.execute(params![key.0, run_id.0, ended])?;
        }
    }
    transaction.commit()
}

/// Records a completed mutation of a run.
///
/// # Errors
///
/// [`CommitError::Superseded`] if the run no longer holds its request.
pub(super) fn record_step(
    db: &Transaction<'_>,
    key: IdempotencyKeyHash,
    run_id: ObjectId,
    step: &CompletedMutation,
) -> Result<(), CommitError> {
    let parameters = params![key.0, run_id.0, step_json(step)?];
    match db.prepare_cached(RECORD_STEP)?.execute(parameters)? {
        0 => Err(CommitError::Superseded),
        _ => Ok(()),
    }
}
