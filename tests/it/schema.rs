//! The schema as a client reads it.

use serde_json::Value;

use crate::support::app::{App, Backend};

#[tokio::test]
async fn everything_has_a_description() {
    let app = App::on(Backend::Sqlite).await;
    let query = "{ __schema { types { kind name description
        fields { name description args { name description } }
        inputFields { name description } enumValues { name description } } } }";
    let reply = app.ask_as_nobody(query).await;
    let mut bare = Vec::new();
    let none = Vec::new();
    let list = |value: &Value, key: &str| value[key].as_array().unwrap_or(&none).clone();
    let undescribed = |value: &Value| value["description"].as_str().is_none_or(str::is_empty);
    for named in list(&reply.data()["__schema"], "types") {
        let name = named["name"].as_str().expect("a name").to_owned();
        if name.starts_with("__") || ["Int", "Float", "String", "Boolean", "ID"].contains(&&*name) {
            continue;
        }
        if undescribed(&named) {
            bare.push(name.clone());
        }
        for part in ["fields", "inputFields", "enumValues"].iter().flat_map(|p| list(&named, p)) {
            for thing in std::iter::once(part.clone()).chain(list(&part, "args")) {
                if undescribed(&thing) {
                    bare.push(format!("{name}.{}.{}", part["name"], thing["name"]));
                }
            }
        }
    }
    assert!(bare.is_empty(), "{bare:#?}");
}
