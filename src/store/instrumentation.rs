//! Records each database command in the metrics and as a span of the request's trace.
//!
//! Both stores send their commands through [`Command::instrument`]. Exceptions on MongoDB are the
//! creation of indexes and `getMore`. A recorded command has its name,
//! its collection, its duration and its outcome, but no value of its query.

use std::time::Instant;

use tracing::{Instrument, Span, debug_span};

use crate::{metrics::Metrics, trace};

/// Creates instrumented commands. The default records nothing.
#[derive(Clone, Default)]
pub(super) struct CommandMetrics {
    metrics: Option<Metrics>,
    system: &'static str,
}

impl CommandMetrics {
    /// Creates metrics for a database. `system` is its name in OpenTelemetry's registry
    /// (`db.system.name`).
    pub(super) fn new(metrics: Metrics, system: &'static str) -> Self {
        Self { metrics: Some(metrics), system }
    }

    /// Returns a command that is about to be sent. `collection` is empty if it concerns none.
    pub(super) fn command<'a>(&'a self, name: &'static str, collection: &'a str) -> Command<'a> {
        Command { command_metrics: self, name, collection }
    }
}

/// A command that is about to be sent.
#[derive(Clone, Copy)]
pub(super) struct Command<'a> {
    command_metrics: &'a CommandMetrics,
    name: &'static str,
    collection: &'a str,
}

impl Command<'_> {
    /// Runs the future that sends the command, and records its duration and outcome.
    pub(super) async fn instrument<T, E>(
        self,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(metrics) = &self.command_metrics.metrics else { return future.await };
        let span = self.span();
        let mut pending =
            PendingCommand { command: self, metrics, started: Instant::now(), succeeded: false };
        let result = future.instrument(span.clone()).await;
        pending.succeeded = result.is_ok();
        if result.is_err() {
            trace::set_error_status(&span);
        }
        result
    }

    /// Returns a span with the attributes of OpenTelemetry's semantic conventions for databases.
    fn span(self) -> Span {
        let Self { command_metrics, name, collection } = self;
        let space = if collection.is_empty() { "" } else { " " };
        debug_span!(
            "command",
            otel.name = format_args!("{name}{space}{collection}"),
            otel.kind = "client",
            db.system.name = command_metrics.system,
            db.operation.name = name,
            db.collection.name = collection,
        )
    }
}

/// A command that was sent. It is recorded when it is dropped, so a command whose request is
/// cancelled counts too. Such a command may be the reason for the cancellation.
struct PendingCommand<'a> {
    command: Command<'a>,
    metrics: &'a Metrics,
    started: Instant,
    succeeded: bool,
}

impl Drop for PendingCommand<'_> {
    fn drop(&mut self) {
        let Command { name, collection, .. } = self.command;
        self.metrics.record_store_command(name, collection, self.succeeded, self.started.elapsed());
    }
}
