//! Tests the schema that introspection reports.

use serde_json::{Value, json};
use tenantry::policy::Requirement;

use crate::support::app::{App, Backend};

#[tokio::test]
async fn every_schema_member_has_a_description() {
    let app = App::on(Backend::Sqlite).await;
    let query = "{ __schema { types { kind name description
        fields { name description args { name description } }
        inputFields { name description } enumValues { name description } } } }";
    let reply = app.query_anonymous(query).await;
    let mut undescribed = Vec::new();
    let empty = Vec::new();
    let list = |value: &Value, key: &str| value[key].as_array().unwrap_or(&empty).clone();
    let has_no_description =
        |value: &Value| value["description"].as_str().is_none_or(str::is_empty);
    for schema_type in list(&reply.data()["__schema"], "types") {
        let name = schema_type["name"].as_str().expect("a name").to_owned();
        if name.starts_with("__") || ["Int", "Float", "String", "Boolean", "ID"].contains(&&*name) {
            continue;
        }
        if has_no_description(&schema_type) {
            undescribed.push(name.clone());
        }
        let kinds = ["fields", "inputFields", "enumValues"];
        for member in kinds.iter().flat_map(|kind| list(&schema_type, kind)) {
            for item in std::iter::once(member.clone()).chain(list(&member, "args")) {
                if has_no_description(&item) {
                    undescribed.push(format!("{name}.{}.{}", member["name"], item["name"]));
                }
            }
        }
    }
    assert!(undescribed.is_empty(), "{undescribed:#?}");
}

#[tokio::test]
async fn interface_without_interfaces_has_an_empty_list() {
    let app = App::on(Backend::Sqlite).await;
    let query = "{ node: __type(name: \"Node\") { interfaces { name } possibleTypes { name } }
        tenant: __type(name: \"Tenant\") { interfaces { name } possibleTypes { name } }
        plan: __type(name: \"Plan\") { interfaces { name } } }";
    let reply = app.query_anonymous(query).await;
    assert_eq!(reply.data()["node"]["interfaces"], serde_json::json!([]));
    assert_eq!(reply.data()["node"]["possibleTypes"].as_array().map(Vec::len), Some(5));
    let tenant = serde_json::json!({"interfaces": [{"name": "Node"}], "possibleTypes": null});
    assert_eq!(reply.data()["tenant"], tenant);
    assert_eq!(reply.data()["plan"]["interfaces"], Value::Null);
}

/// `async-graphql` returns the documentation of the type `__Schema` instead. This schema has no
/// description.
#[tokio::test]
async fn schema_description_is_null() {
    let app = App::on(Backend::Sqlite).await;
    let query = "{ __typename __schema { description same: description ...Rest }
        again: __schema { ... on __Schema { description queryType { description } } } }
        fragment Rest on __Schema { spread: description @include(if: true) }";
    let reply = app.query_anonymous(query).await;
    let data = reply.data();
    assert_eq!(data["__typename"], "Query");
    for key in ["description", "same", "spread"] {
        assert_eq!(data["__schema"].get(key), Some(&Value::Null), "{key}");
    }
    assert_eq!(data["again"].get("description"), Some(&Value::Null));
    assert!(data["again"]["queryType"]["description"].is_string(), "other descriptions remain");

    let query = "{ __type(name: \"__Schema\") { description fields { name type { kind name } } } }";
    let reply = app.query_anonymous(query).await;
    let meta = &reply.data()["__type"];
    assert!(meta["description"].is_string(), "the type itself has documentation");
    let fields = meta["fields"].as_array().expect("fields");
    let field = fields.iter().find(|field| field["name"] == "description").expect("the field");
    assert_eq!(field["type"], json!({"kind": "SCALAR", "name": "String"}));
}

/// A client that builds its schema from introspection knows the directive too. It is a directive of
/// the schema, so a document must not contain it.
#[tokio::test]
async fn introspection_reports_the_guard_directive() {
    let app = App::on(Backend::Sqlite).await;
    let query = r#"{ __schema { directives { name description isRepeatable locations
        args { name type { kind ofType { kind name } } } } }
        __type(name: "Requirement") { kind enumValues { name } } }"#;
    let reply = app.query_anonymous(query).await;
    let directives = reply.data()["__schema"]["directives"].as_array().expect("directives");
    let guard = directives.iter().find(|directive| directive["name"] == "guard").expect("@guard");
    assert!(guard["description"].is_string());
    assert_eq!(guard["isRepeatable"], false);
    assert_eq!(guard["locations"], json!(["FIELD_DEFINITION"]));
    let requirement = json!({"kind": "ENUM", "name": "Requirement"});
    let requires =
        json!([{"name": "requires", "type": {"kind": "NON_NULL", "ofType": requirement}}]);
    assert_eq!(guard["args"], requires);
    let names = Requirement::ALL.iter().map(|requirement| json!({"name": requirement.as_str()}));
    let values: Vec<Value> = names.collect();
    assert_eq!(reply.data()["__type"], json!({"kind": "ENUM", "enumValues": values}));

    let reply = app.query_anonymous("{ me { subject @guard(requires: SELF) } }").await;
    assert_eq!(reply.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
}
