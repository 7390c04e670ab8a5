//! Tenants and what belongs to them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    Nullable,
    audit::AuditEventObject,
    connection::{Connection, CountQuery, PageArguments},
    context::{ContextExt, nullable},
    cursor::CursorKind,
    enums::{Plan, TenantRole, TenantStatus},
    error::collect_input_errors,
    input::AuditFilterInput,
    loaders::{LiveSubscriptionKey, MemberPageKey},
    scalar::{DateTime, id},
    subscription::SubscriptionObject,
    user::MembershipObject,
};
use crate::{
    access::{AccessError, AuditScope},
    domain::{
        list::{MemberFilter, Page},
        tenant::{self, Tenant},
        user::User,
    },
    policy::TenantAction,
};

/// A customer of the platform.
#[derive(Clone)]
pub(super) struct TenantObject(pub(super) Arc<Tenant>);

/// A customer of the platform. One that the viewer is no member of does not exist for the viewer.
#[Object(name = "Tenant")]
impl TenantObject {
    /// The identifier: `ten_` and 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name in URLs and groups; unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it is in its life.
    async fn status(&self) -> TenantStatus {
        self.0.status.into()
    }

    /// The plan, which is also that of its subscription.
    async fn plan(&self) -> Plan {
        self.0.plan.into()
    }

    /// Its DNS names, in ASCII form and lower case.
    async fn domains(&self) -> &[String] {
        &self.0.domains
    }

    /// Whom to bill. For the tenant's admins and owners, and platform admins.
    async fn billing_info(&self, ctx: &Context<'_>) -> Nullable<BillingInfo> {
        nullable(
            ctx.authorize(self.0.id, TenantAction::ReadBilling)
                .map(|()| self.0.billing_info.clone().map(BillingInfo::from)),
        )
    }

    /// Where the platform's other parts know this tenant. For platform admins.
    async fn integrations(&self, ctx: &Context<'_>) -> Nullable<TenantIntegrations> {
        nullable(
            ctx.authorize(self.0.id, TenantAction::ReadPlatformFields)
                .map(|()| self.0.integrations.clone().map(TenantIntegrations::from)),
        )
    }

    /// The subscription that is not over.
    async fn subscription(&self, ctx: &Context<'_>) -> Nullable<SubscriptionObject> {
        let found = ctx.load(LiveSubscriptionKey(self.0.id)).await;
        nullable(found.map(|found| Some(SubscriptionObject::of(found?, self.0.clone()))))
    }

    /// Its members, in the order in which they first came to the platform.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 0 to 100; 20 where neither is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those with exactly this role.")] role: Option<TenantRole>,
    ) -> Result<Connection<MembershipObject>, AccessError> {
        let list = CursorKind::Members(self.0.id);
        let arguments = PageArguments { first, after, last, before };
        let window = collect_input_errors(|faults| arguments.window(list, faults))?;
        let filter = MemberFilter { role: role.map(Into::into) };
        let key = MemberPageKey { tenant: self.0.id, filter: filter.clone(), page_request: window };
        let page = ctx.loaders().load_one(key).await?.unwrap_or(Page::empty());
        let total = CountQuery::Members(self.0.id, filter);
        Ok(Connection::new(list, total, page, |user| self.membership_of(user)))
    }

    /// The viewer's own membership; null for a platform admin who has none.
    async fn my_membership(&self, ctx: &Context<'_>) -> Nullable<MembershipObject> {
        let viewer = ctx.session().loaded_viewer();
        nullable(viewer.map(|viewer| self.membership_of(viewer.user().clone()).ok()))
    }

    /// What happened to it, newest first. For the tenant's admins and owners, and platform admins.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 0 to 100; 20 where neither is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events.")] filter: Option<AuditFilterInput>,
    ) -> Nullable<Connection<AuditEventObject>> {
        let arguments = PageArguments { first, after, last, before };
        Some(self.audit_events(ctx, &arguments, filter.unwrap_or_default()).await)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Starts at 1 and grows by 1 with each change.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

impl TenantObject {
    /// A user's membership here; an answer of the store that contradicts itself is a fault.
    pub(super) fn membership_of(&self, user: Arc<User>) -> Result<MembershipObject, AccessError> {
        let membership = user.membership(self.0.id).ok_or(AccessError::Internal)?.clone();
        Ok(MembershipObject { membership, tenant: self.0.clone(), user })
    }

    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        arguments: &PageArguments,
        filter: AuditFilterInput,
    ) -> Result<Connection<AuditEventObject>, AccessError> {
        let tenant = self.0.id;
        let filter = filter.into_domain()?;
        ctx.authorize(tenant, TenantAction::ReadAudit)?;
        let list = CursorKind::TenantAuditLog(tenant);
        let window = collect_input_errors(|faults| arguments.window(list, faults))?;
        let history = AuditScope::Tenant(tenant);
        let page = ctx.session().audit_page(history, &filter, &window).await?;
        let total = CountQuery::AuditEvents(history, filter);
        Ok(Connection::new(list, total, page, |event| {
            Ok(AuditEventObject::new(Arc::new(event), Some(tenant)))
        }))
    }
}

/// Whom to bill.
#[derive(SimpleObject)]
struct BillingInfo {
    /// The company's registered name.
    company_name: Option<String>,
    /// Where invoices go.
    email: Option<String>,
    /// The VAT identification number.
    vat_id: Option<String>,
    /// Where the company is.
    address: Option<PostalAddress>,
}

impl From<tenant::BillingInfo> for BillingInfo {
    fn from(info: tenant::BillingInfo) -> Self {
        let tenant::BillingInfo { company_name, email, vat_id, address } = info;
        Self { company_name, email, vat_id, address: address.map(Into::into) }
    }
}

/// A postal address.
#[derive(SimpleObject)]
struct PostalAddress {
    /// Street and number.
    line1: Option<String>,
    /// What does not fit the first line.
    line2: Option<String>,
    /// City.
    city: Option<String>,
    /// State, province or canton.
    region: Option<String>,
    /// Postal code.
    postal_code: Option<String>,
    /// Country: ISO 3166-1 alpha-2.
    country: Option<String>,
}

impl From<tenant::PostalAddress> for PostalAddress {
    fn from(address: tenant::PostalAddress) -> Self {
        let tenant::PostalAddress { line1, line2, city, region, postal_code, country } = address;
        Self { line1, line2, city, region, postal_code, country }
    }
}

/// Where the platform's other parts know a tenant.
#[derive(SimpleObject)]
struct TenantIntegrations {
    /// The group at the identity provider whose people are members; unique.
    authentik_group: Option<String>,
    /// The file space.
    ocis_space: Option<String>,
    /// The mail domain.
    stalwart_domain: Option<String>,
}

impl From<tenant::TenantIntegrations> for TenantIntegrations {
    fn from(integrations: tenant::TenantIntegrations) -> Self {
        let tenant::TenantIntegrations { authentik_group, ocis_space, stalwart_domain } =
            integrations;
        Self { authentik_group, ocis_space, stalwart_domain }
    }
}
