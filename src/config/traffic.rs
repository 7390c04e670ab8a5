//! Options that limit traffic: CORS, timeouts, rates, concurrency, proxies and shutdown.

use std::{net::IpAddr, time::Duration};

use clap::Args;
use http::HeaderValue;
use ipnet::IpNet;
use url::Url;

use super::{error::ConfigError, parse};
use crate::domain::cors::AllowedOrigins;

/// Options that limit traffic.
#[derive(Args, Clone, Debug)]
pub struct TrafficOptions {
    /// Origins whose pages may send requests (CORS), separated by commas, or `*` for all. None by
    /// default.
    #[arg(long, env = "TENANTRY_CORS_ORIGINS", value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
    /// Time limit of a request, e.g. 500ms, 10s or 1m.
    #[arg(long, env = "TENANTRY_REQUEST_TIMEOUT", default_value = "10s", value_name = "DURATION")]
    pub request_timeout: String,
    /// Complexity points that a caller may spend per second (N/s) or per minute (N/m), or `off` for no
    /// limit. Each write costs 100 more.
    #[arg(long, env = "TENANTRY_RATE_LIMIT", default_value = "20000/s", value_name = "RATE")]
    pub rate_limit: String,
    /// Proxies whose `X-Forwarded-For` header is trusted: addresses and networks (10.0.0.0/8),
    /// separated by commas. None by default.
    #[arg(long, env = "TENANTRY_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// Maximum number of requests that execute at the same time. One caller may have a quarter of them
    /// in progress. Excess requests are rejected.
    #[arg(long, env = "TENANTRY_MAX_CONCURRENT_REQUESTS", default_value = "512", value_name = "N")]
    pub max_concurrent_requests: String,
    /// Maximum number of open connections. A new one replaces the longest idle one, and is refused if
    /// none is idle. The limit of open files may lower it.
    #[arg(long, env = "TENANTRY_MAX_CONNECTIONS", default_value = "4096", value_name = "N")]
    pub max_connections: String,
    /// Maximum number of open connections per client address: IPv4 address or IPv6 /64 network. It
    /// does not apply to trusted proxies.
    #[arg(
        long,
        env = "TENANTRY_MAX_CONNECTIONS_PER_ADDRESS",
        default_value = "512",
        value_name = "N"
    )]
    pub max_connections_per_address: String,
    /// Maximum number of open WebSockets and event streams per caller: the user, or the client address
    /// without a token.
    #[arg(
        long,
        env = "TENANTRY_MAX_LIVE_CONNECTIONS_PER_CALLER",
        default_value = "32",
        value_name = "N"
    )]
    pub max_live_connections_per_caller: String,
    /// Time to keep serving after SIGTERM while readiness fails, so that load balancers can react,
    /// e.g. 0s, 5s or 1m.
    #[arg(long, env = "TENANTRY_SHUTDOWN_DELAY", default_value = "0s", value_name = "DURATION")]
    pub shutdown_delay: String,
    /// Time limit for requests in flight to finish after the shutdown delay, e.g. 30s.
    #[arg(long, env = "TENANTRY_SHUTDOWN_TIMEOUT", default_value = "30s", value_name = "DURATION")]
    pub shutdown_timeout: String,
}

/// The limits of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficConfig {
    /// The origins whose pages may send requests.
    pub cors_origins: AllowedOrigins,
    /// The time limit of a request.
    pub request_timeout: Duration,
    /// The complexity that a caller may spend, or `None` for no limit.
    pub rate_limit: Option<RateLimit>,
    /// The proxies whose `X-Forwarded-For` header is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The maximum number of requests that execute at the same time.
    pub max_concurrent_requests: usize,
    /// The maximum number of open connections.
    pub max_connections: usize,
    /// The maximum number of open connections per client address.
    pub max_connections_per_address: usize,
    /// The maximum number of live connections per caller.
    pub max_live_connections_per_caller: usize,
    /// The time to keep serving after the first signal, while readiness fails.
    pub shutdown_delay: Duration,
    /// The time limit for requests in flight to finish after that.
    pub shutdown_timeout: Duration,
}

/// An amount of complexity per window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The complexity points per window, at least 1.
    pub units: u64,
    /// The length of the window.
    pub window: Duration,
}

impl TrafficOptions {
    /// Validates the limits of traffic.
    ///
    /// # Errors
    ///
    /// Returns the error of the first invalid option.
    pub fn validate(&self) -> Result<TrafficConfig, ConfigError> {
        Ok(TrafficConfig {
            cors_origins: parse_cors_origins(self.cors_origins.as_deref())?,
            request_timeout: parse::duration("TENANTRY_REQUEST_TIMEOUT", &self.request_timeout)?,
            rate_limit: parse_rate_limit(&self.rate_limit)?,
            trusted_proxies: parse_trusted_proxies(self.trusted_proxies.as_deref())?,
            shutdown_delay: match self.shutdown_delay.as_str() {
                "0" | "0s" | "0ms" | "0m" => Duration::ZERO,
                value => parse::duration("TENANTRY_SHUTDOWN_DELAY", value)?,
            },
            shutdown_timeout: parse::duration("TENANTRY_SHUTDOWN_TIMEOUT", &self.shutdown_timeout)?,
            max_concurrent_requests: parse::whole_number(
                "TENANTRY_MAX_CONCURRENT_REQUESTS",
                &self.max_concurrent_requests,
                &(1..=1_000_000),
                512,
            )?,
            max_connections: parse::whole_number(
                "TENANTRY_MAX_CONNECTIONS",
                &self.max_connections,
                &(1..=1_000_000),
                4096,
            )?,
            max_connections_per_address: parse::whole_number(
                "TENANTRY_MAX_CONNECTIONS_PER_ADDRESS",
                &self.max_connections_per_address,
                &(1..=1_000_000),
                512,
            )?,
            max_live_connections_per_caller: parse::whole_number(
                "TENANTRY_MAX_LIVE_CONNECTIONS_PER_CALLER",
                &self.max_live_connections_per_caller,
                &(1..=1_000_000),
                32,
            )?,
        })
    }
}

fn parse_cors_origins(value: Option<&str>) -> Result<AllowedOrigins, ConfigError> {
    let Some(value) = value else { return Ok(AllowedOrigins::List(Vec::new())) };
    if value.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    let origins: Option<Vec<_>> = value.split(',').map(|text| parse_origin(text.trim())).collect();
    origins.map(AllowedOrigins::List).ok_or_else(|| {
        let expected = "`*`, or origins in lower case without a path and without the default port, \
                        separated by commas, e.g. https://portal.example.org";
        ConfigError::invalid("TENANTRY_CORS_ORIGINS", "origins", value, expected)
    })
}

/// Parses an origin as browsers serialize it, because the `Origin` header must match it exactly.
fn parse_origin(text: &str) -> Option<HeaderValue> {
    let url = Url::parse(text).ok()?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && !text.contains('*')
        && url.origin().ascii_serialization() == text;
    is_origin.then(|| HeaderValue::from_str(text).ok()).flatten()
}

fn parse_trusted_proxies(value: Option<&str>) -> Result<Vec<IpNet>, ConfigError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let parse_network = |text: &str| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| address()).ok()
    };
    let networks: Option<Vec<IpNet>> =
        value.split(',').map(|text| parse_network(text.trim())).collect();
    networks.ok_or_else(|| {
        let expected = "addresses or networks separated by commas, e.g. 10.0.0.0/8";
        ConfigError::invalid("TENANTRY_TRUSTED_PROXIES", "networks", value, expected)
    })
}

fn parse_rate_limit(value: &str) -> Result<Option<RateLimit>, ConfigError> {
    if value == "off" {
        return Ok(None);
    }
    let rate_limit = parse_rate(value).ok_or_else(|| {
        let expected = "`off`, or a whole number from 1 to 1000000000 with `/s` or `/m`, e.g. \
                        20000/s";
        ConfigError::invalid("TENANTRY_RATE_LIMIT", "rate", value, expected)
    })?;
    Ok(Some(rate_limit))
}

fn parse_rate(text: &str) -> Option<RateLimit> {
    let (units, window) = text.split_once('/')?;
    let units = units.parse().ok().filter(|units| (1..=1_000_000_000).contains(units))?;
    let seconds = match window {
        "s" => 1,
        "m" => 60,
        _ => return None,
    };
    Some(RateLimit { units, window: Duration::from_secs(seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_require_a_window() {
        let parse = |value| {
            let rate = parse_rate_limit(value)?;
            Ok::<_, ConfigError>(rate.map(|rate| (rate.units, rate.window.as_secs())))
        };
        for (value, rate) in [("20000/s", Some((20_000, 1))), ("1/m", Some((1, 60))), ("off", None)]
        {
            assert_eq!(parse(value), Ok(rate), "{value}");
        }
        for bad in ["", "20000", "0/s", "-1/s", "1/h", "1/", "/s", "1000000001/s", "Off", "1 /s"] {
            let error = parse(bad).expect_err(bad).to_string();
            assert!(
                error.starts_with("TENANTRY_RATE_LIMIT: invalid rate") && error.contains("20000/s"),
                "{error}"
            );
        }
    }

    #[test]
    fn origins_must_have_the_form_that_browsers_send() {
        let list = |origins: &[&'static str]| {
            let origins = origins.iter().map(|origin| HeaderValue::from_static(origin));
            Ok(AllowedOrigins::List(origins.collect()))
        };
        assert_eq!(parse_cors_origins(None), list(&[]));
        assert_eq!(parse_cors_origins(Some("*")), Ok(AllowedOrigins::Any));
        let [one, two] = ["https://portal.example.org", "http://localhost:3000"];
        assert_eq!(parse_cors_origins(Some(one)), list(&[one]));
        assert_eq!(parse_cors_origins(Some(&format!("{one}, {two}"))), list(&[one, two]));
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
            let error = parse_cors_origins(Some(bad)).expect_err(bad).to_string();
            assert!(error.starts_with("TENANTRY_CORS_ORIGINS: invalid origins"), "{error}");
        }
    }
}
