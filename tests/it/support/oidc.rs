//! A certified OpenID provider over TLS, with a certificate that a private root has issued.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A root that nobody trusts yet, and a certificate for `localhost` from it. The system's own list
/// of roots is left alone.
pub(crate) struct PrivateCa {
    folder: TempDir,
}

impl PrivateCa {
    /// A new root with its certificate.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mkcert = Command::new("mkcert");
        mkcert.current_dir(folder.path()).env("CAROOT", folder.path());
        mkcert.args(["-cert-file", "certificate.pem", "-key-file", "key.pem", "localhost"]);
        let made = mkcert.output();
        let made = made.expect("these tests need mkcert. Run: scripts/fetch-oidc");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    /// The root, in PEM.
    pub(crate) fn root(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("rootCA.pem")).expect("the root")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// npm's `oidc-provider`, until it is dropped.
pub(crate) struct Oidc {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    issuer: String,
}

impl Oidc {
    /// Starts it on a free port, with a signing key of its own.
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
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut oidc = Self { child, commands, answers, issuer: String::new() };
        let started = oidc.answer();
        started["issuer"].as_str().expect("an issuer").clone_into(&mut oidc.issuer);
        oidc
    }

    /// The issuer (`iss`).
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Signs with a new key from now on, and publishes no other.
    pub(crate) fn rotate(&mut self) {
        self.commands.write_all(b"rotate\n").expect("it listens");
        self.answer();
    }

    /// An access token from its token endpoint.
    pub(crate) async fn token(&self, ca: &PrivateCa, client: &str) -> String {
        let root = reqwest::Certificate::from_pem(&ca.root()).expect("a certificate");
        let http = reqwest::Client::builder().tls_certs_merge([root]).build().expect("a client");
        let request = http
            .post(format!("{}/token", self.issuer))
            .basic_auth(client, Some("not-a-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let answer = request.send().await.expect("an answer").text().await.expect("a body");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the provider has ended: {line:?}"))
    }
}

impl Drop for Oidc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
