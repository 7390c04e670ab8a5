//! Sends mail: by an SMTP server, or into a mailbox in memory for `tenantry dev`.
//!
//! [`invitation`] has the text of the mail of an invitation. `message` renders a message, `smtp` sends
//! it, and `mailbox` keeps it. No log line and no error here has an address, a text or a token of a
//! message.

pub mod invitation;
mod mailbox;
mod message;
mod smtp;

use async_trait::async_trait;

pub use mailbox::{MAX_STORED_MAILS, Mailbox, StoredMail};
pub use message::OutgoingMail;
pub use smtp::{SmtpFault, SmtpSender, SmtpSetupError};

/// The reason why a message was not sent. The text has no address and no part of the message.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server rejected the message for good (a reply of class 5, RFC 5321 section 4.2.1).
    #[error("the server rejected the message: {0}")]
    Rejected(String),
    /// Another attempt may succeed.
    #[error("{0}")]
    Failed(String),
}

/// A way to send mail.
#[async_trait]
pub trait MailTransport: Send + Sync {
    /// Sends a message, and returns when the next server has taken the responsibility for it.
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError>;
}
