//! Every transport applies the same checks: each limit, each bad credential, each denied field and
//! each mode of trusted documents has the same codes.

use axum::{
    body::Body,
    http::{Method, Request, request::Builder},
};
use serde_json::{Value, json};
use tenantry::domain::trusted_documents::TrustedDocumentsMode;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    app::{App, Backend, Setup},
    event_stream::EventStreamReader,
    websocket::WebSocketClient,
    world::World,
};

const TRANSPORTS: [Transport; 6] = [
    Transport::Post,
    Transport::Get,
    Transport::EventStream(Method::POST),
    Transport::EventStream(Method::GET),
    Transport::WebSocket { token_in_header: false },
    Transport::WebSocket { token_in_header: true },
];

#[derive(Clone, Debug, PartialEq)]
enum Transport {
    Post,
    Get,
    EventStream(Method),
    WebSocket { token_in_header: bool },
}

/// A gateway and its address.
struct Gateway {
    app: App,
    origin: String,
}

impl Gateway {
    async fn start(setup: Setup) -> Self {
        let app = App::with(Backend::Sqlite, setup).await;
        World::new(&app).await;
        let origin = app.serve().await;
        Self { app, origin }
    }

    /// Returns the codes of the response to a request with these credentials.
    async fn codes(
        &self,
        transport: &Transport,
        credentials: &[String],
        request: &Value,
    ) -> Vec<String> {
        match transport {
            Transport::WebSocket { token_in_header } => {
                self.codes_on_websocket(*token_in_header, credentials, request).await
            }
            Transport::Get | Transport::EventStream(Method::GET) => {
                let parameters = request.as_object().expect("an object").iter();
                let parameters = parameters.map(|(name, value)| match value {
                    Value::String(text) => (name, text.clone()),
                    other => (name, other.to_string()),
                });
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                let query = query.extend_pairs(parameters).finish();
                let head = Request::get(format!("/graphql?{query}"));
                self.codes_of_http(transport, head, credentials, Body::empty()).await
            }
            Transport::Post | Transport::EventStream(_) => {
                let head = Request::post("/graphql").header("content-type", "application/json");
                self.codes_of_http(transport, head, credentials, Body::from(request.to_string()))
                    .await
            }
        }
    }

    async fn codes_of_http(
        &self,
        transport: &Transport,
        mut head: Builder,
        credentials: &[String],
        body: Body,
    ) -> Vec<String> {
        for credential in credentials {
            head = head.header("authorization", credential);
        }
        if !matches!(transport, Transport::EventStream(_)) {
            let reply = self.app.send(head.body(body).expect("a request")).await;
            return codes(&reply.json["errors"]);
        }
        let request = head.header("accept", "text/event-stream").body(body).expect("a request");
        let response = self.app.respond(request).await;
        if response.headers()["content-type"] != "text/event-stream" {
            let body =
                axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            return codes(&body["errors"]);
        }
        let event = EventStreamReader::new(response).next_event().await.expect("an event");
        codes(&event.data["errors"])
    }

    async fn codes_on_websocket(
        &self,
        token_in_header: bool,
        credentials: &[String],
        request: &Value,
    ) -> Vec<String> {
        let in_header: Vec<_> = credentials
            .iter()
            .filter(|_| token_in_header)
            .map(|credential| ("authorization", &**credential))
            .collect();
        let mut client = match WebSocketClient::open(&self.origin, &in_header).await {
            Ok(client) => client,
            Err((_, body)) => {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                return codes(&body["errors"]);
            }
        };
        let names = ["authorization", "Authorization"];
        let payload: serde_json::Map<_, _> = names
            .iter()
            .zip(credentials)
            .filter(|_| !token_in_header)
            .map(|(name, value)| ((*name).to_owned(), value.clone().into()))
            .collect();
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        if let Some(Message::Close(frame)) = client.next_frame().await {
            let code = frame.map(|frame| u16::from(frame.code));
            assert!(matches!(code, Some(4400 | 4403)), "{code:?}");
            return vec!["UNAUTHENTICATED".to_owned()];
        }
        let messages = client.run(request.clone()).await;
        match &*messages[0].0 {
            "error" => codes(&messages[0].1),
            _ => codes(&messages[0].1["errors"]),
        }
    }

    /// Asserts that all transports have the same codes.
    async fn assert_codes(&self, credentials: &[String], request: &Value, expected: &[&str]) {
        let kind = request["query"].as_str().unwrap_or("");
        let is_subscription = kind.starts_with("subscription");
        for transport in &TRANSPORTS {
            // A URL is shorter than a body, and one response is no stream of events.
            let is_single = matches!(transport, Transport::Post | Transport::Get);
            let is_url = matches!(transport, Transport::Get | Transport::EventStream(Method::GET));
            if is_subscription && is_single || is_url && request.to_string().len() > 8 * 1024 {
                continue;
            }
            let actual = self.codes(transport, credentials, request).await;
            let start: String = request.to_string().chars().take(100).collect();
            assert_eq!(actual, expected, "{transport:?} {credentials:?} {start}");
        }
    }

    fn bearer(&self, subject: &str) -> Vec<String> {
        vec![format!("Bearer {}", self.app.token(subject, []))]
    }
}

fn codes(errors: &Value) -> Vec<String> {
    let errors = errors.as_array().map_or(&[][..], Vec::as_slice);
    let code = |error: &Value| error["extensions"]["code"].as_str().map(str::to_owned);
    errors.iter().filter_map(code).collect()
}

#[tokio::test]
async fn each_limit_has_the_same_code_on_each_transport() {
    let gateway = Gateway::start(Setup::default()).await;
    let ada = gateway.bearer("ada");
    let nested = |levels: usize| {
        format!(
            "{}name{}",
            "memberships { tenant { members { nodes { user { ".repeat(levels),
            " } } } } }".repeat(levels)
        )
    };
    let aliases: String = (0..31).map(|n| format!(" a{n}: name")).collect();
    let roots: String = (0..21).map(|n| format!(" me{n}: __schema {{ description }}")).collect();
    let directives = " @skip(if: false)".repeat(51);
    let tokens = " id".repeat(2_001);
    for selection in [
        nested(3),
        format!(
            "memberships {{ tenant {{ {} }} }}",
            "members(first: 100) { nodes { user { memberships { tenant { members(first: 100) { nodes { since } } } } } } }"
        ),
        aliases,
        format!("id{directives}"),
        tokens,
        format!("id #{}", "x".repeat(256 * 1024)),
    ] {
        let query = json!({"query": format!("query {{ me {{ {selection} }} }}")});
        gateway.assert_codes(&ada, &query, &["LIMIT_EXCEEDED"]).await;
        let subscription = format!("subscription {{ meChanged {{ {selection} }} }}");
        gateway.assert_codes(&ada, &json!({"query": subscription}), &["LIMIT_EXCEEDED"]).await;
    }
    let query = json!({"query": format!("{{{roots} }}")});
    gateway.assert_codes(&ada, &query, &["LIMIT_EXCEEDED"]).await;
    let deep = json!({"a": "[".repeat(200) + &"]".repeat(200)});
    let variables = json!({"query": "query ($a: ID) { node(id: $a) { id } }", "variables": deep});
    gateway.assert_codes(&ada, &variables, &["GRAPHQL_VALIDATION_FAILED"]).await;
}

#[tokio::test]
async fn each_bad_credential_has_the_same_code_on_each_transport() {
    let gateway = Gateway::start(Setup::default()).await;
    let token = gateway.app.token("ada", []);
    let bearer = |token: &str| format!("Bearer {token}");
    let query = json!({"query": "{ me { id } }"});
    for credentials in [
        vec![],
        vec![token.clone()],
        vec!["Bearer".to_owned()],
        vec!["Basic YTpi".to_owned()],
        vec![bearer("x")],
        vec![bearer(&token[..token.len() - 4])],
        vec![bearer(&gateway.app.issuer.token().expires_at(1).sign())],
        vec![bearer(&gateway.app.issuer.token().without("sub").sign())],
        vec![bearer(&token), bearer(&token)],
    ] {
        gateway.assert_codes(&credentials, &query, &["UNAUTHENTICATED"]).await;
        let subscription = json!({"query": "subscription { meChanged { id } }"});
        gateway.assert_codes(&credentials, &subscription, &["UNAUTHENTICATED"]).await;
    }
    gateway.assert_codes(&[bearer(&token)], &query, &[]).await;
}

#[tokio::test]
async fn each_denied_field_has_the_same_code_on_each_transport() {
    let gateway = Gateway::start(Setup::default()).await;
    gateway.app.edit_user("bob", |user| user.disabled = true).await;
    let acme = json!({"slug": "acme"});
    let tenant = |selection: &str| {
        let query = format!("query ($slug: String!) {{ tenant(slug: $slug) {{ {selection} }} }}");
        json!({"query": query, "variables": acme})
    };
    for (subject, request, expected) in [
        ("carol", tenant("integrations { ocisSpace }"), vec!["FORBIDDEN"]),
        ("carol", tenant("name"), vec![]),
        ("carol", json!({"query": "{ users { nodes { id } } }"}), vec!["FORBIDDEN"]),
        ("carol", json!({"query": "{ auditLog { nodes { id } } }"}), vec!["FORBIDDEN"]),
        ("bob", json!({"query": "{ me { id } }"}), vec!["USER_DISABLED"]),
        ("mallory", tenant("name"), vec![]),
        ("unknown", tenant("name"), vec!["USER_NOT_PROVISIONED"]),
        ("carol", json!({"query": "{ node(id: \"x\") { id } }"}), vec!["BAD_USER_INPUT"]),
        ("bob", json!({"query": "subscription { meChanged { id } }"}), vec!["USER_DISABLED"]),
        (
            "unknown",
            json!({"query": "subscription { meChanged { id } }"}),
            vec!["USER_NOT_PROVISIONED"],
        ),
        (
            "carol",
            json!({"query": "subscription { tenantChanged(id: \"ten_000000000000000000000000\") { kind } }"}),
            vec!["NOT_FOUND"],
        ),
        (
            "carol",
            json!({"query": "subscription { tenantChanged(id: \"x\") { kind } }"}),
            vec!["BAD_USER_INPUT"],
        ),
        (
            "carol",
            json!({"query": "subscription { meChanged(since: \"x\") { id } }"}),
            vec!["BAD_USER_INPUT"],
        ),
    ] {
        gateway.assert_codes(&gateway.bearer(subject), &request, &expected).await;
    }
}

#[tokio::test]
async fn each_mode_of_trusted_documents_has_the_same_codes_on_each_transport() {
    const TRUSTED: &str =
        r#"{"7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b": "{ __typename }"}"#;
    let hash = "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b";
    let trusted = json!({"query": "{ __typename }"});
    let other = json!({"query": "{ me { id } }"});
    let by_id = json!({"documentId": hash});
    let by_hash = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    let unknown = json!({"documentId": "0".repeat(64)});
    for mode in
        [TrustedDocumentsMode::Off, TrustedDocumentsMode::Report, TrustedDocumentsMode::Enforce]
    {
        let setup = Setup { documents: Some((TRUSTED, mode)), ..Setup::default() };
        let gateway = Gateway::start(setup).await;
        let ada = gateway.bearer("ada");
        let subscription = json!({"query": "subscription { meChanged(since: \"x\") { id } }"});
        let rejected = mode == TrustedDocumentsMode::Enforce;
        let other_codes: &[&str] = if rejected { &["FORBIDDEN"] } else { &[] };
        gateway.assert_codes(&ada, &trusted, &[]).await;
        gateway.assert_codes(&ada, &by_id, &[]).await;
        gateway.assert_codes(&ada, &by_hash, &[]).await;
        gateway.assert_codes(&ada, &unknown, &["BAD_USER_INPUT"]).await;
        gateway.assert_codes(&ada, &other, other_codes).await;
        let code = if rejected { "FORBIDDEN" } else { "BAD_USER_INPUT" };
        gateway.assert_codes(&ada, &subscription, &[code]).await;
    }
}
