//! The fields of entities in audit events: paths, and values in the form that the API shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::{
    audit::FieldChange,
    id::TenantId,
    invitation::Invitation,
    subscription::TenantSubscription,
    tenant::Tenant,
    time::Timestamp,
    user::{Membership, MembershipSource, User},
};

/// An entity whose fields appear in audit events.
pub(super) trait AuditFields {
    /// Returns every field by path, in the order of the schema, without identifier, version and
    /// timestamps.
    fn fields(&self) -> Vec<(&'static str, Value)>;
}

/// Returns the changed fields between two states. All fields of an absent state are null.
pub(super) fn diff<T: AuditFields>(before: Option<&T>, after: Option<&T>) -> Vec<FieldChange> {
    let (before, after) = (before.map(AuditFields::fields), after.map(AuditFields::fields));
    let paths: Vec<&'static str> =
        before.iter().chain(&after).next().into_iter().flatten().map(|(path, _)| *path).collect();
    let mut old_values = before.into_iter().flatten().map(|(_, value)| value);
    let mut new_values = after.into_iter().flatten().map(|(_, value)| value);
    let change = |path| {
        let from = old_values.next().unwrap_or_default();
        let to = new_values.next().unwrap_or_default();
        FieldChange::diff(path, from, to)
    };
    paths.into_iter().filter_map(change).collect()
}

/// Returns the stored string of an enum in the spelling of the schema, which is upper case.
pub(super) fn enum_value(stored: &str) -> Value {
    stored.to_ascii_uppercase().into()
}

fn timestamp(at: Option<Timestamp>) -> Value {
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
            ("status", enum_value(self.status.as_str())),
            ("plan", enum_value(self.plan.as_str())),
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
            ("plan", enum_value(self.plan.as_str())),
            ("status", enum_value(self.status.as_str())),
            ("currentPeriodStart", timestamp(self.current_period_start)),
            ("currentPeriodEnd", timestamp(self.current_period_end)),
            ("cancelAtPeriodEnd", self.cancel_at_period_end.into()),
            ("stripe.customerId", stripe.customer_id.into()),
            ("stripe.subscriptionId", stripe.subscription_id.into()),
            ("stripe.priceId", stripe.price_id.into()),
        ]
    }
}

impl AuditFields for Invitation {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("email", json!(self.email)),
            ("role", enum_value(self.role.as_str())),
            ("status", enum_value(self.status.as_str())),
            ("expiresAt", timestamp(Some(self.expires_at))),
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
            ("platformAdminSource", source.map_or(Value::Null, enum_value)),
            ("disabled", self.disabled.into()),
        ]
    }
}

/// Returns the changes of a user's memberships.
///
/// The role has the path `memberships.ten_…`, and the source has `memberships.ten_….source`.
pub(super) fn diff_memberships(before: &[Membership], after: &[Membership]) -> Vec<FieldChange> {
    let by_tenant = |memberships: &[Membership]| -> BTreeMap<TenantId, Membership> {
        memberships.iter().map(|m| (m.tenant_id, m.clone())).collect()
    };
    let (before, after) = (by_tenant(before), by_tenant(after));
    let mut tenants: Vec<TenantId> = before.keys().chain(after.keys()).copied().collect();
    tenants.sort_unstable();
    tenants.dedup();
    let role = |m: Option<&Membership>| m.map_or(Value::Null, |m| enum_value(m.role.as_str()));
    let source = |m: Option<&Membership>| m.map_or(Value::Null, |m| enum_value(m.source.as_str()));
    let changes = tenants.into_iter().flat_map(|tenant| {
        let (old, new) = (before.get(&tenant), after.get(&tenant));
        [
            FieldChange::diff(format!("memberships.{tenant}"), role(old), role(new)),
            FieldChange::diff(format!("memberships.{tenant}.source"), source(old), source(new)),
        ]
    });
    changes.flatten().collect()
}
