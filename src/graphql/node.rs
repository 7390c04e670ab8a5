//! Implements Relay's object identification: the `Node` interface and lookups by identifier.

use async_graphql::{Context, ID, Interface};

use super::{
    context::ContextExt,
    objects::{AuditEventObject, InvitationObject, SubscriptionObject, TenantObject, UserObject},
};
use crate::{
    access::AccessError,
    domain::id::{InvitationId, NodeId, SubscriptionId},
};

/// An object with a globally unique identifier.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The globally unique identifier of the object: the prefix of its type (`ten_`, `usr_`, `sub_`, `aud_` or `inv_`) followed by 24 hexadecimal digits."
))]
pub(super) enum Node {
    /// A tenant that the viewer can see.
    Tenant(TenantObject),
    /// A user whom the viewer can see.
    User(UserObject),
    /// A subscription of a tenant that the viewer can see.
    TenantSubscription(SubscriptionObject),
    /// An audit event that the viewer can see.
    AuditEvent(AuditEventObject),
    /// An invitation that the viewer can see.
    Invitation(InvitationObject),
}

/// Looks up an object by its identifier. Absent and hidden objects are `None`.
pub(super) async fn find(ctx: &Context<'_>, id: NodeId) -> Result<Option<Node>, AccessError> {
    Ok(match id {
        NodeId::Tenant(id) => ctx.load(id).await?.map(|t| Node::Tenant(TenantObject(t))),
        NodeId::User(id) => ctx.load(id).await?.map(|u| Node::User(UserObject(u))),
        NodeId::Subscription(id) => find_subscription(ctx, id).await?.map(Node::TenantSubscription),
        NodeId::Invitation(id) => find_invitation(ctx, id).await?.map(Node::Invitation),
        NodeId::AuditEvent(id) => {
            ctx.load(id).await?.map(|e| Node::AuditEvent(AuditEventObject::new(e, None)))
        }
    })
}

/// Looks up an invitation and its tenant. An invitation whose tenant was deleted is hidden.
async fn find_invitation(
    ctx: &Context<'_>,
    id: InvitationId,
) -> Result<Option<InvitationObject>, AccessError> {
    let Some(invitation) = ctx.load(id).await? else { return Ok(None) };
    let tenant = ctx.load(invitation.tenant_id).await?;
    Ok(tenant.map(|tenant| InvitationObject { invitation, tenant }))
}

/// Looks up a subscription and its tenant. A subscription whose tenant was deleted is hidden.
pub(super) async fn find_subscription(
    ctx: &Context<'_>,
    id: SubscriptionId,
) -> Result<Option<SubscriptionObject>, AccessError> {
    let Some(subscription) = ctx.load(id).await? else { return Ok(None) };
    let tenant = ctx.load(subscription.tenant_id).await?;
    Ok(tenant.map(|tenant| SubscriptionObject::new(subscription, tenant)))
}
