//! The tokens of a document, counted without keeping any: GraphQL, October 2021, section 2.1.

/// What a document's text has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Lexical tokens; what is no token at all counts as one each.
    pub(super) tokens: u64,
    /// Of these, the beginnings of directives.
    pub(super) directives: u64,
    /// The length of the longest name, in bytes.
    pub(super) longest_name: usize,
}

/// Counts in one pass. What is not GraphQL is counted somehow; the parser refuses it.
pub(super) fn count(document: &str) -> Count {
    let mut found = Count::default();
    for token in Tokens(document) {
        found.tokens += 1;
        found.directives += u64::from(token == "@");
        if token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            found.longest_name = found.longest_name.max(token.len());
        }
    }
    found
}

/// The same document with one space between its tokens: what has no meaning is out of it.
pub(super) fn compact(document: &str) -> String {
    let mut text = String::new();
    for token in Tokens(document) {
        text.push_str(token);
        text.push(' ');
    }
    text
}

/// What is left of a document, token by token.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            // White space, line ends, commas, and byte order marks.
            self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
            if !self.0.starts_with('#') {
                break;
            }
            let end = self.0.find(['\n', '\r']).unwrap_or(self.0.len());
            self.0 = &self.0[end..];
        }
        let bytes = self.0.as_bytes();
        let end = match *bytes.first()? {
            b'"' if bytes.starts_with(b"\"\"\"") => block_string(bytes, 3),
            b'"' => string(bytes, 1),
            b'.' if bytes.starts_with(b"...") => 3,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                skip(bytes, 0, |b| b.is_ascii_alphanumeric() || b == b'_')
            }
            b'0'..=b'9' | b'-' => skip(bytes, 1, |b| {
                b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')
            }),
            _ => self.0.chars().next()?.len_utf8(),
        };
        // An escape at the end of a string may have jumped into the middle of a character.
        let end = self.0.ceil_char_boundary(end);
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(token)
    }
}

fn skip(bytes: &[u8], from: usize, while_: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|byte| !while_(*byte)).map_or(bytes.len(), |length| from + length)
}

/// The end of a string that begins there; it cannot go over a line's end.
fn string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of a block string that begins there.
fn block_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_as_the_specification_has_them() {
        for (document, tokens) in [
            ("", 0),
            (" \t\r\n,,, # a comment { with } tokens\n", 0),
            ("\u{feff}{ a }", 3),
            ("{ a: b(c: -1.5e+3, d: \"x y \\\" z\") @skip(if: $e) ...F ... on G { h } }", 29),
            ("\"\"\" a \\\"\"\" b \" \"\" \"\"\" a", 2),
            ("\"\" \"\"\"\"\"\" \"", 3),
            ("\"unterminated\n a", 2),
            ("[1 2 3]|&!=", 9),
            ("....", 2),
            ("\u{1F600}", 1),
            ("query($a:Int=1){a}", 12),
        ] {
            assert_eq!(count(document).tokens, tokens, "{document}");
        }
        assert_eq!(count("{ a @x @y(z: \"@\") # @\n }").directives, 2);
        let long = "\u{feff}{ a(b: \"# x \\\" y\"),, # c\n ...F } \"\"\" # \"\"\"";
        assert_eq!(compact(long), "{ a ( b : \"# x \\\" y\" ) ... F } \"\"\" # \"\"\" ");
        assert_eq!(compact("\"\\é\" \"\\"), "\"\\é\" \"\\ ");
        assert_eq!(count("{ abc: _de12(x: \"longer than all\") }").longest_name, 5);
    }
}
