//! Serves the embedded files of the playground.

use std::{io::Read, sync::OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use brotli_decompressor::Decompressor;

use crate::http::media::accepts_encoding;

/// The size of the decompressor's buffer, in bytes.
const BUFFER_BYTES: usize = 4096;

/// An embedded file of `playground/dist`.
pub(super) struct File {
    /// The name of the file in its URL.
    pub(super) name: &'static str,
    /// The content, compressed with brotli.
    pub(super) compressed: &'static [u8],
    /// The decompressed content, computed on first use.
    pub(super) decompressed: OnceLock<Option<Vec<u8>>>,
    /// The entity tag, computed on first use.
    pub(super) etag: OnceLock<HeaderValue>,
}

/// Embeds a file, given its name without the suffix `.br`.
macro_rules! file {
    ($name:literal) => {
        File {
            name: $name,
            compressed: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/playground/dist/",
                $name,
                ".br"
            )),
            decompressed: std::sync::OnceLock::new(),
            etag: std::sync::OnceLock::new(),
        }
    };
}
pub(super) use file;

/// The caching policy of a file.
#[derive(Clone, Copy)]
pub(super) enum CachePolicy {
    /// The file may be cached for a year, because its name changes with its content.
    Immutable,
    /// The file may be cached, but must be revalidated before each use.
    Revalidate,
}

impl CachePolicy {
    const fn cache_control(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Revalidate => "no-cache",
        })
    }
}

impl File {
    /// Returns the response to a request for the file.
    ///
    /// The embedded brotli is sent if the client accepts it, and the decompressed content otherwise.
    /// The compression layer serves clients that accept only gzip.
    pub(super) fn respond(
        &'static self,
        request_headers: &HeaderMap,
        policy: CachePolicy,
    ) -> Response {
        let etag = self.etag();
        let headers = [
            (header::CACHE_CONTROL, policy.cache_control()),
            (header::ETAG, etag.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if is_not_modified(request_headers, etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let mut response = if accepts_encoding(request_headers, "br") {
            let encoding = [(header::CONTENT_ENCODING, "br")];
            (encoding, headers, Body::from(self.compressed)).into_response()
        } else {
            match self.decompressed() {
                Some(decompressed) => (headers, Body::from(decompressed)).into_response(),
                None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        };
        response.headers_mut().insert(header::CONTENT_TYPE, media_type(self.name));
        response
    }

    /// Returns the entity tag, which is weak because all content codings share it.
    fn etag(&self) -> &HeaderValue {
        self.etag.get_or_init(|| {
            let hash = hex::encode(&digest(&SHA256, self.compressed).as_ref()[..16]);
            HeaderValue::try_from(format!("W/\"{hash}\""))
                .unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
        })
    }

    /// Returns the decompressed content.
    ///
    /// It is computed once and kept, so that no client can make the gateway decompress it repeatedly.
    /// Few clients need it.
    fn decompressed(&'static self) -> Option<&'static [u8]> {
        let decompressed = self.decompressed.get_or_init(|| {
            let mut decompressed = Vec::new();
            let result =
                Decompressor::new(self.compressed, BUFFER_BYTES).read_to_end(&mut decompressed);
            result.ok().map(|_| decompressed)
        });
        decompressed.as_deref()
    }
}

/// Returns whether `If-None-Match` has the current entity tag, by weak comparison.
fn is_not_modified(request_headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let values = request_headers.get_all(header::IF_NONE_MATCH).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let opaque_tag = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let current = etag.to_str().map(opaque_tag).unwrap_or_default();
    values
        .flat_map(|value| value.split(','))
        .any(|value| value.trim() == "*" || opaque_tag(value) == current)
}

fn media_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "md" => "text/markdown; charset=utf-8",
        _ => "application/octet-stream",
    })
}
