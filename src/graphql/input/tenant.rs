//! Defines the inputs of mutations that create, update and delete tenants.

use std::convert::identity;

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::patch::{set_if_given, update_patch};
use crate::{
    domain::{
        edit::tenant::{AddressPatch, BillingPatch, IntegrationsPatch, TenantPatch},
        patch::Patch,
    },
    graphql::enums::{Plan, TenantStatus},
};

/// The billing information of a tenant. Null clears a field. Omitted fields keep their value. In a new tenant, they are null.
#[derive(InputObject)]
pub(super) struct BillingInfoInput {
    /// The registered name of the company: at most 200 characters.
    company_name: MaybeUndefined<String>,
    /// The e-mail address to which invoices are sent: at most 254 bytes.
    email: MaybeUndefined<String>,
    /// The VAT identification number, which starts with the code of its country: `DE123456789`.
    vat_id: MaybeUndefined<String>,
    /// The postal address of the company.
    address: MaybeUndefined<PostalAddressInput>,
}

/// A postal address. Each line has at most 200 characters. Null clears a field.
/// Omitted fields keep their value. In a new tenant, they are null.
#[derive(InputObject)]
pub(super) struct PostalAddressInput {
    /// The first line of the address: street and house number.
    line1: MaybeUndefined<String>,
    /// The second line of the address, for example a building or a floor.
    line2: MaybeUndefined<String>,
    /// The name of the city.
    city: MaybeUndefined<String>,
    /// The name of the state, province or canton.
    region: MaybeUndefined<String>,
    /// The postal code of the city.
    postal_code: MaybeUndefined<String>,
    /// The ISO 3166-1 alpha-2 code of the country, for example `DE`.
    country: MaybeUndefined<String>,
}

/// The names of a tenant in other services of the platform. Null clears a field. Omitted fields keep
/// their value. In a new tenant, they are null.
#[derive(InputObject)]
pub(super) struct TenantIntegrationsInput {
    /// The group of the identity provider whose users are members of the tenant: at most 200
    /// characters. Each group belongs to one tenant only.
    authentik_group: MaybeUndefined<String>,
    /// The identifier of the tenant's space in ownCloud Infinite Scale: at most 200 characters.
    ocis_space: MaybeUndefined<String>,
    /// The DNS name of the tenant's domain in the Stalwart mail server.
    stalwart_domain: MaybeUndefined<String>,
}

/// The input of the mutation `createTenant`.
#[derive(InputObject)]
pub(in crate::graphql) struct CreateTenantInput {
    /// The unique name of the tenant in URLs and group names: 2 to 63 characters of `a-z`, `0-9`
    /// and `-`, without `-` at either end.
    slug: String,
    /// The display name of the tenant: 1 to 200 characters.
    name: String,
    /// The plan of the tenant and of its first subscription.
    #[graphql(default_with = "Plan::Free")]
    plan: Plan,
    /// The lifecycle status of the tenant.
    #[graphql(default_with = "TenantStatus::Active")]
    status: TenantStatus,
    /// The DNS names of the tenant: at most 100. Each belongs to one tenant only. An
    /// internationalized domain name may be given in Unicode or in ASCII form.
    domains: Option<Vec<String>>,
    /// The billing information of the tenant.
    billing_info: Option<BillingInfoInput>,
    /// The names of the tenant in other services of the platform.
    integrations: Option<TenantIntegrationsInput>,
}

/// The input of the mutation `updateTenant`. Omitted fields keep their value.
#[derive(InputObject)]
pub(in crate::graphql) struct UpdateTenantInput {
    /// The identifier of the tenant (`ten_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the tenant that the client has read. If it is not the stored version, the
    /// mutation fails with `STALE_VERSION` and changes nothing. If omitted, the version is not
    /// checked.
    pub(in crate::graphql) version: Option<i32>,
    /// The unique name of the tenant in URLs and group names: 2 to 63 characters of `a-z`, `0-9`
    /// and `-`, without `-` at either end. Only platform admins may change it, and never for the
    /// default tenant. Must not be null.
    slug: MaybeUndefined<String>,
    /// The display name of the tenant: 1 to 200 characters. Must not be null.
    name: MaybeUndefined<String>,
    /// The lifecycle status of the tenant. Only platform admins may change it. Must not be null.
    status: MaybeUndefined<TenantStatus>,
    /// The plan of the tenant and of its live subscription. Only platform admins may change it.
    /// Must not be null.
    plan: MaybeUndefined<Plan>,
    /// The DNS names of the tenant: at most 100. The list replaces the stored one. Each domain
    /// belongs to one tenant only. Must not be null.
    domains: MaybeUndefined<Vec<String>>,
    /// The billing information of the tenant. Null clears all of it.
    billing_info: MaybeUndefined<BillingInfoInput>,
    /// The names of the tenant in other services of the platform. Null clears all of them.
    /// Only platform admins may change them.
    integrations: MaybeUndefined<TenantIntegrationsInput>,
}

/// The input of the mutation `deleteTenant`.
#[derive(InputObject)]
pub(in crate::graphql) struct DeleteTenantInput {
    /// The identifier of the tenant (`ten_…`).
    pub(in crate::graphql) id: ID,
    /// The version of the tenant that the client has read. If it is not the stored version, the
    /// mutation fails with `STALE_VERSION` and deletes nothing. If omitted, the version is not
    /// checked.
    pub(in crate::graphql) version: Option<i32>,
}

impl CreateTenantInput {
    /// Converts the input into a patch of an empty tenant.
    pub(in crate::graphql) fn into_patch(self) -> TenantPatch {
        TenantPatch {
            slug: Patch::Set(self.slug),
            name: Patch::Set(self.name),
            status: Patch::Set(self.status.into()),
            plan: Patch::Set(self.plan.into()),
            domains: set_if_given(self.domains, identity),
            billing_info: set_if_given(self.billing_info, BillingInfoInput::into_patch),
            integrations: set_if_given(self.integrations, TenantIntegrationsInput::into_patch),
        }
    }
}

impl UpdateTenantInput {
    /// Converts the input into a patch of the stored tenant.
    pub(in crate::graphql) fn into_patch(self) -> TenantPatch {
        TenantPatch {
            slug: update_patch(self.slug, identity),
            name: update_patch(self.name, identity),
            status: update_patch(self.status, Into::into),
            plan: update_patch(self.plan, Into::into),
            domains: update_patch(self.domains, identity),
            billing_info: update_patch(self.billing_info, BillingInfoInput::into_patch),
            integrations: update_patch(self.integrations, TenantIntegrationsInput::into_patch),
        }
    }
}

impl BillingInfoInput {
    fn into_patch(self) -> BillingPatch {
        BillingPatch {
            company_name: update_patch(self.company_name, identity),
            email: update_patch(self.email, identity),
            vat_id: update_patch(self.vat_id, identity),
            address: update_patch(self.address, PostalAddressInput::into_patch),
        }
    }
}

impl PostalAddressInput {
    fn into_patch(self) -> AddressPatch {
        AddressPatch {
            line1: update_patch(self.line1, identity),
            line2: update_patch(self.line2, identity),
            city: update_patch(self.city, identity),
            region: update_patch(self.region, identity),
            postal_code: update_patch(self.postal_code, identity),
            country: update_patch(self.country, identity),
        }
    }
}

impl TenantIntegrationsInput {
    fn into_patch(self) -> IntegrationsPatch {
        IntegrationsPatch {
            authentik_group: update_patch(self.authentik_group, identity),
            ocis_space: update_patch(self.ocis_space, identity),
            stalwart_domain: update_patch(self.stalwart_domain, identity),
        }
    }
}
