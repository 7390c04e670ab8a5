//! Parsers that several groups of options share.

use std::{fmt::Display, net::SocketAddr, ops::RangeInclusive, str::FromStr, time::Duration};

use url::{Host, Url};

use super::error::ConfigError;

/// The longest accepted duration. A longer one is almost certainly a mistake.
const MAX_DURATION: Duration = Duration::from_secs(60 * 60);

/// Returns the value of a required option.
pub(super) fn required(
    variable: &'static str,
    value: Option<String>,
    expected: &str,
) -> Result<String, ConfigError> {
    value.ok_or_else(|| ConfigError::missing(variable, expected))
}

/// Parses an IP address with a port.
pub(super) fn address(variable: &'static str, value: &str) -> Result<SocketAddr, ConfigError> {
    value.parse().map_err(|_| {
        let expected = "<ip>:<port>, e.g. 127.0.0.1:8080";
        ConfigError::invalid(variable, "address", value, expected)
    })
}

/// Parses a whole number within a range.
pub(super) fn whole_number<T: Copy + Display + FromStr + PartialOrd>(
    variable: &'static str,
    value: &str,
    range: &RangeInclusive<T>,
    example: T,
) -> Result<T, ConfigError> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (min, max) = (range.start(), range.end());
        let expected = format!("a whole number from {min} to {max}, e.g. {example}");
        ConfigError::invalid(variable, "number", value, expected)
    })
}

/// Parses a boolean. An option that is not set has the default value.
pub(super) fn boolean(
    variable: &'static str,
    value: Option<&str>,
    default: bool,
) -> Result<bool, ConfigError> {
    match value {
        None => Ok(default),
        Some("true" | "1" | "yes" | "on") => Ok(true),
        Some("false" | "0" | "no" | "off") => Ok(false),
        Some(other) => Err(ConfigError::invalid(variable, "boolean", other, "`true` or `false`")),
    }
}

/// Parses a duration with a unit, such as `500ms`, `10s` or `1m`.
pub(super) fn duration(variable: &'static str, value: &str) -> Result<Duration, ConfigError> {
    let error = || {
        let expected = "a duration from 1ms to 60m, e.g. 500ms, 10s or 1m";
        ConfigError::invalid(variable, "duration", value, expected)
    };
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = value.strip_suffix(unit).and_then(|number| number.parse::<u32>().ok());
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        _ => return Err(error()),
    };
    let duration = number.map(|number| Duration::from_millis(u64::from(number) * millis));
    duration.filter(|duration| !duration.is_zero() && *duration <= MAX_DURATION).ok_or_else(error)
}

/// Parses a URL of the provider. It must use `https`, or `http` with a loopback host.
pub(super) fn provider_url(variable: &'static str, value: &str) -> Result<Url, ConfigError> {
    const EXAMPLE: &str = "e.g. https://id.example.org/";
    let error = |expected: &str| {
        ConfigError::invalid(variable, "URL", value, format!("{expected}, {EXAMPLE}"))
    };
    let url = Url::parse(value).map_err(|_| error("a URL with a scheme and a host"))?;
    if !url.username().is_empty() || url.password().is_some() {
        let expected = format!("a URL without a user and a password, {EXAMPLE}");
        return Err(ConfigError::invalid_secret(variable, "URL", expected));
    }
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(error("a URL with a host")),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        "http" => Err(error("https, because http is allowed for a loopback host only")),
        _ => Err(error("https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_one_line_with_variable_value_and_expectation() {
        let error = address("TENANTRY_BIND", "1\n2").expect_err("no address").to_string();
        assert_eq!(
            error,
            r#"TENANTRY_BIND: invalid address "1\n2"; expected <ip>:<port>, e.g. 127.0.0.1:8080"#
        );
    }

    #[test]
    fn provider_urls_require_https_unless_the_host_is_loopback() {
        for good in
            ["https://id.example.org/o/portal/", "http://127.0.0.1:9000/x", "http://localhost:1"]
        {
            assert!(provider_url("V", good).is_ok(), "{good}");
        }
        for bad in ["http://id.example.org/", "ftp://x/", "x", "", "https://u:p@id.example.org/"] {
            let error = provider_url("V", bad).expect_err(bad).to_string();
            assert!(error.starts_with("V: invalid URL") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn durations_require_a_unit_and_a_range() {
        let parse = |value| duration("V", value).map(|duration| duration.as_millis());
        for (value, millis) in
            [("500ms", 500), ("1ms", 1), ("10s", 10_000), ("1m", 60_000), ("60m", 3_600_000)]
        {
            assert_eq!(parse(value), Ok(millis), "{value}");
        }
        for bad in ["", "10", "s", "0s", "61m", "-1s", "1.5s", "10 s", "10S", "1h", "99999999999s"]
        {
            let error = parse(bad).expect_err(bad).to_string();
            assert!(error.starts_with("V: invalid duration") && error.contains("500ms"), "{error}");
        }
    }
}
