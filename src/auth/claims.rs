//! Checks the claims of a token and extracts them (RFC 7519 section 4.1).
//!
//! Each claim must have the JSON type of its definition. A token with an invalid `iss`, `aud`, `sub`,
//! `exp`, `nbf` or `iat` is rejected. Other claims of a wrong type are treated as absent.

use serde_json::Value;

use crate::domain::{
    sync::{LEEWAY, TokenProfile},
    time::Timestamp,
    user::Identity,
};

use super::{error::TokenError, json_object::UniqueKeyObject};

/// The maximum length of a subject, in characters.
const MAX_SUBJECT_CHARS: usize = 255;

/// Checks issuer, audience and subject, and returns the identity.
pub(super) fn check_identity(
    claims: &UniqueKeyObject,
    issuer: &str,
    audiences: &[String],
) -> Result<Identity, TokenError> {
    let issuer = claims.get_str("iss").filter(|iss| *iss == issuer).ok_or(TokenError::Issuer)?;
    if !claims.get("aud").is_some_and(|aud| audience_matches(aud, audiences)) {
        return Err(TokenError::Audience);
    }
    let subject = claims.get_str("sub").ok_or(TokenError::Subject)?;
    if subject.is_empty() || subject.chars().nth(MAX_SUBJECT_CHARS).is_some() {
        return Err(TokenError::Subject);
    }
    Ok(Identity { issuer: issuer.to_owned(), subject: subject.to_owned() })
}

fn audience_matches(aud: &Value, audiences: &[String]) -> bool {
    let is_accepted = |aud: &str| audiences.iter().any(|audience| audience == aud);
    match aud {
        Value::String(aud) => is_accepted(aud),
        Value::Array(values) => {
            values.iter().all(Value::is_string)
                && values.iter().filter_map(Value::as_str).any(is_accepted)
        }
        _ => false,
    }
}

/// The times at which a token was issued and expires.
pub(super) struct Lifetime {
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Timestamp,
}

/// Checks that the token is valid now, within the leeway, and returns its lifetime.
pub(super) fn check_lifetime(
    claims: &UniqueKeyObject,
    now: Timestamp,
) -> Result<Lifetime, TokenError> {
    let expires_at = claims.get("exp").ok_or(TokenError::MissingExp)?;
    let expires_at = parse_numeric_date(expires_at).ok_or(TokenError::InvalidTimestamp)?;
    if now >= expires_at.saturating_add(LEEWAY) {
        return Err(TokenError::Expired);
    }
    let is_in_future = |at: Timestamp| at > now.saturating_add(LEEWAY);
    if optional_numeric_date(claims, "nbf")?.is_some_and(is_in_future) {
        return Err(TokenError::NotYetValid);
    }
    let issued_at = optional_numeric_date(claims, "iat")?;
    if issued_at.is_some_and(is_in_future) {
        return Err(TokenError::IssuedInFuture);
    }
    Ok(Lifetime { issued_at, expires_at })
}

fn optional_numeric_date(
    claims: &UniqueKeyObject,
    name: &str,
) -> Result<Option<Timestamp>, TokenError> {
    claims
        .get(name)
        .map(|value| parse_numeric_date(value).ok_or(TokenError::InvalidTimestamp))
        .transpose()
}

/// Parses a `NumericDate` (RFC 7519 section 2), which may have a fraction.
///
/// Returns `None` for a time before 1970 or after 9999.
fn parse_numeric_date(value: &Value) -> Option<Timestamp> {
    let at = match value.as_i64() {
        Some(seconds) => Timestamp::from_seconds(seconds)?,
        // `as` saturates, and both ends are outside the range of a timestamp.
        None => Timestamp::from_millis((value.as_f64()? * 1000.0).floor() as i64)?,
    };
    (at.millis() >= 0).then_some(at)
}

/// Returns the claims that the sync reads. A claim of a wrong type is treated as absent.
pub(super) fn extract_profile(
    claims: &UniqueKeyObject,
    issued_at: Option<Timestamp>,
    groups_claim: &str,
) -> TokenProfile {
    let string = |name| claims.get_str(name).map(str::to_owned);
    TokenProfile {
        email: string("email"),
        email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
        name: string("name"),
        preferred_username: string("preferred_username"),
        issued_at: issued_at.and_then(|at| Timestamp::from_seconds(at.seconds())),
        groups: claims.get(groups_claim).and_then(parse_groups),
    }
}

/// Parses a groups claim, which is an array of strings or a string.
fn parse_groups(claim: &Value) -> Option<Vec<String>> {
    match claim {
        Value::String(group) => Some(vec![group.clone()]),
        Value::Array(groups) => {
            groups.iter().map(|group| group.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numeric_date_must_be_a_number_between_1970_and_9999() {
        for (value, millis) in [
            (json!(0), Some(0)),
            (json!(1.5), Some(1500)),
            (json!(1e3), Some(1_000_000)),
            (json!(1_767_225_600.999_9), Some(1_767_225_600_999)),
            (json!(253_402_300_799_i64), Some(Timestamp::MAX.millis() - 999)),
            (json!(253_402_300_800_i64), None),
            (json!(-1), None),
            (json!(-0.5), None),
            (json!(1e18), None),
            (json!(1_000_000_000_000_000_000_u64), None),
            (json!(u64::MAX), None),
            (json!(i64::MAX), None),
            (json!(1e300), None),
            (json!("1"), None),
            (json!(null), None),
            (json!(true), None),
            (json!([1]), None),
        ] {
            assert_eq!(parse_numeric_date(&value).map(Timestamp::millis), millis, "{value}");
        }
    }

    #[test]
    fn groups_claim_must_be_an_array_of_strings_or_a_string() {
        let some = |groups: &[&str]| Some(groups.iter().map(|&g| g.to_owned()).collect());
        for (claim, expected) in [
            (json!(["a", "b"]), some(&["a", "b"])),
            (json!([]), some(&[])),
            (json!("a"), some(&["a"])),
            (json!(null), None),
            (json!(1), None),
            (json!(["a", 1]), None),
            (json!({"a": true}), None),
        ] {
            assert_eq!(parse_groups(&claim), expected, "{claim}");
        }
    }
}
