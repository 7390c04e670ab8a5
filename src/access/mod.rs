//! The only door to data for everything above: it knows who asks, asks [`policy`](crate::policy), then reads.
//!
//! An [`Access`] is shared by all requests; each request has a [`Session`] of its own, which finds
//! the actor once, by one read, and answers every question of what the actor may see without
//! another. What may not be seen is left out here, exactly as what does not exist, so no caller of
//! this module can show it by mistake.

mod idempotency;
mod logged_tenants;
mod provision;
mod read;
mod viewer;
mod write;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio::sync::OnceCell;

pub use crate::domain::input_error::InputError;
use crate::{
    clock::Clock,
    domain::{
        edit,
        id::{TenantId, UserId},
        list::{Decoded, UnreadableDocument},
        sync::{self, GroupMapping, TokenProfile},
        user::{Identity, User},
    },
    store::{Store, StoreError, UserKeys},
};

pub use idempotency::{ClaimOutcome, IdempotentRun, digest};
use logged_tenants::LoggedTenants;
pub use logged_tenants::MAX_LOGGED_TENANTS;
pub use read::{AuditScope, ResultsByKey};
pub use viewer::Viewer;
pub use write::{
    AddMember, Command, CommandOutput, CreateSubscription, CreateTenant, CreateUser,
    DeleteSubscription, DeleteTenant, DeleteUser, MembershipChange, RemoveMember,
    SubscriptionWithTenant, UpdateMember, UpdateSubscription, UpdateTenant, UpdateUser,
};

/// Why something is refused, as a client may learn it. It has no `Display` on purpose: nothing
/// turns it into text by accident, and no text of a lower layer can travel in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
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
    BadInput(Vec<InputError>),
    /// The input was meant for another version than the stored one, which is this.
    StaleVersion(i32),
    /// Something else is in the way; the name of the input that it is in the way of.
    Conflict(&'static str),
    /// The store cannot be reached; trying again is safe.
    Unavailable,
    /// A fault of this program or of stored data; the log has the cause.
    Internal,
}

impl From<edit::EditError> for AccessError {
    fn from(refused: edit::EditError) -> Self {
        match refused {
            edit::EditError::Faults(faults) => Self::BadInput(faults),
            edit::EditError::StaleVersion(stored) => Self::StaleVersion(stored),
        }
    }
}

impl From<StoreError> for AccessError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the store is not available");
                Self::Unavailable
            }
            StoreError::Internal(_) => {
                tracing::error!(%error, "a read failed");
                Self::Internal
            }
        }
    }
}

/// The store has logged the document; whoever asked for it learns that it cannot be shown.
impl From<UnreadableDocument> for AccessError {
    fn from(_: UnreadableDocument) -> Self {
        Self::Internal
    }
}

/// Who presents a verified token: the identity, and what only `me` may read.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    /// What the token says besides.
    pub profile: TokenProfile,
}

/// What is configured that decides about rights and data.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    /// What groups are called.
    pub groups: GroupMapping,
    /// The slug of the tenant that is always there.
    pub default_tenant: String,
    /// The issuers whose tokens count; a user whose issuer nobody names is the first one's.
    pub issuers: Vec<String>,
}

/// What all sessions share.
pub struct Access {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: AccessConfig,
    open: AtomicBool,
}

impl Access {
    /// The door to a store; closed, so that everything is `UNAVAILABLE`, until [`Self::open`].
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, rules: AccessConfig) -> Self {
        Self { store, clock, rules, open: AtomicBool::new(false) }
    }

    /// Lets requests in: the store is prepared. Before, nothing could hold what is unique apart.
    pub fn mark_ready(&self) {
        self.open.store(true, Ordering::Release);
    }

    /// Whether data can be had: the store answers, and was prepared. Else why not, without a secret.
    pub async fn check_ready(&self) -> Result<(), String> {
        self.store.ping().await.map_err(|error| error.to_string())?;
        if self.is_ready() { Ok(()) } else { Err("the database is not prepared yet".to_owned()) }
    }

    fn is_ready(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

/// One request's view of the data; for a mutation of several root fields, one field's view.
pub struct Session {
    access: Arc<Access>,
    request: Arc<RequestState>,
    /// Which of a mutation's root fields, from 0.
    root_field_index: u32,
    viewer: OnceCell<Result<Arc<Viewer>, AccessError>>,
}

/// What all sessions of a request have in common.
struct RequestState {
    caller: Option<Caller>,
    id: String,
    /// The run of a request that may be sent again.
    run: Option<IdempotentRun>,
    reads: AtomicU32,
    writes: AtomicU32,
    touched: LoggedTenants,
}

impl Session {
    /// Begins a request; `caller` is `None` for an anonymous one, `run` for one that has no
    /// `Idempotency-Key`. Reads nothing yet.
    #[must_use]
    pub fn new(
        access: Arc<Access>,
        caller: Option<Caller>,
        request_id: String,
        run: Option<IdempotentRun>,
    ) -> Self {
        let (reads, writes, touched) = Default::default();
        let id = request_id;
        let request = Arc::new(RequestState { caller, id, run, reads, writes, touched });
        Self { access, request, root_field_index: 0, viewer: OnceCell::new() }
    }

    /// The same request at its next root field: what the fields before it have changed counts, so
    /// the actor is found anew.
    #[must_use]
    pub fn for_root_field(&self, ordinal: u32) -> Self {
        let (access, request) = (self.access.clone(), self.request.clone());
        Self { access, request, root_field_index: ordinal, viewer: OnceCell::new() }
    }

    /// The same field of the same request, after the actor has become somebody with other rights.
    #[must_use]
    pub fn with_viewer(&self, user: User) -> Self {
        let viewer = OnceCell::new_with(Some(Ok(Arc::new(Viewer::new(Arc::new(user))))));
        let (access, request) = (self.access.clone(), self.request.clone());
        Self { access, request, root_field_index: self.root_field_index, viewer }
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

    /// Some of the tenants that this request was shown or has changed, at most [`MAX_LOGGED_TENANTS`]: for
    /// the log.
    #[must_use]
    pub fn tenants_for_log(&self) -> Vec<TenantId> {
        self.request.touched.list()
    }

    /// The actor's user, where it was found; what it may do is no matter here.
    #[must_use]
    pub fn actor(&self) -> Option<UserId> {
        self.loaded_viewer().ok().map(|viewer| viewer.user().id)
    }

    /// The request's identifier.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request.id
    }

    /// The actor, found by the first call and kept for the request. `syncs` says whether the
    /// operation asks for `me`, which makes and updates the user first; every call of a request
    /// passes the same value, so all its fields see the same actor.
    pub async fn viewer(&self, syncs: bool) -> Result<Arc<Viewer>, AccessError> {
        self.viewer.get_or_init(|| self.find_viewer(syncs)).await.clone()
    }

    /// The actor, where a root field has found it before.
    pub fn loaded_viewer(&self) -> Result<&Arc<Viewer>, AccessError> {
        match self.viewer.get() {
            Some(Ok(viewer)) => Ok(viewer),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(AccessError::Unauthenticated),
        }
    }

    async fn find_viewer(&self, syncs: bool) -> Result<Arc<Viewer>, AccessError> {
        let caller = self.request.caller.as_ref().ok_or(AccessError::Unauthenticated)?;
        let user = if syncs {
            self.provision(caller).await?
        } else {
            let stored = self.stored_user(&caller.identity).await?;
            let user = refuse_disabled(stored)?.ok_or(AccessError::NotProvisioned)?;
            self.reject_token_of_deleted_user(caller, &user).await?;
            user
        };
        Ok(Arc::new(Viewer::new(Arc::new(user))))
    }

    async fn stored_user(&self, identity: &Identity) -> Result<Option<User>, AccessError> {
        let found = self.counted_store()?.users(UserKeys::Identity(identity)).await?;
        Ok(found.into_iter().next().transpose()?)
    }

    /// A token from before a deletion is good for nothing, also where there is somebody again.
    async fn reject_token_of_deleted_user(
        &self,
        caller: &Caller,
        user: &User,
    ) -> Result<(), AccessError> {
        if !sync::may_predate_deletion(&caller.profile, user) {
            return Ok(());
        }
        match self.counted_store()?.tombstone(&caller.identity).await? {
            Some(tombstone) if !sync::issued_after_deletion(&caller.profile, &tombstone) => {
                Err(AccessError::NotProvisioned)
            }
            _ => Ok(()),
        }
    }

    /// The store, for one read more.
    fn counted_store(&self) -> Result<&dyn Store, AccessError> {
        self.request.reads.fetch_add(1, Ordering::Relaxed);
        if self.access.is_ready() { Ok(&*self.access.store) } else { Err(AccessError::Unavailable) }
    }
}

fn refuse_disabled(user: Option<User>) -> Result<Option<User>, AccessError> {
    match user {
        Some(user) if user.disabled => Err(AccessError::Disabled),
        user => Ok(user),
    }
}

/// What was found, shared; a broken document stays one.
fn into_arc<T>(found: Decoded<T>) -> Decoded<Arc<T>> {
    found.map(Arc::new)
}
