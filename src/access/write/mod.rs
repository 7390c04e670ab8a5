//! Writes: find what is to be changed, refuse in the contract's order, decide by a pure rule, commit
//! all or nothing; decide anew where somebody else was quicker.

mod member;
mod outcome;
mod subscription;
mod tenant;
mod user;

use std::{future::Future, sync::atomic::Ordering};

use super::{Refusal, Session, Viewer};
use crate::{
    domain::{
        audit::ActorKind,
        change::Change,
        edit::{Deed, Edit},
        id::{TenantId, UserId},
        tenant::Tenant,
        user::User,
    },
    store::{CommitError, TenantKeys, UserKeys},
};

pub use crate::domain::edit::subscription::Subscribed;
pub use member::{AddMember, Placed, RemoveMember, UpdateMember};
pub use outcome::Outcome;
pub use subscription::{CreateSubscription, DeleteSubscription, UpdateSubscription};
pub use tenant::{CreateTenant, DeleteTenant, UpdateTenant};
pub use user::{CreateUser, DeleteUser, UpdateUser};

/// The tenants whose history tells of a change.
fn tenants_of(change: &Change) -> &[TenantId] {
    match change {
        Change::Record(event) => &event.tenants,
        _ => &[],
    }
}

/// How often a change is decided anew because somebody else wrote in between. Each loser means that
/// another one won.
const ATTEMPTS: usize = 100;

/// Something that can be done once somebody is there to do it.
pub trait Command: Sync {
    /// What comes of it.
    type Outcome: Outcome;

    /// Reads what is needed, refuses what may not be, and decides what is to be committed.
    fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> impl Future<Output = Result<Edit<Self::Outcome>, Refusal>> + Send;
}

impl Session {
    /// Decides and commits, and again where somebody was quicker. Where an earlier run of the same
    /// request has done it, finds what it did. The actor has to be known.
    pub async fn perform<C: Command>(&self, command: &C) -> Result<C::Outcome, Refusal> {
        if let Some(ids) = self.done_before() {
            return C::Outcome::again(self, ids).await;
        }
        let viewer = self.known_viewer()?;
        for _ in 0..ATTEMPTS {
            let Edit { value, mut changes } = command.decide(self, viewer).await?;
            if changes.is_empty() {
                return Ok(value);
            }
            changes.extend(self.mark_done(value.ids()));
            if self.commit(&changes).await? {
                return Ok(value);
            }
        }
        tracing::warn!("a change lost against others {ATTEMPTS} times in a row");
        Err(Refusal::Unavailable)
    }

    /// Commits; `false` where somebody was quicker.
    async fn commit(&self, changes: &[Change]) -> Result<bool, Refusal> {
        match self.access.store.commit(changes).await {
            Ok(()) => {}
            Err(CommitError::Stale) => return Ok(false),
            Err(CommitError::Conflict(unique)) => return Err(Refusal::Conflict(unique.field())),
            Err(CommitError::LastOwner) => return Err(Refusal::Conflict("userId")),
            Err(CommitError::Superseded) => return Err(Refusal::Unavailable),
            Err(CommitError::Failed(error)) => return Err(error.into()),
        }
        self.has_written(changes);
        if changes.iter().any(|change| matches!(change, Change::DeleteTenant { .. })) {
            self.tidy().await;
        }
        Ok(true)
    }

    /// Counts what was committed.
    pub(super) fn has_written(&self, changes: &[Change]) {
        let written = u32::try_from(changes.len()).unwrap_or(u32::MAX);
        self.request.writes.fetch_add(written, Ordering::Relaxed);
        self.request.touched.note(changes.iter().flat_map(tenants_of).copied());
    }

    /// A deleted tenant is gone, and with it everything that shows; its many members may still have
    /// a place in nothing. Where that cannot be tidied up now, the next start or deletion does.
    async fn tidy(&self) {
        if let Err(error) = self.access.store.finish_deletions().await {
            tracing::warn!(%error, "memberships of a deleted tenant are left for later");
        }
    }

    fn deed(&self, viewer: &Viewer) -> Deed {
        let clock = &self.access.clock;
        Deed {
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

    async fn tenant_to_change(&self, id: TenantId) -> Result<Tenant, Refusal> {
        let found = self.tenants(&[id]).await?.remove(&id).ok_or(Refusal::NotFound)?;
        Ok((*found?).clone())
    }

    /// A tenant that the actor has just left.
    async fn tenant_left(&self, id: TenantId) -> Result<Tenant, Refusal> {
        let found = self.read()?.tenants(TenantKeys::Ids(&[id])).await?;
        Ok(found.into_iter().next().ok_or(Refusal::NotFound)??)
    }

    /// A user whom the actor may know of by what was found before.
    async fn user_to_change(&self, id: UserId) -> Result<User, Refusal> {
        let found = self.read()?.users(UserKeys::Ids(&[id])).await?;
        Ok(found.into_iter().next().ok_or(Refusal::NotFound)??)
    }
}
