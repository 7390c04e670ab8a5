//! Writes: find what is to be changed, refuse in the contract's order, decide by a pure rule, commit
//! all or nothing; decide anew where somebody else was quicker.

mod member;
mod outcome;
mod subscription;
mod tenant;
mod user;

use std::{future::Future, sync::atomic::Ordering};

use super::{AccessError, Session, Viewer};
use crate::{
    domain::{
        audit::ActorKind,
        change::Change,
        edit::{AuditContext, Edit},
        id::{TenantId, UserId},
        tenant::Tenant,
        user::User,
    },
    store::{CommitError, TenantKeys, UserKeys},
};

pub use crate::domain::edit::subscription::SubscriptionWithTenant;
pub use member::{AddMember, MembershipChange, RemoveMember, UpdateMember};
pub use outcome::CommandOutput;
pub use subscription::{CreateSubscription, DeleteSubscription, UpdateSubscription};
pub use tenant::{CreateTenant, DeleteTenant, UpdateTenant};
pub use user::{CreateUser, DeleteUser, UpdateUser};

/// The tenants whose history tells of a change.
fn tenants_of(change: &Change) -> &[TenantId] {
    match change {
        Change::InsertAuditEvent(event) => &event.tenants,
        _ => &[],
    }
}

/// How often a change is decided anew because somebody else wrote in between. Each loser means that
/// another one won.
const ATTEMPTS: usize = 100;

/// Something that can be done once somebody is there to do it.
pub trait Command: Sync {
    /// What comes of it.
    type Outcome: CommandOutput;

    /// Reads what is needed, refuses what may not be, and decides what is to be committed.
    fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> impl Future<Output = Result<Edit<Self::Outcome>, AccessError>> + Send;
}

impl Session {
    /// Decides and commits, and again where somebody was quicker. Where an earlier run of the same
    /// request has done it, finds what it did. The actor has to be known.
    pub async fn execute<C: Command>(&self, command: &C) -> Result<C::Outcome, AccessError> {
        if let Some(ids) = self.completed_step() {
            return C::Outcome::reload(self, ids).await;
        }
        let viewer = self.loaded_viewer()?;
        for _ in 0..ATTEMPTS {
            let Edit { value, mut changes } = command.decide(self, viewer).await?;
            if changes.is_empty() {
                return Ok(value);
            }
            changes.extend(self.completion_record(value.ids()));
            if self.commit(&changes).await? {
                return Ok(value);
            }
        }
        tracing::warn!("a change lost against others {ATTEMPTS} times in a row");
        Err(AccessError::Unavailable)
    }

    /// Commits; `false` where somebody was quicker.
    async fn commit(&self, changes: &[Change]) -> Result<bool, AccessError> {
        match self.access.store.commit(changes).await {
            Ok(()) => {}
            Err(CommitError::Stale) => return Ok(false),
            Err(CommitError::Conflict(unique)) => {
                return Err(AccessError::Conflict(unique.field()));
            }
            Err(CommitError::LastOwner) => return Err(AccessError::Conflict("userId")),
            Err(CommitError::Superseded) => return Err(AccessError::Unavailable),
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
        self.record_writes(changes);
        if changes.iter().any(|change| matches!(change, Change::DeleteTenant { .. })) {
            self.finish_deletions().await;
        }
        Ok(true)
    }

    /// Counts what was committed.
    pub(super) fn record_writes(&self, changes: &[Change]) {
        let written = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        self.request.writes.fetch_add(written, Ordering::Relaxed);
        self.request.touched.note(changes.iter().flat_map(tenants_of).copied());
    }

    /// A deleted tenant is gone, and with it everything that shows; its many members may still have
    /// a place in nothing. Where that cannot be tidied up now, the next start or deletion does.
    async fn finish_deletions(&self) {
        if let Err(error) = self.access.store.finish_deletions().await {
            tracing::warn!(%error, "memberships of a deleted tenant are left for later");
        }
    }

    fn audit_context(&self, viewer: &Viewer) -> AuditContext {
        let clock = &self.access.clock;
        AuditContext {
            event_id: clock.object_id(),
            now: clock.now(),
            actor_kind: match viewer.is_platform_admin() {
                true => ActorKind::PlatformAdmin,
                false => ActorKind::User,
            },
            actor: Some(viewer.user().id),
            request_id: Some(self.request.id.clone()),
        }
    }

    async fn require_tenant(&self, id: TenantId) -> Result<Tenant, AccessError> {
        let found = self.tenants(&[id]).await?.remove(&id).ok_or(AccessError::NotFound)?;
        Ok((*found?).clone())
    }

    /// A tenant that the actor has just left.
    async fn tenant_after_leaving(&self, id: TenantId) -> Result<Tenant, AccessError> {
        let found = self.counted_store()?.tenants(TenantKeys::Ids(&[id])).await?;
        Ok(found.into_iter().next().ok_or(AccessError::NotFound)??)
    }

    /// A user whom the actor may know of by what was found before.
    async fn require_user(&self, id: UserId) -> Result<User, AccessError> {
        let found = self.counted_store()?.users(UserKeys::Ids(&[id])).await?;
        Ok(found.into_iter().next().ok_or(AccessError::NotFound)??)
    }
}
