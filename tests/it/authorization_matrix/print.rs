//! Renders the table as it is printed in `docs/AUTHORIZATION.md`, and checks the printed copy.

use std::fmt::Write as _;

use super::table::{self, Caller, Outcome, Row, Section, WITHOUT_VIEWER};
use crate::support::generated_docs;

fn header_cells(callers: &[Caller]) -> Vec<String> {
    std::iter::once(String::new()).chain(callers.iter().map(|c| c.title().to_owned())).collect()
}

fn row_cells(title: &str, outcomes: &[Outcome]) -> Vec<String> {
    let cells = outcomes.iter().map(|outcome| outcome.as_str().to_owned());
    std::iter::once(title.to_owned()).chain(cells).collect()
}

/// Returns the whole matrix as Markdown.
///
/// The first table has the callers without an enabled user, because nearly all of their rows are
/// equal. The other tables have the remaining callers.
fn render() -> String {
    let sections = table::sections();
    let (without_viewer, viewers) = Caller::ALL.split_at(WITHOUT_VIEWER.len());
    let differs = |row: &&Row| row.expected[..WITHOUT_VIEWER.len()] != WITHOUT_VIEWER;
    let mut lines = vec![header_cells(without_viewer)];
    for row in sections.iter().flat_map(|section| &section.rows).filter(differs) {
        lines.push(row_cells(row.title, &row.expected[..WITHOUT_VIEWER.len()]));
    }
    lines.push(row_cells("everything else", &WITHOUT_VIEWER));
    let mut text = format!(
        "\n### Callers without an enabled user\n\n{}",
        generated_docs::markdown_table(&lines)
    );
    for Section { title, rows } in sections {
        let mut lines = vec![header_cells(viewers)];
        lines.extend(
            rows.iter().map(|row| row_cells(row.title, &row.expected[WITHOUT_VIEWER.len()..])),
        );
        write!(text, "\n### {title}\n\n{}", generated_docs::markdown_table(&lines))
            .expect("writing to a string succeeds");
    }
    text.push('\n');
    text
}

#[test]
fn documented_matrix_matches_the_table() {
    generated_docs::assert_block("docs/AUTHORIZATION.md", "the matrix", &render());
}

#[test]
fn row_titles_are_unique_within_a_section() {
    for Section { title, rows } in table::sections() {
        let mut titles: Vec<_> = rows.iter().map(|row| row.title).collect();
        titles.sort_unstable();
        let row_count = titles.len();
        titles.dedup();
        assert_eq!(titles.len(), row_count, "{title}");
    }
}
