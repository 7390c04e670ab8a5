//! The only door to data for everything above: it knows who asks, asks [`policy`](crate::policy), then reads.
//!
//! An [`Access`] is shared by all requests; each request has a [`Session`] of its own, which finds
//! the actor once, by one read, and answers every question of what the actor may see without
//! another. What may not be seen is left out here, exactly as what does not exist, so no caller of
//! this module can show it by mistake.

mod provision;
mod read;
mod repeat;
mod touched;
mod viewer;
mod write;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio::sync::OnceCell;

pub use crate::domain::fault::Fault;
use crate::{
    clock::Clock,
    domain::{
        edit,
        id::{TenantId, UserId},
        list::{Broken, Found},
        sync::{self, GroupNames, Profile},
        user::{Identity, User},
    },
    store::{ReadError, Store, UserKeys},
};

pub use read::{ByKey, History};
pub use repeat::{Admission, Run, digest};
pub use touched::TOUCHED_MAX;
use touched::Touched;
pub use viewer::Viewer;
pub use write::{
    AddMember, Command, CreateSubscription, CreateTenant, CreateUser, DeleteSubscription,
    DeleteTenant, DeleteUser, Outcome, Placed, RemoveMember, Subscribed, UpdateMember,
    UpdateSubscription, UpdateTenant, UpdateUser,
};

/// Why something is refused, as a client may learn it. It has no `Display` on purpose: nothing
/// turns it into text by accident, and no text of a lower layer can travel in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no token.
    Unauthenticated,
    /// The token's subject has no user here.
    NotProvisioned,
    /// The user is disabled.
    Disabled,
    /// What is to be changed does not exist for the actor.
    NotFound,
    /// The actor may know of it and may not do this.
    Forbidden,
    /// The tenant is suspended or archived: its people cannot change it.
    Suspended,
    /// The input is not what it should be; every fault of it.
    BadInput(Vec<Fault>),
    /// The input was meant for another version than the stored one, which is this.
    StaleVersion(i32),
    /// Something else is in the way; the name of the input that it is in the way of.
    Conflict(&'static str),
    /// The store cannot be reached; trying again is safe.
    Unavailable,
    /// A fault of this program or of stored data; the log has the cause.
    Internal,
}

impl From<edit::Refused> for Refusal {
    fn from(refused: edit::Refused) -> Self {
        match refused {
            edit::Refused::Faults(faults) => Self::BadInput(faults),
            edit::Refused::StaleVersion(stored) => Self::StaleVersion(stored),
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => {
                tracing::warn!(%error, "the store is not available");
                Self::Unavailable
            }
            ReadError::Internal(_) => {
                tracing::error!(%error, "a read failed");
                Self::Internal
            }
        }
    }
}

/// The store has logged the document; whoever asked for it learns that it cannot be shown.
impl From<Broken> for Refusal {
    fn from(_: Broken) -> Self {
        Self::Internal
    }
}

/// Who presents a verified token: the identity, and what only `me` may read.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// What the token says besides.
    pub profile: Profile,
}

/// What is configured that decides about rights and data.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What groups are called.
    pub groups: GroupNames,
    /// The slug of the tenant that is always there.
    pub default_tenant: String,
    /// The issuers whose tokens count; a user whose issuer nobody names is the first one's.
    pub issuers: Vec<String>,
}

/// What all sessions share.
pub struct Access {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: Rules,
    open: AtomicBool,
}

impl Access {
    /// The door to a store; closed, so that everything is `UNAVAILABLE`, until [`Self::open`].
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, rules: Rules) -> Self {
        Self { store, clock, rules, open: AtomicBool::new(false) }
    }

    /// Lets requests in: the store is prepared. Before, nothing could hold what is unique apart.
    pub fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// Whether data can be had: the store answers, and was prepared. Else why not, without a secret.
    pub async fn ready(&self) -> Result<(), String> {
        self.store.ping().await.map_err(|error| error.to_string())?;
        if self.is_open() { Ok(()) } else { Err("the database is not prepared yet".to_owned()) }
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

/// One request's view of the data; for a mutation of several root fields, one field's view.
pub struct Session {
    access: Arc<Access>,
    request: Arc<Request>,
    /// Which of a mutation's root fields, from 0.
    ordinal: u32,
    viewer: OnceCell<Result<Arc<Viewer>, Refusal>>,
}

/// What all sessions of a request have in common.
struct Request {
    caller: Option<Caller>,
    id: String,
    /// The run of a request that may be sent again.
    run: Option<Run>,
    reads: AtomicU32,
    writes: AtomicU32,
    touched: Touched,
}

impl Session {
    /// Begins a request; `caller` is `None` for an anonymous one, `run` for one that has no
    /// `Idempotency-Key`. Reads nothing yet.
    #[must_use]
    pub fn new(
        access: Arc<Access>,
        caller: Option<Caller>,
        request_id: String,
        run: Option<Run>,
    ) -> Self {
        let (reads, writes, touched) = Default::default();
        let id = request_id;
        let request = Arc::new(Request { caller, id, run, reads, writes, touched });
        Self { access, request, ordinal: 0, viewer: OnceCell::new() }
    }

    /// The same request at its next root field: what the fields before it have changed counts, so
    /// the actor is found anew.
    #[must_use]
    pub fn next(&self, ordinal: u32) -> Self {
        let (access, request) = (self.access.clone(), self.request.clone());
        Self { access, request, ordinal, viewer: OnceCell::new() }
    }

    /// The same field of the same request, after the actor has become somebody with other rights.
    #[must_use]
    pub fn with_viewer(&self, user: User) -> Self {
        let viewer = OnceCell::new_with(Some(Ok(Arc::new(Viewer::new(Arc::new(user))))));
        let (access, request) = (self.access.clone(), self.request.clone());
        Self { access, request, ordinal: self.ordinal, viewer }
    }

    /// How many reads of the store this request has cost so far.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.request.reads.load(Ordering::Relaxed)
    }

    /// How many changes of documents this request has committed so far; what only guards a commit
    /// counts as one.
    #[must_use]
    pub fn writes(&self) -> u32 {
        self.request.writes.load(Ordering::Relaxed)
    }

    /// Some of the tenants that this request was shown or has changed, at most [`TOUCHED_MAX`]: for
    /// the log.
    #[must_use]
    pub fn touched(&self) -> Vec<TenantId> {
        self.request.touched.list()
    }

    /// The actor's user, where it was found; what it may do is no matter here.
    #[must_use]
    pub fn actor(&self) -> Option<UserId> {
        self.known_viewer().ok().map(|viewer| viewer.user().id)
    }

    /// The request's identifier.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request.id
    }

    /// The actor, found by the first call and kept for the request. `syncs` says whether the
    /// operation asks for `me`, which makes and updates the user first; every call of a request
    /// passes the same value, so all its fields see the same actor.
    pub async fn viewer(&self, syncs: bool) -> Result<Arc<Viewer>, Refusal> {
        self.viewer.get_or_init(|| self.find_viewer(syncs)).await.clone()
    }

    /// The actor, where a root field has found it before.
    pub fn known_viewer(&self) -> Result<&Arc<Viewer>, Refusal> {
        match self.viewer.get() {
            Some(Ok(viewer)) => Ok(viewer),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(Refusal::Unauthenticated),
        }
    }

    async fn find_viewer(&self, syncs: bool) -> Result<Arc<Viewer>, Refusal> {
        let caller = self.request.caller.as_ref().ok_or(Refusal::Unauthenticated)?;
        let user = if syncs {
            self.provision(caller).await?
        } else {
            let stored = self.stored_user(&caller.identity).await?;
            let user = refuse_disabled(stored)?.ok_or(Refusal::NotProvisioned)?;
            self.refuse_a_predecessor(caller, &user).await?;
            user
        };
        Ok(Arc::new(Viewer::new(Arc::new(user))))
    }

    async fn stored_user(&self, identity: &Identity) -> Result<Option<User>, Refusal> {
        let found = self.read()?.users(UserKeys::Identity(identity)).await?;
        Ok(found.into_iter().next().transpose()?)
    }

    /// A token from before a deletion is good for nothing, also where there is somebody again.
    async fn refuse_a_predecessor(&self, caller: &Caller, user: &User) -> Result<(), Refusal> {
        if !sync::may_be_a_predecessors(&caller.profile, user) {
            return Ok(());
        }
        match self.read()?.tombstone(&caller.identity).await? {
            Some(tombstone) if !sync::outlives(&caller.profile, &tombstone) => {
                Err(Refusal::NotProvisioned)
            }
            _ => Ok(()),
        }
    }

    /// The store, for one read more.
    fn read(&self) -> Result<&dyn Store, Refusal> {
        self.request.reads.fetch_add(1, Ordering::Relaxed);
        if self.access.is_open() { Ok(&*self.access.store) } else { Err(Refusal::Unavailable) }
    }
}

fn refuse_disabled(user: Option<User>) -> Result<Option<User>, Refusal> {
    match user {
        Some(user) if user.disabled => Err(Refusal::Disabled),
        user => Ok(user),
    }
}

/// What was found, shared; a broken document stays one.
fn share<T>(found: Found<T>) -> Found<Arc<T>> {
    found.map(Arc::new)
}
