//! What the claims of a token must be, each of its proper JSON type (RFC 7519 section 4.1).

use serde_json::Value;

use crate::domain::{
    sync::{LEEWAY, TokenProfile},
    time::Timestamp,
    user::Identity,
};

use super::{
    json_object::UniqueKeyObject,
    token::{TokenError, TokenValidation},
};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 255;

/// Who the token is for, where it is one of our issuer for us.
pub(super) fn identity(
    claims: &UniqueKeyObject,
    expected: &TokenValidation,
) -> Result<Identity, TokenError> {
    let issuer =
        claims.text("iss").filter(|iss| *iss == expected.issuer).ok_or(TokenError::Issuer)?;
    if !claims.get("aud").is_some_and(|aud| audience_matches(aud, &expected.audiences)) {
        return Err(TokenError::Audience);
    }
    let subject = claims.text("sub").ok_or(TokenError::Subject)?;
    if subject.is_empty() || subject.chars().nth(MAX_SUBJECT).is_some() {
        return Err(TokenError::Subject);
    }
    Ok(Identity { issuer: issuer.to_owned(), subject: subject.to_owned() })
}

fn audience_matches(aud: &Value, ours: &[String]) -> bool {
    let is_ours = |aud: &str| ours.iter().any(|our| our == aud);
    match aud {
        Value::String(aud) => is_ours(aud),
        Value::Array(all) => {
            all.iter().all(Value::is_string) && all.iter().filter_map(Value::as_str).any(is_ours)
        }
        _ => false,
    }
}

/// When a token was issued and when it expires.
pub(super) struct Lifetime {
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Timestamp,
}

/// The lifetime, where `now` is in it give or take the leeway.
pub(super) fn lifetime(claims: &UniqueKeyObject, now: Timestamp) -> Result<Lifetime, TokenError> {
    let expires_at = claims.get("exp").ok_or(TokenError::MissingExp)?;
    let expires_at = parse_numeric_date(expires_at).ok_or(TokenError::InvalidTimestamp)?;
    if now >= expires_at.saturating_add(LEEWAY) {
        return Err(TokenError::Expired);
    }
    let ahead = |at: Timestamp| at > now.saturating_add(LEEWAY);
    if optional_moment(claims, "nbf")?.is_some_and(ahead) {
        return Err(TokenError::NotYetValid);
    }
    let issued_at = optional_moment(claims, "iat")?;
    if issued_at.is_some_and(ahead) {
        return Err(TokenError::IssuedInFuture);
    }
    Ok(Lifetime { issued_at, expires_at })
}

fn optional_moment(claims: &UniqueKeyObject, name: &str) -> Result<Option<Timestamp>, TokenError> {
    claims
        .get(name)
        .map(|value| parse_numeric_date(value).ok_or(TokenError::InvalidTimestamp))
        .transpose()
}

/// A `NumericDate` (RFC 7519 section 2), which may have a fraction; `None` before 1970 and after 9999.
fn parse_numeric_date(value: &Value) -> Option<Timestamp> {
    let at = match value.as_i64() {
        Some(seconds) => Timestamp::from_seconds(seconds)?,
        // `as` saturates, and both ends are out of range.
        None => Timestamp::from_millis((value.as_f64()? * 1000.0).floor() as i64)?,
    };
    (at.millis() >= 0).then_some(at)
}

/// What the token says beyond who it is for. Claims of another type than theirs are not there.
pub(super) fn profile(
    claims: &UniqueKeyObject,
    issued_at: Option<Timestamp>,
    groups_claim: &str,
) -> TokenProfile {
    let text = |name| claims.text(name).map(str::to_owned);
    TokenProfile {
        email: text("email"),
        name: text("name"),
        preferred_username: text("preferred_username"),
        issued_at: issued_at.and_then(|at| Timestamp::from_seconds(at.seconds())),
        groups: claims.get(groups_claim).and_then(groups),
    }
}

/// An array of strings or a string.
fn groups(claim: &Value) -> Option<Vec<String>> {
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
    fn a_moment_is_a_number_of_this_era() {
        for (value, millis) in [
            (json!(0), Some(0)),
            (json!(1.5), Some(1500)),
            (json!(1e3), Some(1_000_000)),
            (json!(1_767_225_600.999_9), Some(1_767_225_600_999)),
            (json!(253_402_207_200_i64), Some(Timestamp::MAX.millis())),
            (json!(253_402_207_201_i64), None),
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
    fn groups_are_an_array_of_strings_or_a_string() {
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
            assert_eq!(groups(&claim), expected, "{claim}");
        }
    }
}
