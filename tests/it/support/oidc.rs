//! Runs a certified OpenID provider over TLS, with a certificate from a private root.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A private root certificate, and a certificate for `localhost` that it issued.
///
/// The system's trust store stays unchanged.
pub(crate) struct PrivateCa {
    folder: TempDir,
}

impl PrivateCa {
    /// Creates a root and a certificate.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mkcert = Command::new("mkcert");
        mkcert.current_dir(folder.path()).env("CAROOT", folder.path());
        mkcert.args(["-cert-file", "certificate.pem", "-key-file", "key.pem", "localhost"]);
        let output = mkcert.output();
        let output = output.expect("these tests need mkcert. Run: scripts/fetch-oidc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder }
    }

    /// Returns the root certificate in PEM.
    pub(crate) fn root(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("rootCA.pem")).expect("the root")
    }

    /// Returns the path of a file: `rootCA.pem`, `certificate.pem` or `key.pem`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A process that runs npm's `oidc-provider` until it is dropped.
pub(crate) struct Oidc {
    child: Child,
    commands: ChildStdin,
    responses: BufReader<ChildStdout>,
    issuer: String,
}

impl Oidc {
    /// Starts the provider on a free port with a new signing key.
    pub(crate) fn start(ca: &PrivateCa) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
        assert!(
            home.join("node_modules/oidc-provider").exists(),
            "these tests need an OpenID provider. Run: scripts/fetch-oidc"
        );
        let mut node = Command::new("node");
        node.current_dir(home).arg("provider.mjs");
        node.args([ca.path("certificate.pem"), ca.path("key.pem")]);
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = node.spawn().expect("these tests need Node.js. Run: scripts/fetch-oidc");
        let commands = child.stdin.take().expect("piped");
        let responses = BufReader::new(child.stdout.take().expect("piped"));
        let mut oidc = Self { child, commands, responses, issuer: String::new() };
        let started = oidc.read_response();
        started["issuer"].as_str().expect("an issuer").clone_into(&mut oidc.issuer);
        oidc
    }

    /// Returns the issuer (`iss`).
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Replaces the signing key, and publishes only the new one.
    pub(crate) fn rotate(&mut self) {
        self.commands.write_all(b"rotate\n").expect("the provider reads commands");
        self.read_response();
    }

    /// Fetches an access token from the token endpoint.
    pub(crate) async fn token(&self, ca: &PrivateCa, client: &str) -> String {
        let root = reqwest::Certificate::from_pem(&ca.root()).expect("a certificate");
        let http = reqwest::Client::builder().tls_certs_merge([root]).build().expect("a client");
        let request = http
            .post(format!("{}/token", self.issuer))
            .basic_auth(client, Some("not-a-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let body = request.send().await.expect("a response").text().await.expect("a body");
        let json: Value = serde_json::from_str(&body).expect("JSON");
        json["access_token"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
    }

    fn read_response(&mut self) -> Value {
        let mut line = String::new();
        self.responses.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the provider has ended: {line:?}"))
    }
}

impl Drop for Oidc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
