//! Propagates traces between processes with the headers of W3C Trace Context.
//!
//! If spans are not exported, no spans of requests are created.

use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use opentelemetry::{
    Context, Value,
    propagation::TextMapPropagator,
    trace::{Status, TraceContextExt, TraceId},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, debug_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the span that adds the identifiers of a request to its log lines. It is not exported.
pub const LOG_SPAN_NAME: &str = "request";

/// The target of the log lines about requests, one per request. They are not exported as events.
pub const REQUEST_LOG_TARGET: &str = "tenantry::request";

/// Has the value `true` if spans are exported.
static EXPORT_ENABLED: AtomicBool = AtomicBool::new(false);

/// Enables spans of requests, because an exporter receives them.
pub fn enable_export() {
    EXPORT_ENABLED.store(true, Ordering::Relaxed);
}

fn is_export_enabled() -> bool {
    EXPORT_ENABLED.load(Ordering::Relaxed)
}

/// The trace context of the sender, from the headers `traceparent` and `tracestate` of a request.
pub struct RemoteContext(Context);

impl RemoteContext {
    /// Extracts the context from headers. Returns `None` if it is missing or invalid.
    #[must_use]
    pub fn extract(headers: &HeaderMap) -> Option<Self> {
        headers.get("traceparent")?;
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        let is_valid = context.span().span_context().is_valid();
        is_valid.then_some(Self(context))
    }

    /// Returns the identifier of the trace.
    #[must_use]
    pub fn id(&self) -> TraceId {
        self.0.span().span_context().trace_id()
    }
}

/// Creates the span of a request, as a child of the sender's span if there is one.
///
/// The span is disabled if spans are not exported.
#[must_use]
pub fn request_span(parent: Option<RemoteContext>) -> Span {
    if !is_export_enabled() {
        return Span::none();
    }
    let span = debug_span!("http", otel.kind = "server");
    if let Some(RemoteContext(context)) = parent {
        // This fails only if the filter has disabled the span. Then it needs no parent.
        let _ = span.set_parent(context);
    }
    span
}

/// Returns the identifier of the trace that contains the span, or `None` if the span is not exported.
#[must_use]
pub fn trace_id(span: &Span) -> Option<TraceId> {
    if span.is_none() {
        return None;
    }
    let context = span.context();
    let span_context = context.span().span_context().clone();
    span_context.is_valid().then(|| span_context.trace_id())
}

/// Sets the name of a span, and the attributes that `add_all` passes to its argument.
///
/// Does nothing if the span is disabled.
pub fn set_attributes(span: &Span, name: &str, add_all: impl FnOnce(&dyn Fn(&'static str, Value))) {
    if !span.is_none() {
        span.context().span().update_name(name.to_owned());
        add_all(&|attribute, value| span.set_attribute(attribute, value));
    }
}

/// Sets the status of a span to error.
pub fn set_error_status(span: &Span) {
    if !span.is_none() {
        span.set_status(Status::error(""));
    }
}

/// Injects the context of the current span into the headers of an outgoing request.
pub fn inject(headers: &mut HeaderMap) {
    if is_export_enabled() {
        let context = Span::current().context();
        TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn trace_id_is_extracted_from_a_valid_header() {
        let extract = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(value));
            RemoteContext::extract(&headers).map(|context| context.id().to_string())
        };
        let trace_id = "0af7651916cd43dd8448eb211c80319c";
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(extract(good).as_deref(), Some(trace_id));
        for bad in ["", "00", "00-0-0-0", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
        {
            assert_eq!(extract(bad), None, "{bad}");
        }
        assert!(RemoteContext::extract(&HeaderMap::new()).is_none());
    }
}
