//! How entities look in the history: field by field, each value in the form that the API shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::{
    audit::FieldChange,
    id::TenantId,
    subscription::TenantSubscription,
    tenant::Tenant,
    time::Timestamp,
    user::{Membership, MembershipSource, User},
};

/// An entity's fields by path, in the order of the schema.
pub(super) trait AuditFields {
    /// Every field that is no stamp of the document itself.
    fn fields(&self) -> Vec<(&'static str, Value)>;
}

/// What differs; a side that is not there has null in every field.
pub(super) fn diff<T: AuditFields>(was: Option<&T>, is: Option<&T>) -> Vec<FieldChange> {
    let (was, is) = (was.map(AuditFields::fields), is.map(AuditFields::fields));
    let paths: Vec<&'static str> =
        was.iter().chain(&is).next().into_iter().flatten().map(|(path, _)| *path).collect();
    let mut from = was.into_iter().flatten().map(|(_, value)| value);
    let mut to = is.into_iter().flatten().map(|(_, value)| value);
    let mut next = move || (from.next().unwrap_or_default(), to.next().unwrap_or_default());
    let change = |path| {
        let (from, to) = next();
        FieldChange::diff(path, from, to)
    };
    paths.into_iter().filter_map(change).collect()
}

/// An enumeration's stored word as the schema has it.
pub(super) fn word(word: &str) -> Value {
    word.to_ascii_uppercase().into()
}

fn time(at: Option<Timestamp>) -> Value {
    at.map(|at| at.to_string()).into()
}

impl AuditFields for Tenant {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let billing = self.billing_info.clone().unwrap_or_default();
        let address = billing.address.unwrap_or_default();
        let integrations = self.integrations.clone().unwrap_or_default();
        vec![
            ("slug", json!(self.slug)),
            ("name", json!(self.name)),
            ("status", word(self.status.as_str())),
            ("plan", word(self.plan.as_str())),
            ("domains", json!(self.domains)),
            ("billingInfo.companyName", billing.company_name.into()),
            ("billingInfo.email", billing.email.into()),
            ("billingInfo.vatId", billing.vat_id.into()),
            ("billingInfo.address.line1", address.line1.into()),
            ("billingInfo.address.line2", address.line2.into()),
            ("billingInfo.address.city", address.city.into()),
            ("billingInfo.address.region", address.region.into()),
            ("billingInfo.address.postalCode", address.postal_code.into()),
            ("billingInfo.address.country", address.country.into()),
            ("integrations.authentikGroup", integrations.authentik_group.into()),
            ("integrations.ocisSpace", integrations.ocis_space.into()),
            ("integrations.stalwartDomain", integrations.stalwart_domain.into()),
        ]
    }
}

impl AuditFields for TenantSubscription {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let stripe = self.stripe.clone().unwrap_or_default();
        vec![
            ("plan", word(self.plan.as_str())),
            ("status", word(self.status.as_str())),
            ("currentPeriodStart", time(self.current_period_start)),
            ("currentPeriodEnd", time(self.current_period_end)),
            ("cancelAtPeriodEnd", self.cancel_at_period_end.into()),
            ("stripe.customerId", stripe.customer_id.into()),
            ("stripe.subscriptionId", stripe.subscription_id.into()),
            ("stripe.priceId", stripe.price_id.into()),
        ]
    }
}

impl AuditFields for User {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        let source = self.platform_admin.map(MembershipSource::as_str);
        vec![
            ("subject", json!(self.identity.subject)),
            ("issuer", json!(self.identity.issuer)),
            ("email", json!(self.email)),
            ("name", json!(self.name)),
            ("platformAdmin", self.platform_admin.is_some().into()),
            ("platformAdminSource", source.map_or(Value::Null, word)),
            ("disabled", self.disabled.into()),
        ]
    }
}

/// What differs in somebody's memberships: the role under `memberships.ten_…`, and who gave it
/// under `memberships.ten_….source`.
pub(super) fn memberships(was: &[Membership], is: &[Membership]) -> Vec<FieldChange> {
    let by_tenant = |all: &[Membership]| -> BTreeMap<TenantId, Membership> {
        all.iter().map(|m| (m.tenant_id, m.clone())).collect()
    };
    let (was, is) = (by_tenant(was), by_tenant(is));
    let mut tenants: Vec<TenantId> = was.keys().chain(is.keys()).copied().collect();
    tenants.sort_unstable();
    tenants.dedup();
    let role = |m: Option<&Membership>| m.map_or(Value::Null, |m| word(m.role.as_str()));
    let source = |m: Option<&Membership>| m.map_or(Value::Null, |m| word(m.source.as_str()));
    let changes = tenants.into_iter().flat_map(|tenant| {
        let (was, is) = (was.get(&tenant), is.get(&tenant));
        [
            FieldChange::diff(format!("memberships.{tenant}"), role(was), role(is)),
            FieldChange::diff(format!("memberships.{tenant}.source"), source(was), source(is)),
        ]
    });
    changes.flatten().collect()
}
