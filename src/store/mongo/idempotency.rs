//! Requests that may be sent twice.

use mongodb::{
    ClientSession,
    bson::{Document, RawDocumentBuf, doc},
    options::ReturnDocument,
};

use super::{
    MongoStore,
    apply::update,
    commit::Failed,
    documents::{
        date, log_broken, oid,
        request::{self, Record, digest, write_step},
    },
    errors::{DUPLICATE_KEY, PATIENCE, bounded, code, out_of_time, read_error},
    queries::{batch, each},
};
use crate::{
    domain::{
        id::ObjectId,
        request::{Claim, Claimed, KEPT, LEASE, RequestKey, Settlement, Step},
        time::Timestamp,
    },
    store::{CommitError, ReadError},
};

/// How many records that nobody asks for any more go with each claim. More than one, so that they
/// get fewer.
const SWEPT: usize = 8;
/// How often a claim is tried where another one makes the record at the same time. Once it is
/// there, the next try meets it.
const TRIES: usize = 5;

impl MongoStore {
    /// Claims a request in one step: the server decides on what it finds, and says what it left.
    pub(super) async fn claim_request(&self, claim: &Claim) -> Result<Claimed, ReadError> {
        let raw = self.take(claim).await?;
        let record = request::read(&raw).map_err(|fault| {
            log_broken(self.requests.name(), None, &fault);
            ReadError::Internal("a request cannot be read".to_owned())
        })?;
        // It is claimed or not, whatever becomes of this; the next claim sweeps, too.
        if let Err(error) = self.sweep(claim.now).await {
            tracing::warn!(%error, "expired requests stay for now");
        }
        Ok(claimed(record, claim))
    }

    async fn take(&self, claim: &Claim) -> Result<RawDocumentBuf, ReadError> {
        let mut failed = false;
        for _ in 0..TRIES {
            let key = doc! { "_id": digest(claim.key.0) };
            let take = self.requests.find_one_and_update(key, take_if_free(claim)).upsert(true);
            let take = take.return_document(ReturnDocument::After);
            let take = tokio::time::timeout(PATIENCE, take.into_future());
            let taken = self.requests.on("findAndModify").observe(take).await;
            match taken.map_err(|_| out_of_time())? {
                Ok(Some(raw)) => return Ok(raw),
                Ok(None) => {}
                Err(error) if code(&error) == Some(DUPLICATE_KEY) => {}
                // Once more: what was ours already is ours then.
                Err(error) => match read_error(&error) {
                    ReadError::Unavailable(_) if !failed => failed = true,
                    error => return Err(error),
                },
            }
        }
        Err(ReadError::Unavailable("a request was claimed by too many at once".to_owned()))
    }

    /// Deletes a few records that have expired.
    async fn sweep(&self, now: Timestamp) -> Result<(), ReadError> {
        let expired = doc! { "expiresAt": { "$lte": date(now) } };
        let some = self.requests.find(expired.clone()).sort(doc! { "expiresAt": 1 });
        let some = some.projection(doc! { "_id": 1 }).limit(SWEPT as i64);
        let mut keys = Vec::with_capacity(SWEPT);
        let find = self.requests.on("find");
        each(find, some.batch_size(batch(SWEPT)).batch(), |raw| {
            keys.extend(raw.get_binary("_id").ok().map(|key| key.to_binary()));
        })
        .await?;
        if keys.is_empty() {
            return Ok(());
        }
        // Somebody may have claimed one of them since.
        let mut still = expired;
        still.insert("_id", doc! { "$in": keys });
        bounded(self.requests.on("delete"), self.requests.delete_many(still)).await.map(drop)
    }

    /// Ends a run.
    pub(super) async fn settle_request(
        &self,
        key: RequestKey,
        holder: ObjectId,
        end: &Settlement,
    ) -> Result<(), ReadError> {
        let ours = held(key, holder);
        if let Settlement::Answered(body) = end {
            let answer = doc! { "$set": { "answer": body } };
            let answer = self.requests.update_one(ours, answer);
            return bounded(self.requests.on("update"), answer).await.map(drop);
        }
        let mut untouched = ours.clone();
        untouched.insert("steps.0", doc! { "$exists": false });
        let delete = self.requests.delete_one(untouched);
        if bounded(self.requests.on("delete"), delete).await?.deleted_count == 0 {
            let over = doc! { "$set": { "leaseUntil": date(Timestamp::MIN) } };
            let over = self.requests.update_one(ours, over);
            bounded(self.requests.on("update"), over).await?;
        }
        Ok(())
    }

    /// Keeps what a run has done.
    pub(super) async fn done(
        &self,
        key: RequestKey,
        holder: ObjectId,
        step: &Step,
        session: Option<&mut ClientSession>,
    ) -> Result<(), Failed> {
        let push = doc! { "$push": { "steps": write_step(step) } };
        match update(&self.requests, held(key, holder), push, session).await? {
            0 => Err(Failed::Decided(CommitError::Superseded)),
            _ => Ok(()),
        }
    }
}

/// The record of a run that has not been answered.
fn held(key: RequestKey, holder: ObjectId) -> Document {
    doc! { "_id": digest(key.0), "holder": oid(holder), "answer": null }
}

/// What a claim makes of the record: a new one where there is none that counts, one of its own where
/// nobody works on it any more, and what it was otherwise.
fn take_if_free(claim: &Claim) -> Vec<Document> {
    let Claim { fingerprint, holder, now, .. } = claim;
    let (fingerprint, now) = (digest(*fingerprint), date(*now));
    let run = doc! {
        "holder": oid(*holder),
        "claimedAt": now,
        "leaseUntil": date(claim.now.plus(LEASE)),
        "expiresAt": date(claim.now.plus(KEPT)),
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

fn claimed(record: Record, claim: &Claim) -> Claimed {
    // Nobody else has this holder's identifier.
    if record.holder == claim.holder {
        Claimed::Ours(record.steps)
    } else if record.fingerprint != claim.fingerprint {
        Claimed::Mismatch
    } else if let Some(answer) = record.answer {
        Claimed::Answered(answer)
    } else {
        Claimed::Busy
    }
}
