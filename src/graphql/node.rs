//! Implements Relay's object identification: the `Node` interface and lookups by identifier.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value,
    indexmap::{IndexMap, IndexSet},
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
};
use futures_util::future::BoxFuture;

use super::{
    executor::{Absent, Column, FieldNode, Output, SchemaField, resolve_root, resolve_some},
    loaders::{Loaders, load},
    objects::{AuditEventObject, InvitationObject, SubscriptionObject, TenantObject, UserObject},
};
use crate::{
    access::AccessError,
    domain::id::{InvitationId, NodeId, SubscriptionId},
};

/// An object with a globally unique identifier.
#[derive(Clone)]
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

impl OutputType for Node {
    fn type_name() -> Cow<'static, str> {
        "Node".into()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Tenant(_) => TenantObject::type_name(),
            Self::User(_) => UserObject::type_name(),
            Self::TenantSubscription(_) => SubscriptionObject::type_name(),
            Self::AuditEvent(_) => AuditEventObject::type_name(),
            Self::Invitation(_) => InvitationObject::type_name(),
        }
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| {
            let mut possible_types = IndexSet::new();
            for create in [
                TenantObject::create_type_info,
                UserObject::create_type_info,
                SubscriptionObject::create_type_info,
                AuditEventObject::create_type_info,
                InvitationObject::create_type_info,
            ] {
                let name = create(registry).trim_end_matches('!').to_owned();
                registry.add_implements(&name, &Self::type_name());
                possible_types.insert(name);
            }
            let mut fields = IndexMap::new();
            let description = "The globally unique identifier of the object: the prefix of its type (`ten_`, `usr_`, `sub_`, `aud_` or `inv_`) followed by 24 hexadecimal digits.";
            SchemaField::new::<ID>("id", &[description], registry).insert_into(&mut fields);
            MetaType::Interface {
                name: Self::type_name().into_owned(),
                description: Some("An object with a globally unique identifier.".to_owned()),
                fields,
                possible_types,
                extends: false,
                keys: None,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(std::any::type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_root(self.clone(), ctx, field).await
    }
}

impl Output for Node {
    fn resolve_all<'a>(values: Vec<Self>, node: FieldNode<'a>) -> BoxFuture<'a, Column>
    where
        Self: 'a,
    {
        Box::pin(async move {
            // Each call resolves the objects of one type. Null stands for the objects of other types.
            macro_rules! of_type {
                ($variant:ident) => {
                    values.iter().map(|value| match value {
                        Self::$variant(object) => Ok(object),
                        _ => Err(Absent::Null),
                    })
                };
            }
            let (tenants, users, subscriptions, events, invitations) = futures_util::join!(
                resolve_some(of_type!(Tenant).collect(), node),
                resolve_some(of_type!(User).collect(), node),
                resolve_some(of_type!(TenantSubscription).collect(), node),
                resolve_some(of_type!(AuditEvent).collect(), node),
                resolve_some(of_type!(Invitation).collect(), node),
            );
            let columns = [tenants, users, subscriptions, events, invitations];
            let mut columns = columns.map(Column::into_values);
            let mut column = Column::default();
            for value in &values {
                let [tenant, user, subscription, event, invitation] =
                    columns.each_mut().map(|values| values.next());
                column.push_resolved(match value {
                    Self::Tenant(_) => tenant,
                    Self::User(_) => user,
                    Self::TenantSubscription(_) => subscription,
                    Self::AuditEvent(_) => event,
                    Self::Invitation(_) => invitation,
                });
            }
            column
        })
    }
}

/// Looks up an object by its identifier. Absent and hidden objects are `None`.
pub(super) async fn find(loaders: &Loaders, id: NodeId) -> Result<Option<Node>, AccessError> {
    Ok(match id {
        NodeId::Tenant(id) => load(loaders, id).await?.map(|t| Node::Tenant(TenantObject(t))),
        NodeId::User(id) => load(loaders, id).await?.map(|u| Node::User(UserObject(u))),
        NodeId::Subscription(id) => {
            find_subscription(loaders, id).await?.map(Node::TenantSubscription)
        }
        NodeId::Invitation(id) => find_invitation(loaders, id).await?.map(Node::Invitation),
        NodeId::AuditEvent(id) => {
            load(loaders, id).await?.map(|e| Node::AuditEvent(AuditEventObject::new(e, None)))
        }
    })
}

/// Looks up an invitation and its tenant. An invitation whose tenant was deleted is hidden.
async fn find_invitation(
    loaders: &Loaders,
    id: InvitationId,
) -> Result<Option<InvitationObject>, AccessError> {
    let Some(invitation) = load(loaders, id).await? else { return Ok(None) };
    let tenant = load(loaders, invitation.tenant_id).await?;
    Ok(tenant.map(|tenant| InvitationObject { invitation, tenant }))
}

/// Looks up a subscription and its tenant. A subscription whose tenant was deleted is hidden.
pub(super) async fn find_subscription(
    loaders: &Loaders,
    id: SubscriptionId,
) -> Result<Option<SubscriptionObject>, AccessError> {
    let Some(subscription) = load(loaders, id).await? else { return Ok(None) };
    let tenant = load(loaders, subscription.tenant_id).await?;
    Ok(tenant.map(|tenant| SubscriptionObject::new(subscription, tenant)))
}
