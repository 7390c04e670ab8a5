//! Tests every argument and input field of the schema that takes an identifier.
//!
//! A malformed identifier is rejected before anything is read. The response for a resource that the
//! viewer cannot see is the same as for one that does not exist.

use serde_json::{Value, json};

use super::{
    fixture::{self, Fixture},
    mutation_document, send_as,
    table::{Caller, TenantKind},
};
use crate::support::app::{App, Reply, on_both_stores};

on_both_stores! {
    malformed_identifiers_are_rejected_without_a_lookup,
    hidden_resources_are_indistinguishable_from_nonexistent_ones,
}

/// The kind of object that an identifier refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdKind {
    Tenant,
    User,
    Subscription,
    Invitation,
    Any,
}

impl IdKind {
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Tenant => &["ten_"],
            Self::User => &["usr_"],
            Self::Subscription => &["sub_"],
            Self::Invitation => &["inv_"],
            Self::Any => &["ten_", "usr_", "sub_", "aud_", "inv_"],
        }
    }
}

/// The location of an identifier in a request. `$ID` is its placeholder.
#[derive(Clone, Copy, Debug)]
enum Location {
    /// The document of a query.
    Query(&'static str),
    /// The input of a mutation.
    Mutation {
        name: &'static str,
        input: &'static str,
        /// The fields of the payload to select.
        fields: &'static str,
    },
}

/// An argument or an input field of type `ID`.
#[derive(Debug)]
pub(super) struct Identifier {
    /// The coordinate in the schema.
    pub(super) coordinate: &'static str,
    kind: IdKind,
    location: Location,
    /// The path of the input error.
    path: &'static str,
    /// True if the identifier belongs to a nested field, whose parent was already read.
    nested: bool,
}

const fn query(
    coordinate: &'static str,
    kind: IdKind,
    document: &'static str,
    path: &'static str,
) -> Identifier {
    Identifier { coordinate, kind, location: Location::Query(document), path, nested: false }
}

/// Returns an identifier in a field of the fixture's tenant.
const fn nested(
    coordinate: &'static str,
    kind: IdKind,
    document: &'static str,
    path: &'static str,
) -> Identifier {
    Identifier { coordinate, kind, location: Location::Query(document), path, nested: true }
}

const fn write(
    coordinate: &'static str,
    kind: IdKind,
    (name, input, fields): (&'static str, &'static str, &'static str),
    path: &'static str,
) -> Identifier {
    let location = Location::Mutation { name, input, fields };
    Identifier { coordinate, kind, location, path, nested: false }
}

/// All identifiers that the schema takes.
#[rustfmt::skip]
pub(super) const IDENTIFIERS: &[Identifier] = &[
    query("Query.node(id:)", IdKind::Any, r#"node(id: "$ID") { id }"#, "id"),
    query("Query.nodes(ids:)", IdKind::Any, r#"nodes(ids: ["$ID"]) { id }"#, "ids.0"),
    query("Query.user(id:)", IdKind::User, r#"user(id: "$ID") { id name memberships { role } }"#, "id"),
    query("Query.subscription(id:)", IdKind::Subscription, r#"subscription(id: "$ID") { id tenant { id } }"#, "id"),
    query("UserFilter.tenantId", IdKind::Tenant, r#"users(filter: {tenantId: "$ID"}) { totalCount nodes { id } }"#, "filter.tenantId"),
    query("TenantSubscriptionFilter.tenantId", IdKind::Tenant, r#"subscriptions(filter: {tenantId: "$ID"}) { totalCount nodes { id } }"#, "filter.tenantId"),
    query("AuditFilter.tenantId", IdKind::Tenant, r#"auditLog(filter: {tenantId: "$ID"}) { totalCount nodes { id } }"#, "filter.tenantId"),
    nested("AuditFilter.tenantId", IdKind::Tenant, r#"tenant(slug: "$SLUG") { auditLog(filter: {tenantId: "$ID"}) { totalCount nodes { id } } }"#, "filter.tenantId"),
    query("AuditFilter.actorId", IdKind::User, r#"auditLog(filter: {actorId: "$ID"}) { totalCount nodes { id } }"#, "filter.actorId"),
    nested("AuditFilter.actorId", IdKind::User, r#"tenant(slug: "$SLUG") { auditLog(filter: {actorId: "$ID"}) { totalCount nodes { id } } }"#, "filter.actorId"),
    write("UpdateTenantInput.id", IdKind::Tenant, ("updateTenant", r#"{"id": "$ID", "name": "Changed"}"#, "tenant { id }"), "input.id"),
    write("DeleteTenantInput.id", IdKind::Tenant, ("deleteTenant", r#"{"id": "$ID"}"#, "deletedId"), "input.id"),
    write("UpdateUserInput.id", IdKind::User, ("updateUser", r#"{"id": "$ID", "name": "Changed"}"#, "user { id }"), "input.id"),
    write("DeleteUserInput.id", IdKind::User, ("deleteUser", r#"{"id": "$ID"}"#, "deletedId"), "input.id"),
    write("CreateSubscriptionInput.tenantId", IdKind::Tenant, ("createSubscription", r#"{"tenantId": "$ID", "plan": "FREE"}"#, "subscription { id }"), "input.tenantId"),
    write("UpdateSubscriptionInput.id", IdKind::Subscription, ("updateSubscription", r#"{"id": "$ID", "plan": "FREE"}"#, "subscription { id }"), "input.id"),
    write("DeleteSubscriptionInput.id", IdKind::Subscription, ("deleteSubscription", r#"{"id": "$ID"}"#, "deletedId"), "input.id"),
    write("AddTenantMemberInput.tenantId", IdKind::Tenant, ("addTenantMember", r#"{"tenantId": "$ID", "userId": "$PEER"}"#, "membership { role }"), "input.tenantId"),
    write("AddTenantMemberInput.userId", IdKind::User, ("addTenantMember", r#"{"tenantId": "$TENANT", "userId": "$ID"}"#, "membership { role }"), "input.userId"),
    write("UpdateTenantMemberInput.tenantId", IdKind::Tenant, ("updateTenantMember", r#"{"tenantId": "$ID", "userId": "$MEMBER", "role": "ADMIN"}"#, "membership { role }"), "input.tenantId"),
    write("UpdateTenantMemberInput.userId", IdKind::User, ("updateTenantMember", r#"{"tenantId": "$TENANT", "userId": "$ID", "role": "ADMIN"}"#, "membership { role }"), "input.userId"),
    write("InviteTenantMemberInput.tenantId", IdKind::Tenant, ("inviteTenantMember", r#"{"tenantId": "$ID", "email": "new@example.org"}"#, "invitation { id }"), "input.tenantId"),
    write("ResendInvitationInput.id", IdKind::Invitation, ("resendInvitation", r#"{"id": "$ID"}"#, "invitation { id }"), "input.id"),
    write("RevokeInvitationInput.id", IdKind::Invitation, ("revokeInvitation", r#"{"id": "$ID"}"#, "invitation { id }"), "input.id"),
    write("RemoveTenantMemberInput.tenantId", IdKind::Tenant, ("removeTenantMember", r#"{"tenantId": "$ID", "userId": "$CALLER"}"#, "removedUserId"), "input.tenantId"),
    write("RemoveTenantMemberInput.userId", IdKind::User, ("removeTenantMember", r#"{"tenantId": "$TENANT", "userId": "$ID"}"#, "removedUserId"), "input.userId"),
];

/// Sends a request with that identifier. Every request has the same request id, so that responses
/// can be compared.
async fn send_with_id(
    app: &App,
    fixture: &Fixture,
    caller: Caller,
    identifier: &Identifier,
    id: &str,
) -> Reply {
    let fill = |template: &str| fixture.fill(caller, &template.replace("$ID", id));
    let (document, variables) = match identifier.location {
        Location::Query(document) => (format!("{{ {} }}", fill(document)), json!({})),
        Location::Mutation { name, input, fields } => {
            let input: Value = serde_json::from_str(&fill(input)).expect("an input is JSON");
            (mutation_document(name, fields), json!({ "input": input }))
        }
    };
    send_as(app, fixture, caller, "the-same", &document, variables).await
}

async fn malformed_identifiers_are_rejected_without_a_lookup(app: App) {
    let fixture = Fixture::new(&app, 0, TenantKind::Active, &Caller::ALL);
    let changes: Vec<_> = fixture::shared_changes().into_iter().chain(fixture.changes()).collect();
    app.store.commit(&changes).await.expect("the store is empty");
    let digits = fixture.tenant.id.raw.to_string();
    for identifier in IDENTIFIERS.iter().filter(|identifier| !identifier.nested) {
        let valid_prefixes = identifier.kind.prefixes();
        let prefix = valid_prefixes[0];
        let mut malformed: Vec<String> = vec![
            String::new(),
            "x".to_owned(),
            digits.clone(),
            format!("x{prefix}{digits}"),
            format!(" {prefix}{digits}"),
            format!("{prefix}{}", &digits[1..]),
            format!("{prefix}{digits}0"),
            format!("{prefix}{}", digits.replace('0', "A")),
            format!("{}{digits}", prefix.to_uppercase()),
            format!("foo_{digits}"),
        ];
        let other_prefixes =
            IdKind::Any.prefixes().iter().filter(|prefix| !valid_prefixes.contains(prefix));
        malformed.extend(other_prefixes.map(|prefix| format!("{prefix}{digits}")));
        for caller in Caller::ALL {
            for id in &malformed {
                let reply = send_with_id(&app, &fixture, caller, identifier, id).await;
                let case = format!("{} {id:?} for {}", identifier.coordinate, caller.title());
                assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{case}");
                let fields = &reply.json["errors"][0]["extensions"]["fields"];
                assert_eq!(fields.as_array().map(Vec::len), Some(1), "{case}");
                assert_eq!(fields[0]["path"], identifier.path, "{case}");
                assert_eq!((reply.reads, reply.writes), (0, 0), "{case}");
            }
        }
    }
}

async fn hidden_resources_are_indistinguishable_from_nonexistent_ones(app: App) {
    let callers = [Caller::Outsider, Caller::Member, Caller::Admin, Caller::PlatformAdmin];
    let own = Fixture::new(&app, 0, TenantKind::Active, &callers);
    let other = Fixture::new(&app, 1, TenantKind::Active, &[]);
    let changes: Vec<_> = [fixture::shared_changes(), own.changes(), other.changes()].concat();
    app.store.commit(&changes).await.expect("the store is empty");
    for identifier in IDENTIFIERS {
        let tenants = [(other.tenant.id.to_string(), "$NO_TENANT")];
        // `own.stranger` is the actor of an event in the own tenant, and is hidden all the same.
        let users = [other.member.id, other.owner.id, other.stranger.id, own.stranger.id]
            .map(|user| (user.to_string(), "$NO_USER"));
        let subscriptions = [(other.subscription.id.to_string(), "$NO_SUBSCRIPTION")];
        let events = [(other.event.id.to_string(), "$NO_EVENT")];
        let invitations = [(other.invitations[0].id.to_string(), "$NO_INVITATION")];
        let hidden = match identifier.kind {
            IdKind::Tenant => tenants.to_vec(),
            IdKind::User => users.to_vec(),
            IdKind::Subscription => subscriptions.to_vec(),
            IdKind::Invitation => invitations.to_vec(),
            IdKind::Any => [&tenants[..], &users, &subscriptions, &events, &invitations].concat(),
        };
        for (hidden, nonexistent) in hidden {
            for caller in [Caller::Outsider, Caller::Member, Caller::Admin] {
                let hidden_reply = send_with_id(&app, &own, caller, identifier, &hidden).await;
                let nonexistent_reply =
                    send_with_id(&app, &own, caller, identifier, nonexistent).await;
                let case = format!(
                    "{} {hidden} in {:?} for {}",
                    identifier.coordinate,
                    identifier.location,
                    caller.title()
                );
                assert_eq!(hidden_reply.body, nonexistent_reply.body, "{case}");
                assert_eq!(hidden_reply.status, nonexistent_reply.status, "{case}");
                assert_eq!(hidden_reply.reads, nonexistent_reply.reads, "{case}");
                assert_eq!(hidden_reply.writes, 0, "{case}");
            }
            // The resource exists: a platform admin sees it.
            if let (Location::Query(_), IdKind::Any) = (identifier.location, identifier.kind) {
                let shown =
                    send_with_id(&app, &own, Caller::PlatformAdmin, identifier, &hidden).await;
                assert!(shown.data().to_string().contains(&hidden), "{}", shown.body);
            }
        }
    }
}
