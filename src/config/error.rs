//! The error of an option that is missing or invalid.

use std::fmt;

/// An error in the value of one option. `Display` is one line and contains no secret.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    variable: &'static str,
    cause: Cause,
    expected: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Cause {
    Missing,
    Invalid {
        /// The kind of value, such as "address".
        value_kind: &'static str,
        /// The value in quotes, or `None` if it may contain a secret.
        value: Option<String>,
    },
}

impl ConfigError {
    /// Returns the error of a required option that is not set.
    pub(super) fn missing(variable: &'static str, expected: impl Into<String>) -> Self {
        Self { variable, cause: Cause::Missing, expected: expected.into() }
    }

    /// Returns the error of an option with an invalid value, and shows the value.
    pub(super) fn invalid(
        variable: &'static str,
        value_kind: &'static str,
        value: &str,
        expected: impl Into<String>,
    ) -> Self {
        // `{:?}` escapes control characters, so the error stays on one line.
        let cause = Cause::Invalid { value_kind, value: Some(format!("{value:?}")) };
        Self { variable, cause, expected: expected.into() }
    }

    /// Returns the error of an option whose invalid value may contain a secret, without the value.
    pub(super) fn invalid_secret(
        variable: &'static str,
        value_kind: &'static str,
        expected: impl Into<String>,
    ) -> Self {
        let cause = Cause::Invalid { value_kind, value: None };
        Self { variable, cause, expected: expected.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, cause, expected } = self;
        match cause {
            Cause::Missing => write!(f, "{variable}: not set; expected {expected}"),
            Cause::Invalid { value_kind, value: Some(value) } => {
                write!(f, "{variable}: invalid {value_kind} {value}; expected {expected}")
            }
            Cause::Invalid { value_kind, value: None } => {
                write!(f, "{variable}: invalid {value_kind}; expected {expected}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}
