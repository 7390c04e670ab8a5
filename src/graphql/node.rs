//! Relay's `Node`: anything that has an identifier.

use async_graphql::{Context, ID, Interface};

use super::{
    audit::AuditEventObject, context::ContextExt, subscription::SubscriptionObject,
    tenant::TenantObject, user::UserObject,
};
use crate::{
    access::AccessError,
    domain::id::{NodeId, SubscriptionId},
};

/// Anything that has an identifier.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The identifier: the kind's prefix and 24 hexadecimal digits."
))]
pub(super) enum Node {
    /// A tenant.
    Tenant(TenantObject),
    /// A user.
    User(UserObject),
    /// A subscription.
    TenantSubscription(SubscriptionObject),
    /// An event of the history.
    AuditEvent(AuditEventObject),
}

/// Looks up anything; what is not there and what the viewer may not see is `None`.
pub(super) async fn find(ctx: &Context<'_>, id: NodeId) -> Result<Option<Node>, AccessError> {
    Ok(match id {
        NodeId::Tenant(id) => ctx.load(id).await?.map(|t| Node::Tenant(TenantObject(t))),
        NodeId::User(id) => ctx.load(id).await?.map(|u| Node::User(UserObject(u))),
        NodeId::Subscription(id) => subscription(ctx, id).await?.map(Node::TenantSubscription),
        NodeId::AuditEvent(id) => {
            ctx.load(id).await?.map(|e| Node::AuditEvent(AuditEventObject::new(e, None)))
        }
    })
}

/// Looks up a subscription together with its tenant: one that outlived it is not shown.
pub(super) async fn subscription(
    ctx: &Context<'_>,
    id: SubscriptionId,
) -> Result<Option<SubscriptionObject>, AccessError> {
    let Some(subscription) = ctx.load(id).await? else { return Ok(None) };
    let tenant = ctx.load(subscription.tenant_id).await?;
    Ok(tenant.map(|tenant| SubscriptionObject::of(subscription, tenant)))
}
