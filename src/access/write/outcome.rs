//! What comes of a command, and how it is found again where an earlier run of the same request has
//! done it and nobody lived to answer.

use std::future::Future;

use super::{AccessError, MembershipChange, Session, SubscriptionWithTenant};
use crate::domain::{
    id::{NodeId, SubscriptionId, TenantId, UserId},
    tenant::Tenant,
    user::User,
};

/// What a command has made, changed or deleted.
pub trait CommandOutput: Clone + Send + 'static {
    /// By what it can be found again.
    fn ids(&self) -> Vec<NodeId>;

    /// Finds again what an earlier run has done, as it is now and as far as the actor may see it.
    fn reload(
        session: &Session,
        ids: &[NodeId],
    ) -> impl Future<Output = Result<Self, AccessError>> + Send;
}

impl CommandOutput for Tenant {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Tenant(self.id)]
    }

    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        let [NodeId::Tenant(id)] = ids else { return Err(AccessError::Internal) };
        session.require_tenant(*id).await
    }
}

impl CommandOutput for User {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::User(self.id)]
    }

    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        let [NodeId::User(id)] = ids else { return Err(AccessError::Internal) };
        let found = session.users(&[*id]).await?.remove(id).ok_or(AccessError::NotFound)?;
        Ok((*found?).clone())
    }
}

impl CommandOutput for SubscriptionWithTenant {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Subscription(self.subscription.id)]
    }

    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        let [NodeId::Subscription(id)] = ids else { return Err(AccessError::Internal) };
        session.require_subscription(*id).await
    }
}

impl CommandOutput for MembershipChange {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Tenant(self.tenant.id), NodeId::User(self.user.id)]
    }

    /// The tenant also where the actor has left it by this: by then it is their own deed that they
    /// are told of, and nothing that is guarded.
    async fn reload(session: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
        let [NodeId::Tenant(tenant), NodeId::User(user)] = ids else {
            return Err(AccessError::Internal);
        };
        let user = session.require_user(*user).await?;
        let left =
            user.id == session.loaded_viewer()?.user().id && user.membership(*tenant).is_none();
        let tenant = match left {
            true => session.tenant_after_leaving(*tenant).await?,
            false => session.require_tenant(*tenant).await?,
        };
        Ok(Self { tenant, user })
    }
}

/// What was deleted is told by its identifier alone.
macro_rules! deleted {
    ($id:ty, $kind:path) => {
        impl CommandOutput for $id {
            fn ids(&self) -> Vec<NodeId> {
                vec![$kind(*self)]
            }

            async fn reload(_: &Session, ids: &[NodeId]) -> Result<Self, AccessError> {
                let [$kind(id)] = ids else { return Err(AccessError::Internal) };
                Ok(*id)
            }
        }
    };
}
deleted!(TenantId, NodeId::Tenant);
deleted!(UserId, NodeId::User);
deleted!(SubscriptionId, NodeId::Subscription);
