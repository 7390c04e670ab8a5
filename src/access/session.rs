//! Sessions: one request's access to data.
//!
//! A session loads its viewer once, with one store read. A request that syncs the user, or whose
//! token may be older than a deletion of the user, needs more reads for that.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio::sync::OnceCell;

use super::{
    actor_cache::ActorCache,
    caller::Caller,
    commit_slot::{CommitSlot, ExecutionPermit, wait_without_permit},
    error::AccessError,
    idempotent_run::IdempotentRun,
    logged_tenants::LoggedTenants,
    state::Access,
    viewer::Viewer,
};
use crate::{
    domain::{
        audit::AuditContext,
        change::{Change, locked_tenant},
        id::{TenantId, UserId},
        sync,
        tenant::Tenant,
        user::{Identity, User},
    },
    store::{CommitError, Store, UserKeys},
};

/// One request's access to data. Each root field of a mutation has its own session.
pub struct Session {
    pub(super) access: Arc<Access>,
    pub(super) request: Arc<RequestState>,
    /// The index of the mutation's root field, from 0.
    pub(super) root_field_index: u32,
    viewer: OnceCell<Result<Arc<Viewer>, AccessError>>,
    /// `true` if the viewer may be one that an earlier request has read.
    uses_actor_cache: bool,
    /// The request's permit. The request owns it, because its session can outlive its execution.
    permit: Option<Weak<dyn ExecutionPermit>>,
}

/// The state that all sessions of a request share.
pub(super) struct RequestState {
    pub(super) caller: Option<Caller>,
    id: String,
    /// The run of an idempotent request, once it is claimed.
    pub(super) run: OnceLock<IdempotentRun>,
    reads: AtomicU32,
    writes: AtomicU32,
    pub(super) logged_tenants: LoggedTenants,
    /// The number of invitation tokens that were rejected.
    pub(super) rejected_tokens: AtomicU32,
    /// `true` if the request selects no details of tenants.
    skips_tenant_details: AtomicBool,
}

impl Session {
    /// Creates the first session of a request, without a store read.
    ///
    /// `caller` is `None` for an anonymous request.
    #[must_use]
    pub fn new(access: Arc<Access>, caller: Option<Caller>, request_id: String) -> Self {
        let request = Arc::new(RequestState {
            caller,
            id: request_id,
            run: OnceLock::new(),
            reads: AtomicU32::new(0),
            writes: AtomicU32::new(0),
            logged_tenants: LoggedTenants::default(),
            rejected_tokens: AtomicU32::new(0),
            skips_tenant_details: AtomicBool::new(false),
        });
        let viewer = OnceCell::new();
        Self { access, request, root_field_index: 0, viewer, uses_actor_cache: false, permit: None }
    }

    /// Makes the session release this permit while it waits for a commit.
    #[must_use]
    pub fn with_permit(self, permit: Weak<dyn ExecutionPermit>) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Lets the viewer be one that an earlier request has read, if the operator allows that.
    ///
    /// A mutation must never do this, because it would decide on a former right.
    #[must_use]
    pub fn with_actor_cache(self) -> Self {
        Self { uses_actor_cache: true, ..self }
    }

    /// Creates the session of another root field of the same request.
    ///
    /// The new session loads the viewer again, because earlier root fields may have changed it.
    #[must_use]
    pub fn for_root_field(&self, root_field_index: u32) -> Self {
        let (access, request) = (self.access.clone(), self.request.clone());
        let permit = self.permit.clone();
        let (viewer, uses_actor_cache) = (OnceCell::new(), false);
        Self { access, request, root_field_index, viewer, uses_actor_cache, permit }
    }

    /// Creates the session of one event of a live operation, whose viewer was loaded for it.
    pub(super) fn for_event(access: Arc<Access>, viewer: Arc<Viewer>, request_id: String) -> Self {
        let session = Self::new(access, None, request_id);
        Self { viewer: OnceCell::new_with(Some(Ok(viewer))), ..session }
    }

    /// Creates a session of the same root field with this user as the viewer.
    ///
    /// It replaces a session whose own mutation has changed the rights of its viewer.
    #[must_use]
    pub fn with_viewer(&self, user: User) -> Self {
        let viewer = Arc::new(Viewer::new(Arc::new(user)));
        self.record_viewer(&viewer);
        let viewer = OnceCell::new_with(Some(Ok(viewer)));
        let (access, request) = (self.access.clone(), self.request.clone());
        let (root_field_index, permit) = (self.root_field_index, self.permit.clone());
        let uses_actor_cache = false;
        Self { access, request, root_field_index, viewer, uses_actor_cache, permit }
    }

    /// Lets lookups of tenants leave out `domains`, `billing_info` and `integrations`.
    ///
    /// Only a query that selects none of them may do this, because a command writes whole tenants.
    pub fn skip_tenant_details(&self) {
        self.request.skips_tenant_details.store(true, Ordering::Relaxed);
    }

    /// Returns whether lookups of tenants leave out details.
    pub(super) fn skips_tenant_details(&self) -> bool {
        self.request.skips_tenant_details.load(Ordering::Relaxed)
    }

    /// Returns a tenant that this session has looked up, with all its details.
    ///
    /// # Errors
    ///
    /// `Internal` if the lookup has left them out.
    pub fn with_details<'a>(&self, tenant: &'a Tenant) -> Result<&'a Tenant, AccessError> {
        if self.skips_tenant_details() { Err(AccessError::Internal) } else { Ok(tenant) }
    }

    /// Returns the number of store reads of this request so far.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.request.reads.load(Ordering::Relaxed)
    }

    /// Returns the number of changes that this request has committed so far.
    ///
    /// Changes that are only a condition on a commit count too.
    #[must_use]
    pub fn writes(&self) -> u32 {
        self.request.writes.load(Ordering::Relaxed)
    }

    /// Returns the number of invitation tokens that this request has tried in vain.
    #[must_use]
    pub fn rejected_tokens(&self) -> u32 {
        self.request.rejected_tokens.load(Ordering::Relaxed)
    }

    /// Returns tenants that this request has read or changed, for the log.
    ///
    /// There are at most [`MAX_LOGGED_TENANTS`](super::MAX_LOGGED_TENANTS).
    #[must_use]
    pub fn tenants_for_log(&self) -> Vec<TenantId> {
        self.request.logged_tenants.list()
    }

    /// Returns the identifier of the viewer if it is loaded, for the log. Checks no right.
    #[must_use]
    pub fn viewer_id(&self) -> Option<UserId> {
        self.loaded_viewer().ok().map(|viewer| viewer.user().id)
    }

    /// Returns the identifier of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request.id
    }

    /// Returns the viewer. The first call loads it, and later calls return the same result.
    ///
    /// If `syncs` is `true`, the operation selects `me`, and the user is first created or updated.
    /// Every call of a request must pass the same value, so that all fields have the same viewer.
    pub async fn viewer(&self, syncs: bool) -> Result<Arc<Viewer>, AccessError> {
        self.viewer.get_or_init(|| self.load_viewer(syncs)).await.clone()
    }

    /// Returns the viewer that a root field has loaded before. Reads nothing.
    pub fn loaded_viewer(&self) -> Result<&Arc<Viewer>, AccessError> {
        match self.viewer.get() {
            Some(Ok(viewer)) => Ok(viewer),
            Some(Err(error)) => Err(error.clone()),
            None => Err(AccessError::Unauthenticated),
        }
    }

    async fn load_viewer(&self, syncs: bool) -> Result<Arc<Viewer>, AccessError> {
        let caller = self.request.caller.as_ref().ok_or(AccessError::Unauthenticated)?;
        let (clock, cache) = (&self.access.clock, self.actor_cache());
        if let Some(viewer) = cache.and_then(|cache| cache.get(&caller.identity, clock.now()))
            && (!syncs || self.is_synced(caller, viewer.user()).await?)
        {
            self.reject_token_of_deleted_user(caller, viewer.user()).await?;
            return Ok(viewer);
        }
        let began = cache.map(|cache| cache.begin_read(clock.now()));
        let user = if syncs {
            self.provision(caller).await?
        } else {
            let stored = self.stored_user(&caller.identity).await?;
            let user = reject_disabled(stored)?.ok_or(AccessError::NotProvisioned)?;
            self.reject_token_of_deleted_user(caller, &user).await?;
            user
        };
        let viewer = Arc::new(Viewer::new(Arc::new(user)));
        if let (Some(cache), Some(began)) = (cache, began) {
            cache.insert(&viewer, began);
        }
        self.record_viewer(&viewer);
        Ok(viewer)
    }

    fn actor_cache(&self) -> Option<&ActorCache> {
        self.access.actors.as_deref().filter(|_| self.uses_actor_cache && self.access.is_ready())
    }

    /// Tells the run of an idempotent request the viewer of this root field.
    fn record_viewer(&self, viewer: &Viewer) {
        if let Some(run) = self.request.run.get() {
            run.record_viewer(self.root_field_index, viewer);
        }
    }

    pub(super) async fn stored_user(
        &self,
        identity: &Identity,
    ) -> Result<Option<User>, AccessError> {
        let users = self.counted_store()?.users(UserKeys::Identity(identity)).await?;
        Ok(users.into_iter().next().transpose()?)
    }

    /// Rejects a token from before the deletion of an earlier user of the same identity, even if a
    /// new user exists.
    pub(super) async fn reject_token_of_deleted_user(
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

    /// Returns the store for one read, and counts that read.
    pub(super) fn counted_store(&self) -> Result<&dyn Store, AccessError> {
        self.request.reads.fetch_add(1, Ordering::Relaxed);
        if self.access.is_ready() { Ok(&*self.access.store) } else { Err(AccessError::Unavailable) }
    }

    /// Acquires a slot to commit changes like these. If they lock a tenant, waits for its turn.
    ///
    /// The result says whether this function waited. The changes are then probably stale.
    pub(super) async fn acquire_commit_slot(
        &self,
        changes: &[Change],
    ) -> Result<(Arc<CommitSlot>, bool), AccessError> {
        let (slots, tenant) = (&self.access.commit_slots, locked_tenant(changes));
        slots.try_acquire(tenant, self.execution_permit()).await.ok_or(AccessError::Unavailable)
    }

    /// Commits changes. The request releases its execution permit in the meantime.
    pub(super) async fn commit(
        &self,
        changes: &Arc<[Change]>,
        slot: &Arc<CommitSlot>,
    ) -> Result<(), CommitError> {
        let commit = self.access.commit(changes, slot);
        wait_without_permit(self.execution_permit().as_deref(), commit).await
    }

    pub(super) fn execution_permit(&self) -> Option<Arc<dyn ExecutionPermit>> {
        self.permit.as_ref()?.upgrade()
    }

    /// Counts committed changes, and remembers their tenants for the log.
    pub(super) fn record_writes(&self, changes: &[Change]) {
        let written = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        self.request.writes.fetch_add(written, Ordering::Relaxed);
        self.request.logged_tenants.add(changes.iter().flat_map(audited_tenants).copied());
    }

    /// Creates the audit context of a change, with a new event identifier and the gateway as the
    /// actor.
    pub(super) fn audit_context(&self) -> AuditContext {
        let clock = &self.access.clock;
        AuditContext::new(clock.object_id(), clock.now(), Some(self.request.id.clone()))
    }
}

/// Rejects a disabled user.
pub(super) fn reject_disabled(user: Option<User>) -> Result<Option<User>, AccessError> {
    match user {
        Some(user) if user.disabled => Err(AccessError::Disabled),
        user => Ok(user),
    }
}

/// Returns the tenants in whose audit log a change appears.
fn audited_tenants(change: &Change) -> &[TenantId] {
    match change {
        Change::InsertAuditEvent(event) => &event.tenants,
        _ => &[],
    }
}
