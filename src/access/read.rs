//! Reads: each asks the store once for all its keys, and leaves out what the actor may not see.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Refusal, Session, Viewer, share};
use crate::{
    domain::{
        audit::AuditEvent,
        id::{AuditEventId, SubscriptionId, TenantId, UserId},
        list::{
            AuditFilter, Direction, Found, MemberFilter, Order, Page, Scope, SubscriptionFilter,
            SubscriptionListing, SubscriptionOrderField, TenantFilter, TenantListing,
            TenantOrderField, UserFilter, UserListing, UserOrderField, Window,
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
pub type ByKey<K, T> = HashMap<K, Found<Arc<T>>>;

/// Which history is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum History {
    /// Everything that happened; for platform admins.
    Whole,
    /// What happened to one tenant; for its admins and owners.
    OfTenant(TenantId),
}

impl Session {
    /// The tenant with that slug.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<Option<Found<Arc<Tenant>>>, Refusal> {
        let viewer = self.known_viewer()?;
        let found = self.read()?.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await?;
        let visible = |found: &Found<Tenant>| viewer.sees(tenant_of(found));
        let found = found.into_iter().find(visible);
        self.request.touched.note(found.as_ref().map(tenant_of));
        Ok(found.map(share))
    }

    /// Tenants by identifier.
    pub async fn tenants(&self, ids: &[TenantId]) -> Result<ByKey<TenantId, Tenant>, Refusal> {
        let viewer = self.known_viewer()?;
        let found = self.read()?.tenants(TenantKeys::Ids(ids)).await?;
        let keyed = found.into_iter().map(|found| (tenant_of(&found), share(found)));
        let keyed: ByKey<_, _> = keyed.filter(|(id, _)| viewer.sees(*id)).collect();
        self.request.touched.note(keyed.keys().copied());
        Ok(keyed)
    }

    /// Users by identifier: oneself, and those with whom the actor shares a tenant that exists.
    pub async fn users(&self, ids: &[UserId]) -> Result<ByKey<UserId, User>, Refusal> {
        let viewer = self.known_viewer()?;
        let found = self.read()?.users(UserKeys::Ids(ids)).await?;
        let shared = self.shared_tenants(viewer, &found).await?;
        let visible = |found: &Found<User>| match found {
            _ if viewer.is_platform_admin() => true,
            Ok(user) if user.id == viewer.user().id => true,
            Ok(user) => user.memberships.iter().any(|m| shared.contains(&m.tenant_id)),
            Err(_) => false,
        };
        let keyed = found.into_iter().filter(visible).map(|found| {
            let id = found.as_ref().map_or_else(|broken| UserId::new(broken.id), |user| user.id);
            (id, share(found))
        });
        Ok(keyed.collect())
    }

    /// Of the tenants that the actor shares with these users, those that exist: a membership that
    /// outlived its tenant shows nobody.
    async fn shared_tenants(
        &self,
        viewer: &Viewer,
        users: &[Found<User>],
    ) -> Result<HashSet<TenantId>, Refusal> {
        if viewer.is_platform_admin() {
            return Ok(HashSet::new());
        }
        let others = users.iter().flatten().filter(|user| user.id != viewer.user().id);
        let common: HashSet<TenantId> = others
            .flat_map(|user| user.memberships.iter().map(|m| m.tenant_id))
            .filter(|tenant| viewer.sees(*tenant))
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
    ) -> Result<ByKey<SubscriptionId, TenantSubscription>, Refusal> {
        let viewer = self.known_viewer()?;
        let found = self.read()?.subscriptions(SubscriptionKeys::Ids(ids)).await?;
        let keyed =
            found.into_iter().filter(|found| sees_subscription(viewer, found)).map(|found| {
                let id =
                    found.as_ref().map_or_else(|broken| SubscriptionId::new(broken.id), |s| s.id);
                (id, share(found))
            });
        Ok(keyed.collect())
    }

    /// The subscription that is not over, of each of these tenants.
    pub async fn live_subscriptions(
        &self,
        tenants: &[TenantId],
    ) -> Result<ByKey<TenantId, TenantSubscription>, Refusal> {
        let viewer = self.known_viewer()?;
        let found = self.read()?.subscriptions(SubscriptionKeys::LiveOf(tenants)).await?;
        let keyed = found.into_iter().filter_map(|found| {
            let tenant = match &found {
                Ok(subscription) => subscription.tenant_id,
                Err(broken) => broken.tenant?,
            };
            viewer.sees(tenant).then(|| (tenant, share(found)))
        });
        Ok(keyed.collect())
    }

    /// Events by identifier: those of tenants that exist and whose history the actor may read.
    pub async fn audit_events(
        &self,
        ids: &[AuditEventId],
    ) -> Result<ByKey<AuditEventId, AuditEvent>, Refusal> {
        let viewer = self.known_viewer()?;
        let found = self.read()?.audit_events(ids).await?;
        let readable = |tenant: &TenantId| viewer.may(*tenant, TenantAction::ReadAudit).is_ok();
        let mut tenants: Vec<TenantId> =
            found.iter().flatten().flat_map(|event| event.tenants.clone()).collect();
        tenants.retain(readable);
        let existing = match tenants.is_empty() || viewer.is_platform_admin() {
            true => ByKey::new(),
            false => self.tenants(&tenants).await?,
        };
        let visible = |found: &Found<AuditEvent>| match found {
            _ if viewer.is_platform_admin() => true,
            Ok(event) => event.tenants.iter().any(|t| readable(t) && existing.contains_key(t)),
            Err(_) => false,
        };
        let keyed = found.into_iter().filter(visible).map(|found| {
            let id = found.as_ref().map_or_else(|broken| AuditEventId::new(broken.id), |e| e.id);
            (id, share(found))
        });
        Ok(keyed.collect())
    }

    /// A page of the tenants that the actor sees.
    pub async fn tenant_page(
        &self,
        filter: &TenantFilter,
        order: Order<TenantOrderField>,
        window: &Window,
    ) -> Result<Page<Tenant>, Refusal> {
        let Some(scope) = self.scope()? else { return Ok(Page::empty()) };
        let listing = TenantListing { scope, filter: filter.clone(), order };
        let page = self.read()?.tenant_page(&listing, window).await?;
        self.request.touched.note(page.items.iter().map(|item| tenant_of(&item.node)));
        Ok(page)
    }

    /// How many tenants the actor sees.
    pub async fn count_tenants(&self, filter: &TenantFilter) -> Result<u64, Refusal> {
        let Some(scope) = self.scope()? else { return Ok(0) };
        let order = newest_first(TenantOrderField::CreatedAt);
        let listing = TenantListing { scope, filter: filter.clone(), order };
        Ok(self.read()?.count_tenants(&listing).await?)
    }

    /// A page of all users, for platform admins.
    pub async fn user_page(
        &self,
        filter: &UserFilter,
        order: Order<UserOrderField>,
        window: &Window,
    ) -> Result<Page<User>, Refusal> {
        self.known_viewer()?.may_platform(PlatformAction::ListUsers)?;
        if self.names_a_gone_tenant(filter.tenant).await? {
            return Ok(Page::empty());
        }
        let listing = UserListing { scope: Scope::Everything, filter: filter.clone(), order };
        Ok(self.read()?.user_page(&listing, window).await?)
    }

    /// How many users there are, for platform admins.
    pub async fn count_users(&self, filter: &UserFilter) -> Result<u64, Refusal> {
        self.known_viewer()?.may_platform(PlatformAction::ListUsers)?;
        if self.names_a_gone_tenant(filter.tenant).await? {
            return Ok(0);
        }
        let order = newest_first(UserOrderField::CreatedAt);
        let listing = UserListing { scope: Scope::Everything, filter: filter.clone(), order };
        Ok(self.read()?.count_users(&listing).await?)
    }

    /// Whether a filter names a tenant that is not there: what has outlived it is in no list.
    async fn names_a_gone_tenant(&self, filter: Option<TenantId>) -> Result<bool, Refusal> {
        match filter {
            Some(named) => Ok(!self.tenants(&[named]).await?.contains_key(&named)),
            None => Ok(false),
        }
    }

    /// What lists may hold, without tenants that are gone.
    async fn existing_scope(&self) -> Result<Option<Scope>, Refusal> {
        match self.scope()? {
            Some(Scope::Tenants(ids)) => {
                let existing: Vec<TenantId> = self.tenants(&ids).await?.into_keys().collect();
                Ok((!existing.is_empty()).then_some(Scope::Tenants(existing)))
            }
            scope => Ok(scope),
        }
    }

    /// A page of the subscriptions of the tenants that the actor sees.
    pub async fn subscription_page(
        &self,
        filter: &SubscriptionFilter,
        order: Order<SubscriptionOrderField>,
        window: &Window,
    ) -> Result<Page<TenantSubscription>, Refusal> {
        let Some(scope) = self.scope()? else { return Ok(Page::empty()) };
        let listing = SubscriptionListing { scope, filter: filter.clone(), order };
        Ok(self.read()?.subscription_page(&listing, window).await?)
    }

    /// How many subscriptions the tenants have that the actor sees.
    pub async fn count_subscriptions(&self, filter: &SubscriptionFilter) -> Result<u64, Refusal> {
        let Some(scope) = self.existing_scope().await? else { return Ok(0) };
        if scope == Scope::Everything && self.names_a_gone_tenant(filter.tenant).await? {
            return Ok(0);
        }
        let order = newest_first(SubscriptionOrderField::CreatedAt);
        let listing = SubscriptionListing { scope, filter: filter.clone(), order };
        Ok(self.read()?.count_subscriptions(&listing).await?)
    }

    /// A page of a history, newest first.
    pub async fn audit_page(
        &self,
        history: History,
        filter: &AuditFilter,
        window: &Window,
    ) -> Result<Page<AuditEvent>, Refusal> {
        match self.narrowed(history, filter).await? {
            Some(filter) => Ok(self.read()?.audit_page(&filter, window).await?),
            None => Ok(Page::empty()),
        }
    }

    /// How many events a history holds.
    pub async fn count_audit_events(
        &self,
        history: History,
        filter: &AuditFilter,
    ) -> Result<u64, Refusal> {
        match self.narrowed(history, filter).await? {
            Some(filter) => Ok(self.read()?.count_audit_events(&filter).await?),
            None => Ok(0),
        }
    }

    /// The filter with the history's own bounds; `None` where it names another tenant than those, or
    /// somebody whom the actor does not see: an event shows nothing of such a user, so neither must
    /// looking for one.
    async fn narrowed(
        &self,
        history: History,
        filter: &AuditFilter,
    ) -> Result<Option<AuditFilter>, Refusal> {
        let viewer = self.known_viewer()?;
        match history {
            History::Whole => {
                viewer.may_platform(PlatformAction::ReadAuditLog)?;
                Ok(Some(filter.clone()))
            }
            History::OfTenant(tenant) => {
                viewer.may(tenant, TenantAction::ReadAudit)?;
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
    fn scope(&self) -> Result<Option<Scope>, Refusal> {
        let scope = self.known_viewer()?.scope();
        Ok(Some(scope).filter(|scope| !matches!(scope, Scope::Tenants(ids) if ids.is_empty())))
    }

    /// The same page of members of each of these tenants.
    pub async fn member_pages(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
        window: &Window,
    ) -> Result<HashMap<TenantId, Page<Arc<User>>>, Refusal> {
        let seen = self.seen(tenants)?;
        let pages = self.read()?.member_pages(&seen, filter, window).await?;
        Ok(pages.into_iter().map(|(tenant, page)| (tenant, page.map(Arc::new))).collect())
    }

    /// How many members each of these tenants has.
    pub async fn count_members(
        &self,
        tenants: &[TenantId],
        filter: &MemberFilter,
    ) -> Result<HashMap<TenantId, u64>, Refusal> {
        let seen = self.seen(tenants)?;
        Ok(self.read()?.count_members(&seen, filter).await?)
    }

    fn seen(&self, tenants: &[TenantId]) -> Result<Vec<TenantId>, Refusal> {
        let viewer = self.known_viewer()?;
        Ok(tenants.iter().copied().filter(|tenant| viewer.sees(*tenant)).collect())
    }
}

/// The order of a count matters to nobody.
const fn newest_first<F>(field: F) -> Order<F> {
    Order { field, direction: Direction::Desc }
}

fn tenant_of(found: &Found<Tenant>) -> TenantId {
    found.as_ref().map_or_else(|broken| TenantId::new(broken.id), |tenant| tenant.id)
}

fn sees_subscription(viewer: &Viewer, found: &Found<TenantSubscription>) -> bool {
    match found {
        Ok(subscription) => viewer.sees(subscription.tenant_id),
        Err(broken) => broken.tenant.is_some_and(|tenant| viewer.sees(tenant)),
    }
}
