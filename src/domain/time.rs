//! Timestamps with a precision of one millisecond, as stores keep them and clients see them.

use std::{fmt, time::Duration};

/// A time in UTC with a precision of one millisecond, from [`Self::MIN`] to [`Self::MAX`].
///
/// RFC 3339 can represent every value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest timestamp: `0000-01-01T00:00:00.000Z`.
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// The latest timestamp: `9999-12-30T22:00:00.000Z`. It is in the year 9999 at every offset.
    pub const MAX: Self = Self(253_402_207_200_000);

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
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The parser accepts more formats than RFC 3339: those of ISO 8601, and a zone in brackets.
        let bytes = text.as_bytes();
        let date_time = bytes.get(4) == Some(&b'-')
            && bytes.get(7) == Some(&b'-')
            && matches!(bytes.get(10), Some(b'T' | b't'))
            && bytes.get(13) == Some(&b':')
            && bytes.get(16) == Some(&b':');
        let zone = matches!(bytes.last(), Some(b'Z' | b'z'))
            || (bytes.len() > 22 && bytes[bytes.len() - 3] == b':');
        if !date_time || !zone || !text.is_ascii() || bytes.len() > 64 {
            return None;
        }
        let parsed: jiff::Timestamp = text.parse().ok()?;
        Self::from_millis(parsed.as_nanosecond().div_euclid(1_000_000).try_into().ok()?)
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

/// Writes RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{at:.3}")
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
            (Timestamp::MIN.0, "0000-01-01T00:00:00.000Z"),
            (Timestamp::MAX.0, "9999-12-30T22:00:00.000Z"),
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
            "0000-01-01T00:00:00+01:00",
            "now",
        ] {
            assert_eq!(Timestamp::parse(invalid), None, "{invalid:?}");
        }
    }
}
