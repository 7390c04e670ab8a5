//! Mail of the started program: a real SMTP server, the mailbox of `dev`, and what `check` says.

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use serde_json::{Value, json};
use tenantry::{
    domain::{
        change::Change,
        id::ObjectId,
        outbox::{LeaseResult, OutboxLease},
        time::Timestamp,
    },
    store::{Store, mongo::MongoStore, sqlite::SqliteStore},
};

use super::{Running, check, get, now, run, send_query, signal, terminate, text};
use crate::support::{issuer::TestIssuer, mongod::FreshDatabase, oidc::PrivateCa, smtp::Smtp};

const SECRET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const INVITE: &str = "mutation { inviteTenantMember(input: {tenantId: $TENANT, email: \"new@example.org\"}) { \
    invitation { id mail } acceptUrl } }";

/// Returns the options of a gateway that sends mail to the server.
fn mail_options(ca: &PrivateCa, login: &str, port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("TENANTRY_SECRET", SECRET.to_owned()),
        ("TENANTRY_INVITATION_URL", "https://portal.example.org/i/{token}".to_owned()),
        ("TENANTRY_SMTP_URL", format!("smtps://{login}@localhost:{port}")),
        ("TENANTRY_SMTP_CA_FILE", ca.path("rootCA.pem").display().to_string()),
        ("TENANTRY_MAIL_FROM", "Portal <portal@example.org>".to_owned()),
    ]
}

fn borrowed<'a>(options: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    options.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A started gateway that sends mail, and the token of an owner.
struct Gateway {
    running: Running,
    endpoint: String,
    token: String,
}

impl Gateway {
    async fn start(
        folder: &Path,
        database: &str,
        issuer: &TestIssuer,
        options: &[(&str, &str)],
    ) -> Self {
        let mut variables = options.to_vec();
        variables.extend([
            ("TENANTRY_DATABASE_URL", database),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
            ("TENANTRY_RATE_LIMIT", "off"),
        ]);
        let mut running = Running::serve(folder, &variables);
        let serving = running.logged("serving");
        running.logged("the database is ready");
        let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
        let (token, now) = (issuer.token().subject("bob"), now());
        let token = token.claim("name", json!("Bob")).groups(["tenant:dezky:owner"]);
        let token = token.issued_at(now).expires_at(now + 3600).sign();
        Self { running, endpoint, token }
    }

    async fn query(&self, query: &str) -> Value {
        let response = send_query(&self.endpoint, &self.token, query).await;
        assert_eq!(response.get("errors"), None, "{response}");
        response["data"].clone()
    }

    /// Invites a person, and returns the payload.
    async fn invite(&self) -> Value {
        let me = self.query("{ me { memberships { tenant { id } } } }").await;
        let tenant = me["me"]["memberships"][0]["tenant"]["id"].to_string();
        self.query(&INVITE.replace("$TENANT", &tenant)).await["inviteTenantMember"].clone()
    }

    /// Waits until the mail of an invitation has this state.
    async fn wait_for_mail(&self, invitation: &Value, expected: &str) {
        let query =
            format!("{{ node(id: {}) {{ ... on Invitation {{ mail }} }} }}", invitation["id"]);
        while self.query(&query).await["node"]["mail"] != expected {}
    }
}

/// Returns the headers and the text of a message, without the soft line breaks of its encoding.
fn data_of(mail: &Value) -> String {
    mail["data"].as_str().expect("text").replace("=\r\n", "").replace("=3D", "=")
}

fn message_id(mail: &Value) -> String {
    let data = data_of(mail);
    let line = data.lines().find_map(|line| line.strip_prefix("Message-ID: "));
    line.expect("a Message-ID").trim().to_owned()
}

async fn assert_mail_is_sent(database: &str, folder: &Path) {
    let (ca, issuer) = (PrivateCa::new(), TestIssuer::start().await);
    let mut smtp = Smtp::start(&ca, "smtps");
    let options = mail_options(&ca, "portal:p%40ss%3Aword", smtp.port());
    let mut gateway = Gateway::start(folder, database, &issuer, &borrowed(&options)).await;
    let invited = gateway.invite().await;
    assert_eq!(invited["invitation"]["mail"], "QUEUED");
    let mail = smtp.mail();
    assert_eq!((&mail["to"], &mail["user"]), (&json!(["new@example.org"]), &json!("portal")));
    assert_eq!(mail["secure"], true);
    let data = data_of(&mail);
    let url = invited["acceptUrl"].as_str().expect("a URL");
    assert!(data.contains(url) && data.contains("From: Portal <portal@example.org>"), "{data}");
    gateway.wait_for_mail(&invited["invitation"], "SENT").await;
    terminate(&mut gateway.running);
}

#[tokio::test(flavor = "multi_thread")]
async fn invited_person_gets_a_mail_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_mail_is_sent("sqlite://portal.db", folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invited_person_gets_a_mail_on_mongodb() {
    let (folder, fresh) = (tempfile::tempdir().expect("a folder"), FreshDatabase::new().await);
    assert_mail_is_sent(&fresh.uri, folder.path()).await;
}

/// Ends the lease of the only message, as if its time had passed.
async fn end_lease(store: &dyn Store) {
    let id = ObjectId([9; 12]);
    let lease = OutboxLease { id, now: Timestamp::from_seconds(4_000_000_000).expect("in range") };
    let LeaseResult::Leased(message) = store.lease_outbox_message(&lease).await.expect("a lease")
    else {
        panic!("the message of the killed process is kept")
    };
    assert_eq!(message.attempts, 2, "the killed process had leased it once");
    let due_at = message.created_at;
    let end = Change::PostponeOutboxMessage { id: message.id, lease: id, due_at };
    store.commit(&[end]).await.expect("committed");
}

/// The process is killed after the server has the message, and before the result is stored.
async fn assert_killed_process_sends_again(folder: &Path, database: &str, store: Arc<dyn Store>) {
    let (ca, issuer) = (PrivateCa::new(), TestIssuer::start().await);
    let mut smtp = Smtp::start(&ca, "smtps");
    let options = mail_options(&ca, "portal:p%40ss%3Aword", smtp.port());
    let mut killed = Gateway::start(folder, database, &issuer, &borrowed(&options)).await;
    smtp.hold();
    let invited = killed.invite().await;
    let first = smtp.mail();
    signal(&killed.running, "-KILL");
    killed.running.child.wait().expect("an exit status");
    end_lease(&*store).await;
    let mut gateway = Gateway::start(folder, database, &issuer, &borrowed(&options)).await;
    let second = smtp.mail();
    assert_eq!(message_id(&second), message_id(&first));
    assert_eq!((&second["data"], &second["to"]), (&first["data"], &first["to"]));
    gateway.wait_for_mail(&invited["invitation"], "SENT").await;
    let all = OutboxLease { id: ObjectId([9; 12]), now: Timestamp::MAX };
    let left = store.lease_outbox_message(&all).await.expect("a read");
    assert_eq!(left, LeaseResult::Idle(None), "nothing is sent a third time");
    terminate(&mut gateway.running);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_a_killed_process_is_sent_again_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("portal.db"), None).expect("a store");
    store.prepare().await.expect("prepared");
    let store = Arc::new(store);
    assert_killed_process_sends_again(folder.path(), "sqlite://portal.db", store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_a_killed_process_is_sent_again_on_mongodb() {
    let (folder, fresh) = (tempfile::tempdir().expect("a folder"), FreshDatabase::new().await);
    let store = MongoStore::connect(&fresh.uri, "https://id.example.org/", None).await;
    let store = Arc::new(store.expect("a URL"));
    assert_killed_process_sends_again(folder.path(), &fresh.uri, store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_shows_the_mail_of_an_invitation() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut dev = Running::dev(folder.path());
    let base = dev.line("playground");
    let base = base.trim_end_matches('/');
    let fetch = async |path: &str, accept: &str| -> String {
        let request = reqwest::Client::new().get(format!("{base}{path}")).header("accept", accept);
        request.send().await.expect("a response").text().await.expect("a body")
    };
    assert_eq!(fetch("/dev/mail", "application/json").await, "[]");
    assert!(fetch("/dev/mail", "text/html").await.contains("No message was sent yet."));
    let identities: Value =
        serde_json::from_str(&get(&format!("{base}/dev/identities")).await.1).expect("JSON");
    let bob = identities.as_array().expect("an array").iter().find(|i| i["name"] == "bob");
    let token = bob.expect("bob")["token"].as_str().expect("a token");
    let endpoint = format!("{base}/graphql");
    let me = send_query(&endpoint, token, "{ me { memberships { tenant { id } } } }").await;
    let tenant = me["data"]["me"]["memberships"][0]["tenant"]["id"].to_string();
    let invited = send_query(&endpoint, token, &INVITE.replace("$TENANT", &tenant)).await;
    let url = invited["data"]["inviteTenantMember"]["acceptUrl"].as_str().expect("a URL");
    let mail = loop {
        let mails: Value =
            serde_json::from_str(&fetch("/dev/mail", "application/json").await).expect("JSON");
        if let [mail] = &mails.as_array().expect("an array")[..] {
            break mail.clone();
        }
    };
    assert_eq!(mail["to"], "new@example.org");
    assert!(mail["text"].as_str().expect("text").contains(url), "{mail}");
    let (page, link) = (fetch("/dev/mail", "text/html,*/*;q=0.8").await, url.replace('&', "&#38;"));
    assert!(page.contains("new@example.org") && page.contains(&link), "{page}");
    let html = fetch(&format!("/dev/mail/{}", mail["id"].as_str().expect("an id")), "*/*").await;
    assert_eq!(html, mail["html"].as_str().expect("HTML"));
    assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_the_smtp_server() {
    let (folder, issuer) = (tempfile::tempdir().expect("a folder"), TestIssuer::start().await);
    let (ca, other) = (PrivateCa::new(), PrivateCa::new());
    let mut smtp = Smtp::start(&ca, "smtps");
    let unused = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
    let unused = unused.expect("an address").port();
    let (good, wrong) = ("portal:p%40ss%3Aword", "portal:hunter2");
    let port = smtp.port();
    for (ca, login, port, exit, expected) in [
        (&ca, good, port, 0, ["ok     mail: localhost:", "accepts user and password"]),
        (
            &ca,
            good,
            unused,
            1,
            ["no SMTP session: ", "help: fix host and port of TENANTRY_SMTP_URL"],
        ),
        (&other, good, port, 1, ["TLS failed: ", "TENANTRY_SMTP_CA_FILE"]),
        (&ca, wrong, port, 1, ["535", "help: fix user and password in TENANTRY_SMTP_URL"]),
        (&ca, good, port, 1, ["the server rejected the sender: 553", "TENANTRY_MAIL_FROM"]),
    ] {
        if expected[0].contains("sender") {
            smtp.refuse_sender(553, 1);
        }
        let mut options = mail_options(ca, login, port);
        options.extend([
            ("TENANTRY_DATABASE_URL", "sqlite::memory:".to_owned()),
            ("TENANTRY_OIDC_ISSUER", issuer.url().to_owned()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry".to_owned()),
        ]);
        let (code, output) = check(folder.path(), &borrowed(&options)).await;
        assert_eq!(code, Some(exit), "{output}");
        for part in expected {
            assert!(output.contains(part), "{part}: {output}");
        }
        for secret in ["hunter2", "p@ss:word", "p%40ss", SECRET] {
            assert!(!output.contains(secret), "{output}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_a_missing_or_short_secret() {
    let (folder, issuer) = (tempfile::tempdir().expect("a folder"), TestIssuer::start().await);
    let short = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MA==";
    let two = format!("{SECRET},{short}");
    for (secret, exit, expected) in [
        (None, 0, "note   invitations: off, because TENANTRY_SECRET is not set"),
        (Some(SECRET), 0, "note   invitations: without links"),
        (Some(short), 2, "TENANTRY_SECRET: invalid"),
        (Some("not base64!"), 2, "TENANTRY_SECRET: invalid"),
        (Some(&*two), 2, "TENANTRY_SECRET: invalid"),
    ] {
        let mut variables = vec![
            ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
            ("TENANTRY_OIDC_ISSUER", issuer.url()),
            ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
        ];
        variables.extend(secret.map(|secret| ("TENANTRY_SECRET", secret)));
        let (code, output) = check(folder.path(), &variables).await;
        assert!(code == Some(exit) && output.contains(expected), "{secret:?} {code:?}: {output}");
        assert!(secret.is_none_or(|secret| !output.contains(secret)), "{output}");
        if exit == 2 {
            assert!(output.contains("32 bytes"), "{output}");
        }
    }
}

/// The links of earlier starts stay valid, because the secret of `dev` is kept in a file.
#[tokio::test(flavor = "multi_thread")]
async fn secret_of_dev_is_kept_in_a_private_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".tenantry/secret");
    let mut stored = Vec::new();
    for _ in 0..2 {
        let mut dev = Running::dev(folder.path());
        dev.line("readiness");
        terminate(&mut dev);
        stored.push(std::fs::read(&file).expect("a secret"));
        let mode = std::fs::metadata(&file).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!((stored[0].len(), &stored[0]), (32, &stored[1]));
    std::fs::write(&file, "short").expect("written");
    let free = "127.0.0.1:0";
    let output = run(folder.path(), &["dev", "--bind", free, "--admin-bind", free], &[]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    let last = error.lines().last().unwrap_or_default();
    assert!(last.contains("secret is not a secret of the gateway: remove the file"), "{error}");
}
