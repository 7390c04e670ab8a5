//! The reasons for which a WebSocket ends, with their close codes.

use axum::extract::ws::{CloseFrame, Message};

/// The reason for which a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client has closed the connection, or has disconnected.
    ClientClosed,
    /// The client does not respond to pings.
    Unresponsive,
    /// The gateway shuts down.
    GoingAway,
    /// A message is longer than a request body may be.
    MessageTooBig,
    /// The caller has too many connections or has exceeded the rate limit, or the provider's keys are
    /// not available.
    TryAgainLater,
    /// A message is not one of the protocol.
    InvalidMessage,
    /// The client has sent several tokens in the header of the upgrade and in `connection_init`.
    SeveralCredentials,
    /// The client has sent `subscribe` before the connection was acknowledged.
    Unauthorized,
    /// The token is not valid.
    Forbidden,
    /// The token has expired.
    TokenExpired,
    /// The client has not sent `connection_init` in time.
    InitTimeout,
    /// The client has used the identifier of a running operation.
    DuplicateOperation,
    /// The client has sent `connection_init` twice.
    TooManyInits,
}

impl CloseReason {
    /// Returns the close code, or `None` if the client gets none.
    const fn code(self) -> Option<u16> {
        Some(match self {
            Self::ClientClosed | Self::Unresponsive => return None,
            Self::GoingAway => 1001,
            Self::MessageTooBig => 1009,
            Self::TryAgainLater => 1013,
            Self::InvalidMessage | Self::SeveralCredentials => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden | Self::TokenExpired => 4403,
            Self::InitTimeout => 4408,
            Self::DuplicateOperation => 4409,
            Self::TooManyInits => 4429,
        })
    }

    /// Returns the text for the client, of at most 123 bytes.
    const fn text(self) -> &'static str {
        match self {
            Self::ClientClosed | Self::Unresponsive => "",
            Self::GoingAway => "Going away",
            Self::MessageTooBig => "Message too big",
            Self::TryAgainLater => "Try again later",
            Self::InvalidMessage => "Invalid message",
            Self::SeveralCredentials => "Send one credential",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::TokenExpired => "Token expired",
            Self::InitTimeout => "Connection initialisation timeout",
            Self::DuplicateOperation => "Subscriber already exists",
            Self::TooManyInits => "Too many initialisation requests",
        }
    }

    /// Returns the value of the metric label `code`.
    pub(super) const fn as_label(self) -> &'static str {
        match self {
            Self::ClientClosed => "client",
            Self::Unresponsive => "unresponsive",
            Self::GoingAway => "1001",
            Self::MessageTooBig => "1009",
            Self::TryAgainLater => "1013",
            Self::InvalidMessage | Self::SeveralCredentials => "4400",
            Self::Unauthorized => "4401",
            Self::Forbidden | Self::TokenExpired => "4403",
            Self::InitTimeout => "4408",
            Self::DuplicateOperation => "4409",
            Self::TooManyInits => "4429",
        }
    }

    /// Returns the message that closes the connection, or `None` if the client gets none.
    pub(super) fn message(self) -> Option<Message> {
        let code = self.code()?;
        Some(Message::Close(Some(CloseFrame { code, reason: self.text().into() })))
    }
}
