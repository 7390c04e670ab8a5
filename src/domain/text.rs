//! Forms of text that more than one entity has.

use email_address::{EmailAddress, Options};
use unicase::UniCase;

/// The longest name, in characters.
pub const NAME_MAX: usize = 200;
/// The longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;

/// A name in its stored form: trimmed, 1 to 200 characters, no control character; else `None`.
#[must_use]
pub fn parse_name(text: &str) -> Option<String> {
    let text = text.trim();
    let good =
        !text.is_empty() && text.chars().count() <= NAME_MAX && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

/// An e-mail address in its stored form: RFC 5321 and 6531, without a name before it and without an
/// address literal, at most [`EMAIL_MAX`]; else `None`.
#[must_use]
pub fn parse_email(text: &str) -> Option<String> {
    let text = text.trim();
    let options = Options::default().without_display_text().without_domain_literal();
    // The parser takes control characters in quoted parts; nobody has one there.
    let good = text.len() <= EMAIL_MAX
        && !text.chars().any(char::is_control)
        && EmailAddress::parse_with_options(text, options).is_ok();
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

/// Whether a slug is one that no tenant may have: it would be taken for a part of the platform.
#[must_use]
pub fn is_reserved(slug: &str) -> bool {
    matches!(slug, "admin" | "api" | "app" | "auth" | "mail" | "me" | "new" | "status" | "www")
}

/// A DNS name in its stored form (IDNA's ASCII form, lower case, no dot at its end); else `None`.
#[must_use]
pub fn parse_domain(text: &str) -> Option<String> {
    let text = text.trim();
    let ascii = idna::domain_to_ascii_strict(text.strip_suffix('.').unwrap_or(text)).ok()?;
    // What ends in a number is an address, or taken for one (WHATWG URL, section 3.5).
    let numeric = ascii.rsplit('.').next().is_some_and(|l| l.bytes().all(|b| b.is_ascii_digit()));
    (!ascii.is_empty() && !numeric).then_some(ascii)
}

/// Whether a domain, in its stored form, is one under which everybody may register: `com`, `co.uk`.
/// Only those of ICANN's part of the Public Suffix List are.
#[must_use]
pub fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| {
        suffix.typ() == Some(psl::Type::Icann) && suffix.as_bytes() == domain.as_bytes()
    })
}

/// A country's assigned code (ISO 3166-1 alpha-2) in upper case; else `None`.
#[must_use]
pub fn parse_country(text: &str) -> Option<&'static str> {
    rust_iso3166::from_alpha2(&text.trim().to_ascii_uppercase()).map(|country| country.alpha2)
}

/// One line of free text in its stored form: trimmed, no control character, at most `max`
/// characters (it may be empty); else `None`.
#[must_use]
pub fn parse_line(text: &str, max: usize) -> Option<&str> {
    let text = text.trim();
    (text.chars().count() <= max && !text.chars().any(char::is_control)).then_some(text)
}

/// A VAT identification number in its stored form: upper case, without what people put between
/// the digits; else `None`. Only its form is looked at, and only with its country before it.
#[must_use]
pub fn parse_vat_id(text: &str) -> Option<String> {
    let compact: String =
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/')).collect::<String>();
    let compact = compact.to_ascii_uppercase();
    let (country, rest) = compact.split_at_checked(2)?;
    let known = VAT_FORMS.iter().find(|(code, _)| *code == country);
    let good = match known {
        Some((_, forms)) => forms.iter().any(|form| has_form(rest, form)),
        None => {
            self::parse_country(country).is_some()
                && (2..=14).contains(&rest.len())
                && rest.bytes().all(|b| b.is_ascii_alphanumeric())
                && rest.bytes().any(|b| b.is_ascii_digit())
        }
    };
    good.then_some(compact)
}

/// What follows the country in the European Union's and the United Kingdom's numbers (Council
/// Directive 2006/112/EC, article 215; the forms are those that VIES gives): `9` is a digit, `A` a
/// letter, `X` either, `*` either or a `+` or `*`; anything else is itself.
const VAT_FORMS: &[(&str, &[&str])] = &[
    ("AT", &["U99999999"]),
    ("BE", &["0999999999", "1999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CY", &["99999999A"]),
    ("CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    ("EL", &["999999999"]),
    ("ES", &["X9999999X"]),
    ("FI", &["99999999"]),
    ("FR", &["XX999999999"]),
    ("GB", &["999999999", "999999999999", "GD999", "HA999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9999999A", "9999999AA", "9*99999A"]),
    ("IT", &["99999999999"]),
    ("LT", &["999999999", "999999999999"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["************"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    (
        "RO",
        &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"],
    ),
    ("SE", &["999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999"]),
    ("XI", &["999999999", "999999999999", "GD999", "HA999"]),
];

fn has_form(text: &str, form: &str) -> bool {
    let fits = |(b, sign): (u8, u8)| match sign {
        b'9' => b.is_ascii_digit(),
        b'A' => b.is_ascii_uppercase(),
        b'X' => b.is_ascii_alphanumeric(),
        b'*' => b.is_ascii_alphanumeric() || matches!(b, b'+' | b'*'),
        sign => b == sign,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

/// Text with the differences of case taken out, beyond ASCII too (Unicode's full case folding).
#[must_use]
pub fn case_fold(text: &str) -> String {
    UniCase::unicode(text).to_folded_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(parse_name("  Ada  ").as_deref(), Some("Ada"));
        assert_eq!(parse_name("é".repeat(200).as_str()).map(|n| n.chars().count()), Some(200));
        for bad in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(201)] {
            assert_eq!(parse_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn emails_have_a_form() {
        assert_eq!(parse_email("ada@example.org").as_deref(), Some("ada@example.org"));
        for bad in ["", "ada", "@x.org", "ada@", "a b@x.org", "a@b@x.org", "a@x\n.org"] {
            assert_eq!(parse_email(bad), None, "{bad:?}");
        }
        assert_eq!(parse_email(&format!("{}@x.org", "a".repeat(250))), None);
    }

    #[test]
    fn public_suffixes_are_icanns() {
        for suffix in ["com", "co.uk", "de", "xn--55qx5d.cn", "tokyo.jp"] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for own in ["example.com", "github.io", "blogspot.com", "acme.example", "localhost"] {
            assert!(!is_public_suffix(own), "{own}");
        }
    }

    #[test]
    fn vat_ids_have_their_countrys_form() {
        for (good, stored) in [
            ("DE123456789", "DE123456789"),
            ("de 123 456 789", "DE123456789"),
            ("ATU12345678", "ATU12345678"),
            ("NL123456789B01", "NL123456789B01"),
            ("IE1+23456A", "IE1+23456A"),
            ("IE1234567WA", "IE1234567WA"),
            ("CHE-123.456.789 MWST", "CHE123456789MWST"),
            ("NO 123456789 MVA", "NO123456789MVA"),
            ("ESX1234567X", "ESX1234567X"),
            ("RO12", "RO12"),
        ] {
            assert_eq!(parse_vat_id(good).as_deref(), Some(stored), "{good}");
        }
        for bad in [
            "",
            "D",
            "DE",
            "DE12345678",
            "DE1234567890",
            "AT12345678",
            "12345",
            "ZZ123456",
            "FR12",
            "DE12345678é",
            "ÄÖ1234567",
            "USABCDEFG",
        ] {
            assert_eq!(parse_vat_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn countries_are_assigned() {
        assert_eq!(parse_country("DE"), Some("DE"));
        assert_eq!(parse_country(" ch "), Some("CH"));
        for bad in ["", "D", "DEU", "ZZ", "XX", "UK", "EU", "49"] {
            assert_eq!(parse_country(bad), None, "{bad}");
        }
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
        assert_eq!(parse_domain("Bücher.Example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(parse_domain("acme.example.").as_deref(), Some("acme.example"));
        let long = format!("{}.example", vec!["a".repeat(63); 4].join("."));
        for bad in [
            "",
            ".",
            "a b.example",
            "a..example",
            "a.example..",
            "a_b.example",
            "*.example",
            "127.0.0.1",
            "[::1]",
            "a.example/x",
            "-a.example",
            "a-.example",
            &long,
            "a.1",
        ] {
            assert_eq!(parse_domain(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn folding_goes_beyond_ascii() {
        assert_eq!(case_fold("ÅNGSTRÖM"), case_fold("ångström"));
        assert_eq!(case_fold("STRASSE"), case_fold("straße"));
    }
}
