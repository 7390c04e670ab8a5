//! Removes the descriptions of operations, fragments and variables from a document.
//!
//! The GraphQL specification of September 2025, sections 2.3, 2.8 and 2.10, allows them. The parser of
//! `apollo-compiler` 1.33 does not know them yet. They have no effect on validation and execution.

use std::borrow::Cow;

use apollo_compiler::parser::Parser;

use crate::graphql::limits::Tokens;

/// Returns the document with spaces in the place of its descriptions.
///
/// The offsets of all other tokens stay the same, and lines keep their numbers. A string that is no
/// description by the grammar stays, so that the parser rejects it.
pub(super) fn blank(document: &str) -> Cow<'_, str> {
    if !document.contains('"') {
        return Cow::Borrowed(document);
    }
    let mut text = Cow::Borrowed(document);
    let mut brackets = 0_usize;
    let mut previous = "}";
    let mut tokens = Tokens::new(document).peekable();
    let mut rest = Tokens::new(document);
    while let Some(token) = tokens.next() {
        rest.next();
        match token {
            "(" | "[" | "{" => brackets += 1,
            ")" | "]" | "}" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let next = tokens.peek().copied().unwrap_or_default();
        if token.starts_with('"') && describes(brackets, previous, next) && is_string(token) {
            let end = document.len() - rest.rest().len();
            let blank: String = token.bytes().map(blank_byte).collect();
            text.to_mut().replace_range(end - token.len()..end, &blank);
        }
        previous = token;
    }
    text
}

/// Returns whether a string between these tokens is a description.
fn describes(brackets: usize, previous: &str, next: &str) -> bool {
    match brackets {
        // A selection set without a keyword has no description.
        0 => previous == "}" && matches!(next, "query" | "mutation" | "subscription" | "fragment"),
        // The string before another variable can be the value of an argument or a default value.
        1 => next == "$" && !matches!(previous, "=" | ":"),
        _ => false,
    }
}

/// Returns whether a token is a complete string with valid escape sequences.
fn is_string(token: &str) -> bool {
    Parser::new().parse_ast(format!("{{a(b:{token})}}"), "").is_ok()
}

fn blank_byte(byte: u8) -> char {
    match byte {
        b'\n' | b'\r' => char::from(byte),
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_descriptions_become_spaces() {
        for (document, expected) in [
            ("\"a\" query { b }", "    query { b }"),
            ("\"\"\"a\né\"\"\" mutation { b }", "    \n      mutation { b }"),
            ("{ a } \"b\" fragment F on T { c }", "{ a }     fragment F on T { c }"),
            (
                "query Q(\"a\" $b: T = \"c\" \"d\" $e: T) { f }",
                "query Q(    $b: T = \"c\"     $e: T) { f }",
            ),
            (
                "subscription($a: [T] = [\"b\"] \"c\" $d: T) { e }",
                "subscription($a: [T] = [\"b\"]     $d: T) { e }",
            ),
        ] {
            assert_eq!(blank(document), expected);
        }
        for unchanged in [
            "\"a\" { b }",
            "\"a\" \"b\" { c }",
            "{ a } \"b\"",
            "query \"a\" query { b }",
            "\"\\q\" query { a }",
            "\"a query { b }",
            "query Q(\"a\") { b }",
            "query Q($a: T = \"b\" $c: T) { d }",
            "query Q($a: T @b(c: \"d\" $e: 1)) { f }",
            "{ a(b: \"c\" $d: 1) { \"e\" query } }",
        ] {
            assert_eq!(blank(unchanged), unchanged);
        }
        // The first of two strings is not the description of anything.
        assert_eq!(blank("\"a\" \"b\" query { c }"), "\"a\" \"b\" query { c }");
        assert_eq!(blank("query(\"a\" \"b\" $c: T) { d }"), "query(\"a\"     $c: T) { d }");
    }
}
