//! Renders a message: headers, a text and its HTML form.

use std::time::{Duration, SystemTime};

use lettre::{
    Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use super::MailError;
use crate::{
    config::MailSender,
    domain::{id::ObjectId, time::Timestamp},
};

/// The maximum number of characters of a subject. Longer ones are cut.
const MAX_SUBJECT_CHARS: usize = 200;

/// A message before it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMail {
    /// The identifier of the message. Every attempt to send it has the same `Message-ID`.
    pub id: ObjectId,
    /// The time of the message, which is the same for every attempt.
    pub at: Timestamp,
    /// The address of the recipient.
    pub recipient: String,
    /// The subject. Control characters become spaces.
    pub subject: String,
    /// The plain text of the message.
    pub text: String,
    /// The HTML form of the text.
    pub html: String,
}

impl OutgoingMail {
    /// Returns the `Message-ID` of the message, without angle brackets.
    #[must_use]
    pub fn message_id(&self, sender: &MailSender) -> String {
        format!("{}@{}", self.id, sender.domain())
    }

    /// Returns the subject on one line.
    #[must_use]
    pub fn subject_line(&self) -> String {
        // A header ends at a line break. The other control characters have no use in it.
        let line = self.subject.chars().map(|c| if is_control(c) { ' ' } else { c });
        line.take(MAX_SUBJECT_CHARS).collect()
    }

    /// Renders the message. The result is the same for every attempt.
    ///
    /// # Errors
    ///
    /// [`MailError::Rejected`] if the recipient or the sender is no address.
    pub(super) fn render(&self, sender: &MailSender) -> Result<Message, MailError> {
        let invalid = |part: &str| MailError::Rejected(format!("the {part} is no address"));
        let from = sender.address.parse().map_err(|_| invalid("sender"))?;
        let to = self.recipient.parse().map_err(|_| invalid("recipient"))?;
        let millis = self.at.millis().try_into().unwrap_or_default();
        let date = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let body = MultiPart::alternative()
            .boundary(format!("part-{}", self.id))
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(self.html.clone()));
        Message::builder()
            .from(Mailbox::new(sender.name.clone(), from))
            .to(Mailbox::new(None, to))
            .subject(self.subject_line())
            .date(date)
            .message_id(Some(format!("<{}>", self.message_id(sender))))
            .raw_header(auto_submitted())
            .multipart(body)
            .map_err(|_| MailError::Rejected("the message cannot be rendered".to_owned()))
    }
}

/// Returns the header that keeps other programs from answering the message (RFC 3834).
fn auto_submitted() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

/// Returns whether a character is a control, a separator of lines, or changes the direction of text.
pub(super) fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender() -> MailSender {
        MailSender {
            name: Some("Portal, \"Dezky\"".to_owned()),
            address: "portal@example.org".to_owned(),
        }
    }

    fn mail(subject: &str) -> OutgoingMail {
        OutgoingMail {
            id: ObjectId([7; 12]),
            at: Timestamp::from_seconds(1_700_000_000).expect("in range"),
            recipient: "ada@example.org".to_owned(),
            subject: subject.to_owned(),
            text: "Hello\n.\nBye".to_owned(),
            html: "<p>Hello</p>".to_owned(),
        }
    }

    fn rendered(mail: &OutgoingMail) -> String {
        let message = mail.render(&sender()).expect("rendered");
        String::from_utf8(message.formatted()).expect("text")
    }

    #[test]
    fn rendering_is_the_same_for_every_attempt() {
        let text = rendered(&mail("Hello"));
        assert_eq!(text, rendered(&mail("Hello")));
        assert!(text.contains("Message-ID: <070707070707070707070707@example.org>\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        assert!(text.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"), "{text}");
    }

    #[test]
    fn header_injection_is_impossible() {
        for end in ["\r\n", "\n", "\r", "\u{85}", "\u{2028}", "\0", "\u{b}", "\r\n\r\n"] {
            let text = rendered(&mail(&format!("Hello{end}Bcc: mallory@example.org{end}x")));
            let (head, _) = text.split_once("\r\n\r\n").expect("a head");
            let names: Vec<_> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split_once(':').expect("a header").0)
                .collect();
            for name in &names {
                let known = [
                    "From",
                    "To",
                    "Subject",
                    "Date",
                    "Message-ID",
                    "Auto-Submitted",
                    "MIME-Version",
                    "Content-Type",
                ];
                assert!(known.contains(name), "{name}: {text}");
            }
            assert_eq!(names.len(), 8, "{text}");
        }
    }

    #[test]
    fn recipient_with_a_line_break_is_rejected() {
        for recipient in ["ada@example.org\r\nBcc: b@example.org", "a@b>\r\nRCPT TO:<c@d", "ada"] {
            let mail = OutgoingMail { recipient: recipient.to_owned(), ..mail("Hello") };
            assert!(matches!(mail.render(&sender()), Err(MailError::Rejected(_))), "{recipient}");
        }
    }

    #[test]
    fn long_subject_is_cut() {
        assert_eq!(mail(&"ä".repeat(500)).subject_line().chars().count(), MAX_SUBJECT_CHARS);
    }
}
