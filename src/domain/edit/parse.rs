//! Parsers of input fields, with the messages of their input errors.
//!
//! They return the stored form of a field. [`text`] defines the formats.

use crate::domain::text;

/// The maximum length of a line of free text, in characters.
const MAX_LINE_CHARS: usize = 200;

/// Parses a tenant's slug.
pub(super) fn parse_slug(slug: &str) -> Result<String, &'static str> {
    if !text::is_slug(slug) {
        return Err("must be 2 to 63 characters of a-z, 0-9 and -, without - at either end");
    }
    if text::is_reserved(slug) {
        return Err("must not be a reserved slug");
    }
    Ok(slug.to_owned())
}

/// Parses the name of a tenant or a user.
pub(super) fn parse_name(name: &str) -> Result<String, &'static str> {
    text::parse_name(name).ok_or(
        "must be 1 to 200 characters, at least one of them visible, without control characters",
    )
}

/// Parses an e-mail address.
pub(super) fn parse_email(email: &str) -> Result<String, &'static str> {
    text::parse_email(email).ok_or("must be an e-mail address of at most 254 bytes")
}

/// Parses the address of an invited person, and normalizes it.
pub(super) fn parse_invited_email(email: &str) -> Result<String, &'static str> {
    text::normalize_email(email).ok_or("must be an e-mail address of at most 254 bytes")
}

/// Parses a DNS name that is not a public suffix.
pub(super) fn parse_domain(domain: &str) -> Result<String, &'static str> {
    let domain =
        text::parse_domain(domain).ok_or("must be a DNS name of at most 253 characters")?;
    if text::is_public_suffix(&domain) {
        return Err("must not be a public suffix such as com or co.uk");
    }
    Ok(domain)
}

/// Parses a VAT identification number.
pub(super) fn parse_vat_id(vat_id: &str) -> Result<String, &'static str> {
    text::parse_vat_id(vat_id)
        .ok_or("must be a VAT identification number that starts with its country code")
}

/// Parses a country code.
pub(super) fn parse_country(country: &str) -> Result<String, &'static str> {
    let code = text::parse_country(country).map(str::to_owned);
    code.ok_or("must be an ISO 3166-1 alpha-2 country code")
}

/// Parses a line of free text. An empty line becomes `None`, because forms send it for no value.
pub(super) fn parse_optional_line(line: &str) -> Result<Option<String>, &'static str> {
    let line = text::parse_line(line, MAX_LINE_CHARS).ok_or(
        "must be at most 200 characters, at least one of them visible, without control characters",
    )?;
    Ok((!line.is_empty()).then(|| line.to_owned()))
}

/// Parses a text with `parse`, unless it is empty. An empty text becomes `None`.
pub(super) fn parse_unless_empty(
    text: &str,
    parse: impl FnOnce(&str) -> Result<String, &'static str>,
) -> Result<Option<String>, &'static str> {
    if text.trim().is_empty() { Ok(None) } else { parse(text).map(Some) }
}
