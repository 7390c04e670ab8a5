//! Keeps the latest messages in memory, for `tenantry dev`.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{MailError, MailTransport, OutgoingMail};
use crate::{
    config::MailSender,
    domain::{id::ObjectId, time::Timestamp},
};

/// The maximum number of messages that a mailbox keeps. The oldest ones are dropped.
pub const MAX_STORED_MAILS: usize = 100;

/// A message as a developer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMail {
    /// The identifier of the message.
    pub id: ObjectId,
    /// The time of the message.
    pub at: Timestamp,
    /// The `Message-ID`, without angle brackets.
    pub message_id: String,
    /// The address of the sender.
    pub from: String,
    /// The address of the recipient.
    pub to: String,
    /// The subject, on one line.
    pub subject: String,
    /// The plain text of the message.
    pub text: String,
    /// The HTML form of the text.
    pub html: String,
}

/// A mailbox in memory.
pub struct Mailbox {
    sender: MailSender,
    mails: Mutex<VecDeque<StoredMail>>,
}

impl Mailbox {
    /// Creates an empty mailbox.
    #[must_use]
    pub fn new(sender: MailSender) -> Self {
        Self { sender, mails: Mutex::default() }
    }

    /// Returns the messages, the latest one first.
    #[must_use]
    pub fn mails(&self) -> Vec<StoredMail> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().rev().cloned().collect()
    }
}

#[async_trait]
impl MailTransport for Mailbox {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        // An address that no server would accept is rejected here, too.
        mail.render(&self.sender)?;
        let stored = StoredMail {
            id: mail.id,
            at: mail.at,
            message_id: mail.message_id(&self.sender),
            from: self.sender.address.clone(),
            to: mail.recipient.clone(),
            subject: mail.subject_line(),
            text: mail.text.clone(),
            html: mail.html.clone(),
        };
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() == MAX_STORED_MAILS {
            mails.pop_front();
        }
        mails.push_back(stored);
        Ok(())
    }
}
