//! What is counted, in one catalogue: every name that `GET /metrics` shows is here.

use std::time::Duration;

use prometheus::{
    Encoder, Error, GaugeVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

/// The form of [`Metrics::text`]: the text format of Prometheus.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Tokens that were refused, by reason.
const TOKEN_REFUSALS: (&str, &str) =
    ("tenantry_token_refusals_total", "Requests whose credential was refused, by reason.");
/// Fetches of issuers' keys, by issuer and outcome.
const JWKS_FETCHES: (&str, &str) =
    ("tenantry_jwks_fetches_total", "Fetches of an issuer's keys, by issuer and outcome.");
/// How old the keys in force are, by issuer.
const JWKS_AGE: (&str, &str) = (
    "tenantry_jwks_age_seconds",
    "Seconds since an issuer's keys were fetched last; absent before the first time.",
);
/// Requests whose time was over.
const TIMED_OUT: (&str, &str) =
    ("tenantry_requests_timed_out_total", "Requests that took longer than they may.");
/// Requests of those who had asked for too much.
const RATE_LIMITED: (&str, &str) =
    ("tenantry_requests_rate_limited_total", "Requests refused by rate, by who is counted.");
/// Requests that are being answered.
const IN_FLIGHT: (&str, &str) = ("tenantry_requests_in_flight", "Requests under way.");
/// Requests that were sent away because too many were under way.
const SHED: (&str, &str) =
    ("tenantry_requests_shed_total", "Requests sent away because too many were under way.");

/// The counters of one process. A clone counts into the same ones.
///
/// Labels have few values, all of them decided here or in the configuration: nothing of a request
/// becomes one.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    token_refusals: IntCounterVec,
    jwks_fetches: IntCounterVec,
    jwks_age: GaugeVec,
    timed_out: IntCounter,
    rate_limited: IntCounterVec,
    in_flight: IntGauge,
    shed: IntCounter,
}

impl Metrics {
    /// Counters at zero; fails only where two of the catalogue have one name.
    pub fn new() -> Result<Self, Error> {
        let opts = |(name, help)| Opts::new(name, help);
        let metrics = Self {
            registry: Registry::new(),
            token_refusals: IntCounterVec::new(opts(TOKEN_REFUSALS), &["reason"])?,
            jwks_fetches: IntCounterVec::new(opts(JWKS_FETCHES), &["issuer", "outcome"])?,
            jwks_age: GaugeVec::new(opts(JWKS_AGE), &["issuer"])?,
            timed_out: IntCounter::with_opts(opts(TIMED_OUT))?,
            rate_limited: IntCounterVec::new(opts(RATE_LIMITED), &["by"])?,
            in_flight: IntGauge::with_opts(opts(IN_FLIGHT))?,
            shed: IntCounter::with_opts(opts(SHED))?,
        };
        metrics.registry.register(Box::new(metrics.token_refusals.clone()))?;
        metrics.registry.register(Box::new(metrics.jwks_fetches.clone()))?;
        metrics.registry.register(Box::new(metrics.jwks_age.clone()))?;
        metrics.registry.register(Box::new(metrics.timed_out.clone()))?;
        metrics.registry.register(Box::new(metrics.rate_limited.clone()))?;
        metrics.registry.register(Box::new(metrics.in_flight.clone()))?;
        metrics.registry.register(Box::new(metrics.shed.clone()))?;
        Ok(metrics)
    }

    /// Counts a credential that was refused.
    pub fn token_refused(&self, reason: &'static str) {
        self.token_refusals.with_label_values(&[reason]).inc();
    }

    /// Counts a fetch that has ended.
    pub fn jwks_fetched(&self, issuer: &str, outcome: &'static str) {
        self.jwks_fetches.with_label_values(&[issuer, outcome]).inc();
    }

    /// Says how old an issuer's keys are.
    pub fn jwks_aged(&self, issuer: &str, age: Duration) {
        self.jwks_age.with_label_values(&[issuer]).set(age.as_secs_f64());
    }

    /// Counts a request whose time was over.
    pub fn timed_out(&self) {
        self.timed_out.inc();
    }

    /// Counts a request of somebody who had asked for too much: `actor` or `address`.
    pub fn rate_limited(&self, by: &'static str) {
        self.rate_limited.with_label_values(&[by]).inc();
    }

    /// Counts a request as under way, until [`Self::request_ended`].
    pub fn request_began(&self) {
        self.in_flight.inc();
    }

    /// The end of a request that was under way.
    pub fn request_ended(&self) {
        self.in_flight.dec();
    }

    /// Counts a request that was sent away because too many were under way.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// All of it, as Prometheus reads it.
    pub fn text(&self) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new().expect("a catalogue");
        metrics.clone().token_refused("expired");
        metrics.token_refused("expired");
        metrics.jwks_fetched("https://id.example/", "ok");
        metrics.jwks_aged("https://id.example/", Duration::from_millis(1500));
        metrics.timed_out();
        metrics.rate_limited("actor");
        (0..3).for_each(|_| metrics.request_began());
        metrics.request_ended();
        metrics.shed();
        let text = String::from_utf8(metrics.text().expect("text")).expect("UTF-8");
        for line in [
            "# TYPE tenantry_token_refusals_total counter",
            r#"tenantry_token_refusals_total{reason="expired"} 2"#,
            r#"tenantry_jwks_fetches_total{issuer="https://id.example/",outcome="ok"} 1"#,
            "tenantry_requests_timed_out_total 1",
            r#"tenantry_requests_rate_limited_total{by="actor"} 1"#,
            "tenantry_requests_in_flight 2",
            "tenantry_requests_shed_total 1",
            "# TYPE tenantry_jwks_age_seconds gauge",
            r#"tenantry_jwks_age_seconds{issuer="https://id.example/"} 1.5"#,
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }
}
