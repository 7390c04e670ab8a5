//! Batches and caches the lookups of a request.
//!
//! The keys that one level of a document requests from a loader are one batch. A batch of users or
//! of audit events takes one or two reads of the store. A batch of other identifiers takes one
//! read. A batch of member pages or counts takes one read for each set of arguments. The number of
//! reads does not depend on the number of keys otherwise. Each key is looked up once per request,
//! or once per root field of a mutation.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};

use super::batch::{BatchExecutor, NoDelay};
use crate::{
    access::{AccessError, Session},
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, IdHasher, InvitationId, SubscriptionId, TenantId, UserId},
        invitation::Invitation,
        list::{Decoded, MemberFilter, Page, PageRequest},
        subscription::TenantSubscription,
        tenant::Tenant,
        user::User,
    },
    metrics::Metrics,
};

/// The key of a tenant's live subscription.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LiveSubscriptionKey(pub(super) TenantId);

/// The key of a page of a tenant's members.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct MemberPageKey {
    /// The tenant that the members belong to.
    pub(super) tenant: TenantId,
    /// The filter that the members match.
    pub(super) filter: MemberFilter,
    /// The size and the position of the page.
    pub(super) page_request: PageRequest,
}

/// The key of the number of a tenant's members.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct MemberCountKey {
    /// The tenant that the members belong to.
    pub(super) tenant: TenantId,
    /// The filter that the members match.
    pub(super) filter: MemberFilter,
}

/// Loads batches of keys on behalf of a session.
pub(super) struct SessionLoader {
    session: Arc<Session>,
    metrics: Metrics,
}

/// The `DataLoader` of one request or root field. Its cache is dropped together with it.
pub(super) type Loaders = DataLoader<SessionLoader, HashMapCache<IdHasher>>;

/// Creates a `DataLoader` with an empty cache, whose batches run on the given executor.
pub(super) fn loaders(session: Arc<Session>, batches: BatchExecutor, metrics: Metrics) -> Loaders {
    DataLoader::with_cache(
        SessionLoader { session, metrics },
        batches,
        NoDelay,
        HashMapCache::new(),
    )
    // A level is one batch, however wide it is. The limits on documents bound its width.
    .max_batch_size(usize::MAX)
}

/// Looks up the value of one key in a batch with the other keys of the same level.
pub(super) async fn load<K, T>(loaders: &Loaders, key: K) -> Result<Option<Arc<T>>, AccessError>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    T: Send + Sync + 'static,
    SessionLoader: Loader<K, Value = Decoded<Arc<T>>, Error = AccessError>,
{
    Ok(loaders.load_one(key).await?.transpose()?)
}

/// Returns a copy of a loaded value.
pub(super) fn found<T: Clone>(
    loaded: Result<Option<&Decoded<T>>, &AccessError>,
) -> Result<Option<T>, AccessError> {
    Ok(loaded.map_err(Clone::clone)?.cloned().transpose()?)
}

/// The documents of a batch by key. A missing document has no entry, and an unreadable one is an
/// `Err`.
type LoadResult<K, T> = Result<HashMap<K, Decoded<Arc<T>>>, AccessError>;

impl Loader<TenantId> for SessionLoader {
    type Value = Decoded<Arc<Tenant>>;
    type Error = AccessError;

    async fn load(&self, ids: &[TenantId]) -> LoadResult<TenantId, Tenant> {
        self.metrics.record_batch("tenants", ids.len());
        self.session.tenants(ids).await
    }
}

impl Loader<UserId> for SessionLoader {
    type Value = Decoded<Arc<User>>;
    type Error = AccessError;

    async fn load(&self, ids: &[UserId]) -> LoadResult<UserId, User> {
        self.metrics.record_batch("users", ids.len());
        self.session.users(ids).await
    }
}

impl Loader<SubscriptionId> for SessionLoader {
    type Value = Decoded<Arc<TenantSubscription>>;
    type Error = AccessError;

    async fn load(&self, ids: &[SubscriptionId]) -> LoadResult<SubscriptionId, TenantSubscription> {
        self.metrics.record_batch("subscriptions", ids.len());
        self.session.subscriptions(ids).await
    }
}

impl Loader<InvitationId> for SessionLoader {
    type Value = Decoded<Arc<Invitation>>;
    type Error = AccessError;

    async fn load(&self, ids: &[InvitationId]) -> LoadResult<InvitationId, Invitation> {
        self.metrics.record_batch("invitations", ids.len());
        self.session.invitations(ids).await
    }
}

impl Loader<AuditEventId> for SessionLoader {
    type Value = Decoded<Arc<AuditEvent>>;
    type Error = AccessError;

    async fn load(&self, ids: &[AuditEventId]) -> LoadResult<AuditEventId, AuditEvent> {
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
    ) -> LoadResult<LiveSubscriptionKey, TenantSubscription> {
        let tenants: Vec<TenantId> = keys.iter().map(|key| key.0).collect();
        self.metrics.record_batch("live_subscriptions", keys.len());
        let by_tenant = self.session.live_subscriptions(&tenants).await?;
        let by_key = by_tenant
            .into_iter()
            .map(|(tenant, subscription)| (LiveSubscriptionKey(tenant), subscription));
        Ok(by_key.collect())
    }
}

impl Loader<MemberPageKey> for SessionLoader {
    /// Shared, because the `DataLoader` copies each value into its cache and into its results.
    type Value = Arc<Page<Arc<User>>>;
    type Error = AccessError;

    async fn load(
        &self,
        keys: &[MemberPageKey],
    ) -> Result<HashMap<MemberPageKey, Self::Value>, AccessError> {
        self.metrics.record_batch("members", keys.len());
        let mut pages = HashMap::with_capacity(keys.len());
        let groups = group_by_arguments(keys, |key| {
            ((key.filter.clone(), key.page_request.clone()), key.tenant)
        });
        // Usually one group: a document rarely has different arguments for the same field.
        for ((filter, page_request), tenants) in groups {
            let by_tenant = self.session.member_pages(&tenants, &filter, &page_request).await?;
            for (tenant, page) in by_tenant {
                let (filter, page_request) = (filter.clone(), page_request.clone());
                pages.insert(MemberPageKey { tenant, filter, page_request }, Arc::new(page));
            }
        }
        Ok(pages)
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
        let mut counts = HashMap::with_capacity(keys.len());
        for (filter, tenants) in group_by_arguments(keys, |key| (key.filter.clone(), key.tenant)) {
            for (tenant, count) in self.session.count_members(&tenants, &filter).await? {
                counts.insert(MemberCountKey { tenant, filter: filter.clone() }, count);
            }
        }
        Ok(counts)
    }
}

/// Groups the tenants of keys whose other arguments are equal.
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
