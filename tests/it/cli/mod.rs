//! The program as a separate process: its commands, its output and its responses over TCP.

mod crashes;
mod file_modes;
mod invitations;
mod mail;
mod playground;
mod provider;
mod seed;
mod shutdown;
mod telemetry;
mod traffic;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use mongodb::bson::doc;
use serde_json::{Value, json};

use crate::http::cors::assert_not_shared;
use crate::support::{
    issuer::TestIssuer,
    mongod::{FreshDatabase, Kind, Mongod},
};

fn tenantry(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command that ends without a signal.
pub(crate) fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = tenantry(folder);
    command.args(arguments).envs(variables.iter().copied());
    command.output().expect("the program starts")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A gateway that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    /// The lines of standard output or of the log that were not read yet.
    lines: Box<dyn Iterator<Item = String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts `dev` and reads its standard output, which contains its URLs.
    fn dev(folder: &Path) -> Self {
        Self::dev_with_variables(folder, &[])
    }

    /// Starts `dev` with the given variables.
    fn dev_with_variables(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = tenantry(folder);
        command.args(["dev", "--bind", "127.0.0.1:0", "--admin-bind", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let out = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        Self { child, lines: Box::new(lines) }
    }

    /// Starts `serve` with a JSON log, which contains its addresses.
    pub(crate) fn serve(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut variables = variables.to_vec();
        variables.push(("TENANTRY_LOG_FORMAT", "json"));
        Self::serve_with_variables(folder, &variables)
    }

    /// Starts `serve` with the given variables on free ports.
    fn serve_with_variables(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = tenantry(folder);
        command.args(["serve", "--bind", "127.0.0.1:0", "--admin-bind", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        Self::logging(command)
    }

    /// Starts a command and reads its log.
    fn logging(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program starts");
        let err = child.stderr.take().expect("a pipe");
        let lines = BufReader::new(err).lines().map_while(Result::ok);
        Self { child, lines: Box::new(lines) }
    }

    /// Returns the rest of the next line that begins with `start`.
    fn line(&mut self, start: &str) -> String {
        let rest = self.lines.find_map(|line| line.strip_prefix(start).map(str::to_owned));
        rest.unwrap_or_else(|| panic!("no line begins with {start:?}")).trim().to_owned()
    }

    /// Returns the fields of the next log line with the given message.
    pub(crate) fn logged(&mut self, message: &str) -> Value {
        let fields = self.lines.find_map(|line| {
            let line: Value = serde_json::from_str(&line).ok()?;
            (line["fields"]["message"] == message).then(|| line["fields"].clone())
        });
        fields.unwrap_or_else(|| panic!("no log line has the message {message:?}"))
    }
}

/// Sends a signal to the program by `kill`.
fn signal(running: &Running, signal: &str) {
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
}

/// Sends SIGTERM and asserts that the program exits with code 0.
#[track_caller]
fn terminate(running: &mut Running) {
    signal(running, "-TERM");
    assert_eq!(running.child.wait().expect("an exit status").code(), Some(0));
}

/// Returns the current Unix time in seconds.
#[expect(clippy::disallowed_methods, reason = "the started program uses the system's clock")]
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("in range")
}

async fn get(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.expect("a response");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

pub(crate) async fn send_query(endpoint: &str, token: &str, query: &str) -> Value {
    let client = reqwest::Client::new();
    let body = json!({"query": query}).to_string();
    let request = client
        .post(endpoint)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    let response = request.body(body).send().await.expect("a response");
    serde_json::from_str(&response.text().await.expect("a body")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_serves_a_gateway_with_demo_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ids = Vec::new();
    // The second start reuses the data of the first.
    for _ in 0..2 {
        let mut dev = Running::dev(folder.path());
        let playground = dev.line("playground");
        let endpoint = dev.line("endpoint");
        let ready = dev.line("readiness");
        assert_eq!(get(&ready).await, (200, r#"{"status":"ready"}"#.to_owned()));
        assert!(get(&playground).await.1.contains("Tenantry playground"));
        let base = playground.trim_end_matches('/');
        let discovery: Value = serde_json::from_str(
            &get(&format!("{base}/dev/oidc/.well-known/openid-configuration")).await.1,
        )
        .expect("JSON");
        assert_eq!(discovery["issuer"], format!("{base}/dev/oidc"));
        let jwks = get(discovery["jwks_uri"].as_str().expect("a URL")).await;
        assert!(jwks.0 == 200 && jwks.1.contains("ES256"), "{}", jwks.1);
        let identities: Vec<Value> =
            serde_json::from_str(&get(&format!("{base}/dev/identities")).await.1).expect("JSON");
        let names: Vec<_> =
            identities.iter().map(|identity| identity["name"].as_str().expect("text")).collect();
        assert_eq!(names, ["ada", "bob", "carol", "mallory"]);
        let mut tenant_counts = Vec::new();
        for identity in &identities {
            let curl = dev.line("  curl -s ");
            let token = curl.split("Bearer ").nth(1).and_then(|rest| rest.split('\'').next());
            let body = curl.split("-d '").nth(1).expect("a body").trim_end_matches('\'');
            let query: Value = serde_json::from_str(body).expect("JSON");
            let response = send_query(
                &endpoint,
                token.expect("a token"),
                query["query"].as_str().expect("a query"),
            );
            assert_eq!(
                response.await["data"]["me"]["name"].as_str().map(str::to_lowercase).as_deref(),
                identity["name"].as_str()
            );
            let token = identity["token"].as_str().expect("a token");
            let response =
                send_query(&endpoint, token, "{ me { id } tenants { nodes { slug status } } }")
                    .await;
            let tenants = response["data"]["tenants"]["nodes"].as_array().expect("nodes").clone();
            tenant_counts.push(tenants.len());
            ids.push(response["data"]["me"]["id"].clone());
            if identity["name"] == "ada" {
                let mut statuses: Vec<_> =
                    tenants.iter().map(|tenant| tenant["status"].to_string()).collect();
                statuses.sort();
                statuses.dedup();
                assert_eq!(statuses.len(), 4, "a tenant in each of the four statuses");
            }
        }
        assert_eq!(tenant_counts, [6, 1, 2, 0]);
        // The port is part of the issuer's URL, so each start has its own users.
    }
    assert_eq!(ids.len(), 8);
    let key = std::fs::metadata(folder.path().join(".tenantry/dev-issuer.pk8")).expect("a key");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_responds_with_mongodb_and_has_no_dev_endpoints() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let fresh = FreshDatabase::new().await;
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", &fresh.uri),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "another, tenantry"),
        ],
    );
    let serving = serve.logged("serving");
    let base = format!("http://{}", serving["bind"].as_str().expect("an address"));
    let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
    serve.logged("the database is ready");
    let now = now();
    let token = issuer.token().issued_at(now).expires_at(now + 600).groups(["tenant:dezky:owner"]);
    let query = "{ me { memberships { role tenant { slug plan subscription { status } } } } }";
    let response = send_query(&format!("{base}/graphql"), &token.sign(), query).await;
    let tenant = json!({"slug": "dezky", "plan": "FREE", "subscription": {"status": "ACTIVE"}});
    assert_eq!(response["data"]["me"]["memberships"], json!([{"role": "OWNER", "tenant": tenant}]));
    assert_eq!(get(&format!("{admin}/readyz")).await.0, 200);
    for path in ["/", "/dev/identities", "/dev/oidc/jwks.json", "/readyz"] {
        assert_eq!(get(&format!("{base}{path}")).await.0, 404, "{path}");
    }
    let introspection =
        send_query(&format!("{base}/graphql"), &token.sign(), "{ __schema { types { name } } }")
            .await;
    assert_eq!(introspection["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    // `seed` without demo data finds that the default tenant exists, and creates nothing.
    let seed = run(folder.path(), &["seed"], &[("TENANTRY_DATABASE_URL", &fresh.uri)]);
    assert_eq!(seed.status.code(), Some(0), "{}", text(&seed.stderr));
    for (collection, documents) in [("tenants", 1), ("subscriptions", 1), ("auditEvents", 2)] {
        let stored = fresh.database.collection::<mongodb::bson::Document>(collection);
        let count = stored.count_documents(mongodb::bson::doc! {}).await.expect("a count");
        assert_eq!(count, documents, "{collection}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_waits_for_an_unreachable_database_and_provider() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut mongod = Mongod::unstarted(Kind::ReplicaSet);
    let issuer = TestIssuer::start().await;
    issuer.set_offline(true);
    let url = mongod.uri("portal");
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", &url),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ],
    );
    let serving = serve.logged("serving");
    let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
    assert_eq!(get(&format!("{admin}/healthz")).await.0, 200);
    let (status, reasons) = get(&format!("{admin}/readyz")).await;
    assert!(status == 503 && reasons.contains("store") && reasons.contains("keys"), "{reasons}");
    let base = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    let response = send_query(&base, &issuer.token().sign(), "{ me { id } }").await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    issuer.set_offline(false);
    assert!(mongod.start(), "the port is still free");
    mongod.initiate().await;
    serve.logged("the database is ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_mongod_is_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let mongod = Mongod::running(Kind::Standalone);
    let url = mongod.uri("portal");
    let seed = run(folder.path(), &["seed"], &[("TENANTRY_DATABASE_URL", &url)]);
    let log = text(&seed.stderr);
    assert_eq!(seed.status.code(), Some(2), "{log}");
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains("--replSet") && last.contains("rs.initiate()"), "{log}");
    let issuer = TestIssuer::start().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    let (code, output) = check(folder.path(), &variables).await;
    assert!(code == Some(2) && output.contains("rs.initiate()"), "{output}");
    assert!(output.contains("usable keys: 1"), "the other checks run, too: {output}");
}

#[test]
fn invalid_configuration_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let valid = [
        ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
        ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
        ("TENANTRY_OIDC_AUDIENCE", "portal"),
        ("TENANTRY_BIND", "127.0.0.1:0"),
        ("TENANTRY_ADMIN_BIND", "127.0.0.1:0"),
    ];
    for (variable, invalid, is_printed) in [
        ("TENANTRY_BIND", "localhost", true),
        ("TENANTRY_ADMIN_BIND", "127.0.0.1:99999", true),
        ("TENANTRY_PLAYGROUND", "maybe", true),
        ("TENANTRY_INTROSPECTION", "2", true),
        // SQLite reports no changes by other programs.
        ("TENANTRY_ACTOR_CACHE", "true", true),
        ("TENANTRY_ACTOR_CACHE", "perhaps", true),
        ("TENANTRY_MAX_BODY_BYTES", "1MB", true),
        ("TENANTRY_CORS_ORIGINS", "https://portal.example.org/", true),
        ("TENANTRY_REQUEST_TIMEOUT", "10", true),
        ("TENANTRY_RATE_LIMIT", "20000", true),
        ("TENANTRY_MAX_CONCURRENT_REQUESTS", "none", true),
        ("TENANTRY_MAX_CONNECTIONS", "0", true),
        ("TENANTRY_MAX_CONNECTIONS_PER_ADDRESS", "many", true),
        ("TENANTRY_MAX_LIVE_CONNECTIONS_PER_CALLER", "0", true),
        ("TENANTRY_TRUSTED_PROXIES", "10.0.0.0/33", true),
        ("TENANTRY_SHUTDOWN_DELAY", "1", true),
        ("TENANTRY_SHUTDOWN_TIMEOUT", "0s", true),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", true),
        ("TENANTRY_LOG", "a=b=c", true),
        ("TENANTRY_LOG_FORMAT", "xml", true),
        ("TENANTRY_DATABASE_URL", "postgres://ada:hunter2@db/x", false),
        ("TENANTRY_DATABASE_URL", "mongodb://ada:hunter2@db", false),
        ("TENANTRY_DATABASE_URL", "", false),
        ("TENANTRY_OIDC_ISSUER", "http://id.example.org/", true),
        ("TENANTRY_OIDC_ISSUER", "https://ada:hunter2@id.example.org/", false),
        ("TENANTRY_OIDC_ISSUER", "", false),
        ("TENANTRY_OIDC_AUDIENCE", " , ", true),
        ("TENANTRY_OIDC_AUDIENCE", "", false),
        ("TENANTRY_OIDC_AUDIENCE", "a;b", true),
        ("TENANTRY_OIDC_ISSUER", "https://a.example/,https://a.example/", true),
        ("TENANTRY_OIDC_ISSUER", "https://id.example.org/?a=b", true),
        ("TENANTRY_OIDC_JWKS_URL", "https://a.example/;https://b.example/", true),
        ("TENANTRY_OIDC_JWKS_URL", "file:///etc/passwd", true),
        ("TENANTRY_OIDC_CA_FILE", "missing.pem", true),
        ("TENANTRY_DEFAULT_TENANT_SLUG", "Ä", true),
        ("TENANTRY_DEFAULT_TENANT_NAME", " ", true),
        ("TENANTRY_DEFAULT_TENANT_PLAN", "gold", true),
    ] {
        let mut variables = valid.to_vec();
        variables.retain(|(name, _)| *name != variable);
        variables.push((variable, invalid));
        let output = run(folder.path(), &["serve"], &variables);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{variable}={invalid}: {error}");
        assert_eq!(error.lines().count(), 1, "{variable}={invalid}: {error}");
        assert!(error.contains(variable), "{error}");
        let contains_value = error.contains(invalid) && !invalid.is_empty();
        assert_eq!(contains_value, is_printed, "{variable}={invalid}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

/// Runs `check`. Returns its exit code and its output.
async fn check(folder: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let (folder, owned) = (folder.to_owned(), variables.iter());
    let owned: Vec<(String, String)> =
        owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // The test's provider runs on this runtime, so the test must not block it.
    let check = tokio::task::spawn_blocking(move || {
        let variables: Vec<_> =
            owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        run(&folder, &["check"], &variables)
    });
    let output = check.await.expect("a finished task");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_passes_with_a_valid_configuration_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (issuer, other) = (TestIssuer::start().await, TestIssuer::start().await);
    other.set_additional_jwks(&[json!({"kty": "oct", "k": "AAAA", "kid": "secret"})]);
    let fresh = FreshDatabase::new().await;
    let issuers = format!("{},{}", issuer.url(), other.url());
    let mut variables = vec![
        ("TENANTRY_DATABASE_URL", &*fresh.uri),
        ("TENANTRY_OIDC_ISSUER", &issuers),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry;partner"),
    ];
    let (code, output) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(0), "{output}");
    for expected in [
        "ok     configuration: ",
        "ok     database: MongoDB at 127.0.0.1",
        &format!("ok     {}: its discovery document names this issuer", issuer.url()),
        &format!("ok     {}: usable keys: 1", other.url()),
        &format!("note   {}: not used: key \"secret\" is a shared secret", other.url()),
    ] {
        assert!(output.contains(expected), "{expected}: {output}");
    }
    assert_eq!(fresh.database.list_collection_names().await.expect("names"), [""; 0]);
    variables[0].1 = "sqlite://portal.db";
    let (code, output) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(0), "{output}");
    assert!(!folder.path().join("portal.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_unique_index_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let fresh = FreshDatabase::new().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", &*fresh.uri),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    let command = doc! { "createIndexes": "users", "indexes": [
        { "key": { "email": 1 }, "name": "email_1", "unique": true },
        { "key": { "nickname": 1 }, "name": "nickname_1" },
        { "key": { "email": 1, "_id": 1 }, "name": "harmless", "unique": true },
        { "key": { "subject": 1, "issuer": 1 }, "name": "equivalent", "unique": true },
    ] };
    fresh.database.run_command(command).await.expect("indexes");
    let command = doc! { "createIndexes": "subscriptions", "indexes": [
        { "key": { "tenantId": 1 }, "name": "tenantId_1", "unique": true },
    ] };
    fresh.database.run_command(command).await.expect("an index");
    let warning = |collection: &str, index: &str, keys: &str| {
        format!(
            "the unique index \"{index}\" of the collection \"{collection}\" with the keys {keys} \
             is not an index of the gateway and can reject its writes: drop it, unless another \
             program needs it"
        )
    };
    let warnings = [
        warning("users", "email_1", "{ \"email\": 1 }"),
        warning("subscriptions", "tenantId_1", "{ \"tenantId\": 1 }"),
    ];
    let (code, output) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(0), "{output}");
    let notes: Vec<_> =
        output.lines().filter_map(|l| l.strip_prefix("note   database: ")).collect();
    assert_eq!(notes, warnings);
    let mut serve = Running::serve(folder.path(), &variables);
    for warning in &warnings {
        serve.logged(warning);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_passes_with_a_low_complexity_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [("TENANTRY_MAX_COMPLEXITY", "1")];
    let mut dev = Running::dev_with_variables(folder.path(), &variables);
    let endpoint = dev.line("endpoint");
    let query = format!("{{ __schema {{ types {{ {} }} }} }}", "name kind ".repeat(50));
    let body = json!({"query": query}).to_string();
    let request = reqwest::Client::new().post(endpoint).header("content-type", "application/json");
    let reply = request.body(body).send().await.expect("a response").text().await.expect("a body");
    assert!(reply.starts_with("{\"data\":{\"__schema\""), "{reply:.300}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_prints_each_error_with_a_fix() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let with_slash = format!("{}/", issuer.url());
    let below = format!("{}/application/o/portal/", issuer.url());
    let with = |issuer: &str, audience: &str| {
        [
            ("TENANTRY_DATABASE_URL", "sqlite::memory:".to_owned()),
            ("TENANTRY_OIDC_ISSUER", issuer.to_owned()),
            ("TENANTRY_OIDC_AUDIENCE", audience.to_owned()),
        ]
    };
    let assert_check = async |variables: [(&str, String); 3], exit: i32, expected: &[&str]| {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (code, output) = check(folder.path(), &variables).await;
        assert_eq!(code, Some(exit), "{output}");
        for part in expected {
            assert!(output.contains(part), "{part}: {output}");
        }
    };
    let valid = || with(issuer.url(), "tenantry");

    issuer.set_issuer(&with_slash);
    let slash = format!("help: set TENANTRY_OIDC_ISSUER to {with_slash:?}, with the slash");
    assert_check(valid(), 1, &["ERROR", &slash, "Authentik", "1 check failed"]).await;
    issuer.set_issuer(issuer.url());

    issuer.set_keys(&[]);
    issuer.set_discovery_field("id_token_signing_alg_values_supported", json!(["HS256"]));
    let expected =
        ["set is empty", "help: choose a signing key", "Authentik", "HS256 (its discovery"];
    assert_check(valid(), 1, &expected).await;

    assert_check(
        with(&below, issuer.url()),
        1,
        &["HTTP status 404", "/application/o/<", "`Client ID`", "2 checks failed"],
    )
    .await;

    issuer.set_offline(true);
    assert_check(valid(), 1, &["ERROR", "discovery: ", "cannot be reached"]).await;

    let mut invalid = valid();
    invalid[1].1 = "http://id.example.org/".to_owned();
    assert_check(invalid, 2, &["TENANTRY_OIDC_ISSUER: invalid URL \"http://id.example.org/\""])
        .await;

    issuer.set_offline(false);
    let mut unreachable = valid();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
    unreachable[0].1 = format!(
        "mongodb://ada:hunter2@{}/portal?serverSelectionTimeoutMS=200",
        unused.expect("an address")
    );
    let variables: Vec<_> =
        unreachable.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (code, output) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("ERROR  database: MongoDB at 127.0.0.1"), "{output}");
    assert!(!output.contains("hunter2"), "{output}");
}

/// An operator sees the same errors and fixes in the log of `serve`.
#[tokio::test(flavor = "multi_thread")]
async fn serve_logs_the_errors_that_check_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    issuer.set_keys(&[]);
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ],
    );
    let serving = serve.logged("serving");
    let empty = serve
        .logged("no keys: the issuer's set is empty: is a signing key chosen at the provider?");
    let help = empty["help"].as_str().expect("a help text");
    assert!(help.contains("Authentik") && help.contains("signing key"), "{help}");
    let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
    let (status, metrics) = get(&format!("{admin}/metrics")).await;
    let counted =
        format!(r#"tenantry_jwks_fetches_total{{issuer="{}",outcome="ok"}} 1"#, issuer.url());
    assert!(status == 200 && metrics.contains(&counted), "{metrics}");
}

/// Only the log contains the reason, with the request's identifier. The token is in neither the log
/// nor the response.
#[tokio::test(flavor = "multi_thread")]
async fn reason_for_a_rejected_token_is_logged() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    issuer.set_additional_jwks(&[json!({"kty": "oct", "k": "AAAA", "kid": "s"})]);
    let mut serve = Running::serve(
        folder.path(),
        &[
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "portal"),
            ("TENANTRY_LOG", "trace"),
        ],
    );
    let serving = serve.logged("serving");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    serve.logged("a key of the issuer is not used: key \"s\" is a shared secret (`oct`)");
    serve.logged("keys fetched");
    let unexpired = issuer.token().expires_at(4_000_000_000);
    let cases = [
        ("expired", issuer.token().expires_at(1)),
        ("audience", unexpired.clone()),
        // Causes a second fetch, but no second warning about the unusable key.
        ("unknown_key", unexpired.clone().header("kid", json!("unknown"))),
        ("subject", unexpired.claim("aud", json!("portal")).without("sub")),
    ];
    for (reason, token) in cases {
        let token = token.sign();
        let request = reqwest::Client::new()
            .post(&endpoint)
            .header("content-type", "application/json")
            .header("x-request-id", "r-1")
            .header("authorization", format!("Bearer {token}"));
        let response = request.body(r#"{"query":"{ me { id } }"}"#).send().await;
        let response = response.expect("a response");
        assert_eq!(response.status().as_u16(), 401);
        assert!(!response.text().await.expect("a body").contains(reason), "{reason}");
        let mut lines: Vec<Value> = Vec::new();
        while lines.last().is_none_or(|line| line["fields"]["message"] != "request completed") {
            let line = serve.lines.next().expect("a line");
            assert!(token.split('.').all(|part| !line.contains(part)), "{line}");
            assert!(!line.contains("is not used"), "{line}");
            lines.push(serde_json::from_str(&line).expect("JSON"));
        }
        let completed = lines.last().expect("a line");
        assert_eq!(completed["fields"]["auth_error"], reason, "{completed}");
        assert_eq!(completed["span"]["request_id"], "r-1", "{completed}");
        let hint = lines.iter().any(|line| {
            line["fields"]["message"].as_str().is_some_and(|message| message.contains("client ID"))
        });
        assert_eq!(hint, reason == "audience", "{lines:?}");
    }
    assert_eq!(issuer.jwks_fetches(), 2);
}

#[test]
fn dev_rejects_other_addresses_than_loopback_and_reports_a_taken_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["dev", "--bind", "0.0.0.0:0"], &[]);
    let error = text(&output.stderr);
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(folder.path(), &["dev", "--bind", &address], &[]);
    let error = text(&output.stderr);
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("TENANTRY_BIND") && error.contains(&address), "{error}");
}

/// No page of another origin can read the tokens, even if all origins may send GraphQL requests.
#[tokio::test(flavor = "multi_thread")]
async fn dev_shares_no_token_with_other_origins() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dev = Running::dev_with_variables(folder.path(), &[("TENANTRY_CORS_ORIGINS", "*")]);
    let base = dev.line("playground");
    let client = reqwest::Client::new();
    let send = async |method: &'static str, path: &str| {
        let request = client
            .request(method.parse().expect("a method"), format!("{base}{path}"))
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "GET");
        request.send().await.expect("a response")
    };
    for path in
        ["", "dev/identities", "dev/oidc/jwks.json", "dev/oidc/.well-known/openid-configuration"]
    {
        let response = send("GET", path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_not_shared(response.headers(), path);
        let preflight = send("OPTIONS", path).await;
        assert_eq!(preflight.status(), 405, "{path}");
        assert_not_shared(preflight.headers(), path);
    }
    let preflight = send("OPTIONS", "graphql").await;
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
}

#[test]
fn sqlite_url_with_a_query_or_a_fragment_is_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in
        ["sqlite://a.db?mode=rwc", "sqlite://a.db?", "sqlite://a.db#x", "sqlite://?cache=shared"]
    {
        let variables = [
            ("TENANTRY_DATABASE_URL", url),
            ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
            ("TENANTRY_OIDC_AUDIENCE", "portal"),
        ];
        for command in ["serve", "seed", "check"] {
            let output = run(folder.path(), &[command], &variables);
            let error = text(&output.stderr);
            assert_eq!(
                (output.status.code(), error.lines().count()),
                (Some(2), 1),
                "{url}: {error}"
            );
            assert!(error.contains("TENANTRY_DATABASE_URL: invalid URL"), "{error}");
            assert!(error.contains("without a query (`?`) and a fragment (`#`)"), "{error}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// One line names the variable, its value and the expected value.
#[tokio::test(flavor = "multi_thread")]
async fn path_that_cannot_be_a_database_is_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("folder")).expect("created");
    std::fs::write(path("text"), "This text is longer than the header of a database. ".repeat(20))
        .expect("written");
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
    for name in ["folder", "socket", "text", "text/portal.db", "absent/"] {
        let url = format!("sqlite://{}", path(name).display());
        let variables = [
            ("TENANTRY_DATABASE_URL", &*url),
            ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
            ("TENANTRY_OIDC_AUDIENCE", "portal"),
            ("TENANTRY_BIND", "127.0.0.1:0"),
            ("TENANTRY_ADMIN_BIND", "127.0.0.1:0"),
        ];
        for command in ["serve", "seed"] {
            let output = run(folder.path(), &[command], &variables);
            assert_database_is_rejected(&output, name);
            assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
        }
    }
    // `check` also examines the provider.
    let issuer = TestIssuer::start().await;
    for name in ["folder", "text/portal.db", "absent/"] {
        let url = format!("sqlite://{}", path(name).display());
        let variables = [
            ("TENANTRY_DATABASE_URL", &*url),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ];
        let (code, output) = check(folder.path(), &variables).await;
        assert_eq!(code, Some(2), "{name}: {output}");
        let error = output.lines().last().unwrap_or_default();
        assert!(error.contains("TENANTRY_DATABASE_URL") && error.contains(name), "{output}");
        assert!(!output.contains("host, port"), "{name}: {output}");
    }
}

#[track_caller]
fn assert_database_is_rejected(output: &Output, name: &str) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{name}: {error}");
    assert!(error.contains("TENANTRY_DATABASE_URL: ") && error.contains(name), "{name}: {error}");
    assert!(error.contains("expected the path of a SQLite file"), "{name}: {error}");
}

#[test]
fn health_exit_code_reports_readiness() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dev = Running::dev(folder.path());
    let ready = dev.line("readiness");
    let address = ready.trim_start_matches("http://").trim_end_matches("/readyz");
    let healthy = run(folder.path(), &["health", "--admin-bind", address], &[]);
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));
    drop(dev);
    let stopped = run(folder.path(), &["health", "--admin-bind", address], &[]);
    assert_eq!((stopped.status.code(), text(&stopped.stderr).lines().count()), (Some(1), 1));
}

#[test]
fn signal_stops_dev_with_exit_code_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dev = Running::dev(folder.path());
    dev.line("readiness");
    terminate(&mut dev);
    let mut rest = String::new();
    if let Some(mut err) = dev.child.stderr.take() {
        err.read_to_string(&mut rest).expect("text");
    }
    assert_eq!(rest, "");
}

#[test]
fn committed_schema_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = run(root, &["schema"], &[]);
    let committed = std::fs::read_to_string(root.join("schema.graphql")).expect("the file");
    assert_eq!(text(&printed.stdout), committed, "run `make snapshot` to update the file");
    assert_eq!(run(root, &["schema", "--check", "schema.graphql"], &[]).status.code(), Some(0));
    let other = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(other.path(), committed.replace("slug: String!", "slug: String"))
        .expect("written");
    let name = other.path().to_string_lossy().into_owned();
    let differs = run(root, &["schema", "--check", &name], &[]);
    assert_eq!(differs.status.code(), Some(1));
    assert!(text(&differs.stdout).contains("+  slug: String!"), "{}", text(&differs.stdout));
    assert_eq!(run(root, &["schema", "--check", "no.graphql"], &[]).status.code(), Some(1));
}

#[test]
fn help_matches_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = [("TENANTRY_DATABASE_URL", "mongodb://ada:hunter2@db/x")];
    let mut help = String::new();
    for command in
        ["dev", "serve", "schema", "seed", "check", "migrate", "export", "import", "health"]
    {
        help += &text(&run(folder.path(), &[command, "--help"], &secret).stdout);
    }
    assert!(!help.contains("hunter2"));
    insta::assert_snapshot!(help);
}
