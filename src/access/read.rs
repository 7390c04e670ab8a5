//! Reads of tenants, users, subscriptions and members: by key, and as pages and counts of lists.
//!
//! A lookup asks the store once for all its keys, and omits the resources that the viewer cannot
//! see. [`audit_log`](super::audit_log) has the reads of audit events.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{error::AccessError, session::Session, viewer::Viewer};
use crate::{
    domain::{
        id::{SubscriptionId, TenantId, UserId},
        list::{
            Decoded, Direction, ListOrder, MemberFilter, Order, Page, PageRequest,
            SubscriptionFilter, SubscriptionListing, SubscriptionOrderField, TenantFilter,
            TenantListing, TenantOrderField, TenantScope, UserFilter, UserListing, UserOrderField,
        },
        subscription::TenantSubscription,
        tenant::Tenant,
        user::User,
    },
    policy::PlatformAction,
    store::{SubscriptionKeys, TenantKeys, UserKeys},
};

/// The results of a lookup by key. Keys of absent and of hidden resources are missing.
pub type ResultsByKey<K, T> = HashMap<K, Decoded<Arc<T>>>;

impl Session {
    /// Looks up a tenant by its slug.
    pub async fn tenant_by_slug(
        &self,
        slug: &str,
    ) -> Result<Option<Decoded<Arc<Tenant>>>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let tenants = self.read_tenants(TenantKeys::Slugs(&[slug.to_owned()])).await?;
        let visible = |tenant: &Decoded<Tenant>| viewer.can_see(tenant_id(tenant));
        let tenant = tenants.into_iter().find(visible);
        self.request.logged_tenants.add(tenant.as_ref().map(tenant_id));
        Ok(tenant.map(into_arc))
    }

    /// Looks up tenants by their identifiers.
    pub async fn tenants(
        &self,
        ids: &[TenantId],
    ) -> Result<ResultsByKey<TenantId, Tenant>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let tenants = self.read_tenants(TenantKeys::Ids(ids)).await?;
        let by_id = tenants.into_iter().map(|tenant| (tenant_id(&tenant), into_arc(tenant)));
        let by_id: ResultsByKey<_, _> = by_id.filter(|(id, _)| viewer.can_see(*id)).collect();
        self.request.logged_tenants.add(by_id.keys().copied());
        Ok(by_id)
    }

    /// Reads tenants, with their details unless the request needs none.
    async fn read_tenants(
        &self,
        keys: TenantKeys<'_>,
    ) -> Result<Vec<Decoded<Tenant>>, AccessError> {
        let store = self.counted_store()?;
        let tenants = match self.skips_tenant_details() {
            true => store.tenants_without_details(keys).await?,
            false => store.tenants(keys).await?,
        };
        Ok(tenants)
    }

    /// Looks up users by their identifiers.
    ///
    /// A platform admin sees every user. Other viewers see themselves, and users with whom they
    /// share an existing tenant.
    pub async fn users(&self, ids: &[UserId]) -> Result<ResultsByKey<UserId, User>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let users = self.counted_store()?.users(UserKeys::Ids(ids)).await?;
        let shared = self.shared_tenants(viewer, &users).await?;
        let visible = |user: &Decoded<User>| match user {
            _ if viewer.is_platform_admin() => true,
            Ok(user) if user.id == viewer.user().id => true,
            Ok(user) => user.memberships.iter().any(|m| shared.contains(&m.tenant_id)),
            Err(_) => false,
        };
        let by_id = users.into_iter().filter(visible).map(|user| {
            let id = match &user {
                Ok(user) => user.id,
                Err(unreadable) => UserId::new(unreadable.id),
            };
            (id, into_arc(user))
        });
        Ok(by_id.collect())
    }

    /// Returns the existing tenants that the viewer shares with one of these users.
    ///
    /// An orphaned membership in a deleted tenant makes no user visible.
    async fn shared_tenants(
        &self,
        viewer: &Viewer,
        users: &[Decoded<User>],
    ) -> Result<HashSet<TenantId>, AccessError> {
        if viewer.is_platform_admin() {
            return Ok(HashSet::new());
        }
        let others = users.iter().flatten().filter(|user| user.id != viewer.user().id);
        let shared: HashSet<TenantId> = others
            .flat_map(|user| user.memberships.iter().map(|m| m.tenant_id))
            .filter(|tenant| viewer.can_see(*tenant))
            .collect();
        if shared.is_empty() {
            return Ok(shared);
        }
        let shared: Vec<TenantId> = shared.into_iter().collect();
        Ok(self.tenants(&shared).await?.into_keys().collect())
    }

    /// Looks up subscriptions by their identifiers. The viewer sees those of its tenants.
    pub async fn subscriptions(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<ResultsByKey<SubscriptionId, TenantSubscription>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let subscriptions = self.counted_store()?.subscriptions(SubscriptionKeys::Ids(ids)).await?;
        let visible =
            |subscription: &Decoded<TenantSubscription>| can_see_subscription(viewer, subscription);
        let by_id = subscriptions.into_iter().filter(visible).map(|subscription| {
            let id = match &subscription {
                Ok(subscription) => subscription.id,
                Err(unreadable) => SubscriptionId::new(unreadable.id),
            };
            (id, into_arc(subscription))
        });
        Ok(by_id.collect())
    }

    /// Looks up the live subscription of each of these tenants.
    pub async fn live_subscriptions(
        &self,
        tenants: &[TenantId],
    ) -> Result<ResultsByKey<TenantId, TenantSubscription>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let keys = SubscriptionKeys::LiveOfTenants(tenants);
        let subscriptions = self.counted_store()?.subscriptions(keys).await?;
        let by_tenant = subscriptions.into_iter().filter_map(|subscription| {
            let tenant = match &subscription {
                Ok(subscription) => subscription.tenant_id,
                Err(unreadable) => unreadable.tenant?,
            };
            viewer.can_see(tenant).then(|| (tenant, into_arc(subscription)))
        });
        Ok(by_tenant.collect())
    }

    /// Returns a page of the tenants that the viewer can see.
    pub async fn tenant_page(
        &self,
        filter: &TenantFilter,
        order: ListOrder<TenantOrderField>,
        request: &PageRequest,
    ) -> Result<Page<Tenant>, AccessError> {
        let Some(scope) = self.scope()? else { return Ok(Page::empty()) };
        let listing = TenantListing { scope, filter: filter.clone(), order };
        let page = self.counted_store()?.tenant_page(&listing, request).await?;
        self.request.logged_tenants.add(page.items.iter().map(|item| tenant_id(&item.node)));
        Ok(page)
    }

    /// Counts the tenants that the viewer can see.
    pub async fn count_tenants(&self, filter: &TenantFilter) -> Result<u64, AccessError> {
        let Some(scope) = self.scope()? else { return Ok(0) };
        let order = newest_first(TenantOrderField::CreatedAt).into();
        let listing = TenantListing { scope, filter: filter.clone(), order };
        Ok(self.counted_store()?.count_tenants(&listing).await?)
    }

    /// Returns a page of all users, for platform admins.
    pub async fn user_page(
        &self,
        filter: &UserFilter,
        order: ListOrder<UserOrderField>,
        request: &PageRequest,
    ) -> Result<Page<User>, AccessError> {
        self.loaded_viewer()?.authorize_platform(PlatformAction::ListUsers)?;
        if self.filters_by_missing_tenant(filter.tenant).await? {
            return Ok(Page::empty());
        }
        let listing = UserListing { scope: TenantScope::Everything, filter: filter.clone(), order };
        Ok(self.counted_store()?.user_page(&listing, request).await?)
    }

    /// Counts all users, for platform admins.
    pub async fn count_users(&self, filter: &UserFilter) -> Result<u64, AccessError> {
        self.loaded_viewer()?.authorize_platform(PlatformAction::ListUsers)?;
        if self.filters_by_missing_tenant(filter.tenant).await? {
            return Ok(0);
        }
        let order = newest_first(UserOrderField::CreatedAt).into();
        let listing = UserListing { scope: TenantScope::Everything, filter: filter.clone(), order };
        Ok(self.counted_store()?.count_users(&listing).await?)
    }

    /// Returns whether a filter names a tenant that does not exist.
    ///
    /// Remaining memberships and subscriptions of a deleted tenant are in no list.
    async fn filters_by_missing_tenant(
        &self,
        tenant: Option<TenantId>,
    ) -> Result<bool, AccessError> {
        match tenant {
            Some(tenant) => Ok(!self.tenants(&[tenant]).await?.contains_key(&tenant)),
            None => Ok(false),
        }
    }

    /// Returns the scope of the viewer's lists without deleted tenants, or `None` if no tenant
    /// remains.
    async fn existing_scope(&self) -> Result<Option<TenantScope>, AccessError> {
        match self.scope()? {
            Some(TenantScope::Tenants(ids)) => {
                let existing: Vec<TenantId> = self.tenants(&ids).await?.into_keys().collect();
                Ok((!existing.is_empty()).then_some(TenantScope::Tenants(existing)))
            }
            scope => Ok(scope),
        }
    }

    /// Returns a page of the subscriptions of the tenants that the viewer can see.
    pub async fn subscription_page(
        &self,
        filter: &SubscriptionFilter,
        order: Order<SubscriptionOrderField>,
        request: &PageRequest,
    ) -> Result<Page<TenantSubscription>, AccessError> {
        let Some(scope) = self.scope()? else { return Ok(Page::empty()) };
        let listing = SubscriptionListing { scope, filter: filter.clone(), order };
        Ok(self.counted_store()?.subscription_page(&listing, request).await?)
    }

    /// Counts the subscriptions of the tenants that the viewer can see.
    pub async fn count_subscriptions(
        &self,
        filter: &SubscriptionFilter,
    ) -> Result<u64, AccessError> {
        let Some(scope) = self.existing_scope().await? else { return Ok(0) };
        if scope == TenantScope::Everything && self.filters_by_missing_tenant(filter.tenant).await?
        {
            return Ok(0);
        }
        let order = newest_first(SubscriptionOrderField::CreatedAt);
        let listing = SubscriptionListing { scope, filter: filter.clone(), order };
        Ok(self.counted_store()?.count_subscriptions(&listing).await?)
    }

    /// Returns the scope of the viewer's lists, or `None` if the viewer can see no tenant.
    fn scope(&self) -> Result<Option<TenantScope>, AccessError> {
        let scope = self.loaded_viewer()?.scope();
        Ok(Some(scope)
            .filter(|scope| !matches!(scope, TenantScope::Tenants(ids) if ids.is_empty())))
    }

    /// Returns the same page of members for each of these tenants.
    pub async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        request: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<Arc<User>>>, AccessError> {
        let visible = self.visible_tenants(tenants)?;
        let pages = self.counted_store()?.member_pages(&visible, filter, request).await?;
        Ok(pages.into_iter().map(|(tenant, page)| (tenant, page.map(Arc::new))).collect())
    }

    /// Counts the members of each of these tenants.
    pub async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, AccessError> {
        let visible = self.visible_tenants(tenants)?;
        Ok(self.counted_store()?.count_members(&visible, filter).await?)
    }

    fn visible_tenants(&self, tenants: &[TenantId]) -> Result<Vec<TenantId>, AccessError> {
        let viewer = self.loaded_viewer()?;
        Ok(tenants.iter().copied().filter(|tenant| viewer.can_see(*tenant)).collect())
    }
}

/// Wraps a readable document in an [`Arc`]. An unreadable document stays an error.
pub(super) fn into_arc<T>(document: Decoded<T>) -> Decoded<Arc<T>> {
    document.map(Arc::new)
}

/// Returns an order for a count, whose result does not depend on it.
const fn newest_first<F>(field: F) -> Order<F> {
    Order { field, direction: Direction::Desc }
}

fn tenant_id(tenant: &Decoded<Tenant>) -> TenantId {
    match tenant {
        Ok(tenant) => tenant.id,
        Err(unreadable) => TenantId::new(unreadable.id),
    }
}

fn can_see_subscription(viewer: &Viewer, subscription: &Decoded<TenantSubscription>) -> bool {
    match subscription {
        Ok(subscription) => viewer.can_see(subscription.tenant_id),
        Err(unreadable) => unreadable.tenant.is_some_and(|tenant| viewer.can_see(tenant)),
    }
}
