//! The mailbox of `tenantry dev`: a page and JSON of the latest messages.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use super::{
    dev::{Rejection, require_loopback_host},
    media::prefers_html,
    state::AppState,
};
use crate::{
    domain::id::ObjectId,
    mail::{StoredMail, invitation::escape},
};

/// The content security policy of the page: it may only show its own text and style.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
/// The content security policy of a message. The sandbox gives it an origin of its own.
const MESSAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; sandbox allow-top-navigation-by-user-activation allow-popups";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;\
    color:#1d2430}article{border:1px solid #d5d8de;border-radius:8px;padding:1rem 1.25rem;margin:1rem 0}\
    h2{font-size:1.1rem;margin:0 0 .25rem}p{margin:.25rem 0;color:#4a5160}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f5f7;padding:1rem;border-radius:6px}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MailJson {
    id: String,
    message_id: String,
    at: String,
    from: String,
    to: String,
    subject: String,
    text: String,
    html: String,
}

impl From<StoredMail> for MailJson {
    fn from(mail: StoredMail) -> Self {
        let StoredMail { id, at, message_id, from, to, subject, text, html } = mail;
        let (id, at) = (id.to_string(), at.to_string());
        Self { id, message_id, at, from, to, subject, text, html }
    }
}

/// Adds the routes of the mailbox.
pub(super) fn routes(router: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
    router.route("/dev/mail", get(mailbox)).route("/dev/mail/{id}", get(message))
}

/// Handles `GET /dev/mail`.
async fn mailbox(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let mails = match mails(&state, &headers) {
        Ok(mails) => mails,
        Err(rejection) => return rejection.into_response(),
    };
    let mut response = if prefers_html(&headers) {
        with_policy(PAGE_POLICY, page(&mails))
    } else {
        let json: Vec<_> = mails.into_iter().map(MailJson::from).collect();
        let mut response = Json(json).into_response();
        add_headers(&mut response);
        response
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Handles `GET /dev/mail/{id}`: the HTML form of a message, as a mail program would show it.
async fn message(
    State(state): State<Arc<AppState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mails = match mails(&state, &headers) {
        Ok(mails) => mails,
        Err(rejection) => return rejection.into_response(),
    };
    let id = ObjectId::from_hex(&id);
    match mails.into_iter().find(|mail| Some(mail.id) == id) {
        Some(mail) => with_policy(MESSAGE_POLICY, mail.html),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn mails(state: &AppState, headers: &HeaderMap) -> Result<Vec<StoredMail>, Rejection> {
    require_loopback_host(headers)?;
    let dev = state.dev.as_ref().ok_or((StatusCode::NOT_FOUND, ""))?;
    Ok(dev.mailbox.mails())
}

fn with_policy(policy: &'static str, html: String) -> Response {
    let mut response = Html(html).into_response();
    let policy = HeaderValue::from_static(policy);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    add_headers(&mut response);
    response
}

/// Adds the headers of both representations. A message has a link that must not leak.
fn add_headers(response: &mut Response) {
    response.headers_mut().extend([
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ]);
}

fn page(mails: &[StoredMail]) -> String {
    let mut articles: String = mails.iter().map(article).collect();
    if mails.is_empty() {
        articles.push_str("<p>No message was sent yet.</p>");
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mail</title>\
         <style>{STYLE}</style></head><body><h1>Mail</h1>\
         <p>The latest messages of this process. They are sent to no server.</p>{articles}</body></html>"
    )
}

fn article(mail: &StoredMail) -> String {
    let StoredMail { id, at, from, to, subject, text, .. } = mail;
    let [from, to, subject] = [from, to, subject].map(|value| escape(value));
    let lines: Vec<_> = text.lines().map(line).collect();
    format!(
        "<article><h2>{subject}</h2><p>From {from} to {to} at {at}</p>\
         <p><a href=\"/dev/mail/{id}\">As HTML</a></p><pre>{}</pre></article>",
        lines.join("\n")
    )
}

/// Returns a line of a text, as a link if it is one.
fn line(text: &str) -> String {
    let escaped = escape(text);
    let is_link = text.starts_with("http://") || text.starts_with("https://");
    match is_link {
        true => format!("<a href=\"{escaped}\">{escaped}</a>"),
        false => escaped,
    }
}
