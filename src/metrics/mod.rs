//! Counts requests, connections and database commands for Prometheus.
//!
//! `catalogue` has the name of every metric that `GET /metrics` returns, except those of the process.
//! Label values come from a fixed set, the schema or the configuration. A client can never create a
//! new one, so the number of time series is bounded.

mod catalogue;
mod process;

use std::{sync::Arc, time::Duration};

use prometheus::{
    Encoder, Error, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

pub use catalogue::{CATALOGUE, Family};

/// The media type of [`Metrics::encode`], which is the text format of Prometheus.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The labels of an operation. Their values form a bounded set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// The type of the operation: `query`, `mutation`, or `none` if there is no operation.
    pub kind: &'a str,
    /// The root field of the operation, `several`, or `none`.
    pub field: &'a str,
    /// The name of the operation if its document is trusted, otherwise empty.
    pub name: &'a str,
}

impl Operation<'static> {
    /// The labels of a request that was rejected before its operation was known.
    pub const NONE: Self = Self { kind: "none", field: "none", name: "" };
}

/// The metrics of one process. Clones share the same counters.
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

/// All metrics with their registry. Several parts of each request hold a clone of [`Metrics`], which
/// counts one reference. A clone of the families would count a reference to each of them.
struct Families {
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
    connections_refused: IntCounterVec,
    idle_connections_closed: IntCounterVec,
    live_connections: IntGaugeVec,
    live_connections_refused: IntCounterVec,
    websocket_closes: IntCounterVec,
    live_listeners: IntGauge,
    live_events: IntCounter,
    live_delivery: Histogram,
    live_cuts: IntCounterVec,
    feed_events: IntCounterVec,
    feed_lag: GaugeVec,
    feed_reconnects: IntCounter,
    feed_gaps: IntCounter,
    actor_lookups: IntCounterVec,
    outbox_deliveries: IntCounterVec,
}

impl Metrics {
    /// Creates all metrics.
    ///
    /// # Errors
    ///
    /// Returns an error if two metrics of the catalogue have the same name.
    pub fn new() -> Result<Self, Error> {
        let registrar = Registrar(Registry::new());
        let build = registrar.register_vec(IntGaugeVec::new, &catalogue::BUILD)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registrar.0.register(Box::new(process::ProcessCollector::new()?))?;
        Ok(Self(Arc::new(Families {
            requests: registrar.register_vec(IntCounterVec::new, &catalogue::REQUESTS)?,
            durations: registrar
                .histogram(&catalogue::REQUEST_DURATION, catalogue::DURATION_BUCKETS)?,
            auth_failures: registrar.register_vec(IntCounterVec::new, &catalogue::AUTH_FAILURES)?,
            jwks_fetches: registrar.register_vec(IntCounterVec::new, &catalogue::JWKS_FETCHES)?,
            jwks_age: registrar.register_vec(GaugeVec::new, &catalogue::JWKS_AGE)?,
            commands: registrar
                .histogram(&catalogue::COMMAND_DURATION, catalogue::DURATION_BUCKETS)?,
            batches: registrar
                .histogram(&catalogue::DATALOADER_BATCH_SIZE, catalogue::BATCH_SIZE_BUCKETS)?,
            timed_out: registrar.register(IntCounter::with_opts, &catalogue::TIMED_OUT)?,
            abandoned: registrar.register(IntCounter::with_opts, &catalogue::ABANDONED)?,
            rate_limited: registrar.register_vec(IntCounterVec::new, &catalogue::RATE_LIMITED)?,
            in_flight: registrar.register(IntGauge::with_opts, &catalogue::IN_FLIGHT)?,
            in_flight_limit: registrar
                .register(IntGauge::with_opts, &catalogue::IN_FLIGHT_LIMIT)?,
            shed: registrar.register(IntCounter::with_opts, &catalogue::SHED)?,
            connections: registrar.register(IntGauge::with_opts, &catalogue::CONNECTIONS)?,
            connections_refused: registrar
                .register_vec(IntCounterVec::new, &catalogue::CONNECTIONS_REFUSED)?,
            idle_connections_closed: registrar
                .register_vec(IntCounterVec::new, &catalogue::IDLE_CONNECTIONS_CLOSED)?,
            live_connections: registrar
                .register_vec(IntGaugeVec::new, &catalogue::LIVE_CONNECTIONS)?,
            live_connections_refused: registrar
                .register_vec(IntCounterVec::new, &catalogue::LIVE_CONNECTIONS_REFUSED)?,
            websocket_closes: registrar
                .register_vec(IntCounterVec::new, &catalogue::WEBSOCKET_CLOSES)?,
            live_listeners: registrar.register(IntGauge::with_opts, &catalogue::LIVE_LISTENERS)?,
            live_events: registrar.register(IntCounter::with_opts, &catalogue::LIVE_EVENTS)?,
            live_delivery: registrar
                .histogram(&catalogue::LIVE_DELIVERY, catalogue::DURATION_BUCKETS)?
                .with_label_values::<&str>(&[]),
            live_cuts: registrar.register_vec(IntCounterVec::new, &catalogue::LIVE_CUTS)?,
            feed_events: registrar.register_vec(IntCounterVec::new, &catalogue::FEED_EVENTS)?,
            feed_lag: registrar.register_vec(GaugeVec::new, &catalogue::FEED_LAG)?,
            feed_reconnects: registrar
                .register(IntCounter::with_opts, &catalogue::FEED_RECONNECTS)?,
            feed_gaps: registrar.register(IntCounter::with_opts, &catalogue::FEED_GAPS)?,
            actor_lookups: registrar.register_vec(IntCounterVec::new, &catalogue::ACTOR_LOOKUPS)?,
            outbox_deliveries: registrar
                .register_vec(IntCounterVec::new, &catalogue::OUTBOX_DELIVERIES)?,
            registry: registrar.0,
        })))
    }

    /// Counts a completed request, with `OK` or an error code, and its duration.
    pub fn record_response(&self, operation: Operation<'_>, code: &str, duration: Duration) {
        let Operation { kind, field, name } = operation;
        self.0.requests.with_label_values(&[kind, field, name, code]).inc();
        self.0.durations.with_label_values(&[kind, field]).observe(duration.as_secs_f64());
    }

    /// Counts an operation that has ended, without a duration.
    ///
    /// A subscription lasts as long as its client wants, which says nothing about the gateway.
    pub fn record_live_response(&self, operation: Operation<'_>, code: &str) {
        let Operation { kind, field, name } = operation;
        self.0.requests.with_label_values(&[kind, field, name, code]).inc();
    }

    /// Counts a request whose client disconnected before the response.
    pub fn record_abandoned(&self) {
        self.0.abandoned.inc();
    }

    /// Counts a rejected credential.
    pub fn record_auth_failure(&self, reason: &'static str) {
        self.0.auth_failures.with_label_values(&[reason]).inc();
    }

    /// Counts a completed fetch of an issuer's keys.
    pub fn record_jwks_fetch(&self, issuer: &str, outcome: &'static str) {
        self.0.jwks_fetches.with_label_values(&[issuer, outcome]).inc();
    }

    /// Sets the time since the last successful fetch of an issuer's keys.
    pub fn set_jwks_age(&self, issuer: &str, age: Duration) {
        self.0.jwks_age.with_label_values(&[issuer]).set(age.as_secs_f64());
    }

    /// Records the duration and the outcome of a database command.
    pub fn record_store_command(
        &self,
        command: &str,
        collection: &str,
        succeeded: bool,
        duration: Duration,
    ) {
        let outcome = if succeeded { "ok" } else { "error" };
        let labels = [command, collection, outcome];
        self.0.commands.with_label_values(&labels).observe(duration.as_secs_f64());
    }

    /// Records the number of keys in a DataLoader batch.
    pub fn record_batch(&self, loader: &'static str, keys: usize) {
        // No batch has more keys than fit into 32 bits.
        let keys = u32::try_from(keys).unwrap_or(u32::MAX);
        self.0.batches.with_label_values(&[loader]).observe(f64::from(keys));
    }

    /// Counts a request that exceeded its time limit.
    pub fn record_timeout(&self) {
        self.0.timed_out.inc();
    }

    /// Counts a request that a limit of its caller rejected. The scope is `user` or `ip`.
    pub fn record_rate_limited(&self, scope: &'static str) {
        self.0.rate_limited.with_label_values(&[scope]).inc();
    }

    /// Sets the maximum number of requests in flight.
    pub fn set_in_flight_limit(&self, limit: usize) {
        self.0.in_flight_limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }

    /// Counts a request as in flight, until [`Self::request_ended`].
    pub fn request_started(&self) {
        self.0.in_flight.inc();
    }

    /// Counts a request as no longer in flight.
    pub fn request_ended(&self) {
        self.0.in_flight.dec();
    }

    /// Counts a request that was rejected because too many requests were in flight.
    pub fn record_shed(&self) {
        self.0.shed.inc();
    }

    /// Counts a client connection as open, until [`Self::connection_closed`].
    pub fn connection_opened(&self) {
        self.0.connections.inc();
    }

    /// Counts a client connection as closed.
    pub fn connection_closed(&self) {
        self.0.connections.dec();
    }

    /// Counts a connection that was refused. The scope is `all` or `address`.
    pub fn record_connection_refused(&self, scope: &'static str) {
        self.0.connections_refused.with_label_values(&[scope]).inc();
    }

    /// Counts an idle connection that was closed to make room. The scope is `all` or `address`.
    pub fn record_idle_connection_closed(&self, scope: &'static str) {
        self.0.idle_connections_closed.with_label_values(&[scope]).inc();
    }

    /// Counts a live connection as open, until [`Self::live_connection_closed`].
    ///
    /// The transport is `websocket` or `sse`.
    pub fn live_connection_opened(&self, transport: &'static str) {
        self.0.live_connections.with_label_values(&[transport]).inc();
    }

    /// Counts a live connection as closed.
    pub fn live_connection_closed(&self, transport: &'static str) {
        self.0.live_connections.with_label_values(&[transport]).dec();
    }

    /// Counts a live connection that was refused because its caller had too many.
    pub fn record_live_connection_refused(&self, transport: &'static str) {
        self.0.live_connections_refused.with_label_values(&[transport]).inc();
    }

    /// Counts a WebSocket that has ended. The code is the gateway's close code, or `client`.
    pub fn record_websocket_close(&self, code: &'static str) {
        self.0.websocket_closes.with_label_values(&[code]).inc();
    }

    /// Counts a live operation as in progress, until [`Self::listener_ended`].
    pub fn listener_started(&self) {
        self.0.live_listeners.inc();
    }

    /// Counts a live operation as ended.
    pub fn listener_ended(&self) {
        self.0.live_listeners.dec();
    }

    /// Counts an event of a live operation, with the time since the gateway received its change.
    pub fn record_live_event(&self, delivery: Duration) {
        self.0.live_events.inc();
        self.0.live_delivery.observe(delivery.as_secs_f64());
    }

    /// Counts a live operation that the gateway ended with an error of this code.
    pub fn record_live_cut(&self, code: &str) {
        self.0.live_cuts.with_label_values(&[code]).inc();
    }

    /// Counts a change that the feed reported of a `tenant`, a `user` or a `subscription`.
    pub fn record_feed_event(&self, entity: &'static str) {
        self.0.feed_events.with_label_values(&[entity]).inc();
    }

    /// Sets the time since the change feed was known to be complete.
    pub fn set_feed_lag(&self, lag: Duration) {
        self.0.feed_lag.with_label_values::<&str>(&[]).set(lag.as_secs_f64());
    }

    /// Counts an interruption of the change feed.
    pub fn record_feed_reconnect(&self) {
        self.0.feed_reconnects.inc();
    }

    /// Counts a gap of the change feed.
    pub fn record_feed_gap(&self) {
        self.0.feed_gaps.inc();
    }

    /// Counts a look-up of a query's user in the actor cache.
    pub fn record_actor_lookup(&self, is_hit: bool) {
        let result = if is_hit { "hit" } else { "miss" };
        self.0.actor_lookups.with_label_values(&[result]).inc();
    }

    /// Counts an attempt to deliver a message of the outbox.
    pub fn record_outbox_delivery(&self, topic: &'static str, outcome: &'static str) {
        self.0.outbox_deliveries.with_label_values(&[topic, outcome]).inc();
    }

    /// Encodes all metrics in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// Returns an error if a metric cannot be encoded.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.0.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Creates the metrics of the catalogue and registers them.
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
    fn every_recorded_metric_is_exported() {
        let metrics = Metrics::new().expect("unique names");
        let operation = Operation { kind: "query", field: "me", name: "Portal" };
        metrics.record_response(operation, "OK", Duration::from_millis(3));
        metrics.record_response(Operation::NONE, "UNAUTHENTICATED", Duration::from_millis(1));
        metrics.record_abandoned();
        metrics.clone().record_auth_failure("expired");
        metrics.record_auth_failure("expired");
        metrics.record_jwks_fetch("https://id.example/", "ok");
        metrics.set_jwks_age("https://id.example/", Duration::from_millis(1500));
        metrics.record_store_command("find", "users", true, Duration::from_micros(700));
        metrics.record_batch("tenants", 7);
        metrics.record_timeout();
        metrics.record_rate_limited("user");
        (0..3).for_each(|_| metrics.request_started());
        metrics.request_ended();
        metrics.set_in_flight_limit(512);
        metrics.record_shed();
        metrics.connection_opened();
        metrics.record_connection_refused("all");
        metrics.record_idle_connection_closed("address");
        metrics.live_connection_opened("websocket");
        metrics.record_live_connection_refused("sse");
        metrics.record_websocket_close("4403");
        (0..2).for_each(|_| metrics.listener_started());
        metrics.listener_ended();
        metrics.record_live_event(Duration::from_millis(3));
        metrics.record_live_cut("NOT_FOUND");
        metrics.record_feed_event("tenant");
        metrics.set_feed_lag(Duration::from_millis(500));
        metrics.record_feed_reconnect();
        metrics.record_feed_gap();
        metrics.record_actor_lookup(true);
        metrics.record_outbox_delivery("invitationMail", "delivered");
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
            r#"tenantry_connections_refused_total{scope="all"} 1"#,
            r#"tenantry_idle_connections_closed_total{scope="address"} 1"#,
            r#"tenantry_live_connections{transport="websocket"} 1"#,
            r#"tenantry_live_connections_refused_total{transport="sse"} 1"#,
            r#"tenantry_websocket_closes_total{code="4403"} 1"#,
            "tenantry_live_operations 1",
            "tenantry_live_events_total 1",
            r#"tenantry_live_delivery_seconds_bucket{le="0.005"} 1"#,
            r#"tenantry_live_cuts_total{code="NOT_FOUND"} 1"#,
            r#"tenantry_feed_events_total{entity="tenant"} 1"#,
            "tenantry_feed_lag_seconds 0.5",
            "tenantry_feed_reconnects_total 1",
            "tenantry_feed_gaps_total 1",
            r#"tenantry_actor_cache_lookups_total{result="hit"} 1"#,
            r#"tenantry_outbox_deliveries_total{outcome="delivered",topic="invitationMail"} 1"#,
            "# TYPE tenantry_jwks_age_seconds gauge",
            r#"tenantry_jwks_age_seconds{issuer="https://id.example/"} 1.5"#,
            concat!(r#"tenantry_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        ] {
            assert!(text.lines().any(|exported| exported == line), "{line}\n{text}");
        }
        let is_listed = |name: &str| CATALOGUE.iter().any(|family| family.name == name);
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().unwrap_or_default();
            assert!(
                is_listed(name) || name.starts_with("process_"),
                "{name} is not in the catalogue"
            );
        }
        for family in CATALOGUE {
            assert!(text.contains(&format!("# HELP {} {}\n", family.name, family.help)));
        }
        let has_process_metrics = text.contains("process_resident_memory_bytes ");
        assert_eq!(has_process_metrics, cfg!(target_os = "linux"), "{text}");
    }
}
