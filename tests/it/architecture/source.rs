//! Reads the program's source files and the modules that their text names.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of the program.
pub(super) struct SourceFile {
    /// The path below `src`, with `/`.
    pub(super) path: String,
    /// The text without comment lines and without the tests at the end.
    pub(super) code: String,
}

/// Returns the path of a file of the project.
pub(super) fn project_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Reads every file of the program.
pub(super) fn program() -> Vec<SourceFile> {
    let root = project_file("src");
    let mut paths = Vec::new();
    collect_files(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 40, "the program has moved");
    // These files are tests inside `src`, because they need private parts of their store.
    const TESTS: [&str; 3] = ["query_plan_tests.rs", "conversion_tests.rs", "reader_tests.rs"];
    let is_test = |path: &&PathBuf| TESTS.iter().any(|test| path.ends_with(test));
    let paths = paths.iter().filter(|path| !is_test(path));
    paths.map(|path| read_file(path, &root)).collect()
}

fn collect_files(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_files(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn read_file(path: &Path, root: &Path) -> SourceFile {
    let text = fs::read_to_string(path).expect("text");
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let path = path.strip_prefix(root).expect("a path below src");
    SourceFile {
        path: path.to_string_lossy().replace('\\', "/"),
        code: code.collect::<Vec<_>>().join("\n"),
    }
}

/// Returns the first segment of a path below `src`: the name of its top-level module.
pub(super) fn top_module(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// Returns the top-level modules that follow `crate::`, alone or in braces.
///
/// This reads text and not syntax, so that it also sees paths inside macro calls.
pub(super) fn imported_modules(code: &str) -> Vec<String> {
    let identifier = |text: &str| -> String {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            modules.push(identifier(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_start = true;
        for (offset, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_start = true,
                c if at_start && c.is_alphabetic() => {
                    modules.push(identifier(&group[offset..]));
                    at_start = false;
                }
                _ => {}
            }
        }
    }
    modules
}

#[test]
fn imported_modules_are_found_in_paths_and_groups() {
    let code = "use crate::{\n    a::{B, c},\n    d,\n};\nuse crate::e::F; x(crate::g::h())";
    assert_eq!(imported_modules(code), ["a", "d", "e", "g"]);
}
