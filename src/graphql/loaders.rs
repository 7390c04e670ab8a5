//! Batched look-ups: whatever a level of a document asks for is one read, and asked once a request.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};

use super::batch::{Batches, NoDelay};
use crate::{
    access::{Refusal, Session},
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, SubscriptionId, TenantId, UserId},
        list::{Found, MemberFilter, Page, Window},
        subscription::TenantSubscription,
        tenant::Tenant,
        user::User,
    },
    metrics::Metrics,
};

/// The live subscription of a tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LiveOf(pub(super) TenantId);

/// A page of a tenant's members.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct MembersOf {
    /// Whose.
    pub(super) tenant: TenantId,
    /// Which of them.
    pub(super) filter: MemberFilter,
    /// Which page.
    pub(super) window: Window,
}

/// The number of a tenant's members.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct MemberCountOf {
    /// Whose.
    pub(super) tenant: TenantId,
    /// Which of them.
    pub(super) filter: MemberFilter,
}

/// What the look-ups of a request have in common.
pub(super) struct Reads {
    session: Arc<Session>,
    metrics: Metrics,
}

/// The look-ups of one request; they live and die with it, and so does what they remember.
pub(super) type Loaders = DataLoader<Reads, HashMapCache>;

/// The look-ups of a request whose batches run there.
pub(super) fn loaders(session: Arc<Session>, batches: Batches, metrics: Metrics) -> Loaders {
    DataLoader::with_cache(Reads { session, metrics }, batches, NoDelay, HashMapCache::default())
        // A level is one read however wide it is; what bounds its width are the limits on documents.
        .max_batch_size(usize::MAX)
}

/// What a look-up by identifier finds: nothing, a document, or one that cannot be read.
type FoundBy<K, T> = Result<HashMap<K, Found<Arc<T>>>, Refusal>;

impl Loader<TenantId> for Reads {
    type Value = Found<Arc<Tenant>>;
    type Error = Refusal;

    async fn load(&self, ids: &[TenantId]) -> FoundBy<TenantId, Tenant> {
        self.metrics.batched("tenants", ids.len());
        self.session.tenants(ids).await
    }
}

impl Loader<UserId> for Reads {
    type Value = Found<Arc<User>>;
    type Error = Refusal;

    async fn load(&self, ids: &[UserId]) -> FoundBy<UserId, User> {
        self.metrics.batched("users", ids.len());
        self.session.users(ids).await
    }
}

impl Loader<SubscriptionId> for Reads {
    type Value = Found<Arc<TenantSubscription>>;
    type Error = Refusal;

    async fn load(&self, ids: &[SubscriptionId]) -> FoundBy<SubscriptionId, TenantSubscription> {
        self.metrics.batched("subscriptions", ids.len());
        self.session.subscriptions(ids).await
    }
}

impl Loader<AuditEventId> for Reads {
    type Value = Found<Arc<AuditEvent>>;
    type Error = Refusal;

    async fn load(&self, ids: &[AuditEventId]) -> FoundBy<AuditEventId, AuditEvent> {
        self.metrics.batched("audit_events", ids.len());
        self.session.audit_events(ids).await
    }
}

impl Loader<LiveOf> for Reads {
    type Value = Found<Arc<TenantSubscription>>;
    type Error = Refusal;

    async fn load(&self, keys: &[LiveOf]) -> FoundBy<LiveOf, TenantSubscription> {
        let tenants: Vec<TenantId> = keys.iter().map(|key| key.0).collect();
        self.metrics.batched("live_subscriptions", keys.len());
        let found = self.session.live_subscriptions(&tenants).await?;
        Ok(found.into_iter().map(|(tenant, found)| (LiveOf(tenant), found)).collect())
    }
}

impl Loader<MembersOf> for Reads {
    type Value = Page<Arc<User>>;
    type Error = Refusal;

    async fn load(
        &self,
        keys: &[MembersOf],
    ) -> Result<HashMap<MembersOf, Page<Arc<User>>>, Refusal> {
        self.metrics.batched("members", keys.len());
        let mut found = HashMap::with_capacity(keys.len());
        // Usually one: a document has few different arguments for the same field.
        for ((filter, window), tenants) in
            group(keys, |key| ((key.filter.clone(), key.window.clone()), key.tenant))
        {
            for (tenant, page) in self.session.member_pages(&tenants, &filter, &window).await? {
                let key = MembersOf { tenant, filter: filter.clone(), window: window.clone() };
                found.insert(key, page);
            }
        }
        Ok(found)
    }
}

impl Loader<MemberCountOf> for Reads {
    type Value = u64;
    type Error = Refusal;

    async fn load(&self, keys: &[MemberCountOf]) -> Result<HashMap<MemberCountOf, u64>, Refusal> {
        self.metrics.batched("member_counts", keys.len());
        let mut found = HashMap::with_capacity(keys.len());
        for (filter, tenants) in group(keys, |key| (key.filter.clone(), key.tenant)) {
            for (tenant, count) in self.session.count_members(&tenants, &filter).await? {
                found.insert(MemberCountOf { tenant, filter: filter.clone() }, count);
            }
        }
        Ok(found)
    }
}

/// The tenants of keys that agree in everything else.
fn group<K, A: Eq + Hash>(
    keys: &[K],
    split: impl Fn(&K) -> (A, TenantId),
) -> HashMap<A, Vec<TenantId>> {
    let mut groups: HashMap<A, Vec<TenantId>> = HashMap::new();
    for (arguments, tenant) in keys.iter().map(split) {
        groups.entry(arguments).or_default().push(tenant);
    }
    groups
}
