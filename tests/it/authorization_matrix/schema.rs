//! Checks that the table is complete.
//!
//! Every element of the schema must have a row, or be listed here as open: visible to every viewer
//! that sees its object. Every identifier must be in the table of [`identifiers`](super::identifiers).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    fixture::{self, Fixture},
    identifiers::IDENTIFIERS,
    reads::outcome,
    send_as,
    table::{self, Caller, TenantKind},
};
use crate::support::app::{App, Backend, on_both_stores};

on_both_stores! {
    open_fields_are_visible_to_every_viewer_of_the_object,
}

/// An object type with its open fields.
///
/// Every viewer that sees the object sees these fields, so no row has to name them.
struct OpenFields {
    /// The name of the type.
    type_name: &'static str,
    /// The first caller, in the order of [`Caller::ALL`], that sees such an object.
    visible_from: Caller,
    /// A query for such an object. `{0}` stands for the selection.
    document: &'static str,
    /// The JSON pointer of the object below `data`.
    pointer: &'static str,
    /// The open fields, each with the selection below it.
    fields: &'static [&'static str],
}

const fn open(
    type_name: &'static str,
    visible_from: Caller,
    document: &'static str,
    pointer: &'static str,
    fields: &'static [&'static str],
) -> OpenFields {
    OpenFields { type_name, visible_from, document, pointer, fields }
}

const CONNECTION: &[&str] =
    &["edges { cursor }", "nodes { __typename }", "pageInfo { hasNextPage }", "totalCount"];
const EDGE: &[&str] = &["cursor", "node { __typename }"];

#[rustfmt::skip]
const OPEN_FIELDS: &[OpenFields] = &[
    open("Node", Caller::Member, r#"node(id: "$TENANT") { {0} }"#, "/node", &["id"]),
    open("Tenant", Caller::Member, r#"tenant(slug: "$SLUG") { {0} }"#, "/tenant",
        &["id", "slug", "name", "status", "plan", "domains", "createdAt", "updatedAt", "version"]),
    open("BillingInfo", Caller::Admin, r#"tenant(slug: "$SLUG") { billingInfo { {0} } }"#, "/tenant/billingInfo",
        &["companyName", "email", "vatId", "address { city }"]),
    open("PostalAddress", Caller::Admin, r#"tenant(slug: "$SLUG") { billingInfo { address { {0} } } }"#, "/tenant/billingInfo/address",
        &["line1", "line2", "city", "region", "postalCode", "country"]),
    open("TenantIntegrations", Caller::PlatformAdmin, r#"tenant(slug: "$SLUG") { integrations { {0} } }"#, "/tenant/integrations",
        &["authentikGroup", "ocisSpace", "stalwartDomain"]),
    open("TenantSubscription", Caller::Member, r#"subscription(id: "$SUBSCRIPTION") { {0} }"#, "/subscription",
        &["id", "tenant { id }", "plan", "status", "currentPeriodStart", "currentPeriodEnd", "cancelAtPeriodEnd", "createdAt", "updatedAt", "version"]),
    open("StripeHandles", Caller::PlatformAdmin, r#"subscription(id: "$SUBSCRIPTION") { stripe { {0} } }"#, "/subscription/stripe",
        &["customerId", "subscriptionId", "priceId"]),
    open("User", Caller::Member, r#"user(id: "$ADMIN") { {0} }"#, "/user",
        &["id", "name", "createdAt", "updatedAt", "version"]),
    open("Membership", Caller::Member, r#"tenant(slug: "$SLUG") { members { nodes { {0} } } }"#, "/tenant/members/nodes/0",
        &["tenant { id }", "user { id }", "role", "source", "since"]),
    open("AuditEvent", Caller::Admin, r#"node(id: "$EVENT") { ... on AuditEvent { {0} } }"#, "/node",
        &["id", "at", "action", "actorKind", "requestId"]),
    open("Invitation", Caller::Admin, r#"node(id: "$INVITATION") { ... on Invitation { {0} } }"#, "/node",
        &["id", "tenant { id }", "email", "role", "status", "mail", "invitedBy { id }", "acceptedBy { id }", "createdAt", "expiresAt", "acceptedAt", "version"]),
    open("InvitationPreview", Caller::Outsider, r#"invitation(token: "$CALLER_TOKEN") { {0} }"#, "/invitation",
        &["tenantName", "role", "email", "expiresAt"]),
    open("InvitationConnection", Caller::Admin, r#"tenant(slug: "$SLUG") { invitations { {0} } }"#, "/tenant/invitations", CONNECTION),
    open("InvitationEdge", Caller::Admin, r#"tenant(slug: "$SLUG") { invitations { edges { {0} } } }"#, "/tenant/invitations/edges/0", EDGE),
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
    open("UserConnection", Caller::PlatformAdmin, "users { {0} }", "/users", CONNECTION),
    open("UserEdge", Caller::PlatformAdmin, "users { edges { {0} } }", "/users/edges/0", EDGE),
];

/// The identifiers of live operations, which `tests/it/live/authorization.rs` covers.
const LIVE_IDENTIFIERS: [&str; 2] =
    ["Subscription.tenantChanged(id:)", "Subscription.subscriptionChanged(tenantId:)"];

/// Returns the name of a selected field.
fn field_name(field: &str) -> &str {
    field.split(' ').next().unwrap_or(field)
}

fn coordinates(open: &OpenFields) -> impl Iterator<Item = String> {
    open.fields.iter().map(|field| format!("{}.{}", open.type_name, field_name(field)))
}

async fn open_fields_are_visible_to_every_viewer_of_the_object(app: App) {
    let fixture = Fixture::new(&app, 0, TenantKind::Active, &Caller::ALL);
    let changes: Vec<_> = fixture::shared_changes().into_iter().chain(fixture.changes()).collect();
    app.store.commit(&changes).await.expect("the store is empty");
    for open in OPEN_FIELDS {
        for caller in Caller::ALL.into_iter().skip_while(|caller| *caller != open.visible_from) {
            let document = open.document.replace("{0}", &open.fields.join(" "));
            let document = format!("{{ {} }}", fixture.fill(caller, &document));
            let reply = send_as(&app, &fixture, caller, "matrix", &document, json!({})).await;
            assert_eq!(outcome(&reply, open.pointer, ""), "✓", "{} {document}", caller.title());
            let returned = reply.json["data"].pointer(open.pointer).and_then(Value::as_object);
            let returned: Vec<&String> = returned.expect("an object").keys().collect();
            let mut selected: Vec<&str> =
                open.fields.iter().map(|field| field_name(field)).collect();
            selected.sort_unstable();
            assert_eq!(returned, selected, "{document}");
        }
    }
}

/// The elements of the schema, by coordinate.
#[derive(Debug, Default)]
struct Schema {
    /// The fields of the root types.
    roots: BTreeSet<String>,
    /// The fields of all other object and interface types.
    fields: BTreeSet<String>,
    /// The arguments and input fields that take identifiers.
    identifiers: BTreeSet<String>,
}

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { kind name fields(includeDeprecated: true) { name args { name ...T } } inputFields { name ...T } }
} }
fragment T on __InputValue { type { name ofType { name ofType { name ofType { name } } } } }";

impl Schema {
    fn from_introspection(data: &Value) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
        let schema = &data["__schema"];
        let roots = ["queryType", "mutationType", "subscriptionType"].map(|r| name(&schema[r]));
        let mut elements = Self::default();
        for object in list(&schema["types"]) {
            let type_name = name(&object);
            if type_name.starts_with("__") {
                continue;
            }
            for field in list(&object["fields"]) {
                let coordinate = format!("{type_name}.{}", name(&field));
                for argument in list(&field["args"]).iter().filter(|a| takes_ids(a)) {
                    elements.identifiers.insert(format!("{coordinate}({}:)", name(argument)));
                }
                let set = if roots.contains(&type_name) {
                    &mut elements.roots
                } else {
                    &mut elements.fields
                };
                set.insert(coordinate);
            }
            for field in list(&object["inputFields"]).iter().filter(|field| takes_ids(field)) {
                elements.identifiers.insert(format!("{type_name}.{}", name(field)));
            }
        }
        elements
    }

    /// Returns a message for each coordinate that the tables omit, name twice, or name although it
    /// does not exist.
    fn coverage_errors(&self) -> Vec<String> {
        let rows: BTreeSet<String> =
            table::rows().iter().flat_map(super::table::Row::covers).collect();
        let open: Vec<String> = OPEN_FIELDS.iter().flat_map(coordinates).collect();
        let mut identifiers: BTreeSet<String> =
            IDENTIFIERS.iter().map(|identifier| identifier.coordinate.to_owned()).collect();
        identifiers.extend(LIVE_IDENTIFIERS.map(str::to_owned));
        let mut errors = Vec::new();
        for root in self.roots.iter().filter(|root| !rows.contains(*root)) {
            errors.push(format!("{root} has no row in the table"));
        }
        for field in &self.fields {
            match (rows.contains(field), open.iter().filter(|open| *open == field).count()) {
                (false, 0) => errors.push(format!("{field} has no row and is not listed as open")),
                (true, 0) | (false, 1) => {}
                _ => errors.push(format!("{field} is listed twice")),
            }
        }
        for identifier in self.identifiers.difference(&identifiers) {
            errors.push(format!("{identifier} is not in the table of identifiers"));
        }
        for row in
            rows.iter().filter(|row| !self.roots.contains(*row) && !self.fields.contains(*row))
        {
            errors.push(format!("{row} has a row but does not exist"));
        }
        for open in open.iter().filter(|open| !self.fields.contains(*open)) {
            errors.push(format!("{open} is listed as open but is not a field of an object"));
        }
        for identifier in identifiers.difference(&self.identifiers) {
            errors.push(format!("{identifier} is in the table of identifiers but does not exist"));
        }
        errors
    }
}

/// Returns true if an argument or input field has the type `ID` or a list of it.
fn takes_ids(input: &Value) -> bool {
    let mut input_type = &input["type"];
    while input_type["name"].is_null() && !input_type["ofType"].is_null() {
        input_type = &input_type["ofType"];
    }
    input_type["name"] == "ID"
}

async fn introspect() -> Value {
    let app = App::on(Backend::Sqlite).await;
    app.query_anonymous(INTROSPECTION).await.data().clone()
}

#[tokio::test]
async fn matrix_covers_the_whole_schema() {
    let schema = Schema::from_introspection(&introspect().await);
    let errors = schema.coverage_errors();
    assert!(errors.is_empty(), "see tests/it/authorization_matrix/: {errors:#?}");
}

#[tokio::test]
async fn coverage_check_reports_added_and_removed_schema_elements() {
    let current = introspect().await;
    let type_index = |data: &Value, name: &str| -> usize {
        let types = data["__schema"]["types"].as_array().expect("types");
        types.iter().position(|object| object["name"] == name).expect("a type of that name")
    };
    let id = json!({"name": null, "ofType": {"name": null, "ofType": {"name": "ID"}}});
    let new = json!({"name": "new", "type": id, "args": [{"name": "of", "type": id}]});
    let expected_errors: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::from([
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
                "User.new has no row and is not listed as open",
                "User.new(of:) is not in the table of identifiers",
            ],
        ),
        (("UserFilter", "inputFields"), vec!["UserFilter.new is not in the table of identifiers"]),
    ]);
    for ((type_name, list), expected) in expected_errors {
        let mut extended = current.clone();
        let index = type_index(&extended, type_name);
        let fields = extended["__schema"]["types"][index][list].as_array_mut().expect("fields");
        fields.push(new.clone());
        assert_eq!(Schema::from_introspection(&extended).coverage_errors(), expected);
        let mut reduced = current.clone();
        let fields = reduced["__schema"]["types"][index][list].as_array_mut().expect("fields");
        fields.clear();
        let errors = Schema::from_introspection(&reduced).coverage_errors();
        assert!(errors.iter().any(|error| error.ends_with("does not exist")), "{errors:?}");
    }
}
