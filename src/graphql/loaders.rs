//! Batched look-ups: whatever a level of a document asks for is one read, and asked once a request.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};

use super::batch::{BatchExecutor, NoDelay};
use crate::{
    access::{AccessError, Session},
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, SubscriptionId, TenantId, UserId},
        list::{Decoded, MemberFilter, Page, PageRequest},
        subscription::TenantSubscription,
        tenant::Tenant,
        user::User,
    },
    metrics::Metrics,
};

/// The live subscription of a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LiveSubscriptionKey(pub(super) TenantId);

/// A page of a tenant's members.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct MemberPageKey {
    /// Whose.
    pub(super) tenant: TenantId,
    /// Which of them.
    pub(super) filter: MemberFilter,
    /// Which page.
    pub(super) window: PageRequest,
}

/// The number of a tenant's members.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct MemberCountKey {
    /// Whose.
    pub(super) tenant: TenantId,
    /// Which of them.
    pub(super) filter: MemberFilter,
}

/// What the look-ups of a request have in common.
pub(super) struct SessionLoader {
    session: Arc<Session>,
    metrics: Metrics,
}

/// The look-ups of one request; they live and die with it, and so does what they remember.
pub(super) type Loaders = DataLoader<SessionLoader, HashMapCache>;

/// The look-ups of a request whose batches run there.
pub(super) fn loaders(session: Arc<Session>, batches: BatchExecutor, metrics: Metrics) -> Loaders {
    DataLoader::with_cache(
        SessionLoader { session, metrics },
        batches,
        NoDelay,
        HashMapCache::default(),
    )
    // A level is one read however wide it is; what bounds its width are the limits on documents.
    .max_batch_size(usize::MAX)
}

/// What a look-up by identifier finds: nothing, a document, or one that cannot be read.
type FoundBy<K, T> = Result<HashMap<K, Decoded<Arc<T>>>, AccessError>;

impl Loader<TenantId> for SessionLoader {
    type Value = Decoded<Arc<Tenant>>;
    type Error = AccessError;

    async fn load(&self, ids: &[TenantId]) -> FoundBy<TenantId, Tenant> {
        self.metrics.record_batch("tenants", ids.len());
        self.session.tenants(ids).await
    }
}

impl Loader<UserId> for SessionLoader {
    type Value = Decoded<Arc<User>>;
    type Error = AccessError;

    async fn load(&self, ids: &[UserId]) -> FoundBy<UserId, User> {
        self.metrics.record_batch("users", ids.len());
        self.session.users(ids).await
    }
}

impl Loader<SubscriptionId> for SessionLoader {
    type Value = Decoded<Arc<TenantSubscription>>;
    type Error = AccessError;

    async fn load(&self, ids: &[SubscriptionId]) -> FoundBy<SubscriptionId, TenantSubscription> {
        self.metrics.record_batch("subscriptions", ids.len());
        self.session.subscriptions(ids).await
    }
}

impl Loader<AuditEventId> for SessionLoader {
    type Value = Decoded<Arc<AuditEvent>>;
    type Error = AccessError;

    async fn load(&self, ids: &[AuditEventId]) -> FoundBy<AuditEventId, AuditEvent> {
        self.metrics.record_batch("audit_events", ids.len());
        self.session.audit_events(ids).await
    }
}

impl Loader<LiveSubscriptionKey> for SessionLoader {
    type Value = Decoded<Arc<TenantSubscription>>;
    type Error = AccessError;

    async fn load(
        &self,
        keys: &[LiveSubscriptionKey],
    ) -> FoundBy<LiveSubscriptionKey, TenantSubscription> {
        let tenants: Vec<TenantId> = keys.iter().map(|key| key.0).collect();
        self.metrics.record_batch("live_subscriptions", keys.len());
        let found = self.session.live_subscriptions(&tenants).await?;
        Ok(found.into_iter().map(|(tenant, found)| (LiveSubscriptionKey(tenant), found)).collect())
    }
}

impl Loader<MemberPageKey> for SessionLoader {
    type Value = Page<Arc<User>>;
    type Error = AccessError;

    async fn load(
        &self,
        keys: &[MemberPageKey],
    ) -> Result<HashMap<MemberPageKey, Page<Arc<User>>>, AccessError> {
        self.metrics.record_batch("members", keys.len());
        let mut found = HashMap::with_capacity(keys.len());
        // Usually one: a document has few different arguments for the same field.
        for ((filter, window), tenants) in
            group_by_arguments(keys, |key| ((key.filter.clone(), key.window.clone()), key.tenant))
        {
            for (tenant, page) in self.session.member_pages(&tenants, &filter, &window).await? {
                let key = MemberPageKey { tenant, filter: filter.clone(), window: window.clone() };
                found.insert(key, page);
            }
        }
        Ok(found)
    }
}

impl Loader<MemberCountKey> for SessionLoader {
    type Value = u64;
    type Error = AccessError;

    async fn load(
        &self,
        keys: &[MemberCountKey],
    ) -> Result<HashMap<MemberCountKey, u64>, AccessError> {
        self.metrics.record_batch("member_counts", keys.len());
        let mut found = HashMap::with_capacity(keys.len());
        for (filter, tenants) in group_by_arguments(keys, |key| (key.filter.clone(), key.tenant)) {
            for (tenant, count) in self.session.count_members(&tenants, &filter).await? {
                found.insert(MemberCountKey { tenant, filter: filter.clone() }, count);
            }
        }
        Ok(found)
    }
}

/// The tenants of keys that agree in everything else.
fn group_by_arguments<K, A: Eq + Hash>(
    keys: &[K],
    split: impl Fn(&K) -> (A, TenantId),
) -> HashMap<A, Vec<TenantId>> {
    let mut groups: HashMap<A, Vec<TenantId>> = HashMap::new();
    for (arguments, tenant) in keys.iter().map(split) {
        groups.entry(arguments).or_default().push(tenant);
    }
    groups
}
