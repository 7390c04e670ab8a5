//! The inputs of mutations, and how they become the domain's. Identifiers are read first, on their
//! own: a malformed one is refused before anybody asks who is there. What was left out and what is
//! null stay two things.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{
    enums::{Plan, TenantRole, TenantStatus, TenantSubscriptionStatus},
    scalar::DateTime,
};
use crate::domain::{
    edit::{
        subscription::{StripePatch, SubscriptionPatch},
        tenant::{AddressPatch, BillingPatch, IntegrationsPatch, TenantPatch},
        user::UserPatch,
    },
    patch::Patch,
};

/// Whom to bill. What is left out stays, null clears.
#[derive(InputObject)]
pub(super) struct BillingInfoInput {
    /// The company's registered name: at most 200 characters.
    company_name: MaybeUndefined<String>,
    /// Where invoices go.
    email: MaybeUndefined<String>,
    /// The VAT identification number, with its country before it: `DE123456789`.
    vat_id: MaybeUndefined<String>,
    /// Where the company is.
    address: MaybeUndefined<PostalAddressInput>,
}

/// A postal address; each line has at most 200 characters. What is left out stays, null clears.
#[derive(InputObject)]
pub(super) struct PostalAddressInput {
    /// Street and number.
    line1: MaybeUndefined<String>,
    /// What does not fit the first line.
    line2: MaybeUndefined<String>,
    /// City.
    city: MaybeUndefined<String>,
    /// State, province or canton.
    region: MaybeUndefined<String>,
    /// Postal code.
    postal_code: MaybeUndefined<String>,
    /// Country: ISO 3166-1 alpha-2.
    country: MaybeUndefined<String>,
}

/// Where the platform's other parts know a tenant. What is left out stays, null clears.
#[derive(InputObject)]
pub(super) struct TenantIntegrationsInput {
    /// The group at the identity provider whose people are members; unique.
    authentik_group: MaybeUndefined<String>,
    /// The file space.
    ocis_space: MaybeUndefined<String>,
    /// The mail domain.
    stalwart_domain: MaybeUndefined<String>,
}

/// Where the billing provider knows a subscription. What is left out stays, null clears.
#[derive(InputObject)]
pub(super) struct StripeHandlesInput {
    /// The customer there.
    customer_id: MaybeUndefined<String>,
    /// The subscription there.
    subscription_id: MaybeUndefined<String>,
    /// The price there.
    price_id: MaybeUndefined<String>,
}

/// A new tenant.
#[derive(InputObject)]
pub(super) struct CreateTenantInput {
    /// The name in URLs and groups: 2 to 63 of `a-z`, `0-9` and `-`, with no `-` at its ends; unique.
    slug: String,
    /// The name for people: 1 to 200 characters.
    name: String,
    /// The plan, which is also that of its first subscription.
    #[graphql(default_with = "Plan::Free")]
    plan: Plan,
    /// Where it is in its life.
    #[graphql(default_with = "TenantStatus::Active")]
    status: TenantStatus,
    /// Its DNS names, each of which belongs to one tenant only; internationalized ones in either form.
    domains: Option<Vec<String>>,
    /// Whom to bill.
    billing_info: Option<BillingInfoInput>,
    /// Where the platform's other parts know it.
    integrations: Option<TenantIntegrationsInput>,
}

/// A change of a tenant: what is left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateTenantInput {
    /// The tenant.
    pub(super) id: ID,
    /// Only where the stored version is this one.
    pub(super) version: Option<i32>,
    /// The name in URLs and groups. For platform admins; never the default tenant's.
    slug: MaybeUndefined<String>,
    /// The name for people: 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// Where it is in its life. For platform admins.
    status: MaybeUndefined<TenantStatus>,
    /// The plan, which becomes that of its subscription too. For platform admins.
    plan: MaybeUndefined<Plan>,
    /// All its DNS names.
    domains: MaybeUndefined<Vec<String>>,
    /// Whom to bill; null clears all of it.
    billing_info: MaybeUndefined<BillingInfoInput>,
    /// Where the platform's other parts know it; null clears all of it. For platform admins.
    integrations: MaybeUndefined<TenantIntegrationsInput>,
}

/// A tenant to delete.
#[derive(InputObject)]
pub(super) struct DeleteTenantInput {
    /// The tenant.
    pub(super) id: ID,
    /// Only where the stored version is this one.
    pub(super) version: Option<i32>,
}

/// A new user.
#[derive(InputObject)]
pub(super) struct CreateUserInput {
    /// Who it is at the identity provider (`sub`): 1 to 255 characters.
    pub(super) subject: String,
    /// The identity provider (`iss`), a configured one; the first of them where it is left out.
    pub(super) issuer: Option<String>,
    /// The e-mail address; the provider's, once the user signs in.
    email: String,
    /// The name for people: 1 to 200 characters; the provider's, once the user signs in.
    name: String,
    /// Whether this user runs the platform.
    #[graphql(default)]
    platform_admin: bool,
    /// Whether this user is shut out of everything.
    #[graphql(default)]
    disabled: bool,
}

/// A change of a user: what is left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateUserInput {
    /// The user.
    pub(super) id: ID,
    /// Only where the stored version is this one.
    pub(super) version: Option<i32>,
    /// The e-mail address; the provider's again, once the user signs in.
    email: MaybeUndefined<String>,
    /// The name for people; the provider's again, once the user signs in.
    name: MaybeUndefined<String>,
    /// Whether this user runs the platform, whatever the groups say.
    platform_admin: MaybeUndefined<bool>,
    /// Whether this user is shut out of everything.
    disabled: MaybeUndefined<bool>,
}

/// A user to delete.
#[derive(InputObject)]
pub(super) struct DeleteUserInput {
    /// The user.
    pub(super) id: ID,
    /// Only where the stored version is this one.
    pub(super) version: Option<i32>,
}

/// A new subscription.
#[derive(InputObject)]
pub(super) struct CreateSubscriptionInput {
    /// Whose it is. A tenant has at most one that is not over.
    pub(super) tenant_id: ID,
    /// The plan, which becomes the tenant's where the subscription is not over.
    plan: Plan,
    /// Where it is in its life.
    #[graphql(default_with = "TenantSubscriptionStatus::Trialing")]
    status: TenantSubscriptionStatus,
    /// When the paid, or the trial, period began.
    current_period_start: Option<DateTime>,
    /// When it ends: after it began.
    current_period_end: Option<DateTime>,
    /// Whether it ends there instead of going on.
    #[graphql(default)]
    cancel_at_period_end: bool,
    /// Where the billing provider knows it.
    stripe: Option<StripeHandlesInput>,
}

/// A change of a subscription: what is left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateSubscriptionInput {
    /// The subscription.
    pub(super) id: ID,
    /// Only where the stored version is this one.
    pub(super) version: Option<i32>,
    /// The plan, which becomes the tenant's where the subscription is not over.
    plan: MaybeUndefined<Plan>,
    /// Where it is in its life. One that was over and is not any more is the tenant's subscription again.
    status: MaybeUndefined<TenantSubscriptionStatus>,
    /// When the paid, or the trial, period began.
    current_period_start: MaybeUndefined<DateTime>,
    /// When it ends: after it began.
    current_period_end: MaybeUndefined<DateTime>,
    /// Whether it ends there instead of going on.
    cancel_at_period_end: MaybeUndefined<bool>,
    /// Where the billing provider knows it; null clears all of it.
    stripe: MaybeUndefined<StripeHandlesInput>,
}

/// A subscription to delete.
#[derive(InputObject)]
pub(super) struct DeleteSubscriptionInput {
    /// The subscription.
    pub(super) id: ID,
    /// Only where the stored version is this one.
    pub(super) version: Option<i32>,
}

/// A new member.
#[derive(InputObject)]
pub(super) struct AddTenantMemberInput {
    /// The tenant.
    pub(super) tenant_id: ID,
    /// The user: for a tenant's own people one whom they see already.
    pub(super) user_id: ID,
    /// The role.
    #[graphql(default_with = "TenantRole::Member")]
    pub(super) role: TenantRole,
}

/// Another role for a member.
#[derive(InputObject)]
pub(super) struct UpdateTenantMemberInput {
    /// The tenant.
    pub(super) tenant_id: ID,
    /// The member.
    pub(super) user_id: ID,
    /// The role.
    pub(super) role: TenantRole,
}

/// A member to remove; oneself, to leave.
#[derive(InputObject)]
pub(super) struct RemoveTenantMemberInput {
    /// The tenant.
    pub(super) tenant_id: ID,
    /// The member.
    pub(super) user_id: ID,
}

/// What an update says of a field.
fn update_patch<A, B>(given: MaybeUndefined<A>, read: impl FnOnce(A) -> B) -> Patch<B> {
    match given {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(read(value)),
    }
}

/// What a creation says of a field, which is empty before.
fn set_if_given<A, B>(given: Option<A>, read: impl FnOnce(A) -> B) -> Patch<B> {
    given.map_or(Patch::Keep, |value| Patch::Set(read(value)))
}

const fn same<T>(value: T) -> T {
    value
}

impl CreateTenantInput {
    pub(super) fn into_patch(self) -> TenantPatch {
        TenantPatch {
            slug: Patch::Set(self.slug),
            name: Patch::Set(self.name),
            status: Patch::Set(self.status.into()),
            plan: Patch::Set(self.plan.into()),
            domains: set_if_given(self.domains, same),
            billing_info: set_if_given(self.billing_info, BillingInfoInput::into_patch),
            integrations: set_if_given(self.integrations, TenantIntegrationsInput::into_patch),
        }
    }
}

impl UpdateTenantInput {
    pub(super) fn into_patch(self) -> TenantPatch {
        TenantPatch {
            slug: update_patch(self.slug, same),
            name: update_patch(self.name, same),
            status: update_patch(self.status, Into::into),
            plan: update_patch(self.plan, Into::into),
            domains: update_patch(self.domains, same),
            billing_info: update_patch(self.billing_info, BillingInfoInput::into_patch),
            integrations: update_patch(self.integrations, TenantIntegrationsInput::into_patch),
        }
    }
}

impl BillingInfoInput {
    fn into_patch(self) -> BillingPatch {
        BillingPatch {
            company_name: update_patch(self.company_name, same),
            email: update_patch(self.email, same),
            vat_id: update_patch(self.vat_id, same),
            address: update_patch(self.address, PostalAddressInput::into_patch),
        }
    }
}

impl PostalAddressInput {
    fn into_patch(self) -> AddressPatch {
        AddressPatch {
            line1: update_patch(self.line1, same),
            line2: update_patch(self.line2, same),
            city: update_patch(self.city, same),
            region: update_patch(self.region, same),
            postal_code: update_patch(self.postal_code, same),
            country: update_patch(self.country, same),
        }
    }
}

impl TenantIntegrationsInput {
    fn into_patch(self) -> IntegrationsPatch {
        IntegrationsPatch {
            authentik_group: update_patch(self.authentik_group, same),
            ocis_space: update_patch(self.ocis_space, same),
            stalwart_domain: update_patch(self.stalwart_domain, same),
        }
    }
}

impl StripeHandlesInput {
    fn into_patch(self) -> StripePatch {
        StripePatch {
            customer_id: update_patch(self.customer_id, same),
            subscription_id: update_patch(self.subscription_id, same),
            price_id: update_patch(self.price_id, same),
        }
    }
}

impl CreateUserInput {
    /// The subject, the issuer, and the rest.
    pub(super) fn into_parts(self) -> (String, Option<String>, UserPatch) {
        let rest = UserPatch {
            email: Patch::Set(self.email),
            name: Patch::Set(self.name),
            platform_admin: Patch::Set(self.platform_admin),
            disabled: Patch::Set(self.disabled),
        };
        (self.subject, self.issuer, rest)
    }
}

impl UpdateUserInput {
    pub(super) fn into_patch(self) -> UserPatch {
        UserPatch {
            email: update_patch(self.email, same),
            name: update_patch(self.name, same),
            platform_admin: update_patch(self.platform_admin, same),
            disabled: update_patch(self.disabled, same),
        }
    }
}

impl CreateSubscriptionInput {
    pub(super) fn into_patch(self) -> SubscriptionPatch {
        SubscriptionPatch {
            plan: Patch::Set(self.plan.into()),
            status: Patch::Set(self.status.into()),
            current_period_start: set_if_given(self.current_period_start, |at| at.0),
            current_period_end: set_if_given(self.current_period_end, |at| at.0),
            cancel_at_period_end: Patch::Set(self.cancel_at_period_end),
            stripe: set_if_given(self.stripe, StripeHandlesInput::into_patch),
        }
    }
}

impl UpdateSubscriptionInput {
    pub(super) fn into_patch(self) -> SubscriptionPatch {
        SubscriptionPatch {
            plan: update_patch(self.plan, Into::into),
            status: update_patch(self.status, Into::into),
            current_period_start: update_patch(self.current_period_start, |at| at.0),
            current_period_end: update_patch(self.current_period_end, |at| at.0),
            cancel_at_period_end: update_patch(self.cancel_at_period_end, same),
            stripe: update_patch(self.stripe, StripeHandlesInput::into_patch),
        }
    }
}
