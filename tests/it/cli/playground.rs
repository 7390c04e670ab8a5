//! The playground as somebody uses it: its examples, and the page in a real browser.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{Running, get};
use crate::support::issuer::TestIssuer;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn document(name: &str) -> String {
    let path = root("playground/examples").join(format!("{name}.graphql"));
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()))
}

/// A gateway of `dev`, and the tokens of its identities.
async fn dev(folder: &Path) -> (Running, String, HashMap<String, String>) {
    let mut running = Running::dev(folder);
    let url = running.line("playground");
    let told = get(&format!("{url}dev/identities")).await.1;
    let told: Vec<Value> = serde_json::from_str(&told).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let tokens = told.iter().map(|one| (text(&one["name"]), text(&one["token"]))).collect();
    (running, url, tokens)
}

/// Sends an example as the page does: the codes that it is answered, and the data.
async fn run(url: &str, token: Option<&String>, body: &Value, headers: &Value) -> (Value, Value) {
    let client = reqwest::Client::new();
    let mut request = client
        .post(format!("{url}graphql"))
        .header("content-type", "application/json")
        .body(body.to_string());
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in headers.as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().expect("text"));
    }
    let answer = request.send().await.expect("an answer").text().await.expect("a body");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let codes = errors.iter().map(|error| error["extensions"]["code"].clone()).collect();
    (codes, answer["data"].clone())
}

/// What variables name, as the page asks for it.
async fn places(url: &str, token: &String) -> HashMap<String, Value> {
    let body = json!({"query": document("Places")});
    let (codes, data) = run(url, Some(token), &body, &json!({})).await;
    assert_eq!(codes, json!([]));
    let mut places = HashMap::new();
    let list = |name: &str| data[name]["nodes"].as_array().expect("a list").clone();
    for tenant in list("tenants") {
        let slug = tenant["slug"].as_str().expect("text");
        places.insert(format!("${slug}"), tenant["id"].clone());
        places.insert(format!("${slug}.version"), tenant["version"].clone());
        places.insert(format!("${slug}.subscription"), tenant["subscription"]["id"].clone());
    }
    for user in list("users") {
        places.insert(format!("${}", user["subject"].as_str().expect("text")), user["id"].clone());
    }
    places
}

fn filled(value: &Value, places: &HashMap<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let found = places.get(text).cloned();
            found.unwrap_or_else(|| json!(text.replace("$random", "x1")))
        }
        Value::Array(list) => list.iter().map(|inner| filled(inner, places)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, inner)| (name.clone(), filled(inner, places)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// In their order, on one gateway: none gets in the way of a later one.
#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_answered_as_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, tokens) = dev(folder.path()).await;
    let index = std::fs::read_to_string(root("playground/examples/index.json")).expect("a list");
    let index: Vec<Value> = serde_json::from_str(&index).expect("JSON");
    // The list and the folder have the same, apart from what asks for the variables.
    assert_eq!(
        std::fs::read_dir(root("playground/examples")).expect("a folder").count(),
        index.len() + 2
    );
    let mut changed = Vec::new();
    for example in &index {
        let name = example["name"].as_str().expect("a name");
        let whom = example["as"].as_str().expect("somebody");
        let token = tokens.get(whom);
        assert!(token.is_some() || whom == "nobody", "{name}");
        let query = document(name);
        assert!(query.contains(&format!(" {name}")), "{name} is the tab's name too");
        let places = places(&url, &tokens["ada"]).await;
        let variables = filled(&example["variables"], &places);
        assert!(!variables.to_string().contains('$'), "{name}: {variables}");
        let headers = filled(&example["headers"], &places);
        let body = json!({"query": query, "variables": variables});
        let (codes, data) = run(&url, token, &body, &headers).await;
        assert_eq!(codes, example["codes"], "{name}: {data}");
        if query.contains("\nmutation") && codes == json!([]) {
            // Twice: what is done once, and what comes too late.
            changed.push((name.to_owned(), run(&url, token, &body, &headers).await, data));
        }
    }
    let again = |name: &str| changed.iter().find(|(one, ..)| one == name).expect("it ran");
    let (_, (codes, _), _) = again("Update");
    assert_eq!(*codes, json!(["STALE_VERSION"]));
    let (_, (codes, data), first) = again("Once");
    assert_eq!((codes, data), (&json!([]), first));
    assert!(changed.len() > 3, "{changed:?}");
}

/// The denied part and the hidden one, which their codes alone do not show.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_what_may_not_be_seen_show_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, tokens) = dev(folder.path()).await;
    let ask = async |name: &str, whom: &str| {
        let body = json!({"query": document(name)});
        run(&url, tokens.get(whom), &body, &json!({})).await
    };
    let (_, data) = ask("Billing", "carol").await;
    assert_eq!(data["tenant"]["billingInfo"], json!(null));
    assert_eq!(data["tenant"]["name"], "Acme");
    let (codes, data) = ask("Billing", "bob").await;
    assert_eq!(
        (codes, &data["tenant"]["billingInfo"]["companyName"]),
        (json!([]), &json!("Acme GmbH"))
    );
    let (_, data) = ask("Hidden", "mallory").await;
    assert_eq!(data, json!({"acme": null, "nowhere": null}));
    let (_, data) = ask("Hidden", "carol").await;
    assert_eq!(data, json!({"acme": {"name": "Acme"}, "nowhere": null}));
    let (codes, data) = ask("Users", "bob").await;
    assert_eq!((codes, data), (json!(["FORBIDDEN"]), json!(null)));
}

/// Runs the browser's script to its end.
async fn browser(arguments: &[&str]) {
    let home = root("tests/browser");
    assert!(
        home.join("node_modules/playwright-core").exists(),
        "this test drives a browser. Run: scripts/fetch-chromium && scripts/lay-out-npm tests/browser"
    );
    let mut node = Command::new("node");
    node.current_dir(home).arg("playground.mjs").args(arguments);
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("ended");
    let output = output.expect("this test needs Node.js");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_tries_the_demo_identities_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, _) = dev(folder.path()).await;
    browser(&["dev", &url]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_pastes_a_token_in_a_browser_where_introspection_is_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
            ("TENANTRY_PLAYGROUND", "true"),
        ],
    );
    let address = serve.logged("serving")["bind"].as_str().expect("an address").to_owned();
    serve.logged("the database is ready");
    #[expect(clippy::disallowed_methods, reason = "the browser goes by the system's clock")]
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now = i64::try_from(now.as_secs()).expect("in range");
    let token = issuer.token().subject("carol").issued_at(now).expires_at(now + 600);
    let token = token.claim("email", json!("carol@example.org"));
    browser(&["serve", &format!("http://{address}/"), &token.sign()]).await;
}
