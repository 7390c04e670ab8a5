//! GraphiQL, for people: built from the sources in `playground/`, embedded, and served as it is.

mod file;
mod files;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::AppState;
use file::{CachePolicy, File};

/// What the page may do: run what came with it, and ask this gateway. Nothing of it is in the page
/// itself but styles, which the editor writes there as it goes; its icons are pictures in its sheet.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Goes with the page and with each of its files: a worker has the policy that it came with.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The page and what it brings in, where the playground is on.
pub(super) fn routes(router: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
    router.route("/", get(index)).route("/playground/{name}", get(asset))
}

/// `GET /`
async fn index(State(gateway): State<Arc<AppState>>, asked: HeaderMap) -> Response {
    page(&gateway, &asked)
}

/// The page itself: the one of `dev` has demo identities to choose from.
pub(super) fn page(gateway: &AppState, asked: &HeaderMap) -> Response {
    let page = if gateway.dev.is_some() { &files::DEV } else { &files::SERVE };
    let mut response = with_security_headers(page, asked, CachePolicy::Revalidate);
    // At `/graphql`, whoever accepts no page is answered by GraphQL.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// `GET /playground/{name}`
async fn asset(Path(name): Path<String>, asked: HeaderMap) -> Response {
    let found = files::ASSETS.iter().find(|file| file.name == name);
    match found {
        Some(file) => with_security_headers(file, &asked, CachePolicy::Immutable),
        None if name == files::LICENSES.name => {
            with_security_headers(&files::LICENSES, &asked, CachePolicy::Revalidate)
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn with_security_headers(file: &'static File, asked: &HeaderMap, keep: CachePolicy) -> Response {
    let mut response = file.answer(asked, keep);
    response.headers_mut().extend(SECURITY_HEADERS);
    response
}
