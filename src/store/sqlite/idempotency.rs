//! Claims, steps and responses of idempotent requests, in the table `requests`.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::rows::{
    self,
    idempotency::{parse_steps, step_json},
};
use crate::{
    domain::{
        id::ObjectId,
        idempotency::{
            Claim, ClaimResult, CompletedMutation, Heartbeat, IdempotencyKeyHash, KEY_TTL,
            LEASE_TTL, RightsDigest, RunHolder, RunOutcome, StoredResponse,
        },
        time::Timestamp,
    },
    store::{CommitError, StoreError},
};

/// The number of expired records that each claim deletes. It is more than one, so that a backlog
/// shrinks.
const SWEEP_BATCH: i64 = 8;

// A row without a user is of an older version, or of a caller who had none. It can only be of this
// identity.
const FIND: &str = "SELECT fingerprint, holder, process, lease_until, steps, answer, rights \
    FROM requests WHERE key = ?1 AND expires_at > ?2 AND coalesce(user_id, ?3) IS ?3";
const INSERT: &str = "INSERT OR REPLACE INTO requests (key, fingerprint, user_id, holder, \
    process, claimed_at, lease_until, expires_at, steps) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '[]')";
const TAKE_OVER: &str = "UPDATE requests SET user_id = ?2, holder = ?3, process = ?4, \
    claimed_at = ?5, lease_until = ?6, expires_at = ?7, answer = NULL, rights = NULL \
    WHERE key = ?1";
const SWEEP: &str = "DELETE FROM requests WHERE rowid IN (SELECT r.rowid FROM requests r \
    WHERE r.expires_at <= ?1 ORDER BY r.expires_at LIMIT ?2)";
const RECORD_STEP: &str = "UPDATE requests SET steps = json_insert(steps, '$[#]', json(?3)) \
    WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const STORE_RESPONSE: &str = "UPDATE requests SET answer = ?3, rights = ?4 \
    WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const DELETE_IF_EMPTY: &str =
    "DELETE FROM requests WHERE key = ?1 AND holder = ?2 AND answer IS NULL AND steps = '[]'";
const END_LEASE: &str =
    "UPDATE requests SET lease_until = ?3 WHERE key = ?1 AND holder = ?2 AND answer IS NULL";
const RECORD_HEARTBEAT: &str = "INSERT INTO processes (id, heartbeats, runs, expires_at) \
    VALUES (?1, 1, ?2, ?3) ON CONFLICT (id) DO UPDATE \
    SET heartbeats = heartbeats + 1, runs = excluded.runs, expires_at = excluded.expires_at";
const COUNT_HEARTBEATS: &str =
    "SELECT heartbeats FROM processes WHERE id = ?1 AND instr(runs, ?2) > 0";
const SWEEP_PROCESSES: &str = "DELETE FROM processes WHERE expires_at <= ?1";

/// All statements of this file that search for rows. The test of the query plans reads them.
#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    FIND,
    TAKE_OVER,
    SWEEP,
    RECORD_STEP,
    STORE_RESPONSE,
    DELETE_IF_EMPTY,
    END_LEASE,
    COUNT_HEARTBEATS,
    SWEEP_PROCESSES,
];

/// The record of a claimed request.
struct IdempotencyRecord {
    fingerprint: [u8; 32],
    holder: RunHolder,
    lease_until: i64,
    steps: String,
    /// The body of the response, if the request is completed.
    response: Option<String>,
    /// The rights under which the response was stored.
    rights: Option<RightsDigest>,
}

impl IdempotencyRecord {
    fn decode(row: &Row<'_>) -> rusqlite::Result<Self> {
        let process = row.get::<_, Option<_>>("process")?.map(ObjectId);
        Ok(Self {
            fingerprint: row.get("fingerprint")?,
            holder: RunHolder { run_id: ObjectId(row.get("holder")?), process },
            lease_until: row.get("lease_until")?,
            steps: row.get("steps")?,
            response: row.get("answer")?,
            rights: row.get::<_, Option<_>>("rights")?.map(RightsDigest),
        })
    }

    /// Returns whether a claim may take the request over.
    fn is_free(&self, claim: &Claim) -> bool {
        match self.response {
            Some(_) => self.rights != Some(claim.rights),
            None => {
                self.lease_until <= claim.now.millis() || claim.lost_run == Some(self.holder.run_id)
            }
        }
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
    let Claim { key, fingerprint, run_id, process, now, .. } = claim;
    let user = claim.user.map(|user| user.raw.0);
    let lease_until = now.saturating_add(LEASE_TTL).millis();
    let expires_at = now.saturating_add(KEY_TTL).millis();
    let now = now.millis();
    let find = params![key.0, now, user];
    let Some(record) =
        db.prepare_cached(FIND)?.query_row(find, IdempotencyRecord::decode).optional()?
    else {
        let run =
            params![key.0, fingerprint, user, run_id.0, process.0, now, lease_until, expires_at];
        db.prepare_cached(INSERT)?.execute(run)?;
        return Ok(ClaimResult::Acquired(Vec::new()));
    };
    if record.fingerprint != *fingerprint {
        return Ok(ClaimResult::KeyReused);
    }
    if !record.is_free(claim) {
        let in_progress = ClaimResult::InProgress(record.holder);
        return Ok(record.response.map_or(in_progress, ClaimResult::Completed));
    }
    let unreadable =
        || StoreError::Internal("the steps of an idempotency record cannot be read".to_owned());
    let steps = parse_steps(&record.steps).ok_or_else(unreadable)?;
    let take_over = params![key.0, user, run_id.0, process.0, now, lease_until, expires_at];
    db.prepare_cached(TAKE_OVER)?.execute(take_over)?;
    Ok(ClaimResult::Acquired(steps))
}

/// Records a heartbeat of a process, and deletes expired ones.
pub(super) fn record_heartbeat(db: &mut Connection, beat: &Heartbeat) -> rusqlite::Result<()> {
    let Heartbeat { process, runs, now } = beat;
    let runs = rows::to_json(&runs.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let expires_at = now.saturating_add(KEY_TTL).millis();
    transaction.prepare_cached(RECORD_HEARTBEAT)?.execute(params![process.0, runs, expires_at])?;
    transaction.prepare_cached(SWEEP_PROCESSES)?.execute(params![now.millis()])?;
    transaction.commit()
}

/// Returns the heartbeats of a process, if the last one names this run.
pub(super) fn count_heartbeats(
    db: &mut Connection,
    process: ObjectId,
    run_id: ObjectId,
) -> rusqlite::Result<Option<i64>> {
    let find = params![process.0, format!("\"{run_id}\"")];
    db.prepare_cached(COUNT_HEARTBEATS)?.query_row(find, |row| row.get(0)).optional()
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
        RunOutcome::Completed(response) => {
            let StoredResponse { body, rights } = response;
            let response = params![key.0, run_id.0, body, rights.0];
            transaction.prepare_cached(STORE_RESPONSE)?.execute(response)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::id::UserId, store::sqlite::schema};

    /// A response of an older version names no rights, so the next run reads the outcome again.
    #[test]
    fn rows_without_a_user_are_continued() {
        let mut db = Connection::open_in_memory().expect("a database");
        schema::migrate(&mut db).expect("migrated");
        let insert = "INSERT INTO requests (key, fingerprint, holder, claimed_at, lease_until, \
            expires_at, steps, answer) VALUES (?1, ?2, ?3, 0, 60000, 86400000, ?4, ?5)";
        let steps = r#"[{"ordinal": 0, "ids": []}]"#;
        for (key, answer) in [([1_u8; 32], None), ([2; 32], Some("{}"))] {
            let row = params![key, [100_u8; 32], [1_u8; 12], steps, answer];
            db.execute(insert, row).expect("inserted");
        }
        let claim = |key, lost_run| Claim {
            key: IdempotencyKeyHash([key; 32]),
            fingerprint: [100; 32],
            run_id: ObjectId([2; 12]),
            process: ObjectId([5; 12]),
            user: Some(UserId::new(ObjectId([3; 12]))),
            rights: RightsDigest([4; 32]),
            lost_run,
            now: Timestamp::from_millis(1).expect("in range"),
        };
        let run_id = ObjectId([1; 12]);
        let holder = RunHolder { run_id, process: None };
        let step = CompletedMutation { root_field_index: 0, ids: Vec::new() };
        for (claim, expected) in [
            (claim(1, None), ClaimResult::InProgress(holder)),
            (claim(1, Some(run_id)), ClaimResult::Acquired(vec![step.clone()])),
            (claim(2, None), ClaimResult::Acquired(vec![step])),
        ] {
            assert_eq!(claim_request(&mut db, &claim).expect("claimed"), expected);
        }
    }
}
