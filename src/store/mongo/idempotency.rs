//! Claims, steps and responses of idempotent requests, in the collection `requests`.

use mongodb::{
    ClientSession,
    bson::{Binary, Bson, Document, RawDocumentBuf, doc, spec::BinarySubtype},
    options::ReturnDocument,
};

use super::{
    connect::MongoStore,
    documents::{
        date,
        idempotency::{self, IdempotencyRecord, digest, encode_step},
        log_decode_error, oid,
    },
    errors::{COMMAND_TIMEOUT, DUPLICATE_KEY, code, read_error, timeout_error, with_timeout},
    queries::{batch_size_for, for_each_document},
    writes::{WriteError, update},
};
use crate::{
    domain::{
        id::ObjectId,
        idempotency::{
            Claim, ClaimResult, CompletedMutation, Heartbeat, IdempotencyKeyHash, KEY_TTL,
            LEASE_TTL, RunOutcome,
        },
        time::Timestamp,
    },
    store::{CommitError, StoreError},
};

/// The number of expired records that each claim deletes. It is more than one, so that a backlog
/// shrinks.
const SWEEP_BATCH: usize = 8;
/// The number of attempts if another claim inserts the record at the same time. Once the record
/// exists, the next attempt finds it.
const MAX_CLAIM_ATTEMPTS: usize = 5;

impl MongoStore {
    /// Claims a request by one atomic command. The server decides by the stored record, and returns
    /// the record as it is afterwards.
    pub(super) async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError> {
        let raw = self.claim_record(claim).await?;
        let record = idempotency::decode(&raw).map_err(|error| {
            log_decode_error(self.requests.name(), None, &error);
            StoreError::Internal("an idempotency record cannot be read".to_owned())
        })?;
        // The claim is decided, so a failed sweep must not fail it. The next claim sweeps again.
        if let Err(error) = self.sweep(claim.now).await {
            tracing::warn!(%error, "expired idempotency records were not deleted");
        }
        Ok(claim_result(record, claim))
    }

    async fn claim_record(&self, claim: &Claim) -> Result<RawDocumentBuf, StoreError> {
        let mut has_failed = false;
        for _ in 0..MAX_CLAIM_ATTEMPTS {
            let key = doc! { "_id": digest(claim.key.0) };
            let update = self.requests.find_one_and_update(key, claim_pipeline(claim)).upsert(true);
            // The limit also ends the command if a transaction of a lost process blocks it.
            let update = update.return_document(ReturnDocument::After).max_time(COMMAND_TIMEOUT);
            let update = tokio::time::timeout(COMMAND_TIMEOUT, update.into_future());
            let result = self.requests.command("findAndModify").instrument(update).await;
            match result.map_err(|_| timeout_error())? {
                Ok(Some(raw)) => return Ok(raw),
                Ok(None) => {}
                Err(error) if code(&error) == Some(DUPLICATE_KEY) => {}
                // One more attempt is safe: if this run has acquired the request, it finds its own
                // record.
                Err(error) => match read_error(&error) {
                    StoreError::Unavailable(_) if !has_failed => has_failed = true,
                    error => return Err(error),
                },
            }
        }
        Err(StoreError::Unavailable("too many concurrent claims of one request".to_owned()))
    }

    /// Deletes a few expired records.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let expired = doc! { "expiresAt": { "$lte": date(now) } };
        let oldest = self.requests.find(expired.clone()).sort(doc! { "expiresAt": 1 });
        let oldest = oldest.projection(doc! { "_id": 1 }).limit(SWEEP_BATCH as i64);
        let mut keys = Vec::with_capacity(SWEEP_BATCH);
        let find = self.requests.command("find");
        for_each_document(find, oldest.batch_size(batch_size_for(SWEEP_BATCH)).batch(), |raw| {
            keys.extend(raw.get_binary("_id").ok().map(|key| key.to_binary()));
        })
        .await?;
        if keys.is_empty() {
            return Ok(());
        }
        // The condition is repeated, because another run may have claimed one of them since.
        let mut still_expired = expired;
        still_expired.insert("_id", doc! { "$in": keys });
        let delete = self.requests.delete_many(still_expired);
        with_timeout(self.requests.command("delete"), delete).await.map(drop)
    }

    /// Records a heartbeat, in a document of the process. It is no document of a run, because a
    /// commit of the run would conflict with it.
    pub(super) async fn record_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError> {
        let runs: Vec<_> = heartbeat.runs.iter().map(|run| oid(*run)).collect();
        let expires_at = date(heartbeat.now.saturating_add(KEY_TTL));
        let beat = doc! {
            "$inc": { "heartbeats": 1_i64 },
            "$set": { "runs": runs, "expiresAt": expires_at },
        };
        let process = doc! { "_id": process_key(heartbeat.process) };
        let update = self.requests.update_one(process, beat).upsert(true);
        with_timeout(self.requests.command("update"), update).await.map(drop)
    }

    pub(super) async fn count_heartbeats(
        &self,
        process: ObjectId,
        run_id: ObjectId,
    ) -> Result<Option<i64>, StoreError> {
        let process = doc! { "_id": process_key(process), "runs": oid(run_id) };
        let find = self.requests.find_one(process).projection(doc! { "heartbeats": 1 });
        let raw = with_timeout(self.requests.command("find"), find).await?;
        Ok(raw.and_then(|raw| raw.get_i64("heartbeats").ok()))
    }

    /// Stores the response of a run, or releases its request.
    pub(super) async fn complete_request(
        &self,
        key: IdempotencyKeyHash,
        run_id: ObjectId,
        outcome: &RunOutcome,
    ) -> Result<(), StoreError> {
        let own_record = open_record_filter(key, run_id);
        if let RunOutcome::Completed(response) = outcome {
            let rights = digest(response.rights.0);
            let update = doc! { "$set": { "answer": &response.body, "rights": rights } };
            let update = self.requests.update_one(own_record, update);
            return with_timeout(self.requests.command("update"), update).await.map(drop);
        }
        let mut without_steps = own_record.clone();
        without_steps.insert("steps.0", doc! { "$exists": false });
        let delete = self.requests.delete_one(without_steps);
        if with_timeout(self.requests.command("delete"), delete).await?.deleted_count == 0 {
            let end_lease = doc! { "$set": { "leaseUntil": date(Timestamp::MIN) } };
            let end_lease = self.requests.update_one(own_record, end_lease);
            with_timeout(self.requests.command("update"), end_lease).await?;
        }
        Ok(())
    }

    /// Records a completed mutation of a run.
    ///
    /// # Errors
    ///
    /// [`CommitError::Superseded`] if the run no longer holds its request.
    pub(super) async fn record_step(
        &self,
        key: IdempotencyKeyHash,
        run_id: ObjectId,
        step: &CompletedMutation,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        let push = doc! { "$push": { "steps": encode_step(step) } };
        match update(&self.requests, open_record_filter(key, run_id), push, session).await? {
            0 => Err(WriteError::Final(CommitError::Superseded)),
            _ => Ok(()),
        }
    }
}

/// Matches the record of a run that has no response yet.
fn open_record_filter(key: IdempotencyKeyHash, run_id: ObjectId) -> Document {
    doc! { "_id": digest(key.0), "holder": oid(run_id), "answer": null }
}

/// Returns the update of a claim. It creates a new record if there is none, it has expired or it
/// belongs to another user. It takes over the record of the same request if no run holds it, or if
/// its response was stored under other rights. Otherwise it leaves the record unchanged.
fn claim_pipeline(claim: &Claim) -> Vec<Document> {
    let Claim { fingerprint, run_id, user, rights, now, .. } = claim;
    let (fingerprint, now) = (digest(*fingerprint), date(*now));
    let user = user.map_or(Bson::Null, |user| oid(user.raw).into());
    let run = doc! {
        "userId": user.clone(),
        "holder": oid(*run_id),
        "process": oid(claim.process),
        "claimedAt": now,
        "leaseUntil": date(claim.now.saturating_add(LEASE_TTL)),
        "expiresAt": date(claim.now.saturating_add(KEY_TTL)),
    };
    let mut new_record = doc! { "_id": digest(claim.key.0), "fingerprint": fingerprint.clone() };
    new_record.extend(run.clone());
    new_record.insert("steps", Vec::<Document>::new());
    // An absent field compares as less than every date, so this includes the absent record.
    let is_expired = doc! { "$not": { "$gt": ["$expiresAt", now] } };
    // A record without a user is of an older version, or of a caller who had none. It can only be of
    // this identity.
    let is_of_another = doc! { "$ne": [{ "$ifNull": ["$userId", user.clone()] }, user] };
    let is_free = doc! { "$cond": {
        "if": { "$eq": [{ "$ifNull": ["$answer", null] }, null] },
        "then": { "$or": [
            { "$not": { "$gt": ["$leaseUntil", now] } },
            { "$eq": ["$holder", claim.lost_run.map(oid)] },
        ] },
        "else": { "$ne": ["$rights", digest(rights.0)] },
    } };
    let is_free = doc! { "$and": [{ "$eq": ["$fingerprint", fingerprint] }, is_free] };
    let mut taken_over = run;
    taken_over.extend(doc! { "answer": null, "rights": null });
    let taken_over = doc! { "$mergeObjects": ["$$ROOT", { "$literal": taken_over }] };
    vec![doc! { "$replaceWith": { "$switch": {
        "branches": [
            { "case": { "$or": [is_expired, is_of_another] }, "then": { "$literal": new_record } },
            { "case": is_free, "then": taken_over },
        ],
        "default": "$$ROOT",
    } } }]
}

/// Returns the key of the document with the heartbeats of a process.
fn process_key(process: ObjectId) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes: process.0.to_vec() }.into()
}

fn claim_result(record: IdempotencyRecord, claim: &Claim) -> ClaimResult {
    // A run identifier is unique, so this claim has written the record.
    if record.holder.run_id == claim.run_id {
        ClaimResult::Acquired(record.steps)
    } else if record.fingerprint != claim.fingerprint {
        ClaimResult::KeyReused
    } else if let Some(response) = record.response {
        ClaimResult::Completed(response)
    } else {
        ClaimResult::InProgress(record.holder)
    }
}
