//! The credential of a request, before anybody asked what it says.

use std::fmt;

/// A token as it came, of which nothing is believed yet. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedToken<'a>(&'a str);

impl<'a> UnverifiedToken<'a> {
    /// The text.
    pub(super) const fn text(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedToken(..)")
    }
}

/// Why no credential could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialError {
    /// More than one was presented (RFC 6750 section 2: a client must not use more than one).
    Multiple,
    /// Another scheme than `Bearer`, or not of the form of one.
    Malformed,
}

/// The bearer token in the values of a request's `Authorization` headers; `None` without a header.
///
/// The scheme is compared without regard to case (RFC 9110 section 11.1).
pub fn parse_authorization<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<UnverifiedToken<'a>>, CredentialError> {
    let mut values = values.into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CredentialError::Multiple);
    }
    bearer(value).map(Some).ok_or(CredentialError::Malformed)
}

fn bearer(value: &[u8]) -> Option<UnverifiedToken<'_>> {
    let (scheme, rest) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && is_token68(token)).then_some(UnverifiedToken(token))
}

/// RFC 9110 section 11.2.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let of_body = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(of_body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_nobody_and_one_is_read() {
        assert_eq!(parse_authorization([]), Ok(None));
        for (value, token) in [
            ("Bearer a.b.c", "a.b.c"),
            ("bearer a", "a"),
            ("BEARER a", "a"),
            ("bEaReR   aA09-._~+/==", "aA09-._~+/=="),
        ] {
            assert_eq!(
                parse_authorization([value.as_bytes()]),
                Ok(Some(UnverifiedToken(token))),
                "{value}"
            );
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let read = parse_authorization([b"Bearer secret".as_slice()]);
        assert!(!format!("{read:?}").contains("secret"), "{read:?}");
    }

    #[test]
    fn anything_else_is_malformed() {
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer\ta",
            " Bearer a",
            "Bearer a ",
            "Bearer a b",
            "Bearer a, Bearer b",
            "Bearer a=b",
            "Bearer =",
            "Bearer \"a\"",
            "Bearer ä",
            "Bearera",
            "Basic YTpi",
            "DPoP a.b.c",
            "a.b.c",
        ] {
            let read = parse_authorization([value.as_bytes()]);
            assert_eq!(read, Err(CredentialError::Malformed), "{value:?}");
        }
        assert_eq!(
            parse_authorization([b"Bearer \xff".as_slice()]),
            Err(CredentialError::Malformed)
        );
    }

    #[test]
    fn several_are_told_apart_from_a_malformed_one() {
        for values in [["Bearer a", "Bearer a"], ["Bearer a", ""], ["Basic x", "nonsense"]] {
            let read = parse_authorization(values.map(str::as_bytes));
            assert_eq!(read, Err(CredentialError::Multiple), "{values:?}");
        }
    }
}
