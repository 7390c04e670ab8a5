//! The rules of writing, pure: what an input makes of what is stored, and what the history says.
//!
//! Each rule takes what was read and what is asked, and gives an [`Edit`]: what it becomes and the
//! changes to commit. Where nothing differs there are none, and no history either.

mod fields;
pub mod membership;
pub mod subscription;
pub mod tenant;
pub mod user;

use super::{
    audit::{ActorKind, AuditEvent, FieldChange},
    change::Change,
    id::{AuditEventId, NodeId, ObjectId, TenantId, UserId},
    input_error::InputError,
    time::Timestamp,
};

/// Who does something, when, and in which request.
#[derive(Clone, Debug)]
pub struct AuditContext {
    /// For the event.
    pub event_id: ObjectId,
    /// The time.
    pub now: Timestamp,
    /// As what the actor acts.
    pub actor_kind: ActorKind,
    /// Who; none for the program itself.
    pub actor: Option<UserId>,
    /// The request.
    pub request_id: Option<String>,
}

impl AuditContext {
    /// What the history says of it.
    fn event(
        &self,
        action: &str,
        target: NodeId,
        tenants: Vec<TenantId>,
        changes: Vec<FieldChange>,
    ) -> Change {
        Change::InsertAuditEvent(AuditEvent {
            id: AuditEventId::new(self.event_id),
            at: self.now,
            action: action.to_owned(),
            actor_kind: self.actor_kind,
            actor: self.actor,
            tenants,
            target: Some(target),
            changes,
            request_id: self.request_id.clone(),
        })
    }
}

/// What something becomes, and what has to be committed for that: nothing, where nothing differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit<T> {
    /// As it is afterwards.
    pub value: T,
    /// What differs from what is stored.
    pub changes: Vec<Change>,
}

impl<T> Edit<T> {
    /// Nothing differs.
    pub const fn unchanged(value: T) -> Self {
        Self { value, changes: Vec::new() }
    }
}

/// Why a rule refuses an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// It is not what it should be; every fault of it.
    Faults(Vec<InputError>),
    /// It was meant for another version than the stored one, which is this.
    StaleVersion(i32),
}

/// Refuses faults, then a version that is not the stored one: in the contract's order.
fn check_input(faults: Vec<InputError>, wanted: Option<i32>, stored: i32) -> Result<(), EditError> {
    if !faults.is_empty() {
        return Err(EditError::Faults(faults));
    }
    check_version(wanted, stored)
}

/// Refuses a version that is not the stored one.
pub fn check_version(wanted: Option<i32>, stored: i32) -> Result<(), EditError> {
    match wanted {
        Some(wanted) if wanted != stored => Err(EditError::StaleVersion(stored)),
        _ => Ok(()),
    }
}
