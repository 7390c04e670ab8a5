//! Options of what holds traffic in bounds.

use std::{net::IpAddr, time::Duration};

use clap::Args;
use ipnet::IpNet;
use url::Url;

use super::ConfigError;

/// Options of what holds traffic in bounds.
#[derive(Args, Clone, Debug)]
pub struct TrafficOptions {
    /// Origins of pages that may ask, with commas between, or `*` for all; none by default.
    #[arg(long, env = "TENANTRY_CORS_ORIGINS", value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
    /// How long a request may take: 500ms, 10s or 1m.
    #[arg(long, env = "TENANTRY_REQUEST_TIMEOUT", default_value = "10s", value_name = "TIME")]
    pub request_timeout: String,
    /// How much complexity a caller may ask for: N/s, N/m or off.
    #[arg(long, env = "TENANTRY_RATE_LIMIT", default_value = "20000/s", value_name = "RATE")]
    pub rate_limit: String,
    /// Proxies in front whose `X-Forwarded-For` says who asks: addresses and networks (10.0.0.0/8) with
    /// commas between; none by default.
    #[arg(long, env = "TENANTRY_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// How many requests may be at work at once; more are sent away.
    #[arg(long, env = "TENANTRY_MAX_CONCURRENT_REQUESTS", default_value = "512", value_name = "N")]
    pub max_concurrent_requests: String,
    /// How long to go on answering after SIGTERM while readiness says no, so that balancers take
    /// notice: 0s, 5s or 1m.
    #[arg(long, env = "TENANTRY_SHUTDOWN_DELAY", default_value = "0s", value_name = "TIME")]
    pub shutdown_delay: String,
    /// How long requests under way have to end after that.
    #[arg(long, env = "TENANTRY_SHUTDOWN_TIMEOUT", default_value = "30s", value_name = "TIME")]
    pub shutdown_timeout: String,
}

/// What holds traffic in bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficConfig {
    /// The pages of other origins that may ask.
    pub cors_origins: CorsOrigins,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How much a caller may ask for; `None` where there is no end.
    pub rate_limit: Option<RateLimit>,
    /// The proxies in front, whose word counts of who asks.
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests may be at work at once.
    pub max_concurrent_requests: usize,
    /// How long the program goes on answering after it was told to stop.
    pub shutdown_delay: Duration,
    /// How long requests under way have to end after that.
    pub shutdown_timeout: Duration,
}

/// So much in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How much, at least 1.
    pub units: u64,
    /// In how long.
    pub window: Duration,
}

/// The origins whose pages may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin.
    Any,
    /// These, each as browsers write it. None is our own alone.
    These(Vec<String>),
}

impl TrafficOptions {
    /// Validates.
    pub fn validate(&self) -> Result<TrafficConfig, ConfigError> {
        Ok(TrafficConfig {
            cors_origins: cors_origins(self.cors_origins.as_deref())?,
            request_timeout: parse_duration("TENANTRY_REQUEST_TIMEOUT", &self.request_timeout)?,
            rate_limit: rate("TENANTRY_RATE_LIMIT", &self.rate_limit)?,
            trusted_proxies: networks(self.trusted_proxies.as_deref())?,
            shutdown_delay: match self.shutdown_delay.as_str() {
                "0" | "0s" | "0ms" | "0m" => Duration::ZERO,
                held => parse_duration("TENANTRY_SHUTDOWN_DELAY", held)?,
            },
            shutdown_timeout: parse_duration("TENANTRY_SHUTDOWN_TIMEOUT", &self.shutdown_timeout)?,
            max_concurrent_requests: in_flight(
                "TENANTRY_MAX_CONCURRENT_REQUESTS",
                &self.max_concurrent_requests,
            )?,
        })
    }
}

fn cors_origins(held: Option<&str>) -> Result<CorsOrigins, ConfigError> {
    let Some(held) = held else { return Ok(CorsOrigins::These(Vec::new())) };
    if held.trim() == "*" {
        return Ok(CorsOrigins::Any);
    }
    let origins: Vec<String> = held.split(',').map(|origin| origin.trim().to_owned()).collect();
    if origins.iter().all(|origin| is_origin(origin)) {
        return Ok(CorsOrigins::These(origins));
    }
    let expected = "expected `*`, or origins such as https://portal.example.org with commas \
                    between: lower case, without a path or a port that is the scheme's own";
    Err(ConfigError::new("TENANTRY_CORS_ORIGINS", held, expected))
}

/// Whether a browser would write it so: the header is compared with it to the letter.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let wild = text.contains('*');
        matches!(url.scheme(), "http" | "https")
            && !wild
            && url.origin().ascii_serialization() == text
    })
}

/// The longest time that an option may hold: anything over it is a slip.
const TIME_MAX: Duration = Duration::from_secs(60 * 60);

fn parse_duration(variable: &'static str, held: &str) -> Result<Duration, ConfigError> {
    let wrong = || {
        let expected = "expected a time of 1ms to 60m, such as 500ms, 10s or 1m";
        ConfigError::new(variable, held, expected)
    };
    let unit = held.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = held.strip_suffix(unit).and_then(|number| number.parse::<u32>().ok());
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        _ => return Err(wrong()),
    };
    let time = number.map(|number| Duration::from_millis(u64::from(number) * millis));
    time.filter(|time| !time.is_zero() && *time <= TIME_MAX).ok_or_else(wrong)
}

fn networks(held: Option<&str>) -> Result<Vec<IpNet>, ConfigError> {
    let Some(held) = held else { return Ok(Vec::new()) };
    let network = |text: &str| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| address()).ok()
    };
    let networks: Option<Vec<IpNet>> = held.split(',').map(|text| network(text.trim())).collect();
    networks.ok_or_else(|| {
        let expected = "expected addresses or networks such as 10.0.0.0/8 with commas between";
        ConfigError::new("TENANTRY_TRUSTED_PROXIES", held, expected)
    })
}

fn in_flight(variable: &'static str, held: &str) -> Result<usize, ConfigError> {
    let number = held.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| {
        ConfigError::new(variable, held, "expected a whole number from 1 to 1000000, such as 512")
    })
}

fn rate(variable: &'static str, held: &str) -> Result<Option<RateLimit>, ConfigError> {
    if held == "off" {
        return Ok(None);
    }
    let read = || {
        let (units, window) = held.split_once('/')?;
        let units = units.parse().ok().filter(|units| (1..=1_000_000_000).contains(units))?;
        let seconds = match window {
            "s" => 1,
            "m" => 60,
            _ => return None,
        };
        Some(RateLimit { units, window: Duration::from_secs(seconds) })
    };
    let wrong = || {
        let expected = "expected `off`, or a whole number from 1 to 1000000000 with `/s` or `/m`, \
                        such as 20000/s";
        ConfigError::new(variable, held, expected)
    };
    read().map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_window() {
        let read = |held| rate("V", held).map(|r| r.map(|r| (r.units, r.window.as_secs())));
        for (held, known) in [("20000/s", Some((20_000, 1))), ("1/m", Some((1, 60))), ("off", None)]
        {
            assert_eq!(read(held), Ok(known), "{held}");
        }
        for bad in ["", "20000", "0/s", "-1/s", "1/h", "1/", "/s", "1000000001/s", "Off", "1 /s"] {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.starts_with("V holds") && error.contains("20000/s"), "{error}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        let read = |held| parse_duration("V", held).map(|time| time.as_millis());
        for (held, millis) in
            [("500ms", 500), ("1ms", 1), ("10s", 10_000), ("1m", 60_000), ("60m", 3_600_000)]
        {
            assert_eq!(read(held), Ok(millis), "{held}");
        }
        for bad in ["", "10", "s", "0s", "61m", "-1s", "1.5s", "10 s", "10S", "1h", "99999999999s"]
        {
            let error = read(bad).expect_err(bad).to_string();
            assert!(error.starts_with("V holds") && error.contains("500ms"), "{error}");
        }
    }

    #[test]
    fn origins_are_as_browsers_write_them() {
        let these = |origins: &[&str]| {
            Ok(CorsOrigins::These(origins.iter().map(|&origin| origin.to_owned()).collect()))
        };
        assert_eq!(cors_origins(None), these(&[]));
        assert_eq!(cors_origins(Some("*")), Ok(CorsOrigins::Any));
        let [one, two] = ["https://portal.example.org", "http://localhost:3000"];
        assert_eq!(cors_origins(Some(one)), these(&[one]));
        assert_eq!(cors_origins(Some(&format!("{one}, {two}"))), these(&[one, two]));
        for bad in [
            "https://portal.example.org/",
            "https://Portal.example.org",
            "https://portal.example.org:443",
            "https://ada@portal.example.org",
            "portal.example.org",
            "https://*.example.org",
            "null",
            "file:///x",
            "*, https://portal.example.org",
            "https://portal.example.org,",
        ] {
            let error = cors_origins(Some(bad)).expect_err(bad).to_string();
            assert!(error.starts_with("TENANTRY_CORS_ORIGINS holds"), "{error}");
        }
    }
}
