//! What is deployed agrees with the program: the image, the compose files, the blueprint of Authentik
//! and the manifests for Kubernetes, which nothing here can start.

mod compose;
mod database;
mod files;
mod identity;
mod image;
mod kubernetes;
mod mutants;
mod program;
mod script;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::support::app::{App, Backend};
use files::{Files, root};
use program::Program;

/// What the admin bind serves.
const ADMIN_PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// What does not agree, each as one line.
#[derive(Debug, Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.0.push(what());
        }
    }
}

fn faults(files: &Files, program: &Program) -> Vec<String> {
    let mut faults = Faults::default();
    let image = image::look(files, program, &mut faults);
    compose::look(files, program, &image, &mut faults);
    compose::names(files, &mut faults);
    identity::look(files, program, &mut faults);
    kubernetes::look(files, program, &image, &mut faults);
    faults.0
}

/// Whether an image's name says which it is.
fn is_pinned(image: &str) -> bool {
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    tag.is_some_and(|tag| tag.contains('.') && tag.contains(|c: char| c.is_ascii_digit()))
}

/// The port of an address.
fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
}

/// A time such as `20s`.
fn seconds(text: &str) -> Option<Duration> {
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

/// How long the program may take to end: its delay, and what requests under way may take.
fn ending(variables: &BTreeMap<String, String>, program: &Program) -> Option<Duration> {
    let time = |name: &str| {
        seconds(variables.get(name).map_or_else(|| program.default_of(name), String::as_str))
    };
    Some(time("TENANTRY_SHUTDOWN_DELAY")? + time("TENANTRY_SHUTDOWN_TIMEOUT")?)
}

/// Holds variables against the command line: the program knows them, and what they hold.
fn are_options(
    at: &str,
    variables: &BTreeMap<String, String>,
    program: &Program,
    faults: &mut Faults,
) {
    let known: BTreeSet<&str> = program.variables();
    let ours = variables.iter().filter(|(name, _)| name.starts_with("TENANTRY_"));
    let mut ours: BTreeMap<_, _> =
        ours.map(|(name, value)| (name.clone(), value.clone())).collect();
    for name in ours.keys().filter(|name| !known.contains(name.as_str())) {
        faults.0.push(format!("{at}: the program has no {name}"));
    }
    // What the image and the secrets leave open.
    for (name, value) in [
        ("TENANTRY_DATABASE_URL", "mongodb://db/tenantry"),
        ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
        ("TENANTRY_OIDC_AUDIENCE", "portal"),
    ] {
        ours.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    if let Err(why) = program.accepts(&ours) {
        faults.0.push(format!("{at}: {why}"));
    }
}

#[test]
fn what_is_deployed_agrees_with_the_program() {
    let faults = faults(&Files::committed(), &Program::ask());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn whatever_does_not_agree_is_seen() {
    let (files, program) = (Files::committed(), Program::ask());
    for (path, from, to, told) in mutants::BREAKS {
        let faults = faults(&files.with(path, from, to), &program);
        let seen = faults.iter().any(|fault| fault.contains(told));
        assert!(seen, "{path} with {to:?} for {from:?}: no {told:?} in {faults:#?}");
    }
}

#[tokio::test]
async fn the_admin_bind_serves_what_is_asked_of_it() {
    let app = App::on(Backend::Sqlite).await;
    for path in ADMIN_PATHS {
        assert_eq!(app.admin(path).await.status, 200, "{path}");
    }
    assert_eq!(app.admin("/health").await.status, 404);
}
