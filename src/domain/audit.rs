//! The history: who changed what, and when.

use serde_json::Value;

use super::{
    id::{AuditEventId, NodeId, TenantId, UserId},
    string_enum,
    time::Timestamp,
};

string_enum! {
    /// As what somebody acted.
    pub enum ActorKind {
        /// A user with the rights of a user.
        User = "user",
        /// A user with the rights of the platform.
        PlatformAdmin = "platform_admin",
        /// This program by itself.
        System = "system",
    }
}

/// One change that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Its identifier.
    pub id: AuditEventId,
    /// When it happened.
    pub at: Timestamp,
    /// What was done: `tenant.update`, `user.sync`, …
    pub action: String,
    /// As what the actor acted.
    pub actor_kind: ActorKind,
    /// Who did it; none for the program itself.
    pub actor: Option<UserId>,
    /// Whose history it belongs to: every tenant that it touched.
    pub tenants: Vec<TenantId>,
    /// What was changed.
    pub target: Option<NodeId>,
    /// What it was and what it became, field by field.
    pub changes: Vec<FieldChange>,
    /// The request that did it.
    pub request_id: Option<String>,
}

/// One field's change, both values in the form that the API shows.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// The field's path: `name`, `billingInfo.email`, `memberships.ten_66f0c1…`.
    pub field: String,
    /// What it was; null where it was not.
    pub from: Value,
    /// What it became; null where it is no more.
    pub to: Value,
}

impl FieldChange {
    /// The change, or `None` where nothing changed.
    #[must_use]
    pub fn diff(field: impl Into<String>, from: Value, to: Value) -> Option<Self> {
        (from != to).then(|| Self { field: field.into(), from, to })
    }
}
