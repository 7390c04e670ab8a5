//! The started program and a certified OpenID provider, over TLS with a private root.

use std::fs;

use serde_json::Value;

use super::{Running, ask, check, get};
use crate::support::oidc::{Oidc, PrivateCa};

const ME: &str = "{ me { subject email memberships { role source tenant { slug } } } }";

/// The status of a request with that token, and what it answered.
async fn status(endpoint: &str, token: &str) -> u16 {
    let request = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(r#"{"query":"{ me { subject } }"}"#);
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_real_provider_are_good_and_its_keys_rotate() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ca, stranger) = (PrivateCa::new(), PrivateCa::new());
    let mut oidc = Oidc::start(&ca);
    let ca_file = folder.path().join("ca.pem");
    let ca_path = ca_file.to_string_lossy().into_owned();
    let issuer = oidc.issuer().to_owned();
    let mut variables = vec![
        ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
        ("TENANTRY_OIDC_ISSUER", issuer.as_str()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];

    // Its root is not trusted: `check` says so, and how to mend it.
    let (code, said) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("ERROR") && said.contains("UnknownIssuer"), "{said}");
    assert!(said.contains("TENANTRY_OIDC_CA_FILE") && said.contains("rootCA.pem"), "{said}");

    // Started with another root, the program waits; the bundle is mended while it runs.
    fs::write(&ca_file, stranger.root()).expect("written");
    variables.push(("TENANTRY_OIDC_CA_FILE", &ca_path));
    let mut serve = Running::serve(folder.path(), &variables);
    let serving = serve.logged("serving");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
    let failed = serve.logged("keys could not be fetched");
    assert!(failed["help"].as_str().expect("a fix").contains("TENANTRY_OIDC_CA_FILE"), "{failed}");
    let (ready, why) = get(&format!("{admin}/readyz")).await;
    assert!(ready == 503 && why.contains("invalid peer certificate"), "{why}");
    fs::write(&ca_file, "half of a bun").expect("written");
    serve.logged("the CA file was not reloaded; the previous roots stay trusted");
    fs::write(&ca_file, [stranger.root(), ca.root()].concat()).expect("written");
    serve.logged("the CA file was reloaded");
    serve.logged("keys fetched");
    assert_eq!(get(&format!("{admin}/readyz")).await.0, 200);
    assert_eq!(check(folder.path(), &variables).await.0, Some(0));

    // Its own tokens, with groups.
    let old = oidc.token(&ca, "bob").await;
    let me = ask(&endpoint, &old, ME).await["data"]["me"].clone();
    assert_eq!(me["subject"], "bob");
    assert_eq!(me["email"], "bob@example.org");
    let membership = &me["memberships"][0];
    assert_eq!(membership["role"], "OWNER", "{me}");
    assert_eq!(membership["source"], "GROUP");
    assert_eq!(membership["tenant"]["slug"], "dezky");
    let other = ask(&endpoint, &oidc.token(&ca, "mallory").await, ME).await;
    assert_eq!(other["data"]["me"]["memberships"], Value::Array(vec![]));

    // A new key is found by the first token that names it, and the old one is gone with it.
    oidc.rotate();
    let new = oidc.token(&ca, "bob").await;
    assert_eq!(status(&endpoint, &old).await, 200, "until the next refresh");
    assert_eq!(status(&endpoint, &new).await, 200);
    assert_eq!(status(&endpoint, &old).await, 401);
    let (_, metrics) = get(&format!("{admin}/metrics")).await;
    let counted = |line: String| {
        let value = metrics.lines().find_map(|told| told.strip_prefix(&line)?.trim().parse().ok());
        value.unwrap_or(0.0)
    };
    let fetches = |outcome: &str| {
        let labels = format!(r#"{{issuer="{issuer}",outcome="{outcome}"}}"#);
        counted(format!("tenantry_jwks_fetches_total{labels}"))
    };
    assert!(fetches("untrusted") >= 1.0, "{metrics}");
    assert_eq!(fetches("ok"), 2.0, "the first good one, and the one for the new key: {metrics}");
    assert!(metrics.contains(&format!(r#"tenantry_jwks_age_seconds{{issuer="{issuer}"}} "#)));
    let refused = counted(r#"tenantry_auth_failures_total{reason="unknown_key"}"#.to_owned());
    assert_eq!(refused, 1.0, "{metrics}");
}
