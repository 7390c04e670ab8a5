//! Splits a document into its lexical tokens, without storing them.
//!
//! The tokens are those of the GraphQL specification, section 2.1.

use std::borrow::Cow;

/// The counts of a document's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TokenCounts {
    /// The number of lexical tokens. Each invalid character counts as one token.
    pub(super) tokens: u64,
    /// The number of directives, counted by their `@`.
    pub(super) directives: u64,
    /// The length of the longest name, in bytes.
    pub(super) longest_name: usize,
    /// The length of all tokens in bytes, with one separator after each.
    pub(super) bytes: usize,
    /// The length of the longest string, in bytes, with its quotes and escape sequences.
    pub(super) longest_text: usize,
}

/// Counts the tokens in one pass.
///
/// The counts of a document that is not valid GraphQL are arbitrary. The parser rejects it later.
pub(super) fn count(document: &str) -> TokenCounts {
    let mut counts = TokenCounts::default();
    for token in Tokens::new(document) {
        counts.tokens += 1;
        counts.bytes += token.len() + 1;
        counts.directives += u64::from(token == "@");
        if token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            counts.longest_name = counts.longest_name.max(token.len());
        } else if token.starts_with('"') {
            counts.longest_text = counts.longest_text.max(token.len());
        }
    }
    counts
}

/// Returns the document with spaces in the place of comments, commas and byte order marks.
///
/// The offsets of all tokens stay the same. A parser then finds one run of white space between two
/// tokens, however many ignored tokens the client wrote.
pub(super) fn blank_ignored(document: &str) -> Cow<'_, str> {
    if !document.contains(['#', ',', '\u{feff}']) {
        return Cow::Borrowed(document);
    }
    let mut text = String::with_capacity(document.len());
    let mut tokens = Tokens::new(document);
    loop {
        let token = tokens.next();
        let end = document.len() - tokens.rest().len() - token.map_or(0, str::len);
        let ignored = document.as_bytes().get(text.len()..end).unwrap_or_default();
        text.extend(ignored.iter().map(|byte| match byte {
            b'\n' | b'\r' => char::from(*byte),
            _ => ' ',
        }));
        match token {
            Some(token) => text.push_str(token),
            None => return Cow::Owned(text),
        }
    }
}

/// An iterator over the tokens of the text that remains.
pub(in crate::graphql) struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    /// Creates an iterator over all tokens of a document.
    pub(in crate::graphql) fn new(document: &'a str) -> Self {
        Self(document)
    }

    /// Returns the text after the last token.
    pub(in crate::graphql) fn rest(&self) -> &'a str {
        self.0
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            // White space, line terminators, commas and byte order marks.
            self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
            if !self.0.starts_with('#') {
                break;
            }
            let end = self.0.find(['\n', '\r']).unwrap_or(self.0.len());
            self.0 = &self.0[end..];
        }
        let bytes = self.0.as_bytes();
        let end = match *bytes.first()? {
            b'"' if bytes.starts_with(b"\"\"\"") => block_string_end(bytes, 3),
            b'"' => string_end(bytes, 1),
            b'.' if bytes.starts_with(b"...") => 3,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                end_of_run(bytes, 0, |b| b.is_ascii_alphanumeric() || b == b'_')
            }
            b'0'..=b'9' | b'-' => end_of_run(bytes, 1, |b| {
                b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')
            }),
            _ => self.0.chars().next()?.len_utf8(),
        };
        // An escape at the end of a string can end in the middle of a character.
        let end = self.0.ceil_char_boundary(end);
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(token)
    }
}

/// Returns the end of the run of matching bytes from `start` on.
fn end_of_run(bytes: &[u8], start: usize, matches: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    rest.iter().position(|byte| !matches(*byte)).map_or(bytes.len(), |length| start + length)
}

/// Returns the end of a string whose content begins at `at`. A string ends at a line terminator.
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> usize {
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

/// Returns the end of a block string whose content begins at `at`.
fn block_string_end(bytes: &[u8], mut at: usize) -> usize {
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
    fn tokens_are_counted_as_the_specification_defines() {
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
        let long = "\u{feff}{ a(b: \"# x, \\\" y\"),, # é,\n ...F } \"\"\" # \"\"\", #";
        let blank = "   { a(b: \"# x, \\\" y\")        \n ...F } \"\"\" # \"\"\"   ";
        assert_eq!(blank_ignored(long), blank);
        assert_eq!(blank_ignored("{ a }\r\n"), "{ a }\r\n");
        assert_eq!(blank_ignored("\"\\é\",\"\\"), "\"\\é\" \"\\");
        assert_eq!(count("{ ab,# c\n }").bytes, 2 + 3 + 2);
        let counts = count("{ abc: _de12(x: \"longer than \\\" all\") }");
        assert_eq!((counts.longest_name, counts.longest_text), (5, 20));
    }
}
