//! The origins whose pages may send requests to the gateway (CORS).
//!
//! The type is in `domain` because `config` validates into it and `http` applies it, and neither may
//! import the other.

use http::HeaderValue;

/// The origins whose pages may send requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Every origin is allowed.
    Any,
    /// The listed origins are allowed, as browsers write them in the `Origin` header. If the list is
    /// empty, only pages of the gateway's own origin can send requests.
    List(Vec<HeaderValue>),
}
