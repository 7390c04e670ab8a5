//! The started program, over TCP.

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

use serde_json::{Value, json};

use crate::support::{
    issuer::TestIssuer,
    mongod::{Fresh, Kind, Mongod},
};

fn tenantry(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    command.env_clear().current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command that ends by itself.
pub(crate) fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = tenantry(folder);
    command.args(arguments).envs(variables.iter().copied());
    command.output().expect("the program")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A gateway that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// `dev`, whose standard output says where it is.
    fn dev(folder: &Path) -> Self {
        let mut command = tenantry(folder);
        command.args(["dev", "--bind", "127.0.0.1:0", "--admin-bind", "127.0.0.1:0"]);
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("the program");
        let out = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        Self { child, lines: Box::new(lines) }
    }

    /// `serve`, whose log says where it is, as JSON.
    pub(crate) fn serve(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut variables = variables.to_vec();
        variables.push(("TENANTRY_LOG_FORMAT", "json"));
        Self::serve_as_told(folder, &variables)
    }

    /// `serve` with these variables and on free ports.
    fn serve_as_told(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = tenantry(folder);
        command.args(["serve", "--bind", "127.0.0.1:0", "--admin-bind", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        Self::logging(command)
    }

    /// Any command, whose log is read.
    fn logging(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("the program");
        let err = child.stderr.take().expect("a pipe");
        let lines = BufReader::new(err).lines().map_while(Result::ok);
        Self { child, lines: Box::new(lines) }
    }

    /// The rest of the next line that begins so.
    fn line(&mut self, start: &str) -> String {
        let found = self.lines.find_map(|line| line.strip_prefix(start).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no line {start:?}")).trim().to_owned()
    }

    /// The fields of the next line of the log with that message.
    pub(crate) fn logged(&mut self, message: &str) -> Value {
        let found = self.lines.find_map(|line| {
            let line: Value = serde_json::from_str(&line).ok()?;
            (line["fields"]["message"] == message).then(|| line["fields"].clone())
        });
        found.unwrap_or_else(|| panic!("nothing was logged of {message:?}"))
    }
}

/// Sends a signal to the program.
fn signal(running: &Running, signal: &str) {
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
}

/// Tells the program to stop, and waits until it has, well.
#[track_caller]
fn terminate(running: &mut Running) {
    signal(running, "-TERM");
    assert_eq!(running.child.wait().expect("an end").code(), Some(0));
}

/// The time, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the program itself goes by the system's clock")]
fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("in range")
}

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

pub(crate) async fn ask(endpoint: &str, token: &str, query: &str) -> Value {
    let client = reqwest::Client::new();
    let body = json!({"query": query}).to_string();
    let request = client
        .post(endpoint)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    let answer = request.body(body).send().await.expect("an answer");
    serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_has_a_gateway_with_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut ids = Vec::new();
    // Twice: the second start finds what the first has left.
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
        let names: Vec<_> = identities.iter().map(|i| i["name"].as_str().expect("text")).collect();
        assert_eq!(names, ["ada", "bob", "carol", "mallory"]);
        let mut seen = Vec::new();
        for identity in &identities {
            let curl = dev.line("  curl -s ");
            let token = curl.split("Bearer ").nth(1).and_then(|rest| rest.split('\'').next());
            let body = curl.split("-d '").nth(1).expect("a body").trim_end_matches('\'');
            let query: Value = serde_json::from_str(body).expect("JSON");
            let printed =
                ask(&endpoint, token.expect("a token"), query["query"].as_str().expect("a query"));
            assert_eq!(
                printed.await["data"]["me"]["name"].as_str().map(str::to_lowercase).as_deref(),
                identity["name"].as_str()
            );
            let token = identity["token"].as_str().expect("a token");
            let answer =
                ask(&endpoint, token, "{ me { id } tenants { nodes { slug status } } }").await;
            let tenants = answer["data"]["tenants"]["nodes"].as_array().expect("nodes").clone();
            seen.push(tenants.len());
            ids.push(answer["data"]["me"]["id"].clone());
            if identity["name"] == "ada" {
                let mut statuses: Vec<_> =
                    tenants.iter().map(|t| t["status"].to_string()).collect();
                statuses.sort();
                statuses.dedup();
                assert_eq!(statuses.len(), 4, "tenants in every status");
            }
        }
        assert_eq!(seen, [6, 1, 2, 0]);
        // The endpoint's port is part of the issuer, so a new start has users of its own.
    }
    assert_eq!(ids.len(), 8);
    let key = std::fs::metadata(folder.path().join(".tenantry/dev-issuer.pk8")).expect("a key");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_answers_on_a_real_database_and_shows_nothing_of_dev() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    let fresh = Fresh::new().await;
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
    let answer = ask(&format!("{base}/graphql"), &token.sign(), query).await;
    let tenant = json!({"slug": "dezky", "plan": "FREE", "subscription": {"status": "ACTIVE"}});
    assert_eq!(answer["data"]["me"]["memberships"], json!([{"role": "OWNER", "tenant": tenant}]));
    assert_eq!(get(&format!("{admin}/readyz")).await.0, 200);
    for path in ["/", "/dev/identities", "/dev/oidc/jwks.json", "/readyz"] {
        assert_eq!(get(&format!("{base}{path}")).await.0, 404, "{path}");
    }
    let closed =
        ask(&format!("{base}/graphql"), &token.sign(), "{ __schema { types { name } } }").await;
    assert_eq!(closed["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    // A second one, and the bootstrap alone, find everything there.
    let seed = run(folder.path(), &["seed"], &[("TENANTRY_DATABASE_URL", &fresh.uri)]);
    assert_eq!(seed.status.code(), Some(0), "{}", text(&seed.stderr));
    for (collection, documents) in [("tenants", 1), ("subscriptions", 1), ("auditEvents", 2)] {
        let found = fresh.database.collection::<mongodb::bson::Document>(collection);
        let count = found.count_documents(mongodb::bson::doc! {}).await.expect("a count");
        assert_eq!(count, documents, "{collection}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_waits_for_a_database_and_a_provider_that_are_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut mongod = Mongod::nowhere(Kind::ReplicaSet);
    let issuer = TestIssuer::start().await;
    issuer.away(true);
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
    let answer = ask(&base, &issuer.token().sign(), "{ me { id } }").await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    issuer.away(false);
    assert!(mongod.start(), "a port that is still free");
    mongod.initiate().await;
    serve.logged("the database is ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_mongod_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mongod = Mongod::running(Kind::Standalone);
    let url = mongod.uri("portal");
    let seed = run(folder.path(), &["seed"], &[("TENANTRY_DATABASE_URL", &url)]);
    let why = text(&seed.stderr);
    assert_eq!(seed.status.code(), Some(2), "{why}");
    let last = why.lines().last().unwrap_or_default();
    assert!(last.contains("--replSet") && last.contains("rs.initiate()"), "{why}");
    let issuer = TestIssuer::start().await;
    let variables = [
        ("TENANTRY_DATABASE_URL", &*url),
        ("TENANTRY_OIDC_ISSUER", issuer.url()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];
    let (code, said) = check(folder.path(), &variables).await;
    assert!(code == Some(2) && said.contains("rs.initiate()"), "{said}");
    assert!(said.contains("usable keys: 1"), "the rest is looked at all the same: {said}");
}

#[test]
fn bad_configuration_is_one_line_and_exit_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = [
        ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
        ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
        ("TENANTRY_OIDC_AUDIENCE", "portal"),
        ("TENANTRY_BIND", "127.0.0.1:0"),
        ("TENANTRY_ADMIN_BIND", "127.0.0.1:0"),
    ];
    for (variable, bad, shown) in [
        ("TENANTRY_BIND", "localhost", true),
        ("TENANTRY_ADMIN_BIND", "127.0.0.1:99999", true),
        ("TENANTRY_PLAYGROUND", "maybe", true),
        ("TENANTRY_INTROSPECTION", "2", true),
        ("TENANTRY_MAX_BODY_BYTES", "1MB", true),
        ("TENANTRY_CORS_ORIGINS", "https://portal.example.org/", true),
        ("TENANTRY_REQUEST_TIMEOUT", "10", true),
        ("TENANTRY_RATE_LIMIT", "20000", true),
        ("TENANTRY_MAX_CONCURRENT_REQUESTS", "none", true),
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
        let mut variables = good.to_vec();
        variables.retain(|(name, _)| *name != variable);
        variables.push((variable, bad));
        let output = run(folder.path(), &["serve"], &variables);
        let why = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{variable}={bad}: {why}");
        assert_eq!(why.lines().count(), 1, "{variable}={bad}: {why}");
        assert!(why.contains(variable), "{why}");
        assert_eq!(why.contains(bad) && !bad.is_empty(), shown, "{variable}={bad}: {why}");
        assert!(!why.contains("hunter2"), "{why}");
    }
}

/// What `check` says, and its exit code.
async fn check(folder: &Path, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let (folder, owned) = (folder.to_owned(), variables.iter());
    let owned: Vec<(String, String)> =
        owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    // The provider of a test answers on the runtime that would wait for the program here.
    let checked = tokio::task::spawn_blocking(move || {
        let variables: Vec<_> = owned.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        run(&folder, &["check"], &variables)
    });
    let output = checked.await.expect("ended");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_is_content_with_what_will_do_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (issuer, other) = (TestIssuer::start().await, TestIssuer::start().await);
    other.set_odd_keys(&[json!({"kty": "oct", "k": "AAAA", "kid": "secret"})]);
    let fresh = Fresh::new().await;
    let issuers = format!("{},{}", issuer.url(), other.url());
    let mut variables = vec![
        ("TENANTRY_DATABASE_URL", &*fresh.uri),
        ("TENANTRY_OIDC_ISSUER", &issuers),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry;partner"),
    ];
    let (code, said) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(0), "{said}");
    for told in [
        "ok     configuration: ",
        "ok     database: MongoDB at 127.0.0.1",
        &format!("ok     {}: its discovery document names this issuer", issuer.url()),
        &format!("ok     {}: usable keys: 1", other.url()),
        &format!("note   {}: not used: key \"secret\" is a shared secret", other.url()),
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert_eq!(fresh.database.list_collection_names().await.expect("names"), [""; 0]);
    variables[0].1 = "sqlite://portal.db";
    let (code, said) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.path().join("portal.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_explains_each_fault_with_its_fix() {
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
    let said_of = async |variables: [(&str, String); 3], exit: i32, parts: &[&str]| {
        let variables: Vec<_> = variables.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let (code, said) = check(folder.path(), &variables).await;
        assert_eq!(code, Some(exit), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
    };
    let good = || with(issuer.url(), "tenantry");

    issuer.names_itself(&with_slash);
    let slash = format!("help: set TENANTRY_OIDC_ISSUER to {with_slash:?}, with the slash");
    said_of(good(), 1, &["ERROR", &slash, "Authentik", "1 check failed"]).await;
    issuer.names_itself(issuer.url());

    issuer.set_keys(&[]);
    issuer.discovery_says("id_token_signing_alg_values_supported", json!(["HS256"]));
    let parts = ["set is empty", "help: choose a signing key", "Authentik", "HS256 (its discovery"];
    said_of(good(), 1, &parts).await;

    said_of(
        with(&below, issuer.url()),
        1,
        &["HTTP status 404", "/application/o/<", "`Client ID`", "2 checks failed"],
    )
    .await;

    issuer.away(true);
    said_of(good(), 1, &["ERROR", "discovery: ", "cannot be reached"]).await;

    let mut bad = good();
    bad[1].1 = "http://id.example.org/".to_owned();
    said_of(bad, 2, &["TENANTRY_OIDC_ISSUER: invalid URL \"http://id.example.org/\""]).await;

    issuer.away(false);
    let mut nowhere = good();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
    nowhere[0].1 = format!(
        "mongodb://ada:hunter2@{}/portal?serverSelectionTimeoutMS=200",
        free.expect("an address")
    );
    let variables: Vec<_> = nowhere.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let (code, said) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("ERROR  database: MongoDB at 127.0.0.1"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

/// What whoever runs it sees of the same faults in the log.
#[tokio::test(flavor = "multi_thread")]
async fn serve_logs_what_check_says() {
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
    let fix = empty["help"].as_str().expect("a fix");
    assert!(fix.contains("Authentik") && fix.contains("signing key"), "{fix}");
    let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
    let (status, metrics) = get(&format!("{admin}/metrics")).await;
    let counted =
        format!(r#"tenantry_jwks_fetches_total{{issuer="{}",outcome="ok"}} 1"#, issuer.url());
    assert!(status == 200 && metrics.contains(&counted), "{metrics}");
}

/// The reason is for the log alone, with the request's identifier; the token is in neither.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_why_a_token_was_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = TestIssuer::start().await;
    issuer.set_odd_keys(&[json!({"kty": "oct", "k": "AAAA", "kid": "s"})]);
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
    let far = issuer.token().expires_at(4_000_000_000);
    let forms = [
        ("expired", issuer.token().expires_at(1)),
        ("audience", far.clone()),
        // Brings the set once more, and no second warning of its odd key.
        ("unknown_key", far.clone().header("kid", json!("nobody"))),
        ("subject", far.claim("aud", json!("portal")).without("sub")),
    ];
    for (reason, token) in forms {
        let token = token.sign();
        let request = reqwest::Client::new()
            .post(&endpoint)
            .header("content-type", "application/json")
            .header("x-request-id", "r-1")
            .header("authorization", format!("Bearer {token}"));
        let answer = request.body(r#"{"query":"{ me { id } }"}"#).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 401);
        assert!(!answer.text().await.expect("a body").contains(reason), "{reason}");
        let mut lines: Vec<Value> = Vec::new();
        while lines.last().is_none_or(|line| line["fields"]["message"] != "request completed") {
            let line = serve.lines.next().expect("a line");
            assert!(token.split('.').all(|part| !line.contains(part)), "{line}");
            assert!(!line.contains("is not used"), "{line}");
            lines.push(serde_json::from_str(&line).expect("JSON"));
        }
        let refused = lines.last().expect("a line");
        assert_eq!(refused["fields"]["auth_error"], reason, "{refused}");
        assert_eq!(refused["span"]["request_id"], "r-1", "{refused}");
        let hint = lines.iter().any(|line| {
            line["fields"]["message"].as_str().is_some_and(|said| said.contains("client ID"))
        });
        assert_eq!(hint, reason == "audience", "{lines:?}");
    }
    assert_eq!(issuer.jwks_fetches(), 2);
}

#[test]
fn dev_stays_on_loopback_and_a_taken_port_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["dev", "--bind", "0.0.0.0:0"], &[]);
    let why = text(&output.stderr);
    assert_eq!((output.status.code(), why.lines().count()), (Some(2), 1), "{why}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(folder.path(), &["dev", "--bind", &address], &[]);
    let why = text(&output.stderr);
    assert_eq!((output.status.code(), why.lines().count()), (Some(1), 1), "{why}");
    assert!(why.contains("TENANTRY_BIND") && why.contains(&address), "{why}");
}

#[test]
fn health_says_whether_it_is_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dev = Running::dev(folder.path());
    let ready = dev.line("readiness");
    let address = ready.trim_start_matches("http://").trim_end_matches("/readyz");
    let healthy = run(folder.path(), &["health", "--admin-bind", address], &[]);
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));
    drop(dev);
    let gone = run(folder.path(), &["health", "--admin-bind", address], &[]);
    assert_eq!((gone.status.code(), text(&gone.stderr).lines().count()), (Some(1), 1));
}

#[test]
fn a_signal_ends_it_well() {
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
fn the_committed_schema_is_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = run(root, &["schema"], &[]);
    let committed = std::fs::read_to_string(root.join("schema.graphql")).expect("the file");
    assert_eq!(text(&printed.stdout), committed, "write it anew with `make snapshot`");
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
fn help_is_what_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = [("TENANTRY_DATABASE_URL", "mongodb://ada:hunter2@db/x")];
    let mut help = String::new();
    for command in ["dev", "serve", "schema", "seed", "check", "health"] {
        help += &text(&run(folder.path(), &[command, "--help"], &secret).stdout);
    }
    assert!(!help.contains("hunter2"));
    insta::assert_snapshot!(help);
}
