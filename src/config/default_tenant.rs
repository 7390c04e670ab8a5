//! Options of the data that the gateway creates itself: the default tenant and demo tenants.

use clap::Args;

use super::{error::ConfigError, parse};
use crate::domain::{tenant::Plan, text};

/// Options of the default tenant.
#[derive(Args, Clone, Debug)]
pub struct DefaultTenantOptions {
    /// Slug of the default tenant, which always exists.
    #[arg(
        long,
        env = "TENANTRY_DEFAULT_TENANT_SLUG",
        default_value = "dezky",
        value_name = "SLUG"
    )]
    pub default_tenant_slug: String,
    /// Name of the default tenant when it is created. Later changes of the option have no effect.
    #[arg(
        long,
        env = "TENANTRY_DEFAULT_TENANT_NAME",
        default_value = "Dezky",
        value_name = "NAME"
    )]
    pub default_tenant_name: String,
    /// Plan of the default tenant when it is created: free, starter, business or enterprise.
    #[arg(long, env = "TENANTRY_DEFAULT_TENANT_PLAN", default_value = "free", value_name = "PLAN")]
    pub default_tenant_plan: String,
}

/// Options of the demo data of `seed`.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Number of demo tenants to create, from 1 to 1000000, with users and subscriptions. They are the
    /// same on every machine. Existing ones are not changed.
    #[arg(long, env = "TENANTRY_DEMO_TENANTS", value_name = "N")]
    pub demo: Option<String>,
}

/// The tenant that always exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultTenant {
    /// The slug that identifies the tenant.
    pub slug: String,
    /// The name of the tenant when it is created.
    pub name: String,
    /// The plan of the tenant when it is created.
    pub plan: Plan,
}

impl DefaultTenantOptions {
    /// Validates slug, name and plan.
    ///
    /// # Errors
    ///
    /// Returns an error for the first of them that no tenant can have.
    pub fn validate(self) -> Result<DefaultTenant, ConfigError> {
        let Self { default_tenant_slug: slug, default_tenant_name, default_tenant_plan } = self;
        if !text::is_slug(&slug) {
            let expected =
                "2 to 63 of the characters a-z, 0-9 and -, without - at the ends, e.g. dezky";
            return Err(ConfigError::invalid(
                "TENANTRY_DEFAULT_TENANT_SLUG",
                "slug",
                &slug,
                expected,
            ));
        }
        let name = text::parse_name(&default_tenant_name).ok_or_else(|| {
            let expected = "1 to 200 characters, e.g. Dezky";
            let variable = "TENANTRY_DEFAULT_TENANT_NAME";
            ConfigError::invalid(variable, "name", &default_tenant_name, expected)
        })?;
        let plan = Plan::parse(&default_tenant_plan.to_lowercase()).ok_or_else(|| {
            let expected = "free, starter, business or enterprise";
            let variable = "TENANTRY_DEFAULT_TENANT_PLAN";
            ConfigError::invalid(variable, "plan", &default_tenant_plan, expected)
        })?;
        Ok(DefaultTenant { slug, name, plan })
    }
}

impl DemoOptions {
    /// Validates the number of demo tenants. `None` means that none are requested.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a whole number from 1 to 1,000,000.
    pub fn validate(&self) -> Result<Option<u32>, ConfigError> {
        let Some(value) = &self.demo else { return Ok(None) };
        parse::whole_number("TENANTRY_DEMO_TENANTS", value, &(1..=1_000_000), 1000).map(Some)
    }
}
