//! Formats SDL (the schema definition language) like `printSchema` of graphql-js.
//!
//! The options of `async-graphql` cover the indentation only. `printSchema` also separates
//! described fields by blank lines, puts short descriptions on one line, prints directive definitions
//! first, and omits definitions that every schema has. One thing differs: `printSchema` omits the
//! directives on fields, and this format keeps them. `tests/clients/schema.test.mjs` compares the
//! result with graphql-js itself.

use std::str::Lines;

const BLOCK_QUOTE: &str = r#"""""#;

/// The directives of the specification (section 3.13).
const SPECIFIED_DIRECTIVES: [&str; 5] = ["deprecated", "include", "oneOf", "skip", "specifiedBy"];

/// The longest description on one line, in UTF-16 code units as JavaScript counts them.
const MAX_SINGLE_LINE: usize = 70;

/// Returns the SDL of `async-graphql` in the format of `printSchema`.
///
/// The SDL must be indented by spaces, and the root types must have their default names:
/// `printSchema` omits the `schema` definition then. It also omits the directive definitions of the
/// specification.
pub(super) fn to_print_schema_format(sdl: &str) -> String {
    let mut directives = String::new();
    let mut printed = String::with_capacity(sdl.len());
    let mut lines = sdl.lines();
    // `printSchema` separates described members by blank lines, so the first one has none before
    // it.
    let mut is_first = true;
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let description =
            (line.trim_start() == BLOCK_QUOTE).then(|| description(indent, &mut lines));
        let line = if description.is_some() { lines.next().unwrap_or_default() } else { line };
        if let Some(definition) = line.strip_prefix("directive @") {
            let name = definition.split(['(', ' ']).next().unwrap_or_default();
            if !SPECIFIED_DIRECTIVES.contains(&name) {
                directives += &format!("{}{line}\n\n", description.unwrap_or_default());
            }
            continue;
        }
        if line == "schema {" {
            break;
        }
        if let Some(description) = description {
            if !indent.is_empty() && !is_first {
                printed.push('\n');
            }
            printed.push_str(&description);
        }
        // Arguments on lines of their own need no commas.
        printed.push_str(line.strip_suffix(',').unwrap_or(line));
        printed.push('\n');
        is_first = line.ends_with(['{', '(']);
    }
    printed.truncate(printed.trim_end().len());
    printed.push('\n');
    directives + &printed
}

/// Reads the rest of a description, up to and including its closing quotes, and returns it
/// formatted.
fn description(indent: &str, lines: &mut Lines<'_>) -> String {
    let text: Vec<&str> = lines
        .by_ref()
        .take_while(|line| line.trim_start() != BLOCK_QUOTE)
        .map(|line| line.strip_prefix(indent).unwrap_or(line))
        .collect();
    match text[..] {
        [line] if fits_on_one_line(line) => format!("{indent}{BLOCK_QUOTE}{line}{BLOCK_QUOTE}\n"),
        _ => {
            let text = text.join(&format!("\n{indent}"));
            format!("{indent}{BLOCK_QUOTE}\n{indent}{text}\n{indent}{BLOCK_QUOTE}\n")
        }
    }
}

/// Returns `true` if `printSchema` puts a description that consists of this line on one line. A
/// quote or a backslash at its end could be mistaken for a part of the closing quotes.
fn fits_on_one_line(line: &str) -> bool {
    line.encode_utf16().count() <= MAX_SINGLE_LINE && !line.ends_with(['"', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_has_the_format_of_print_schema() {
        let async_graphql_sdl = r#""""
The root.
"""
type Query {
  """
  The first field.
  """
  first: Int! @guard(requires: SELF)
  """
  A page.
  It has two lines.
  """
  page(
    """
    The size.
    """
    size: Int = 20,
    """
    The cursor.
    """
    after: String
  ): [Int]
}

"""
A timestamp.
"""
scalar DateTime @specifiedBy(url: "https://scalars.example/date-time")

enum Plan {
  FREE
  """
  The paid plan.
  """
  PAID
}

"""
Skips a field.
"""
directive @skip(if: Boolean!) on FIELD
"""
Guards a field.
"""
directive @guard(requires: Requirement!) on FIELD_DEFINITION
directive @specifiedBy(url: String!) on SCALAR
schema {
  query: Query
}
"#;
        let expected = r#""""Guards a field."""
directive @guard(requires: Requirement!) on FIELD_DEFINITION

"""The root."""
type Query {
  """The first field."""
  first: Int! @guard(requires: SELF)

  """
  A page.
  It has two lines.
  """
  page(
    """The size."""
    size: Int = 20

    """The cursor."""
    after: String
  ): [Int]
}

"""A timestamp."""
scalar DateTime @specifiedBy(url: "https://scalars.example/date-time")

enum Plan {
  FREE

  """The paid plan."""
  PAID
}
"#;
        assert_eq!(to_print_schema_format(async_graphql_sdl), expected);
    }

    #[test]
    fn long_description_gets_lines_of_its_own() {
        let scalar = |description: &str| format!("\"\"\"\n{description}\n\"\"\"\nscalar A\n");
        let inline = |description: &str| format!("\"\"\"{description}\"\"\"\nscalar A\n");
        // JavaScript counts a character outside of the Basic Multilingual Plane twice.
        for short in ["x".repeat(70), "€".repeat(70), "😀".repeat(35), "a \"b\" c".to_owned()] {
            assert_eq!(to_print_schema_format(&scalar(&short)), inline(&short));
        }
        for long in ["x".repeat(71), "😀".repeat(36), "a \"b\"".to_owned(), "a\\".to_owned()] {
            assert_eq!(to_print_schema_format(&scalar(&long)), scalar(&long));
        }
    }
}
