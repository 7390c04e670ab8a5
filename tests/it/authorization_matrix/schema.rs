//! The table is complete: whatever the schema has is a row, or open to whoever sees the object it is
//! of, or no table of this program is whole.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    ask,
    identifiers::IDENTIFIERS,
    reads::outcome,
    table::{self, Caller, Place},
    world::{self, Cell},
};
use crate::support::app::{App, Backend, on_both_stores};

on_both_stores! {
    open_fields_are_open,
}

/// Fields that whoever sees the object sees, so that no row has to name them.
struct Open {
    /// The type.
    of: &'static str,
    /// The least of those who see such an object at all.
    seen_by: Caller,
    /// How to get to one; `{0}` is what is selected of it.
    document: &'static str,
    /// Where it is then.
    at: &'static str,
    /// The fields, each with what is selected of it.
    fields: &'static [&'static str],
}

const fn open(
    of: &'static str,
    seen_by: Caller,
    document: &'static str,
    at: &'static str,
    fields: &'static [&'static str],
) -> Open {
    Open { of, seen_by, document, at, fields }
}

const CONNECTION: &[&str] =
    &["edges { cursor }", "nodes { __typename }", "pageInfo { hasNextPage }", "totalCount"];
const EDGE: &[&str] = &["cursor", "node { __typename }"];

#[rustfmt::skip]
const OPEN: &[Open] = &[
    open("Node", Caller::Member, r#"node(id: "$TENANT") { {0} }"#, "/node", &["id"]),
    open("Tenant", Caller::Member, r#"tenant(slug: "$SLUG") { {0} }"#, "/tenant",
        &["id", "slug", "name", "status", "plan", "domains", "createdAt", "updatedAt", "version"]),
    open("BillingInfo", Caller::Admin, r#"tenant(slug: "$SLUG") { billingInfo { {0} } }"#, "/tenant/billingInfo",
        &["companyName", "email", "vatId", "address { city }"]),
    open("PostalAddress", Caller::Admin, r#"tenant(slug: "$SLUG") { billingInfo { address { {0} } } }"#, "/tenant/billingInfo/address",
        &["line1", "line2", "city", "region", "postalCode", "country"]),
    open("TenantIntegrations", Caller::Platform, r#"tenant(slug: "$SLUG") { integrations { {0} } }"#, "/tenant/integrations",
        &["authentikGroup", "ocisSpace", "stalwartDomain"]),
    open("TenantSubscription", Caller::Member, r#"subscription(id: "$SUBSCRIPTION") { {0} }"#, "/subscription",
        &["id", "tenant { id }", "plan", "status", "currentPeriodStart", "currentPeriodEnd", "cancelAtPeriodEnd", "createdAt", "updatedAt", "version"]),
    open("StripeHandles", Caller::Platform, r#"subscription(id: "$SUBSCRIPTION") { stripe { {0} } }"#, "/subscription/stripe",
        &["customerId", "subscriptionId", "priceId"]),
    open("User", Caller::Member, r#"user(id: "$ADMIN") { {0} }"#, "/user",
        &["id", "name", "createdAt", "updatedAt", "version"]),
    open("Membership", Caller::Member, r#"tenant(slug: "$SLUG") { members { nodes { {0} } } }"#, "/tenant/members/nodes/0",
        &["tenant { id }", "user { id }", "role", "source", "since"]),
    open("AuditEvent", Caller::Admin, r#"node(id: "$EVENT") { ... on AuditEvent { {0} } }"#, "/node",
        &["id", "at", "action", "actorKind", "requestId"]),
    open("PageInfo", Caller::Member, "tenants { pageInfo { {0} } }", "/tenants/pageInfo",
        &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]),
    open("TenantConnection", Caller::Member, "tenants { {0} }", "/tenants", CONNECTION),
    open("TenantEdge", Caller::Member, "tenants { edges { {0} } }", "/tenants/edges/0", EDGE),
    open("TenantSubscriptionConnection", Caller::Member, "subscriptions { {0} }", "/subscriptions", CONNECTION),
    open("TenantSubscriptionEdge", Caller::Member, "subscriptions { edges { {0} } }", "/subscriptions/edges/0", EDGE),
    open("MembershipConnection", Caller::Member, r#"tenant(slug: "$SLUG") { members { {0} } }"#, "/tenant/members", CONNECTION),
    open("MembershipEdge", Caller::Member, r#"tenant(slug: "$SLUG") { members { edges { {0} } } }"#, "/tenant/members/edges/0", EDGE),
    open("AuditEventConnection", Caller::Admin, r#"tenant(slug: "$SLUG") { auditLog { {0} } }"#, "/tenant/auditLog", CONNECTION),
    open("AuditEventEdge", Caller::Admin, r#"tenant(slug: "$SLUG") { auditLog { edges { {0} } } }"#, "/tenant/auditLog/edges/0", EDGE),
    open("UserConnection", Caller::Platform, "users { {0} }", "/users", CONNECTION),
    open("UserEdge", Caller::Platform, "users { edges { {0} } }", "/users/edges/0", EDGE),
];

/// The name of a selected field.
fn name(field: &str) -> &str {
    field.split(' ').next().unwrap_or(field)
}

fn coordinates(open: &Open) -> impl Iterator<Item = String> {
    open.fields.iter().map(|field| format!("{}.{}", open.of, name(field)))
}

async fn open_fields_are_open(app: App) {
    let cell = Cell::new(&app, 0, Place::Active, &Caller::ALL);
    let changes: Vec<_> = world::shared().into_iter().chain(cell.changes()).collect();
    app.store.commit(&changes).await.expect("an empty store");
    for open in OPEN {
        for caller in Caller::ALL.into_iter().skip_while(|caller| *caller != open.seen_by) {
            let document = open.document.replace("{0}", &open.fields.join(" "));
            let document = format!("{{ {} }}", cell.fill(caller, &document));
            let reply = ask(&app, &cell, caller, "matrix", &document, json!({})).await;
            assert_eq!(outcome(&reply, open.at, ""), "✓", "{} {document}", caller.title());
            let shown = reply.json["data"].pointer(open.at).and_then(Value::as_object);
            let shown: Vec<&String> = shown.expect("an object").keys().collect();
            let mut asked: Vec<&str> = open.fields.iter().map(|field| name(field)).collect();
            asked.sort_unstable();
            assert_eq!(shown, asked, "{document}");
        }
    }
}

/// What the schema has, by coordinate.
#[derive(Debug, Default)]
struct Schema {
    /// Fields of the roots: what can be asked at all.
    roots: BTreeSet<String>,
    /// Fields of everything else.
    fields: BTreeSet<String>,
    /// Arguments and input fields that take identifiers.
    identifiers: BTreeSet<String>,
}

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { kind name fields(includeDeprecated: true) { name args { name ...T } } inputFields { name ...T } }
} }
fragment T on __InputValue { type { name ofType { name ofType { name ofType { name } } } } }";

impl Schema {
    fn read(answer: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
        let schema = &answer["__schema"];
        let roots = ["queryType", "mutationType", "subscriptionType"].map(|r| name(&schema[r]));
        let mut read = Self::default();
        for of in list(&schema["types"]) {
            let type_name = name(&of);
            if type_name.starts_with("__") {
                continue;
            }
            for field in list(&of["fields"]) {
                let coordinate = format!("{type_name}.{}", name(&field));
                for argument in list(&field["args"]).iter().filter(|a| takes_ids(a)) {
                    read.identifiers.insert(format!("{coordinate}({}:)", name(argument)));
                }
                let set =
                    if roots.contains(&type_name) { &mut read.roots } else { &mut read.fields };
                set.insert(coordinate);
            }
            for field in list(&of["inputFields"]).iter().filter(|field| takes_ids(field)) {
                read.identifiers.insert(format!("{type_name}.{}", name(field)));
            }
        }
        read
    }

    /// What is wrong with the tables: each coordinate that they leave out, name twice, or invent.
    fn faults(&self) -> Vec<String> {
        let rows: BTreeSet<String> =
            table::rows().iter().flat_map(super::table::Row::covers).collect();
        let open: Vec<String> = OPEN.iter().flat_map(coordinates).collect();
        let identifiers: BTreeSet<String> =
            IDENTIFIERS.iter().map(|identifier| identifier.coordinate.to_owned()).collect();
        let mut faults = Vec::new();
        for root in self.roots.iter().filter(|root| !rows.contains(*root)) {
            faults.push(format!("{root} has no row in the table"));
        }
        for field in &self.fields {
            match (rows.contains(field), open.iter().filter(|open| *open == field).count()) {
                (false, 0) => faults.push(format!("{field} has no row and is not named as open")),
                (true, 0) | (false, 1) => {}
                _ => faults.push(format!("{field} is named twice")),
            }
        }
        for identifier in self.identifiers.difference(&identifiers) {
            faults.push(format!("{identifier} is not in the table of identifiers"));
        }
        for row in
            rows.iter().filter(|row| !self.roots.contains(*row) && !self.fields.contains(*row))
        {
            faults.push(format!("{row} has a row and does not exist"));
        }
        for open in open.iter().filter(|open| !self.fields.contains(*open)) {
            faults.push(format!("{open} is named as open and is no field of an object"));
        }
        for identifier in identifiers.difference(&self.identifiers) {
            faults.push(format!("{identifier} is in the table of identifiers and does not exist"));
        }
        faults
    }
}

/// Whether an argument or input field is of type `ID`, or a list of it.
fn takes_ids(input: &Value) -> bool {
    let mut of = &input["type"];
    while of["name"].is_null() && !of["ofType"].is_null() {
        of = &of["ofType"];
    }
    of["name"] == "ID"
}

async fn introspected() -> Value {
    let app = App::on(Backend::Sqlite).await;
    app.ask_as_nobody(INTROSPECTION).await.data().clone()
}

#[tokio::test]
async fn the_tables_name_all_that_the_schema_has() {
    let schema = Schema::read(&introspected().await);
    let faults = schema.faults();
    assert!(faults.is_empty(), "see tests/it/matrix/: {faults:#?}");
}

/// A schema with one thing more is not covered by the tables, whatever that is.
#[tokio::test]
async fn what_is_new_is_missed() {
    let answer = introspected().await;
    let of_type = |answer: &Value, name: &str| -> usize {
        let types = answer["__schema"]["types"].as_array().expect("types");
        types.iter().position(|of| of["name"] == name).expect("a type of that name")
    };
    let id = json!({"name": null, "ofType": {"name": null, "ofType": {"name": "ID"}}});
    let new = json!({"name": "new", "type": id, "args": [{"name": "of", "type": id}]});
    let missed: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::from([
        (
            ("Mutation", "fields"),
            vec![
                "Mutation.new has no row in the table",
                "Mutation.new(of:) is not in the table of identifiers",
            ],
        ),
        (
            ("Query", "fields"),
            vec![
                "Query.new has no row in the table",
                "Query.new(of:) is not in the table of identifiers",
            ],
        ),
        (
            ("User", "fields"),
            vec![
                "User.new has no row and is not named as open",
                "User.new(of:) is not in the table of identifiers",
            ],
        ),
        (("UserFilter", "inputFields"), vec!["UserFilter.new is not in the table of identifiers"]),
    ]);
    for ((of, part), expected) in missed {
        let mut grown = answer.clone();
        let of = of_type(&grown, of);
        let fields = grown["__schema"]["types"][of][part].as_array_mut().expect("fields");
        fields.push(new.clone());
        assert_eq!(Schema::read(&grown).faults(), expected);
        let mut shrunk = answer.clone();
        let fields = shrunk["__schema"]["types"][of][part].as_array_mut().expect("fields");
        fields.clear();
        let faults = Schema::read(&shrunk).faults();
        assert!(faults.iter().any(|fault| fault.ends_with("does not exist")), "{faults:?}");
    }
}
