//! The playground's examples against the started program, and its page in a real browser.

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

/// Starts `dev`. Returns it with the playground's URL and the tokens of the demo identities.
async fn start_dev(folder: &Path) -> (Running, String, HashMap<String, String>) {
    let mut running = Running::dev(folder);
    let url = running.line("playground");
    let identities = get(&format!("{url}dev/identities")).await.1;
    let identities: Vec<Value> = serde_json::from_str(&identities).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let tokens = identities
        .iter()
        .map(|identity| (text(&identity["name"]), text(&identity["token"])))
        .collect();
    (running, url, tokens)
}

/// Sends an example as the page does. Returns the error codes and the data of the response.
async fn send(url: &str, token: Option<&String>, body: &Value, headers: &Value) -> (Value, Value) {
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
    let response = request.send().await.expect("a response").text().await.expect("a body");
    let response: Value = serde_json::from_str(&response).expect("JSON");
    let errors = response["errors"].as_array().cloned().unwrap_or_default();
    let codes = errors.iter().map(|error| error["extensions"]["code"].clone()).collect();
    (codes, response["data"].clone())
}

/// Queries the values of the placeholders in variables, as the page does.
async fn placeholder_values(url: &str, token: &String) -> HashMap<String, Value> {
    let body = json!({"query": document("PlaceholderValues")});
    let (codes, data) = send(url, Some(token), &body, &json!({})).await;
    assert_eq!(codes, json!([]));
    let mut values = HashMap::new();
    let list = |name: &str| data[name]["nodes"].as_array().expect("a list").clone();
    for tenant in list("tenants") {
        let slug = tenant["slug"].as_str().expect("text");
        values.insert(format!("${slug}"), tenant["id"].clone());
        values.insert(format!("${slug}.version"), tenant["version"].clone());
        let subscription = &tenant["subscription"];
        values.insert(format!("${slug}.subscription"), subscription["id"].clone());
        let toggled = subscription["cancelAtPeriodEnd"] != json!(true);
        values.insert(format!("${slug}.toggledCancellation"), json!(toggled));
    }
    for user in list("users") {
        values.insert(format!("${}", user["subject"].as_str().expect("text")), user["id"].clone());
    }
    values
}

/// Replaces the placeholders in a JSON value, and `$random` by `x1`.
fn fill(value: &Value, values: &HashMap<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let value = values.get(text).cloned();
            value.unwrap_or_else(|| json!(text.replace("$random", "x1")))
        }
        Value::Array(list) => list.iter().map(|inner| fill(inner, values)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, inner)| (name.clone(), fill(inner, values)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

/// The examples run in their order on one gateway, so that none may break a later one.
#[tokio::test(flavor = "multi_thread")]
async fn every_example_returns_the_listed_error_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, tokens) = start_dev(folder.path()).await;
    let index = std::fs::read_to_string(root("playground/examples/index.json")).expect("a list");
    let index: Vec<Value> = serde_json::from_str(&index).expect("JSON");
    // The folder has one document for each entry of the list, the list and the query for
    // placeholders.
    assert_eq!(
        std::fs::read_dir(root("playground/examples")).expect("a folder").count(),
        index.len() + 2
    );
    let mut mutations = Vec::new();
    for example in &index {
        // The next test runs the live operations.
        if example["group"] == "Live" {
            continue;
        }
        let name = example["name"].as_str().expect("a name");
        let identity = example["identity"].as_str().expect("an identity");
        let token = tokens.get(identity);
        assert!(token.is_some() || identity == "anonymous", "{name}");
        let query = document(name);
        assert!(query.contains(&format!(" {name}")), "{name} is also the name of the operation");
        let values = placeholder_values(&url, &tokens["ada"]).await;
        let variables = fill(&example["variables"], &values);
        assert!(!variables.to_string().contains('$'), "{name}: {variables}");
        let headers = fill(&example["headers"], &values);
        let body = json!({"query": query, "variables": variables});
        let (codes, data) = send(&url, token, &body, &headers).await;
        assert_eq!(codes, example["codes"], "{name}: {data}");
        if query.contains("\nmutation") && codes == json!([]) {
            // The second run shows a replay, or an error because of a stale version.
            mutations.push((name.to_owned(), send(&url, token, &body, &headers).await, data));
        }
    }
    let repeated = |name: &str| {
        mutations.iter().find(|(mutation, ..)| mutation == name).expect("a mutation that ran")
    };
    let (_, (codes, _), _) = repeated("Update");
    assert_eq!(*codes, json!(["STALE_VERSION"]));
    let (_, (codes, data), first) = repeated("IdempotencyKey");
    assert_eq!((codes, data), (&json!([]), first));
    assert!(mutations.len() > 3, "{mutations:?}");
}

/// Runs each live operation, and then the example that causes an event of it.
#[tokio::test(flavor = "multi_thread")]
async fn every_live_example_reports_the_change_of_another_example() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, tokens) = start_dev(folder.path()).await;
    let index = std::fs::read_to_string(root("playground/examples/index.json")).expect("a list");
    let index: Vec<Value> = serde_json::from_str(&index).expect("JSON");
    let mut root_fields = Vec::new();
    for example in index.iter().filter(|example| example["group"] == "Live") {
        let values = placeholder_values(&url, &tokens["ada"]).await;
        let request = |example: &Value| {
            let name = example["name"].as_str().expect("a name");
            let token = &tokens[example["identity"].as_str().expect("an identity")];
            let variables = fill(&example["variables"], &values);
            (token.clone(), json!({"query": document(name), "variables": variables}))
        };
        let (token, body) = request(example);
        let mut stream = reqwest::Client::new()
            .post(format!("{url}graphql"))
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {token}"))
            .body(body.to_string())
            .send()
            .await
            .expect("a response");
        assert_eq!(stream.headers()["content-type"], "text/event-stream", "{example}");
        let change = index.iter().find(|other| other["name"] == example["changedBy"]);
        let change = change.expect("an example");
        let (token, body) = request(change);
        let headers = fill(&change["headers"], &values);
        let (codes, data) = send(&url, Some(&token), &body, &headers).await;
        assert_eq!(codes, json!([]), "{data}");
        let event = next_event(&mut stream).await;
        assert_eq!(event["errors"], Value::Null, "{event}");
        root_fields.extend(event["data"].as_object().expect("data").keys().cloned());
    }
    root_fields.sort();
    assert_eq!(
        root_fields,
        ["meChanged", "subscriptionChanged", "tenantChanged", "tenantsChanged"]
    );
}

/// Returns the data of the next event of a stream.
async fn next_event(stream: &mut reqwest::Response) -> Value {
    let mut received = String::new();
    loop {
        let chunk = stream.chunk().await.expect("a chunk").expect("an open stream");
        received.push_str(str::from_utf8(&chunk).expect("UTF-8"));
        let data = received.split_once("data: ").and_then(|(_, data)| data.split_once('\n'));
        if let Some((data, _)) = data {
            return serde_json::from_str(data).expect("JSON");
        }
    }
}

/// Checks the data of the examples, because error codes do not show denied fields and hidden
/// objects.
#[tokio::test(flavor = "multi_thread")]
async fn authorization_examples_omit_denied_and_hidden_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, tokens) = start_dev(folder.path()).await;
    let send_as = async |name: &str, identity: &str| {
        let body = json!({"query": document(name)});
        send(&url, tokens.get(identity), &body, &json!({})).await
    };
    let (_, data) = send_as("Billing", "carol").await;
    assert_eq!(data["tenant"]["billingInfo"], json!(null));
    assert_eq!(data["tenant"]["name"], "Acme");
    let (codes, data) = send_as("Billing", "bob").await;
    assert_eq!(
        (codes, &data["tenant"]["billingInfo"]["companyName"]),
        (json!([]), &json!("Acme GmbH"))
    );
    let (_, data) = send_as("Hidden", "mallory").await;
    assert_eq!(data, json!({"acme": null, "nowhere": null}));
    let (_, data) = send_as("Hidden", "carol").await;
    assert_eq!(data, json!({"acme": {"name": "Acme"}, "nowhere": null}));
    let (codes, data) = send_as("Users", "bob").await;
    assert_eq!((codes, data), (json!(["FORBIDDEN"]), json!(null)));
}

/// Runs the script that drives the browser.
async fn run_in_browser(arguments: &[&str]) {
    let home = root("tests/browser");
    assert!(
        home.join("node_modules/playwright-core").exists(),
        "this test drives a browser. Run: scripts/fetch-chromium && scripts/lay-out-npm tests/browser"
    );
    let mut node = Command::new("node");
    node.current_dir(home).arg("playground.mjs").args(arguments);
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("a finished task");
    let output = output.expect("this test needs Node.js");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_identities_work_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_running, url, _) = start_dev(folder.path()).await;
    run_in_browser(&["dev", &url]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pasted_token_works_in_a_browser_without_introspection() {
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
    #[expect(clippy::disallowed_methods, reason = "the browser uses the system's clock")]
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now = i64::try_from(now.as_secs()).expect("in range");
    let token = issuer.token().subject("carol").issued_at(now).expires_at(now + 600);
    let token = token.claim("email", json!("carol@example.org"));
    run_in_browser(&["serve", &format!("http://{address}/"), &token.sign()]).await;
}
