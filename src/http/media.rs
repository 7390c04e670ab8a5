//! Content negotiation: the media types that a client sends and accepts (RFC 9110, section 12).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

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

    /// Returns the media type that the `Accept` headers prefer.
    ///
    /// The default is `application/json`, also for a client that accepts every type. Returns `None`
    /// if the headers exclude both types.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut has_ranges = false;
        for (range, quality) in ranges(headers) {
            has_ranges = true;
            let media_type = match range {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, media_type));
            }
        }
        if has_ranges { best.map(|(_, media_type)| media_type) } else { Some(Self::Json) }
    }
}

/// Returns whether the client prefers `text/html` to both media types of GraphQL responses.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let quality = |names: &[&str]| {
        let matching = ranges(headers).filter(|(range, _)| names.contains(range));
        matching.map(|(_, quality)| quality).max().unwrap_or(0)
    };
    quality(&["text/html"]) > quality(&["application/json", "application/graphql-response+json"])
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

/// Returns the media ranges of `Accept` with their qualities (RFC 9110, section 12.5.1).
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = (&str, u16)> {
    preferences(headers, header::ACCEPT)
}

/// Returns the items of a negotiation header with their qualities in thousandths.
///
/// The format is in RFC 9110, section 12.4.2.
fn preferences(headers: &HeaderMap, header: HeaderName) -> impl Iterator<Item = (&str, u16)> {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let range = parts.next().filter(|range| !range.is_empty())?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, parse_qvalue);
        Some((range, quality))
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
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset")
                || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
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
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(negotiate(value), expected, "{value}");
        }
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
