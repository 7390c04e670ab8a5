//! Telemetry of the started program: log lines of requests, and traces that a collector receives.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as AnyValue,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Running, get, now, terminate};
use crate::support::{
    issuer::{Kind as KeyKind, TestIssuer, TestKey},
    mongod::FreshDatabase,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "b7ad6b7169203331";
/// A literal in a document, in its variables and in a token. Neither logs nor traces may contain
/// it.
const SECRET: &str = "hunter2";

/// A collector that records the export requests that it receives.
#[derive(Clone, Default)]
pub(super) struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Starts the collector on a free port and returns its URL.
    pub(super) async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/v1/traces", post(export)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// Returns the spans and the resource attributes. The program must have exited.
    pub(super) fn spans(&self) -> (Vec<Span>, Vec<(String, String)>) {
        let received = self.0.lock().expect("an intact lock");
        let resources = received.iter().flat_map(|request| request.resource_spans.clone());
        let (mut spans, mut attributes) = (Vec::new(), Vec::new());
        for resource in resources {
            let of_resource = resource.resource.unwrap_or_default().attributes;
            attributes.extend(
                of_resource
                    .iter()
                    .map(|attribute| (attribute.key.clone(), text(attribute.value.clone()))),
            );
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        (spans, attributes)
    }
}

async fn export(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    collector.0.lock().expect("an intact lock").push(request);
    StatusCode::OK
}

fn text(value: Option<opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(AnyValue::StringValue(text)) => text,
        Some(AnyValue::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    Some(text(attribute.value.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn request_is_logged_and_traced_without_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let (issuer, fresh, collector) =
        (TestIssuer::start().await, FreshDatabase::new().await, Collector::default());
    let otlp = collector.start().await;
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", &fresh.uri),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &otlp),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ],
    );
    let serving = serve.logged("serving");
    assert_eq!(
        serving["database"].as_str().map(|database| database.contains("MongoDB")),
        Some(true)
    );
    serve.logged("the database is ready");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    let ready = format!("http://{}/readyz", serving["admin"].as_str().expect("an address"));
    while get(&ready).await.0 != 200 {}
    // The token's key is not known yet, so that the request causes a fetch of keys.
    let known_key = TestKey::of(KeyKind::P256);
    let new_key = TestKey::of(KeyKind::Rsa);
    issuer.set_keys(&[known_key, new_key.clone()]);
    let token = issuer
        .token()
        .key(&new_key)
        .issued_at(now())
        .expires_at(now() + 600)
        .claim("email", json!(format!("{SECRET}@example.org")))
        .groups(["tenant:dezky:owner"])
        .sign();
    let query = format!(
        "query Portal($slug: String!) {{ me {{ id }} tenant(slug: $slug) {{ id }} node(id: \"{SECRET}\") {{ id }} }}"
    );
    let body = json!({"query": query, "variables": {"slug": "dezky", "other": SECRET}});
    let client = reqwest::Client::new();
    let request = client
        .post(&endpoint)
        .header("content-type", "application/json")
        .header("x-request-id", "r-1")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("authorization", format!("Bearer {token}"));
    let response = request.body(body.to_string()).send().await.expect("a response");
    let response = response.text().await.expect("text");
    let response: Value = serde_json::from_str(&response).expect("JSON");
    let (me, dezky) = (&response["data"]["me"]["id"], &response["data"]["tenant"]["id"]);
    assert_eq!(response["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{response}");
    let propagated = issuer.traceparent().expect("a trace");
    assert!(propagated.starts_with(&format!("00-{TRACE}-")) && !propagated.contains(PARENT));

    // A mutation with a key runs in a task of its own. Its spans are part of the trace, too.
    let rename = format!(
        "mutation {{ updateTenant(input: {{id: {dezky}, name: \"{SECRET}\"}}) {{ tenant {{ id }} }} }}"
    );
    let request = client
        .post(&endpoint)
        .header("content-type", "application/json")
        .header("idempotency-key", "k-1")
        .header("traceparent", format!("00-{OTHER_TRACE}-{PARENT}-01"))
        .header("authorization", format!("Bearer {token}"))
        .body(json!({"query": rename}).to_string());
    let renamed = request.send().await.expect("a response").text().await.expect("text");
    assert!(!renamed.contains("errors"), "{renamed}");

    terminate(&mut serve);
    let lines: Vec<String> = serve.lines.by_ref().collect();
    for line in &lines {
        assert!(!line.contains(SECRET), "{line}");
        assert!(token.split('.').all(|part| !line.contains(part)), "{line}");
    }
    let line = lines.iter().find(|line| line.contains("\"request completed\"")).expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["span"]["request_id"], "r-1");
    assert_eq!(line["span"]["trace_id"], TRACE);
    assert_eq!(line["target"], "tenantry::request");
    let mut fields = line["fields"].clone();
    assert!(fields["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{fields}");
    let hash = fields["document_sha256"].as_str().expect("a hash").to_owned();
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    for variable in ["duration_ms", "document_sha256"] {
        fields.as_object_mut().expect("an object").remove(variable);
    }
    let expected = json!({
        "message": "request completed", "method": "POST", "status": 200, "code": "BAD_USER_INPUT",
        "operation_type": "query", "root_field": "several", "operation_name": "Portal",
        "actor": me, "tenants": dezky, "store_reads": 5, "store_writes": 2,
    });
    assert_eq!(fields, expected);

    let (spans, resource) = collector.spans();
    assert!(!format!("{spans:?}").contains(SECRET));
    let resource_attribute =
        |key: &str| resource.iter().find(|(name, _)| name == key).map(|(_, value)| &**value);
    assert_eq!(resource_attribute("service.name"), Some("tenantry"));
    assert_eq!(resource_attribute("deployment.environment.name"), Some("test"));
    let is_in_trace = |span: &&Span| hex::encode(&span.trace_id) == TRACE;
    let trace: Vec<&Span> = spans.iter().filter(is_in_trace).collect();
    let span_named = |name: &str| {
        let matching: Vec<_> = trace.iter().filter(|span| span.name == name).collect();
        assert!(!matching.is_empty(), "no span {name:?} in {trace:?}");
        *matching[0]
    };
    let root = span_named("query several");
    assert_eq!(hex::encode(&root.parent_span_id), PARENT);
    assert_eq!(root.kind(), SpanKind::Server);
    assert_eq!(attribute(root, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(attribute(root, "graphql.operation.name").as_deref(), Some("Portal"));
    assert_eq!(attribute(root, "graphql.document.hash"), Some(hash));
    assert_eq!(attribute(root, "error.type").as_deref(), Some("BAD_USER_INPUT"));
    let users = span_named("find users");
    assert_eq!(users.parent_span_id, root.span_id);
    assert_eq!(attribute(users, "db.system.name").as_deref(), Some("mongodb"));
    assert_eq!(attribute(users, "db.collection.name").as_deref(), Some("users"));
    let fetch = span_named("fetch keys");
    assert_eq!(fetch.parent_span_id, root.span_id);
    assert!(propagated.contains(&hex::encode(&fetch.span_id)), "{propagated}");
    span_named("commitTransaction");
    let is_in_other_trace = |span: &&Span| hex::encode(&span.trace_id) == OTHER_TRACE;
    let mut names: Vec<&str> =
        spans.iter().filter(is_in_other_trace).map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in ["commitTransaction", "findAndModify requests", "mutation updateTenant"] {
        assert!(names.contains(&name), "no {name:?} among {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pretty_log_has_request_lines_and_a_filter_disables_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    for (filter, expected_lines) in [("info", 1), ("info,tenantry::request=off", 0)] {
        let variables = [
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
            ("TENANTRY_LOG", filter),
            ("TENANTRY_LOG_FORMAT", "pretty"),
        ];
        let mut serve = Running::serve_with_variables(folder.path(), &variables);
        let bind = serve.lines.find_map(|line| {
            let rest = line.split(" bind=").nth(1)?;
            rest.split(' ').next().map(str::to_owned)
        });
        let client = reqwest::Client::new();
        let request = client
            .post(format!("http://{}/graphql", bind.expect("an address")))
            .header("content-type", "application/json")
            .header("x-request-id", "r-1");
        let response = request.body(r#"{"query":"{ me { id } }"}"#).send().await;
        assert_eq!(response.expect("a response").status(), 200);
        terminate(&mut serve);
        let lines: Vec<String> =
            serve.lines.by_ref().filter(|l| l.contains("request completed")).collect();
        assert_eq!(lines.len(), expected_lines, "{lines:?}");
        for line in lines {
            assert!(line.contains(r#"request{request_id="r-1"}: request completed "#), "{line}");
            assert!(line.contains(r#"code="UNAUTHENTICATED""#), "{line}");
        }
    }
}
