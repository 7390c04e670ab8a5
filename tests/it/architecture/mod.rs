//! Checks the structure of the program: the layer table, crates in their modules, import cycles.
//!
//! A single crate gets no help from the compiler with any of this. `imports.rs` reads the source.

mod cycles;
mod imports;
mod source;

use std::{collections::BTreeSet, fs};

use source::{SourceFile, program, project_file};

/// Each module, and the other modules of this crate that it may import.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("policy", &["domain"]),
    ("clock", &["domain"]),
    ("metrics", &[]),
    ("trace", &[]),
    ("store", &["domain", "metrics", "trace"]),
    ("auth", &["domain", "clock", "metrics", "trace"]),
    ("access", &["auth", "policy", "store", "domain", "clock", "metrics"]),
    ("graphql", &["access", "policy", "domain", "metrics"]),
    ("http", &["graphql", "access", "auth", "mail", "seed", "domain", "clock", "metrics", "trace"]),
    ("config", &["domain"]),
    ("mail", &["config", "domain"]),
    ("outbox", &["store", "domain", "clock", "metrics"]),
    ("telemetry", &["config", "trace"]),
    ("seed", &["clock", "config", "domain", "store"]),
    ("transfer", &["domain", "store"]),
    ("cli", &["app", "config", "graphql", "telemetry"]),
];

/// Modules that may import every other module.
const UNRESTRICTED: &[&str] = &["app", "lib", "main"];

/// Crates that only these files or folders may name.
const CRATES: &[(&str, &[&str])] = &[
    ("mongodb::", &["store/mongo"]),
    ("rusqlite::", &["store/sqlite"]),
    ("axum::", &["http", "app"]),
    ("hyper::", &["http"]),
    ("tower_http::", &["http"]),
    ("async_graphql::", &["graphql", "http/graphql/websocket"]),
    ("async_graphql_axum::", &["http/graphql/websocket"]),
    (
        "apollo_compiler::",
        &["graphql/validation", "graphql/introspection", "graphql/limits/schema_index.rs"],
    ),
    ("reqwest::", &["auth"]),
    ("lettre::", &["mail"]),
    ("prometheus::", &["metrics"]),
    ("rustix::", &["app"]),
    ("opentelemetry", &["trace.rs", "telemetry.rs"]),
    ("std::env::", &["cli.rs"]),
];

#[test]
fn modules_import_only_lower_layers() {
    let mut violations = Vec::new();
    for SourceFile { path, code } in program() {
        let module = source::top_module(&path);
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            assert!(UNRESTRICTED.contains(&module), "{path} is in no module of the table");
            continue;
        };
        for imported in source::imported_modules(&code) {
            if imported != module && !allowed.contains(&imported.as_str()) {
                violations.push(format!("{path} imports crate::{imported}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn architecture_document_has_the_same_layers() {
    let text = fs::read_to_string(project_file("docs/ARCHITECTURE.md")).expect("the document");
    let (_, table) = text.split_once("<!-- layers begins -->").expect("the table's begin");
    let (table, _) = table.split_once("<!-- layers ends -->").expect("the table's end");
    let printed: Vec<String> = LAYERS
        .iter()
        .map(|(module, allowed)| {
            let allowed: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
            let allowed = if allowed.is_empty() { "–".to_owned() } else { allowed.join(", ") };
            format!("| `{module}` | {allowed} |")
        })
        .collect();
    let documented: Vec<&str> = table.trim().lines().skip(2).collect();
    assert_eq!(documented, printed);
}

#[test]
fn crates_are_named_only_in_their_modules() {
    let mut violations = Vec::new();
    for SourceFile { path, code } in program() {
        for (name, modules) in CRATES {
            if code.contains(name) && !modules.iter().any(|module| path.starts_with(module)) {
                violations.push(format!("{path} names {name}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn program_never_panics_on_purpose() {
    let mut violations = Vec::new();
    for SourceFile { path, code } in program() {
        for call in [".unwrap()", ".expect(", "todo!(", "unimplemented!("] {
            if code.contains(call) {
                violations.push(format!("{path} has {call}"));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn files_have_no_import_cycles() {
    let graph = imports::graph(&program());
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 200, "imports are missed");
    let cycles = cycles::find(&graph);
    assert!(cycles.is_empty(), "{} import cycles:\n{}", cycles.len(), cycles.join("\n"));
}
