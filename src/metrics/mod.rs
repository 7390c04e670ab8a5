//! What is counted, in one catalogue: every name that `GET /metrics` shows is here.
//!
//! Labels have few values, all of them decided here, by the schema or by the configuration: nothing
//! that a client has made up becomes one, so no client can make this grow.

mod catalogue;

use std::time::Duration;

use prometheus::{
    Encoder, Error, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

pub use catalogue::{CATALOGUE, Family};

/// The form of [`Metrics::text`]: the text format of Prometheus.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// An operation, as far as it is told apart: by few names, all of them known before it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// `query`, `mutation`, or `none` where no operation was found.
    pub kind: &'a str,
    /// Its root field, `several`, or `none`.
    pub field: &'a str,
    /// Its own name where its document is a trusted one, else nothing.
    pub name: &'a str,
}

impl Operation<'static> {
    /// A request that was refused before an operation was found.
    pub const NONE: Self = Self { kind: "none", field: "none", name: "" };
}

/// The counters of one process. A clone counts into the same ones.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    auth_failures: IntCounterVec,
    jwks_fetches: IntCounterVec,
    jwks_age: GaugeVec,
    commands: HistogramVec,
    batches: HistogramVec,
    timed_out: IntCounter,
    abandoned: IntCounter,
    rate_limited: IntCounterVec,
    in_flight: IntGauge,
    in_flight_limit: IntGauge,
    shed: IntCounter,
    connections: IntGauge,
}

impl Metrics {
    /// Counters at zero; fails only where two of the catalogue have one name.
    pub fn new() -> Result<Self, Error> {
        let making = Registrar(Registry::new());
        let build = making.register_vec(IntGaugeVec::new, &catalogue::BUILD)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        // Read from where Linux tells it; elsewhere there is none of it.
        #[cfg(target_os = "linux")]
        making.0.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(Self {
            requests: making.register_vec(IntCounterVec::new, &catalogue::REQUESTS)?,
            durations: making.histogram(&catalogue::REQUEST_DURATION, catalogue::SECONDS)?,
            auth_failures: making.register_vec(IntCounterVec::new, &catalogue::AUTH_FAILURES)?,
            jwks_fetches: making.register_vec(IntCounterVec::new, &catalogue::JWKS_FETCHES)?,
            jwks_age: making.register_vec(GaugeVec::new, &catalogue::JWKS_AGE)?,
            commands: making.histogram(&catalogue::COMMAND_DURATION, catalogue::SECONDS)?,
            batches: making.histogram(&catalogue::DATALOADER_BATCH_SIZE, catalogue::KEYS)?,
            timed_out: making.register(IntCounter::with_opts, &catalogue::TIMED_OUT)?,
            abandoned: making.register(IntCounter::with_opts, &catalogue::ABANDONED)?,
            rate_limited: making.register_vec(IntCounterVec::new, &catalogue::RATE_LIMITED)?,
            in_flight: making.register(IntGauge::with_opts, &catalogue::IN_FLIGHT)?,
            in_flight_limit: making.register(IntGauge::with_opts, &catalogue::IN_FLIGHT_LIMIT)?,
            shed: making.register(IntCounter::with_opts, &catalogue::SHED)?,
            connections: making.register(IntGauge::with_opts, &catalogue::CONNECTIONS)?,
            registry: making.0,
        })
    }

    /// Counts a request that was answered: with `OK`, or with the code of its first error.
    pub fn record_response(&self, operation: Operation<'_>, code: &str, took: Duration) {
        let Operation { kind, field, name } = operation;
        self.requests.with_label_values(&[kind, field, name, code]).inc();
        self.durations.with_label_values(&[kind, field]).observe(took.as_secs_f64());
    }

    /// Counts a request whose client went away before it was answered.
    pub fn record_cancelled(&self) {
        self.abandoned.inc();
    }

    /// Counts a credential that was refused.
    pub fn token_refused(&self, reason: &'static str) {
        self.auth_failures.with_label_values(&[reason]).inc();
    }

    /// Counts a fetch that has ended.
    pub fn jwks_fetched(&self, issuer: &str, outcome: &'static str) {
        self.jwks_fetches.with_label_values(&[issuer, outcome]).inc();
    }

    /// Says how old an issuer's keys are.
    pub fn set_jwks_age(&self, issuer: &str, age: Duration) {
        self.jwks_age.with_label_values(&[issuer]).set(age.as_secs_f64());
    }

    /// Counts a command of the database: its kind, what it was about, and whether it was answered.
    pub fn record_store_command(
        &self,
        command: &str,
        collection: &str,
        answered: bool,
        took: Duration,
    ) {
        let outcome = if answered { "ok" } else { "error" };
        let labels = [command, collection, outcome];
        self.commands.with_label_values(&labels).observe(took.as_secs_f64());
    }

    /// Counts a batch of look-ups by how many keys it has.
    pub fn record_batch(&self, loader: &'static str, keys: usize) {
        // More keys than an `f64` counts exactly fit into no request.
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        self.batches.with_label_values(&[loader]).observe(f64::from(keys));
    }

    /// Counts a request whose time was over.
    pub fn timed_out(&self) {
        self.timed_out.inc();
    }

    /// Counts a request of somebody who had asked for too much: `actor` or `address`.
    pub fn rate_limited(&self, by: &'static str) {
        self.rate_limited.with_label_values(&[by]).inc();
    }

    /// Says how many requests may be at work at once.
    pub fn set_in_flight_limit(&self, number: usize) {
        self.in_flight_limit.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Counts a request as at work, until [`Self::request_ended`].
    pub fn request_began(&self) {
        self.in_flight.inc();
    }

    /// The end of a request that was at work.
    pub fn request_ended(&self) {
        self.in_flight.dec();
    }

    /// Counts a request that was sent away because too many were at work.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// Counts a connection as open, until [`Self::connection_closed`].
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// The end of a connection.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// All of it, as Prometheus reads it.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Makes what the catalogue names, and keeps it where it is shown.
struct Registrar(Registry);

impl Registrar {
    fn register_vec<C: Collector + Clone + 'static>(
        &self,
        make: impl FnOnce(Opts, &[&str]) -> Result<C, Error>,
        family: &Family,
    ) -> Result<C, Error> {
        self.insert(make(Opts::new(family.name, family.help), family.labels)?)
    }

    fn register<C: Collector + Clone + 'static>(
        &self,
        make: impl FnOnce(Opts) -> Result<C, Error>,
        family: &Family,
    ) -> Result<C, Error> {
        self.insert(make(Opts::new(family.name, family.help))?)
    }

    fn histogram(&self, family: &Family, buckets: &[f64]) -> Result<HistogramVec, Error> {
        let opts = HistogramOpts::new(family.name, family.help).buckets(buckets.to_vec());
        self.insert(HistogramVec::new(opts, family.labels)?)
    }

    fn insert<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, Error> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new().expect("a catalogue");
        let operation = Operation { kind: "query", field: "me", name: "Portal" };
        metrics.record_response(operation, "OK", Duration::from_millis(3));
        metrics.record_response(Operation::NONE, "UNAUTHENTICATED", Duration::from_millis(1));
        metrics.record_cancelled();
        metrics.clone().token_refused("expired");
        metrics.token_refused("expired");
        metrics.jwks_fetched("https://id.example/", "ok");
        metrics.set_jwks_age("https://id.example/", Duration::from_millis(1500));
        metrics.record_store_command("find", "users", true, Duration::from_micros(700));
        metrics.record_batch("tenants", 7);
        metrics.timed_out();
        metrics.rate_limited("actor");
        (0..3).for_each(|_| metrics.request_began());
        metrics.request_ended();
        metrics.set_in_flight_limit(512);
        metrics.shed();
        metrics.connection_opened();
        let text = String::from_utf8(metrics.encode().expect("text")).expect("UTF-8");
        for line in [
            "# TYPE tenantry_requests_total counter",
            r#"tenantry_requests_total{code="OK",operation_name="Portal",operation_type="query",root_field="me"} 1"#,
            r#"tenantry_requests_total{code="UNAUTHENTICATED",operation_name="",operation_type="none",root_field="none"} 1"#,
            "# TYPE tenantry_request_duration_seconds histogram",
            r#"tenantry_request_duration_seconds_bucket{operation_type="query",root_field="me",le="0.0025"} 0"#,
            r#"tenantry_request_duration_seconds_bucket{operation_type="query",root_field="me",le="0.005"} 1"#,
            "tenantry_requests_abandoned_total 1",
            "# TYPE tenantry_auth_failures_total counter",
            r#"tenantry_auth_failures_total{reason="expired"} 2"#,
            r#"tenantry_jwks_fetches_total{issuer="https://id.example/",outcome="ok"} 1"#,
            r#"tenantry_store_command_duration_seconds_count{collection="users",command="find",outcome="ok"} 1"#,
            r#"tenantry_dataloader_batch_size_sum{loader="tenants"} 7"#,
            "tenantry_requests_timed_out_total 1",
            r#"tenantry_requests_rate_limited_total{scope="user"} 1"#,
            "tenantry_requests_in_flight 2",
            "tenantry_requests_in_flight_limit 512",
            "tenantry_requests_shed_total 1",
            "tenantry_connections 1",
            "# TYPE tenantry_jwks_age_seconds gauge",
            r#"tenantry_jwks_age_seconds{issuer="https://id.example/"} 1.5"#,
            concat!(r#"tenantry_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
        let known = |name: &str| CATALOGUE.iter().any(|family| family.name == name);
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(known(name) || name.starts_with("process_"), "{name} is not in the catalogue");
        }
        for family in CATALOGUE {
            assert!(text.contains(&format!("# HELP {} {}\n", family.name, family.help)));
        }
        let of_process = text.contains("process_resident_memory_bytes ");
        assert_eq!(of_process, cfg!(target_os = "linux"), "{text}");
    }
}
