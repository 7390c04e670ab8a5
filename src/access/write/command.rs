//! Commands and their execution: decide, commit, and decide again after a stale commit.

use std::{future::Future, sync::Arc};

use super::output::CommandOutput;
use crate::{
    access::{commit_slot::CommitSlot, error::AccessError, session::Session, viewer::Viewer},
    domain::{change::Change, edit::Edit},
    store::CommitError,
};

/// The maximum number of attempts to commit a command. Each stale attempt means that another commit
/// has succeeded.
const MAX_ATTEMPTS: usize = 100;

/// An action of a viewer that changes stored data.
pub trait Command: Sync {
    /// The result of the command.
    type Output: CommandOutput;

    /// Looks up the stored data, rejects an unauthorized or invalid command, and returns the edit
    /// to commit.
    fn decide(
        &self,
        session: &Session,
        viewer: &Viewer,
    ) -> impl Future<Output = Result<Edit<Self::Output>, AccessError>> + Send;
}

impl Session {
    /// Executes a command. Decides and commits, and repeats both while the commit is stale.
    ///
    /// If an earlier run of the same request has committed the command, loads its output instead.
    /// If another request writes the same tenant, waits for its turn and decides again.
    /// The viewer must already be loaded.
    pub async fn execute<C: Command>(&self, command: &C) -> Result<C::Output, AccessError> {
        let run = self.request.run.get();
        if let Some(ids) = run.and_then(|run| run.completed_ids(self.root_field_index)) {
            return C::Output::reload(self, ids).await;
        }
        let viewer = self.loaded_viewer()?;
        let mut acquired = None;
        for _ in 0..MAX_ATTEMPTS {
            let Edit { value, changes } = command.decide(self, viewer).await?;
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
            if self.try_commit(&changes.into(), &slot).await? {
                if let Some(run) = run {
                    run.mark_committed();
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
    ) -> Result<bool, AccessError> {
        match self.commit(changes, slot).await {
            Ok(()) => {}
            Err(CommitError::Stale) => return Ok(false),
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
