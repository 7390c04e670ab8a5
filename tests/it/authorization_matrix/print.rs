//! The table as it is printed in `docs/AUTHORIZATION.md`.

use std::fmt::Write as _;

use super::table::{self, Caller, NOBODY, Outcome, Row, Section};
use crate::support::generated_docs;

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
    let mut text = format!("\n### Before anybody is an actor\n\n{}", generated_docs::table(&lines));
    for Section { title, rows } in sections {
        let mut lines = vec![head(actors)];
        lines.extend(rows.iter().map(|row| line(row.what, &row.expected[NOBODY.len()..])));
        write!(text, "\n### {title}\n\n{}", generated_docs::table(&lines))
            .expect("a string takes everything");
    }
    text.push('\n');
    text
}

#[test]
fn the_printed_table_is_this_one() {
    generated_docs::holds("docs/AUTHORIZATION.md", "the matrix", &printed());
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
