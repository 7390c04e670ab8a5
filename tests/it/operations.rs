//! The options and metrics in `docs/OPERATIONS.md`, and the metrics in the Grafana dashboard.

use std::{collections::BTreeSet, path::Path};

use clap::Arg;
use serde_json::Value;
use tenantry::{cli, metrics::CATALOGUE};

use crate::support::generated_docs;

const FILE: &str = "docs/OPERATIONS.md";
const DASHBOARD: &str = "deploy/grafana/tenantry.json";

/// Returns the text as one cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the line of an option in the table.
fn line(arg: &Arg) -> Vec<String> {
    let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy()));
    let flag = arg.get_long().map(|flag| format!("`--{flag}`"));
    let default =
        arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string);
    vec![
        variable.unwrap_or_default(),
        flag.unwrap_or_default(),
        default.map(|value| format!("`{value}`")).unwrap_or_default(),
        cell(&help.unwrap_or_default()),
    ]
}

/// Returns the options of a command that no earlier command has.
fn new_options(known: &mut BTreeSet<String>, command: &clap::Command) -> Vec<Vec<String>> {
    let new = command.get_arguments().filter(|arg| {
        let name = arg.get_long().unwrap_or_default().to_owned();
        !arg.is_hide_set() && name != "help" && known.insert(name)
    });
    new.map(line).collect()
}

fn printed_options() -> String {
    let program = cli::command();
    let mut known = BTreeSet::new();
    let mut text = String::new();
    // `serve` comes first, because it has nearly all options.
    for name in ["serve", "dev", "seed", "schema", "check", "migrate", "export", "import", "health"]
    {
        let command = program.find_subcommand(name).expect("a command");
        let options = new_options(&mut known, command);
        if options.is_empty() {
            continue;
        }
        let head = ["variable", "flag", "default", "description"].map(str::to_owned).to_vec();
        let title = match name {
            "serve" => "Options of `serve`, some of them shared with other commands".to_owned(),
            name => format!("Additional options of `{name}`"),
        };
        let lines: Vec<_> = std::iter::once(head).chain(options).collect();
        text += &format!("\n{title}:\n\n{}", generated_docs::markdown_table(&lines));
    }
    text.push('\n');
    text
}

#[test]
fn documented_options_match_the_command_line() {
    generated_docs::assert_block(FILE, "options", &printed_options());
}

#[test]
fn documented_metrics_match_the_catalogue() {
    let head = ["name", "labels", "description"].map(str::to_owned).to_vec();
    let lines = CATALOGUE.iter().map(|family| {
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        vec![format!("`{}`", family.name), labels.join(", "), cell(family.help)]
    });
    let lines: Vec<_> = std::iter::once(head).chain(lines).collect();
    generated_docs::assert_block(
        FILE,
        "metrics",
        &format!("\n{}\n", generated_docs::markdown_table(&lines)),
    );
}

/// Collects every string member with this name, at any depth.
fn collect_strings<'a>(json: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match json {
        Value::Object(members) => {
            for (member, value) in members {
                match value {
                    Value::String(text) if member == name => found.push(text),
                    value => collect_strings(value, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_strings(value, name, found)),
        _ => {}
    }
}

/// Returns the names of the metrics in an expression.
fn metric_names(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tenantry_")).map(str::to_owned).collect()
}

#[test]
fn dashboard_shows_exactly_the_metrics_of_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DASHBOARD);
    let json: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the dashboard")).expect("JSON");
    let mut expressions = Vec::new();
    collect_strings(&json, "expr", &mut expressions);
    let shown: BTreeSet<String> = expressions.iter().flat_map(|e| metric_names(e)).collect();
    let family = |name: &str| {
        let suffixes = ["_bucket", "_sum", "_count"];
        let base = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
        CATALOGUE.iter().find(|family| family.name == name || family.name == base)
    };
    for name in &shown {
        assert!(
            family(name).is_some(),
            "the dashboard queries {name}, which is not in the catalogue"
        );
    }
    for metric in CATALOGUE {
        let is_shown = shown.iter().any(|name| family(name).is_some_and(|f| f.name == metric.name));
        assert!(is_shown, "the dashboard does not show {}", metric.name);
    }
    // An expression may group only by labels of its metrics.
    for expression in expressions {
        let labels: BTreeSet<&str> = metric_names(expression)
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
