//! The metrics with their names, help texts, labels and buckets.

/// A metric of the catalogue.
#[derive(Debug)]
pub struct Family {
    /// The name in the output of `GET /metrics`. Histograms append `_bucket`, `_sum` and `_count`.
    pub name: &'static str,
    /// The help text, in one sentence.
    pub help: &'static str,
    /// The names of the labels.
    pub labels: &'static [&'static str],
}

const fn family(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Family {
    Family { name, help, labels }
}

/// All metrics of the gateway. The output also has the standard metrics of the process (`process_…`).
pub const CATALOGUE: &[&Family] = &[
    &REQUESTS,
    &REQUEST_DURATION,
    &ABANDONED,
    &TIMED_OUT,
    &RATE_LIMITED,
    &SHED,
    &IN_FLIGHT,
    &IN_FLIGHT_LIMIT,
    &CONNECTIONS,
    &CONNECTIONS_REFUSED,
    &IDLE_CONNECTIONS_CLOSED,
    &LIVE_CONNECTIONS,
    &LIVE_CONNECTIONS_REFUSED,
    &WEBSOCKET_CLOSES,
    &AUTH_FAILURES,
    &JWKS_FETCHES,
    &JWKS_AGE,
    &COMMAND_DURATION,
    &DATALOADER_BATCH_SIZE,
    &LIVE_LISTENERS,
    &LIVE_EVENTS,
    &LIVE_DELIVERY,
    &LIVE_CUTS,
    &FEED_EVENTS,
    &FEED_LAG,
    &FEED_RECONNECTS,
    &FEED_GAPS,
    &ACTOR_LOOKUPS,
    &OUTBOX_DELIVERIES,
    &BUILD,
];

/// The buckets of durations, in seconds, from an in-memory read to the longest expected request.
pub(super) const DURATION_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The buckets of batch sizes, in keys.
pub(super) const BATCH_SIZE_BUCKETS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

pub(super) const REQUESTS: Family = family(
    "tenantry_requests_total",
    "Completed requests, by operation and by `OK` or error code.",
    &["operation_type", "root_field", "operation_name", "code"],
);
pub(super) const REQUEST_DURATION: Family = family(
    "tenantry_request_duration_seconds",
    "Time from the head of a request to its response, by operation.",
    &["operation_type", "root_field"],
);
pub(super) const ABANDONED: Family = family(
    "tenantry_requests_abandoned_total",
    "Requests whose client disconnected before the response.",
    &[],
);
pub(super) const TIMED_OUT: Family =
    family("tenantry_requests_timed_out_total", "Requests that exceeded their time limit.", &[]);
pub(super) const RATE_LIMITED: Family = family(
    "tenantry_requests_rate_limited_total",
    "Requests rejected with `RATE_LIMITED`, by their caller: `user` or `ip`.",
    &["scope"],
);
pub(super) const SHED: Family = family(
    "tenantry_requests_shed_total",
    "Requests of all callers rejected because too many were in flight.",
    &[],
);
pub(super) const IN_FLIGHT: Family = family(
    "tenantry_requests_in_flight",
    "Requests and live events in flight, except those that wait for a commit.",
    &[],
);
pub(super) const IN_FLIGHT_LIMIT: Family =
    family("tenantry_requests_in_flight_limit", "Maximum number of requests in flight.", &[]);
pub(super) const CONNECTIONS: Family =
    family("tenantry_connections", "Open client connections.", &[]);
pub(super) const CONNECTIONS_REFUSED: Family = family(
    "tenantry_connections_refused_total",
    "Connections refused because no other one was idle, by the limit: `all` or `address`.",
    &["scope"],
);
pub(super) const IDLE_CONNECTIONS_CLOSED: Family = family(
    "tenantry_idle_connections_closed_total",
    "Idle connections closed to make room, by the limit: `all` or `address`.",
    &["scope"],
);
pub(super) const LIVE_CONNECTIONS: Family = family(
    "tenantry_live_connections",
    "Open WebSockets and event streams, by transport: `websocket` or `sse`.",
    &["transport"],
);
pub(super) const LIVE_CONNECTIONS_REFUSED: Family = family(
    "tenantry_live_connections_refused_total",
    "WebSockets and event streams refused because their caller had too many, by transport.",
    &["transport"],
);
pub(super) const WEBSOCKET_CLOSES: Family = family(
    "tenantry_websocket_closes_total",
    "WebSockets that have ended, by the gateway's close code, or `client` if the client ended it.",
    &["code"],
);
pub(super) const AUTH_FAILURES: Family = family(
    "tenantry_auth_failures_total",
    "Requests whose credential was rejected, by reason.",
    &["reason"],
);
pub(super) const JWKS_FETCHES: Family = family(
    "tenantry_jwks_fetches_total",
    "Fetches of an issuer's keys, by issuer and outcome.",
    &["issuer", "outcome"],
);
pub(super) const JWKS_AGE: Family = family(
    "tenantry_jwks_age_seconds",
    "Seconds since the last successful fetch of an issuer's keys. Absent before the first one.",
    &["issuer"],
);
pub(super) const COMMAND_DURATION: Family = family(
    "tenantry_store_command_duration_seconds",
    "Duration of database commands, by command, collection and outcome.",
    &["command", "collection", "outcome"],
);
pub(super) const DATALOADER_BATCH_SIZE: Family = family(
    "tenantry_dataloader_batch_size",
    "Number of keys in a DataLoader batch, by loader.",
    &["loader"],
);
pub(super) const LIVE_LISTENERS: Family =
    family("tenantry_live_operations", "Live operations in progress.", &[]);
pub(super) const LIVE_EVENTS: Family =
    family("tenantry_live_events_total", "Events sent to live operations.", &[]);
pub(super) const LIVE_DELIVERY: Family = family(
    "tenantry_live_delivery_seconds",
    "Time from the arrival of a change to the event of a live operation that reports it.",
    &[],
);
pub(super) const LIVE_CUTS: Family = family(
    "tenantry_live_cuts_total",
    "Live operations that the gateway ended with an error, by its code.",
    &["code"],
);
pub(super) const FEED_EVENTS: Family = family(
    "tenantry_feed_events_total",
    "Changes received from the change feed, by entity.",
    &["entity"],
);
pub(super) const FEED_LAG: Family = family(
    "tenantry_feed_lag_seconds",
    "Seconds since the change feed was known to be complete. Absent until it starts.",
    &[],
);
pub(super) const FEED_RECONNECTS: Family = family(
    "tenantry_feed_reconnects_total",
    "Interruptions of the change feed, after each of which it is opened again.",
    &[],
);
pub(super) const FEED_GAPS: Family = family(
    "tenantry_feed_gaps_total",
    "Gaps of the change feed, after each of which live operations read their state again.",
    &[],
);
pub(super) const ACTOR_LOOKUPS: Family = family(
    "tenantry_actor_cache_lookups_total",
    "Look-ups of a query's user in the actor cache, by result.",
    &["result"],
);
pub(super) const OUTBOX_DELIVERIES: Family = family(
    "tenantry_outbox_deliveries_total",
    "Attempts to deliver a message of the outbox, by topic and outcome.",
    &["topic", "outcome"],
);
pub(super) const BUILD: Family = family(
    "tenantry_build_info",
    "Always 1, with the version of the program as a label.",
    &["version"],
);
