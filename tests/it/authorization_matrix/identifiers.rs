//! Every place where the schema takes an identifier: a malformed one is refused before anything is
//! looked up, and one of something that the caller may not see answers as one of nothing.

use serde_json::{Value, json};

use super::{
    ask, mutation,
    table::{Caller, Place},
    world::{self, Cell},
};
use crate::support::app::{App, Reply, on_both_stores};

on_both_stores! {
    malformed_identifiers_are_never_looked_up,
    hidden_answers_as_absent,
}

/// What an identifier is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Tenant,
    User,
    Subscription,
    Anything,
}

impl Of {
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Tenant => &["ten_"],
            Self::User => &["usr_"],
            Self::Subscription => &["sub_"],
            Self::Anything => &["ten_", "usr_", "sub_", "aud_"],
        }
    }
}

/// How it is given: `$ID` is where.
#[derive(Clone, Copy, Debug)]
enum Given {
    /// In a query's document.
    In(&'static str),
    /// In that mutation's input, with these fields of its payload.
    To(&'static str, &'static str, &'static str),
}

/// An argument or an input field of type `ID`.
#[derive(Debug)]
pub(super) struct Identifier {
    /// Its coordinate in the schema.
    pub(super) coordinate: &'static str,
    of: Of,
    given: Given,
    /// What a fault calls it.
    path: &'static str,
    /// Whether it is given deeper than at a root, where something was looked up already.
    nested: bool,
}

const fn query(
    coordinate: &'static str,
    of: Of,
    document: &'static str,
    path: &'static str,
) -> Identifier {
    Identifier { coordinate, of, given: Given::In(document), path, nested: false }
}

/// Within the tenant that the caller is in.
const fn nested(
    coordinate: &'static str,
    of: Of,
    document: &'static str,
    path: &'static str,
) -> Identifier {
    Identifier { coordinate, of, given: Given::In(document), path, nested: true }
}

const fn write(
    coordinate: &'static str,
    of: Of,
    (name, input, fields): (&'static str, &'static str, &'static str),
    path: &'static str,
) -> Identifier {
    Identifier { coordinate, of, given: Given::To(name, input, fields), path, nested: false }
}

/// All of them.
#[rustfmt::skip]
pub(super) const IDENTIFIERS: &[Identifier] = &[
    query("Query.node(id:)", Of::Anything, r#"node(id: "$ID") { id }"#, "id"),
    query("Query.nodes(ids:)", Of::Anything, r#"nodes(ids: ["$ID"]) { id }"#, "ids.0"),
    query("Query.user(id:)", Of::User, r#"user(id: "$ID") { id name memberships { role } }"#, "id"),
    query("Query.subscription(id:)", Of::Subscription, r#"subscription(id: "$ID") { id tenant { id } }"#, "id"),
    query("UserFilter.tenantId", Of::Tenant, r#"users(filter: {tenantId: "$ID"}) { totalCount nodes { id } }"#, "filter.tenantId"),
    query("TenantSubscriptionFilter.tenantId", Of::Tenant, r#"subscriptions(filter: {tenantId: "$ID"}) { totalCount nodes { id } }"#, "filter.tenantId"),
    query("AuditFilter.tenantId", Of::Tenant, r#"auditLog(filter: {tenantId: "$ID"}) { totalCount nodes { id } }"#, "filter.tenantId"),
    nested("AuditFilter.tenantId", Of::Tenant, r#"tenant(slug: "$SLUG") { auditLog(filter: {tenantId: "$ID"}) { totalCount nodes { id } } }"#, "filter.tenantId"),
    query("AuditFilter.actorId", Of::User, r#"auditLog(filter: {actorId: "$ID"}) { totalCount nodes { id } }"#, "filter.actorId"),
    nested("AuditFilter.actorId", Of::User, r#"tenant(slug: "$SLUG") { auditLog(filter: {actorId: "$ID"}) { totalCount nodes { id } } }"#, "filter.actorId"),
    write("UpdateTenantInput.id", Of::Tenant, ("updateTenant", r#"{"id": "$ID", "name": "Changed"}"#, "tenant { id }"), "input.id"),
    write("DeleteTenantInput.id", Of::Tenant, ("deleteTenant", r#"{"id": "$ID"}"#, "deletedId"), "input.id"),
    write("UpdateUserInput.id", Of::User, ("updateUser", r#"{"id": "$ID", "name": "Changed"}"#, "user { id }"), "input.id"),
    write("DeleteUserInput.id", Of::User, ("deleteUser", r#"{"id": "$ID"}"#, "deletedId"), "input.id"),
    write("CreateSubscriptionInput.tenantId", Of::Tenant, ("createSubscription", r#"{"tenantId": "$ID", "plan": "FREE"}"#, "subscription { id }"), "input.tenantId"),
    write("UpdateSubscriptionInput.id", Of::Subscription, ("updateSubscription", r#"{"id": "$ID", "plan": "FREE"}"#, "subscription { id }"), "input.id"),
    write("DeleteSubscriptionInput.id", Of::Subscription, ("deleteSubscription", r#"{"id": "$ID"}"#, "deletedId"), "input.id"),
    write("AddTenantMemberInput.tenantId", Of::Tenant, ("addTenantMember", r#"{"tenantId": "$ID", "userId": "$PEER"}"#, "membership { role }"), "input.tenantId"),
    write("AddTenantMemberInput.userId", Of::User, ("addTenantMember", r#"{"tenantId": "$TENANT", "userId": "$ID"}"#, "membership { role }"), "input.userId"),
    write("UpdateTenantMemberInput.tenantId", Of::Tenant, ("updateTenantMember", r#"{"tenantId": "$ID", "userId": "$MEMBER", "role": "ADMIN"}"#, "membership { role }"), "input.tenantId"),
    write("UpdateTenantMemberInput.userId", Of::User, ("updateTenantMember", r#"{"tenantId": "$TENANT", "userId": "$ID", "role": "ADMIN"}"#, "membership { role }"), "input.userId"),
    write("RemoveTenantMemberInput.tenantId", Of::Tenant, ("removeTenantMember", r#"{"tenantId": "$ID", "userId": "$CALLER"}"#, "removedUserId"), "input.tenantId"),
    write("RemoveTenantMemberInput.userId", Of::User, ("removeTenantMember", r#"{"tenantId": "$TENANT", "userId": "$ID"}"#, "removedUserId"), "input.userId"),
];

/// Asks as a caller of that world, with that identifier; every request is called the same.
async fn ask_for(
    app: &App,
    cell: &Cell,
    caller: Caller,
    identifier: &Identifier,
    id: &str,
) -> Reply {
    let fill = |template: &str| cell.fill(caller, &template.replace("$ID", id));
    let (document, variables) = match identifier.given {
        Given::In(document) => (format!("{{ {} }}", fill(document)), json!({})),
        Given::To(name, input, fields) => {
            let input: Value = serde_json::from_str(&fill(input)).expect("an input is JSON");
            (mutation(name, fields), json!({ "input": input }))
        }
    };
    ask(app, cell, caller, "the-same", &document, variables).await
}

async fn malformed_identifiers_are_never_looked_up(app: App) {
    let cell = Cell::new(&app, 0, Place::Active, &Caller::ALL);
    let changes: Vec<_> = world::shared().into_iter().chain(cell.changes()).collect();
    app.store.commit(&changes).await.expect("an empty store");
    let digits = cell.tenant.id.raw.to_string();
    for identifier in IDENTIFIERS.iter().filter(|identifier| !identifier.nested) {
        let own = identifier.of.prefixes();
        let prefix = own[0];
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
        let others = Of::Anything.prefixes().iter().filter(|other| !own.contains(other));
        malformed.extend(others.map(|other| format!("{other}{digits}")));
        for caller in Caller::ALL {
            for id in &malformed {
                let reply = ask_for(&app, &cell, caller, identifier, id).await;
                let about = format!("{} {id:?} for {}", identifier.coordinate, caller.title());
                assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{about}");
                let fields = &reply.json["errors"][0]["extensions"]["fields"];
                assert_eq!(fields.as_array().map(Vec::len), Some(1), "{about}");
                assert_eq!(fields[0]["path"], identifier.path, "{about}");
                assert_eq!((reply.reads, reply.writes), (0, 0), "{about}");
            }
        }
    }
}

async fn hidden_answers_as_absent(app: App) {
    let callers = [Caller::Outsider, Caller::Member, Caller::Admin, Caller::Platform];
    let here = Cell::new(&app, 0, Place::Active, &callers);
    let elsewhere = Cell::new(&app, 1, Place::Active, &[]);
    let changes: Vec<_> = [world::shared(), here.changes(), elsewhere.changes()].concat();
    app.store.commit(&changes).await.expect("an empty store");
    for identifier in IDENTIFIERS {
        // Who did something here and is hidden all the same is among them: `here.stranger`.
        let tenants = [(elsewhere.tenant.id.to_string(), "$NO_TENANT")];
        let users =
            [elsewhere.member.id, elsewhere.owner.id, elsewhere.stranger.id, here.stranger.id]
                .map(|user| (user.to_string(), "$NO_USER"));
        let subscriptions = [(elsewhere.subscription.id.to_string(), "$NO_SUBSCRIPTION")];
        let events = [(elsewhere.event.id.to_string(), "$NO_EVENT")];
        let hidden = match identifier.of {
            Of::Tenant => tenants.to_vec(),
            Of::User => users.to_vec(),
            Of::Subscription => subscriptions.to_vec(),
            Of::Anything => [&tenants[..], &users, &subscriptions, &events].concat(),
        };
        for (hidden, absent) in hidden {
            for caller in [Caller::Outsider, Caller::Member, Caller::Admin] {
                let hidden_reply = ask_for(&app, &here, caller, identifier, &hidden).await;
                let absent_reply = ask_for(&app, &here, caller, identifier, absent).await;
                let about = format!(
                    "{} {hidden} in {:?} for {}",
                    identifier.coordinate,
                    identifier.given,
                    caller.title()
                );
                assert_eq!(hidden_reply.body, absent_reply.body, "{about}");
                assert_eq!(hidden_reply.status, absent_reply.status, "{about}");
                assert_eq!(hidden_reply.reads, absent_reply.reads, "{about}");
                assert_eq!(hidden_reply.writes, 0, "{about}");
            }
            // It is there all the same.
            if let (Given::In(_), Of::Anything) = (identifier.given, identifier.of) {
                let shown = ask_for(&app, &here, Caller::Platform, identifier, &hidden).await;
                assert!(shown.data().to_string().contains(&hidden), "{}", shown.body);
            }
        }
    }
}
