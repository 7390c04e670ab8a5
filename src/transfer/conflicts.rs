//! Compares a file with the database before anything is written.

use std::{
    collections::{HashMap, HashSet},
    slice,
};

use super::{error::TransferError, scope::restrict, validate::ImportFile};
use crate::{
    domain::{
        audit::{ActorKind, AuditEvent},
        id::{AuditEventId, InvitationId, SubscriptionId, TenantId, UserId},
        list::{
            AuditListing, Direction, Order, PageEdge, PageRequest, SubscriptionFilter,
            SubscriptionListing, SubscriptionOrderField, TenantFilter, TenantListing,
            TenantOrderField, TenantScope, UserFilter, UserListing, UserOrderField,
        },
        record::Record,
        tenant::Tenant,
        user::Identity,
    },
    store::{InvitationKeys, Store, StoreError, SubscriptionKeys, TenantKeys, UserKeys},
};

/// The number of identifiers that one read looks up.
const LOOKUP_SIZE: usize = 500;

const NOT_EMPTY: &str = "the database is not empty: an export of everything is imported into an empty \
    database only";

/// Checks that a database has nothing but the tenant of the bootstrap, and returns that tenant.
pub(super) async fn find_bootstrap(store: &dyn Store) -> Result<Option<TenantId>, TransferError> {
    let first = PageRequest { size: 3, edge: PageEdge::First, after: None, before: None };
    let tenants = store.tenant_page(&tenant_listing(TenantFilter::default()), &first).await?;
    let users = store.count_users(&user_listing()).await?;
    let subscriptions = store.subscription_page(&subscription_listing(), &first).await?;
    let events = store.audit_page(&AuditListing::default(), &first).await?;
    let tenant = match &tenants.items[..] {
        [only] => only.node.as_ref().ok().filter(|tenant| tenant.version == 1),
        _ => None,
    };
    let is_new = |event: &_| match event {
        Ok(AuditEvent { actor_kind, tenants, action, .. }) => {
            *actor_kind == ActorKind::System
                && tenant.is_some_and(|tenant| *tenants == [tenant.id])
                && action.ends_with(".create")
        }
        Err(_) => false,
    };
    let has_subscription = |node: &_| match node {
        Ok(crate::domain::subscription::TenantSubscription { tenant_id, version, .. }) => {
            *version == 1 && tenant.is_some_and(|tenant| *tenant_id == tenant.id)
        }
        Err(_) => false,
    };
    let is_bootstrap = tenants.items.len() == usize::from(tenant.is_some())
        && users == 0
        && subscriptions.items.len() <= 1
        && subscriptions.items.iter().all(|item| has_subscription(&item.node))
        && events.items.len() <= 2
        && events.items.iter().all(|item| is_new(&item.node));
    if is_bootstrap {
        Ok(tenant.map(|tenant| tenant.id))
    } else {
        Err(TransferError::new(NOT_EMPTY))
    }
}

fn tenant_listing(filter: TenantFilter) -> TenantListing {
    let order = Order { field: TenantOrderField::CreatedAt, direction: Direction::Desc };
    TenantListing { scope: TenantScope::Everything, filter, order: order.into() }
}

fn user_listing() -> UserListing {
    let order = Order { field: UserOrderField::CreatedAt, direction: Direction::Desc };
    UserListing {
        scope: TenantScope::Everything,
        filter: UserFilter::default(),
        order: order.into(),
    }
}

fn subscription_listing() -> SubscriptionListing {
    let order = Order { field: SubscriptionOrderField::CreatedAt, direction: Direction::Desc };
    let filter = SubscriptionFilter::default();
    SubscriptionListing { scope: TenantScope::Everything, filter, order }
}

/// Checks that the database has none of the identifiers and unique values of a tenant's export. A
/// member who has a user already is no conflict, and neither is an event that the database has
/// unchanged: the deletion of a tenant keeps its history, and its export must restore it. Returns
/// these events.
pub(super) async fn check_tenant(
    store: &dyn Store,
    file: &ImportFile,
    tenant: TenantId,
) -> Result<HashSet<AuditEventId>, TransferError> {
    let mut records = file.records()?;
    let (mut lookup, mut known) = (Lookup::default(), HashSet::new());
    while let Some((line, record)) = records.next()? {
        match record {
            Record::Tenant(tenant) => check_values(store, line, &tenant).await?,
            Record::User(user) => {
                if store.users(UserKeys::Identity(&user.identity)).await?.is_empty() {
                    lookup.users.insert(user.id, (line, user.identity));
                }
            }
            Record::Subscription(subscription) => {
                lookup.subscriptions.insert(subscription.id, line);
            }
            Record::Invitation(invitation) => {
                lookup.invitations.insert(invitation.id, line);
            }
            Record::AuditEvent(event) => drop(lookup.events.insert(event.id, (line, event))),
            Record::Tombstone(_) => {}
        }
        if lookup.len() >= LOOKUP_SIZE {
            known.extend(std::mem::take(&mut lookup).check(store, tenant).await?);
        }
    }
    known.extend(lookup.check(store, tenant).await?);
    Ok(known)
}

async fn check_values(store: &dyn Store, line: u64, tenant: &Tenant) -> Result<(), TransferError> {
    if !store.tenants(TenantKeys::Ids(&[tenant.id])).await?.is_empty() {
        return Err(exists(line, "identifier", &tenant.id.to_string()));
    }
    let slug = [tenant.slug.clone()];
    if !store.tenants(TenantKeys::Slugs(&slug)).await?.is_empty() {
        return Err(exists(line, "slug", &tenant.slug));
    }
    let group = tenant.integrations.as_ref().and_then(|found| found.authentik_group.clone());
    if let Some(group) = group
        && !store.tenants(TenantKeys::SlugsOrGroups(&[], slice::from_ref(&group))).await?.is_empty()
    {
        return Err(exists(line, "integrations.authentikGroup", &group));
    }
    for domain in &tenant.domains {
        let filter = TenantFilter { domain: Some(domain.clone()), ..TenantFilter::default() };
        if store.count_tenants(&tenant_listing(filter)).await? > 0 {
            return Err(exists(line, "domain", domain));
        }
    }
    Ok(())
}

fn exists(line: u64, kind: &str, value: &str) -> TransferError {
    TransferError::at(line, format!("the database has the {kind} {value:?} already"))
}

/// Identifiers to look up, each with its line.
#[derive(Default)]
struct Lookup {
    users: HashMap<UserId, (u64, Identity)>,
    subscriptions: HashMap<SubscriptionId, u64>,
    invitations: HashMap<InvitationId, u64>,
    events: HashMap<AuditEventId, (u64, AuditEvent)>,
}

impl Lookup {
    fn len(&self) -> usize {
        self.users.len() + self.subscriptions.len() + self.invitations.len() + self.events.len()
    }

    /// Returns the events that the database has unchanged.
    async fn check(
        self,
        store: &dyn Store,
        tenant: TenantId,
    ) -> Result<Vec<AuditEventId>, TransferError> {
        let mut found: Vec<(u64, String)> = Vec::new();
        let ids: Vec<_> = self.users.keys().copied().collect();
        for user in store.users(UserKeys::Ids(&ids)).await? {
            let id = user.map_or_else(|unreadable| UserId::new(unreadable.id), |user| user.id);
            found.extend(self.users.get(&id).map(|(line, _)| (*line, id.to_string())));
        }
        let ids: Vec<_> = self.subscriptions.keys().copied().collect();
        for subscription in store.subscriptions(SubscriptionKeys::Ids(&ids)).await? {
            let id = subscription
                .map_or_else(|unreadable| SubscriptionId::new(unreadable.id), |found| found.id);
            found.extend(self.subscriptions.get(&id).map(|line| (*line, id.to_string())));
        }
        let ids: Vec<_> = self.invitations.keys().copied().collect();
        for invitation in store.invitations(InvitationKeys::Ids(&ids)).await? {
            let id = invitation
                .map_or_else(|unreadable| InvitationId::new(unreadable.id), |found| found.id);
            found.extend(self.invitations.get(&id).map(|line| (*line, id.to_string())));
        }
        let ids: Vec<_> = self.events.keys().copied().collect();
        let mut known = Vec::new();
        for event in store.audit_events(&ids).await? {
            let (id, part) = match event {
                Ok(event) => (event.id, restrict(Record::AuditEvent(event), tenant)),
                Err(unreadable) => (AuditEventId::new(unreadable.id), None),
            };
            let Some((line, imported)) = self.events.get(&id) else { continue };
            match part {
                Some(Record::AuditEvent(part)) if part == *imported => known.push(id),
                _ => found.push((*line, id.to_string())),
            }
        }
        match found.into_iter().min() {
            Some((line, id)) => Err(exists(line, "identifier", &id)),
            None => Ok(known),
        }
    }
}

/// Returns the stored user of an identity.
pub(super) async fn find_user(
    store: &dyn Store,
    identity: &Identity,
) -> Result<Option<crate::domain::user::User>, TransferError> {
    let unreadable = |_| StoreError::Internal("the user of a member cannot be read".to_owned());
    let mut users = store.users(UserKeys::Identity(identity)).await?;
    Ok(users.pop().transpose().map_err(unreadable)?)
}
