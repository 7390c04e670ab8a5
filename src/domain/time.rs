//! Timestamps with a precision of one millisecond, as stores keep them and clients see them.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, civil};

/// The date and time of the Unix epoch, in UTC.
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// A time in UTC with a precision of one millisecond, from [`Self::MIN`] to [`Self::MAX`].
///
/// RFC 3339 can represent every value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest timestamp: `0001-01-01T00:00:00.000Z`.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// The latest timestamp: `9999-12-31T23:59:59.999Z`.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Creates a timestamp from milliseconds since 1970.
    ///
    /// Returns `None` if it is not between [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis < Self::MIN.0 || millis > Self::MAX.0 { None } else { Some(Self(millis)) }
    }

    /// Creates a timestamp from whole seconds since 1970.
    ///
    /// Returns `None` if it is not between [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(1000) {
            Some(millis) => Self::from_millis(millis),
            None => None,
        }
    }

    /// Returns the milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses an RFC 3339 text with any offset. Digits beyond milliseconds are cut off.
    ///
    /// A leap second, `23:59:60`, is read as the second before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        // 64 bytes leave room for more digits of a second than any clock has.
        if bytes.len() > 64 || !has_shape(bytes.get(..19)?, b"0000-00-00T00:00:00") {
            return None;
        }
        let number = |start: usize, end: usize| text.get(start..end)?.parse::<i16>().ok();
        let two_digits = |start: usize| i8::try_from(number(start, start + 2)?).ok();
        let second = two_digits(17)?;
        let (millis, offset) = parse_fraction(text.get(19..)?)?;
        let local = civil::DateTime::new(
            number(0, 4)?,
            two_digits(5)?,
            two_digits(8)?,
            two_digits(11)?,
            two_digits(14)?,
            if second == 60 { 59 } else { second },
            0,
        );
        let since_epoch = local.ok()?.duration_since(EPOCH).as_secs();
        Self::from_millis((since_epoch - parse_offset(offset)?) * 1000 + millis)
    }

    /// Returns the timestamp that is later by `duration`, or [`Self::MAX`] if it is out of range.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis).min(Self::MAX.0))
    }

    /// Returns the duration from `earlier` to this timestamp, or zero if `earlier` is later.
    #[must_use]
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).try_into().unwrap_or(0))
    }
}

/// Returns whether a text has the digits and separators of a pattern, in which `0` is any digit.
///
/// Letters are compared without regard to case, as RFC 3339 section 5.6 permits.
fn has_shape(text: &[u8], pattern: &[u8]) -> bool {
    text.len() == pattern.len()
        && text.iter().zip(pattern).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            _ => byte.eq_ignore_ascii_case(expected),
        })
}

/// Splits the text after the seconds into milliseconds and offset.
fn parse_fraction(text: &str) -> Option<(i64, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, offset) = text.split_at_checked(digits)?;
    let millis = format!("{:0<3}", fraction.get(..3).unwrap_or(fraction));
    if digits == 0 { None } else { Some((millis.parse().ok()?, offset)) }
}

/// Parses an offset of RFC 3339, from `-23:59` to `+23:59`, into seconds.
fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    if !has_shape(hours.as_bytes(), b"00") || !has_shape(minutes.as_bytes(), b"00") {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Writes RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since_epoch = SignedDuration::from_millis(self.0);
        let at = EPOCH.checked_add(since_epoch).map_err(|_| fmt::Error)?;
        write!(f, "{at:.3}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_writes_utc_with_milliseconds() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_767_225_600_007, "2026-01-01T00:00:00.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (Timestamp::MIN.0, "0001-01-01T00:00:00.000Z"),
            (Timestamp::MAX.0, "9999-12-31T23:59:59.999Z"),
        ] {
            let at = Timestamp::from_millis(millis).expect("in range");
            assert_eq!(at.to_string(), text);
            assert_eq!(Timestamp::parse(text), Some(at));
        }
    }

    #[test]
    fn parse_accepts_any_offset_and_truncates_to_milliseconds() {
        let at = Timestamp::parse("2026-01-01T02:00:00.0079999+02:00").expect("well formed");
        assert_eq!(at.to_string(), "2026-01-01T00:00:00.007Z");
        for (text, expected) in [
            ("2026-01-01t00:00:00z", "2026-01-01T00:00:00.000Z"),
            ("2026-01-01T00:00:00.5-23:59", "2026-01-01T23:59:00.500Z"),
            ("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.000Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
            ("0000-12-31T23:30:00-01:00", "0001-01-01T00:30:00.000Z"),
            ("9999-12-31T23:59:59.9999+00:00", "9999-12-31T23:59:59.999Z"),
            ("9999-12-31T23:59:59+23:59", "9999-12-31T00:00:59.000Z"),
        ] {
            let at = Timestamp::parse(text).map(|at| at.to_string());
            assert_eq!(at.as_deref(), Some(expected), "{text}");
        }
        for invalid in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "20260101T000000Z",
            "2026-01-01T00:00:00+01:00[Europe/Berlin]",
            "+02026-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-00:01",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.5",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+23:60",
            "2026-01-01T00:00:00+0100",
            "2026-01-01T00:00:00+01",
            "2026-01-01T00:00:00+1:00",
            "2026-01-01T00:00:00++1:00",
            "2026-01-01T00:00:00 Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2025-02-29T00:00:00Z",
            "2026-01-01T00:00:00.00000000000000000000000000000000000000000000000Z",
            "now",
        ] {
            assert_eq!(Timestamp::parse(invalid), None, "{invalid:?}");
        }
    }
}
