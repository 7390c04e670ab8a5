//! Content negotiation: the media types that a client sends and accepts (RFC 9110, section 12).

use std::cmp::Reverse;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The media type of server-sent events.
const EVENT_STREAM: &str = "text/event-stream";

/// The media type of a GraphQL response (GraphQL over HTTP, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`: the status is 200 even if the operation was not executed.
    Json,
    /// `application/graphql-response+json`: the status shows whether the operation was executed.
    GraphqlResponse,
}

impl MediaType {
    /// Returns the value of the response's `Content-Type`.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// Returns the media type that the `Accept` headers prefer (RFC 9110, section 12.5.1).
    ///
    /// The most specific range that matches a type gives its quality. Of two types with the same
    /// quality, the one with the more specific range wins, then the one that is listed first. The
    /// default is `application/json`, also for a client that accepts every type. Returns `None` if
    /// the headers exclude both types.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let ranges: Vec<_> = preferences(headers, header::ACCEPT).collect();
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let preference = |media_type: Self| Preference::of(media_type.essence(), &ranges);
        match (preference(Self::Json), preference(Self::GraphqlResponse)) {
            (Some(json), Some(response)) if response > json => Some(Self::GraphqlResponse),
            (Some(_), _) => Some(Self::Json),
            (None, Some(_)) => Some(Self::GraphqlResponse),
            (None, None) => None,
        }
    }

    const fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GraphqlResponse => "application/graphql-response+json",
        }
    }
}

/// The formats of a response that a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseFormat {
    /// The preferred media type of a single response, or `None` for an event stream.
    media_type: Option<MediaType>,
    accepts_event_stream: bool,
}

impl ResponseFormat {
    /// Returns the formats that the `Accept` headers prefer, or `None` if they exclude all.
    ///
    /// A client has to name `text/event-stream`. One that accepts every type expects JSON.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let media_type = MediaType::negotiate(headers);
        let ranges: Vec<_> = preferences(headers, header::ACCEPT).collect();
        let of_events = Preference::of(EVENT_STREAM, &ranges).filter(Preference::is_exact);
        let of_json = [MediaType::Json, MediaType::GraphqlResponse]
            .into_iter()
            .filter_map(|media_type| Preference::of(media_type.essence(), &ranges))
            .max();
        let accepts_event_stream = of_events.is_some();
        let media_type = media_type.filter(|_| !accepts_event_stream || of_json > of_events);
        (media_type.is_some() || accepts_event_stream)
            .then_some(Self { media_type, accepts_event_stream })
    }

    /// Returns the media type of a single response, or `None` if it is an event stream.
    pub(super) const fn media_type(self) -> Option<MediaType> {
        self.media_type
    }

    /// Returns whether the client can read an event stream.
    pub(super) const fn accepts_event_stream(self) -> bool {
        self.accepts_event_stream
    }

    /// Returns whether a single response is an event stream, too.
    pub(super) const fn prefers_event_stream(self) -> bool {
        self.media_type.is_none()
    }
}

/// The strength of a client's preference for a media type. A greater value is preferred.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    /// In thousandths. At least 1.
    quality: u16,
    /// 2 for the type itself, 1 for `application/*`, 0 for `*/*`.
    specificity: u8,
    /// Greater for a range that is listed earlier.
    order: Reverse<usize>,
}

impl Preference {
    /// Returns whether the client has named the type itself.
    const fn is_exact(&self) -> bool {
        self.specificity == 2
    }

    /// Returns the preference for a media type, or `None` if it is not accepted.
    fn of(essence: &str, ranges: &[(&str, u16)]) -> Option<Self> {
        let (group, _) = essence.split_once('/')?;
        let specificity = |range: &str| {
            if range.eq_ignore_ascii_case(essence) {
                return Some(2);
            }
            match range.split_once("/*") {
                Some((name, "")) if name.eq_ignore_ascii_case(group) => Some(1),
                Some(("*", "")) => Some(0),
                _ => None,
            }
        };
        let matching = ranges.iter().enumerate().filter_map(|(index, (range, quality))| {
            Some((specificity(range)?, Reverse(index), *quality))
        });
        let (specificity, order, quality) = matching.max()?;
        (quality > 0).then_some(Self { quality, specificity, order })
    }
}

/// Returns whether the client prefers `text/html` to both media types of GraphQL responses.
///
/// A client that does not mention HTML does not prefer it.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let ranges: Vec<_> = preferences(headers, header::ACCEPT).collect();
    let quality = |essence| Preference::of(essence, &ranges).map_or(0, |found| found.quality);
    let json = quality(MediaType::Json.essence());
    quality("text/html") > json.max(quality(MediaType::GraphqlResponse.essence()))
}

/// Returns whether the client accepts a content coding (RFC 9110, section 12.5.3).
///
/// The coding's own entry takes precedence over `*`. A quality of 0 excludes the coding.
pub(super) fn accepts_encoding(headers: &HeaderMap, coding: &str) -> bool {
    let quality = |coding: &str| {
        preferences(headers, header::ACCEPT_ENCODING)
            .find_map(|(name, quality)| name.eq_ignore_ascii_case(coding).then_some(quality))
    };
    quality(coding).or_else(|| quality("*")).is_some_and(|quality| quality > 0)
}

/// Returns the items of a negotiation header with their qualities in thousandths.
///
/// The format is in RFC 9110, section 12.4.2. Names are compared without regard to case.
fn preferences(headers: &HeaderMap, header: HeaderName) -> impl Iterator<Item = (&str, u16)> {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| split_unquoted(value, ',')).filter_map(|item| {
        let mut parts = split_unquoted(item, ';').map(str::trim);
        let range = parts.next().filter(|range| !range.is_empty())?;
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let quality = parameters.find(|(name, _)| name.eq_ignore_ascii_case("q"));
        Some((range, quality.map_or(1000, |(_, value)| parse_qvalue(value))))
    })
}

/// Splits a header value at a separator outside of quoted strings (RFC 9110, section 5.6.4).
fn split_unquoted(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => return character == separator && !quoted,
        }
        false
    })
}

fn parse_qvalue(quality: &str) -> u16 {
    quality.parse().map_or(0, |q: f32| (q.clamp(0.0, 1.0) * 1000.0) as u16)
}

/// Returns whether the `Content-Type` is JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(Ok(value)), None) = (values.next().map(HeaderValue::to_str), values.next()) else {
        return false;
    };
    let mut parts = split_unquoted(value, ';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || is_utf8_label(value.trim_matches('"'))
        })
}

/// Returns whether a charset is UTF-8. Many clients write `utf8`, which is a label of UTF-8 in the
/// Encoding Standard, section 4.2.
fn is_utf8_label(charset: &str) -> bool {
    ["utf-8", "utf8"].iter().any(|label| label.eq_ignore_ascii_case(charset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(value: &'static str) -> Option<MediaType> {
        let accept = (header::ACCEPT, HeaderValue::from_static(value));
        MediaType::negotiate(&HeaderMap::from_iter([accept]))
    }

    #[test]
    fn accept_header_selects_the_media_type() {
        use MediaType::{GraphqlResponse, Json};
        assert_eq!(MediaType::negotiate(&HeaderMap::new()), Some(Json));
        for (value, expected) in [
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            (
                "application/graphql-response+json; charset=utf-8, application/json",
                Some(GraphqlResponse),
            ),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("application/json;q=0.5, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json;q=0, application/json;q=0.1", Some(Json)),
            ("text/html, */*;q=0.8", Some(Json)),
            ("Application/JSON", Some(Json)),
            ("APPLICATION/GraphQL-Response+JSON", Some(GraphqlResponse)),
            ("Application/*;Q=0.1, Application/GraphQL-Response+JSON;Q=0.2", Some(GraphqlResponse)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("*/*, application/json;q=0", Some(GraphqlResponse)),
            ("application/*;q=0, */*", None),
            ("application/json;q=0.2, application/*;q=0.1, */*", Some(Json)),
            ("application/graphql-response+json, */*", Some(GraphqlResponse)),
            ("*/*, application/graphql-response+json;q=0.9", Some(Json)),
            (
                "application/json;Q=0.1, application/graphql-response+json;q=0.2",
                Some(GraphqlResponse),
            ),
            ("text/plain;a=\",application/graphql-response+json,\"", None),
            (
                "application/json;a=\"\\\";\";q=0, application/graphql-response+json;q=0.1",
                Some(GraphqlResponse),
            ),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(negotiate(value), expected, "{value}");
        }
    }

    #[test]
    fn event_stream_is_used_if_the_client_names_it() {
        let negotiate = |value: &'static str| {
            let accept = (header::ACCEPT, HeaderValue::from_static(value));
            let format = ResponseFormat::negotiate(&HeaderMap::from_iter([accept]))?;
            Some((format.media_type(), format.accepts_event_stream()))
        };
        let (json, response) = (Some(MediaType::Json), Some(MediaType::GraphqlResponse));
        for (value, expected) in [
            ("text/event-stream", Some((None, true))),
            ("Text/Event-Stream", Some((None, true))),
            ("text/event-stream, multipart/mixed", Some((None, true))),
            ("text/event-stream, application/json", Some((None, true))),
            ("text/event-stream, */*", Some((None, true))),
            ("text/event-stream;q=0.5, application/json", Some((json, true))),
            (
                "application/graphql-response+json, application/json, text/event-stream",
                Some((response, true)),
            ),
            ("text/event-stream;q=0", None),
            ("text/event-stream;q=0, application/json", Some((json, false))),
            ("text/*", None),
            ("*/*", Some((json, false))),
            ("text/html", None),
        ] {
            assert_eq!(negotiate(value), expected, "{value}");
        }
        let none = ResponseFormat { media_type: json, accepts_event_stream: false };
        assert_eq!(ResponseFormat::negotiate(&HeaderMap::new()), Some(none));
    }

    #[test]
    fn encoding_is_accepted_by_name_or_wildcard() {
        let accepts = |value: &'static str| {
            let accept = (header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_encoding(&HeaderMap::from_iter([accept]), "br")
        };
        for value in ["br", "gzip, BR;q=0.1", "*", "gzip;q=0, *;q=0.5"] {
            assert!(accepts(value), "{value}");
        }
        for value in ["", "gzip", "br;q=0", "br;q=0, *", "*;q=0", "brotli", "identity"] {
            assert!(!accepts(value), "{value}");
        }
        assert!(!accepts_encoding(&HeaderMap::new(), "br"));
    }

    #[test]
    fn only_json_in_utf8_is_accepted_as_body() {
        let is_json_type = |value: &'static str| {
            let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&HeaderMap::from_iter([content_type]))
        };
        for value in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; charset=utf8",
            "application/json; Charset=UTF8",
            "application/json;a=\";charset=latin1\"",
        ] {
            assert!(is_json_type(value), "{value}");
        }
        for value in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "",
            "application/jsonx",
        ] {
            assert!(!is_json_type(value), "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
