//! Writes while a process is killed, stopped or replaced: each acknowledged write exists exactly once.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Running, now, signal};
use crate::support::{
    issuer::TestIssuer,
    mongod::{FreshDatabase, Kind, Mongod},
};

const CLIENTS: usize = 8;
/// The number of writes that must be acknowledged before and after an event.
const WRITES: usize = 20;
const MUTATION: &str =
    "mutation($input: CreateTenantInput!) { x: createTenant(input: $input) { tenant { slug } } }";

/// A started gateway and the token of a platform admin.
struct Gateway {
    running: Running,
    endpoint: String,
    token: String,
}

impl Gateway {
    async fn start(folder: &Path, database: &str, issuer: &TestIssuer) -> Self {
        let mut running = Running::serve(
            folder,
            &[
                ("TENANTRY_DATABASE_URL", database),
                ("TENANTRY_OIDC_ISSUER", issuer.url()),
                ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
                ("TENANTRY_RATE_LIMIT", "off"),
                ("TENANTRY_LOG", "info,tenantry::request=off"),
            ],
        );
        let serving = running.logged("serving");
        running.logged("the database is ready");
        let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
        let now = now();
        let token = issuer.token().subject("ada").groups(["platform-admins"]);
        let token = token.issued_at(now).expires_at(now + 3600).sign();
        let gateway = Self { running, endpoint, token };
        gateway.query("{ me { id } }", json!({})).await;
        gateway
    }

    async fn query(&self, query: &str, variables: Value) -> Value {
        let response = send(&self.endpoint, &self.token, "", query, variables).await;
        let response = response.expect("a response");
        assert_eq!(response.get("errors"), None, "{response}");
        response["data"].clone()
    }

    /// Returns the slugs of a list, each with the number of its appearances.
    async fn slugs(&self, list: &str, slug: &str) -> BTreeMap<String, usize> {
        let query = format!(
            "query($after: String) {{ list: {list} {{ {slug} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let (mut slugs, mut after) = (BTreeMap::new(), Value::Null);
        loop {
            let data = self.query(&query, json!({"after": after})).await;
            for node in data["list"]["nodes"].as_array().expect("nodes") {
                let slug = node["slug"].as_str().or(node["target"]["slug"].as_str());
                *slugs.entry(slug.expect("a slug").to_owned()).or_default() += 1;
            }
            let page = &data["list"]["pageInfo"];
            if page["hasNextPage"] == false {
                return slugs;
            }
            after = page["endCursor"].clone();
        }
    }

    /// Asserts that each acknowledged write was applied once, and that no write was applied in part.
    async fn assert_applied_once(&self, acknowledged: &[String]) {
        let tenants = self.slugs("tenants(first: 100, after: $after) { nodes", "slug").await;
        let events = self
            .slugs(
                "auditLog(first: 100, after: $after, filter: {action: \"tenant.create\"}) { nodes",
                "target { ... on Tenant { slug } }",
            )
            .await;
        assert_eq!(tenants, events, "each tenant has one event");
        assert!(tenants.values().all(|count| *count == 1), "{tenants:?}");
        for slug in acknowledged {
            assert!(tenants.contains_key(slug), "{slug} was acknowledged");
        }
        // A repeat of an acknowledged request returns its response and writes nothing.
        for slug in acknowledged {
            let repeated = create(&self.endpoint, &self.token, slug).await;
            assert_eq!(acknowledged_slug(repeated.as_ref()), Some(&**slug));
        }
        let again = self.slugs("tenants(first: 100, after: $after) { nodes", "slug").await;
        assert_eq!(again, tenants);
    }
}

/// Sends a request. Returns `None` if the connection breaks.
async fn send(
    endpoint: &str,
    token: &str,
    key: &str,
    query: &str,
    variables: Value,
) -> Option<Value> {
    let request = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
    let body = json!({"query": query, "variables": variables}).to_string();
    let response = request.body(body).send().await.ok()?;
    serde_json::from_str(&response.text().await.ok()?).ok()
}

/// Creates a tenant with the slug, which is also the `Idempotency-Key`.
async fn create(endpoint: &str, token: &str, slug: &str) -> Option<Value> {
    let input = json!({"input": {"slug": slug, "name": "N"}});
    send(endpoint, token, slug, MUTATION, input).await
}

fn acknowledged_slug(response: Option<&Value>) -> Option<&str> {
    response?["data"]["x"]["tenant"]["slug"].as_str()
}

/// Clients that write until they are stopped.
struct Writers {
    acknowledged: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Starts the clients. Each repeats a request until it is acknowledged, or ends with its
    /// connection if it does not `retry`.
    fn start(gateway: &Gateway, retry: bool) -> Self {
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let client = |client: usize| {
            let (acknowledged, stop) = (acknowledged.clone(), stop.clone());
            let (endpoint, token) = (gateway.endpoint.clone(), gateway.token.clone());
            tokio::spawn(async move {
                let mut n = 0;
                while !stop.load(Ordering::SeqCst) {
                    let slug = format!("w{client}-{n}");
                    let response = create(&endpoint, &token, &slug).await;
                    if acknowledged_slug(response.as_ref()) == Some(&*slug) {
                        acknowledged.lock().expect("not poisoned").push(slug);
                        n += 1;
                    } else if !retry {
                        return;
                    }
                }
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { acknowledged, stop, clients }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().expect("not poisoned").len()
    }

    /// Waits until so many more writes are acknowledged.
    async fn wait_for_more(&self, writes: usize) {
        let before = self.count();
        while self.count() < before + writes {
            tokio::task::yield_now().await;
        }
    }

    /// Waits for the clients and returns the acknowledged slugs.
    async fn finish(self) -> Vec<String> {
        for client in self.clients {
            client.await.expect("a client without a panic");
        }
        self.acknowledged.lock().expect("not poisoned").clone()
    }
}

/// Kills the gateway during writes, and starts it again on the same database.
async fn assert_killed_gateway_loses_nothing(folder: &Path, database: &str) {
    let issuer = TestIssuer::start().await;
    let mut gateway = Gateway::start(folder, database, &issuer).await;
    let writers = Writers::start(&gateway, false);
    writers.wait_for_more(WRITES).await;
    signal(&gateway.running, "-KILL");
    gateway.running.child.wait().expect("an exit status");
    let acknowledged = writers.finish().await;
    let restarted = Gateway::start(folder, database, &issuer).await;
    restarted.assert_applied_once(&acknowledged).await;
}

/// Stops and continues the gateway during writes.
async fn assert_stopped_gateway_loses_nothing(folder: &Path, database: &str) {
    let issuer = TestIssuer::start().await;
    let gateway = Gateway::start(folder, database, &issuer).await;
    let writers = Writers::start(&gateway, true);
    writers.wait_for_more(WRITES).await;
    signal(&gateway.running, "-STOP");
    let status = format!("/proc/{}/status", gateway.running.child.id());
    let is_stopped =
        || std::fs::read_to_string(&status).is_ok_and(|text| text.contains("T (stopped)"));
    while !is_stopped() {
        tokio::task::yield_now().await;
    }
    signal(&gateway.running, "-CONT");
    writers.wait_for_more(WRITES).await;
    writers.stop.store(true, Ordering::SeqCst);
    let acknowledged = writers.finish().await;
    gateway.assert_applied_once(&acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_gateway_loses_no_acknowledged_write_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_killed_gateway_loses_nothing(folder.path(), "sqlite://portal.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_gateway_loses_no_acknowledged_write_on_mongodb() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = FreshDatabase::new().await;
    assert_killed_gateway_loses_nothing(folder.path(), &fresh.uri).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_gateway_loses_no_acknowledged_write_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_stopped_gateway_loses_nothing(folder.path(), "sqlite://portal.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_gateway_loses_no_acknowledged_write_on_mongodb() {
    let folder = tempfile::tempdir().expect("a folder");
    let fresh = FreshDatabase::new().await;
    assert_stopped_gateway_loses_nothing(folder.path(), &fresh.uri).await;
}

/// The primary of three servers is killed during writes. Another one takes over.
#[tokio::test(flavor = "multi_thread")]
async fn failover_loses_no_acknowledged_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || (0..3).map(|_| Mongod::running(Kind::ReplicaSet)).collect();
    let servers: Vec<Mongod> = tokio::task::spawn_blocking(start).await.expect("three servers");
    let mut servers = servers;
    Mongod::initiate_set(&servers.iter().collect::<Vec<_>>()).await;
    let hosts: Vec<_> = servers.iter().map(Mongod::host).collect();
    let database = format!("mongodb://{}/portal?replicaSet=rs0", hosts.join(","));
    let issuer = TestIssuer::start().await;
    let gateway = Gateway::start(folder.path(), &database, &issuer).await;
    let writers = Writers::start(&gateway, true);
    writers.wait_for_more(WRITES).await;
    let primary = Mongod::primary(&database).await;
    let killed = servers.iter_mut().find(|server| server.host() == primary);
    killed.expect("one of the servers").stop();
    // The first write after the death of the primary is one of its successor.
    writers.wait_for_more(WRITES + CLIENTS).await;
    assert_ne!(Mongod::primary(&database).await, primary);
    writers.stop.store(true, Ordering::SeqCst);
    let acknowledged = writers.finish().await;
    gateway.assert_applied_once(&acknowledged).await;
}
