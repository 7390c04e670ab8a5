//! Invitations in the started program: the token is nowhere but in its response.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::TryStreamExt;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use serde_json::{Value, json};

use super::{Running, get, now, telemetry::Collector, terminate};
use crate::support::{issuer::TestIssuer, mongod::FreshDatabase};

const SECRET: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Returns whether a text or bytes have a token or its signature.
fn leaks(bytes: &[u8], token: &str) -> bool {
    let signature = BASE64_URL_SAFE_NO_PAD.decode(token).expect("base64").split_off(12);
    let contains = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    contains(token.as_bytes())
        || contains(&token.as_bytes()[16..])
        || contains(&signature)
        || contains(hex::encode(&signature).as_bytes())
}

/// Returns the bytes of everything that is stored.
async fn stored_bytes(folder: &std::path::Path, fresh: Option<&FreshDatabase>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Some(fresh) = fresh else {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            bytes.extend(std::fs::read(entry.expect("a file").path()).expect("a file"));
        }
        return bytes;
    };
    let client = mongodb::Client::with_uri_str(&fresh.uri).await.expect("a client");
    let database = client.default_database().expect("a database");
    for name in database.list_collection_names().await.expect("names") {
        let all = database.collection::<RawDocumentBuf>(&name).find(doc! {}).await;
        let all: Vec<RawDocumentBuf> = all.expect("documents").try_collect().await.expect("read");
        for document in all {
            bytes.extend(document.as_bytes());
            let parsed = Document::try_from(document).expect("BSON");
            bytes.extend(parsed.to_string().bytes());
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_only_in_its_response() {
    for is_mongo in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let fresh = FreshDatabase::new().await;
        let (issuer, collector) = (TestIssuer::start().await, Collector::default());
        let otlp = collector.start().await;
        let url = if is_mongo { fresh.uri.clone() } else { "sqlite://a.db".to_owned() };
        let mut serve = Running::serve(
            folder.path(),
            &[
                ("TENANTRY_DATABASE_URL", &url),
                ("TENANTRY_OIDC_ISSUER", issuer.url()),
                ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
                ("TENANTRY_SECRET", SECRET),
                ("TENANTRY_INVITATION_URL", "https://portal.example.org/{token}"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &otlp),
                ("TENANTRY_LOG", "debug,tenantry=trace"),
            ],
        );
        let serving = serve.logged("serving");
        serve.logged("the database is ready");
        let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
        let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
        while get(&format!("{admin}/readyz")).await.0 != 200 {}
        let bearer = |subject: &str, groups: &[&str]| {
            let token = issuer.token().subject(subject).groups(groups.iter().copied());
            let token = token.claim("email", json!(format!("{subject}@example.org")));
            token.issued_at(now()).expires_at(now() + 600).sign()
        };
        let post = async |bearer: &str, key: Option<&str>, body: Value| -> Value {
            let request = reqwest::Client::new().post(&endpoint);
            let mut request = request.header("content-type", "application/json");
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let request = request.header("authorization", format!("Bearer {bearer}"));
            let response = request.body(body.to_string()).send().await.expect("a response");
            serde_json::from_str(&response.text().await.expect("text")).expect("JSON")
        };
        let owner = bearer("ada", &["tenant:dezky:owner"]);
        let me = json!({"query": "{ me { id } tenant(slug: \"dezky\") { id } }"});
        let tenant = post(&owner, None, me).await["data"]["tenant"]["id"].clone();
        let invite = "mutation($input: InviteTenantMemberInput!) { inviteTenantMember(input: $input) { \
            invitation { id } token acceptUrl } }";
        let input = json!({"tenantId": tenant, "email": "bob@example.org"});
        let body = json!({"query": invite, "variables": {"input": input}});
        let invited =
            post(&owner, Some("k-1"), body.clone()).await["data"]["inviteTenantMember"].clone();
        let first = invited["token"].as_str().expect("a token").to_owned();
        let repeat = post(&owner, Some("k-1"), body).await["data"]["inviteTenantMember"].clone();
        assert_eq!((&repeat["token"], &repeat["acceptUrl"]), (&Value::Null, &Value::Null));
        let id = &invited["invitation"]["id"];
        let resend = json!({"query": format!("mutation {{ resendInvitation(input: {{id: {id}}}) {{ token }} }}")});
        let renewed =
            post(&owner, Some("k-2"), resend).await["data"]["resendInvitation"]["token"].clone();
        let second = renewed.as_str().expect("a token").to_owned();
        let invitee = bearer("bob", &[]);
        // The token as a literal, as a variable, in a query string, and in requests that fail.
        for token in [&first, &second] {
            let query = format!("{{ invitation(token: \"{token}\") {{ email }} }}");
            post(&invitee, None, json!({ "query": query })).await;
            post(
                &invitee,
                None,
                json!({"query": "{ invitation(token: $x) { email } }", "variables": {"x": token}}),
            )
            .await;
            post(&invitee, None, json!({"query": format!("{{ {token} }}")})).await;
            post(
                &invitee,
                None,
                json!({"query": format!("{{ invitation(token: {token}) {{ email }} }}")}),
            )
            .await;
            let url = url::Url::parse_with_params(&endpoint, [("query", &query)]).expect("a URL");
            let request = reqwest::Client::new().get(url);
            let request = request.header("authorization", format!("Bearer {invitee}"));
            assert_eq!(request.send().await.expect("a response").status(), 200);
        }
        let accept = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { membership { role } } }";
        for token in [&first, &second, &second] {
            let body = json!({"query": accept, "variables": {"input": {"token": token}}});
            post(&invitee, Some(&format!("k-{}", &token[50..54])), body).await;
        }
        let log = json!({"query": "{ tenant(slug: \"dezky\") { members { totalCount } auditLog { nodes { action changes } } } }"});
        let log = post(&owner, None, log).await;
        assert_eq!(log["data"]["tenant"]["members"]["totalCount"], 2, "{log}");
        let metrics = get(&format!("{admin}/metrics")).await.1;
        let history = log.to_string();
        let stored = stored_bytes(folder.path(), is_mongo.then_some(&fresh)).await;
        terminate(&mut serve);
        let lines: Vec<String> = serve.lines.by_ref().collect();
        assert!(lines.iter().any(|line| line.contains("request completed")));
        let (spans, resource) = collector.spans();
        assert!(!spans.is_empty());
        for token in [&first, &second] {
            for (name, bytes) in [
                ("log", lines.join("\n").as_bytes()),
                ("trace", format!("{spans:?}{resource:?}").as_bytes()),
                ("metrics", metrics.as_bytes()),
                ("history", history.as_bytes()),
                ("database", &stored),
            ] {
                assert!(!leaks(bytes, token), "the {name} has a token");
            }
            assert!(leaks(format!("x{token}").as_bytes(), token), "the search itself works");
        }
    }
}
