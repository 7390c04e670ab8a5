//! Resolves the fields of audit events.

use async_graphql::{Context, ID, Name, Object, Value, indexmap::IndexMap};

use super::{
    context::{ContextExt, Nullable, nullable},
    enums::ActorKind,
    node::{self, Node},
    objects::{AuditEventObject, TenantObject, UserObject},
    scalar::{DateTime, Json, id},
};
use crate::{
    access::AccessError,
    domain::{audit::FieldChange, id::NodeId},
};

/// An entry of the audit log: one change and the actor who made it.
#[Object(name = "AuditEvent")]
impl AuditEventObject {
    /// The identifier of the audit event: `aud_` followed by 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.event.id)
    }

    /// The time of the change.
    async fn at(&self) -> DateTime {
        DateTime(self.event.at)
    }

    /// The kind of change, for example `tenant.update`, `membership.remove` or `user.sync`.
    async fn action(&self) -> &str {
        &self.event.action
    }

    /// The capacity in which the actor made the change.
    async fn actor_kind(&self) -> ActorKind {
        self.event.actor_kind.into()
    }

    /// The user who made the change. Null for changes by the gateway itself, and if the user was
    /// deleted or is hidden from the viewer.
    async fn actor(&self, ctx: &Context<'_>) -> Nullable<UserObject> {
        let id = self.event.actor?;
        nullable(ctx.load(id).await.map(|user| user.map(UserObject)))
    }

    /// The tenant that the change concerns. Null if there is none, and if the tenant was deleted or
    /// is hidden from the viewer. If the change concerns several tenants, the field is null except
    /// in `Tenant.auditLog`, where it is the tenant of that log.
    async fn tenant(&self, ctx: &Context<'_>) -> Nullable<TenantObject> {
        let id = self.log_tenant.or(match self.event.tenants[..] {
            [only] => Some(only),
            _ => None,
        })?;
        nullable(ctx.load(id).await.map(|tenant| tenant.map(TenantObject)))
    }

    /// The object that was changed. Null if it was deleted or is hidden from the viewer.
    async fn target(&self, ctx: &Context<'_>) -> Nullable<Node> {
        let id = self.event.target?;
        nullable(node::find(ctx, id).await)
    }

    /// The changed fields by path, each with its old and its new value, for example
    /// `{"name": {"from": "Acme", "to": "Acme Inc."}}`. Nested paths are
    /// dotted: `billingInfo.email`. Fields that are hidden from the viewer are omitted.
    async fn changes(&self, ctx: &Context<'_>) -> Nullable<Json> {
        Some(self.visible_changes(ctx).await)
    }

    /// The identifier of the request that made the change, as in its `x-request-id` response
    /// header. Null for changes that no request made.
    async fn request_id(&self) -> Option<&str> {
        self.event.request_id.as_deref()
    }
}

impl AuditEventObject {
    async fn visible_changes(&self, ctx: &Context<'_>) -> Result<Json, AccessError> {
        let viewer = ctx.session().loaded_viewer()?;
        // If the viewer can no longer see the user, only memberships in shared tenants are shown.
        let user = match self.event.target {
            Some(NodeId::User(id)) if !viewer.is_platform_admin() => ctx.load(id).await?,
            _ => None,
        };
        let mut visible = IndexMap::new();
        for change in &self.event.changes {
            if viewer.can_see_change(&self.event, user.as_deref(), &change.field) {
                visible.insert(Name::new(&change.field), from_and_to(change)?);
            }
        }
        Ok(Json(Value::Object(visible)))
    }
}

fn from_and_to(change: &FieldChange) -> Result<Value, AccessError> {
    let value = |json: &serde_json::Value| {
        Value::from_json(json.clone()).map_err(|_| AccessError::Internal)
    };
    Ok(Value::Object(IndexMap::from([
        (Name::new("from"), value(&change.from)?),
        (Name::new("to"), value(&change.to)?),
    ])))
}
