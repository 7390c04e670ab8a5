//! The history.

use std::sync::Arc;

use async_graphql::{Context, ID, Name, Object, Value, indexmap::IndexMap};

use super::{
    Nullable,
    context::{ContextExt, nullable},
    enums::ActorKind,
    node::{self, Node},
    scalar::{DateTime, Json, id},
    tenant::TenantObject,
    user::UserObject,
};
use crate::{
    access::AccessError,
    domain::{
        audit::{AuditEvent, FieldChange},
        id::{NodeId, TenantId},
    },
};

/// One change that was made.
#[derive(Clone)]
pub(super) struct AuditEventObject {
    event: Arc<AuditEvent>,
    /// The tenant in whose history it was found.
    within: Option<TenantId>,
}

impl AuditEventObject {
    /// An event, found in that tenant's history or by itself.
    pub(super) const fn new(event: Arc<AuditEvent>, within: Option<TenantId>) -> Self {
        Self { event, within }
    }
}

/// One change that was made.
#[Object(name = "AuditEvent")]
impl AuditEventObject {
    /// The identifier: `aud_` and 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.event.id)
    }

    /// When it happened.
    async fn at(&self) -> DateTime {
        DateTime(self.event.at)
    }

    /// What was done: `tenant.update`, `membership.remove`, `user.sync`, …
    async fn action(&self) -> &str {
        &self.event.action
    }

    /// As what the actor acted.
    async fn actor_kind(&self) -> ActorKind {
        self.event.actor_kind.into()
    }

    /// Who did it; null for the program itself, and where the viewer may not see the user.
    async fn actor(&self, ctx: &Context<'_>) -> Nullable<UserObject> {
        let id = self.event.actor?;
        nullable(ctx.load(id).await.map(|user| user.map(UserObject)))
    }

    /// The tenant that was touched; null where it is gone, the viewer may not see it, or an event of the whole history touched several.
    async fn tenant(&self, ctx: &Context<'_>) -> Nullable<TenantObject> {
        let id = self.within.or(match self.event.tenants[..] {
            [only] => Some(only),
            _ => None,
        })?;
        nullable(ctx.load(id).await.map(|tenant| tenant.map(TenantObject)))
    }

    /// What was changed; null where it is gone, or the viewer may not see it.
    async fn target(&self, ctx: &Context<'_>) -> Nullable<Node> {
        let id = self.event.target?;
        nullable(node::find(ctx, id).await)
    }

    /// What each field was and became: `{field: {from, to}}`, without fields that the viewer may not see.
    async fn changes(&self, ctx: &Context<'_>) -> Nullable<Json> {
        Some(self.visible_changes(ctx).await)
    }

    /// The request that did it.
    async fn request_id(&self) -> Option<&str> {
        self.event.request_id.as_deref()
    }
}

impl AuditEventObject {
    async fn visible_changes(&self, ctx: &Context<'_>) -> Result<Json, AccessError> {
        let viewer = ctx.session().loaded_viewer()?;
        // Of a user that the viewer cannot see any more, only the places in shared tenants show.
        let user = match self.event.target {
            Some(NodeId::User(id)) if !viewer.is_platform_admin() => ctx.load(id).await?,
            _ => None,
        };
        let mut shown = IndexMap::new();
        for change in &self.event.changes {
            if viewer.can_see_change(&self.event, user.as_deref(), &change.field) {
                shown.insert(Name::new(&change.field), pair(change)?);
            }
        }
        Ok(Json(Value::Object(shown)))
    }
}

fn pair(change: &FieldChange) -> Result<Value, AccessError> {
    let value = |json: &serde_json::Value| {
        Value::from_json(json.clone()).map_err(|_| AccessError::Internal)
    };
    Ok(Value::Object(IndexMap::from([
        (Name::new("from"), value(&change.from)?),
        (Name::new("to"), value(&change.to)?),
    ])))
}
