//! The Dockerfile against the program, the manifest and what the build is given.

use std::collections::BTreeMap;

use super::{Faults, files::Files, port_of, program::Program};

/// What others have to agree with.
pub(super) struct Image {
    /// What runs, such as `/usr/local/bin/tenantry`.
    pub(super) binary: String,
    /// The user's number.
    pub(super) user: String,
    /// Where GraphQL is.
    pub(super) public_port: u16,
    /// Where health and metrics are.
    pub(super) admin_port: u16,
    /// The program's version.
    pub(super) version: String,
}

/// An instruction: its name, and the rest.
type Instruction = (String, String);

fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let lines = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    let split = |line: &str| {
        let (name, rest) = line.split_once(' ').expect("an instruction and its words");
        (name.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    lines.map(split).collect()
}

/// `a=b c=d`, without quotes around values.
fn assignments(words: &str) -> BTreeMap<String, String> {
    let pairs = words.split(' ').filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

fn words_of<'a>(stage: &'a [Instruction], name: &str) -> Option<&'a str> {
    stage.iter().rev().find(|(found, _)| found == name).map(|(_, words)| words.as_str())
}

fn command(words: Option<&str>) -> Vec<String> {
    serde_json::from_str(words.unwrap_or_default().trim_start_matches("CMD ")).unwrap_or_default()
}

/// The words after a name, with options before them.
fn after_options<'a>(words: &'a str, name: &str) -> &'a str {
    words.find(name).map_or("", |place| &words[place..])
}

pub(super) fn look(files: &Files, program: &Program, faults: &mut Faults) -> Image {
    let all = instructions(files.text("Dockerfile"));
    bases(&all, files, faults);
    building(&all, files, faults);
    let last = all.iter().rposition(|(name, _)| name == "FROM").expect("a stage");
    running(&all[last..], files, program, faults)
}

fn bases(all: &[Instruction], files: &Files, faults: &mut Faults) {
    let arguments: BTreeMap<_, _> =
        all.iter().filter(|(n, _)| n == "ARG").flat_map(|(_, words)| assignments(words)).collect();
    let mut pinned = Vec::new();
    for (_, words) in all.iter().filter(|(name, _)| name == "FROM") {
        let base = words.split(' ').next().unwrap_or_default();
        let argument = base.trim_start_matches("${").trim_end_matches('}');
        let base = arguments.get(argument).map_or(base, String::as_str);
        if base != "scratch" {
            faults.unless(super::is_pinned(base), || format!("Dockerfile: {base} is not pinned"));
            pinned.push(base);
        }
    }
    let wanted = manifest(files, "rust-version");
    let rust = pinned.iter().any(|base| base.contains(&format!("/rust:{wanted}.")));
    faults.unless(rust, || format!("Dockerfile: no stage has Rust {wanted}, as Cargo.toml asks"));
}

fn building(all: &[Instruction], files: &Files, faults: &mut Faults) {
    let ignored = files.text(".dockerignore");
    let mut audited = 0;
    for (name, words) in all {
        for cargo in words.split("&&").filter(|step| step.trim().starts_with("cargo ")) {
            let locked = cargo.contains(" --locked ");
            faults.unless(locked, || format!("Dockerfile: not --locked: {cargo}"));
            audited += usize::from(cargo.contains("cargo auditable build"));
        }
        if name == "COPY" && !words.starts_with("--from=") {
            let sources = words.split(' ').rev().skip(1);
            for source in sources {
                let kept = ignored.lines().any(|line| line == format!("!{source}"));
                faults.unless(kept && super::root().join(source).exists(), || {
                    format!("Dockerfile: {source} does not reach the build")
                });
            }
        }
    }
    for embedded in embedded() {
        let words = format!("{embedded} {embedded}");
        let copied = all.iter().any(|(name, held)| name == "COPY" && *held == words);
        faults.unless(copied, || format!("Dockerfile: {embedded} is embedded and not there"));
    }
    faults.unless(audited == 2, || "Dockerfile: the program has no list of its crates".to_owned());
    // Cargo reads no manifest that names a file that is not there.
    for path in files.text("Cargo.toml").lines().filter_map(|line| line.strip_prefix("path = ")) {
        let path = path.trim_matches('"');
        let made = all.iter().any(|(name, words)| name == "RUN" && words.contains(path));
        faults.unless(made, || format!("Dockerfile: {path} of Cargo.toml has no stand-in"));
    }
    for bench in files.text("Cargo.toml").split("[[bench]]\nname = \"").skip(1) {
        let path = format!("benches/{}.rs", bench.split('"').next().unwrap_or_default());
        let made = all.iter().any(|(name, words)| name == "RUN" && words.contains(&path));
        faults.unless(made, || format!("Dockerfile: {path} of Cargo.toml has no stand-in"));
    }
}

fn running(stage: &[Instruction], files: &Files, program: &Program, faults: &mut Faults) -> Image {
    let environment = assignments(words_of(stage, "ENV").unwrap_or_default());
    super::are_options("Dockerfile", &environment, program, faults);
    let [public_port, admin_port] = ["TENANTRY_BIND", "TENANTRY_ADMIN_BIND"]
        .map(|variable| environment.get(variable).map_or(0, |bind| port_of(bind)));
    let exposed = words_of(stage, "EXPOSE").unwrap_or_default();
    faults.unless(exposed == format!("{public_port} {admin_port}"), || {
        format!("Dockerfile: EXPOSE {exposed}, and the program listens on {public_port} and {admin_port}")
    });
    let user = words_of(stage, "USER").unwrap_or_default().split(':').next().unwrap_or_default();
    let is_number = user.parse::<u32>().is_ok_and(|number| number > 0);
    faults.unless(is_number, || format!("Dockerfile: USER {user} is not the number of somebody"));
    let binary = command(words_of(stage, "ENTRYPOINT")).join(" ");
    let copied = stage.iter().any(|(name, words)| name == "COPY" && words.starts_with("--from="));
    let built = files.text("Dockerfile").contains(&format!("target/release/tenantry {binary}\n"));
    faults.unless(copied && built, || format!("Dockerfile: nothing is at {binary:?}"));
    let check = command(words_of(stage, "HEALTHCHECK").map(|words| after_options(words, "CMD ")));
    let is_health = check == [binary.as_str(), "health"] && program.has_command("health");
    faults.unless(is_health, || format!("Dockerfile: HEALTHCHECK runs {check:?}"));
    let started = command(words_of(stage, "CMD"));
    let starts = matches!(&started[..], [only] if program.has_command(only));
    faults.unless(starts, || format!("Dockerfile: CMD {started:?} is no command"));
    let signal = words_of(stage, "STOPSIGNAL").unwrap_or_default();
    faults.unless(signal == "SIGTERM", || format!("Dockerfile: STOPSIGNAL {signal:?}"));
    let version = manifest(files, "version");
    let argument =
        stage.iter().any(|(n, words)| n == "ARG" && *words == format!("VERSION={version}"));
    faults.unless(argument, || format!("Dockerfile: its VERSION is not {version}"));
    Image { binary, user: user.to_owned(), public_port, admin_port, version }
}

/// The folders outside of `src` whose files the program embeds.
fn embedded() -> Vec<String> {
    let text = include_str!("../../../src/http/playground/file.rs");
    let after = text.split("env!(\"CARGO_MANIFEST_DIR\"),").skip(1);
    let folders: Vec<String> = after
        .filter_map(|rest| rest.split('"').nth(1))
        .map(|folder| folder.trim_matches('/').to_owned())
        .collect();
    assert!(!folders.is_empty(), "the playground is embedded in another way");
    folders
}

/// The first field of that name in Cargo.toml.
fn manifest(files: &Files, name: &str) -> String {
    let start = format!("{name} = \"");
    let line = files.text("Cargo.toml").lines().find_map(|line| line.strip_prefix(&start));
    line.expect("a field of the manifest").trim_end_matches('"').to_owned()
}
