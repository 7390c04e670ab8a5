//! Creates the default tenant and its subscription.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    clock::Clock,
    config::DefaultTenant,
    domain::{
        audit::{ActorKind, AuditEvent, FieldChange},
        change::Change,
        id::{AuditEventId, NodeId, SubscriptionId, TenantId},
        list::{
            Direction, Order, PageEdge, PageRequest, SubscriptionFilter, SubscriptionListing,
            SubscriptionOrderField, TenantScope,
        },
        subscription::{TenantSubscription, TenantSubscriptionStatus},
        tenant::{Plan, Tenant},
    },
    store::{CommitError, Store, StoreError, TenantKeys},
};

/// Creates initial data in a store.
pub struct Seeder {
    /// The store that receives the data.
    pub store: Arc<dyn Store>,
    /// The source of the time and of new identifiers.
    pub clock: Arc<dyn Clock>,
}

impl Seeder {
    /// Creates the default tenant and its subscription, unless they exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails, or if the tenant is deleted while it is created.
    pub async fn ensure_default_tenant(&self, default: &DefaultTenant) -> Result<(), CommitError> {
        let tenant = match self.find_tenant(&default.slug).await? {
            Some(tenant) => tenant,
            None => self.create_default_tenant(default).await?,
        };
        if self.has_subscription(tenant.id).await? {
            return Ok(());
        }
        let subscription = self.new_subscription(&tenant, TenantSubscriptionStatus::Active);
        let target = NodeId::Subscription(subscription.id);
        let event = self.creation_event("subscription.create", &tenant, target);
        let changes = [Change::InsertSubscription(subscription), Change::InsertAuditEvent(event)];
        ignore_conflict(self.store.commit(&changes).await)
    }

    async fn create_default_tenant(&self, default: &DefaultTenant) -> Result<Tenant, CommitError> {
        let tenant = self.new_tenant(&default.slug, &default.name, default.plan);
        let subscription = self.new_subscription(&tenant, TenantSubscriptionStatus::Active);
        self.insert_tenant(tenant, subscription).await?;
        // Another instance may have inserted it first, so only the stored tenant is certain. It is
        // missing if it was deleted in the meantime.
        self.find_tenant(&default.slug).await?.ok_or(CommitError::Stale)
    }

    pub(super) async fn find_tenant(&self, slug: &str) -> Result<Option<Tenant>, CommitError> {
        let tenants = self.store.tenants(TenantKeys::Slugs(&[slug.to_owned()])).await?;
        tenants.into_iter().next().transpose().map_err(|_| {
            let cause = format!("the document of the tenant {slug} cannot be read");
            CommitError::Failed(StoreError::Internal(cause))
        })
    }

    async fn has_subscription(&self, tenant: TenantId) -> Result<bool, CommitError> {
        let listing = SubscriptionListing {
            scope: TenantScope::Everything,
            filter: SubscriptionFilter { tenant: Some(tenant), ..SubscriptionFilter::default() },
            order: Order { field: SubscriptionOrderField::CreatedAt, direction: Direction::Desc },
        };
        let page_request =
            PageRequest { size: 1, edge: PageEdge::First, after: None, before: None };
        Ok(!self.store.subscription_page(&listing, &page_request).await?.items.is_empty())
    }

    /// Inserts a tenant, its subscription and an audit event in one commit.
    ///
    /// Does nothing if another instance has inserted the tenant first.
    pub(super) async fn insert_tenant(
        &self,
        tenant: Tenant,
        subscription: TenantSubscription,
    ) -> Result<(), CommitError> {
        let event = self.creation_event("tenant.create", &tenant, NodeId::Tenant(tenant.id));
        let changes = [
            Change::InsertTenant(tenant),
            Change::InsertSubscription(subscription),
            Change::InsertAuditEvent(event),
        ];
        ignore_conflict(self.store.commit(&changes).await)
    }

    pub(super) fn new_tenant(&self, slug: &str, name: &str, plan: Plan) -> Tenant {
        let tenant = Tenant::new(TenantId::new(self.clock.object_id()), self.clock.now());
        Tenant { slug: slug.to_owned(), name: name.to_owned(), plan, ..tenant }
    }

    pub(super) fn new_subscription(
        &self,
        tenant: &Tenant,
        status: TenantSubscriptionStatus,
    ) -> TenantSubscription {
        let id = SubscriptionId::new(self.clock.object_id());
        TenantSubscription { status, ..TenantSubscription::new_trial(tenant, id, self.clock.now()) }
    }

    fn creation_event(&self, action: &str, tenant: &Tenant, target: NodeId) -> AuditEvent {
        let changes = tenant_values(tenant);
        AuditEvent { tenants: vec![tenant.id], ..self.system_event(action, target, changes) }
    }

    /// Returns an audit event without tenants, whose actor is the system.
    pub(super) fn system_event(
        &self,
        action: &str,
        target: NodeId,
        changes: Vec<FieldChange>,
    ) -> AuditEvent {
        AuditEvent {
            id: AuditEventId::new(self.clock.object_id()),
            at: self.clock.now(),
            action: action.to_owned(),
            actor_kind: ActorKind::System,
            actor: None,
            tenants: Vec::new(),
            target: Some(target),
            changes,
            request_id: None,
        }
    }
}

/// Returns the field changes of an audit event that creates a tenant or its subscription.
pub(super) fn tenant_values(tenant: &Tenant) -> Vec<FieldChange> {
    vec![
        initial_value("slug", json!(tenant.slug)),
        initial_value("name", json!(tenant.name)),
        initial_value("plan", json!(tenant.plan.as_str().to_ascii_uppercase())),
    ]
}

/// Returns the change of a field that had no value before.
pub(super) fn initial_value(field: &str, value: Value) -> FieldChange {
    FieldChange { field: field.to_owned(), from: Value::Null, to: value }
}

/// Treats a conflict as success, because another instance has just created the same data.
pub(super) fn ignore_conflict(result: Result<(), CommitError>) -> Result<(), CommitError> {
    match result {
        Err(CommitError::Conflict(_)) => Ok(()),
        result => result,
    }
}
