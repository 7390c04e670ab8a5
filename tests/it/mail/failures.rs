//! Repeats, several workers, crashes, and invitations that change before their mail is sent.

use tenantry::store::CommitError;

use super::*;
use crate::support::{
    app::{Backend, Setup, on_both_stores},
    store_gate::StoreGate,
};

on_both_stores![
    message_is_repeated_for_a_day_and_then_fails,
    workers_share_messages_and_send_each_once,
    outdated_invitations_are_not_sent,
    lost_lease_records_no_result,
    status_of_mail_is_kept_by_a_concurrent_change,
];

async fn message_is_repeated_for_a_day_and_then_fails(app: App) {
    insert_tenant(&app, "Dezky").await;
    let begin = invite(&app, 1).await.created_at;
    let worker = worker(&app, Arc::new(Unreachable));
    let mut attempts = 0;
    while mail_status(&app, 1).await == MailStatus::Queued {
        attempts += worker.deliver_due().await.expect("handled");
        let lease = OutboxLease { id: app.clock.object_id(), now: begin };
        let next = app.store.lease_outbox_message(&lease).await.expect("a read");
        if let LeaseResult::Idle(Some(next)) = next {
            app.clock.advance(next.seconds() - app.clock.now().seconds());
        }
    }
    assert_eq!(mail_status(&app, 1).await, MailStatus::Failed);
    assert!(is_empty(&app).await);
    let elapsed = app.clock.now().seconds() - begin.seconds();
    assert!((86_000..=86_400).contains(&elapsed), "{elapsed}");
    assert!((250..350).contains(&attempts), "{attempts}");
}

async fn workers_share_messages_and_send_each_once(app: App) {
    insert_tenant(&app, "Dezky").await;
    for n in 1..=12 {
        invite(&app, n).await;
    }
    let mailbox = mailbox();
    let workers = [(); 3].map(|()| worker(&app, mailbox.clone()));
    let [a, b, c] = &workers;
    let (a, b, c) = tokio::join!(a.deliver_due(), b.deliver_due(), c.deliver_due());
    let count = [a, b, c].map(|count| count.expect("delivered")).iter().sum::<usize>();
    assert_eq!(count, 12);
    let mut ids: Vec<_> = mailbox.mails().into_iter().map(|mail| mail.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=12).map(message_id).collect::<Vec<_>>());
}

async fn outdated_invitations_are_not_sent(app: App) {
    let (tenant, _) = insert_tenant(&app, "Dezky").await;
    let update = |invitation| Change::UpdateInvitation { expected: 1, invitation };
    let revoked = invite(&app, 1).await;
    let revoked = Invitation { status: InvitationStatus::Revoked, version: 2, ..revoked };
    let renewed = invite(&app, 2).await;
    let renewed = Invitation { generation: 2, version: 2, ..renewed };
    let expired = invite(&app, 3).await;
    let expired = Invitation { expires_at: app.clock.now(), version: 2, ..expired };
    let changes = [update(revoked), update(renewed), update(expired)];
    app.store.commit(&changes).await.expect("committed");
    let mailbox = mailbox();
    let worker = worker(&app, mailbox.clone());
    assert_eq!(worker.deliver_due().await.expect("handled"), 3);
    assert_eq!(mail_status(&app, 1).await, MailStatus::None);
    assert_eq!(mail_status(&app, 2).await, MailStatus::Queued, "the mail of the new generation");
    assert_eq!(mail_status(&app, 3).await, MailStatus::Failed);

    invite(&app, 4).await;
    let (now, id) = (app.clock.now(), tenant.id);
    let delete = Change::DeleteTenant { id, expected: 1, at: now, watermark: now };
    app.store.commit(&[delete]).await.expect("committed");
    assert_eq!(worker.deliver_due().await.expect("handled"), 1);
    assert_eq!(mailbox.mails(), []);
    assert!(is_empty(&app).await);
}

/// A worker that was paused for longer than its lease must not overwrite the result of another one.
async fn lost_lease_records_no_result(app: App) {
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    let lease = || OutboxLease { id: app.clock.object_id(), now: app.clock.now() };
    let first = lease();
    let leased = app.store.lease_outbox_message(&first).await.expect("a lease");
    let LeaseResult::Leased(message) = leased else { panic!("{leased:?}") };
    assert_eq!((message.attempts, message.lease), (1, Some(first.id)));
    assert_eq!(message.due_at, first.until());
    let none = app.store.lease_outbox_message(&lease()).await.expect("a read");
    assert_eq!(none, LeaseResult::Idle(Some(first.until())));
    app.clock.advance(30);
    let second = app.store.lease_outbox_message(&lease()).await.expect("a lease");
    let LeaseResult::Leased(second) = second else { panic!("{second:?}") };
    assert_eq!((second.id, second.attempts), (message.id, 2));
    let (id, lease) = (message.id, first.id);
    for stale in [
        Change::RemoveOutboxMessage { id, lease },
        Change::PostponeOutboxMessage { id, lease, due_at: app.clock.now() },
    ] {
        let result = app.store.commit(&[stale]).await;
        assert!(matches!(result, Err(CommitError::Stale)), "{result:?}");
    }
    let lease = second.lease.expect("a lease");
    app.store.commit(&[Change::RemoveOutboxMessage { id, lease }]).await.expect("committed");
    assert!(is_empty(&app).await);
}

/// The status of the mail changes without the version, so a revocation that was decided before must
/// not set the old status again.
async fn status_of_mail_is_kept_by_a_concurrent_change(app: App) {
    insert_tenant(&app, "Dezky").await;
    let read = invite(&app, 1).await;
    worker(&app, mailbox()).deliver_due().await.expect("delivered");
    let revoked = |mail| {
        let status = InvitationStatus::Revoked;
        let invitation = Invitation { status, mail, version: 2, ..read.clone() };
        Change::UpdateInvitation { expected: 1, invitation }
    };
    let result = app.store.commit(&[revoked(MailStatus::Queued)]).await;
    assert!(matches!(result, Err(CommitError::Stale)), "{result:?}");
    app.store.commit(&[revoked(MailStatus::Sent)]).await.expect("committed");
    assert_eq!(mail_status(&app, 1).await, MailStatus::Sent);
}

/// The process ends after the server has accepted the message and before the result is stored.
async fn message_of_a_crashed_worker_is_sent_again_under_its_id(backend: Backend) {
    let gate = StoreGate::open();
    let app = App::with(backend, Setup { gate: Some(gate.clone()), ..Setup::default() }).await;
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    let mailbox = mailbox();
    gate.set_commits_closed(true);
    let crashing = worker(&app, mailbox.clone());
    let crashing = tokio::spawn(async move { crashing.deliver_due().await });
    gate.wait_for_commits(1).await;
    assert_eq!(mailbox.mails().len(), 1, "the message was accepted");
    crashing.abort();
    assert!(crashing.await.is_err_and(|error| error.is_cancelled()));
    gate.set_commits_closed(false);
    let worker = worker(&app, mailbox.clone());
    assert_eq!(worker.deliver_due().await.expect("a read"), 0, "the lease has not ended");
    assert_eq!(mail_status(&app, 1).await, MailStatus::Queued);
    app.clock.advance(30);
    assert_eq!(worker.deliver_due().await.expect("delivered"), 1);
    let mails = mailbox.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1], "the same message with the same identifier");
    assert_eq!(mail_status(&app, 1).await, MailStatus::Sent);
}

#[tokio::test]
async fn message_of_a_crashed_worker_is_sent_again_on_sqlite() {
    message_of_a_crashed_worker_is_sent_again_under_its_id(Backend::Sqlite).await;
}

#[tokio::test]
async fn message_of_a_crashed_worker_is_sent_again_on_mongodb() {
    message_of_a_crashed_worker_is_sent_again_under_its_id(Backend::Mongo).await;
}
