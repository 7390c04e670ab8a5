//! Sets up logs and the export of traces.
//!
//! Logs go to standard error, because standard output is for the results of commands.

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
    config::{LogFormat, OtlpConfig, TelemetryConfig},
    trace,
};

/// The time that the process waits at its end for the last spans to be sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// The error of a configuration with which spans cannot be exported. `Display` is one line.
#[derive(Debug)]
pub struct TelemetryError(String);

impl fmt::Display for TelemetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OTEL_EXPORTER_OTLP_ENDPOINT: {}", self.0)
    }
}

/// Sends the remaining spans when it is dropped.
#[must_use]
pub struct TelemetryGuard(Option<SdkTracerProvider>);

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(FLUSH_TIMEOUT)
        {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Enables logs and traces for the rest of the process.
///
/// # Errors
///
/// Returns an error if the exporter cannot be created.
pub fn init(config: TelemetryConfig) -> Result<TelemetryGuard, TelemetryError> {
    let TelemetryConfig { filter, format, traces } = config;
    let provider = traces.map(|otlp| tracer_provider(&otlp)).transpose()?;
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
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Pretty => layer.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => layer.json().with_span_list(false).with_filter(filter).boxed(),
    }
}

/// Returns the layer that exports the spans and events of this crate.
///
/// The log line and the log span of a request are excluded, because the exported span of the request
/// contains the same information.
fn otel_layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let is_exported = |metadata: &Metadata<'_>| {
        metadata.target().starts_with(env!("CARGO_PKG_NAME"))
            && *metadata.level() <= Level::DEBUG
            && metadata.target() != trace::REQUEST_LOG_TARGET
            && metadata.name() != trace::LOG_SPAN_NAME
    };
    let filter = filter_fn(is_exported).with_max_level_hint(Level::DEBUG);
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter)
}

/// Creates a provider that exports spans in batches from a separate thread.
///
/// The library reads its other settings from the variables of OpenTelemetry: resource attributes,
/// sampler, headers, timeouts and batch sizes.
fn tracer_provider(otlp: &OtlpConfig) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(otlp.endpoint.as_str())
        .build()
        .map_err(|error| TelemetryError(error.to_string()))?;
    let resource = Resource::builder()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let name = resource.get(&Key::new("service.name")).map(|name| name.to_string());
    // The library uses a name with this prefix if the environment sets no service name.
    let is_unnamed = name.is_none_or(|name| name.starts_with("unknown_service"));
    let resource = match is_unnamed {
        true => Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build(),
        false => resource,
    };
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}
