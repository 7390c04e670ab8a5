//! Reads: each asks the store once for all its keys, and leaves out what the actor may not see.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{AccessError, Session, Viewer, into_arc};
use crate::{
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, SubscriptionId, TenantId, UserId},
        list::{
            AuditFilter, Decoded, Direction, MemberFilter, Order, Page, PageRequest,
            SubscriptionFilter, SubscriptionListing, SubscriptionOrderField, TenantFilter,
            TenantListing, TenantOrderField, TenantScope, UserFilter, UserListing, UserOrderField,
        },
        subscription::TenantSubscription,
        tenant::Tenant,
        user::User,
    },
    policy::{PlatformAction, TenantAction},
    store::{SubscriptionKeys, TenantKeys, UserKeys},
};

/// What was found of what was asked for, by key. What is not there, and what the actor may not
/// see, is absent.
pub type ResultsByKey<K, T> = HashMap<K, Decoded<Arc<T>>>;

/// Which history is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditScope {
    /// Everything that happened; for platform admins.
    Platform,
    /// What happened to one tenant; for its admins and owners.
    Tenant(TenantId),
}

impl Session {
    /// The tenant with that slug.
    pub async fn tenant_by_slug(
        &self,
        slug: &str,
    ) -> Result<Option<Decoded<Arc<Tenant>>>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let found = self.counted_store()?.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await?;
        let visible = |found: &Decoded<Tenant>| viewer.can_see(tenant_of(found));
        let found = found.into_iter().find(visible);
        self.request.touched.note(found.as_ref().map(tenant_of));
        Ok(found.map(into_arc))
    }

    /// Tenants by identifier.
    pub async fn tenants(
        &self,
        ids: &[TenantId],
    ) -> Result<ResultsByKey<TenantId, Tenant>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let found = self.counted_store()?.tenants(TenantKeys::Ids(ids)).await?;
        let keyed = found.into_iter().map(|found| (tenant_of(&found), into_arc(found)));
        let keyed: ResultsByKey<_, _> = keyed.filter(|(id, _)| viewer.can_see(*id)).collect();
        self.request.touched.note(keyed.keys().copied());
        Ok(keyed)
    }

    /// Users by identifier: oneself, and those with whom the actor shares a tenant that exists.
    pub async fn users(&self, ids: &[UserId]) -> Result<ResultsByKey<UserId, User>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let found = self.counted_store()?.users(UserKeys::Ids(ids)).await?;
        let shared = self.shared_tenants(viewer, &found).await?;
        let visible = |found: &Decoded<User>| match found {
            _ if viewer.is_platform_admin() => true,
            Ok(user) if user.id == viewer.user().id => true,
            Ok(user) => user.memberships.iter().any(|m| shared.contains(&m.tenant_id)),
            Err(_) => false,
        };
        let keyed = found.into_iter().filter(visible).map(|found| {
            let id = found.as_ref().map_or_else(|broken| UserId::new(broken.id), |user| user.id);
            (id, into_arc(found))
        });
        Ok(keyed.collect())
    }

    /// Of the tenants that the actor shares with these users, those that exist: a membership that
    /// outlived its tenant shows nobody.
    async fn shared_tenants(
        &self,
        viewer: &Viewer,
        users: &[Decoded<User>],
    ) -> Result<HashSet<TenantId>, AccessError> {
        if viewer.is_platform_admin() {
            return Ok(HashSet::new());
        }
        let others = users.iter().flatten().filter(|user| user.id != viewer.user().id);
        let common: HashSet<TenantId> = others
            .flat_map(|user| user.memberships.iter().map(|m| m.tenant_id))
            .filter(|tenant| viewer.can_see(*tenant))
            .collect();
        if common.is_empty() {
            return Ok(common);
        }
        let common: Vec<TenantId> = common.into_iter().collect();
        Ok(self.tenants(&common).await?.into_keys().collect())
    }

    /// Subscriptions by identifier: those of tenants that the actor sees.
    pub async fn subscriptions(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<ResultsByKey<SubscriptionId, TenantSubscription>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let found = self.counted_store()?.subscriptions(SubscriptionKeys::Ids(ids)).await?;
        let keyed =
            found.into_iter().filter(|found| sees_subscription(viewer, found)).map(|found| {
                let id =
                    found.as_ref().map_or_else(|broken| SubscriptionId::new(broken.id), |s| s.id);
                (id, into_arc(found))
            });
        Ok(keyed.collect())
    }

    /// The subscription that is not over, of each of these tenants.
    pub async fn live_subscriptions(
        &self,
        tenants: &[TenantId],
    ) -> Result<ResultsByKey<TenantId, TenantSubscription>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let found =
            self.counted_store()?.subscriptions(SubscriptionKeys::LiveOfTenants(tenants)).await?;
        let keyed = found.into_iter().filter_map(|found| {
            let tenant = match &found {
                Ok(subscription) => subscription.tenant_id,
                Err(broken) => broken.tenant?,
            };
            viewer.can_see(tenant).then(|| (tenant, into_arc(found)))
        });
        Ok(keyed.collect())
    }

    /// Events by identifier: those of tenants that exist and whose history the actor may read.
    pub async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<ResultsByKey<AuditEventId, AuditEvent>, AccessError> {
        let viewer = self.loaded_viewer()?;
        let found = self.counted_store()?.audit_events(ids).await?;
        let readable =
            |tenant: &TenantId| viewer.authorize(*tenant, TenantAction::ReadAudit).is_ok();
        let mut tenants: Vec<TenantId> =
            found.iter().flatten().flat_map(|event| event.tenants.clone()).collect();
        tenants.retain(readable);
        let existing = match tenants.is_empty() || viewer.is_platform_admin() {
            true => ResultsByKey::new(),
            false => self.tenants(&tenants).await?,
        };
        let visible = |found: &Decoded<AuditEvent>| match found {
            _ if viewer.is_platform_admin() => true,
            Ok(event) => event.tenants.iter().any(|t| readable(t) && existing.contains_key(t)),
            Err(_) => false,
        };
        let keyed = found.into_iter().filter(visible).map(|found| {
            let id = found.as_ref().map_or_else(|broken| AuditEventId::new(broken.id), |e| e.id);
            (id, into_arc(found))
        });
        Ok(keyed.collect())
    }

    /// A page of the tenants that the actor sees.
    pub async fn tenant_page(
        &self,
        filter: &TenantFilter,
        order: Order<TenantOrderField>,
        window: &PageRequest,
    ) -> Result<Page<Tenant>, AccessError> {
        let Some(scope) = self.scope()? else { return Ok(Page::empty()) };
        let listing = TenantListing { scope, filter: filter.clone(), order };
        let page = self.counted_store()?.tenant_page(&listing, window).await?;
        self.request.touched.note(page.items.iter().map(|item| tenant_of(&item.node)));
        Ok(page)
    }

    /// How many tenants the actor sees.
    pub async fn count_tenants(&self, filter: &TenantFilter) -> Result<u64, AccessError> {
        let Some(scope) = self.scope()? else { return Ok(0) };
        let order = newest_first(TenantOrderField::CreatedAt);
        let listing = TenantListing { scope, filter: filter.clone(), order };
        Ok(self.counted_store()?.count_tenants(&listing).await?)
    }

    /// A page of all users, for platform admins.
    pub async fn user_page(
        &self,
        filter: &UserFilter,
        order: Order<UserOrderField>,
        window: &PageRequest,
    ) -> Result<Page<User>, AccessError> {
        self.loaded_viewer()?.authorize_platform(PlatformAction::ListUsers)?;
        if self.filters_by_missing_tenant(filter.tenant).await? {
            return Ok(Page::empty());
        }
        let listing = UserListing { scope: TenantScope::Everything, filter: filter.clone(), order };
        Ok(self.counted_store()?.user_page(&listing, window).await?)
    }

    /// How many users there are, for platform admins.
    pub async fn count_users(&self, filter: &UserFilter) -> Result<u64, AccessError> {
        self.loaded_viewer()?.authorize_platform(PlatformAction::ListUsers)?;
        if self.filters_by_missing_tenant(filter.tenant).await? {
            return Ok(0);
        }
        let order = newest_first(UserOrderField::CreatedAt);
        let listing = UserListing { scope: TenantScope::Everything, filter: filter.clone(), order };
        Ok(self.counted_store()?.count_users(&listing).await?)
    }

    /// Whether a filter names a tenant that is not there: what has outlived it is in no list.
    async fn filters_by_missing_tenant(
        &self,
        filter: Option<TenantId>,
    ) -> Result<bool, AccessError> {
        match filter {
            Some(named) => Ok(!self.tenants(&[named]).await?.contains_key(&named)),
            None => Ok(false),
        }
    }

    /// What lists may hold, without tenants that are gone.
    async fn existing_scope(&self) -> Result<Option<TenantScope>, AccessError> {
        match self.scope()? {
            Some(TenantScope::Tenants(ids)) => {
                let existing: Vec<TenantId> = self.tenants(&ids).await?.into_keys().collect();
                Ok((!existing.is_empty()).then_some(TenantScope::Tenants(existing)))
            }
            scope => Ok(scope),
        }
    }

    /// A page of the subscriptions of the tenants that the actor sees.
    pub async fn subscription_page(
        &self,
        filter: &SubscriptionFilter,
        order: Order<SubscriptionOrderField>,
        window: &PageRequest,
    ) -> Result<Page<TenantSubscription>, AccessError> {
        let Some(scope) = self.scope()? else { return Ok(Page::empty()) };
        let listing = SubscriptionListing { scope, filter: filter.clone(), order };
        Ok(self.counted_store()?.subscription_page(&listing, window).await?)
    }

    /// How many subscriptions the tenants have that the actor sees.
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

    /// A page of a history, newest first.
    pub async fn audit_page(
        &self,
        history: AuditScope,
        filter: &AuditFilter,
        window: &PageRequest,
    ) -> Result<Page<AuditEvent>, AccessError> {
        match self.restrict_filter(history, filter).await? {
            Some(filter) => Ok(self.counted_store()?.audit_page(&filter, window).await?),
            None => Ok(Page::empty()),
        }
    }

    /// How many events a history holds.
    pub async fn count_audit_events(
        &self,
        history: AuditScope,
        filter: &AuditFilter,
    ) -> Result<u64, AccessError> {
        match self.restrict_filter(history, filter).await? {
            Some(filter) => Ok(self.counted_store()?.count_audit_events(&filter).await?),
            None => Ok(0),
        }
    }

    /// The filter with the history's own bounds; `None` where it names another tenant than those, or
    /// somebody whom the actor does not see: an event shows nothing of such a user, so neither must
    /// looking for one.
    async fn restrict_filter(
        &self,
        history: AuditScope,
        filter: &AuditFilter,
    ) -> Result<Option<AuditFilter>, AccessError> {
        let viewer = self.loaded_viewer()?;
        match history {
            AuditScope::Platform => {
                viewer.authorize_platform(PlatformAction::ReadAuditLog)?;
                Ok(Some(filter.clone()))
            }
            AuditScope::Tenant(tenant) => {
                viewer.authorize(tenant, TenantAction::ReadAudit)?;
                let meets = filter.tenant.is_none_or(|named| named == tenant);
                let seen = match filter.actor {
                    Some(named) => self.users(&[named]).await?.contains_key(&named),
                    None => true,
                };
                let filter = AuditFilter { tenant: Some(tenant), ..filter.clone() };
                Ok((meets && seen).then_some(filter))
            }
        }
    }

    /// What lists may hold; `None` where that is nothing.
    fn scope(&self) -> Result<Option<TenantScope>, AccessError> {
        let scope = self.loaded_viewer()?.scope();
        Ok(Some(scope)
            .filter(|scope| !matches!(scope, TenantScope::Tenants(ids) if ids.is_empty())))
    }

    /// The same page of members of each of these tenants.
    pub async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &PageRequest,
    ) -> Result<HashMap<TenantId, Page<Arc<User>>>, AccessError> {
        let seen = self.visible_tenants(tenants)?;
        let pages = self.counted_store()?.member_pages(&seen, filter, window).await?;
        Ok(pages.into_iter().map(|(tenant, page)| (tenant, page.map(Arc::new))).collect())
    }

    /// How many members each of these tenants has.
    pub async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, AccessError> {
        let seen = self.visible_tenants(tenants)?;
        Ok(self.counted_store()?.count_members(&seen, filter).await?)
    }

    fn visible_tenants(&self, tenants: &[TenantId]) -> Result<Vec<TenantId>, AccessError> {
        let viewer = self.loaded_viewer()?;
        Ok(tenants.iter().copied().filter(|tenant| viewer.can_see(*tenant)).collect())
    }
}

/// The order of a count matters to nobody.
const fn newest_first<F>(field: F) -> Order<F> {
    Order { field, direction: Direction::Desc }
}

fn tenant_of(found: &Decoded<Tenant>) -> TenantId {
    found.as_ref().map_or_else(|broken| TenantId::new(broken.id), |tenant| tenant.id)
}

fn sees_subscription(viewer: &Viewer, found: &Decoded<TenantSubscription>) -> bool {
    match found {
        Ok(subscription) => viewer.can_see(subscription.tenant_id),
        Err(broken) => broken.tenant.is_some_and(|tenant| viewer.can_see(tenant)),
    }
}
