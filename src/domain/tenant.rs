//! Tenants: the customers of the platform, each with its own portal.

use super::{id::TenantId, string_enum, time::Timestamp};

string_enum! {
    /// The status of a tenant.
    pub enum TenantStatus {
        /// Created and not in use yet. Its members have the same rights as in an active tenant.
        Pending = "pending",
        /// The tenant is in use.
        Active = "active",
        /// Members can read the tenant and cannot change it.
        Suspended = "suspended",
        /// Like suspended, and intended to be permanent.
        Archived = "archived",
    }
}

string_enum! {
    /// The plan of a tenant, from the smallest to the largest.
    pub enum Plan {
        /// The plan without charge.
        Free = "free",
        /// The smallest paid plan.
        Starter = "starter",
        /// The standard plan.
        Business = "business",
        /// The largest plan.
        Enterprise = "enterprise",
    }
}

/// A customer of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The identifier of the tenant.
    pub id: TenantId,
    /// The unique name in URLs and groups: 2 to 63 characters of `a-z 0-9 -`.
    pub slug: String,
    /// The display name: 1 to 200 characters.
    pub name: String,
    /// The status of the tenant.
    pub status: TenantStatus,
    /// The plan. It equals the plan of the live subscription.
    pub plan: Plan,
    /// The DNS names in ASCII form and lower case. Each belongs to one tenant only.
    pub domains: Vec<String>,
    /// The billing address and contact.
    pub billing_info: Option<BillingInfo>,
    /// The tenant's names in other services of the platform.
    pub integrations: Option<TenantIntegrations>,
    /// The version: 1 at creation, and 1 more with each change.
    pub version: i32,
    /// The time of the creation.
    pub created_at: Timestamp,
    /// The time of the latest change.
    pub updated_at: Timestamp,
}

impl Tenant {
    /// Creates an active tenant on the free plan, with `at` as the time of its creation.
    ///
    /// All other fields are empty.
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

/// The billing address and contact of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingInfo {
    /// The company's registered name.
    pub company_name: Option<String>,
    /// The e-mail address for invoices.
    pub email: Option<String>,
    /// The VAT identification number.
    pub vat_id: Option<String>,
    /// The company's postal address.
    pub address: Option<PostalAddress>,
}

/// A postal address of a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostalAddress {
    /// The street and number.
    pub line1: Option<String>,
    /// The second line, for details such as a building or a floor.
    pub line2: Option<String>,
    /// The city or town.
    pub city: Option<String>,
    /// The state, province or canton.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country code (ISO 3166-1 alpha-2).
    pub country: Option<String>,
}

/// The names of a tenant in other services of the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantIntegrations {
    /// The unique group at the identity provider (Authentik). Its users are members of the tenant.
    pub authentik_group: Option<String>,
    /// The space in the file storage (ownCloud Infinite Scale).
    pub ocis_space: Option<String>,
    /// The domain on the mail server (Stalwart).
    pub stalwart_domain: Option<String>,
}
