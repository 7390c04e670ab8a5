//! The mail of an invitation.
//!
//! The HTML form has no remote image, no script and no style sheet of its own. Its layout is a table
//! with inline styles, as mail programs require. Every value is escaped.

use std::fmt::Write;

use super::{OutgoingMail, message::is_control};
use crate::domain::{id::ObjectId, time::Timestamp};

/// The facts that the mail of an invitation shows.
#[derive(Clone, Copy, Debug)]
pub struct InvitationMail<'a> {
    /// The identifier of the message.
    pub id: ObjectId,
    /// The time of the message.
    pub at: Timestamp,
    /// The address of the invited person.
    pub recipient: &'a str,
    /// The name of the tenant.
    pub tenant: &'a str,
    /// The role of the membership.
    pub role: &'a str,
    /// The name of the user who invites, if it is known.
    pub inviter: Option<&'a str>,
    /// The URL at which the invitation can be accepted.
    pub accept_url: &'a str,
    /// The end of the invitation.
    pub expires_at: Timestamp,
}

impl InvitationMail<'_> {
    /// Renders text and HTML.
    #[must_use]
    pub fn compose(&self) -> OutgoingMail {
        OutgoingMail {
            id: self.id,
            at: self.at,
            recipient: self.recipient.to_owned(),
            subject: format!("Invitation to {}", self.tenant),
            text: self.text(),
            html: self.html(),
        }
    }

    fn expiry(&self) -> String {
        // The display form is `2026-11-28T07:00:00.000Z`. A recipient reads days and minutes.
        let text = self.expires_at.to_string();
        let (day, time) = text.split_once('T').unwrap_or((&text, ""));
        format!("{day} at {} UTC", time.get(..5).unwrap_or_default())
    }

    fn text(&self) -> String {
        let tenant = one_line(self.tenant);
        let invites = match self.inviter {
            Some(inviter) => format!("{} invites you to join {tenant}", one_line(inviter)),
            None => format!("You are invited to join {tenant}"),
        };
        format!(
            "{invites} as {role}.\n\n\
             Accept the invitation:\n{url}\n\n\
             The invitation is for {recipient} and ends on {expiry}. Sign in with that address to \
             accept it.\n\n\
             If you do not expect this invitation, ignore this message. Nothing happens without you.\n",
            role = self.role,
            url = self.accept_url,
            recipient = one_line(self.recipient),
            expiry = self.expiry(),
        )
    }

    fn html(&self) -> String {
        let tenant = escape(&one_line(self.tenant));
        let invites = match self.inviter {
            Some(inviter) => format!(
                "<strong>{}</strong> invites you to join <strong>{tenant}</strong>",
                escape(&one_line(inviter))
            ),
            None => format!("You are invited to join <strong>{tenant}</strong>"),
        };
        include_str!("invitation.html")
            .replace("{{expiry}}", &self.expiry())
            .replace("{{role}}", &escape(self.role))
            .replace("{{tenant}}", &tenant)
            .replace("{{recipient}}", &escape(&one_line(self.recipient)))
            .replace("{{url}}", &escape(self.accept_url))
            .replace("{{invites}}", &invites)
    }
}

/// Returns a value on one line, so that it cannot look like a paragraph of the gateway.
fn one_line(value: &str) -> String {
    value.chars().map(|c| if is_control(c) { ' ' } else { c }).collect()
}

/// Escapes a value for HTML text and attributes. Braces are escaped, too, so that no value is taken
/// for a placeholder of the template.
#[must_use]
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '{' | '}' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compose(tenant: &str, inviter: Option<&str>) -> OutgoingMail {
        let mail = InvitationMail {
            id: ObjectId([1; 12]),
            at: Timestamp::from_seconds(0).expect("in range"),
            recipient: "ada@example.org",
            tenant,
            role: "admin",
            inviter,
            accept_url: "https://portal.example/join?token=abc&x=1",
            expires_at: Timestamp::from_seconds(1_700_000_000).expect("in range"),
        };
        mail.compose()
    }

    #[test]
    fn text_and_html_have_the_same_facts() {
        let mail = compose("Dezky", Some("Bob"));
        assert_eq!(mail.subject, "Invitation to Dezky");
        for part in [&mail.text, &mail.html] {
            for fact in ["Dezky", "Bob", "admin", "ada@example.org", "2023-11-14 at 22:13 UTC"] {
                assert!(part.contains(fact), "{fact}: {part}");
            }
        }
        assert!(mail.text.contains("\nhttps://portal.example/join?token=abc&x=1\n"));
        assert!(mail.html.contains("href=\"https://portal.example/join?token=abc&#38;x=1\""));
        assert!(!mail.html.contains("{{"), "{}", mail.html);
        for remote in ["src=", "url(", "<img", "<script", "<link"] {
            assert!(!mail.html.contains(remote), "{remote}");
        }
    }

    #[test]
    fn values_are_escaped() {
        let mail = compose("<b onx='1'>{{url}}\r\n\u{202e}", Some("\"><img src=x>"));
        assert!(!mail.html.contains("<b onx") && !mail.html.contains("<img"), "{}", mail.html);
        assert_eq!(mail.html.matches("https://portal.example").count(), 2, "{}", mail.html);
        for part in [&mail.text, &mail.html] {
            assert!(!part.contains('\r') && !part.contains('\u{202e}'), "{part}");
        }
    }
}
