//! What the started program tells of requests: lines of its log, and traces to a collector.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value as Told,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Running, get, now, terminate};
use crate::support::{
    issuer::{Kind as KeyKind, TestIssuer, TestKey},
    mongod::Fresh,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "b7ad6b7169203331";
/// A word that stands in a document, in its variables and in a token, and that nobody is told.
const SECRET: &str = "hunter2";

/// What a collector has been sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// A collector on a free port: where it is.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// The spans, once the program has ended; and what they say of the service.
    fn spans(&self) -> (Vec<Span>, Vec<(String, String)>) {
        let taken = self.0.lock().expect("no test panicked with it");
        let resources = taken.iter().flat_map(|request| request.resource_spans.clone());
        let (mut spans, mut service) = (Vec::new(), Vec::new());
        for resource in resources {
            let told = resource.resource.unwrap_or_default().attributes;
            service.extend(told.iter().map(|told| (told.key.clone(), text(told.value.clone()))));
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        (spans, service)
    }
}

async fn take(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    collector.0.lock().expect("no test panicked with it").push(request);
    StatusCode::OK
}

fn text(value: Option<opentelemetry_proto::tonic::common::v1::AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Told::StringValue(text)) => text,
        Some(Told::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let told = span.attributes.iter().find(|told| told.key == key)?;
    Some(text(told.value.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_line_and_a_trace_and_neither_tells_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let (issuer, fresh, collector) =
        (TestIssuer::start().await, Fresh::new().await, Collector::default());
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
    assert_eq!(serving["database"].as_str().map(|shown| shown.contains("MongoDB")), Some(true));
    serve.logged("the database is ready");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    let ready = format!("http://{}/readyz", serving["admin"].as_str().expect("an address"));
    while get(&ready).await.0 != 200 {}
    // A key that is not known yet, so that the request causes a fetch of keys.
    let known = TestKey::of(KeyKind::P256);
    let new = TestKey::of(KeyKind::Rsa);
    issuer.set_keys(&[known, new.clone()]);
    let token = issuer
        .token()
        .key(&new)
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
    let answer = request.body(body.to_string()).send().await.expect("an answer");
    let answer: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    let (me, dezky) = (&answer["data"]["me"]["id"], &answer["data"]["tenant"]["id"]);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    let passed_on = issuer.traceparent().expect("a trace");
    assert!(passed_on.starts_with(&format!("00-{TRACE}-")) && !passed_on.contains(PARENT));

    // What goes on without its client is a part of the trace, too.
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
    let renamed = request.send().await.expect("an answer").text().await.expect("text");
    assert!(!renamed.contains("errors"), "{renamed}");

    terminate(&mut serve);
    let lines: Vec<String> = serve.lines.by_ref().collect();
    for line in &lines {
        assert!(!line.contains(SECRET), "{line}");
        assert!(token.split('.').all(|part| !line.contains(part)), "{line}");
    }
    let line = lines.iter().find(|line| line.contains("\"answered\"")).expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["span"]["request_id"], "r-1");
    assert_eq!(line["span"]["trace_id"], TRACE);
    assert_eq!(line["target"], "tenantry::request");
    let mut fields = line["fields"].clone();
    assert!(fields["duration_ms"].as_f64().is_some_and(|took| took > 0.0), "{fields}");
    let hash = fields["document_sha256"].as_str().expect("a hash").to_owned();
    assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
    for once in ["duration_ms", "document_sha256"] {
        fields.as_object_mut().expect("an object").remove(once);
    }
    let told = json!({
        "message": "request completed", "method": "POST", "status": 200, "code": "BAD_USER_INPUT",
        "operation_type": "query", "root_field": "several", "operation_name": "Portal",
        "actor": me, "tenants": dezky, "store_reads": 5, "store_writes": 2,
    });
    assert_eq!(fields, told);

    let (spans, service) = collector.spans();
    assert!(!format!("{spans:?}").contains(SECRET));
    let said = |key: &str| service.iter().find(|(told, _)| told == key).map(|(_, value)| &**value);
    assert_eq!(said("service.name"), Some("tenantry"));
    assert_eq!(said("deployment.environment.name"), Some("test"));
    let ours = |span: &&Span| hex::encode(&span.trace_id) == TRACE;
    let trace: Vec<&Span> = spans.iter().filter(ours).collect();
    let named = |name: &str| {
        let found: Vec<_> = trace.iter().filter(|span| span.name == name).collect();
        assert!(!found.is_empty(), "no span {name:?} in {trace:?}");
        *found[0]
    };
    let root = named("query several");
    assert_eq!(hex::encode(&root.parent_span_id), PARENT);
    assert_eq!(root.kind(), SpanKind::Server);
    assert_eq!(attribute(root, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(attribute(root, "graphql.operation.name").as_deref(), Some("Portal"));
    assert_eq!(attribute(root, "graphql.document.hash"), Some(hash));
    assert_eq!(attribute(root, "error.type").as_deref(), Some("BAD_USER_INPUT"));
    let users = named("find users");
    assert_eq!(users.parent_span_id, root.span_id);
    assert_eq!(attribute(users, "db.system.name").as_deref(), Some("mongodb"));
    assert_eq!(attribute(users, "db.collection.name").as_deref(), Some("users"));
    let fetch = named("fetch keys");
    assert_eq!(fetch.parent_span_id, root.span_id);
    assert!(passed_on.contains(&hex::encode(&fetch.span_id)), "{passed_on}");
    named("commitTransaction");
    let of_other = |span: &&Span| hex::encode(&span.trace_id) == OTHER_TRACE;
    let mut names: Vec<&str> =
        spans.iter().filter(of_other).map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in ["commitTransaction", "findAndModify requests", "mutation updateTenant"] {
        assert!(names.contains(&name), "no {name:?} among {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_for_people_have_the_request_too_and_can_be_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    for (filter, lines_of_requests) in [("info", 1), ("info,tenantry::request=off", 0)] {
        let variables = [
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
            ("TENANTRY_LOG", filter),
            ("TENANTRY_LOG_FORMAT", "pretty"),
        ];
        let mut serve = Running::serve_as_told(folder.path(), &variables);
        let bind = serve.lines.find_map(|line| {
            let rest = line.split(" bind=").nth(1)?;
            rest.split(' ').next().map(str::to_owned)
        });
        let client = reqwest::Client::new();
        let request = client
            .post(format!("http://{}/graphql", bind.expect("an address")))
            .header("content-type", "application/json")
            .header("x-request-id", "r-1");
        let answer = request.body(r#"{"query":"{ me { id } }"}"#).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        terminate(&mut serve);
        let lines: Vec<String> =
            serve.lines.by_ref().filter(|l| l.contains("request completed")).collect();
        assert_eq!(lines.len(), lines_of_requests, "{lines:?}");
        for line in lines {
            assert!(line.contains(r#"request{request_id="r-1"}: answered "#), "{line}");
            assert!(line.contains(r#"code="UNAUTHENTICATED""#), "{line}");
        }
    }
}
