//! The mutations. Each reads its identifiers, then finds the actor, then leaves the rest to
//! `access`: the order in which the contract has its errors.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    context::ContextExt,
    error::bad_input,
    payload::{
        AddTenantMemberPayload, CreateSubscriptionPayload, CreateTenantPayload, CreateUserPayload,
        DeleteSubscriptionPayload, DeleteTenantPayload, DeleteUserPayload,
        RemoveTenantMemberPayload, UpdateSubscriptionPayload, UpdateTenantMemberPayload,
        UpdateTenantPayload, UpdateUserPayload,
    },
    scalar::{id, parse_id, read_id},
    subscription::SubscriptionObject,
    tenant::TenantObject,
    user::{MembershipObject, UserObject},
    write_input::{
        AddTenantMemberInput, CreateSubscriptionInput, CreateTenantInput, CreateUserInput,
        DeleteSubscriptionInput, DeleteTenantInput, DeleteUserInput, RemoveTenantMemberInput,
        UpdateSubscriptionInput, UpdateTenantInput, UpdateTenantMemberInput, UpdateUserInput,
    },
};
use crate::{
    access::{
        AddMember, CreateSubscription, CreateTenant, CreateUser, DeleteSubscription, DeleteTenant,
        DeleteUser, Placed, Refusal, RemoveMember, Subscribed, UpdateMember, UpdateSubscription,
        UpdateTenant, UpdateUser,
    },
    domain::id::{TenantId, UserId},
};

/// The root of all mutations.
pub(super) struct Mutation;

/// What can be changed. One with an `Idempotency-Key` can be sent again and is done once.
#[Object]
impl Mutation {
    /// Makes a tenant and its first subscription, in its trial. For platform admins.
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant.")] input: CreateTenantInput,
    ) -> Result<CreateTenantPayload, Refusal> {
        let tenant = ctx.perform(CreateTenant { patch: input.into_patch() }).await?;
        Ok(CreateTenantPayload::new(TenantObject(Arc::new(tenant))))
    }

    /// Changes a tenant. For its admins and owners; some fields for platform admins only.
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateTenantInput,
    ) -> Result<UpdateTenantPayload, Refusal> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let tenant = ctx.perform(UpdateTenant { id, version, patch: input.into_patch() }).await?;
        Ok(UpdateTenantPayload::new(TenantObject(Arc::new(tenant))))
    }

    /// Deletes a tenant with its subscriptions and memberships; never the default one. For platform admins.
    async fn delete_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant.")] input: DeleteTenantInput,
    ) -> Result<DeleteTenantPayload, Refusal> {
        let (tenant, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.perform(DeleteTenant { id: tenant, version }).await?;
        Ok(DeleteTenantPayload::new(id(deleted)))
    }

    /// Makes a user before the first sign-in, or again after a deletion. For platform admins.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: CreateUserInput,
    ) -> Result<CreateUserPayload, Refusal> {
        let (subject, issuer, patch) = input.into_parts();
        let user = ctx.perform(CreateUser { subject, issuer, patch }).await?;
        Ok(CreateUserPayload::new(UserObject(Arc::new(user))))
    }

    /// Changes a user. For platform admins.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload, Refusal> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let user = ctx.perform(UpdateUser { id, version, patch: input.into_patch() }).await?;
        ctx.has_become(&user);
        Ok(UpdateUserPayload::new(UserObject(Arc::new(user))))
    }

    /// Deletes a user; tokens from before are good for nothing any more. For platform admins.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload, Refusal> {
        let (user, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.perform(DeleteUser { id: user, version }).await?;
        Ok(DeleteUserPayload::new(id(deleted)))
    }

    /// Makes a subscription of a tenant. For platform admins.
    async fn create_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The subscription.")] input: CreateSubscriptionInput,
    ) -> Result<CreateSubscriptionPayload, Refusal> {
        let tenant = parse_id("input.tenantId", &input.tenant_id)?;
        let patch = input.into_patch();
        let made = ctx.perform(CreateSubscription { tenant, patch }).await?;
        Ok(CreateSubscriptionPayload::new(subscription(made)))
    }

    /// Changes a subscription. For platform admins.
    async fn update_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateSubscriptionInput,
    ) -> Result<UpdateSubscriptionPayload, Refusal> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let patch = input.into_patch();
        let changed = ctx.perform(UpdateSubscription { id, version, patch }).await?;
        Ok(UpdateSubscriptionPayload::new(subscription(changed)))
    }

    /// Deletes a subscription; its tenant keeps the plan. For platform admins.
    async fn delete_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The subscription.")] input: DeleteSubscriptionInput,
    ) -> Result<DeleteSubscriptionPayload, Refusal> {
        let (subscription, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.perform(DeleteSubscription { id: subscription, version }).await?;
        Ok(DeleteSubscriptionPayload::new(id(deleted)))
    }

    /// Makes a user a member. For the tenant's admins and owners (owners alone make owners), and platform admins.
    async fn add_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] input: AddTenantMemberInput,
    ) -> Result<AddTenantMemberPayload, Refusal> {
        let (tenant, user) = place(&input.tenant_id, &input.user_id)?;
        let role = input.role.into();
        let added = ctx.perform(AddMember { tenant, user, role }).await?;
        ctx.has_become(&added.user);
        Ok(AddTenantMemberPayload::new(membership(added)?))
    }

    /// Gives a member another role. For the tenant's admins and owners (owners alone decide on owners), and platform admins.
    async fn update_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateTenantMemberInput,
    ) -> Result<UpdateTenantMemberPayload, Refusal> {
        let (tenant, user) = place(&input.tenant_id, &input.user_id)?;
        let role = input.role.into();
        let changed = ctx.perform(UpdateMember { tenant, user, role }).await?;
        ctx.has_become(&changed.user);
        Ok(UpdateTenantMemberPayload::new(membership(changed)?))
    }

    /// Removes a member. For oneself (leaving), the tenant's admins and owners (owners alone remove owners), and platform admins.
    async fn remove_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] input: RemoveTenantMemberInput,
    ) -> Result<RemoveTenantMemberPayload, Refusal> {
        let (tenant, user) = place(&input.tenant_id, &input.user_id)?;
        let removed = ctx.perform(RemoveMember { tenant, user }).await?;
        ctx.has_become(&removed.user);
        let tenant = TenantObject(Arc::new(removed.tenant));
        Ok(RemoveTenantMemberPayload::new(tenant, id(removed.user.id)))
    }
}

/// Reads the identifiers of a tenant and a user; both may be malformed.
fn place(tenant: &ID, user: &ID) -> Result<(TenantId, UserId), Refusal> {
    let (tenant, user) = bad_input(|faults| {
        (read_id("input.tenantId", tenant, faults), read_id("input.userId", user, faults))
    })?;
    tenant.zip(user).ok_or(Refusal::Internal)
}

fn subscription(Subscribed { subscription, tenant }: Subscribed) -> SubscriptionObject {
    SubscriptionObject::of(Arc::new(subscription), Arc::new(tenant))
}

/// A membership that was just given; one that is gone again by now cannot be shown.
fn membership(Placed { tenant, user }: Placed) -> Result<MembershipObject, Refusal> {
    TenantObject(Arc::new(tenant)).membership_of(Arc::new(user)).map_err(|_| Refusal::NotFound)
}
