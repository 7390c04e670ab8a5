//! The mail of invitations: the outbox, its worker, and delivery to a real SMTP server.

mod failures;
mod running;
mod smtp;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use tenantry::{
    access::{Access, AccessConfig, InvitationSettings, Secrets},
    app::Postman,
    config::{MailConfig, MailSender, SmtpConfig, SmtpLogin, SmtpTls},
    domain::{
        change::Change,
        id::{InvitationId, ObjectId},
        invitation::{Invitation, InvitationStatus, MailStatus},
        outbox::{LeaseResult, OutboxLease, OutboxMessage, OutboxTopic},
        sync::GroupMapping,
        tenant::Tenant,
        user::{TenantRole, User},
    },
    mail::{MailError, MailTransport, Mailbox, OutgoingMail, SmtpSender},
    metrics::Metrics,
    outbox::OutboxWorker,
    store::InvitationKeys,
};

use crate::support::{
    app::App,
    entities::{id, oid, tenant, user},
    oidc::PrivateCa,
    smtp::Smtp,
};
use tenantry::clock::Clock;

const ACCEPT_URL: &str = "https://portal.example/join/";

/// Returns a worker of an instance that has this store and sends mail this way.
fn worker(app: &App, transport: Arc<dyn MailTransport>) -> OutboxWorker {
    let config = AccessConfig {
        groups: GroupMapping {
            platform_admins: "platform-admins".to_owned(),
            tenant_prefix: "tenant:".to_owned(),
        },
        default_tenant: "dezky".to_owned(),
        issuers: vec![app.issuer.url().to_owned()],
    };
    let access = Access::new(app.store.clone(), app.clock.clone(), config);
    let access = access.with_invitations(InvitationSettings {
        secrets: Secrets::derive([[7_u8; 32].as_slice()]),
        accept_url: Some(format!("{ACCEPT_URL}{{token}}")),
        requires_verified_email: false,
        sends_mail: true,
    });
    let (store, clock) = (app.store.clone(), app.clock.clone());
    let postman =
        Postman { store: store.clone(), clock: clock.clone(), access: Arc::new(access), transport };
    OutboxWorker::new(store, clock, Arc::new(postman), Metrics::new().expect("a catalogue"))
}

fn sender() -> MailSender {
    MailSender { name: Some("Portal".to_owned()), address: "portal@example.org".to_owned() }
}

fn mailbox() -> Arc<Mailbox> {
    Arc::new(Mailbox::new(sender()))
}

/// Returns a sender that uses the server.
fn smtp_sender(smtp: &Smtp, tls: SmtpTls, ca_file: PathBuf, password: &str) -> SmtpSender {
    let login = SmtpLogin { user: "portal".to_owned(), password: password.to_owned().into() };
    let smtp = SmtpConfig {
        tls,
        host: "localhost".to_owned(),
        port: smtp.port(),
        login: Some(login),
        ca_file: Some(ca_file),
    };
    SmtpSender::new(MailConfig { smtp, sender: sender() }).expect("a CA file")
}

/// Inserts the tenant and the inviter of all invitations.
async fn insert_tenant(app: &App, name: &str) -> (Tenant, User) {
    let inviter = User { name: "Bob <b>".to_owned(), ..user(1) };
    let tenant = Tenant { name: name.to_owned(), ..tenant(1) };
    let changes = [Change::InsertTenant(tenant.clone()), Change::InsertUser(inviter.clone())];
    app.store.commit(&changes).await.expect("committed");
    (tenant, inviter)
}

/// Inserts the n-th invitation with its message, as a mutation does.
async fn invite(app: &App, n: u32) -> Invitation {
    let now = app.clock.now();
    let invitation = Invitation {
        id: id(n),
        tenant_id: id(1),
        email: format!("ada-{n}@example.org"),
        role: TenantRole::Admin,
        status: InvitationStatus::Pending,
        mail: MailStatus::Queued,
        generation: 1,
        invited_by: id(1),
        accepted_by: None,
        accepted_at: None,
        expires_at: now.saturating_add(std::time::Duration::from_secs(7 * 24 * 3600)),
        version: 1,
        created_at: now,
    };
    let subject = (invitation.id.raw, invitation.generation);
    let message = OutboxMessage::new(message_id(n), OutboxTopic::InvitationMail, subject, now);
    let changes =
        [Change::InsertInvitation(invitation.clone()), Change::InsertOutboxMessage(message)];
    app.store.commit(&changes).await.expect("committed");
    invitation
}

/// Returns the identifier of the message of the n-th invitation.
fn message_id(n: u32) -> ObjectId {
    oid(n + 1_000_000)
}

async fn stored(app: &App, id: InvitationId) -> Invitation {
    let found = app.store.invitations(InvitationKeys::Ids(&[id])).await.expect("a read");
    found.into_iter().next().expect("stored").expect("readable")
}

async fn mail_status(app: &App, n: u32) -> MailStatus {
    stored(app, id(n)).await.mail
}

/// Returns whether the outbox has no message.
async fn is_empty(app: &App) -> bool {
    let lease =
        OutboxLease { id: app.clock.object_id(), now: tenantry::domain::time::Timestamp::MIN };
    app.store.lease_outbox_message(&lease).await.expect("a read") == LeaseResult::Idle(None)
}

/// A transport whose server never accepts a message.
struct Unreachable;

#[async_trait]
impl MailTransport for Unreachable {
    async fn send(&self, _: &OutgoingMail) -> Result<(), MailError> {
        Err(MailError::Failed("no server".to_owned()))
    }
}
