//! Outputs of commands, which a later run of an idempotent request can load again.
//!
//! A run may commit a command and be lost before it responds. The next run then loads the output by
//! the identifiers that the first run has recorded.

use std::future::Future;

use crate::{
    access::{error::AccessError, session::Session},
    domain::{
        edit::subscription::SubscriptionWithTenant,
        id::{NodeId, SubscriptionId, TenantId, UserId},
        tenant::Tenant,
        user::User,
    },
};

/// The entity that a command has created, changed or deleted.
pub trait CommandOutput: Clone + Send + 'static {
    /// Returns whether the output has a secret, which must not be stored.
    fn has_secret(&self) -> bool {
        false
    }

    /// Returns the identifiers by which [`Self::reload`] loads the output.
    fn ids(&self) -> Vec<NodeId>;

    /// Loads the output of an earlier run in its current state, as far as the viewer can see it.
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
        let user = session.users(&[*id]).await?.remove(id).ok_or(AccessError::NotFound)?;
        Ok((*user?).clone())
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

/// Implements the output of a deletion, which is only the identifier.
macro_rules! impl_deletion_output {
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
impl_deletion_output!(TenantId, NodeId::Tenant);
impl_deletion_output!(UserId, NodeId::User);
impl_deletion_output!(SubscriptionId, NodeId::Subscription);
