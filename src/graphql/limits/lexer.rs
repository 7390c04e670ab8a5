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
    let bytes = document.as_bytes();
    let (mut at, mut found) = (0, Count::default());
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            // White space, line ends and commas; a byte order mark is three of no meaning.
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            0xEF if bytes[at..].starts_with(&[0xEF, 0xBB, 0xBF]) => {
                at += 3;
                continue;
            }
            b'#' => {
                at = skip(bytes, at, |b| !matches!(b, b'\n' | b'\r'));
                continue;
            }
            b'"' if bytes[at..].starts_with(b"\"\"\"") => block_string(bytes, at + 3),
            b'"' => string(bytes, at + 1),
            b'.' if bytes[at..].starts_with(b"...") => at + 3,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = skip(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'_');
                found.longest_name = found.longest_name.max(end - at);
                end
            }
            b'0'..=b'9' | b'-' => skip(bytes, at + 1, |b| {
                b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')
            }),
            byte => {
                found.directives += u64::from(byte == b'@');
                at + 1
            }
        };
        found.tokens += 1;
    }
    found
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
            ("\u{1F600}", 4),
            ("query($a:Int=1){a}", 12),
        ] {
            assert_eq!(count(document).tokens, tokens, "{document}");
        }
        assert_eq!(count("{ a @x @y(z: \"@\") # @\n }").directives, 2);
        assert_eq!(count("{ abc: _de12(x: \"longer than all\") }").longest_name, 5);
    }
}
