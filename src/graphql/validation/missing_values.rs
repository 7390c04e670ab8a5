//! Finds arguments and input fields without a value.
//!
//! The parser of `apollo-compiler` 1.33 accepts `a(b)` and `{c}` in arguments and drops the name. By
//! the grammar of the GraphQL specification, sections 2.6 and 2.9.8, a colon and a value must follow.

use crate::graphql::limits::Tokens;

/// An open bracket in parentheses.
enum Bracket {
    /// Arguments or an object. `at_name` is `true` if the name of the next entry follows.
    Named { at_name: bool },
    /// A list or variable definitions.
    Other,
}

/// Returns the offset of the first name without a value in a document that the parser accepts.
pub(super) fn find(document: &str) -> Option<usize> {
    let mut iterator = Tokens::new(document);
    let mut tokens = Vec::new();
    while let Some(token) = iterator.next() {
        tokens.push((document.len() - iterator.rest().len() - token.len(), token));
    }
    let mut open: Vec<Bracket> = Vec::new();
    for (index, (offset, token)) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).map_or("", |(_, token)| token);
        match (*token, open.last_mut()) {
            ("(", _) if next == "$" => open.push(Bracket::Other),
            ("(", _) | ("{", Some(_)) => open.push(Bracket::Named { at_name: true }),
            ("[", Some(_)) => open.push(Bracket::Other),
            (")" | "]" | "}", Some(_)) => {
                open.pop();
                if let Some(Bracket::Named { at_name }) = open.last_mut() {
                    *at_name = true;
                }
            }
            (_, Some(Bracket::Named { at_name })) if *at_name => {
                if next != ":" {
                    return Some(*offset);
                }
                *at_name = false;
            }
            (":" | "$", _) | (_, Some(Bracket::Other) | None) => {}
            (_, Some(Bracket::Named { at_name })) => *at_name = true,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_value_are_found() {
        for document in [
            "{ a { b c } }",
            "query Q($a: [Int!]! = [1], $b: T = {c: {d: [{e: 1}], f: E}} @x(y: 1), $c: B) { a }",
            "{ a(b: $c, d: \"(e\", f: [G, {h: $i j: {}}]) @k(l: M) { n(o: 1) } }",
        ] {
            assert_eq!(find(document), None, "{document}");
        }
        for (document, name) in [
            ("{ a(b) }", "b)"),
            ("{ a(b: 1, c) }", "c)"),
            ("{ a(b: $x c d: 1) }", "c d"),
            ("{ a(b: [{c: 1 d}]) }", "d}"),
            ("{ a(b: {c: {} d, e: 1}) }", "d,"),
            ("query($a: T = {b}) { a }", "b}"),
            ("query($a: T @b(c)) { a }", "c)"),
            ("{ a @b(c) }", "c)"),
        ] {
            assert_eq!(find(document), document.find(name), "{document}");
        }
    }
}
