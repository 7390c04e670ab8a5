//! Renders responses as event streams, by the protocol `graphql-sse` in its distinct connections mode.
//!
//! Each response is an event `next`. The event `complete` follows the last one. If a stream ends
//! without it, the client may reconnect with the header `Last-Event-ID`.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt, stream};

use crate::{
    graphql::{GraphQlResponse, LiveItem, LiveOperation},
    http::{
        live_connections::LiveConnection,
        request_facts::RequestTelemetry,
        response::{ResponseCodes, StoreCost},
        serve::EventStream,
    },
};

/// The time after which an idle stream gets a comment, so that no proxy takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(12);
/// Asks nginx not to buffer the response.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Renders the only response of an operation.
pub(super) fn render_response(response: &GraphQlResponse) -> Response {
    let event = next_event(response, None);
    let mut rendered = render(stream::iter([event, complete_event()]));
    rendered.extensions_mut().insert(StoreCost::ZERO);
    rendered.extensions_mut().insert(ResponseCodes::new(response.codes()));
    rendered
}

/// Renders the only response of an operation, which is JSON already.
pub(super) fn render_json(body: String) -> Response {
    render(stream::iter([Event::default().event("next").data(body), complete_event()]))
}

/// Renders the responses of a subscription until it ends, or until `end`.
///
/// After `end` no event `complete` follows, so that the client reconnects.
pub(super) fn render_subscription(
    subscription: LiveOperation,
    end: impl Future<Output = ()> + Send + 'static,
    telemetry: &RequestTelemetry,
    connection: LiveConnection,
) -> Response {
    telemetry.start_subscription(connection.transport());
    let (of_events, of_completion) = (telemetry.clone(), telemetry.clone());
    let events = subscription.map(move |item| {
        let _ = &connection;
        let (response, cursor) = match &item {
            LiveItem::Event { response, cursor } => (response, Some(cursor.as_str())),
            LiveItem::Failed(response) => (response, None),
        };
        of_events.record_event(ResponseCodes::new(response.codes()));
        next_event(response, cursor)
    });
    let complete = stream::once(async move {
        of_completion.complete_subscription();
        complete_event()
    });
    let mut rendered = render(events.chain(complete).take_until(Box::pin(end)));
    rendered.extensions_mut().insert(EventStream);
    rendered.extensions_mut().insert(ResponseCodes::new(std::iter::empty()));
    rendered
}

fn next_event(response: &GraphQlResponse, cursor: Option<&str>) -> Event {
    let event = Event::default().event("next");
    let event = cursor.into_iter().fold(event, Event::id);
    // Every part of a response can be serialized as JSON.
    let json = response.to_json().ok().and_then(|json| String::from_utf8(json).ok());
    event.data(json.unwrap_or_default())
}

/// Returns the event `complete`. A browser ignores an event without data.
fn complete_event() -> Event {
    Event::default().event("complete").data("")
}

fn render(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("");
    let mut response =
        Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(heartbeat).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
