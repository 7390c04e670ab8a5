//! Declares the fields of tenants.

use std::sync::Arc;

use async_graphql::ID;
use futures_util::future::join_all;

use super::{
    connection::{Connection, CountQuery, PageArguments},
    context::{Nullable, nullable},
    cursor::CursorKind,
    enums::{InvitationStatus, Plan, TenantRole, TenantStatus},
    error::collect_input_errors,
    executor::{FieldNode, object},
    guard::{Guarded, requirement},
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
        tenant::{BillingInfo, PostalAddress, TenantIntegrations},
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

object! {
    /// A tenant: a customer of the platform. Visible to its members and to platform admins.
    [] TenantObject, "Tenant", ["Node"] {
        /// The identifier of the tenant: `ten_` followed by 24 hexadecimal digits.
        "id": ID = each |tenant, _| id(tenant.0.id);

        /// The unique name of the tenant in URLs and group names, for example `acme`.
        "slug": &str = each |tenant, _| tenant.0.slug.as_str();

        /// The display name of the tenant.
        "name": &str = each |tenant, _| tenant.0.name.as_str();

        /// The lifecycle status of the tenant.
        "status": TenantStatus = each |tenant, _| tenant.0.status.into();

        /// The plan of the tenant. Its live subscription always has the same plan.
        "plan": Plan = each |tenant, _| tenant.0.plan.into();

        /// The DNS names of the tenant, in ASCII form and lower case.
        "domains": Result<&[String], AccessError> = each |tenant, node| {
            Ok(node.session().with_details(&tenant.0)?.domains.as_slice())
        };

        /// The billing information of the tenant. Null if there is none. Visible to admins and owners
        /// of the tenant and to platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_BILLING))]
        "billingInfo": Nullable<&BillingInfo> = each |tenant, node| {
            let authorized = tenant.0.authorize(node.session(), READ_BILLING);
            let tenant = authorized.and_then(|()| node.session().with_details(&tenant.0));
            nullable(tenant.map(|tenant| tenant.billing_info.as_ref()))
        };

        /// The names of this tenant in other services of the platform. Null if there are none.
        /// Visible to platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_INTEGRATIONS))]
        "integrations": Nullable<&TenantIntegrations> = each |tenant, node| {
            let authorized = tenant.0.authorize(node.session(), READ_INTEGRATIONS);
            let tenant = authorized.and_then(|()| node.session().with_details(&tenant.0));
            nullable(tenant.map(|tenant| tenant.integrations.as_ref()))
        };

        /// The live subscription of the tenant. Null if it has none.
        "subscription": Nullable<SubscriptionObject> = gather live_subscriptions;

        /// The members of the tenant, in the order of the identifiers of their users, which is about the
        /// order of creation.
        "members"(
            #[doc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."]
            first: Option<i32>,
            #[doc = "A cursor of this list. The page contains only elements after it."]
            after: Option<String>,
            #[doc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."]
            last: Option<i32>,
            #[doc = "A cursor of this list. The page contains only elements before it."]
            before: Option<String>,
            #[doc = "Restricts the list to members with exactly this role."]
            role: Option<TenantRole>,
        ): Result<Connection<MembershipObject>, AccessError> = gather |tenants, node| {
            let filter = MemberFilter { role: role.map(Into::into) };
            members(tenants, node, PageArguments { first, after, last, before }, filter)
        };

        /// The viewer's own membership in the tenant. Null for a platform admin who is not a member.
        "myMembership": Nullable<MembershipObject> = each |tenant, node| {
            let viewer = node.session().loaded_viewer();
            nullable(viewer.map(|viewer| tenant.membership_of(viewer.user().clone()).ok()))
        };

        /// The audit events that concern the tenant, newest first. Visible to admins and owners of the
        /// tenant and to platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_AUDIT_LOG))]
        "auditLog"(
            #[doc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."]
            first: Option<i32>,
            #[doc = "A cursor of this list. The page contains only elements after it."]
            after: Option<String>,
            #[doc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."]
            last: Option<i32>,
            #[doc = "A cursor of this list. The page contains only elements before it."]
            before: Option<String>,
            #[doc = "Restricts the list to audit events that match."]
            filter: Option<AuditFilterInput>,
        ): Nullable<Connection<AuditEventObject>> = gather |tenants, node| {
            audit_logs(tenants, node, PageArguments { first, after, last, before }, filter)
        };

        /// The invitations to the tenant, newest first. Visible to admins and owners of the tenant and to
        /// platform admins. Null with a `FORBIDDEN` error for other viewers.
        #[requires(requirement(READ_INVITATIONS))]
        "invitations"(
            #[doc = "The page size, counted from the start of the list: 0 to 100. Must not be combined with `last`. Without `first` and `last`, a page has 20 elements."]
            first: Option<i32>,
            #[doc = "A cursor of this list. The page contains only elements after it."]
            after: Option<String>,
            #[doc = "The page size, counted from the end of the list: 0 to 100. Must not be combined with `first`."]
            last: Option<i32>,
            #[doc = "A cursor of this list. The page contains only elements before it."]
            before: Option<String>,
            #[doc = "Restricts the list to invitations with one of these statuses. An empty list does not restrict it."]
            status: Option<Vec<InvitationStatus>>,
        ): Nullable<Connection<InvitationObject>> = gather |tenants, node| {
            let status = status.unwrap_or_default().into_iter().map(Into::into).collect();
            invitations(tenants, node, PageArguments { first, after, last, before }, status)
        };

        /// The time at which the tenant was created.
        "createdAt": DateTime = each |tenant, _| DateTime(tenant.0.created_at);

        /// The time of the last change of the tenant.
        "updatedAt": DateTime = each |tenant, _| DateTime(tenant.0.updated_at);

        /// The version of the tenant: 1 at first, and 1 more after each change.
        "version": i32 = each |tenant, _| tenant.0.version;
    }
}

async fn live_subscriptions(
    tenants: &[&TenantObject],
    node: FieldNode<'_>,
) -> Vec<Nullable<SubscriptionObject>> {
    let keys = tenants.iter().map(|tenant| LiveSubscriptionKey(tenant.0.id));
    let live = node.loaders().load_many(keys).await;
    let of_tenant = |tenant: &&TenantObject| {
        let live = live.as_ref().map_err(Clone::clone);
        nullable(live.and_then(|live| match live.get(&LiveSubscriptionKey(tenant.0.id)) {
            Some(Ok(live)) => Ok(Some(SubscriptionObject::new(live.clone(), tenant.0.clone()))),
            Some(Err(unreadable)) => Err((*unreadable).into()),
            None => Ok(None),
        }))
    };
    tenants.iter().map(of_tenant).collect()
}

async fn members(
    tenants: &[&TenantObject],
    node: FieldNode<'_>,
    arguments: PageArguments,
    filter: MemberFilter,
) -> Vec<Result<Connection<MembershipObject>, AccessError>> {
    // The cursors of a list contain its tenant, so the arguments can be valid for one tenant only.
    let key = |tenant: &&TenantObject| {
        let kind = CursorKind::Members(tenant.0.id);
        let page_request = collect_input_errors(|errors| arguments.page_request(kind, errors))?;
        Ok(MemberPageKey { tenant: tenant.0.id, filter: filter.clone(), page_request })
    };
    let keys: Vec<Result<MemberPageKey, AccessError>> = tenants.iter().map(key).collect();
    let pages = node.loaders().load_many(keys.iter().flatten().cloned()).await;
    let connection = |(tenant, key): (&&TenantObject, Result<MemberPageKey, AccessError>)| {
        let key = key?;
        let page = pages.as_ref().map_err(Clone::clone)?.get(&key);
        let page = page.map_or_else(Page::empty, |page| Page::clone(page));
        let total = CountQuery::Members(key.tenant, key.filter);
        let kind = CursorKind::Members(key.tenant);
        Ok(Connection::new(kind, total, page, |user| tenant.membership_of(user)))
    };
    tenants.iter().zip(keys).map(connection).collect()
}

async fn audit_logs(
    tenants: &[&TenantObject],
    node: FieldNode<'_>,
    arguments: PageArguments,
    filter: Option<AuditFilterInput>,
) -> Vec<Nullable<Connection<AuditEventObject>>> {
    let filter = filter.unwrap_or_default().into_domain();
    let log = async |tenant: &TenantObject| {
        let filter = filter.clone()?;
        tenant.0.authorize(node.session(), READ_AUDIT_LOG)?;
        let tenant = tenant.0.id;
        let cursor_kind = CursorKind::TenantAuditLog(tenant);
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let scope = AuditScope::Tenant(tenant);
        let page = node.session().audit_page(scope, &filter, &request).await?;
        let total = CountQuery::AuditEvents(scope, filter);
        Ok(Connection::new(cursor_kind, total, page, |event| {
            Ok(AuditEventObject::new(Arc::new(event), Some(tenant)))
        }))
    };
    join_all(tenants.iter().map(|tenant| log(tenant))).await.into_iter().map(Some).collect()
}

async fn invitations(
    tenants: &[&TenantObject],
    node: FieldNode<'_>,
    arguments: PageArguments,
    status: Vec<invitation::InvitationStatus>,
) -> Vec<Nullable<Connection<InvitationObject>>> {
    let page = async |object: &TenantObject| {
        object.0.authorize(node.session(), READ_INVITATIONS)?;
        let tenant = object.0.id;
        let cursor_kind = CursorKind::Invitations(tenant);
        let request = collect_input_errors(|errors| arguments.page_request(cursor_kind, errors))?;
        let page = node.session().invitation_page(tenant, &status, &request).await?;
        let total = CountQuery::Invitations(tenant, status.clone());
        Ok(Connection::new(cursor_kind, total, page, |invitation| {
            Ok(InvitationObject { invitation: Arc::new(invitation), tenant: object.0.clone() })
        }))
    };
    join_all(tenants.iter().map(|tenant| page(tenant))).await.into_iter().map(Some).collect()
}

object! {
    /// The billing information of a tenant.
    [] BillingInfo, "BillingInfo", [] {
        /// The registered name of the company. Null if it is not set.
        "companyName": Option<&str> = each |info, _| info.company_name.as_deref();

        /// The e-mail address to which invoices are sent. Null if it is not set.
        "email": Option<&str> = each |info, _| info.email.as_deref();

        /// The VAT identification number, which starts with the code of its country. Null if it is not
        /// set.
        "vatId": Option<&str> = each |info, _| info.vat_id.as_deref();

        /// The postal address of the company. Null if it is not set.
        "address": Option<&PostalAddress> = each |info, _| info.address.as_ref();
    }
}

object! {
    /// A postal address. Lines that are not set are null.
    [] PostalAddress, "PostalAddress", [] {
        /// The first line of the address: street and house number.
        "line1": Option<&str> = each |address, _| address.line1.as_deref();

        /// The second line of the address, for example a building or a floor.
        "line2": Option<&str> = each |address, _| address.line2.as_deref();

        /// The name of the city.
        "city": Option<&str> = each |address, _| address.city.as_deref();

        /// The name of the state, province or canton.
        "region": Option<&str> = each |address, _| address.region.as_deref();

        /// The postal code of the city.
        "postalCode": Option<&str> = each |address, _| address.postal_code.as_deref();

        /// The ISO 3166-1 alpha-2 code of the country, for example `DE`.
        "country": Option<&str> = each |address, _| address.country.as_deref();
    }
}

object! {
    /// The names of a tenant in other services of the platform.
    [] TenantIntegrations, "TenantIntegrations", [] {
        /// The group of the identity provider whose users are members of the tenant. Each group belongs
        /// to one tenant only. Null if there is none.
        "authentikGroup": Option<&str> = each |names, _| names.authentik_group.as_deref();

        /// The identifier of the tenant's space in ownCloud Infinite Scale. Null if there is none.
        "ocisSpace": Option<&str> = each |names, _| names.ocis_space.as_deref();

        /// The DNS name of the tenant's domain in the Stalwart mail server. Null if there is none.
        "stalwartDomain": Option<&str> = each |names, _| names.stalwart_domain.as_deref();
    }
}
