//! The files that `scripts/setup-compose` generates, and the compose files as Compose parses them.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::{
    Mismatches, compose,
    files::{Files, root, texts},
    program::Program,
};

/// A simulated development machine: a directory for generated files, an mkcert root and a hosts
/// file.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().expect("temporary directory"));
        fs::write(machine.path("hosts"), "127.0.0.1 localhost\n# 127.0.0.1 api.dezky.local\n")
            .expect("write succeeds");
        machine
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    /// Runs the script and returns its exit code and output.
    fn setup(&self, options: &[&str]) -> (Option<i32>, String) {
        let mut script = Command::new(root().join("scripts/setup-compose"));
        script.args(options).arg("--dir").arg(self.path("here"));
        script.env("CAROOT", self.path("roots")).env("HOSTS_FILE", self.path("hosts"));
        let output = script.output().expect("the script");
        (output.status.code(), text_of(&output))
    }

    /// Returns all generated files with their contents.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.path("here")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let content = fs::read(&path).expect("a file");
                    files.insert(path, content);
                }
            }
        }
        files
    }

    /// Returns the variables of the gateway, from the compose file and from its generated files. The
    /// generated examples, which are commented out, are variables, too.
    fn gateway_variables(&self, files: &Files) -> BTreeMap<String, String> {
        let platform = compose::load_platform(files);
        let gateway = &platform["services"]["gateway"];
        let mut variables = compose::environment(gateway);
        for path in texts(&gateway["env_file"]) {
            let text = fs::read_to_string(self.path("here").join(path)).expect("a file");
            let lines =
                text.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
            let lines = lines.filter(|(name, _)| name.starts_with("TENANTRY_"));
            variables.extend(lines.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        variables
    }

    /// Runs `docker-compose config` on a file, in a directory with all files that it refers to.
    fn compose(&self, file: &str, text: &str) -> Output {
        let here = self.path("here");
        fs::create_dir_all(here.join("examples/portal")).expect("temporary directory");
        fs::write(here.join(file), text).expect("write succeeds");
        let mut command = Command::new("docker-compose");
        command.current_dir(&here).args(["-f", file, "config", "--services"]);
        command
            .envs(compose::PRODUCTION_VARIABLES)
            .env("TENANTRY_ENV_FILE", "deploy/secrets/gateway.env");
        command.output().expect("these tests need docker-compose. Run: scripts/fetch-deploy")
    }
}

/// Returns the standard output followed by the standard error.
fn text_of(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(both).expect("UTF-8")
}

/// Returns the subject alternative names of a certificate.
fn names_of(certificate: &Path) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(certificate);
    text_of(&openssl.output().expect("openssl"))
}

#[test]
fn setup_generates_private_files_once() {
    let machine = Machine::new();
    let (code, output) = machine.setup(&["--check"]);
    assert!(code == Some(1) && output.contains("missing: "), "{output}");
    assert!(!machine.path("here/deploy").exists(), "--check must not create files");

    let (code, output) = machine.setup(&[]);
    assert_eq!(code, Some(0), "{output}");
    let generated = machine.files();
    assert!(generated.len() > 10, "{generated:?}");
    let directory = fs::metadata(machine.path("here/deploy/secrets")).expect("temporary directory");
    assert_eq!(directory.permissions().mode() & 0o777, 0o700);
    for (path, content) in &generated {
        let content = String::from_utf8_lossy(content);
        let is_secret = path.parent().is_some_and(|parent| parent.ends_with("secrets"));
        assert!(
            !is_secret || !output.contains(content.trim()),
            "the output contains {}",
            path.display()
        );
    }
    let hosts = fs::read_to_string(machine.path("hosts")).expect("a hosts file");
    assert!(!hosts.contains("portal.dezky.local"), "only --hosts may add host names");

    let (code, output) = machine.setup(&["--hosts"]);
    assert_eq!(code, Some(0), "{output}");
    let hosts = fs::read_to_string(machine.path("hosts")).expect("a hosts file");
    assert_eq!(machine.setup(&["--hosts"]).0, Some(0));
    assert_eq!(fs::read_to_string(machine.path("hosts")).expect("a hosts file"), hosts);
    assert_eq!(machine.files(), generated, "no file is generated again");
    assert_eq!(machine.setup(&["--check"]), (Some(0), String::new()));

    // A missing file is generated again from the remaining ones.
    let missing = machine.path("here/deploy/secrets/gateway.env");
    fs::remove_file(&missing).expect("the file is removed");
    let (code, output) = machine.setup(&["--check"]);
    assert!(code == Some(1) && output.contains("gateway.env"), "{output}");
    assert_eq!(machine.setup(&[]).0, Some(0));
    assert_eq!(machine.files(), generated);
    assert_eq!(machine.setup(&["--force"]).0, Some(1), "an unknown option is rejected");
}

#[test]
fn setup_generates_all_files_of_the_platform() {
    let (machine, files) = (Machine::new(), Files::committed());
    let (code, output) = machine.setup(&["--hosts"]);
    assert_eq!(code, Some(0), "{output}");
    let secrets = compose::secret_files(&files);
    assert!(secrets.len() > 8, "{secrets:?}");
    for path in secrets {
        assert!(machine.path("here").join(&path).exists(), "{path} is not generated");
    }
    let mut mismatches = Mismatches::default();
    let variables = machine.gateway_variables(&files);
    for name in ["TENANTRY_DATABASE_URL", "TENANTRY_SECRET", "TENANTRY_SMTP_URL"] {
        assert!(variables.contains_key(name), "{name} is not generated");
    }
    super::check_variables("gateway", &variables, &Program::from_help(), &mut mismatches);
    let hosts = fs::read_to_string(machine.path("hosts")).expect("a hosts file");
    let certificate = names_of(&machine.path("here/deploy/secrets/tls/dezky.local.crt"));
    for name in compose::check_host_names(&files, &mut mismatches) {
        assert!(hosts.contains(&name), "{name} is not in the hosts file: {hosts}");
        assert!(certificate.contains(&format!("DNS:{name}")), "{name} is not in {certificate}");
    }
    assert_eq!(mismatches.0, [""; 0]);
    for key in ["certFile: /run/tls/", "keyFile: /run/tls/"] {
        let tls = fs::read_to_string(root().join("deploy/traefik/tls.yaml")).expect("a file");
        let file = tls.split(key).nth(1).and_then(|rest| rest.lines().next());
        let file = machine.path("here/deploy/secrets/tls").join(file.expect("a file"));
        assert!(file.exists(), "{} is not generated", file.display());
    }
}

#[test]
fn compose_accepts_the_files() {
    let (machine, files) = (Machine::new(), Files::committed());
    assert_eq!(machine.setup(&[]).0, Some(0));
    for file in [compose::PLATFORM, compose::PRODUCTION] {
        let text = files.text(file);
        let accepted = machine.compose(file, text);
        let services = text_of(&accepted);
        assert!(accepted.status.success(), "{file}: {services}");
        assert!(services.lines().any(|line| line == "gateway"), "{file}: {services}");
        let rejected = machine.compose(file, &text.replacen("cap_drop:", "cap_drops:", 1));
        assert!(!rejected.status.success(), "{file}: an unknown field must be rejected");
    }
}
