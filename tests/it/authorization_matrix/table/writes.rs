//! What can be done, and what can still be done and seen where a tenant is closed.

use super::{
    ADMINS, ADMINS_WHEN_CLOSED, CONFLICT, FIELD_FOR_ADMINS, FORBIDDEN, NOBODY_AT_ALL, NOT_FOUND,
    NOT_THERE, OWNERS, OWNERS_WHEN_CLOSED, Operation,
    Outcome::{self, Yes},
    PLATFORM_ABSENT, PLATFORM_ALONE, PLATFORM_IN_TENANT, Place, Row, WHO_SEES_THE_TENANT, read,
    write,
};

const TENANT: &[(&str, &str)] = &[("tenant", "{ id }")];
const USER: &[(&str, &str)] = &[("user", "{ id }")];
const SUBSCRIPTION: &[(&str, &str)] = &[("subscription", "{ id }")];
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

const fn for_the_tenants_people(
    name: &'static str,
    action: &'static str,
    payload: &'static [(&'static str, &'static str)],
) -> Operation {
    Operation { name, payload, action, counts: [0, 0, 0], platform_only: false }
}

const CREATE_TENANT: Operation =
    for_platform_admins("createTenant", "tenant.create", [1, 0, 1], TENANT);
const UPDATE_TENANT: Operation = for_the_tenants_people("updateTenant", "tenant.update", TENANT);
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
const ADD_MEMBER: Operation =
    for_the_tenants_people("addTenantMember", "membership.add", MEMBERSHIP);
const UPDATE_MEMBER: Operation =
    for_the_tenants_people("updateTenantMember", "membership.update", MEMBERSHIP);
const REMOVE_MEMBER: Operation =
    for_the_tenants_people("removeTenantMember", "membership.remove", REMOVED);

#[rustfmt::skip]
pub(super) fn tenants() -> Vec<Row> {
    vec![
        write("`createTenant`", CREATE_TENANT, r#"{"slug": "new-$N", "name": "New"}"#, PLATFORM_ALONE),
        write("`updateTenant`: `name`", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS),
        write("`updateTenant`: `domains`", UPDATE_TENANT, r#"{"id": "$TENANT", "domains": ["changed-$N.example"]}"#, ADMINS),
        write("`updateTenant`: `billingInfo`", UPDATE_TENANT, r#"{"id": "$TENANT", "billingInfo": {"vatId": null}}"#, ADMINS),
        write("`updateTenant`: `slug`", UPDATE_TENANT, r#"{"id": "$TENANT", "slug": "changed-$N"}"#, PLATFORM_IN_TENANT),
        write("`updateTenant`: `plan`", UPDATE_TENANT, r#"{"id": "$TENANT", "plan": "ENTERPRISE"}"#, PLATFORM_IN_TENANT),
        write("`updateTenant`: `status`", UPDATE_TENANT, r#"{"id": "$TENANT", "status": "SUSPENDED"}"#, PLATFORM_IN_TENANT),
        write("`updateTenant`: `integrations`", UPDATE_TENANT, r#"{"id": "$TENANT", "integrations": {"ocisSpace": "changed-$N"}}"#, PLATFORM_IN_TENANT),
        write("`updateTenant`: `integrations`, to null", UPDATE_TENANT, r#"{"id": "$TENANT", "integrations": null}"#, PLATFORM_IN_TENANT),
        write("`updateTenant`: `name` with `plan`", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N", "plan": "FREE"}"#, PLATFORM_IN_TENANT),
        write("`updateTenant`: `name` of a PENDING tenant", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS).of(Place::Pending),
        write("`updateTenant` of an absent tenant", UPDATE_TENANT, r#"{"id": "$NO_TENANT", "name": "Changed", "slug": "changed-$N"}"#, NOT_THERE),
        write("`updateTenant`: `name` of the default tenant", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS).of(Place::Default),
        write("`updateTenant`: `slug` of the default tenant", UPDATE_TENANT, r#"{"id": "$TENANT", "slug": "changed-$N"}"#, [NOT_FOUND, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]).of(Place::Default),
        write("`deleteTenant`", DELETE_TENANT, r#"{"id": "$TENANT"}"#, PLATFORM_ALONE),
        write("`deleteTenant` of an absent tenant", DELETE_TENANT, r#"{"id": "$NO_TENANT"}"#, PLATFORM_ABSENT),
        write("`deleteTenant` of the default tenant", DELETE_TENANT, r#"{"id": "$TENANT"}"#, NOBODY_AT_ALL).of(Place::Default),
    ]
}

#[rustfmt::skip]
pub(super) fn users() -> Vec<Row> {
    vec![
        write("`createUser`", CREATE_USER, r#"{"subject": "new-$N", "email": "new-$N@example.org", "name": "New"}"#, PLATFORM_ALONE),
        write("`createUser` of a platform admin", CREATE_USER, r#"{"subject": "new-$N", "email": "new-$N@example.org", "name": "New", "platformAdmin": true}"#, PLATFORM_ALONE),
        write("`updateUser`: `name`, `email`", UPDATE_USER, r#"{"id": "$MEMBER", "name": "Changed", "email": "changed-$N@example.org"}"#, PLATFORM_ALONE),
        write("`updateUser`: `platformAdmin`", UPDATE_USER, r#"{"id": "$MEMBER", "platformAdmin": true}"#, PLATFORM_ALONE),
        write("`updateUser`: `disabled`", UPDATE_USER, r#"{"id": "$OWNER", "disabled": true}"#, PLATFORM_ALONE),
        write("`updateUser` of oneself", UPDATE_USER, r#"{"id": "$CALLER", "name": "Changed"}"#, PLATFORM_ALONE),
        write("`updateUser`: `platformAdmin` of oneself", UPDATE_USER, r#"{"id": "$CALLER", "name": "Changed", "platformAdmin": true}"#, PLATFORM_ALONE),
        write("`updateUser` of a stranger", UPDATE_USER, r#"{"id": "$STRANGER", "name": "Changed"}"#, PLATFORM_ALONE),
        write("`updateUser` of an absent user", UPDATE_USER, r#"{"id": "$NO_USER", "name": "Changed"}"#, PLATFORM_ABSENT),
        write("`deleteUser`", DELETE_USER, r#"{"id": "$MEMBER"}"#, PLATFORM_ALONE),
        write("`deleteUser` of oneself", DELETE_USER, r#"{"id": "$CALLER"}"#, PLATFORM_ALONE),
        write("`deleteUser` of an absent user", DELETE_USER, r#"{"id": "$NO_USER"}"#, PLATFORM_ABSENT),
    ]
}

#[rustfmt::skip]
pub(super) fn subscriptions() -> Vec<Row> {
    vec![
        write("`createSubscription`", CREATE_SUBSCRIPTION, r#"{"tenantId": "$TENANT", "plan": "FREE", "status": "CANCELED"}"#, PLATFORM_ALONE),
        write("`createSubscription` of an absent tenant", CREATE_SUBSCRIPTION, r#"{"tenantId": "$NO_TENANT", "plan": "FREE"}"#, PLATFORM_ABSENT),
        write("`updateSubscription`", UPDATE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION", "cancelAtPeriodEnd": true}"#, PLATFORM_ALONE),
        write("`updateSubscription`: `stripe`", UPDATE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION", "stripe": {"priceId": "price_1"}}"#, PLATFORM_ALONE),
        write("`updateSubscription` of an absent one", UPDATE_SUBSCRIPTION, r#"{"id": "$NO_SUBSCRIPTION", "plan": "FREE"}"#, PLATFORM_ABSENT),
        write("`deleteSubscription`", DELETE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION"}"#, PLATFORM_ALONE),
        write("`deleteSubscription` of an absent one", DELETE_SUBSCRIPTION, r#"{"id": "$NO_SUBSCRIPTION"}"#, PLATFORM_ABSENT),
    ]
}

#[rustfmt::skip]
pub(super) fn members() -> Vec<Row> {
    const WHO_IS_NO_MEMBER: [Outcome; 5] = [NOT_FOUND, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND];
    vec![
        write("`addTenantMember` as MEMBER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, ADMINS),
        write("`addTenantMember` as ADMIN", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "ADMIN"}"#, ADMINS),
        write("`addTenantMember` as OWNER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "OWNER"}"#, OWNERS),
        write("`addTenantMember` of a stranger", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$STRANGER"}"#, [NOT_FOUND, FORBIDDEN, NOT_FOUND, NOT_FOUND, Yes]),
        write("`addTenantMember` of an absent user", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$NO_USER"}"#, WHO_IS_NO_MEMBER),
        write("`addTenantMember` of a member", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER"}"#, [NOT_FOUND, FORBIDDEN, CONFLICT, CONFLICT, CONFLICT]),
        write("`addTenantMember` of oneself as OWNER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER", "role": "OWNER"}"#, [NOT_FOUND, FORBIDDEN, FORBIDDEN, CONFLICT, Yes]),
        write("`addTenantMember` in an absent tenant", ADD_MEMBER, r#"{"tenantId": "$NO_TENANT", "userId": "$PEER"}"#, NOT_THERE),
        write("`updateTenantMember`: a MEMBER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER", "role": "ADMIN"}"#, ADMINS),
        write("`updateTenantMember`: a MEMBER becomes OWNER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER", "role": "OWNER"}"#, OWNERS),
        write("`updateTenantMember`: an ADMIN becomes MEMBER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$ADMIN", "role": "MEMBER"}"#, ADMINS),
        write("`updateTenantMember`: an ADMIN becomes OWNER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$ADMIN", "role": "OWNER"}"#, OWNERS),
        write("`updateTenantMember`: an OWNER becomes MEMBER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER", "role": "MEMBER"}"#, OWNERS),
        write("`updateTenantMember`: an OWNER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER", "role": "ADMIN"}"#, OWNERS),
        write("`updateTenantMember`: oneself becomes MEMBER", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER", "role": "MEMBER"}"#, [NOT_FOUND, FORBIDDEN, Yes, Yes, NOT_FOUND]),
        write("`updateTenantMember`: oneself becomes MEMBER, as the last owner", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER", "role": "MEMBER"}"#, [NOT_FOUND, FORBIDDEN, Yes, CONFLICT, NOT_FOUND]).of(Place::Ownerless),
        write("`updateTenantMember` of who is no member", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "MEMBER"}"#, WHO_IS_NO_MEMBER),
        write("`updateTenantMember` of an absent user", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$NO_USER", "role": "MEMBER"}"#, WHO_IS_NO_MEMBER),
        write("`updateTenantMember` in an absent tenant", UPDATE_MEMBER, r#"{"tenantId": "$NO_TENANT", "userId": "$MEMBER", "role": "ADMIN"}"#, NOT_THERE),
        write("`removeTenantMember` of a MEMBER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER"}"#, ADMINS),
        write("`removeTenantMember` of an ADMIN", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$ADMIN"}"#, ADMINS),
        write("`removeTenantMember` of an OWNER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER"}"#, OWNERS),
        write("`removeTenantMember` of oneself (leaving)", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Yes, Yes, Yes, NOT_FOUND]),
        write("`removeTenantMember` of oneself, as the last owner", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Yes, Yes, CONFLICT, NOT_FOUND]).of(Place::Ownerless),
        write("`removeTenantMember` of who is no member", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, WHO_IS_NO_MEMBER),
        write("`removeTenantMember` of an absent user", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$NO_USER"}"#, WHO_IS_NO_MEMBER),
        write("`removeTenantMember` in an absent tenant", REMOVE_MEMBER, r#"{"tenantId": "$NO_TENANT", "userId": "$CALLER"}"#, NOT_THERE),
    ]
}

#[rustfmt::skip]
pub(super) fn closed() -> Vec<Row> {
    let rows = [
        write("`updateTenant`: `name`", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS_WHEN_CLOSED),
        write("`updateTenant`: `status`", UPDATE_TENANT, r#"{"id": "$TENANT", "status": "ACTIVE"}"#, PLATFORM_IN_TENANT),
        write("`addTenantMember` as MEMBER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, ADMINS_WHEN_CLOSED),
        write("`addTenantMember` as OWNER", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER", "role": "OWNER"}"#, OWNERS_WHEN_CLOSED),
        write("`updateTenantMember`: a MEMBER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER", "role": "ADMIN"}"#, ADMINS_WHEN_CLOSED),
        write("`updateTenantMember`: an OWNER becomes ADMIN", UPDATE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER", "role": "ADMIN"}"#, OWNERS_WHEN_CLOSED),
        write("`removeTenantMember` of a MEMBER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$MEMBER"}"#, ADMINS_WHEN_CLOSED),
        write("`removeTenantMember` of an OWNER", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$OWNER"}"#, OWNERS_WHEN_CLOSED),
        write("`removeTenantMember` of oneself (leaving)", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Yes, Yes, Yes, NOT_FOUND]),
        write("`updateUser` of a member", UPDATE_USER, r#"{"id": "$MEMBER", "name": "Changed"}"#, PLATFORM_ALONE),
        write("`deleteUser` of a member", DELETE_USER, r#"{"id": "$MEMBER"}"#, PLATFORM_ALONE),
        write("`createSubscription`", CREATE_SUBSCRIPTION, r#"{"tenantId": "$TENANT", "plan": "FREE", "status": "CANCELED"}"#, PLATFORM_ALONE),
        write("`updateSubscription`", UPDATE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION", "cancelAtPeriodEnd": true}"#, PLATFORM_ALONE),
        write("`deleteSubscription`", DELETE_SUBSCRIPTION, r#"{"id": "$SUBSCRIPTION"}"#, PLATFORM_ALONE),
        write("`deleteTenant`", DELETE_TENANT, r#"{"id": "$TENANT"}"#, PLATFORM_ALONE),
    ];
    let mut rows: Vec<Row> = rows.map(|row| row.of(Place::Suspended)).into();
    rows.extend([
        write("`updateTenant`: `name`, ARCHIVED", UPDATE_TENANT, r#"{"id": "$TENANT", "name": "Changed $N"}"#, ADMINS_WHEN_CLOSED).of(Place::Archived),
        write("`addTenantMember` as MEMBER, ARCHIVED", ADD_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$PEER"}"#, ADMINS_WHEN_CLOSED).of(Place::Archived),
        write("`removeTenantMember` of oneself (leaving), ARCHIVED", REMOVE_MEMBER, r#"{"tenantId": "$TENANT", "userId": "$CALLER"}"#, [NOT_FOUND, Yes, Yes, Yes, NOT_FOUND]).of(Place::Archived),
    ]);
    rows.extend(
        [
            read("`tenant`", &["Query.tenant"], r#"tenant(slug: "$SLUG") { id }"#, "/tenant", WHO_SEES_THE_TENANT),
            read("`billingInfo`", &["Tenant.billingInfo"], r#"tenant(slug: "$SLUG") { billingInfo { email } }"#, "/tenant/billingInfo", FIELD_FOR_ADMINS),
        ]
        .map(|row| row.of(Place::Suspended)),
    );
    rows
}
