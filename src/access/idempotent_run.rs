//! Runs: one execution of an idempotent request.
//!
//! A run knows the mutations that are committed already, and the rights under which its response was
//! created. `idempotency.rs` begins and ends runs.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_lc_rs::digest::{Context, SHA256};

use super::viewer::Viewer;
use crate::domain::{
    change::Change,
    id::{NodeId, ObjectId},
    idempotency::{CompletedMutation, IdempotencyKeyHash, RightsDigest},
};

/// One run of an idempotent request.
#[derive(Debug)]
pub(super) struct IdempotentRun {
    pub(super) key: IdempotencyKeyHash,
    pub(super) id: ObjectId,
    /// The mutations that earlier runs have committed.
    completed: Vec<CompletedMutation>,
    has_committed: AtomicBool,
    /// `true` if the response has a secret, which must not be stored.
    has_secret: AtomicBool,
    /// The rights under which each root field was resolved.
    rights: Mutex<BTreeMap<u32, RightsDigest>>,
}

impl IdempotentRun {
    pub(super) fn new(
        key: IdempotencyKeyHash,
        id: ObjectId,
        completed: Vec<CompletedMutation>,
    ) -> Self {
        let (has_committed, has_secret, rights) = Default::default();
        Self { key, id, completed, has_committed, has_secret, rights }
    }

    /// Returns the entities of the mutation at this root field, if an earlier run has committed it.
    pub(super) fn completed_ids(&self, root_field_index: u32) -> Option<&[NodeId]> {
        let mut completed = self.completed.iter();
        let mutation = completed.find(|step| step.root_field_index == root_field_index)?;
        Some(&mutation.ids)
    }

    /// Returns the change that records the mutation at this root field for later runs.
    pub(super) fn completion_record(&self, root_field_index: u32, ids: Vec<NodeId>) -> Change {
        let step = CompletedMutation { root_field_index, ids };
        Change::RecordIdempotentStep { key: self.key, run_id: self.id, step }
    }

    /// Remembers that the run has committed a mutation.
    pub(super) fn mark_committed(&self) {
        self.has_committed.store(true, Ordering::Release);
    }

    /// Remembers that the response has a secret. It is not stored then, and a repeat gets a response
    /// from the current data, without the secret.
    pub(super) fn mark_secret(&self) {
        self.has_secret.store(true, Ordering::Release);
    }

    /// Remembers the viewer of a root field.
    pub(super) fn record_viewer(&self, root_field_index: u32, viewer: &Viewer) {
        let mut rights = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        rights.insert(root_field_index, rights_digest(viewer));
    }

    /// Returns the rights under which the response may be stored.
    ///
    /// The result is `None` if no mutation was committed. A repeat then runs again, and is rejected
    /// again. It is also `None` if the response has a secret, or if root fields were resolved under different rights, because the
    /// response can contain data that the latest rights hide.
    pub(super) fn rights_to_store(&self) -> Option<RightsDigest> {
        if self.has_secret.load(Ordering::Acquire) {
            return None;
        }
        if self.completed.is_empty() && !self.has_committed.load(Ordering::Acquire) {
            return None;
        }
        let rights = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *rights.values().next()?;
        rights.values().all(|rights| *rights == first).then_some(first)
    }
}

/// Returns the digest of everything that decides about the viewer's rights.
pub(super) fn rights_digest(viewer: &Viewer) -> RightsDigest {
    let user = viewer.user();
    let roles = user.memberships.iter().map(|m| (m.tenant_id.to_string(), m.role.as_str()));
    let mut roles: Vec<_> = roles.collect();
    roles.sort_unstable();
    let flag = |flag: bool| if flag { "true" } else { "false" };
    let mut parts = vec![flag(user.platform_admin.is_some()), flag(user.disabled)];
    parts.extend(roles.iter().flat_map(|(tenant, role)| [tenant.as_str(), role]));
    RightsDigest(digest(&parts))
}

/// Returns the digest of the rights of a caller without a user.
pub(super) fn no_rights_digest() -> RightsDigest {
    RightsDigest(digest(&[]))
}

/// Returns the SHA-256 digest of several texts.
///
/// Each text is preceded by its length, so that different lists never have the same input.
#[must_use]
pub fn digest(parts: &[&str]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}
