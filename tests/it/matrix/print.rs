//! The table as it is printed in `docs/AUTHORIZATION.md`.

use std::{fmt::Write as _, path::Path};

use super::table::{self, Caller, NOBODY, Outcome, Row, Section};

const FILE: &str = "docs/AUTHORIZATION.md";
const BEGINS: &str = "<!-- the matrix begins: `make snapshot` writes it -->\n";
const ENDS: &str = "<!-- the matrix ends -->\n";

/// A table in Markdown, its columns aligned.
fn lay_out(lines: &[Vec<String>]) -> String {
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

fn head(callers: &[Caller]) -> Vec<String> {
    std::iter::once(String::new()).chain(callers.iter().map(|c| c.title().to_owned())).collect()
}

fn line(what: &str, outcomes: &[Outcome]) -> Vec<String> {
    let words = outcomes.iter().map(|outcome| outcome.word().to_owned());
    std::iter::once(what.to_owned()).chain(words).collect()
}

/// The first table has those who are no actors, for whom nearly all rows are alike; the others have
/// the rest.
fn printed() -> String {
    let sections = table::sections();
    let (nobody, actors) = Caller::ALL.split_at(NOBODY.len());
    let differs = |row: &&Row| row.expected[..NOBODY.len()] != NOBODY;
    let mut lines = vec![head(nobody)];
    for row in sections.iter().flat_map(|section| &section.rows).filter(differs) {
        lines.push(line(row.what, &row.expected[..NOBODY.len()]));
    }
    lines.push(line("everything else", &NOBODY));
    let mut text = format!("\n### Before anybody is an actor\n\n{}", lay_out(&lines));
    for Section { title, rows } in sections {
        let mut lines = vec![head(actors)];
        lines.extend(rows.iter().map(|row| line(row.what, &row.expected[NOBODY.len()..])));
        write!(text, "\n### {title}\n\n{}", lay_out(&lines)).expect("a string takes everything");
    }
    text.push('\n');
    text
}

#[test]
fn the_printed_table_is_this_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let file = std::fs::read_to_string(&path).expect(FILE);
    let (before, rest) = file.split_once(BEGINS).expect("the mark where the matrix begins");
    let (matrix, after) = rest.split_once(ENDS).expect("the mark where the matrix ends");
    let printed = printed();
    #[expect(clippy::disallowed_methods, reason = "tests have no command line of their own")]
    let write_anew = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    if write_anew && matrix != printed {
        let file = format!("{before}{BEGINS}{printed}{ENDS}{after}");
        std::fs::write(&path, file).expect(FILE);
        return;
    }
    if matrix != printed {
        let diff = similar::TextDiff::from_lines(matrix, printed.as_str());
        let diff = diff.unified_diff().header(FILE, "tests/it/matrix/table.rs").to_string();
        panic!("{FILE} has another matrix than the tests. `make snapshot` writes it anew.\n{diff}");
    }
}

#[test]
fn no_two_rows_of_a_section_are_called_the_same() {
    for Section { title, rows } in table::sections() {
        let mut names: Vec<_> = rows.iter().map(|row| row.what).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{title}");
    }
}
