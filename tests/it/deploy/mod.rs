//! Checks that the deployment files match the program: the Dockerfile, the compose files, the
//! Authentik blueprint and the Kubernetes manifests. The checks read the files and start no
//! containers.

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

/// The paths that the admin listener serves.
const ADMIN_PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The mismatches between the deployment files and the program, one line each.
#[derive(Debug, Default)]
struct Mismatches(Vec<String>);

impl Mismatches {
    /// Records a mismatch if the condition does not hold.
    fn check(&mut self, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.0.push(message());
        }
    }
}

/// Returns all mismatches between the files and the program.
fn find_mismatches(files: &Files, program: &Program) -> Vec<String> {
    let mut mismatches = Mismatches::default();
    let image = image::check(files, program, &mut mismatches);
    compose::check(files, program, &image, &mut mismatches);
    compose::check_host_names(files, &mut mismatches);
    identity::check(files, program, &mut mismatches);
    kubernetes::check(files, program, &image, &mut mismatches);
    mismatches.0
}

/// Returns whether an image's name has a tag with a version.
fn is_pinned(image: &str) -> bool {
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    tag.is_some_and(|tag| tag.contains('.') && tag.contains(|c: char| c.is_ascii_digit()))
}

/// Returns the port of an address, or 0.
fn port_of(address: &str) -> u16 {
    address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default()
}

/// Parses a duration such as `20s`.
fn parse_seconds(text: &str) -> Option<Duration> {
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

/// Returns the longest time that the program's shutdown takes: the delay plus the timeout for open
/// requests.
fn shutdown_duration(variables: &BTreeMap<String, String>, program: &Program) -> Option<Duration> {
    let duration = |name: &str| {
        parse_seconds(variables.get(name).map_or_else(|| program.default_of(name), String::as_str))
    };
    Some(duration("TENANTRY_SHUTDOWN_DELAY")? + duration("TENANTRY_SHUTDOWN_TIMEOUT")?)
}

/// Checks that the program knows the `TENANTRY_` variables and accepts their values.
fn check_variables(
    location: &str,
    variables: &BTreeMap<String, String>,
    program: &Program,
    mismatches: &mut Mismatches,
) {
    let known: BTreeSet<&str> = program.variables();
    let tenantry = variables.iter().filter(|(name, _)| name.starts_with("TENANTRY_"));
    let mut tenantry: BTreeMap<_, _> =
        tenantry.map(|(name, value)| (name.clone(), value.clone())).collect();
    for name in tenantry.keys().filter(|name| !known.contains(name.as_str())) {
        mismatches.0.push(format!("{location}: unknown variable {name}"));
    }
    // Required options that the image and the secrets leave to the operator.
    for (name, value) in [
        ("TENANTRY_DATABASE_URL", "mongodb://db/tenantry"),
        ("TENANTRY_OIDC_ISSUER", "https://id.example.org/"),
        ("TENANTRY_OIDC_AUDIENCE", "portal"),
    ] {
        tenantry.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    if let Err(error) = program.accepts(&tenantry) {
        mismatches.0.push(format!("{location}: {error}"));
    }
}

#[test]
fn deployment_files_match_the_program() {
    let mismatches = find_mismatches(&Files::committed(), &Program::from_help());
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[test]
fn every_mutant_is_detected() {
    let (files, program) = (Files::committed(), Program::from_help());
    for (path, from, to, expected) in mutants::MUTANTS {
        let mismatches = find_mismatches(&files.with(path, from, to), &program);
        let detected = mismatches.iter().any(|mismatch| mismatch.contains(expected));
        assert!(
            detected,
            "{path} with {to:?} instead of {from:?}: no {expected:?} in {mismatches:#?}"
        );
    }
}

#[tokio::test]
async fn admin_listener_serves_the_probed_paths() {
    let app = App::on(Backend::Sqlite).await;
    for path in ADMIN_PATHS {
        assert_eq!(app.admin(path).await.status, 200, "{path}");
    }
    assert_eq!(app.admin("/health").await.status, 404);
}
