//! The JSON form of each kind of record.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A line with a record.
#[expect(clippy::large_enum_variant, reason = "one line exists at a time, so no box is needed")]
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(super) enum Line {
    Tenant(TenantLine),
    User(UserLine),
    Subscription(SubscriptionLine),
    Invitation(InvitationLine),
    AuditEvent(EventLine),
    Tombstone(TombstoneLine),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TenantLine {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) plan: String,
    pub(super) domains: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) billing_info: Option<BillingLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) integrations: Option<IntegrationsLine>,
    pub(super) version: i32,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BillingLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) company_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vat_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<AddressLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AddressLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) line1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) line2: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct IntegrationsLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) authentik_group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ocis_space: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stalwart_domain: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UserLine {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) platform_admin_source: Option<String>,
    pub(super) disabled: bool,
    pub(super) memberships: Vec<MembershipLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) groups_as_of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_seen_at: Option<String>,
    pub(super) version: i32,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MembershipLine {
    pub(super) tenant_id: String,
    pub(super) role: String,
    pub(super) source: String,
    pub(super) since: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SubscriptionLine {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) plan: String,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current_period_start: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current_period_end: Option<String>,
    pub(super) cancel_at_period_end: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stripe: Option<StripeLine>,
    pub(super) version: i32,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StripeLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subscription_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct InvitationLine {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) email: String,
    pub(super) role: String,
    pub(super) status: String,
    pub(super) mail: String,
    pub(super) generation: i32,
    pub(super) invited_by_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accepted_by_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) accepted_at: Option<String>,
    pub(super) expires_at: String,
    pub(super) version: i32,
    pub(super) created_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EventLine {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) action: String,
    pub(super) actor_kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) actor_id: Option<String>,
    pub(super) tenant_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target_id: Option<String>,
    pub(super) changes: Vec<ChangeLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeLine {
    pub(super) field: String,
    pub(super) from: Value,
    pub(super) to: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TombstoneLine {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) deleted_at: String,
}
