//! Media types: what a client sends, and in which form it wants the answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The form of an answer (GraphQL over HTTP, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`: a document that is refused is 200 all the same.
    Json,
    /// `application/graphql-response+json`: the status says whether the document ran.
    GraphqlResponse,
}

impl MediaType {
    /// As the answer's `Content-Type`.
    pub(super) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// What the `Accept` headers prefer; `None` where they take neither. Who says nothing, or takes
    /// anything, gets `application/json`.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut said = false;
        for (range, quality) in ranges(headers) {
            said = true;
            let media_type = match range {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, media_type));
            }
        }
        if said { best.map(|(_, media_type)| media_type) } else { Some(Self::Json) }
    }
}

/// Whether a browser asks for a page: `text/html`, and no form of an answer as much or more.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let quality = |wanted: &[&str]| {
        let qualities = ranges(headers).filter(|(range, _)| wanted.contains(range));
        qualities.map(|(_, quality)| quality).max().unwrap_or(0)
    };
    let page = quality(&["text/html"]);
    page > quality(&["application/json", "application/graphql-response+json"])
}

/// Whether a body may come in that coding: where it is named, or everything is, and not ruled out
/// (RFC 9110, section 12.5.3).
pub(super) fn accepts_encoding(headers: &HeaderMap, coding: &str) -> bool {
    let quality = |wanted: &str| {
        preferences(headers, header::ACCEPT_ENCODING)
            .find_map(|(name, quality)| name.eq_ignore_ascii_case(wanted).then_some(quality))
    };
    quality(coding).or_else(|| quality("*")).is_some_and(|quality| quality > 0)
}

/// Media ranges (RFC 9110, section 12.5.1).
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = (&str, u16)> {
    preferences(headers, header::ACCEPT)
}

/// What a header of preferences lists, with its quality in thousandths (RFC 9110, section 12.4.2).
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

/// Whether a body is JSON in UTF-8 by its `Content-Type`.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(Ok(value)), None) = (values.next().map(HeaderValue::to_str), values.next()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> Option<MediaType> {
        let accept = (header::ACCEPT, HeaderValue::from_static(value));
        MediaType::negotiate(&HeaderMap::from_iter([accept]))
    }

    #[test]
    fn the_client_chooses() {
        use MediaType::{GraphqlResponse, Json};
        assert_eq!(MediaType::negotiate(&HeaderMap::new()), Some(Json));
        for (value, chosen) in [
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
            assert_eq!(accept(value), chosen, "{value}");
        }
    }

    #[test]
    fn a_coding_is_taken_where_it_is_named_or_everything_is() {
        let takes = |value: &'static str| {
            let accept = (header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_encoding(&HeaderMap::from_iter([accept]), "br")
        };
        for good in ["br", "gzip, BR;q=0.1", "*", "gzip;q=0, *;q=0.5"] {
            assert!(takes(good), "{good}");
        }
        for bad in ["", "gzip", "br;q=0", "br;q=0, *", "*;q=0", "brotli", "identity"] {
            assert!(!takes(bad), "{bad}");
        }
        assert!(!accepts_encoding(&HeaderMap::new(), "br"));
    }

    #[test]
    fn bodies_are_json_in_utf8() {
        let json = |value: &'static str| {
            let kind = (header::CONTENT_TYPE, HeaderValue::from_static(value));
            is_json(&HeaderMap::from_iter([kind]))
        };
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(json(good), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "",
            "application/jsonx",
        ] {
            assert!(!json(bad), "{bad}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
