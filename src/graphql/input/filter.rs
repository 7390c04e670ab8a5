//! Defines the filters of lists.

use async_graphql::{ID, InputObject};

use crate::{
    access::{AccessError, InputError},
    domain::{
        id::{Entity, Id},
        list::{self, AuditFilter, SubscriptionFilter},
        text,
    },
    graphql::{
        enums::{Plan, TenantStatus, TenantSubscriptionStatus},
        error::collect_input_errors,
        scalar::{DateTime, parse_id, parse_id_into},
    },
};

/// A filter for tenants. A tenant must match every field that is given. Omitted fields and empty
/// lists match every tenant.
#[derive(InputObject, Default)]
pub(in crate::graphql) struct TenantFilter {
    /// Only tenants with one of these statuses.
    status: Option<Vec<TenantStatus>>,
    /// Only tenants with one of these plans.
    plan: Option<Vec<Plan>>,
    /// Only tenants with a slug, a name or a domain that starts with this text. Case is ignored, but
    /// accents and spaces are not. A text without a visible character matches every tenant. At most
    /// 10,000 matches can be sorted by `orderBy`.
    search: Option<String>,
    /// Only tenants with exactly this domain. An internationalized domain name may be given in
    /// Unicode or in ASCII form.
    domain: Option<String>,
}

impl TenantFilter {
    /// Converts the filter and adds its input errors to `errors`.
    pub(in crate::graphql) fn into_domain(
        self,
        errors: &mut Vec<InputError>,
    ) -> list::TenantFilter {
        let domain = self.domain.and_then(|text| {
            let domain = text::parse_domain(&text);
            if domain.is_none() {
                errors.push(InputError::at("filter.domain", "must be a DNS name"));
            }
            domain
        });
        list::TenantFilter {
            status: into_vec(self.status),
            plan: into_vec(self.plan),
            search: visible(self.search),
            domain,
        }
    }
}

/// A filter for users. A user must match every field that is given. Omitted fields match every
/// user.
#[derive(InputObject, Default)]
pub(in crate::graphql) struct UserFilter {
    /// Only users whose name or e-mail address starts with this text. Case is ignored, but accents and
    /// spaces are not. A text without a visible character matches every user. At most 10,000 matches
    /// can be sorted by `orderBy`.
    search: Option<String>,
    /// True for platform admins only, false for all other users only.
    platform_admin: Option<bool>,
    /// True for disabled users only, false for enabled users only.
    disabled: Option<bool>,
    /// Only members of the tenant with this identifier (`ten_…`).
    tenant_id: Option<ID>,
}

impl UserFilter {
    /// Converts the filter.
    ///
    /// # Errors
    ///
    /// `BadInput` if the identifier is malformed.
    pub(in crate::graphql) fn into_domain(self) -> Result<list::UserFilter, AccessError> {
        Ok(list::UserFilter {
            search: visible(self.search),
            platform_admin: self.platform_admin,
            disabled: self.disabled,
            tenant: optional_id("filter.tenantId", self.tenant_id)?,
        })
    }
}

/// A filter for subscriptions. A subscription must match every field that is given. Omitted fields
/// and empty lists match every subscription.
#[derive(InputObject, Default)]
pub(in crate::graphql) struct TenantSubscriptionFilter {
    /// Only subscriptions with one of these statuses.
    status: Option<Vec<TenantSubscriptionStatus>>,
    /// Only subscriptions with one of these plans.
    plan: Option<Vec<Plan>>,
    /// Only subscriptions of the tenant with this identifier (`ten_…`).
    tenant_id: Option<ID>,
}

impl TenantSubscriptionFilter {
    /// Converts the filter.
    ///
    /// # Errors
    ///
    /// `BadInput` if the identifier is malformed.
    pub(in crate::graphql) fn into_domain(self) -> Result<SubscriptionFilter, AccessError> {
        Ok(SubscriptionFilter {
            status: into_vec(self.status),
            plan: into_vec(self.plan),
            tenant: optional_id("filter.tenantId", self.tenant_id)?,
        })
    }
}

/// A filter for audit events. An event must match every field that is given. Omitted fields match
/// every event.
#[derive(InputObject, Default)]
#[graphql(name = "AuditFilter")]
pub(in crate::graphql) struct AuditFilterInput {
    /// Only events that concern the tenant with this identifier (`ten_…`).
    tenant_id: Option<ID>,
    /// Only changes that were made by the user with this identifier (`usr_…`).
    actor_id: Option<ID>,
    /// Only events with exactly this action, for example `tenant.update` or `user.sync`.
    action: Option<String>,
    /// Only events at this time or later.
    since: Option<DateTime>,
    /// Only events before this time.
    until: Option<DateTime>,
}

impl AuditFilterInput {
    /// Converts the filter.
    ///
    /// # Errors
    ///
    /// `BadInput` with one error for each malformed identifier.
    pub(in crate::graphql) fn into_domain(self) -> Result<AuditFilter, AccessError> {
        let (tenant, actor) = collect_input_errors(|errors| {
            let tenant =
                self.tenant_id.and_then(|id| parse_id_into("filter.tenantId", &id, errors));
            (tenant, self.actor_id.and_then(|id| parse_id_into("filter.actorId", &id, errors)))
        })?;
        Ok(AuditFilter {
            tenant,
            actor,
            action: non_empty(self.action),
            since: self.since.map(|at| at.0),
            until: self.until.map(|at| at.0),
        })
    }
}

fn into_vec<A: Into<B>, B>(values: Option<Vec<A>>) -> Vec<B> {
    values.unwrap_or_default().into_iter().map(Into::into).collect()
}

/// Treats a search without a visible character like an omitted field.
fn visible(search: Option<String>) -> Option<String> {
    search.filter(|text| text::has_visible_char(text))
}

/// Treats an empty text like an omitted field.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn optional_id<E: Entity>(path: &str, id: Option<ID>) -> Result<Option<Id<E>>, AccessError> {
    id.map(|id| parse_id(path, &id)).transpose()
}
