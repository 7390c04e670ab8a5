//! What a command of a database took: for metrics, and as a span of the request's trace.

use std::time::Instant;

use tracing::{Instrument, Span, debug_span};

use crate::{metrics::Metrics, trace};

/// Who is told of commands; nobody by default.
#[derive(Clone, Default)]
pub(super) struct CommandMetrics {
    metrics: Option<Metrics>,
    system: &'static str,
}

impl CommandMetrics {
    /// `system` is the database's name among OpenTelemetry's (`db.system.name`).
    pub(super) fn new(metrics: Metrics, system: &'static str) -> Self {
        Self { metrics: Some(metrics), system }
    }

    /// A command that is about to be asked.
    pub(super) fn command<'a>(&'a self, name: &'static str, collection: &'a str) -> Command<'a> {
        Command { observer: self, name, collection }
    }
}

/// A command that is about to be asked.
#[derive(Clone, Copy)]
pub(super) struct Command<'a> {
    observer: &'a CommandMetrics,
    name: &'static str,
    collection: &'a str,
}

impl Command<'_> {
    /// Asks it.
    pub(super) async fn instrument<T, E>(
        self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(metrics) = &self.observer.metrics else { return asked.await };
        let span = self.span();
        let mut pending =
            Pending { command: self, metrics, began: Instant::now(), answered: false };
        let outcome = asked.instrument(span.clone()).await;
        pending.answered = outcome.is_ok();
        if outcome.is_err() {
            trace::set_error_status(&span);
        }
        outcome
    }

    /// Named after OpenTelemetry's semantic conventions for databases. It holds no value of a query.
    fn span(self) -> Span {
        let Self { observer, name, collection } = self;
        let space = if collection.is_empty() { "" } else { " " };
        debug_span!(
            "command",
            otel.name = format_args!("{name}{space}{collection}"),
            otel.kind = "client",
            db.system.name = observer.system,
            db.operation.name = name,
            db.collection.name = collection,
        )
    }
}

/// A command that was asked. One whose request ends before it is answered is counted too: it may be
/// the slow one.
struct Pending<'a> {
    command: Command<'a>,
    metrics: &'a Metrics,
    began: Instant,
    answered: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let Command { name, collection, .. } = self.command;
        self.metrics.record_store_command(name, collection, self.answered, self.began.elapsed());
    }
}
