//! What `docs/OPERATIONS.md` says of options and metrics, and what the dashboard asks for.

use std::{collections::BTreeSet, path::Path};

use clap::Arg;
use serde_json::Value;
use tenantry::{cli, metrics::CATALOGUE};

use crate::support::generated_docs;

const FILE: &str = "docs/OPERATIONS.md";
const DASHBOARD: &str = "deploy/grafana/tenantry.json";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line(arg: &Arg) -> Vec<String> {
    let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
    let flag = arg.get_long().map(|flag| format!("`--{flag}`"));
    let default = arg.get_default_values().first().map(|held| held.to_string_lossy().into_owned());
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
    vec![
        variable.unwrap_or_default(),
        flag.unwrap_or_default(),
        default.map(|held| format!("`{held}`")).unwrap_or_default(),
        cell(&help.unwrap_or_default()),
    ]
}

/// The options of a command that none of the commands before has.
fn options(known: &mut BTreeSet<String>, command: &clap::Command) -> Vec<Vec<String>> {
    let own = command.get_arguments().filter(|arg| {
        let name = arg.get_long().unwrap_or_default().to_owned();
        !arg.is_hide_set() && name != "help" && known.insert(name)
    });
    own.map(line).collect()
}

fn printed_options() -> String {
    let program = cli::command();
    let mut known = BTreeSet::new();
    let mut text = String::new();
    // `serve` first: it has nearly all of them.
    for name in ["serve", "dev", "seed", "schema", "check", "health"] {
        let command = program.find_subcommand(name).expect("a command");
        let own = options(&mut known, command);
        if own.is_empty() {
            continue;
        }
        let head = ["variable", "flag", "by default", "what"].map(str::to_owned).to_vec();
        let what = if name == "serve" { "Of `serve`, and of the others" } else { "Besides, of" };
        let title = if name == "serve" { what.to_owned() } else { format!("{what} `{name}`") };
        let lines: Vec<_> = std::iter::once(head).chain(own).collect();
        text += &format!("\n{title}:\n\n{}", generated_docs::table(&lines));
    }
    text.push('\n');
    text
}

#[test]
fn the_options_are_those_of_the_command_line() {
    generated_docs::holds(FILE, "options", &printed_options());
}

#[test]
fn every_metric_is_in_the_catalogue_of_the_docs() {
    let head = ["name", "labels", "what"].map(str::to_owned).to_vec();
    let lines = CATALOGUE.iter().map(|family| {
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        vec![format!("`{}`", family.name), labels.join(", "), cell(family.help)]
    });
    let lines: Vec<_> = std::iter::once(head).chain(lines).collect();
    generated_docs::holds(FILE, "metrics", &format!("\n{}\n", generated_docs::table(&lines)));
}

/// Every text of a JSON document that stands under that name.
fn texts<'a>(json: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match json {
        Value::Object(members) => {
            for (member, value) in members {
                match value {
                    Value::String(text) if member == name => found.push(text),
                    value => texts(value, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, name, found)),
        _ => {}
    }
}

/// The names of metrics in an expression, with their labels.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tenantry_")).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DASHBOARD);
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the dashboard")).expect("JSON");
    let mut expressions = Vec::new();
    texts(&json, "expr", &mut expressions);
    let shown: BTreeSet<String> = expressions.iter().flat_map(|e| named(e)).collect();
    let family = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        let base = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        CATALOGUE.iter().find(|family| family.name == name || family.name == base)
    };
    for name in &shown {
        assert!(family(name).is_some(), "the dashboard asks for {name}, which is not counted");
    }
    for counted in CATALOGUE {
        let is_shown =
            shown.iter().any(|name| family(name).is_some_and(|f| f.name == counted.name));
        assert!(is_shown, "the dashboard does not show {}", counted.name);
    }
    // What an expression groups by is a label of what it asks for.
    for expression in expressions {
        let labels: BTreeSet<&str> = named(expression)
            .iter()
            .filter_map(|name| family(name))
            .flat_map(|family| family.labels.iter().copied())
            .chain(["le", "instance", "job"])
            .collect();
        for group in expression.split("by (").skip(1) {
            let group = group.split(')').next().unwrap_or_default();
            for label in group.split(',').map(str::trim) {
                assert!(labels.contains(label), "{expression:?} groups by {label:?}");
            }
        }
    }
}
