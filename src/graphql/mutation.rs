//! The mutations. Each reads its identifiers, then finds the actor, then leaves the rest to
//! `access`: the order in which the contract has its errors.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    context::ContextExt,
    error::collect_input_errors,
    payload::{
        AddTenantMemberPayload, CreateSubscriptionPayload, CreateTenantPayload, CreateUserPayload,
        DeleteSubscriptionPayload, DeleteTenantPayload, DeleteUserPayload,
        RemoveTenantMemberPayload, UpdateSubscriptionPayload, UpdateTenantMemberPayload,
        UpdateTenantPayload, UpdateUserPayload,
    },
    scalar::{id, parse_id, parse_id_into},
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
        AccessError, AddMember, CreateSubscription, CreateTenant, CreateUser, DeleteSubscription,
        DeleteTenant, DeleteUser, MembershipChange, RemoveMember, SubscriptionWithTenant,
        UpdateMember, UpdateSubscription, UpdateTenant, UpdateUser,
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
    ) -> Result<CreateTenantPayload, AccessError> {
        let tenant = ctx.execute(CreateTenant { patch: input.into_patch() }).await?;
        Ok(CreateTenantPayload::new(TenantObject(Arc::new(tenant))))
    }

    /// Changes a tenant. For its admins and owners; some fields for platform admins only.
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateTenantInput,
    ) -> Result<UpdateTenantPayload, AccessError> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let tenant = ctx.execute(UpdateTenant { id, version, patch: input.into_patch() }).await?;
        Ok(UpdateTenantPayload::new(TenantObject(Arc::new(tenant))))
    }

    /// Deletes a tenant with its subscriptions and memberships; never the default one. For platform admins.
    async fn delete_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant.")] input: DeleteTenantInput,
    ) -> Result<DeleteTenantPayload, AccessError> {
        let (tenant, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.execute(DeleteTenant { id: tenant, version }).await?;
        Ok(DeleteTenantPayload::new(id(deleted)))
    }

    /// Makes a user before the first sign-in, or again after a deletion. For platform admins.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: CreateUserInput,
    ) -> Result<CreateUserPayload, AccessError> {
        let (subject, issuer, patch) = input.into_parts();
        let user = ctx.execute(CreateUser { subject, issuer, patch }).await?;
        Ok(CreateUserPayload::new(UserObject(Arc::new(user))))
    }

    /// Changes a user. For platform admins.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload, AccessError> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let user = ctx.execute(UpdateUser { id, version, patch: input.into_patch() }).await?;
        ctx.refresh_viewer(&user);
        Ok(UpdateUserPayload::new(UserObject(Arc::new(user))))
    }

    /// Deletes a user; tokens from before are good for nothing any more. For platform admins.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload, AccessError> {
        let (user, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.execute(DeleteUser { id: user, version }).await?;
        Ok(DeleteUserPayload::new(id(deleted)))
    }

    /// Makes a subscription of a tenant. For platform admins.
    async fn create_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The subscription.")] input: CreateSubscriptionInput,
    ) -> Result<CreateSubscriptionPayload, AccessError> {
        let tenant = parse_id("input.tenantId", &input.tenant_id)?;
        let patch = input.into_patch();
        let made = ctx.execute(CreateSubscription { tenant, patch }).await?;
        Ok(CreateSubscriptionPayload::new(subscription(made)))
    }

    /// Changes a subscription. For platform admins.
    async fn update_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateSubscriptionInput,
    ) -> Result<UpdateSubscriptionPayload, AccessError> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let patch = input.into_patch();
        let changed = ctx.execute(UpdateSubscription { id, version, patch }).await?;
        Ok(UpdateSubscriptionPayload::new(subscription(changed)))
    }

    /// Deletes a subscription; its tenant keeps the plan. For platform admins.
    async fn delete_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The subscription.")] input: DeleteSubscriptionInput,
    ) -> Result<DeleteSubscriptionPayload, AccessError> {
        let (subscription, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.execute(DeleteSubscription { id: subscription, version }).await?;
        Ok(DeleteSubscriptionPayload::new(id(deleted)))
    }

    /// Makes a user a member. For the tenant's admins and owners (owners alone make owners), and platform admins.
    async fn add_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] input: AddTenantMemberInput,
    ) -> Result<AddTenantMemberPayload, AccessError> {
        let (tenant, user) = parse_member_ids(&input.tenant_id, &input.user_id)?;
        let role = input.role.into();
        let added = ctx.execute(AddMember { tenant, user, role }).await?;
        ctx.refresh_viewer(&added.user);
        Ok(AddTenantMemberPayload::new(membership(added)?))
    }

    /// Gives a member another role. For the tenant's admins and owners (owners alone decide on owners), and platform admins.
    async fn update_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateTenantMemberInput,
    ) -> Result<UpdateTenantMemberPayload, AccessError> {
        let (tenant, user) = parse_member_ids(&input.tenant_id, &input.user_id)?;
        let role = input.role.into();
        let changed = ctx.execute(UpdateMember { tenant, user, role }).await?;
        ctx.refresh_viewer(&changed.user);
        Ok(UpdateTenantMemberPayload::new(membership(changed)?))
    }

    /// Removes a member. For oneself (leaving), the tenant's admins and owners (owners alone remove owners), and platform admins.
    async fn remove_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] input: RemoveTenantMemberInput,
    ) -> Result<RemoveTenantMemberPayload, AccessError> {
        let (tenant, user) = parse_member_ids(&input.tenant_id, &input.user_id)?;
        let removed = ctx.execute(RemoveMember { tenant, user }).await?;
        ctx.refresh_viewer(&removed.user);
        let tenant = TenantObject(Arc::new(removed.tenant));
        Ok(RemoveTenantMemberPayload::new(tenant, id(removed.user.id)))
    }
}

/// Reads the identifiers of a tenant and a user; both may be malformed.
fn parse_member_ids(tenant: &ID, user: &ID) -> Result<(TenantId, UserId), AccessError> {
    let (tenant, user) = collect_input_errors(|faults| {
        (
            parse_id_into("input.tenantId", tenant, faults),
            parse_id_into("input.userId", user, faults),
        )
    })?;
    tenant.zip(user).ok_or(AccessError::Internal)
}

fn subscription(
    SubscriptionWithTenant { subscription, tenant }: SubscriptionWithTenant,
) -> SubscriptionObject {
    SubscriptionObject::of(Arc::new(subscription), Arc::new(tenant))
}

/// A membership that was just given; one that is gone again by now cannot be shown.
fn membership(
    MembershipChange { tenant, user }: MembershipChange,
) -> Result<MembershipObject, AccessError> {
    TenantObject(Arc::new(tenant)).membership_of(Arc::new(user)).map_err(|_| AccessError::NotFound)
}
