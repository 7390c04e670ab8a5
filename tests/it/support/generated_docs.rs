//! Compares generated blocks of documents with the code that generates them, or writes them.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// The lock on all documents, because several tests write blocks of the same document.
static DOCUMENTS: Mutex<()> = Mutex::new(());

/// Compares the block of a document between two markers with the expected text. If `INSTA_UPDATE`
/// is `always`, writes the expected text instead.
#[track_caller]
pub(crate) fn assert_block(file: &str, name: &str, printed: &str) {
    let begin = format!("<!-- {name} begins: `make snapshot` writes it -->\n");
    let end = format!("<!-- {name} ends -->\n");
    let _lock = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).expect("the document");
    let parts = text.split_once(&begin).and_then(|(before, rest)| {
        let (block, after) = rest.split_once(&end)?;
        Some((before, block, after))
    });
    let (before, block, after) =
        parts.unwrap_or_else(|| panic!("{file} has no markers of the block {name:?}"));
    #[expect(clippy::disallowed_methods, reason = "tests have no command line of their own")]
    let update = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    if block != printed && update {
        let text = format!("{before}{begin}{printed}{end}{after}");
        std::fs::write(&path, text).expect("written");
    } else if block != printed {
        let diff = similar::TextDiff::from_lines(block, printed);
        let diff = diff.unified_diff().header(file, "generated").to_string();
        panic!("the block {name:?} of {file} is out of date; run `make snapshot`\n{diff}");
    }
}

/// Formats a Markdown table with aligned columns. The first line is its head.
pub(crate) fn markdown_table(lines: &[Vec<String>]) -> String {
    let columns = lines[0].len();
    let length = |text: &String| text.chars().count();
    let width = |n: usize| lines.iter().map(|line| length(&line[n])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for (n, line) in lines.iter().enumerate() {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        writeln!(table, "| {} |", cells.join(" | ")).expect("writing to a string never fails");
        if n == 0 {
            let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
            writeln!(table, "| {} |", rules.join(" | ")).expect("writing to a string never fails");
        }
    }
    table
}
