//! What comes of a command, and how it is found again where an earlier run of the same request has
//! done it and nobody lived to answer.

use std::future::Future;

use super::{Placed, Refusal, Session, Subscribed};
use crate::domain::{
    id::{NodeId, SubscriptionId, TenantId, UserId},
    tenant::Tenant,
    user::User,
};

/// What a command has made, changed or deleted.
pub trait Outcome: Clone + Send + 'static {
    /// By what it can be found again.
    fn ids(&self) -> Vec<NodeId>;

    /// Finds again what an earlier run has done, as it is now and as far as the actor may see it.
    fn again(
        session: &Session,
        ids: &[NodeId],
    ) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

impl Outcome for Tenant {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Tenant(self.id)]
    }

    async fn again(session: &Session, ids: &[NodeId]) -> Result<Self, Refusal> {
        let [NodeId::Tenant(id)] = ids else { return Err(Refusal::Internal) };
        session.tenant_to_change(*id).await
    }
}

impl Outcome for User {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::User(self.id)]
    }

    async fn again(session: &Session, ids: &[NodeId]) -> Result<Self, Refusal> {
        let [NodeId::User(id)] = ids else { return Err(Refusal::Internal) };
        let found = session.users(&[*id]).await?.remove(id).ok_or(Refusal::NotFound)?;
        Ok((*found?).clone())
    }
}

impl Outcome for Subscribed {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Subscription(self.subscription.id)]
    }

    async fn again(session: &Session, ids: &[NodeId]) -> Result<Self, Refusal> {
        let [NodeId::Subscription(id)] = ids else { return Err(Refusal::Internal) };
        session.subscribed(*id).await
    }
}

impl Outcome for Placed {
    fn ids(&self) -> Vec<NodeId> {
        vec![NodeId::Tenant(self.tenant.id), NodeId::User(self.user.id)]
    }

    /// The tenant also where the actor has left it by this: by then it is their own deed that they
    /// are told of, and nothing that is guarded.
    async fn again(session: &Session, ids: &[NodeId]) -> Result<Self, Refusal> {
        let [NodeId::Tenant(tenant), NodeId::User(user)] = ids else {
            return Err(Refusal::Internal);
        };
        let user = session.user_to_change(*user).await?;
        let left =
            user.id == session.known_viewer()?.user().id && user.membership(*tenant).is_none();
        let tenant = match left {
            true => session.tenant_left(*tenant).await?,
            false => session.tenant_to_change(*tenant).await?,
        };
        Ok(Self { tenant, user })
    }
}

/// What was deleted is told by its identifier alone.
macro_rules! deleted {
    ($id:ty, $kind:path) => {
        impl Outcome for $id {
            fn ids(&self) -> Vec<NodeId> {
                vec![$kind(*self)]
            }

            async fn again(_: &Session, ids: &[NodeId]) -> Result<Self, Refusal> {
                let [$kind(id)] = ids else { return Err(Refusal::Internal) };
                Ok(*id)
            }
        }
    };
}
deleted!(TenantId, NodeId::Tenant);
deleted!(UserId, NodeId::User);
deleted!(SubscriptionId, NodeId::Subscription);
