//! Delivery to a real SMTP server.

use std::fs;

use super::*;
use crate::support::app::on_both_stores;

on_both_stores![
    mail_is_sent_over_tls_with_authentication,
    rejected_recipient_fails_at_once,
    refused_recipient_is_tried_again_under_the_same_message_id,
    rejected_login_and_sender_are_faults_of_the_configuration,
    untrusted_certificate_delays_mail_until_the_ca_file_is_fixed,
];

async fn mail_is_sent_over_tls_with_authentication(app: App) {
    let ca = PrivateCa::new();
    // A manual edit can store a name with line breaks.
    insert_tenant(&app, "Dezky\r\nBcc: mallory@example.org\r\n\r\n<img src=x>").await;
    for (n, mode, tls) in [(1, "smtps", SmtpTls::Implicit), (2, "starttls", SmtpTls::StartTls)] {
        let mut smtp = Smtp::start(&ca, mode);
        let sender = smtp_sender(&smtp, tls, ca.path("rootCA.pem"), "p@ss:word");
        sender.check().await.expect(mode);
        let invitation = invite(&app, n).await;
        assert_eq!(worker(&app, Arc::new(sender)).deliver_due().await.expect("delivered"), 1);
        let mail = smtp.mail();
        assert_eq!(mail["from"], "portal@example.org");
        assert_eq!(mail["to"], serde_json::json!([invitation.email]));
        assert_eq!((mail["user"].as_str(), mail["secure"].as_bool()), (Some("portal"), Some(true)));
        let data = mail["data"].as_str().expect("text");
        let (head, body) = data.split_once("\r\n\r\n").expect("a head");
        let message_id = format!("Message-ID: <{}@example.org>", message_id(n));
        assert!(head.contains(&message_id), "{head}");
        assert!(head.contains("Content-Type: multipart/alternative"), "{head}");
        assert!(!head.contains("\r\nBcc:"), "{head}");
        assert!(body.contains(ACCEPT_URL), "{body}");
        let (_, html) = body.split_once("text/html").expect("an HTML form");
        assert!(!html.contains("<img") && !html.contains("<b>"), "{html}");
        let after = Invitation { mail: MailStatus::Sent, ..invitation };
        assert_eq!(stored(&app, after.id).await, after, "nothing else changes");
        assert!(is_empty(&app).await);
    }
}

async fn rejected_recipient_fails_at_once(app: App) {
    let ca = PrivateCa::new();
    let mut smtp = Smtp::start(&ca, "smtps");
    let sender = smtp_sender(&smtp, SmtpTls::Implicit, ca.path("rootCA.pem"), "p@ss:word");
    let worker = worker(&app, Arc::new(sender));
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    smtp.refuse(550, 1);
    assert_eq!(worker.deliver_due().await.expect("handled"), 1);
    assert_eq!(mail_status(&app, 1).await, MailStatus::Failed);
    assert!(is_empty(&app).await);
}

async fn refused_recipient_is_tried_again_under_the_same_message_id(app: App) {
    let ca = PrivateCa::new();
    let mut smtp = Smtp::start(&ca, "starttls");
    let sender = smtp_sender(&smtp, SmtpTls::StartTls, ca.path("rootCA.pem"), "p@ss:word");
    let worker = worker(&app, Arc::new(sender));
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    smtp.refuse(450, 2);
    // The attempts are at 0, 1 and 3 seconds.
    for (seconds, attempts) in [(0, 1), (1, 1), (1, 0), (1, 1), (600, 0)] {
        app.clock.advance(seconds);
        assert_eq!(worker.deliver_due().await.expect("handled"), attempts, "{seconds}");
    }
    let mail = smtp.mail();
    let message_id = format!("Message-ID: <{}@example.org>", message_id(1));
    assert!(mail["data"].as_str().expect("text").contains(&message_id), "{mail}");
    assert_eq!(mail_status(&app, 1).await, MailStatus::Sent);
}

/// The operator can fix the login and the sender, so their messages are not lost.
async fn rejected_login_and_sender_are_faults_of_the_configuration(app: App) {
    let ca = PrivateCa::new();
    let mut smtp = Smtp::start(&ca, "smtps");
    let sender = |smtp: &Smtp, password: &str| {
        let sender = smtp_sender(smtp, SmtpTls::Implicit, ca.path("rootCA.pem"), password);
        worker(&app, Arc::new(sender))
    };
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    let wrong = sender(&smtp, "wrong");
    assert_eq!(wrong.deliver_due().await.expect("handled"), 1);
    assert_eq!(mail_status(&app, 1).await, MailStatus::Queued);
    let right = sender(&smtp, "p@ss:word");
    for (code, seconds) in [(550, 1), (553, 2)] {
        smtp.refuse_sender(code, 1);
        app.clock.advance(seconds);
        assert_eq!(right.deliver_due().await.expect("handled"), 1);
        assert_eq!(mail_status(&app, 1).await, MailStatus::Queued, "{code}");
    }
    app.clock.advance(4);
    assert_eq!(right.deliver_due().await.expect("handled"), 1);
    smtp.mail();
    assert_eq!(mail_status(&app, 1).await, MailStatus::Sent);
    // If nothing is fixed for a day, the message fails.
    invite(&app, 2).await;
    app.clock.advance(86_400);
    assert_eq!(wrong.deliver_due().await.expect("handled"), 1);
    assert_eq!(mail_status(&app, 2).await, MailStatus::Failed);
}

async fn untrusted_certificate_delays_mail_until_the_ca_file_is_fixed(app: App) {
    let (ca, other) = (PrivateCa::new(), PrivateCa::new());
    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, other.root()).expect("written");
    let mut smtp = Smtp::start(&ca, "smtps");
    let sender = smtp_sender(&smtp, SmtpTls::Implicit, ca_file.clone(), "p@ss:word");
    let fault = sender.check().await.expect_err("an untrusted certificate").to_string();
    assert!(fault.starts_with("TLS failed"), "{fault}");
    let worker = worker(&app, Arc::new(sender));
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    assert_eq!(worker.deliver_due().await.expect("handled"), 1);
    assert_eq!(mail_status(&app, 1).await, MailStatus::Queued);
    fs::write(&ca_file, ca.root()).expect("written");
    app.clock.advance(1);
    assert_eq!(worker.deliver_due().await.expect("handled"), 1);
    assert_eq!(smtp.event()["ok"], true, "the first event is of the second attempt");
    smtp.mail();
    assert_eq!(mail_status(&app, 1).await, MailStatus::Sent);
}

#[tokio::test]
async fn faults_of_the_server_are_explained() {
    let ca = PrivateCa::new();
    let root = || ca.path("rootCA.pem");
    let (smtps, plain) = (Smtp::start(&ca, "smtps"), Smtp::start(&ca, "plain"));
    for (sender, expected) in [
        (smtp_sender(&smtps, SmtpTls::Implicit, root(), "wrong"), "rejected the user"),
        (smtp_sender(&plain, SmtpTls::StartTlsIfOffered, root(), "wrong"), "rejected the user"),
        (smtp_sender(&plain, SmtpTls::StartTls, root(), "p@ss:word"), "does not offer STARTTLS"),
        (smtp_sender(&plain, SmtpTls::Implicit, root(), "p@ss:word"), "no SMTP session"),
    ] {
        let fault = sender.check().await.expect_err(expected);
        assert!(fault.to_string().contains(expected), "{fault}");
        assert!(!fault.to_string().contains("p@ss:word") && !fault.help().is_empty());
    }
    let plain = smtp_sender(&plain, SmtpTls::StartTlsIfOffered, root(), "p@ss:word");
    plain.check().await.expect("loopback needs no TLS");
}
