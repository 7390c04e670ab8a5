//! Audit events: the record of each committed change, with its actor, time and request.
//!
//! An event is committed together with the change that it describes. [`AuditContext`] has the part
//! of an event that is the same for every rule. The rules of [`edit`](super::edit) and
//! [`sync`](super::sync) add the rest.

use serde_json::Value;

use super::{
    id::{AuditEventId, NodeId, ObjectId, TenantId, UserId},
    string_enum,
    time::Timestamp,
    user::User,
};

string_enum! {
    /// The kind of actor that made a change.
    pub enum ActorKind {
        /// A user with the rights of a user.
        User = "user",
        /// A user with the rights of a platform admin.
        PlatformAdmin = "platform_admin",
        /// The gateway itself.
        System = "system",
    }
}

/// The actions that change memberships. Their events name the tenants of these memberships, so the
/// change feed reports these tenants as changed.
pub const MEMBERSHIP_ACTIONS: [&str; 6] = [
    "membership.add",
    "membership.update",
    "membership.remove",
    "invitation.accept",
    "user.sync",
    "user.delete",
];

/// The record of one committed change.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// The identifier of the event.
    pub id: AuditEventId,
    /// The time of the change.
    pub at: Timestamp,
    /// The name of the action: `tenant.update`, `user.sync`, …
    pub action: String,
    /// The kind of the actor.
    pub actor_kind: ActorKind,
    /// The user who made the change, or `None` if the gateway itself made it.
    pub actor: Option<UserId>,
    /// Every tenant that the change concerns. The event is in the audit log of each of them.
    pub tenants: Vec<TenantId>,
    /// The entity that was changed.
    pub target: Option<NodeId>,
    /// The changed fields with their old and new values.
    pub changes: Vec<FieldChange>,
    /// The identifier of the request that made the change.
    pub request_id: Option<String>,
}

/// The change of one field, with both values in the form that the API shows.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The path of the field: `name`, `billingInfo.email`, `memberships.ten_66f0c1…`.
    pub field: String,
    /// The old value, or null if the field had none.
    pub from: Value,
    /// The new value, or null if the field no longer has one.
    pub to: Value,
}

impl FieldChange {
    /// Returns the change of a field, or `None` if both values are equal.
    #[must_use]
    pub fn diff(field: impl Into<String>, from: Value, to: Value) -> Option<Self> {
        (from != to).then(|| Self { field: field.into(), from, to })
    }
}

/// The actor, time and request of a change, as its audit event records them.
#[derive(Clone, Debug)]
pub struct AuditContext {
    /// The identifier of the audit event.
    pub event_id: ObjectId,
    /// The time of the change.
    pub timestamp: Timestamp,
    /// The kind of the actor.
    pub actor_kind: ActorKind,
    /// The user who makes the change, or `None` if the gateway itself makes it.
    pub actor: Option<UserId>,
    /// The identifier of the request, or `None` outside of a request.
    pub request_id: Option<String>,
}

impl AuditContext {
    /// Creates the context of a change that the gateway itself makes.
    #[must_use]
    pub const fn new(event_id: ObjectId, timestamp: Timestamp, request_id: Option<String>) -> Self {
        Self { event_id, timestamp, actor_kind: ActorKind::System, actor: None, request_id }
    }

    /// Returns the same context with `user` as the actor, with the rights that the user has.
    #[must_use]
    pub fn with_actor(mut self, user: &User) -> Self {
        self.actor = Some(user.id);
        self.actor_kind = match user.platform_admin {
            Some(_) => ActorKind::PlatformAdmin,
            None => ActorKind::User,
        };
        self
    }

    /// Creates the audit event of a change of `target`, for the audit logs of `tenants`.
    #[must_use]
    pub fn event(
        &self,
        action: &str,
        target: NodeId,
        tenants: Vec<TenantId>,
        changes: Vec<FieldChange>,
    ) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::new(self.event_id),
            at: self.timestamp,
            action: action.to_owned(),
            actor_kind: self.actor_kind,
            actor: self.actor,
            tenants,
            target: Some(target),
            changes,
            request_id: self.request_id.clone(),
        }
    }
}
