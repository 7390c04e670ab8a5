//! Forms of text that more than one entity has.

use unicase::UniCase;

/// The longest name, in characters.
pub const NAME_MAX: usize = 200;
/// The longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;

/// A name in its stored form: trimmed, 1 to 200 characters, no control character; else `None`.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let good =
        !text.is_empty() && text.chars().count() <= NAME_MAX && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

/// An e-mail address in its stored form: something, one `@`, a domain with a dot or `localhost`; else `None`.
#[must_use]
pub fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let good = text.len() <= EMAIL_MAX
        && !local.is_empty()
        && !domain.is_empty()
        && !local.contains('@')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    good.then(|| text.to_owned())
}

/// A slug's form: 2 to 63 of `a-z 0-9 -`, the hyphen not at its ends.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (2..=63).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A DNS name in its stored form (IDNA's ASCII form, lower case, no dot at its end); else `None`.
#[must_use]
pub fn domain(text: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(text.trim().trim_end_matches('.')).ok()?;
    (!ascii.is_empty()).then_some(ascii)
}

/// Text with the differences of case taken out, beyond ASCII too (Unicode's full case folding).
#[must_use]
pub fn fold(text: &str) -> String {
    UniCase::unicode(text).to_folded_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(name("  Ada  ").as_deref(), Some("Ada"));
        assert_eq!(name("é".repeat(200).as_str()).map(|n| n.chars().count()), Some(200));
        for bad in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(201)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn emails_have_a_form() {
        assert_eq!(email("ada@example.org").as_deref(), Some("ada@example.org"));
        for bad in ["", "ada", "@x.org", "ada@", "a b@x.org", "a@b@x.org", "a@x\n.org"] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
        assert_eq!(email(&format!("{}@x.org", "a".repeat(250))), None);
    }

    #[test]
    fn slugs_have_a_form() {
        assert!(is_slug("dezky") && is_slug("a1") && is_slug("a-b") && is_slug(&"a".repeat(63)));
        for bad in ["", "a", "-a", "a-", "A1", "a_b", "ä1", "a b", &"a".repeat(64)] {
            assert!(!is_slug(bad), "{bad:?}");
        }
    }

    #[test]
    fn domains_are_ascii() {
        assert_eq!(domain("Bücher.Example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(domain("acme.example.").as_deref(), Some("acme.example"));
        for bad in ["", "a b.example", "a..example", "a_b.example"] {
            assert_eq!(domain(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn folding_goes_beyond_ascii() {
        assert_eq!(fold("ÅNGSTRÖM"), fold("ångström"));
        assert_eq!(fold("STRASSE"), fold("straße"));
    }
}
