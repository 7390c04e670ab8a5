//! A file of the playground, as it is embedded and as it goes out.

use std::{io::Read, sync::OnceLock};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use brotli_decompressor::Decompressor;

use super::super::media::accepts_encoding;

/// How much is decompressed at a time.
const BUFFER: usize = 4096;

/// A file of `playground/dist`.
pub(super) struct File {
    /// As the URL has it.
    pub(super) name: &'static str,
    /// In brotli.
    pub(super) packed: &'static [u8],
    /// As it was, once somebody wanted it so.
    pub(super) plain: OnceLock<Option<Vec<u8>>>,
    /// Its entity tag, once somebody wanted it.
    pub(super) tag: OnceLock<HeaderValue>,
}

/// A file by its name, without the ending of what is compressed.
macro_rules! file {
    ($name:literal) => {
        File {
            name: $name,
            packed: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/playground/dist/",
                $name,
                ".br"
            )),
            plain: std::sync::OnceLock::new(),
            tag: std::sync::OnceLock::new(),
        }
    };
}
pub(super) use file;

/// How long a browser may keep a file without asking.
#[derive(Clone, Copy)]
pub(super) enum CachePolicy {
    /// For ever: the name changes with what is in it.
    Immutable,
    /// Until the next time: it asks whether it is still the one.
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
    /// The answer to whoever asks for it: as it is embedded where brotli is taken, else as it was. (A
    /// client that takes gzip alone gets that from the layer that makes answers short.)
    pub(super) fn answer(&'static self, asked: &HeaderMap, keep: CachePolicy) -> Response {
        let tag = self.etag();
        let headers = [
            (header::CACHE_CONTROL, keep.cache_control()),
            (header::ETAG, tag.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if is_not_modified(asked, tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let mut response = if accepts_encoding(asked, "br") {
            let coding = [(header::CONTENT_ENCODING, "br")];
            (coding, headers, Body::from(self.packed)).into_response()
        } else {
            match self.plain() {
                Some(plain) => (headers, Body::from(plain)).into_response(),
                None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        };
        response.headers_mut().insert(header::CONTENT_TYPE, media_type(self.name));
        response
    }

    /// Weak: it is the same for every coding.
    fn etag(&self) -> &HeaderValue {
        self.tag.get_or_init(|| {
            let hash = hex::encode(&digest(&SHA256, self.packed).as_ref()[..16]);
            HeaderValue::try_from(format!("W/\"{hash}\""))
                .unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
        })
    }

    /// Decompressed once, and kept: few clients want it so, and none can make the program do it again.
    fn plain(&'static self) -> Option<&'static [u8]> {
        let plain = self.plain.get_or_init(|| {
            let mut plain = Vec::new();
            let read = Decompressor::new(self.packed, BUFFER).read_to_end(&mut plain);
            read.ok().map(|_| plain)
        });
        plain.as_deref()
    }
}

/// Whether the client has it already.
fn is_not_modified(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let ours = tag.to_str().map(weak).unwrap_or_default();
    known.flat_map(|value| value.split(',')).any(|value| value.trim() == "*" || weak(value) == ours)
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
