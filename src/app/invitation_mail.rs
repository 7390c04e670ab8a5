//! Delivers the mail of invitations.
//!
//! The message in the outbox names the invitation and the generation of its token. The mail is made of
//! the state at the time of the delivery. So nothing is sent of an invitation that was revoked,
//! accepted, renewed or deleted meanwhile.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    access::Access,
    clock::Clock,
    domain::{
        change::Change,
        id::InvitationId,
        invitation::{Invitation, InvitationStatus, MailStatus},
        outbox::{OutboxMessage, OutboxTopic},
    },
    mail::{MailError, MailTransport, OutgoingMail, invitation::InvitationMail},
    outbox::{Delivery, OutboxHandler, OutboxResult},
    store::{InvitationKeys, Store, StoreError, TenantKeys, UserKeys},
};

/// Delivers the messages of all topics. There is one topic so far.
pub struct Postman {
    /// The store of the invitations.
    pub store: Arc<dyn Store>,
    /// The source of the time.
    pub clock: Arc<dyn Clock>,
    /// The source of the links.
    pub access: Arc<Access>,
    /// The way to send mail.
    pub transport: Arc<dyn MailTransport>,
}

#[async_trait]
impl OutboxHandler for Postman {
    async fn deliver(&self, message: &OutboxMessage) -> Delivery {
        let mail = match message.topic {
            OutboxTopic::InvitationMail => self.invitation_mail(message).await,
        };
        let mail = match mail {
            Ok(mail) => mail,
            Err(delivery) => return delivery,
        };
        match self.transport.send(&mail).await {
            Ok(()) => Delivery::Delivered,
            Err(error @ MailError::Rejected(_)) => Delivery::Rejected(error.to_string()),
            Err(error @ MailError::Failed(_)) => Delivery::Failed(error.to_string()),
        }
    }

    fn changes(&self, message: &OutboxMessage, result: OutboxResult) -> Vec<Change> {
        match message.topic {
            OutboxTopic::InvitationMail => vec![Change::SetInvitationMail {
                id: InvitationId::new(message.subject),
                generation: message.revision,
                mail: match result {
                    OutboxResult::Delivered => MailStatus::Sent,
                    OutboxResult::Obsolete => MailStatus::None,
                    OutboxResult::Failed => MailStatus::Failed,
                },
            }],
        }
    }
}

impl Postman {
    /// Makes the mail of an invitation, or returns the reason why none must be sent now.
    async fn invitation_mail(&self, message: &OutboxMessage) -> Result<OutgoingMail, Delivery> {
        let id = InvitationId::new(message.subject);
        let unavailable = |error: StoreError| Delivery::Failed(error.to_string());
        let stored = self.store.invitations(InvitationKeys::Ids(&[id])).await;
        let invitation = only(stored.map_err(unavailable)?, "the invitation")?;
        let Some(invitation) = invitation.filter(|i| i.generation == message.revision) else {
            return Err(Delivery::Obsolete);
        };
        match invitation.status_at(self.clock.now()) {
            InvitationStatus::Pending => {}
            InvitationStatus::Expired => {
                return Err(Delivery::Rejected("the invitation has expired".to_owned()));
            }
            InvitationStatus::Accepted | InvitationStatus::Revoked => {
                return Err(Delivery::Obsolete);
            }
        }
        let tenants = self.store.tenants(TenantKeys::Ids(&[invitation.tenant_id])).await;
        let tenant = only(tenants.map_err(unavailable)?, "the tenant")?;
        let tenant = tenant.ok_or(Delivery::Obsolete)?;
        let inviters = self.store.users(UserKeys::Ids(&[invitation.invited_by])).await;
        let inviter = only(inviters.map_err(unavailable)?, "the inviter")?;
        let accept_url = self.access.invitation_url(&invitation).ok_or_else(|| {
            Delivery::Failed("TENANTRY_SECRET is not set, so there is no link".to_owned())
        })?;
        let Invitation { email, role, expires_at, .. } = &invitation;
        let mail = InvitationMail {
            id: message.id,
            at: message.created_at,
            recipient: email,
            tenant: &tenant.name,
            role: role.as_str(),
            inviter: inviter.as_ref().map(|user| user.name.as_str()),
            accept_url: &accept_url,
            expires_at: *expires_at,
        };
        Ok(mail.compose())
    }
}

/// Returns the one document of a lookup, if it exists.
fn only<T, E>(found: Vec<Result<T, E>>, name: &str) -> Result<Option<T>, Delivery> {
    let unreadable = |_| Delivery::Failed(format!("{name} cannot be read"));
    found.into_iter().next().transpose().map_err(unreadable)
}
