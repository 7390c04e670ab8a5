//! Contains the rows of the mutations, and the rows of suspended and archived tenants.

use super::{
    ADMINS, ADMINS_IF_SUSPENDED, CONFLICT, Caller, FIELD_FOR_ADMINS, FORBIDDEN, FORBIDDEN_FOR_ALL,
    MEMBERS, NOT_FOUND, NOT_FOUND_FOR_ALL, OWNERS, OWNERS_IF_SUSPENDED, Operation,
    Outcome::{self, Allowed},
    PLATFORM_ADMINS, PLATFORM_ADMINS_IN_TENANT, PLATFORM_ADMINS_NOT_FOUND, Row, SUSPENDED,
    TenantKind, read, write,
};

const TENANT: &[(&str, &str)] = &[("tenant", "{ id }")];
const USER: &[(&str, &str)] = &[("user", "{ id }")];
const SUBSCRIPTION: &[(&str, &str)] = &[("subscription", "{ id }")];
const ISSUED: &[(&str, &str)] = &[("invitation", "{ id }"), ("token", ""), ("acceptUrl", "")];
const DELETED: &[(&str, &str)] = &[("deletedId", "")];
const MEMBERSHIP: &[(&str, &str)] = &[("membership", "{ role }")];
const REMOVED: &[(&str, &str)] = &[("tenant", "{ id }"), ("removedUserId", "")];

const fn for_platform_admins(
    name: &'static str,
    action: &'static str,
    counts: [i64; 3],
    payload: &'static [(&'static str, &'static str)],
) -> Operation {
    Operation { name, payload, action, counts, platform_only: true }
}

const fn for_tenant_roles(
    name: &'static str,
    action: &'static str,
    payload: &'static [(&'static str, &'static str)],
) -> Operation {
    Operation { name, payload, action, counts: [0, 0, 0], platform_only: false }
}

const CREATE_TENANT: Operation =
    for_platform_admins("createTenant", "tenant.create", [1, 0, 1], TENANT);
const UPDATE_TENANT: Operation = for_tenant_roles("updateTenant", "tenant.update", TENANT);
const DELETE_TENANT: Operation =
    for_platform_admins("deleteTenant", "tenant.delete", [-1, 0, -1], DELETED);
const CREATE_USER: Operation = for_platform_admins("createUser", "user.create", [0, 1, 0], USER);
const UPDATE_USER: Operation = for_platform_admins("updateUser", "user.update", [0, 0, 0], USER);
const DELETE_USER: Operation =
    for_platform_admins("deleteUser", "user.delete", [0, -1, 0], DELETED);
const CREATE_SUBSCRIPTION: Operation =
    for_platform_admins("createSubscription", "subscription.create", [0, 0, 1], SUBSCRIPTION);
const UPDATE_SUBSCRIPTION: Operation =
    for_platform_admins("updateSubscription", "subscription.update", [0, 0, 0], SUBSCRIPTION);
const DELETE_SUBSCRIPTION: Operation =
    for_platform_admins("deleteSubscription", "subscription.delete", [0, 0, -1], DELETED);
const ADD_MEMBER: Operation = for_tenant_roles("addTenantMember", "membership.add", MEMBERSHIP);
const UPDATE_MEMBER: Operation =
    for_tenant_roles("updateTenantMember", "membership.update", MEMBERSHIP);
const REMOVE_MEMBER: Operation =
    for_tenant_roles("removeTenantMember", "membership.remove", REMOVED);

const INVITE: Operation = for_tenant_roles("inviteTenantMember", "invitation.create", ISSUED);
const RESEND_INVITATION: Operation =
    for_tenant_roles("resendInvitation", "invitation.resend", ISSUED);
const REVOKE_INVITATION: Operation =
    for_tenant_roles("revokeInvitation", "invitation.revoke", &[("invitation", "{ id }")]);
const ACCEPT_INVITATION: Operation =
    for_tenant_roles("acceptInvitation", "invitation.accept", MEMBERSHIP);

#[rustfmt::skip]
pub(super) fn tenants() -> Vec<Row> {
    vec![
        write("`createTenant`", CREATE_TENANT, r#"{"slug": "new-$N", "name": "New"}"#, PLATFORM_ADMINS),
        write("`updateTenant`: `name`", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS),
        write("`updateTenant`: `domains`", UPDATE_TENANT, r#"{"id": "$TENANT", "domains": ["changed-$N.example"]}"#, ADMINS),
        write("`updateTenant`: `billingInfo`", UPDATE_TENANT, r#"{"id": "$TENANT", "billingInfo": {"vatId": null}}"#, ADMINS),
        write("`updateTenant`: `slug`", UPDATE_TENANT, r#"{"id": "$TENANT", "slug": "changed-$N"}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`updateTenant`: `plan`", UPDATE_TENANT, r#"{"id": "$TENANT", "plan": "ENTERPRISE"}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`updateTenant`: `status`", UPDATE_TENANT, r#"{"id": "$TENANT", "status": "SUSPENDED"}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`updateTenant`: `integrations`", UPDATE_TENANT, r#"{"id": "$TENANT", "integrations": {"ocisSpace": "changed-$N"}}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`updateTenant`: `integrations` set to null", UPDATE_TENANT, r#"{"id": "$TENANT", "integrations": null}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`updateTenant`: `name` with `plan`", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N", "plan": "FREE"}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`updateTenant`: `name` of a PENDING tenant", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS).in_tenant(TenantKind::Pending),
        write("`updateTenant` of a nonexistent tenant", UPDATE_TENANT, r#"{"id": "$NO_TENANT", "name": "Changed", "slug": "changed-$N"}"#, NOT_FOUND_FOR_ALL),
        write("`updateTenant`: `name` of the default tenant", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS).in_tenant(TenantKind::Default),
        write("`updateTenant`: `slug` of the default tenant", UPDATE_TENANT, r#"{"id": "$TENANT", "slug": "changed-$N"}"#, [NOT_FOUND, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]).in_tenant(TenantKind::Default),
        write("`deleteTenant`", DELETE_TENANT, r#"{"id": "$TENANT"}"#, PLATFORM_ADMINS),
        write("`deleteTenant` of a nonexistent tenant", DELETE_TENANT, r#"{"id": "$NO_TENANT"}"#, PLATFORM_ADMINS_NOT_FOUND),
        write("`deleteTenant` of the default tenant", DELETE_TENANT, r#"{"id": "$TENANT"}"#, FORBIDDEN_FOR_ALL).in_tenant(TenantKind::Default),
    ]
}

#[rustfmt::skip]
pub(super) fn users() -> Vec<Row> {
    vec![
        write("`createUser`", CREATE_USER, r#"{"subject": "new-$N", "email": "new-$N@example.org", "name": "New"}"#, PLATFORM_ADMINS),
        write("`createUser` of a platform admin", CREATE_USER, r#"{"subject": "new-$N", "email": "new-$N@example.org", "name": "New", "platformAdmin": true}"#, PLATFORM_ADMINS),
        write("`updateUser`: `name`, `email`", UPDATE_USER, r#"{"id": "$MEMBER", "name": "Changed", "email": "changed-$N@example.org"}"#, PLATFORM_ADMINS),
        write("`updateUser`: `platformAdmin`", UPDATE_USER, r#"{"id": "$MEMBER", "platformAdmin": true}"#, PLATFORM_ADMINS),
        write("`updateUser`: `disabled`", UPDATE_USER, r#"{"id": "$OWNER", "disabled": true}"#, PLATFORM_ADMINS),
        write("`updateUser` of the caller", UPDATE_USER, r#"{"id": "$CALLER", "name": "Changed"}"#, PLATFORM_ADMINS),
        write("`updateUser`: `platformAdmin` of the caller", UPDATE_USER, r#"{"id": "$CALLER", "name": "Changed", "platformAdmin": true}"#, PLATFORM_ADMINS),
        write("`updateUser` of a stranger", UPDATE_USER, r#"{"id": "$STRANGER", "name": "Changed"}"#, PLATFORM_ADMINS),
        write("`updateUser` of a nonexistent user", UPDATE_USER, r#"{"id": "$NO_USER", "name": "Changed"}"#, PLATFORM_ADMINS_NOT_FOUND),
        write("`deleteUser`", DELETE_USER, r#"{"id": "$MEMBER"}"#, PLATFORM_ADMINS),
        write("`deleteUser` of the caller", DELETE_USER, r#"{"id": "$CALLER"}"#, PLATFORM_ADMINS),
        write("`deleteUser` of a nonexistent user", DELETE_USER, r#"{"id": "$NO_USER"}"#, PLATFORM_ADMINS_NOT_FOUND),
    ]
}

#[rustfmt::skip]
pub(super) fn subscriptions() -> Vec<Row> {
    vec![
        write("`createSubscription`", CREATE_SUBSCRIPTION, r#"{"tenantId": "$TENANT", "plan": "FREE", "status": "CANCELED"}"#, PLATFORM_ADMINS),
        write("`createSubscription` for a nonexistent tenant", CREATE_SUBSCRIPTION, r#"{"tenantId": "$NO_TENANT", "plan": "FREE"}"#, PLATFORM_ADMINS_NOT_FOUND),
        write("`updateSubscription`", UPDATE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION", "cancelAtPeriodEnd": true}"#, PLATFORM_ADMINS),
        write("`updateSubscription`: `stripe`", UPDATE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION", "stripe": {"priceId": "price_1"}}"#, PLATFORM_ADMINS),
        write("`updateSubscription` of a nonexistent subscription", UPDATE_SUBSCRIPTION, r#"{"id": "$NO_SUBSCRIPTION", "plan": "FREE"}"#, PLATFORM_ADMINS_NOT_FOUND),
        write("`deleteSubscription`", DELETE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION"}"#, PLATFORM_ADMINS),
        write("`deleteSubscription` of a nonexistent subscription", DELETE_SUBSCRIPTION, r#"{"id": "$NO_SUBSCRIPTION"}"#, PLATFORM_ADMINS_NOT_FOUND),
    ]
}

#[rustfmt::skip]
pub(super) fn members() -> Vec<Row> {
    const NON_MEMBER_AS_TARGET: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND];
    vec![
        write("`addTenantMember` as MEMBER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, ADMINS),
        write("`addTenantMember` as ADMIN", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "ADMIN"}"#, ADMINS),
        write("`addTenantMember` as OWNER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "OWNER"}"#, OWNERS),
        write("`addTenantMember` of a stranger", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$STRANGER"}"#, [NOT_FOUND, FORBIDDEN, NOT_FOUND, NOT_FOUND, Allowed]),
        write("`addTenantMember` of a nonexistent user", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$NO_USER"}"#, NON_MEMBER_AS_TARGET),
        write("`addTenantMember` of a member", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER"}"#, [NOT_FOUND, FORBIDDEN, CONFLICT, CONFLICT, CONFLICT]),
        write("`addTenantMember` of the caller as OWNER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER", "role": "OWNER"}"#, [NOT_FOUND, FORBIDDEN, FORBIDDEN, CONFLICT, Allowed]),
        write("`addTenantMember` in a nonexistent tenant", ADD_MEMBER, r#"{"tenantId": "$NO_TENANT", "userId": "$PEER"}"#, NOT_FOUND_FOR_ALL),
        write("`updateTenantMember`: a MEMBER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER", "role": "ADMIN"}"#, ADMINS),
        write("`updateTenantMember`: a MEMBER becomes OWNER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER", "role": "OWNER"}"#, OWNERS),
        write("`updateTenantMember`: an ADMIN becomes MEMBER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$ADMIN", "role": "MEMBER"}"#, ADMINS),
        write("`updateTenantMember`: an ADMIN becomes OWNER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$ADMIN", "role": "OWNER"}"#, OWNERS),
        write("`updateTenantMember`: an OWNER becomes MEMBER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER", "role": "MEMBER"}"#, OWNERS),
        write("`updateTenantMember`: an OWNER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER", "role": "ADMIN"}"#, OWNERS),
        write("`updateTenantMember`: the caller becomes MEMBER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER", "role": "MEMBER"}"#, [NOT_FOUND, FORBIDDEN, Allowed, Allowed, NOT_FOUND]),
        write("`updateTenantMember`: the caller becomes MEMBER, no other owner", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER", "role": "MEMBER"}"#, [NOT_FOUND, FORBIDDEN, Allowed, CONFLICT, NOT_FOUND]).in_tenant(TenantKind::NoOtherOwner),
        write("`updateTenantMember` of a non-member", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "MEMBER"}"#, NON_MEMBER_AS_TARGET),
        write("`updateTenantMember` of a nonexistent user", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$NO_USER", "role": "MEMBER"}"#, NON_MEMBER_AS_TARGET),
        write("`updateTenantMember` in a nonexistent tenant", UPDATE_MEMBER, r#"{"tenantId": "$NO_TENANT", "userId": "$MEMBER", "role": "ADMIN"}"#, NOT_FOUND_FOR_ALL),
        write("`removeTenantMember` of a MEMBER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER"}"#, ADMINS),
        write("`removeTenantMember` of an ADMIN", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$ADMIN"}"#, ADMINS),
        write("`removeTenantMember` of an OWNER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER"}"#, OWNERS),
        write("`removeTenantMember` of the caller (leaving)", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Allowed, Allowed, Allowed, NOT_FOUND]),
        write("`removeTenantMember` of the caller, no other owner", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Allowed, Allowed, CONFLICT, NOT_FOUND]).in_tenant(TenantKind::NoOtherOwner),
        write("`removeTenantMember` of a non-member", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, NON_MEMBER_AS_TARGET),
        write("`removeTenantMember` of a nonexistent user", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$NO_USER"}"#, NON_MEMBER_AS_TARGET),
        write("`removeTenantMember` in a nonexistent tenant", REMOVE_MEMBER, r#"{"tenantId": "$NO_TENANT", "userId": "$CALLER"}"#, NOT_FOUND_FOR_ALL),
    ]
}

#[rustfmt::skip]
pub(super) fn invitations() -> Vec<Row> {
    const ADMINS_OF_INVITATION: [Outcome; 5] = [NOT_FOUND, NOT_FOUND, Allowed, Allowed, Allowed];
    const OWNERS_OF_INVITATION: [Outcome; 5] = [NOT_FOUND, NOT_FOUND, FORBIDDEN, Allowed, Allowed];
    const CONFLICT_FOR_ADMINS: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, CONFLICT, CONFLICT, CONFLICT];
    vec![
        write("`inviteTenantMember` as MEMBER", INVITE, r#"{"tenantId": "$TENANT", "email": "new-$N@example.org"}"#, ADMINS),
        write("`inviteTenantMember` as ADMIN", INVITE, r#"{"tenantId": "$TENANT", "email": "new-$N@example.org", "role": "ADMIN"}"#, ADMINS),
        write("`inviteTenantMember` as OWNER", INVITE, r#"{"tenantId": "$TENANT", "email": "new-$N@example.org", "role": "OWNER"}"#, OWNERS),
        write("`inviteTenantMember` of a member", INVITE, r#"{"tenantId": "$TENANT", "email": "other-member-$N@example.org"}"#, CONFLICT_FOR_ADMINS),
        write("`inviteTenantMember` of an invited address", INVITE, r#"{"tenantId": "$TENANT", "email": "invited-$N@example.org"}"#, CONFLICT_FOR_ADMINS),
        write("`inviteTenantMember` in a nonexistent tenant", INVITE, r#"{"tenantId": "$NO_TENANT", "email": "new-$N@example.org"}"#, NOT_FOUND_FOR_ALL),
        write("`resendInvitation` as MEMBER", RESEND_INVITATION, r#"{"id": "$INVITATION"}"#, ADMINS_OF_INVITATION),
        write("`resendInvitation` as OWNER", RESEND_INVITATION, r#"{"id": "$HIGH_INVITATION"}"#, OWNERS_OF_INVITATION),
        write("`resendInvitation` of a nonexistent invitation", RESEND_INVITATION, r#"{"id": "$NO_INVITATION"}"#, NOT_FOUND_FOR_ALL),
        write("`revokeInvitation` as MEMBER", REVOKE_INVITATION, r#"{"id": "$INVITATION"}"#, ADMINS_OF_INVITATION),
        write("`revokeInvitation` as OWNER", REVOKE_INVITATION, r#"{"id": "$HIGH_INVITATION"}"#, OWNERS_OF_INVITATION),
        write("`revokeInvitation` of a nonexistent invitation", REVOKE_INVITATION, r#"{"id": "$NO_INVITATION"}"#, NOT_FOUND_FOR_ALL),
        acceptance("`acceptInvitation`", "$CALLER_TOKEN", Allowed),
        acceptance("`acceptInvitation` with a wrong token", "$N", NOT_FOUND),
    ]
}

/// Returns a row for the acceptance of an invitation, for which a caller needs no user.
fn acceptance(title: &'static str, token: &'static str, outcome: Outcome) -> Row {
    let input = match token {
        "$CALLER_TOKEN" => r#"{"token": "$CALLER_TOKEN"}"#,
        _ => r#"{"token": "$N"}"#,
    };
    let mut row = write(title, ACCEPT_INVITATION, input, [outcome; 5]);
    row.expected[Caller::Unprovisioned as usize] = outcome;
    row
}

#[rustfmt::skip]
pub(super) fn suspended() -> Vec<Row> {
    let rows = [
        write("`updateTenant`: `name`", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS_IF_SUSPENDED),
        write("`updateTenant`: `status`", UPDATE_TENANT, r#"{"id": "$TENANT", "status": "ACTIVE"}"#, PLATFORM_ADMINS_IN_TENANT),
        write("`addTenantMember` as MEMBER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, ADMINS_IF_SUSPENDED),
        write("`addTenantMember` as OWNER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "OWNER"}"#, OWNERS_IF_SUSPENDED),
        write("`updateTenantMember`: a MEMBER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER", "role": "ADMIN"}"#, ADMINS_IF_SUSPENDED),
        write("`updateTenantMember`: an OWNER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER", "role": "ADMIN"}"#, OWNERS_IF_SUSPENDED),
        write("`removeTenantMember` of a MEMBER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER"}"#, ADMINS_IF_SUSPENDED),
        write("`removeTenantMember` of an OWNER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER"}"#, OWNERS_IF_SUSPENDED),
        write("`removeTenantMember` of the caller (leaving)", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Allowed, Allowed, Allowed, NOT_FOUND]),
        write("`updateUser` of a member", UPDATE_USER, r#"{"id": "$MEMBER", "name": "Changed"}"#, PLATFORM_ADMINS),
        write("`deleteUser` of a member", DELETE_USER, r#"{"id": "$MEMBER"}"#, PLATFORM_ADMINS),
        write("`createSubscription`", CREATE_SUBSCRIPTION, r#"{"tenantId": "$TENANT", "plan": "FREE", "status": "CANCELED"}"#, PLATFORM_ADMINS),
        write("`updateSubscription`", UPDATE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION", "cancelAtPeriodEnd": true}"#, PLATFORM_ADMINS),
        write("`deleteSubscription`", DELETE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION"}"#, PLATFORM_ADMINS),
        write("`deleteTenant`", DELETE_TENANT, r#"{"id": "$TENANT"}"#, PLATFORM_ADMINS),
    ];
    let mut rows: Vec<Row> = rows.map(|row| row.in_tenant(TenantKind::Suspended)).into();
    let of_invitation = [NOT_FOUND, NOT_FOUND, SUSPENDED, SUSPENDED, Allowed];
    rows.extend(
        [
            write("`inviteTenantMember` as MEMBER", INVITE, r#"{"tenantId": "$TENANT", "email": "new-$N@example.org"}"#, ADMINS_IF_SUSPENDED),
            write("`resendInvitation` as MEMBER", RESEND_INVITATION, r#"{"id": "$INVITATION"}"#, of_invitation),
            write("`revokeInvitation` as MEMBER", REVOKE_INVITATION, r#"{"id": "$INVITATION"}"#, of_invitation),
            acceptance("`acceptInvitation`", "$CALLER_TOKEN", SUSPENDED),
        ]
        .map(|row| row.in_tenant(TenantKind::Suspended)),
    );
    rows.extend([
        write("`updateTenant`: `name`, ARCHIVED", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS_IF_SUSPENDED).in_tenant(TenantKind::Archived),
        write("`addTenantMember` as MEMBER, ARCHIVED", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, ADMINS_IF_SUSPENDED).in_tenant(TenantKind::Archived),
        write("`removeTenantMember` of the caller (leaving), ARCHIVED", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Allowed, Allowed, Allowed, NOT_FOUND]).in_tenant(TenantKind::Archived),
    ]);
    rows.extend(
        [
            read("`tenant`", &["Query.tenant"], r#"tenant(slug: "$SLUG") { id }"#, "/tenant", MEMBERS),
            read("`billingInfo`", &["Tenant.billingInfo"], r#"tenant(slug: "$SLUG") { billingInfo { email } }"#, "/tenant/billingInfo", FIELD_FOR_ADMINS),
        ]
        .map(|row| row.in_tenant(TenantKind::Suspended)),
    );
    rows
}
