//! Resolves the mutation root fields.
//!
//! Each resolver parses identifiers, loads the viewer, and then leaves the rest to
//! [`access`](crate::access). This is the documented order of errors.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    context::ContextExt,
    error::collect_input_errors,
    guard::{guard, requirement},
    input::{
        AcceptInvitationInput, AddTenantMemberInput, CreateSubscriptionInput, CreateTenantInput,
        CreateUserInput, DeleteSubscriptionInput, DeleteTenantInput, DeleteUserInput,
        InviteTenantMemberInput, RemoveTenantMemberInput, ResendInvitationInput,
        RevokeInvitationInput, UpdateSubscriptionInput, UpdateTenantInput, UpdateTenantMemberInput,
        UpdateUserInput,
    },
    objects::{InvitationObject, MembershipObject, SubscriptionObject, TenantObject, UserObject},
    payload::{
        AcceptInvitationPayload, AddTenantMemberPayload, CreateSubscriptionPayload,
        CreateTenantPayload, CreateUserPayload, DeleteSubscriptionPayload, DeleteTenantPayload,
        DeleteUserPayload, InviteTenantMemberPayload, RemoveTenantMemberPayload,
        ResendInvitationPayload, RevokeInvitationPayload, UpdateSubscriptionPayload,
        UpdateTenantMemberPayload, UpdateTenantPayload, UpdateUserPayload,
    },
    scalar::{id, parse_id, parse_id_into},
};
use crate::{
    access::{
        AccessError, AddMember, Command, CreateSubscription, CreateTenant, CreateUser,
        DeleteSubscription, DeleteTenant, DeleteUser, InvitationWithTenant, InviteMember,
        IssuedInvitation, MembershipChange, RemoveMember, ResendInvitation, RevokeInvitation,
        SubscriptionWithTenant, UpdateMember, UpdateSubscription, UpdateTenant, UpdateUser,
    },
    domain::id::{TenantId, UserId},
};

/// The root type of mutations.
pub(super) struct Mutation;

/// The mutations of the API. The root fields of a document are executed one after the other, and
/// each one commits separately. A request with an `Idempotency-Key` header can be retried safely:
/// it is executed once.
#[Object]
impl Mutation {
    /// Creates a tenant and its first subscription, which has the status `TRIALING`. Allowed for
    /// platform admins only.
    #[graphql(directive = guard::apply(requirement(CreateTenant::ACTION)))]
    async fn create_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to create.")] input: CreateTenantInput,
    ) -> Result<CreateTenantPayload, AccessError> {
        let tenant = ctx.execute(CreateTenant { patch: input.into_patch() }).await?;
        Ok(CreateTenantPayload::new(TenantObject(Arc::new(tenant))))
    }

    /// Changes a tenant. Allowed for admins and owners of the tenant and for platform admins. Some
    /// fields may be changed by platform admins only.
    #[graphql(directive = guard::apply(requirement(UpdateTenant::ACTION)))]
    async fn update_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the tenant.")] input: UpdateTenantInput,
    ) -> Result<UpdateTenantPayload, AccessError> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let tenant = ctx.execute(UpdateTenant { id, version, patch: input.into_patch() }).await?;
        Ok(UpdateTenantPayload::new(TenantObject(Arc::new(tenant))))
    }

    /// Deletes a tenant with its subscriptions and memberships. The default tenant cannot be
    /// deleted. Allowed for platform admins only.
    #[graphql(directive = guard::apply(requirement(DeleteTenant::ACTION)))]
    async fn delete_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to delete.")] input: DeleteTenantInput,
    ) -> Result<DeleteTenantPayload, AccessError> {
        let (tenant, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.execute(DeleteTenant { id: tenant, version }).await?;
        Ok(DeleteTenantPayload::new(id(deleted)))
    }

    /// Creates a user before the first sign-in, or again after a deletion. Allowed for platform
    /// admins only.
    #[graphql(directive = guard::apply(requirement(CreateUser::ACTION)))]
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to create.")] input: CreateUserInput,
    ) -> Result<CreateUserPayload, AccessError> {
        let (subject, issuer, patch) = input.into_parts();
        let user = ctx.execute(CreateUser { subject, issuer, patch }).await?;
        Ok(CreateUserPayload::new(UserObject(Arc::new(user))))
    }

    /// Changes a user. Allowed for platform admins only.
    #[graphql(directive = guard::apply(requirement(UpdateUser::ACTION)))]
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the user.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload, AccessError> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let user = ctx.execute(UpdateUser { id, version, patch: input.into_patch() }).await?;
        ctx.refresh_viewer(&user);
        Ok(UpdateUserPayload::new(UserObject(Arc::new(user))))
    }

    /// Deletes a user with the user's memberships. Tokens that were issued before the deletion, or
    /// up to 60 seconds after it, are no longer accepted unless `createUser` creates the user again.
    /// Allowed for platform admins only.
    #[graphql(directive = guard::apply(requirement(DeleteUser::ACTION)))]
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to delete.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload, AccessError> {
        let (user, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.execute(DeleteUser { id: user, version }).await?;
        Ok(DeleteUserPayload::new(id(deleted)))
    }

    /// Creates a subscription of a tenant. Allowed for platform admins only.
    #[graphql(directive = guard::apply(requirement(CreateSubscription::ACTION)))]
    async fn create_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The subscription to create.")] input: CreateSubscriptionInput,
    ) -> Result<CreateSubscriptionPayload, AccessError> {
        let tenant = parse_id("input.tenantId", &input.tenant_id)?;
        let patch = input.into_patch();
        let created = ctx.execute(CreateSubscription { tenant, patch }).await?;
        Ok(CreateSubscriptionPayload::new(subscription_object(created)))
    }

    /// Changes a subscription. Allowed for platform admins only.
    #[graphql(directive = guard::apply(requirement(UpdateSubscription::ACTION)))]
    async fn update_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes to the subscription.")] input: UpdateSubscriptionInput,
    ) -> Result<UpdateSubscriptionPayload, AccessError> {
        let (id, version) = (parse_id("input.id", &input.id)?, input.version);
        let patch = input.into_patch();
        let changed = ctx.execute(UpdateSubscription { id, version, patch }).await?;
        Ok(UpdateSubscriptionPayload::new(subscription_object(changed)))
    }

    /// Deletes a subscription. The tenant keeps its plan. Allowed for platform admins only.
    #[graphql(directive = guard::apply(requirement(DeleteSubscription::ACTION)))]
    async fn delete_subscription(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The subscription to delete.")] input: DeleteSubscriptionInput,
    ) -> Result<DeleteSubscriptionPayload, AccessError> {
        let (subscription, version) = (parse_id("input.id", &input.id)?, input.version);
        let deleted = ctx.execute(DeleteSubscription { id: subscription, version }).await?;
        Ok(DeleteSubscriptionPayload::new(id(deleted)))
    }

    /// Adds a user to the members of a tenant. Allowed for admins and owners of the tenant and for
    /// platform admins. Only owners and platform admins may give the role `OWNER`.
    #[graphql(directive = guard::apply(requirement(AddMember::ACTION)))]
    async fn add_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member to add.")] input: AddTenantMemberInput,
    ) -> Result<AddTenantMemberPayload, AccessError> {
        let (tenant, user) = parse_member_ids(&input.tenant_id, &input.user_id)?;
        let role = input.role.into();
        let added = ctx.execute(AddMember { tenant, user, role }).await?;
        ctx.refresh_viewer(&added.user);
        Ok(AddTenantMemberPayload::new(membership_object(added)?))
    }

    /// Changes the role of a member. Allowed for admins and owners of the tenant and for platform
    /// admins. Only owners and platform admins may give or take the role `OWNER`.
    #[graphql(directive = guard::apply(requirement(UpdateMember::ACTION)))]
    async fn update_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member and the new role.")] input: UpdateTenantMemberInput,
    ) -> Result<UpdateTenantMemberPayload, AccessError> {
        let (tenant, user) = parse_member_ids(&input.tenant_id, &input.user_id)?;
        let role = input.role.into();
        let changed = ctx.execute(UpdateMember { tenant, user, role }).await?;
        ctx.refresh_viewer(&changed.user);
        Ok(UpdateTenantMemberPayload::new(membership_object(changed)?))
    }

    /// Removes a member from a tenant. All members may remove themselves. Other members may be
    /// removed by admins and owners of the tenant and by platform admins. Only owners and platform
    /// admins may remove other owners.
    #[graphql(directive = guard::apply(requirement(RemoveMember::ACTION)))]
    async fn remove_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member to remove.")] input: RemoveTenantMemberInput,
    ) -> Result<RemoveTenantMemberPayload, AccessError> {
        let (tenant, user) = parse_member_ids(&input.tenant_id, &input.user_id)?;
        let removed = ctx.execute(RemoveMember { tenant, user }).await?;
        ctx.refresh_viewer(&removed.user);
        let tenant = TenantObject(Arc::new(removed.tenant));
        Ok(RemoveTenantMemberPayload::new(tenant, id(removed.user.id)))
    }

    /// Invites a person to a tenant by an e-mail address. The result has the token that accepts the
    /// invitation. A tenant has at most one pending invitation of an address, and at most 500 in all.
    /// Allowed for admins and owners of the tenant and for platform admins. Only owners and platform
    /// admins may offer the role `OWNER`.
    #[graphql(directive = guard::apply(requirement(InviteMember::ACTION)))]
    async fn invite_tenant_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person to invite.")] input: InviteTenantMemberInput,
    ) -> Result<InviteTenantMemberPayload, AccessError> {
        let tenant = parse_id("input.tenantId", &input.tenant_id)?;
        let InviteTenantMemberInput { email, role, expires_in_days, .. } = input;
        let command = InviteMember { tenant, email, role: role.into(), expires_in_days };
        let (invitation, token, url) = issued(ctx, ctx.execute(command).await?);
        Ok(InviteTenantMemberPayload::new(invitation, token, url))
    }

    /// Renews a pending or expired invitation with a new token. The old token is no longer valid. The
    /// viewer becomes the inviter. Allowed for admins and owners of the tenant and for platform admins.
    /// Only owners and platform admins may renew an offer of the role `OWNER`.
    #[graphql(directive = guard::apply(requirement(ResendInvitation::ACTION)))]
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation to renew.")] input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload, AccessError> {
        let ResendInvitationInput { id, version, expires_in_days } = input;
        let id = parse_id("input.id", &id)?;
        let command = ResendInvitation { id, version, expires_in_days };
        let (invitation, token, url) = issued(ctx, ctx.execute(command).await?);
        Ok(ResendInvitationPayload::new(invitation, token, url))
    }

    /// Revokes a pending or expired invitation. Allowed for admins and owners of the tenant and for
    /// platform admins. Only owners and platform admins may revoke an offer of the role `OWNER`.
    #[graphql(directive = guard::apply(requirement(RevokeInvitation::ACTION)))]
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation to revoke.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload, AccessError> {
        let RevokeInvitationInput { id, version } = input;
        let id = parse_id("input.id", &id)?;
        let revoked = ctx.execute(RevokeInvitation { id, version }).await?;
        Ok(RevokeInvitationPayload::new(invitation_object(revoked)))
    }

    /// Accepts an invitation. The subject of the request's token becomes a member of the tenant with
    /// the offered role, or keeps a higher one. If the subject has no user yet, the mutation creates
    /// it. The e-mail address of the token must be the invited one.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the invitation.")] input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload, AccessError> {
        let accepted = ctx.accept_invitation(&input.token).await?;
        Ok(AcceptInvitationPayload::new(membership_object(accepted)?))
    }
}

/// Parses the identifiers of a tenant and a user, and reports all malformed ones.
fn parse_member_ids(tenant: &ID, user: &ID) -> Result<(TenantId, UserId), AccessError> {
    let (tenant, user) = collect_input_errors(|errors| {
        (
            parse_id_into("input.tenantId", tenant, errors),
            parse_id_into("input.userId", user, errors),
        )
    })?;
    tenant.zip(user).ok_or(AccessError::Internal)
}

fn invitation_object(
    InvitationWithTenant { invitation, tenant }: InvitationWithTenant,
) -> InvitationObject {
    InvitationObject { invitation: Arc::new(invitation), tenant: Arc::new(tenant) }
}

/// Returns an invitation with its token and the URL that has the token.
fn issued(
    ctx: &Context<'_>,
    IssuedInvitation { offer, token }: IssuedInvitation,
) -> (InvitationObject, Option<String>, Option<String>) {
    let url = token.as_deref().and_then(|token| ctx.session().accept_url(token));
    (invitation_object(offer), token, url)
}

fn subscription_object(
    SubscriptionWithTenant { subscription, tenant }: SubscriptionWithTenant,
) -> SubscriptionObject {
    SubscriptionObject::new(Arc::new(subscription), Arc::new(tenant))
}

/// Returns the membership that a mutation has just written.
///
/// # Errors
///
/// `NotFound` if the membership no longer exists. A retry of an idempotent request reloads it, and
/// it can be removed by then.
fn membership_object(
    MembershipChange { tenant, user }: MembershipChange,
) -> Result<MembershipObject, AccessError> {
    TenantObject(Arc::new(tenant)).membership_of(Arc::new(user)).map_err(|_| AccessError::NotFound)
}
