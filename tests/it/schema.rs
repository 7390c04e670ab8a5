//! Tests the schema that introspection reports.

use serde_json::Value;

use crate::support::app::{App, Backend};

#[tokio::test]
async fn every_schema_member_has_a_description() {
    let app = App::on(Backend::Sqlite).await;
    let query = "{ __schema { types { kind name description
        fields { name description args { name description } }
        inputFields { name description } enumValues { name description } } } }";
    let reply = app.ask_as_nobody(query).await;
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
