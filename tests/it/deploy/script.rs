//! What `scripts/setup-compose` makes, and whether Compose takes the files with it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use super::{
    Faults, compose,
    files::{Files, root},
    program::Program,
};

/// A developer's machine: a folder for what is made, a root of mkcert's and a file of names.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        fs::write(machine.path("hosts"), "127.0.0.1 localhost\n# 127.0.0.1 api.dezky.local\n")
            .expect("written");
        machine
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn setup(&self, options: &[&str]) -> (Option<i32>, String) {
        let mut script = Command::new(root().join("scripts/setup-compose"));
        script.args(options).arg("--dir").arg(self.path("here"));
        script.env("CAROOT", self.path("roots")).env("HOSTS_FILE", self.path("hosts"));
        let output = script.output().expect("the script");
        (output.status.code(), said(&output))
    }

    /// Each file that is there, with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path("here")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let content = fs::read(&path).expect("a file");
                    found.insert(path, content);
                }
            }
        }
        found
    }

    /// `docker-compose config` of a file, where everything is that it names.
    fn compose(&self, file: &str, text: &str) -> Output {
        let here = self.path("here");
        fs::create_dir_all(here.join("examples/portal")).expect("a folder");
        fs::write(here.join(file), text).expect("written");
        let mut command = Command::new("docker-compose");
        command.current_dir(&here).args(["-f", file, "config", "--services"]);
        command.envs(compose::TOLD).env("TENANTRY_ENV_FILE", "deploy/secrets/gateway.env");
        command.output().expect("these tests need docker-compose. Run: scripts/fetch-deploy")
    }
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(both).expect("UTF-8")
}

fn names_of(certificate: &Path) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(certificate);
    said(&openssl.output().expect("openssl"))
}

#[test]
fn what_is_made_is_made_once_and_closed_to_others() {
    let machine = Machine::new();
    let (code, told) = machine.setup(&["--check"]);
    assert!(code == Some(1) && told.contains("missing: "), "{told}");
    assert!(!machine.path("here/deploy").exists(), "a check makes nothing");

    let (code, told) = machine.setup(&[]);
    assert_eq!(code, Some(0), "{told}");
    let made = machine.files();
    assert!(made.len() > 10, "{made:?}");
    let folder = fs::metadata(machine.path("here/deploy/secrets")).expect("a folder");
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    for (path, content) in &made {
        let content = String::from_utf8_lossy(content);
        let secret = path.parent().is_some_and(|folder| folder.ends_with("secrets"));
        assert!(!secret || !told.contains(content.trim()), "{} is shown", path.display());
    }
    let names = fs::read_to_string(machine.path("hosts")).expect("names");
    assert!(!names.contains("portal.dezky.local"), "names are added only where that is asked for");

    let (code, told) = machine.setup(&["--hosts"]);
    assert_eq!(code, Some(0), "{told}");
    let names = fs::read_to_string(machine.path("hosts")).expect("names");
    assert_eq!(machine.setup(&["--hosts"]).0, Some(0));
    assert_eq!(fs::read_to_string(machine.path("hosts")).expect("names"), names);
    assert_eq!(machine.files(), made, "nothing is made anew");
    assert_eq!(machine.setup(&["--check"]), (Some(0), String::new()));

    // What is lost is made again from what is left.
    let lost = machine.path("here/deploy/secrets/gateway.env");
    fs::remove_file(&lost).expect("removed");
    let (code, told) = machine.setup(&["--check"]);
    assert!(code == Some(1) && told.contains("gateway.env"), "{told}");
    assert_eq!(machine.setup(&[]).0, Some(0));
    assert_eq!(machine.files(), made);
    assert_eq!(machine.setup(&["--force"]).0, Some(1), "an unknown option");
}

#[test]
fn what_is_made_is_what_the_platform_asks_for() {
    let (machine, files) = (Machine::new(), Files::committed());
    let (code, told) = machine.setup(&["--hosts"]);
    assert_eq!(code, Some(0), "{told}");
    let secrets = compose::secrets(&files);
    assert!(secrets.len() > 8, "{secrets:?}");
    for path in secrets {
        assert!(machine.path("here").join(&path).exists(), "nobody makes {path}");
    }
    let variables = fs::read_to_string(machine.path("here/deploy/secrets/gateway.env"));
    let variables = variables.expect("variables");
    let (name, url) = variables.trim().split_once('=').expect("one variable");
    let mut faults = Faults::default();
    let one = BTreeMap::from([(name.to_owned(), url.to_owned())]);
    super::are_options("gateway.env", &one, &Program::ask(), &mut faults);
    let hosts = fs::read_to_string(machine.path("hosts")).expect("names");
    let certificate = names_of(&machine.path("here/deploy/secrets/tls/dezky.local.crt"));
    for name in compose::names(&files, &mut faults) {
        assert!(hosts.contains(&name), "{name} leads nowhere: {hosts}");
        assert!(certificate.contains(&format!("DNS:{name}")), "{name} is not in {certificate}");
    }
    assert_eq!(faults.0, [""; 0]);
    for named in ["certFile: /run/tls/", "keyFile: /run/tls/"] {
        let tls = fs::read_to_string(root().join("deploy/traefik/tls.yaml")).expect("a file");
        let file = tls.split(named).nth(1).and_then(|rest| rest.lines().next());
        let file = machine.path("here/deploy/secrets/tls").join(file.expect("a file"));
        assert!(file.exists(), "nobody makes {}", file.display());
    }
}

#[test]
fn compose_takes_the_files() {
    let (machine, files) = (Machine::new(), Files::committed());
    assert_eq!(machine.setup(&[]).0, Some(0));
    for file in [compose::PLATFORM, compose::PRODUCTION] {
        let text = files.text(file);
        let taken = machine.compose(file, text);
        let services = said(&taken);
        assert!(taken.status.success(), "{file}: {services}");
        assert!(services.lines().any(|line| line == "gateway"), "{file}: {services}");
        let refused = machine.compose(file, &text.replacen("cap_drop:", "cap_drops:", 1));
        assert!(!refused.status.success(), "{file}: nothing is looked at");
    }
}
