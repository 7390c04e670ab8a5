//! Requests that may be sent twice.

use mongodb::{
    ClientSession,
    bson::{Document, RawDocumentBuf, doc},
    options::ReturnDocument,
};

use super::{
    MongoStore,
    apply::update,
    commit::WriteError,
    documents::{
        date,
        idempotency::{self, IdempotencyRecord, digest, write_step},
        log_decode_error, oid,
    },
    errors::{COMMAND_TIMEOUT, DUPLICATE_KEY, code, read_error, timeout_error, with_timeout},
    queries::{batch_size_for, for_each_document},
};
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
const SWEEP_BATCH: usize = 8;
/// How often a claim is tried where another one makes the record at the same time. Once it is
/// there, the next try meets it.
const MAX_CLAIM_ATTEMPTS: usize = 5;

impl MongoStore {
    /// Claims a request in one step: the server decides on what it finds, and says what it left.
    pub(super) async fn claim_request(&self, claim: &Claim) -> Result<ClaimResult, StoreError> {
        let raw = self.claim_record(claim).await?;
        let record = idempotency::read(&raw).map_err(|fault| {
            log_decode_error(self.requests.name(), None, &fault);
            StoreError::Internal("a request cannot be read".to_owned())
        })?;
        // It is claimed or not, whatever becomes of this; the next claim sweeps, too.
        if let Err(error) = self.sweep(claim.now).await {
            tracing::warn!(%error, "expired requests stay for now");
        }
        Ok(claimed(record, claim))
    }

    async fn claim_record(&self, claim: &Claim) -> Result<RawDocumentBuf, StoreError> {
        let mut failed = false;
        for _ in 0..MAX_CLAIM_ATTEMPTS {
            let key = doc! { "_id": digest(claim.key.0) };
            let take = self.requests.find_one_and_update(key, take_if_free(claim)).upsert(true);
            let take = take.return_document(ReturnDocument::After);
            let take = tokio::time::timeout(COMMAND_TIMEOUT, take.into_future());
            let taken = self.requests.command("findAndModify").instrument(take).await;
            match taken.map_err(|_| timeout_error())? {
                Ok(Some(raw)) => return Ok(raw),
                Ok(None) => {}
                Err(error) if code(&error) == Some(DUPLICATE_KEY) => {}
                // Once more: what was ours already is ours then.
                Err(error) => match read_error(&error) {
                    StoreError::Unavailable(_) if !failed => failed = true,
                    error => return Err(error),
                },
            }
        }
        Err(StoreError::Unavailable("a request was claimed by too many at once".to_owned()))
    }

    /// Deletes a few records that have expired.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let expired = doc! { "expiresAt": { "$lte": date(now) } };
        let some = self.requests.find(expired.clone()).sort(doc! { "expiresAt": 1 });
        let some = some.projection(doc! { "_id": 1 }).limit(SWEEP_BATCH as i64);
        let mut keys = Vec::with_capacity(SWEEP_BATCH);
        let find = self.requests.command("find");
        for_each_document(find, some.batch_size(batch_size_for(SWEEP_BATCH)).batch(), |raw| {
            keys.extend(raw.get_binary("_id").ok().map(|key| key.to_binary()));
        })
        .await?;
        if keys.is_empty() {
            return Ok(());
        }
        // Somebody may have claimed one of them since.
        let mut still = expired;
        still.insert("_id", doc! { "$in": keys });
        with_timeout(self.requests.command("delete"), self.requests.delete_many(still))
            .await
            .map(drop)
    }

    /// Ends a run.
    pub(super) async fn settle_request(
        &self,
        key: IdempotencyKeyHash,
        holder: ObjectId,
        end: &RunOutcome,
    ) -> Result<(), StoreError> {
        let ours = open_lease_filter(key, holder);
        if let RunOutcome::Completed(body) = end {
            let answer = doc! { "$set": { "answer": body } };
            let answer = self.requests.update_one(ours, answer);
            return with_timeout(self.requests.command("update"), answer).await.map(drop);
        }
        let mut untouched = ours.clone();
        untouched.insert("steps.0", doc! { "$exists": false });
        let delete = self.requests.delete_one(untouched);
        if with_timeout(self.requests.command("delete"), delete).await?.deleted_count == 0 {
            let over = doc! { "$set": { "leaseUntil": date(Timestamp::MIN) } };
            let over = self.requests.update_one(ours, over);
            with_timeout(self.requests.command("update"), over).await?;
        }
        Ok(())
    }

    /// Keeps what a run has done.
    pub(super) async fn record_step(
        &self,
        key: IdempotencyKeyHash,
        holder: ObjectId,
        step: &CompletedMutation,
        session: Option<&mut ClientSession>,
    ) -> Result<(), WriteError> {
        let push = doc! { "$push": { "steps": write_step(step) } };
        match update(&self.requests, open_lease_filter(key, holder), push, session).await? {
            0 => Err(WriteError::Final(CommitError::Superseded)),
            _ => Ok(()),
        }
    }
}

/// The record of a run that has not been answered.
fn open_lease_filter(key: IdempotencyKeyHash, holder: ObjectId) -> Document {
    doc! { "_id": digest(key.0), "holder": oid(holder), "answer": null }
}

/// What a claim makes of the record: a new one where there is none that counts, one of its own where
/// nobody works on it any more, and what it was otherwise.
fn take_if_free(claim: &Claim) -> Vec<Document> {
    let Claim { fingerprint, run_id: holder, now, .. } = claim;
    let (fingerprint, now) = (digest(*fingerprint), date(*now));
    let run = doc! {
        "holder": oid(*holder),
        "claimedAt": now,
        "leaseUntil": date(claim.now.saturating_add(LEASE_TTL)),
        "expiresAt": date(claim.now.saturating_add(KEY_TTL)),
    };
    let mut blank = doc! { "_id": digest(claim.key.0), "fingerprint": fingerprint.clone() };
    blank.extend(run.clone());
    blank.insert("steps", Vec::<Document>::new());
    // What is absent is less than every date.
    let gone = doc! { "$not": { "$gt": ["$expiresAt", now] } };
    let free = doc! { "$and": [
        { "$eq": ["$fingerprint", fingerprint] },
        { "$eq": [{ "$ifNull": ["$answer", null] }, null] },
        { "$not": { "$gt": ["$leaseUntil", now] } },
    ] };
    let taken_over = doc! { "$mergeObjects": ["$$ROOT", { "$literal": run }] };
    vec![doc! { "$replaceWith": { "$switch": {
        "branches": [
            { "case": gone, "then": { "$literal": blank } },
            { "case": free, "then": taken_over },
        ],
        "default": "$$ROOT",
    } } }]
}

fn claimed(record: IdempotencyRecord, claim: &Claim) -> ClaimResult {
    // Nobody else has this holder's identifier.
    if record.holder == claim.run_id {
        ClaimResult::Acquired(record.steps)
    } else if record.fingerprint != claim.fingerprint {
        ClaimResult::KeyReused
    } else if let Some(answer) = record.answer {
        ClaimResult::Completed(answer)
    } else {
        ClaimResult::InProgress
    }
}
