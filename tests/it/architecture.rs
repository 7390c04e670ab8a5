//! Imports point down: the table of docs/ARCHITECTURE.md, held by a program, because a single crate
//! gives no help of the compiler with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each room, and what of this crate it may name besides itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("policy", &["domain"]),
    ("clock", &["domain"]),
    ("metrics", &[]),
    ("trace", &[]),
    ("store", &["domain", "metrics", "trace"]),
    ("auth", &["domain", "clock", "metrics", "trace"]),
    ("access", &["auth", "policy", "store", "domain", "clock"]),
    ("graphql", &["access", "policy", "domain", "metrics"]),
    ("http", &["graphql", "access", "auth", "seed", "domain", "clock", "metrics", "trace"]),
    ("config", &["domain"]),
    ("telemetry", &["config", "trace"]),
    ("seed", &["clock", "config", "domain", "store"]),
    ("cli", &["app", "config", "graphql", "telemetry"]),
];

/// Crates that only these files or folders may name.
const CRATES: &[(&str, &[&str])] = &[
    ("mongodb::", &["store/mongo"]),
    ("rusqlite::", &["store/sqlite"]),
    ("axum::", &["http", "app.rs"]),
    ("hyper::", &["http"]),
    ("tower_http::", &["http"]),
    ("async_graphql::", &["graphql"]),
    ("reqwest::", &["auth"]),
    ("prometheus::", &["metrics.rs"]),
    ("opentelemetry", &["trace.rs", "telemetry.rs"]),
    ("std::env::", &["cli.rs"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every file of the program as (path below `src`, text without its tests and comments).
fn program() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 40, "the program has moved");
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("text");
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let below = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
        (below, code.collect::<Vec<_>>().join("\n"))
    };
    // The plans of SQLite's statements are a test that has to see its store's inside.
    found.iter().filter(|path| !path.ends_with("plans.rs")).map(read).collect()
}

fn room_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// What follows `crate::`, alone or in braces.
fn named_rooms(code: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut named = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            named.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_start = true;
        for (place, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_start = true,
                c if at_start && c.is_alphabetic() => {
                    named.push(word(&group[place..]));
                    at_start = false;
                }
                _ => {}
            }
        }
    }
    named
}

#[test]
fn rooms_name_only_what_is_below_them() {
    let mut faults = Vec::new();
    for (path, code) in program() {
        let room = room_of(&path);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            assert!(["app", "lib", "main"].contains(&room), "{path} is in no room of the table");
            continue;
        };
        for named in named_rooms(&code) {
            if named != room && !allowed.contains(&named.as_str()) {
                faults.push(format!("{path} names crate::{named}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn crates_are_named_in_their_rooms_alone() {
    let mut faults = Vec::new();
    for (path, code) in program() {
        for (name, rooms) in CRATES {
            if code.contains(name) && !rooms.iter().any(|room| path.starts_with(room)) {
                faults.push(format!("{path} names {name}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_gives_up_where_it_could_say_why() {
    let mut faults = Vec::new();
    for (path, code) in program() {
        for word in [".unwrap()", ".expect(", "todo!(", "unimplemented!("] {
            if code.contains(word) {
                faults.push(format!("{path} has {word}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_readers_of_imports_reads_them() {
    let code = "use crate::{\n    a::{B, c},\n    d,\n};\nuse crate::e::F; x(crate::g::h())";
    assert_eq!(named_rooms(code), ["a", "d", "e", "g"]);
}
