//! Resolves the fields of tenants.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    connection::{Connection, CountQuery, PageArguments},
    context::{ContextExt, Nullable, nullable},
    cursor::CursorKind,
    enums::{InvitationStatus, Plan, TenantRole, TenantStatus},
    error::collect_input_errors,
    guard::{Guarded, guard, requirement},
    input::AuditFilterInput,
    loaders::{LiveSubscriptionKey, MemberPageKey},
    objects::{
        AuditEventObject, InvitationObject, MembershipObject, SubscriptionObject, TenantObject,
    },
    scalar::{DateTime, id},
};
use crate::{
    access::{AccessError, AuditScope},
    domain::{
        invitation,
        list::{MemberFilter, Page},
        tenant,
    },
    policy::TenantAction,
};

/// The action that `Tenant.billingInfo` requires.
const READ_BILLING: TenantAction = TenantAction::ReadBilling;
/// The action that `Tenant.integrations` requires.
const READ_INTEGRATIONS: TenantAction = TenantAction::ReadPlatformFields;
/// The action that `Tenant.auditLog` requires.
const READ_AUDIT_LOG: TenantAction = TenantAction::ReadAudit;

/// The action that `Tenant.invitations` requires.
const READ_INVITATIONS: TenantAction = TenantAction::ReadInvitations;

/// A tenant: a customer of the platform. Visible to its members and to platform admins.
#[Object(name = "Tenant")]
impl TenantObject {
    /// The identifier of the tenant: `ten_` followed by 24 hexadecimal digits.
    pub(super) async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The unique name of the tenant in URLs and group names, for example `acme`.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The display name of the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The lifecycle status of the tenant.
    async fn status(&self) -> TenantStatus {
        self.0.status.into()
    }

    /// The plan of the tenant. Its live subscription always has the same plan.
    async fn plan(&self) -> Plan {
        self.0.plan.into()
    }

    /// The DNS names of the tenant, in ASCII form and lower case.
    async fn domains(&self) -> &[String] {
        &self.0.domains
    }

    /// The billing information of the tenant. Null if there is none. Visible to admins and owners
    /// of the tenant and to platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_BILLING)))]
    async fn billing_info(&self, ctx: &Context<'_>) -> Nullable<BillingInfo> {
        let authorized = self.0.authorize(ctx, READ_BILLING);
        nullable(authorized.map(|()| self.0.billing_info.clone().map(BillingInfo::from)))
    }

    /// The names of this tenant in other services of the platform. Null if there are none.
    /// Visible to platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_INTEGRATIONS)))]
    async fn integrations(&self, ctx: &Context<'_>) -> Nullable<TenantIntegrations> {
        let authorized = self.0.authorize(ctx, READ_INTEGRATIONS);
        nullable(authorized.map(|()| self.0.integrations.clone().map(TenantIntegrations::from)))
    }

    /// The live subscription of the tenant. Null if it has none.
    async fn subscription(&self, ctx: &Context<'_>) -> Nullable<SubscriptionObject> {
        let live = ctx.load(LiveSubscriptionKey(self.0.id)).await;
        nullable(live.map(|live| Some(SubscriptionObject::new(live?, self.0.clone()))))
    }

    /// The members of the tenant, in the order of the identifiers of their users, which is about the
    /// order of creation.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(desc = "Restricts the list to members with exactly this role.")] role: Option<
            TenantRole,
        >,
    ) -> Result<Connection<MembershipObject>, AccessError> {
        let cursor_kind = CursorKind::Members(self.0.id);
        let arguments = PageArguments { first, after, last, before };
        let page_request =
            collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let filter = MemberFilter { role: role.map(Into::into) };
        let key = MemberPageKey { tenant: self.0.id, filter: filter.clone(), page_request };
        let page = ctx.loaders().load_one(key).await?.unwrap_or(Page::empty());
        let total = CountQuery::Members(self.0.id, filter);
        Ok(Connection::new(cursor_kind, total, page, |user| self.membership_of(user)))
    }

    /// The viewer's own membership in the tenant. Null for a platform admin who is not a member.
    async fn my_membership(&self, ctx: &Context<'_>) -> Nullable<MembershipObject> {
        let viewer = ctx.session().loaded_viewer();
        nullable(viewer.map(|viewer| self.membership_of(viewer.user().clone()).ok()))
    }

    /// The audit events that concern the tenant, newest first. Visible to admins and owners of the
    /// tenant and to platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_AUDIT_LOG)))]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(desc = "Restricts the list to audit events that match.")] filter: Option<
            AuditFilterInput,
        >,
    ) -> Nullable<Connection<AuditEventObject>> {
        let arguments = PageArguments { first, after, last, before };
        Some(self.audit_events(ctx, &arguments, filter.unwrap_or_default()).await)
    }

    /// The invitations to the tenant, newest first. Visible to admins and owners of the tenant and to
    /// platform admins. Null with a `FORBIDDEN` error for other viewers.
    #[graphql(directive = guard::apply(requirement(READ_INVITATIONS)))]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements after it.")]
        after: Option<String>,
        #[graphql(
            desc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."
        )]
        last: Option<i32>,
        #[graphql(desc = "A cursor of this list. The page contains only elements before it.")]
        before: Option<String>,
        #[graphql(
            desc = "Restricts the list to invitations with one of these statuses. An empty list does not restrict it."
        )]
        status: Option<Vec<InvitationStatus>>,
    ) -> Nullable<Connection<InvitationObject>> {
        let arguments = PageArguments { first, after, last, before };
        let status = status.unwrap_or_default().into_iter().map(Into::into).collect();
        Some(self.invitation_page(ctx, &arguments, status).await)
    }

    /// The time at which the tenant was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The time of the last change of the tenant.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The version of the tenant: 1 at first, and 1 more after each change.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

impl TenantObject {
    async fn invitation_page(
        &self,
        ctx: &Context<'_>,
        arguments: &PageArguments,
        status: Vec<invitation::InvitationStatus>,
    ) -> Result<Connection<InvitationObject>, AccessError> {
        self.0.authorize(ctx, READ_INVITATIONS)?;
        let cursor_kind = CursorKind::Invitations(self.0.id);
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let page = ctx.session().invitation_page(self.0.id, &status, &request).await?;
        let total = CountQuery::Invitations(self.0.id, status);
        Ok(Connection::new(cursor_kind, total, page, |invitation| {
            Ok(InvitationObject { invitation: Arc::new(invitation), tenant: self.0.clone() })
        }))
    }

    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        arguments: &PageArguments,
        filter: AuditFilterInput,
    ) -> Result<Connection<AuditEventObject>, AccessError> {
        let tenant = self.0.id;
        let filter = filter.into_domain()?;
        self.0.authorize(ctx, READ_AUDIT_LOG)?;
        let cursor_kind = CursorKind::TenantAuditLog(tenant);
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let scope = AuditScope::Tenant(tenant);
        let page = ctx.session().audit_page(scope, &filter, &request).await?;
        let total = CountQuery::AuditEvents(scope, filter);
        Ok(Connection::new(cursor_kind, total, page, |event| {
            Ok(AuditEventObject::new(Arc::new(event), Some(tenant)))
        }))
    }
}

/// The billing information of a tenant.
#[derive(SimpleObject)]
struct BillingInfo {
    /// The registered name of the company. Null if it is not set.
    company_name: Option<String>,
    /// The e-mail address to which invoices are sent. Null if it is not set.
    email: Option<String>,
    /// The VAT identification number, which starts with the code of its country. Null if it is not
    /// set.
    vat_id: Option<String>,
    /// The postal address of the company. Null if it is not set.
    address: Option<PostalAddress>,
}

impl From<tenant::BillingInfo> for BillingInfo {
    fn from(info: tenant::BillingInfo) -> Self {
        let tenant::BillingInfo { company_name, email, vat_id, address } = info;
        Self { company_name, email, vat_id, address: address.map(Into::into) }
    }
}

/// A postal address. Lines that are not set are null.
#[derive(SimpleObject)]
struct PostalAddress {
    /// The first line of the address: street and house number.
    line1: Option<String>,
    /// The second line of the address, for example a building or a floor.
    line2: Option<String>,
    /// The name of the city.
    city: Option<String>,
    /// The name of the state, province or canton.
    region: Option<String>,
    /// The postal code of the city.
    postal_code: Option<String>,
    /// The ISO 3166-1 alpha-2 code of the country, for example `DE`.
    country: Option<String>,
}

impl From<tenant::PostalAddress> for PostalAddress {
    fn from(address: tenant::PostalAddress) -> Self {
        let tenant::PostalAddress { line1, line2, city, region, postal_code, country } = address;
        Self { line1, line2, city, region, postal_code, country }
    }
}

/// The names of a tenant in other services of the platform.
#[derive(SimpleObject)]
struct TenantIntegrations {
    /// The group of the identity provider whose users are members of the tenant. Each group belongs
    /// to one tenant only. Null if there is none.
    authentik_group: Option<String>,
    /// The identifier of the tenant's space in ownCloud Infinite Scale. Null if there is none.
    ocis_space: Option<String>,
    /// The DNS name of the tenant's domain in the Stalwart mail server. Null if there is none.
    stalwart_domain: Option<String>,
}

impl From<tenant::TenantIntegrations> for TenantIntegrations {
    fn from(integrations: tenant::TenantIntegrations) -> Self {
        let tenant::TenantIntegrations { authentik_group, ocis_space, stalwart_domain } =
            integrations;
        Self { authentik_group, ocis_space, stalwart_domain }
    }
}
