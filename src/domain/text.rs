//! Parsers of text formats that several entities share: names, addresses, domains, …
//!
//! Each `parse_*` function returns the stored form of a text, or `None` if its format is invalid.

use email_address::{EmailAddress, Options};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};
use unicase::UniCase;

/// The maximum length of a name, in characters.
pub const NAME_MAX: usize = 200;
/// The maximum length of an e-mail address, in bytes.
///
/// It is the limit of RFC 5321, section 4.5.3.1.3, minus the angle brackets.
pub const EMAIL_MAX: usize = 254;

/// Returns whether a text has a character that a reader can see.
///
/// White space, control characters and the characters that Unicode lets a font ignore are not
/// visible, and neither are other format characters and the blank Braille pattern.
#[must_use]
pub fn has_visible_char(text: &str) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let category = CodePointMapData::<GeneralCategory>::new();
    text.chars().any(|c| {
        !(c.is_whitespace()
            || c.is_control()
            || c == '\u{2800}'
            || ignorable.contains(c)
            || category.get(c) == GeneralCategory::Format)
    })
}

/// Returns whether a character can disturb the text around it: a control character, or one of the
/// bidirectional controls that embed, override or isolate text.
fn is_disturbing(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The assigned country codes (ISO 3166-1 alpha-2).
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO \
    BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ \
    DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP \
    GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG \
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE \
    PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL \
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM \
    US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Parses a name: trimmed, 1 to 200 characters, at least one of them visible, no control
/// characters.
#[must_use]
pub fn parse_name(text: &str) -> Option<String> {
    parse_line(text, NAME_MAX).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// Parses an e-mail address (RFC 5321 and 6531).
///
/// The address has no display name, no address literal, and at most [`EMAIL_MAX`] bytes.
#[must_use]
pub fn parse_email(text: &str) -> Option<String> {
    let text = text.trim();
    let options = Options::default().without_display_text().without_domain_literal();
    // The parser accepts control characters in quoted parts. No real address has one.
    let valid = text.len() <= EMAIL_MAX
        && !text.chars().any(is_disturbing)
        && EmailAddress::parse_with_options(text, options).is_ok();
    valid.then(|| text.to_owned())
}

/// Parses an e-mail address, and returns the form by which addresses are compared: the local part in
/// lower case, and the domain in its ASCII form.
///
/// A character whose lower case has another upper case stays as it is. Otherwise the Kelvin sign
/// would become `k`, so that two different addresses would be equal.
#[must_use]
pub fn normalize_email(text: &str) -> Option<String> {
    let email = parse_email(text)?;
    let (local, domain) = email.rsplit_once('@')?;
    let local: String = local.chars().flat_map(lower_case).collect();
    let normalized = format!("{local}@{}", parse_domain(domain)?);
    (normalized.len() <= EMAIL_MAX).then_some(normalized)
}

/// Returns the lower case of a character, or the character itself if that has another upper case.
fn lower_case(c: char) -> Vec<char> {
    let lower: Vec<char> = c.to_lowercase().collect();
    let upper = lower.iter().flat_map(|c| c.to_uppercase());
    if upper.eq(std::iter::once(c)) { lower } else { vec![c] }
}

/// Returns whether the text is a slug: 2 to 63 of `a-z 0-9 -`, without a hyphen at either end.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (2..=63).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns whether the slug is reserved, because it could be mistaken for a part of the platform.
#[must_use]
pub fn is_reserved(slug: &str) -> bool {
    matches!(slug, "admin" | "api" | "app" | "auth" | "mail" | "me" | "new" | "status" | "www")
}

/// Parses a DNS name. The stored form is the ASCII form of IDNA, in lower case, without a final
/// dot.
#[must_use]
pub fn parse_domain(text: &str) -> Option<String> {
    let text = text.trim();
    let ascii = idna::domain_to_ascii_strict(text.strip_suffix('.').unwrap_or(text)).ok()?;
    // A name with a numeric last label is an IP address or is treated as one (WHATWG URL, section
    // 3.5).
    let has_numeric_end =
        ascii.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    (!ascii.is_empty() && !has_numeric_end).then_some(ascii)
}

/// Returns the Unicode form of a domain. A label that is invalid stays in its ASCII form.
#[must_use]
pub fn domain_to_unicode(domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

/// Returns whether a domain, in its stored form, is a public suffix: `com`, `co.uk`.
///
/// Only the ICANN section of the Public Suffix List counts.
#[must_use]
pub fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| {
        suffix.typ() == Some(psl::Type::Icann) && suffix.as_bytes() == domain.as_bytes()
    })
}

/// Parses an assigned country code (ISO 3166-1 alpha-2). The stored form is upper case.
#[must_use]
pub fn parse_country(text: &str) -> Option<&'static str> {
    COUNTRIES.split(' ').find(|code| code.eq_ignore_ascii_case(text.trim()))
}

/// Parses one line of free text: trimmed, no control characters, at most `max` characters.
///
/// The line may be empty. Any other line has a visible character.
#[must_use]
pub fn parse_line(text: &str, max: usize) -> Option<&str> {
    let text = text.trim();
    let valid = text.chars().count() <= max
        && !text.chars().any(is_disturbing)
        && (text.is_empty() || has_visible_char(text));
    valid.then_some(text)
}

/// Parses a VAT identification number that starts with its country code.
///
/// The stored form is upper case, without spaces and the separators `-`, `.` and `/`. Only the
/// format is checked, not the check digits or the registration.
#[must_use]
pub fn parse_vat_id(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/')).collect();
    let compact = compact.to_ascii_uppercase();
    let (country, rest) = compact.split_at_checked(2)?;
    let known = VAT_FORMATS.iter().find(|(code, _)| *code == country);
    let valid = match known {
        Some((_, formats)) => formats.iter().any(|format| matches_format(rest, format)),
        None => {
            parse_country(country).is_some()
                && (2..=14).contains(&rest.len())
                && rest.bytes().all(|b| b.is_ascii_alphanumeric())
                && rest.bytes().any(|b| b.is_ascii_digit())
        }
    };
    valid.then_some(compact)
}

/// The formats of VAT numbers after the country code, for the European Union and the United
/// Kingdom.
///
/// The formats are those of VIES (Council Directive 2006/112/EC, article 215). `9` is a digit, `A`
/// a letter, `X` a digit or a letter, and `*` a digit, a letter, `+` or `*`. Other characters stand
/// for themselves.
const VAT_FORMATS: &[(&str, &[&str])] = &[
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

fn matches_format(text: &str, format: &str) -> bool {
    let matches = |(b, expected): (u8, u8)| match expected {
        b'9' => b.is_ascii_digit(),
        b'A' => b.is_ascii_uppercase(),
        b'X' => b.is_ascii_alphanumeric(),
        b'*' => b.is_ascii_alphanumeric() || matches!(b, b'+' | b'*'),
        expected => b == expected,
    };
    text.len() == format.len() && text.bytes().zip(format.bytes()).all(matches)
}

/// Returns the text in Unicode's full case folding, for comparisons without regard to case.
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
        for invalid in ["", "   ", "a\u{0}b", "a\nb", &"x".repeat(201)] {
            assert_eq!(parse_name(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn invisible_text_is_rejected() {
        let zero_width = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}";
        let blank =
            ["\u{ad}", "\u{3164}", "\u{115f}", "\u{2800}", "\u{fe0f}", "\u{e0020}", "\u{600}"];
        for invisible in blank.into_iter().chain([zero_width, "\u{a0}\u{200b}\u{3000}"]) {
            assert!(!has_visible_char(invisible), "{invisible:?}");
            assert_eq!(parse_name(invisible), None, "{invisible:?}");
            assert!(has_visible_char(&format!("{invisible}x")), "{invisible:?}");
        }
        // The joiner and the mark shape the visible text around them.
        for name in
            ["\u{1f469}\u{200d}\u{1f4bb}", "\u{645}\u{6cc}\u{200c}\u{62e}", "\u{5d0}\u{200f}!"]
        {
            assert_eq!(parse_name(name).as_deref(), Some(name), "{name:?}");
        }
        assert_eq!(parse_line("  ", 5), Some(""));
        assert_eq!(parse_line("\u{200b}", 5), None);
    }

    #[test]
    fn bidirectional_controls_are_rejected() {
        for control in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            let text = format!("a{control}b");
            assert_eq!(parse_name(&text), None, "{control:?}");
            assert_eq!(parse_line(&text, 9), None, "{control:?}");
            assert_eq!(parse_email(&format!("{text}@example.org")), None, "{control:?}");
        }
    }

    #[test]
    fn malformed_emails_are_rejected() {
        assert_eq!(parse_email("ada@example.org").as_deref(), Some("ada@example.org"));
        for invalid in ["", "ada", "@x.org", "ada@", "a b@x.org", "a@b@x.org", "a@x\n.org"] {
            assert_eq!(parse_email(invalid), None, "{invalid:?}");
        }
        assert_eq!(parse_email(&format!("{}@x.org", "a".repeat(250))), None);
    }

    #[test]
    fn equal_addresses_have_one_normal_form() {
        for (text, normal) in [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ÅSA@bücher.example", "åsa@xn--bcher-kva.example"),
            ("åsa@XN--BCHER-KVA.example", "åsa@xn--bcher-kva.example"),
            ("a.b+c@x.org", "a.b+c@x.org"),
        ] {
            assert_eq!(normalize_email(text).as_deref(), Some(normal), "{text}");
        }
        for invalid in ["", "ada", "ada@a_b.example", "ada@127.0.0.1", "ada@"] {
            assert_eq!(normalize_email(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn addresses_that_look_alike_stay_different() {
        for (one, other) in [
            ("kim@x.org", "\u{212a}im@x.org"), // Kelvin sign
            ("åsa@x.org", "\u{212b}sa@x.org"), // Angstrom sign
            ("i@x.org", "\u{130}@x.org"),      // capital I with dot
            ("i@x.org", "\u{131}@x.org"),      // small i without dot
            ("s@x.org", "\u{17f}@x.org"),      // long s
            ("ada@x.org", "\u{430}da@x.org"),  // Cyrillic a
            ("ada@x.org", "ad\u{ff41}@x.org"), // full-width a
            ("strasse@x.org", "straße@x.org"),
            ("é@x.org", "e\u{301}@x.org"), // composed and decomposed
            ("ada@pаypal.example", "ada@paypal.example"), // Cyrillic a in the domain
        ] {
            let (one, other) = (normalize_email(one), normalize_email(other));
            assert!(one.is_some(), "{one:?}");
            assert_ne!(one, other);
        }
    }

    #[test]
    fn only_icann_suffixes_are_public() {
        for suffix in ["com", "co.uk", "de", "xn--55qx5d.cn", "tokyo.jp"] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for domain in ["example.com", "github.io", "blogspot.com", "acme.example", "localhost"] {
            assert!(!is_public_suffix(domain), "{domain}");
        }
    }

    #[test]
    fn vat_ids_have_the_format_of_their_country() {
        for (text, stored) in [
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
            assert_eq!(parse_vat_id(text).as_deref(), Some(stored), "{text}");
        }
        for invalid in [
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
            assert_eq!(parse_vat_id(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn only_assigned_country_codes_are_accepted() {
        assert_eq!(parse_country("DE"), Some("DE"));
        assert_eq!(parse_country(" ch "), Some("CH"));
        for invalid in ["", " ", "D", "DEU", "AD AE", "ZZ", "XX", "UK", "EU", "49"] {
            assert_eq!(parse_country(invalid), None, "{invalid}");
        }
        let codes: Vec<&str> = COUNTRIES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted_by(|a, b| a < b), "sorted and without duplicates");
        assert!(codes.iter().all(|code| code.len() == 2));
    }

    #[test]
    fn malformed_slugs_are_rejected() {
        assert!(is_slug("dezky") && is_slug("a1") && is_slug("a-b") && is_slug(&"a".repeat(63)));
        for invalid in ["", "a", "-a", "a-", "A1", "a_b", "ä1", "a b", &"a".repeat(64)] {
            assert!(!is_slug(invalid), "{invalid:?}");
        }
    }

    #[test]
    fn domains_are_stored_in_ascii() {
        assert_eq!(parse_domain("Bücher.Example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(parse_domain("acme.example.").as_deref(), Some("acme.example"));
        let long = format!("{}.example", vec!["a".repeat(63); 4].join("."));
        for invalid in [
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
            assert_eq!(parse_domain(invalid), None, "{invalid:?}");
        }
    }

    #[test]
    fn case_folding_covers_unicode() {
        assert_eq!(case_fold("ÅNGSTRÖM"), case_fold("ångström"));
        assert_eq!(case_fold("STRASSE"), case_fold("straße"));
    }
}
