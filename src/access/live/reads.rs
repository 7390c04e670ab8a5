//! Reads of documents by key for [`shared_reads`](super::shared_reads).
//!
//! They do not check rights. A listener checks them with the viewer that it has read.

use std::{collections::HashMap, sync::Arc};

use crate::{
    access::{error::AccessError, viewer::Viewer},
    domain::{
        id::{SubscriptionId, TenantId, UserId},
        list::Decoded,
        subscription::TenantSubscription,
        tenant::Tenant,
    },
    store::{Store, SubscriptionKeys, TenantKeys, UserKeys},
};

pub(super) async fn read_viewers(
    store: Arc<dyn Store>,
    ids: Vec<UserId>,
) -> Result<HashMap<UserId, Decoded<Arc<Viewer>>>, AccessError> {
    let users = store.users(UserKeys::Ids(&ids)).await?;
    let by_id = users.into_iter().map(|user| match user {
        Ok(user) => (user.id, Ok(Arc::new(Viewer::new(Arc::new(user))))),
        Err(unreadable) => (UserId::new(unreadable.id), Err(unreadable)),
    });
    Ok(by_id.collect())
}

pub(super) async fn read_tenants(
    store: Arc<dyn Store>,
    ids: Vec<TenantId>,
) -> Result<HashMap<TenantId, Decoded<Arc<Tenant>>>, AccessError> {
    let tenants = store.tenants(TenantKeys::Ids(&ids)).await?;
    let by_id = tenants.into_iter().map(|tenant| match &tenant {
        Ok(found) => (found.id, tenant.map(Arc::new)),
        Err(unreadable) => (TenantId::new(unreadable.id), tenant.map(Arc::new)),
    });
    Ok(by_id.collect())
}

pub(super) async fn read_subscriptions(
    store: Arc<dyn Store>,
    ids: Vec<SubscriptionId>,
) -> Result<HashMap<SubscriptionId, Decoded<Arc<TenantSubscription>>>, AccessError> {
    let subscriptions = store.subscriptions(SubscriptionKeys::Ids(&ids)).await?;
    let by_id = subscriptions.into_iter().map(|subscription| match &subscription {
        Ok(found) => (found.id, subscription.map(Arc::new)),
        Err(unreadable) => (SubscriptionId::new(unreadable.id), subscription.map(Arc::new)),
    });
    Ok(by_id.collect())
}
