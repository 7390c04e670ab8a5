//! Checks the Dockerfile against the program, Cargo.toml and the build context.

use std::collections::BTreeMap;

use super::{Mismatches, files::Files, port_of, program::Program};

/// The properties of the image that the other deployment files must match.
pub(super) struct Image {
    /// The path of the binary, such as `/usr/local/bin/tenantry`.
    pub(super) binary: String,
    /// The numeric user id.
    pub(super) user: String,
    /// The port of the public listener (GraphQL).
    pub(super) public_port: u16,
    /// The port of the admin listener (health and metrics).
    pub(super) admin_port: u16,
    /// The version of the program.
    pub(super) version: String,
}

/// An instruction of a Dockerfile: its name and its arguments.
type Instruction = (String, String);

/// Parses the instructions of a Dockerfile.
fn parse_instructions(dockerfile: &str) -> Vec<Instruction> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    let split = |line: &str| {
        let (name, rest) = line.split_once(' ').expect("an instruction and its arguments");
        (name.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    lines.map(split).collect()
}

/// Parses `a=b c=d` and removes quotes around the values.
fn parse_assignments(arguments: &str) -> BTreeMap<String, String> {
    let pairs = arguments.split(' ').filter_map(|argument| argument.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// Returns the arguments of the last instruction with this name.
fn arguments_of<'a>(stage: &'a [Instruction], name: &str) -> Option<&'a str> {
    stage
        .iter()
        .rev()
        .find(|(instruction, _)| instruction == name)
        .map(|(_, arguments)| arguments.as_str())
}

/// Parses a command in exec form.
fn parse_command(arguments: Option<&str>) -> Vec<String> {
    serde_json::from_str(arguments.unwrap_or_default().trim_start_matches("CMD "))
        .unwrap_or_default()
}

/// Returns the part of the arguments from `name` on, without the options before it.
fn after_options<'a>(arguments: &'a str, name: &str) -> &'a str {
    arguments.find(name).map_or("", |start| &arguments[start..])
}

/// Checks the Dockerfile and returns the properties of the image.
pub(super) fn check(files: &Files, program: &Program, mismatches: &mut Mismatches) -> Image {
    let all = parse_instructions(files.text("Dockerfile"));
    check_base_images(&all, files, mismatches);
    check_build(&all, files, mismatches);
    let last = all.iter().rposition(|(name, _)| name == "FROM").expect("a stage");
    check_final_stage(&all[last..], files, program, mismatches)
}

/// Checks that base images are pinned and that one has the Rust version of Cargo.toml.
fn check_base_images(all: &[Instruction], files: &Files, mismatches: &mut Mismatches) {
    let build_args: BTreeMap<_, _> = all
        .iter()
        .filter(|(n, _)| n == "ARG")
        .flat_map(|(_, arguments)| parse_assignments(arguments))
        .collect();
    let mut pinned = Vec::new();
    for (_, arguments) in all.iter().filter(|(name, _)| name == "FROM") {
        let base = arguments.split(' ').next().unwrap_or_default();
        let build_arg = base.trim_start_matches("${").trim_end_matches('}');
        let base = build_args.get(build_arg).map_or(base, String::as_str);
        if base != "scratch" {
            mismatches
                .check(super::is_pinned(base), || format!("Dockerfile: {base} is not pinned"));
            pinned.push(base);
        }
    }
    let rust_version = manifest_field(files, "rust-version");
    let has_rust = pinned.iter().any(|base| base.contains(&format!("/rust:{rust_version}.")));
    mismatches.check(has_rust, || {
        format!("Dockerfile: no stage uses Rust {rust_version}, the rust-version of Cargo.toml")
    });
}

/// Checks the cargo commands and the copied sources of the build stages.
fn check_build(all: &[Instruction], files: &Files, mismatches: &mut Mismatches) {
    let ignored = files.text(".dockerignore");
    let mut auditable_builds = 0;
    for (name, arguments) in all {
        for cargo in arguments.split("&&").filter(|step| step.trim().starts_with("cargo ")) {
            let is_locked = cargo.contains(" --locked ");
            mismatches
                .check(is_locked, || format!("Dockerfile: cargo runs without --locked: {cargo}"));
            auditable_builds += usize::from(cargo.contains("cargo auditable build"));
        }
        if name == "COPY" && !arguments.starts_with("--from=") {
            let sources = arguments.split(' ').rev().skip(1);
            for source in sources {
                let is_included = ignored.lines().any(|line| line == format!("!{source}"));
                mismatches.check(is_included && super::root().join(source).exists(), || {
                    format!("Dockerfile: {source} is not in the build context")
                });
            }
        }
    }
    for embedded in embedded_directories() {
        let expected = format!("{embedded} {embedded}");
        let is_copied =
            all.iter().any(|(name, arguments)| name == "COPY" && *arguments == expected);
        mismatches
            .check(is_copied, || format!("Dockerfile: {embedded} is embedded but not copied"));
    }
    mismatches.check(auditable_builds == 2, || {
        "Dockerfile: the binary does not embed its dependency list".to_owned()
    });
    // Cargo rejects a manifest that names a missing file, so the Dockerfile creates placeholders.
    for path in files.text("Cargo.toml").lines().filter_map(|line| line.strip_prefix("path = ")) {
        let path = path.trim_matches('"');
        let has_placeholder =
            all.iter().any(|(name, arguments)| name == "RUN" && arguments.contains(path));
        mismatches.check(has_placeholder, || {
            format!("Dockerfile: {path} of Cargo.toml has no placeholder")
        });
    }
    for bench in files.text("Cargo.toml").split("[[bench]]\nname = \"").skip(1) {
        let path = format!("benches/{}.rs", bench.split('"').next().unwrap_or_default());
        let has_placeholder =
            all.iter().any(|(name, arguments)| name == "RUN" && arguments.contains(&path));
        mismatches.check(has_placeholder, || {
            format!("Dockerfile: {path} of Cargo.toml has no placeholder")
        });
    }
}

/// Checks the stage that becomes the image.
fn check_final_stage(
    stage: &[Instruction],
    files: &Files,
    program: &Program,
    mismatches: &mut Mismatches,
) -> Image {
    let environment = parse_assignments(arguments_of(stage, "ENV").unwrap_or_default());
    super::check_variables("Dockerfile", &environment, program, mismatches);
    let [public_port, admin_port] = ["TENANTRY_BIND", "TENANTRY_ADMIN_BIND"]
        .map(|variable| environment.get(variable).map_or(0, |bind| port_of(bind)));
    let exposed = arguments_of(stage, "EXPOSE").unwrap_or_default();
    mismatches.check(exposed == format!("{public_port} {admin_port}"), || {
        format!("Dockerfile: EXPOSE {exposed}, but the program listens on {public_port} and {admin_port}")
    });
    let user =
        arguments_of(stage, "USER").unwrap_or_default().split(':').next().unwrap_or_default();
    let is_number = user.parse::<u32>().is_ok_and(|number| number > 0);
    mismatches.check(is_number, || {
        format!("Dockerfile: USER {user} is not the number of a non-root user")
    });
    let binary = parse_command(arguments_of(stage, "ENTRYPOINT")).join(" ");
    let is_copied =
        stage.iter().any(|(name, arguments)| name == "COPY" && arguments.starts_with("--from="));
    let is_built =
        files.text("Dockerfile").contains(&format!("target/release/tenantry {binary}\n"));
    mismatches
        .check(is_copied && is_built, || format!("Dockerfile: no binary is copied to {binary:?}"));
    let health_check = parse_command(
        arguments_of(stage, "HEALTHCHECK").map(|arguments| after_options(arguments, "CMD ")),
    );
    let is_health = health_check == [binary.as_str(), "health"] && program.has_command("health");
    mismatches.check(is_health, || format!("Dockerfile: HEALTHCHECK runs {health_check:?}"));
    let start_command = parse_command(arguments_of(stage, "CMD"));
    let is_known = matches!(&start_command[..], [only] if program.has_command(only));
    mismatches.check(is_known, || format!("Dockerfile: CMD {start_command:?} is not a command"));
    let signal = arguments_of(stage, "STOPSIGNAL").unwrap_or_default();
    mismatches.check(signal == "SIGTERM", || format!("Dockerfile: STOPSIGNAL {signal:?}"));
    let version = manifest_field(files, "version");
    let has_version =
        stage.iter().any(|(n, arguments)| n == "ARG" && *arguments == format!("VERSION={version}"));
    mismatches.check(has_version, || format!("Dockerfile: ARG VERSION is not {version}"));
    Image { binary, user: user.to_owned(), public_port, admin_port, version }
}

/// Returns the directories outside `src` whose files the program embeds.
fn embedded_directories() -> Vec<String> {
    let text = include_str!("../../../src/http/playground/file.rs");
    let after = text.split("env!(\"CARGO_MANIFEST_DIR\"),").skip(1);
    let directories: Vec<String> = after
        .filter_map(|rest| rest.split('"').nth(1))
        .map(|directory| directory.trim_matches('/').to_owned())
        .collect();
    assert!(!directories.is_empty(), "no embedded directory in src/http/playground/file.rs");
    directories
}

/// Returns the first field with this name in Cargo.toml.
fn manifest_field(files: &Files, name: &str) -> String {
    let start = format!("{name} = \"");
    let line = files.text("Cargo.toml").lines().find_map(|line| line.strip_prefix(&start));
    line.expect("a field of the manifest").trim_end_matches('"').to_owned()
}
