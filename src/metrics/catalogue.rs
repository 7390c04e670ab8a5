//! The names, what they mean, and how they are told apart.

/// A name of the catalogue.
#[derive(Debug)]
pub struct Family {
    /// As `GET /metrics` shows it; a histogram's has `_bucket`, `_sum` and `_count` after it there.
    pub name: &'static str,
    /// What it says, in one sentence.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

const fn family(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Family {
    Family { name, help, labels }
}

/// Everything that is counted here. What the system says of the process (`process_…`) comes besides.
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
    &AUTH_FAILURES,
    &JWKS_FETCHES,
    &JWKS_AGE,
    &COMMAND_DURATION,
    &DATALOADER_BATCH_SIZE,
    &BUILD,
];

/// The bounds of durations, in seconds: from a read in memory to what no request may take.
pub(super) const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The bounds of the sizes of batches.
pub(super) const KEYS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

pub(super) const REQUESTS: Family = family(
    "tenantry_requests_total",
    "Requests that were answered, by operation and by OK or the code of the first error.",
    &["operation_type", "root_field", "operation_name", "code"],
);
pub(super) const REQUEST_DURATION: Family = family(
    "tenantry_request_duration_seconds",
    "How long requests took, from their head to their answer.",
    &["operation_type", "root_field"],
);
pub(super) const ABANDONED: Family = family(
    "tenantry_requests_abandoned_total",
    "Requests whose client went away before they were answered.",
    &[],
);
pub(super) const TIMED_OUT: Family =
    family("tenantry_requests_timed_out_total", "Requests that took longer than they may.", &[]);
pub(super) const RATE_LIMITED: Family = family(
    "tenantry_requests_rate_limited_total",
    "Requests refused by rate, by who is counted.",
    &["scope"],
);
pub(super) const SHED: Family = family(
    "tenantry_requests_shed_total",
    "Requests sent away because too many were at work.",
    &[],
);
pub(super) const IN_FLIGHT: Family =
    family("tenantry_requests_in_flight", "Requests at work.", &[]);
pub(super) const IN_FLIGHT_LIMIT: Family =
    family("tenantry_requests_in_flight_limit", "How many requests may be at work at once.", &[]);
pub(super) const CONNECTIONS: Family =
    family("tenantry_connections", "Connections of clients that are open.", &[]);
pub(super) const AUTH_FAILURES: Family = family(
    "tenantry_auth_failures_total",
    "Requests whose credential was refused, by reason.",
    &["reason"],
);
pub(super) const JWKS_FETCHES: Family = family(
    "tenantry_jwks_fetches_total",
    "Fetches of an issuer's keys, by issuer and outcome.",
    &["issuer", "outcome"],
);
pub(super) const JWKS_AGE: Family = family(
    "tenantry_jwks_age_seconds",
    "Seconds since an issuer's keys were fetched last; absent before the first time.",
    &["issuer"],
);
pub(super) const COMMAND_DURATION: Family = family(
    "tenantry_store_command_duration_seconds",
    "How long commands of the database took, by command, collection and outcome.",
    &["command", "collection", "outcome"],
);
pub(super) const DATALOADER_BATCH_SIZE: Family = family(
    "tenantry_dataloader_batch_size",
    "How many keys a batch of look-ups has, by loader.",
    &["loader"],
);
pub(super) const BUILD: Family =
    family("tenantry_build_info", "1, with the version of the program.", &["version"]);
