//! Logs to standard error, so that standard output stays for answers; and traces to a collector.

use std::{fmt, io::IsTerminal, time::Duration};

use opentelemetry::{Key, KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    config::{LogFormat, OtlpConfig, Telemetry},
    trace,
};

/// How long the end of the program waits for the last spans to be sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Spans cannot be sent as it is configured. Its text is one line.
#[derive(Debug)]
pub struct TelemetryError(String);

impl fmt::Display for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OTEL_EXPORTER_OTLP_ENDPOINT: {}", self.0)
    }
}

/// What has to be ended well: spans that are not sent yet.
#[must_use]
pub struct TelemetryGuard(Option<SdkTracerProvider>);

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(FLUSH_TIMEOUT)
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Logs and traces from now on, for the rest of the process.
pub fn init(telemetry: Telemetry) -> Result<TelemetryGuard, TelemetryError> {
    let Telemetry { filter, format, traces } = telemetry;
    let provider = traces.map(|traces| provider(&traces)).transpose()?;
    tracing_subscriber::registry()
        .with(provider.as_ref().map(otel_layer))
        .with(log_layer(format, filter))
        .init();
    if provider.is_some() {
        trace::enable_export();
    }
    Ok(TelemetryGuard(provider))
}

fn log_layer<S>(format: LogFormat, filter: EnvFilter) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Pretty => lines.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_span_list(false).with_filter(filter).boxed(),
    }
}

/// Our own spans, and what happens in them; but not what logs have of a whole request, of which there
/// is a span that says the same.
fn otel_layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let ours = |metadata: &Metadata<'_>| {
        metadata.target().starts_with(env!("CARGO_PKG_NAME"))
            && *metadata.level() <= Level::DEBUG
            && metadata.target() != trace::REQUEST_LOG_TARGET
            && metadata.name() != trace::LOG_SPAN_NAME
    };
    let ours = filter_fn(ours).with_max_level_hint(Level::DEBUG);
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(ours)
}

/// Sends spans in batches from a thread of its own. What is not said here the library reads from the
/// variables of OpenTelemetry: resource, sampler, headers, times and sizes.
fn provider(traces: &OtlpConfig) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(traces.endpoint.as_str())
        .build()
        .map_err(|error| TelemetryError(error.to_string()))?;
    let service = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let name = service.get(&Key::new("service.name")).map(|name| name.to_string());
    // What the library calls a service that nobody has named.
    let unnamed = name.is_none_or(|name| name.starts_with("unknown_service"));
    let service = match unnamed {
        true => Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build(),
        false => service,
    };
    Ok(SdkTracerProvider::builder().with_resource(service).with_batch_exporter(exporter).build())
}
