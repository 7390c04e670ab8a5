//! Contains the sequences of steps: only data, no code that runs them.

use super::{
    super::table::{
        Caller::{
            Admin, Anonymous, Disabled, Member, Outsider, Owner, PlatformAdmin, Unprovisioned,
        },
        TenantKind::{Active, Default, NoOtherOwner, Suspended},
    },
    Sequence, Step,
};

/// The steps of callers without an enabled user, which are the same for every mutation.
const WITHOUT_VIEWER: [Step; 3] = [
    (Anonymous, Suspended, "{}", "UNAUTHENTICATED"),
    (Disabled, Suspended, "{}", "USER_DISABLED"),
    (Unprovisioned, Suspended, "{}", "USER_NOT_PROVISIONED"),
];

fn sequence(
    (name, fields): (&'static str, &'static str),
    input: &'static str,
    first: &[Step],
    last: &[Step],
) -> Sequence {
    Sequence { name, fields, input, steps: [first, &WITHOUT_VIEWER, last].concat() }
}

/// Returns the sequences of all mutations.
#[rustfmt::skip]
pub(super) fn sequences() -> Vec<Sequence> {
    vec![
        sequence(
            ("createTenant", "tenant { id }"),
            r#"{"slug": "-", "name": "", "domains": ["$SLUG.example"]}"#,
            &[],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "BAD_USER_INPUT input.slug input.name"),
                (PlatformAdmin, Suspended, r#"{"slug": "new-$N"}"#, "BAD_USER_INPUT input.name"),
                (PlatformAdmin, Suspended, r#"{"name": "New"}"#, "CONFLICT domains"),
                (PlatformAdmin, Suspended, r#"{"domains": []}"#, "✓"),
            ],
        ),
        sequence(
            ("updateTenant", "tenant { id }"),
            r#"{"id": "x", "version": 99, "name": "", "slug": "-", "domains": ["hidden.example"]}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, r#"{"slug": null}"#, "FORBIDDEN"),
                (Owner, Suspended, r#"{"slug": "$OMIT"}"#, "TENANT_SUSPENDED"),
                (Owner, Active, "{}", "BAD_USER_INPUT input.name"),
                (Owner, Active, r#"{"name": "Changed"}"#, "STALE_VERSION 1"),
                (Owner, Active, r#"{"version": 1}"#, "CONFLICT domains"),
                (Owner, Active, r#"{"domains": []}"#, "✓"),
            ],
        ),
        sequence(
            ("updateTenant", "tenant { id }"),
            r#"{"id": "$NO_TENANT", "version": 99, "name": "", "slug": "-"}"#,
            &[],
            &[
                (PlatformAdmin, Default, "{}", "NOT_FOUND"),
                (PlatformAdmin, Default, r#"{"id": "$TENANT"}"#, "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "BAD_USER_INPUT input.slug input.name"),
                (PlatformAdmin, Suspended, r#"{"name": "Changed", "slug": "hidden"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "CONFLICT slug"),
                (PlatformAdmin, Suspended, r#"{"slug": "changed-$N"}"#, "✓"),
            ],
        ),
        sequence(
            ("deleteTenant", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Default, "{}", "NOT_FOUND"),
                (PlatformAdmin, Default, r#"{"id": "$TENANT"}"#, "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("createUser", "user { id }"),
            r#"{"subject": "", "issuer": "https://other.example", "email": "invalid", "name": ""}"#,
            &[],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "BAD_USER_INPUT input.subject input.issuer input.email input.name"),
                (PlatformAdmin, Suspended, r#"{"subject": "other-member-$N", "issuer": null, "email": "new@example.org", "name": "New"}"#, "CONFLICT subject"),
                (PlatformAdmin, Suspended, r#"{"subject": "new-$N"}"#, "✓"),
            ],
        ),
        sequence(
            ("updateUser", "user { id }"),
            r#"{"id": "x", "version": 99, "email": "invalid", "name": ""}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$MEMBER"}"#, "BAD_USER_INPUT input.email input.name"),
                (PlatformAdmin, Suspended, r#"{"email": "new@example.org", "name": "Changed"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("deleteUser", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$MEMBER"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("createSubscription", "subscription { id }"),
            r#"{"tenantId": "x", "plan": "FREE", "currentPeriodStart": "2026-02-01T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId"),
                (Anonymous, Suspended, r#"{"tenantId": "$NO_TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.currentPeriodEnd"),
                (PlatformAdmin, Suspended, r#"{"currentPeriodEnd": "2026-03-01T00:00:00Z"}"#, "CONFLICT tenantId"),
                (PlatformAdmin, Suspended, r#"{"status": "CANCELED"}"#, "✓"),
            ],
        ),
        sequence(
            ("updateSubscription", "subscription { id }"),
            r#"{"id": "x", "version": 99, "currentPeriodStart": "2026-02-01T00:00:00Z", "currentPeriodEnd": "2026-01-01T00:00:00Z"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_SUBSCRIPTION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$SUBSCRIPTION"}"#, "BAD_USER_INPUT input.currentPeriodEnd"),
                (PlatformAdmin, Suspended, r#"{"currentPeriodEnd": "2026-03-01T00:00:00Z"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("updateSubscription", "subscription { id }"),
            r#"{"id": "$ENDED", "version": 99, "status": "ACTIVE"}"#,
            &[],
            &[
                (PlatformAdmin, Suspended, "{}", "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "CONFLICT tenantId"),
                (PlatformAdmin, Suspended, r#"{"status": "INCOMPLETE_EXPIRED"}"#, "✓"),
            ],
        ),
        sequence(
            ("deleteSubscription", "deletedId"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$NO_SUBSCRIPTION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "FORBIDDEN"),
                (PlatformAdmin, Suspended, "{}", "NOT_FOUND"),
                (PlatformAdmin, Suspended, r#"{"id": "$SUBSCRIPTION"}"#, "STALE_VERSION 1"),
                (PlatformAdmin, Suspended, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("addTenantMember", "membership { role }"),
            r#"{"tenantId": "x", "userId": "y", "role": "OWNER"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId input.userId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.userId"),
                (Anonymous, Suspended, r#"{"userId": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, r#"{"role": "ADMIN"}"#, "NOT_FOUND"),
                (Admin, Suspended, r#"{"userId": "$MEMBER"}"#, "TENANT_SUSPENDED"),
                (Admin, Active, "{}", "CONFLICT userId"),
                (Admin, Active, r#"{"userId": "$PEER"}"#, "✓"),
            ],
        ),
        sequence(
            ("updateTenantMember", "membership { role }"),
            r#"{"tenantId": "x", "userId": "y", "role": "OWNER"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId input.userId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.userId"),
                (Anonymous, Suspended, r#"{"userId": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, r#"{"role": "ADMIN"}"#, "NOT_FOUND"),
                (Admin, Suspended, r#"{"userId": "$OWNER"}"#, "FORBIDDEN"),
                (Owner, Suspended, r#"{"userId": "$CALLER"}"#, "TENANT_SUSPENDED"),
                (Owner, NoOtherOwner, "{}", "CONFLICT userId"),
                (Owner, Active, "{}", "✓"),
            ],
        ),
        sequence(
            ("removeTenantMember", "removedUserId"),
            r#"{"tenantId": "x", "userId": "y"}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId input.userId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "BAD_USER_INPUT input.userId"),
                (Anonymous, Suspended, r#"{"userId": "$NO_USER"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "NOT_FOUND"),
                (Admin, Suspended, r#"{"userId": "$OWNER"}"#, "FORBIDDEN"),
                (Owner, Suspended, "{}", "TENANT_SUSPENDED"),
                (Owner, NoOtherOwner, r#"{"userId": "$CALLER"}"#, "CONFLICT userId"),
                (Owner, Suspended, "{}", "✓"),
            ],
        ),
        sequence(
            ("inviteTenantMember", "invitation { id }"),
            r#"{"tenantId": "x", "email": "x", "role": "OWNER", "expiresInDays": 0}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.tenantId"),
                (Anonymous, Suspended, r#"{"tenantId": "$TENANT"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Admin, Suspended, r#"{"role": "ADMIN"}"#, "TENANT_SUSPENDED"),
                (Admin, Active, "{}", "BAD_USER_INPUT input.email input.expiresInDays"),
                (Admin, Active, r#"{"email": "invited-$N@example.org"}"#, "BAD_USER_INPUT input.expiresInDays"),
                (Admin, Active, r#"{"expiresInDays": 1}"#, "CONFLICT email"),
                (Admin, Active, r#"{"email": "new-$N@example.org"}"#, "✓"),
            ],
        ),
        sequence(
            ("resendInvitation", "invitation { id }"),
            r#"{"id": "x", "version": 99, "expiresInDays": 0}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$HIGH_INVITATION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "NOT_FOUND"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "TENANT_SUSPENDED"),
                (Owner, Active, "{}", "BAD_USER_INPUT input.expiresInDays"),
                (Owner, Active, r#"{"expiresInDays": 30}"#, "STALE_VERSION 1"),
                (Owner, Active, r#"{"version": 1}"#, "✓"),
            ],
        ),
        sequence(
            ("revokeInvitation", "invitation { id }"),
            r#"{"id": "x", "version": 99}"#,
            &[
                (Anonymous, Suspended, "{}", "BAD_USER_INPUT input.id"),
                (Anonymous, Suspended, r#"{"id": "$HIGH_INVITATION"}"#, "UNAUTHENTICATED"),
            ],
            &[
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Member, Suspended, "{}", "NOT_FOUND"),
                (Admin, Suspended, "{}", "FORBIDDEN"),
                (Owner, Suspended, "{}", "TENANT_SUSPENDED"),
                (Owner, Active, "{}", "STALE_VERSION 1"),
                (Owner, Active, r#"{"version": 1}"#, "✓"),
            ],
        ),
        // A caller needs no user to accept an invitation.
        Sequence {
            name: "acceptInvitation",
            fields: "membership { role }",
            input: r#"{"token": "x"}"#,
            steps: vec![
                (Anonymous, Suspended, "{}", "UNAUTHENTICATED"),
                (Disabled, Suspended, "{}", "USER_DISABLED"),
                (Unprovisioned, Suspended, "{}", "NOT_FOUND"),
                (Outsider, Suspended, "{}", "NOT_FOUND"),
                (Outsider, Suspended, r#"{"token": "$TOKEN"}"#, "FORBIDDEN"),
                (Outsider, Suspended, r#"{"token": "$CALLER_TOKEN"}"#, "TENANT_SUSPENDED"),
                (Outsider, Active, "{}", "✓"),
                (Unprovisioned, Active, "{}", "✓"),
            ],
        },
    ]
}
