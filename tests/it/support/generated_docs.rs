//! Parts of documents that are printed from what they are about, and compared with it.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Several tests have a part of one document each.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Compares what stands in a document between two marks with what belongs there; where snapshots
/// are to be written anew, writes it.
#[track_caller]
pub(crate) fn holds(file: &str, name: &str, printed: &str) {
    let begins = format!("<!-- {name} begins: `make snapshot` writes it -->\n");
    let ends = format!("<!-- {name} ends -->\n");
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).expect("the document");
    let marks = text.split_once(&begins).and_then(|(before, rest)| {
        let (held, after) = rest.split_once(&ends)?;
        Some((before, held, after))
    });
    let (before, held, after) = marks.unwrap_or_else(|| panic!("{file} has no marks of {name:?}"));
    #[expect(clippy::disallowed_methods, reason = "tests have no command line of their own")]
    let write_anew = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    if held != printed && write_anew {
        let text = format!("{before}{begins}{printed}{ends}{after}");
        std::fs::write(&path, text).expect("written");
    } else if held != printed {
        let diff = similar::TextDiff::from_lines(held, printed);
        let diff = diff.unified_diff().header(file, "what it is about").to_string();
        panic!("{file} says something else of {name:?}. `make snapshot` writes it anew.\n{diff}");
    }
}

/// A table in Markdown, its columns aligned; the first line is its head.
pub(crate) fn table(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let length = |text: &String| text.chars().count();
    let width = |n: usize| lines.iter().map(|line| length(&line[n])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for (n, line) in lines.iter().enumerate() {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        writeln!(table, "| {} |", cells.join(" | ")).expect("a string takes everything");
        if n == 0 {
            let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
            writeln!(table, "| {} |", rules.join(" | ")).expect("a string takes everything");
        }
    }
    table
}
