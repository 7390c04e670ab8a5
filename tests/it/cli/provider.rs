//! The started program and a certified OpenID provider, over TLS with a private root.

use std::fs;

use serde_json::Value;

use super::{Running, check, get, send_query};
use crate::support::oidc::{Oidc, PrivateCa};

const ME: &str = "{ me { subject email memberships { role source tenant { slug } } } }";

/// Sends a request with the given token and returns the status of the response.
async fn status(endpoint: &str, token: &str) -> u16 {
    let request = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(r#"{"query":"{ me { subject } }"}"#);
    request.send().await.expect("a response").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_certified_provider_are_accepted_across_key_rotation() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ca, other_ca) = (PrivateCa::new(), PrivateCa::new());
    let mut oidc = Oidc::start(&ca);
    let ca_file = folder.path().join("ca.pem");
    let ca_path = ca_file.to_string_lossy().into_owned();
    let issuer = oidc.issuer().to_owned();
    let mut variables = vec![
        ("TENANTRY_DATABASE_URL", "sqlite::memory:"),
        ("TENANTRY_OIDC_ISSUER", issuer.as_str()),
        ("TENANTRY_OIDC_AUDIENCE", "tenantry"),
    ];

    // The provider's root certificate is not trusted. `check` reports that, with a fix.
    let (code, output) = check(folder.path(), &variables).await;
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("ERROR") && output.contains("UnknownIssuer"), "{output}");
    assert!(output.contains("TENANTRY_OIDC_CA_FILE") && output.contains("rootCA.pem"), "{output}");

    // With another root certificate the program starts and is not ready. The CA file is fixed while
    // it runs.
    fs::write(&ca_file, other_ca.root()).expect("written");
    variables.push(("TENANTRY_OIDC_CA_FILE", &ca_path));
    let mut serve = Running::serve(folder.path(), &variables);
    let serving = serve.logged("serving");
    let endpoint = format!("http://{}/graphql", serving["bind"].as_str().expect("an address"));
    let admin = format!("http://{}", serving["admin"].as_str().expect("an address"));
    let failed = serve.logged("keys could not be fetched");
    assert!(
        failed["help"].as_str().expect("a help text").contains("TENANTRY_OIDC_CA_FILE"),
        "{failed}"
    );
    let (ready, reason) = get(&format!("{admin}/readyz")).await;
    assert!(ready == 503 && reason.contains("invalid peer certificate"), "{reason}");
    fs::write(&ca_file, "half of a bun").expect("written");
    serve.logged("the CA file was not reloaded; the previous roots stay trusted");
    fs::write(&ca_file, [other_ca.root(), ca.root()].concat()).expect("written");
    serve.logged("the CA file was reloaded");
    serve.logged("keys fetched");
    assert_eq!(get(&format!("{admin}/readyz")).await.0, 200);
    assert_eq!(check(folder.path(), &variables).await.0, Some(0));

    // Tokens of the provider, with groups.
    let old = oidc.token(&ca, "bob").await;
    let me = send_query(&endpoint, &old, ME).await["data"]["me"].clone();
    assert_eq!(me["subject"], "bob");
    assert_eq!(me["email"], "bob@example.org");
    let membership = &me["memberships"][0];
    assert_eq!(membership["role"], "OWNER", "{me}");
    assert_eq!(membership["source"], "GROUP");
    assert_eq!(membership["tenant"]["slug"], "dezky");
    let other = send_query(&endpoint, &oidc.token(&ca, "mallory").await, ME).await;
    assert_eq!(other["data"]["me"]["memberships"], Value::Array(vec![]));

    // The first token with the new key triggers a fetch, which also removes the old key.
    oidc.rotate();
    let new = oidc.token(&ca, "bob").await;
    assert_eq!(status(&endpoint, &old).await, 200, "accepted until the next refresh");
    assert_eq!(status(&endpoint, &new).await, 200);
    assert_eq!(status(&endpoint, &old).await, 401);
    let (_, metrics) = get(&format!("{admin}/metrics")).await;
    let counter = |series: String| {
        let value =
            metrics.lines().find_map(|line| line.strip_prefix(&series)?.trim().parse().ok());
        value.unwrap_or(0.0)
    };
    let fetches = |outcome: &str| {
        let labels = format!(r#"{{issuer="{issuer}",outcome="{outcome}"}}"#);
        counter(format!("tenantry_jwks_fetches_total{labels}"))
    };
    assert!(fetches("untrusted") >= 1.0, "{metrics}");
    assert_eq!(
        fetches("ok"),
        2.0,
        "the first successful fetch, and the one for the new key: {metrics}"
    );
    assert!(metrics.contains(&format!(r#"tenantry_jwks_age_seconds{{issuer="{issuer}"}} "#)));
    let unknown_keys = counter(r#"tenantry_auth_failures_total{reason="unknown_key"}"#.to_owned());
    assert_eq!(unknown_keys, 1.0, "{metrics}");
}
