//! Reads a value as the type that the gateway stores. Mongoose reads most of them the same way.
//!
//! A value that is absent or null is `None`. A value that cannot be converted is an error.

use mongodb::bson::{Bson, RawBsonRef};

use crate::domain::{id::ObjectId, time::Timestamp};

/// A number of milliseconds since 1970 is at least this large. A smaller number is probably a number
/// of seconds.
const MIN_MILLIS: i64 = 100_000_000_000;

/// A converted value, `None` for null, or the reason why it cannot be converted.
pub(super) type Value<T> = Result<Option<T>, String>;

/// Reads text. A whole number or an identifier becomes its digits.
pub(super) fn text(field: &str, value: Option<RawBsonRef<'_>>) -> Value<String> {
    match value {
        None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => Ok(None),
        Some(RawBsonRef::String(text) | RawBsonRef::Symbol(text)) => Ok(Some(text.to_owned())),
        Some(RawBsonRef::ObjectId(id)) => Ok(Some(id.to_hex())),
        Some(value) => match integer(value) {
            Some(number) => Ok(Some(number.to_string())),
            None => Err(unexpected(field, "a string", Some(value))),
        },
    }
}

/// Reads text that is not blank. Blank text counts as absent.
pub(super) fn visible_text(field: &str, value: Option<RawBsonRef<'_>>) -> Value<String> {
    Ok(text(field, value)?.filter(|text| !text.trim().is_empty()))
}

/// Reads a date. Text in the usual formats and milliseconds since 1970 are dates.
pub(super) fn time(field: &str, value: Option<RawBsonRef<'_>>) -> Value<Timestamp> {
    let time = match value {
        None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(None),
        Some(RawBsonRef::DateTime(at)) => Timestamp::from_millis(at.timestamp_millis()),
        Some(RawBsonRef::String(text)) => parse_time(text.trim()),
        Some(value) => integer(value).and_then(from_millis),
    };
    time.map(Some).ok_or_else(|| unexpected(field, "a date from year 1 to 9999", value))
}

/// Reads an identifier. Text of 24 hexadecimal digits is one.
pub(super) fn id(value: RawBsonRef<'_>) -> Option<ObjectId> {
    match value {
        RawBsonRef::ObjectId(id) => Some(ObjectId(id.bytes())),
        RawBsonRef::String(text) => ObjectId::from_hex(&text.trim().to_ascii_lowercase()),
        _ => None,
    }
}

/// Reads a flag. Also accepts 0, 1 and the words of Mongoose.
pub(super) fn flag(field: &str, value: Option<RawBsonRef<'_>>) -> Value<bool> {
    let flag = match value {
        None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => return Ok(None),
        Some(RawBsonRef::Boolean(flag)) => Some(flag),
        Some(RawBsonRef::String(text)) => match text.trim() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        },
        Some(value) => match integer(value) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
    };
    flag.map(Some).ok_or_else(|| unexpected(field, "a boolean", value))
}

/// Reads a value of an enumeration, in any case. The error of an unknown one shows it.
pub(super) fn string_enum<T>(
    field: &str,
    value: Option<RawBsonRef<'_>>,
    parse: fn(&str) -> Option<T>,
) -> Value<T> {
    let Some(text) = text(field, value)? else { return Ok(None) };
    let known = parse(&text.trim().to_lowercase());
    known.map(Some).ok_or_else(|| format!("{field}: unknown value {}", shorten(&text)))
}

/// Returns the reason why the value of a field cannot be converted.
pub(super) fn unexpected(field: &str, expected: &str, found: Option<RawBsonRef<'_>>) -> String {
    format!("{field}: expected {expected}, found {}", describe(found))
}

/// Describes a stored value for the report.
pub(super) fn describe(value: Option<RawBsonRef<'_>>) -> String {
    match value.map(Bson::try_from) {
        None => "nothing".to_owned(),
        Some(Ok(Bson::String(text) | Bson::Symbol(text))) => shorten(&text),
        Some(Ok(Bson::ObjectId(id))) => id.to_hex(),
        Some(Ok(value)) => start(&value.to_string()).replace(char::is_control, " "),
        Some(Err(_)) => "a malformed value".to_owned(),
    }
}

/// Quotes a stored text for the report, shortened to 60 characters.
pub(super) fn shorten(text: &str) -> String {
    format!("{:?}", start(text))
}

fn start(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("{start}{dots}")
}

fn integer(value: RawBsonRef<'_>) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        RawBsonRef::Int32(n) => Some(n.into()),
        RawBsonRef::Int64(n) => Some(n),
        // A whole number in this range is exact in both types.
        RawBsonRef::Double(n) if n.fract() == 0.0 && n.abs() <= EXACT => Some(n as i64),
        _ => None,
    }
}

fn from_millis(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millis(millis).filter(|_| millis >= MIN_MILLIS)
}

/// Parses a date in RFC 3339, with a blank instead of `T`, without an offset (UTC), without a time, in
/// RFC 2822, in the form of JavaScript's `Date.toString`, or in milliseconds.
fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(millis) = text.parse::<i64>() {
        return from_millis(millis);
    }
    let iso = text.replacen(' ', "T", 1);
    let forms = [iso.clone(), format!("{iso}Z"), format!("{iso}T00:00:00Z")];
    let rfc3339 = forms.iter().find_map(|form| Timestamp::parse(form));
    rfc3339.or_else(|| {
        let javascript = text.split(" (").next().unwrap_or(text);
        let parsed = jiff::fmt::rfc2822::parse(text)
            .map(|zoned| zoned.timestamp())
            .or_else(|_| jiff::Timestamp::strptime("%a %b %d %Y %H:%M:%S GMT%z", javascript));
        Timestamp::from_millis(parsed.ok()?.as_millisecond())
    })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{Bson, RawDocumentBuf, doc};

    use super::*;

    /// Applies a conversion to a value, as it is in a document.
    fn read<T>(value: impl Into<Bson>, convert: impl Fn(Option<RawBsonRef<'_>>) -> T) -> T {
        let raw = RawDocumentBuf::try_from(&doc! { "f": value.into() }).expect("a document");
        convert(raw.get("f").expect("well formed"))
    }

    #[test]
    fn dates_are_read_from_text_and_numbers() {
        let expected = Timestamp::parse("2024-03-05T09:00:00Z");
        for value in [
            Bson::from("2024-03-05T09:00:00.000Z"),
            "2024-03-05T10:00:00+01:00".into(),
            "2024-03-05 09:00:00".into(),
            " 2024-03-05T09:00:00 ".into(),
            "Tue, 05 Mar 2024 09:00:00 GMT".into(),
            "Tue Mar 05 2024 10:00:00 GMT+0100 (Central European Standard Time)".into(),
            "1709629200000".into(),
            1_709_629_200_000_i64.into(),
            1_709_629_200_000.0.into(),
            mongodb::bson::DateTime::from_millis(1_709_629_200_000).into(),
        ] {
            let read = read(value.clone(), |value| time("f", value));
            assert_eq!(read, Ok(expected), "{value}");
        }
        let day = read("2024-03-05", |value| time("f", value));
        assert_eq!(day, Ok(Timestamp::parse("2024-03-05T00:00:00Z")));
        assert_eq!(read(Bson::Null, |value| time("f", value)), Ok(None));
        for invalid in [
            Bson::from("yesterday"),
            "".into(),
            "2024-13-05".into(),
            1_709_629_200.into(),
            f64::NAN.into(),
            1.5e12_f64.mul_add(1.0, 0.5).into(),
            true.into(),
        ] {
            assert!(read(invalid.clone(), |value| time("f", value)).is_err(), "{invalid}");
        }
    }

    #[test]
    fn text_and_flags_are_read_from_numbers() {
        let text = |value| read(value, |value| super::text("f", value));
        assert_eq!(text(Bson::Int32(1010)), Ok(Some("1010".to_owned())));
        assert_eq!(text(Bson::Double(7.0)), Ok(Some("7".to_owned())));
        assert_eq!(text(Bson::Null), Ok(None));
        assert!(text(Bson::Double(7.5)).is_err());
        assert!(text(Bson::Array(Vec::new())).is_err());
        let flag = |value| read(value, |value| super::flag("f", value));
        assert_eq!(flag(Bson::Int64(1)), Ok(Some(true)));
        assert_eq!(flag(Bson::from("false")), Ok(Some(false)));
        assert!(flag(Bson::from("maybe")).is_err());
        assert!(flag(Bson::Int32(2)).is_err());
    }

    #[test]
    fn identifiers_are_read_from_text() {
        let expected = ObjectId::from_hex("66f0c1000000000000000001");
        assert_eq!(read("66F0C1000000000000000001", |value| id(value?)), expected);
        assert_eq!(read("66f0c1", |value| id(value?)), None);
        assert_eq!(read(7, |value| id(value?)), None);
    }
}
