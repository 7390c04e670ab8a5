//! Commands and their execution: decide, commit, and decide again after a stale commit.

use std::{future::Future, sync::Arc};

use super::output::CommandOutput;
use crate::{
    access::{commit_slot::CommitSlot, error::AccessError, session::Session, viewer::Viewer},
    domain::{
        change::{Change, UniqueField},
        edit::Edit,
        id::TenantId,
        tenant::Tenant,
    },
    policy::{Action, PlatformAction, TenantAction},
    store::CommitError,
};

/// The maximum number of attempts to commit a command. Each stale attempt means that another commit
/// has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// An input of a viewer that changes stored data.
pub trait Command: Sync {
    /// The kind of action that the command is: one on a tenant or one on the platform.
    type Action: CommandAction;
    /// The result of the command.
    type Output: CommandOutput;

    /// The action that every input of the command requires. The session authorizes the viewer for it
    /// before it decides the command, and the schema shows its requirement.
    const ACTION: Self::Action;

    /// Returns the identifier of the object on which the action is done.
    fn target(&self) -> <Self::Action as CommandAction>::Id;

    /// Checks that the gateway is configured for the command.
    fn ensure_available(&self, _session: &Session) -> Result<(), AccessError> {
        Ok(())
    }

    /// Looks up the rest of the stored data, authorizes the viewer for further actions that this input
    /// requires, validates the input, and returns the edit to commit.
    fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
        target: <Self::Action as CommandAction>::Target,
    ) -> impl Future<Output = Result<Edit<Self::Output>, AccessError>> + Send;
}

/// An action that a command can be, and its object.
pub trait CommandAction: Action + Send {
    /// The identifier of the object.
    type Id: Send;
    /// The object itself.
    type Target: Send;

    /// Authorizes the viewer for the action, and returns the object.
    fn authorize(
        self,
        id: Self::Id,
        session: &Session,
        viewer: &Viewer,
    ) -> impl Future<Output = Result<Self::Target, AccessError>> + Send;
}

impl CommandAction for TenantAction {
    type Id = TenantId;
    type Target = Tenant;

    async fn authorize(
        self,
        id: TenantId,
        session: &Session,
        viewer: &Viewer,
    ) -> Result<Tenant, AccessError> {
        let tenant = session.require_tenant(id).await?;
        viewer.authorize(id, self)?;
        Ok(tenant)
    }
}

/// An action on the platform has no object, so it is authorized without a lookup.
impl CommandAction for PlatformAction {
    type Id = ();
    type Target = ();

    async fn authorize(
        self,
        (): (),
        _session: &Session,
        viewer: &Viewer,
    ) -> Result<(), AccessError> {
        viewer.authorize_platform(self)
    }
}

/// A decision that leads to a commit: a command, or the acceptance of an invitation.
pub(in super::super) trait Decision: Sync {
    /// The result of the commit.
    type Output: CommandOutput;

    /// The conflict after which the decision is repeated, because a later one reads the other value.
    const RETRIED_CONFLICT: Option<UniqueField>;

    /// Returns the edit to commit.
    fn decide(
        &self,
        session: &Session,
    ) -> impl Future<Output = Result<Edit<Self::Output>, AccessError>> + Send;
}

/// A command with the authorization that precedes its decision.
struct AuthorizedCommand<'a, C>(&'a C);

impl<C: Command> Decision for AuthorizedCommand<'_, C> {
    type Output = C::Output;

    const RETRIED_CONFLICT: Option<UniqueField> = None;

    async fn decide(&self, session: &Session) -> Result<Edit<C::Output>, AccessError> {
        let Self(command) = self;
        let viewer = session.loaded_viewer()?;
        let target = C::ACTION.authorize(command.target(), session, viewer).await?;
        command.decide(session, viewer, target).await
    }
}

impl Session {
    /// Executes a command. Authorizes, decides and commits, and repeats this while the commit is stale.
    ///
    /// If an earlier run of the same request has committed the command, loads its output instead.
    /// If another request writes the same tenant, waits for its turn and decides again.
    /// The viewer must already be loaded.
    pub async fn execute<C: Command>(&self, command: &C) -> Result<C::Output, AccessError> {
        command.ensure_available(self)?;
        self.execute_decision(&AuthorizedCommand(command)).await
    }

    /// Decides and commits, and repeats this while the commit is stale.
    pub(super) async fn execute_decision<D: Decision>(
        &self,
        decision: &D,
    ) -> Result<D::Output, AccessError> {
        let run = self.request.run.get();
        if let Some(ids) = run.and_then(|run| run.completed_ids(self.root_field_index)) {
            return D::Output::reload(self, ids).await;
        }
        let mut acquired = None;
        for _ in 0..MAX_ATTEMPTS {
            let Edit { value, changes } = decision.decide(self).await?;
            let record = run.map(|run| run.completion_record(self.root_field_index, value.ids()));
            // The record is the first change, so that a run that was taken over fails before its
            // changes conflict with those of the other run.
            let changes: Vec<_> = record.into_iter().chain(changes).collect();
            if changes.is_empty() {
                return Ok(value);
            }
            // Only a command that was authorized may wait in the queue of its tenant.
            let slot = match acquired.take() {
                Some(slot) => slot,
                None => {
                    let (slot, waited) = self.acquire_commit_slot(&changes).await?;
                    if waited {
                        acquired = Some(slot);
                        continue;
                    }
                    slot
                }
            };
            if self.try_commit(&changes.into(), &slot, D::RETRIED_CONFLICT).await? {
                if let Some(run) = run {
                    run.mark_committed();
                    if value.has_secret() {
                        run.mark_secret();
                    }
                }
                return Ok(value);
            }
            acquired = Some(slot);
        }
        tracing::warn!("a mutation was stale {MAX_ATTEMPTS} times in a row");
        Err(AccessError::Unavailable)
    }

    /// Commits changes. Returns `false` if they are stale.
    async fn try_commit(
        &self,
        changes: &Arc<[Change]>,
        slot: &Arc<CommitSlot>,
        retried: Option<UniqueField>,
    ) -> Result<bool, AccessError> {
        match self.commit(changes, slot).await {
            Ok(()) => {}
            Err(CommitError::Stale) => return Ok(false),
            Err(CommitError::Conflict(field)) if Some(field) == retried => return Ok(false),
            Err(CommitError::Conflict(unique_field)) => {
                return Err(AccessError::Conflict(unique_field.field()));
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

    /// Removes the remaining memberships of deleted tenants.
    ///
    /// The deletion itself is already committed and visible. Only memberships of a tenant with many
    /// members may remain. If their removal fails now, the next start or deletion repeats it.
    async fn finish_deletions(&self) {
        if let Err(error) = self.access.store.finish_deletions().await {
            tracing::warn!(%error, "memberships of a deleted tenant could not be removed yet");
        }
    }
}
