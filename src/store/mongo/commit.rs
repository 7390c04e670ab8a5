//! Writes: all or nothing, and an outcome that is known.

use std::time::Duration;

use mongodb::{
    ClientSession, Collection,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind},
};
use tokio::time::Instant;

use super::{
    MongoStore, Raw,
    documents::{audit, date, oid, subscription, tenant, user},
    errors::{PATIENCE, bounded, out_of_time, read_error, refused_by, refused_write, unique},
};
use crate::{
    domain::{
        change::{Change, Unique, UserStamp},
        user::User,
    },
    store::{CommitError, ReadError},
};

const TRANSIENT: &str = "TransientTransactionError";
const UNKNOWN: &str = "UnknownTransactionCommitResult";
/// How long a transaction is tried again: others may be writing the same documents.
const TRYING: Duration = Duration::from_secs(10);
/// The wait before the next try, times the number of tries.
const PAUSE: Duration = Duration::from_millis(2);

/// Why one try did not work.
enum Failed {
    /// Decided: nothing was written, and another try would end the same way.
    Decided(CommitError),
    /// The driver's error.
    Driver(Error),
    /// The driver said nothing in time.
    Silent,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match refused_by(&error).and_then(unique) {
            Some(unique) => Self::Decided(CommitError::Conflict(unique)),
            None => Self::Driver(error),
        }
    }
}

impl Failed {
    fn has_label(&self, label: &str) -> bool {
        matches!(self, Self::Driver(error) if error.contains_label(label))
    }

    fn into_error(self) -> CommitError {
        match self {
            Self::Decided(error) => error,
            Self::Driver(error) => read_error(&error).into(),
            Self::Silent => out_of_time().into(),
        }
    }
}

impl MongoStore {
    pub(super) async fn apply(&self, changes: &[Change]) -> Result<(), CommitError> {
        match changes {
            [] => Ok(()),
            // One document is all or nothing by itself.
            [change] if !has_unique_values(change) => self.apply_alone(change).await,
            _ => self.apply_together(changes).await,
        }
    }

    /// The driver retries a single write once, and the server knows it again. After that its
    /// outcome can still be open, so it is looked up.
    async fn apply_alone(&self, change: &Change) -> Result<(), CommitError> {
        let failed = match self.write(change, None).await {
            Ok(()) => return Ok(()),
            Err(failed) => failed,
        };
        match failed.into_error() {
            CommitError::Failed(ReadError::Unavailable(_))
                if self.is_applied(std::slice::from_ref(change)).await =>
            {
                Ok(())
            }
            error => Err(error),
        }
    }

    async fn apply_together(&self, changes: &[Change]) -> Result<(), CommitError> {
        let deadline = Instant::now() + TRYING;
        let mut session = bounded(self.client.start_session()).await?;
        for attempt in 1.. {
            let failed = match self.transact(&mut session, changes, deadline).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            if !failed.has_label(TRANSIENT) || Instant::now() >= deadline {
                return Err(failed.into_error());
            }
            tokio::time::sleep(PAUSE * attempt).await;
        }
        Err(out_of_time().into())
    }

    /// One try of the whole transaction.
    async fn transact(
        &self,
        session: &mut ClientSession,
        changes: &[Change],
        deadline: Instant,
    ) -> Result<(), Failed> {
        start(session).await?;
        for change in changes {
            if let Err(failed) = self.write(change, Some(&mut *session)).await {
                // Whatever comes of it: the server ends by itself what is not committed.
                drop(in_time(session.abort_transaction()).await);
                return Err(failed);
            }
        }
        loop {
            let failed = match in_time(session.commit_transaction()).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            let open = failed.has_label(UNKNOWN) || matches!(failed, Failed::Silent);
            if !open {
                return Err(failed);
            }
            if Instant::now() >= deadline {
                return if self.is_applied(changes).await { Ok(()) } else { Err(failed) };
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn write(
        &self,
        change: &Change,
        session: Option<&mut ClientSession>,
    ) -> Result<(), Failed> {
        match change {
            Change::InsertTenant(t) => self.insert(&self.tenants, tenant::write(t), session).await,
            Change::InsertSubscription(s) => {
                self.insert(&self.subscriptions, subscription::write(s), session).await
            }
            Change::InsertUser(u) => self.insert_user(u, session).await,
            Change::Record(e) => self.insert(&self.audit_events, audit::write(e), session).await,
            Change::UpdateUser { was, user } => self.update_user(was, user, session).await,
            Change::SeeUser { id, at } => {
                let seen = doc! { "$max": { "lastSeenAt": date(*at) } };
                update(&self.users, doc! { "_id": oid(id.raw) }, seen, session).await.map(drop)
            }
        }
    }

    /// To the unique index, a user without an issuer and one with the default one are two; to
    /// everybody else they are the same.
    async fn insert_user(
        &self,
        user: &User,
        session: Option<&mut ClientSession>,
    ) -> Result<(), Failed> {
        let document = user::write(user);
        let Some(session) = session else {
            return self.insert(&self.users, document, None).await;
        };
        if user.identity.issuer == self.default_issuer {
            let same = doc! { "subject": &user.identity.subject, "issuer": null };
            if in_time(self.users.find_one(same).session(&mut *session)).await?.is_some() {
                return Err(Failed::Decided(CommitError::Conflict(Unique::Subject)));
            }
        }
        self.insert(&self.users, document, Some(session)).await
    }

    /// In a transaction by the bare command: the driver's own insert throws away what the server
    /// says of the index that refused it. (Outside of one, the driver's is the one that retries.)
    async fn insert(
        &self,
        collection: &Raw,
        document: Document,
        session: Option<&mut ClientSession>,
    ) -> Result<(), Failed> {
        let Some(session) = session else {
            let collection: Collection<Document> = collection.clone_with_type();
            return in_time(collection.insert_one(document)).await.map(drop);
        };
        let insert = doc! { "insert": collection.name(), "documents": [document] };
        let reply = in_time(self.database.run_command(insert).session(session)).await?;
        let Some(error) = first_write_error(&reply) else { return Ok(()) };
        let first_field = error.get_document("keyPattern").ok().and_then(|keys| keys.keys().next());
        Err(Failed::Decided(match first_field.and_then(|field| unique(field)) {
            Some(unique) => CommitError::Conflict(unique),
            None => refused_write(error.get_i32("code").unwrap_or_default()).into(),
        }))
    }

    async fn update_user(
        &self,
        was: &UserStamp,
        user: &User,
        session: Option<&mut ClientSession>,
    ) -> Result<(), Failed> {
        // As it was read: an absent version reads as 1, an absent watermark as none.
        let version = match was.version {
            1 => doc! { "$in": [1, null] }.into(),
            version => Bson::Int32(version),
        };
        let watermark = was.groups_as_of.map_or(Bson::Null, |at| date(at).into());
        let stored = doc! { "_id": oid(user.id.raw), "version": version, "groupsAsOf": watermark };
        match update(&self.users, stored, user::update(user), session).await? {
            0 => Err(Failed::Decided(CommitError::Stale)),
            _ => Ok(()),
        }
    }

    /// Whether all of this is there, after an answer that never came. It is all or nothing, so one
    /// document that nobody else can have written tells; where none can tell, the answer is no.
    async fn is_applied(&self, changes: &[Change]) -> bool {
        let marks = changes.iter().filter_map(|change| self.mark(change));
        let Some((collection, mark)) = marks.min_by_key(|(_, mark)| mark.len()) else {
            return false;
        };
        matches!(bounded(collection.find_one(mark)).await, Ok(Some(_)))
    }

    /// What is found once a change is applied: an identifier of its own, or the stamps of a user.
    fn mark(&self, change: &Change) -> Option<(&Raw, Document)> {
        let id = |id| doc! { "_id": oid(id) };
        Some(match change {
            Change::InsertTenant(tenant) => (&self.tenants, id(tenant.id.raw)),
            Change::InsertSubscription(subscription) => {
                (&self.subscriptions, id(subscription.id.raw))
            }
            Change::InsertUser(user) => (&self.users, id(user.id.raw)),
            Change::Record(event) => (&self.audit_events, id(event.id.raw)),
            Change::UpdateUser { user, .. } => {
                let mut mark = id(user.id.raw);
                mark.insert("version", user.version);
                mark.insert("updatedAt", date(user.updated_at));
                let watermark = user.groups_as_of.map_or(Bson::Null, |at| date(at).into());
                mark.insert("groupsAsOf", watermark);
                (&self.users, mark)
            }
            Change::SeeUser { id: user, at } => {
                let mut mark = id(user.raw);
                mark.insert("lastSeenAt", doc! { "$gte": date(*at) });
                (&self.users, mark)
            }
        })
    }
}

async fn start(session: &mut ClientSession) -> Result<(), Failed> {
    match in_time(session.start_transaction()).await {
        // A standalone was refused at the start: the driver has lost sight of the servers.
        Err(Failed::Driver(error)) if matches!(*error.kind, ErrorKind::Transaction { .. }) => {
            let text = "no server that can commit is in sight".to_owned();
            Err(Failed::Decided(ReadError::Unavailable(text).into()))
        }
        other => other,
    }
}

/// A transaction is what tells which of its values is taken.
fn has_unique_values(change: &Change) -> bool {
    matches!(
        change,
        Change::InsertTenant(_) | Change::InsertSubscription(_) | Change::InsertUser(_)
    )
}

fn first_write_error(reply: &Document) -> Option<&Document> {
    reply.get_array("writeErrors").ok()?.first()?.as_document()
}

/// How many documents the filter matched: 0 or 1.
async fn update(
    collection: &Raw,
    filter: Document,
    update: Document,
    session: Option<&mut ClientSession>,
) -> Result<u64, Failed> {
    let update = collection.update_one(filter, update);
    let updated = match session {
        Some(session) => in_time(update.session(session)).await,
        None => in_time(update).await,
    };
    Ok(updated?.matched_count)
}

async fn in_time<T>(command: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, Failed> {
    let answer = tokio::time::timeout(PATIENCE, command.into_future()).await;
    answer.map_err(|_| Failed::Silent)?.map_err(Failed::from)
}
