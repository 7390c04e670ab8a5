//! Declares the fields of audit events.

use async_graphql::{ID, Name, Value, indexmap::IndexMap};
use futures_util::future::join_all;

use super::{
    context::{Nullable, nullable},
    enums::ActorKind,
    executor::{FieldNode, object},
    loaders::{found, load},
    node::{self, Node},
    objects::{AuditEventObject, TenantObject, UserObject},
    scalar::{DateTime, Json, id},
};
use crate::{
    access::AccessError,
    domain::{
        audit::FieldChange,
        id::{NodeId, TenantId},
    },
};

object! {
    /// An entry of the audit log: one change and the actor who made it.
    [] AuditEventObject, "AuditEvent", ["Node"] {
        /// The identifier of the audit event: `aud_` followed by 24 hexadecimal digits.
        "id": ID = each |object, _| id(object.event.id);

        /// The time of the change.
        "at": DateTime = each |object, _| DateTime(object.event.at);

        /// The kind of change, for example `tenant.update`, `membership.remove` or `user.sync`.
        "action": &str = each |object, _| object.event.action.as_str();

        /// The capacity in which the actor made the change.
        "actorKind": ActorKind = each |object, _| object.event.actor_kind.into();

        /// The user who made the change. Null for changes by the gateway itself, and if the user was
        /// deleted or is hidden from the viewer.
        "actor": Nullable<UserObject> = gather actors;

        /// The tenant that the change concerns. Null if there is none, and if the tenant was deleted or
        /// is hidden from the viewer. If the change concerns several tenants, the field is null except
        /// in `Tenant.auditLog`, where it is the tenant of that log.
        "tenant": Nullable<TenantObject> = gather tenants;

        /// The object that was changed. Null if it was deleted or is hidden from the viewer.
        "target": Nullable<Node> = gather targets;

        /// The changed fields by path, each with its old and its new value, for example
        /// `{"name": {"from": "Acme", "to": "Acme Inc."}}`. Nested paths are
        /// dotted: `billingInfo.email`. Fields that are hidden from the viewer are omitted.
        "changes": Nullable<Json> = gather changes;

        /// The identifier of the request that made the change, as in its `x-request-id` response
        /// header. Null for changes that no request made.
        "requestId": Option<&str> = each |object, _| object.event.request_id.as_deref();
    }
}

impl AuditEventObject {
    /// Returns the tenant of the field `tenant`.
    fn tenant_id(&self) -> Option<TenantId> {
        self.log_tenant.or(match self.event.tenants[..] {
            [only] => Some(only),
            _ => None,
        })
    }

    async fn visible_changes(&self, node: FieldNode<'_>) -> Result<Json, AccessError> {
        let viewer = node.session().loaded_viewer()?;
        // If the viewer can no longer see the user, only memberships in shared tenants are shown.
        let user = match self.event.target {
            Some(NodeId::User(id)) if !viewer.is_platform_admin() => {
                load(node.loaders(), id).await?
            }
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

async fn actors(events: &[&AuditEventObject], node: FieldNode<'_>) -> Vec<Nullable<UserObject>> {
    let users = node.loaders().load_many(events.iter().filter_map(|e| e.event.actor)).await;
    let of_event = |event: &&AuditEventObject| {
        let user = found(users.as_ref().map(|users| users.get(&event.event.actor?)));
        nullable(user.map(|user| user.map(UserObject)))
    };
    events.iter().map(of_event).collect()
}

async fn tenants(events: &[&AuditEventObject], node: FieldNode<'_>) -> Vec<Nullable<TenantObject>> {
    let tenants = node.loaders().load_many(events.iter().filter_map(|e| e.tenant_id())).await;
    let of_event = |event: &&AuditEventObject| {
        let tenant = found(tenants.as_ref().map(|tenants| tenants.get(&event.tenant_id()?)));
        nullable(tenant.map(|tenant| tenant.map(TenantObject)))
    };
    events.iter().map(of_event).collect()
}

async fn targets(events: &[&AuditEventObject], node: FieldNode<'_>) -> Vec<Nullable<Node>> {
    let target = async |event: &AuditEventObject| match event.event.target {
        Some(id) => nullable(node::find(node.loaders(), id).await),
        None => None,
    };
    join_all(events.iter().map(|event| target(event))).await
}

async fn changes(events: &[&AuditEventObject], node: FieldNode<'_>) -> Vec<Nullable<Json>> {
    join_all(events.iter().map(|event| event.visible_changes(node)))
        .await
        .into_iter()
        .map(Some)
        .collect()
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
