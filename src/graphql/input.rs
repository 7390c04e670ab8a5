//! Filters and orders, and how they become the domain's. Identifiers are read first, on their own:
//! a malformed one is refused before anybody asks who is there.

use async_graphql::{ID, InputObject};

use super::{
    enums::{
        OrderDirection, Plan, TenantOrderField, TenantStatus, TenantSubscriptionOrderField,
        TenantSubscriptionStatus, UserOrderField,
    },
    error::collect_input_errors,
    scalar::{DateTime, parse_id, parse_id_into},
};
use crate::{
    access::{AccessError, InputError},
    domain::{
        list::{self, AuditFilter, Direction, Order, SubscriptionFilter},
        text,
    },
};

/// Which tenants; an empty list, and what is left out, filters nothing.
#[derive(InputObject, Default)]
pub(super) struct TenantFilter {
    /// One of these.
    status: Option<Vec<TenantStatus>>,
    /// One of these.
    plan: Option<Vec<Plan>>,
    /// The slug, the name or a domain starts with it, without regard to case.
    search: Option<String>,
    /// Has exactly this domain; internationalized names in either form.
    domain: Option<String>,
}

impl TenantFilter {
    pub(super) fn into_domain(self, faults: &mut Vec<InputError>) -> list::TenantFilter {
        let domain = self.domain.and_then(|given| {
            let domain = text::parse_domain(&given);
            if domain.is_none() {
                let message = "must be a DNS name".to_owned();
                faults.push(InputError { path: "filter.domain".to_owned(), message });
            }
            domain
        });
        list::TenantFilter {
            status: into_vec(self.status),
            plan: into_vec(self.plan),
            search: search(self.search),
            domain,
        }
    }
}

/// Which users; what is left out filters nothing.
#[derive(InputObject, Default)]
pub(super) struct UserFilter {
    /// The name or the e-mail address starts with it, without regard to case.
    search: Option<String>,
    /// Runs the platform, or does not.
    platform_admin: Option<bool>,
    /// Is disabled, or is not.
    disabled: Option<bool>,
    /// Is a member of this tenant.
    tenant_id: Option<ID>,
}

impl UserFilter {
    pub(super) fn into_domain(self) -> Result<list::UserFilter, AccessError> {
        Ok(list::UserFilter {
            search: search(self.search),
            platform_admin: self.platform_admin,
            disabled: self.disabled,
            tenant: optional_id("filter.tenantId", self.tenant_id)?,
        })
    }
}

/// Which subscriptions; an empty list, and what is left out, filters nothing.
#[derive(InputObject, Default)]
pub(super) struct TenantSubscriptionFilter {
    /// One of these.
    status: Option<Vec<TenantSubscriptionStatus>>,
    /// One of these.
    plan: Option<Vec<Plan>>,
    /// Belongs to this tenant.
    tenant_id: Option<ID>,
}

impl TenantSubscriptionFilter {
    pub(super) fn into_domain(self) -> Result<SubscriptionFilter, AccessError> {
        Ok(SubscriptionFilter {
            status: into_vec(self.status),
            plan: into_vec(self.plan),
            tenant: optional_id("filter.tenantId", self.tenant_id)?,
        })
    }
}

/// Which events; what is left out filters nothing.
#[derive(InputObject, Default)]
#[graphql(name = "AuditFilter")]
pub(super) struct AuditFilterInput {
    /// Touched this tenant.
    tenant_id: Option<ID>,
    /// Was done by this user.
    actor_id: Option<ID>,
    /// Is exactly this action: `tenant.update`, `user.sync`, …
    action: Option<String>,
    /// Happened then or later.
    since: Option<DateTime>,
    /// Happened before then.
    until: Option<DateTime>,
}

impl AuditFilterInput {
    pub(super) fn into_domain(self) -> Result<AuditFilter, AccessError> {
        let (tenant, actor) = collect_input_errors(|faults| {
            let tenant =
                self.tenant_id.and_then(|id| parse_id_into("filter.tenantId", &id, faults));
            (tenant, self.actor_id.and_then(|id| parse_id_into("filter.actorId", &id, faults)))
        })?;
        Ok(AuditFilter {
            tenant,
            actor,
            action: self.action.filter(|action| !action.is_empty()),
            since: self.since.map(|at| at.0),
            until: self.until.map(|at| at.0),
        })
    }
}

macro_rules! order_input {
    ($(#[$meta:meta])* $name:ident, $field:ident) => {
        $(#[$meta])*
        #[derive(InputObject)]
        pub(super) struct $name {
            /// By what.
            field: $field,
            /// Which way.
            direction: OrderDirection,
        }

        impl $name {
            /// The order that is asked for, or newest first.
            pub(super) fn or_default_order<F: From<$field>>(order: Option<Self>) -> Order<F> {
                match order {
                    Some(order) => Order { field: order.field.into(), direction: order.direction.into() },
                    None => Order { field: $field::CreatedAt.into(), direction: Direction::Desc },
                }
            }
        }
    };
}

order_input! {
    /// The order of tenants; those that are equal by identifier.
    TenantOrder, TenantOrderField
}
order_input! {
    /// The order of users; those that are equal by identifier.
    UserOrder, UserOrderField
}
order_input! {
    /// The order of subscriptions; those that are equal by identifier.
    TenantSubscriptionOrder, TenantSubscriptionOrderField
}

fn into_vec<A: Into<B>, B>(words: Option<Vec<A>>) -> Vec<B> {
    words.unwrap_or_default().into_iter().map(Into::into).collect()
}

fn search(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn optional_id<E: crate::domain::id::Entity>(
    path: &str,
    id: Option<ID>,
) -> Result<Option<crate::domain::id::Id<E>>, AccessError> {
    id.map(|id| parse_id(path, &id)).transpose()
}
