//! Tenants: whose portal it is.

use super::{id::TenantId, string_enum, time::Timestamp};

string_enum! {
    /// Where a tenant is in its life.
    pub enum TenantStatus {
        /// Made, not yet in use; may do what an active one may.
        Pending = "pending",
        /// In use.
        Active = "active",
        /// Readable for its members, who cannot change it.
        Suspended = "suspended",
        /// As suspended, and meant to stay so.
        Archived = "archived",
    }
}

string_enum! {
    /// What a tenant has bought, from the least to the most.
    pub enum Plan {
        /// Without charge.
        Free = "free",
        /// The least paid plan.
        Starter = "starter",
        /// The usual plan.
        Business = "business",
        /// The largest plan.
        Enterprise = "enterprise",
    }
}

/// A customer of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its identifier.
    pub id: TenantId,
    /// Its name in URLs and groups: 2 to 63 of `a-z 0-9 -`; unique.
    pub slug: String,
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// Where it is in its life.
    pub status: TenantStatus,
    /// The plan, which is also that of its live subscription.
    pub plan: Plan,
    /// DNS names in ASCII form and lower case; each belongs to one tenant only.
    pub domains: Vec<String>,
    /// Whom to bill.
    pub billing_info: Option<BillingInfo>,
    /// Where the platform's other parts know this tenant.
    pub integrations: Option<TenantIntegrations>,
    /// Starts at 1 and grows by 1 with each change.
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Tenant {
    /// A tenant made then, active and free, with nothing else about it yet.
    #[must_use]
    pub const fn new(id: TenantId, at: Timestamp) -> Self {
        Self {
            id,
            slug: String::new(),
            name: String::new(),
            status: TenantStatus::Active,
            plan: Plan::Free,
            domains: Vec::new(),
            billing_info: None,
            integrations: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }
}

/// Whom to bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingInfo {
    /// The company's registered name.
    pub company_name: Option<String>,
    /// Where invoices go.
    pub email: Option<String>,
    /// The VAT identification number.
    pub vat_id: Option<String>,
    /// Where the company is.
    pub address: Option<PostalAddress>,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostalAddress {
    /// Street and number.
    pub line1: Option<String>,
    /// What does not fit the first line.
    pub line2: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State, province or canton.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// Where the platform's other parts know a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantIntegrations {
    /// The group at the identity provider whose people are members; unique.
    pub authentik_group: Option<String>,
    /// The file space.
    pub ocis_space: Option<String>,
    /// The mail domain.
    pub stalwart_domain: Option<String>,
}
