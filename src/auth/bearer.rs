//! Parses the bearer credential of a request (RFC 6750 section 2.1).
//!
//! The result is an [`UnverifiedToken`]. The syntax of the header is valid, but the token itself was
//! not examined.

use std::fmt;

/// A token as received, before any verification. Its `Debug` output does not contain the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedToken<'a>(&'a str);

impl<'a> UnverifiedToken<'a> {
    /// Returns the token as received.
    pub(super) const fn as_str(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedToken(..)")
    }
}

/// The reason why the credentials of a request were rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialError {
    /// The request has more than one credential, which RFC 6750 section 2 forbids.
    Multiple,
    /// The scheme is not `Bearer`, or the rest is not a `token68` (RFC 9110 section 11.2).
    Malformed,
}

/// Parses the values of a request's `Authorization` headers.
///
/// Returns `None` if there is no header. The scheme is compared without regard to case (RFC 9110
/// section 11.1).
pub fn parse_authorization<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<UnverifiedToken<'a>>, CredentialError> {
    let mut values = values.into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CredentialError::Multiple);
    }
    parse_bearer(value).map(Some).ok_or(CredentialError::Malformed)
}

fn parse_bearer(value: &[u8]) -> Option<UnverifiedToken<'_>> {
    let (scheme, rest) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let token = rest.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && is_token68(token)).then_some(UnverifiedToken(token))
}

/// Returns whether a text is a `token68` (RFC 9110 section 11.2).
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_or_one_header_is_parsed() {
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
    fn debug_output_does_not_contain_the_token() {
        let parsed = parse_authorization([b"Bearer secret".as_slice()]);
        assert!(!format!("{parsed:?}").contains("secret"), "{parsed:?}");
    }

    #[test]
    fn other_credentials_are_malformed() {
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
            let parsed = parse_authorization([value.as_bytes()]);
            assert_eq!(parsed, Err(CredentialError::Malformed), "{value:?}");
        }
        assert_eq!(
            parse_authorization([b"Bearer \xff".as_slice()]),
            Err(CredentialError::Malformed)
        );
    }

    #[test]
    fn multiple_credentials_are_distinguished_from_a_malformed_one() {
        for values in [["Bearer a", "Bearer a"], ["Bearer a", ""], ["Basic x", "nonsense"]] {
            let parsed = parse_authorization(values.map(str::as_bytes));
            assert_eq!(parsed, Err(CredentialError::Multiple), "{values:?}");
        }
    }
}
