//! Converts documents of the collection `invitations`.

use mongodb::bson::{Bson, Document, RawDocument, doc};

use super::{
    date,
    fields::{DecodeResult, MetadataFields, fields, require},
    insert_some,
    merge_update::MergeUpdate,
    oid,
};
use crate::domain::{
    id::{InvitationId, TenantId, UserId},
    invitation::{Invitation, InvitationStatus, MailStatus},
    user::TenantRole,
};

/// Decodes an invitation.
pub(in crate::store::mongo) fn decode(raw: &RawDocument) -> DecodeResult<Invitation> {
    let mut metadata = MetadataFields::default();
    let (mut tenant, mut email, mut role, mut status, mut mail) = (None, None, None, None, None);
    let (mut generation, mut invited_by, mut expires_at) = (None, None, None);
    let (mut accepted_by, mut accepted_at) = (None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"tenantId" => tenant = field.id()?,
            b"email" => email = field.text()?,
            b"role" => role = field.string_enum(TenantRole::parse)?,
            b"status" => status = field.string_enum(InvitationStatus::parse)?,
            b"mail" => mail = field.string_enum(MailStatus::parse)?,
            b"generation" => generation = field.integer()?,
            b"invitedBy" => invited_by = field.id()?,
            b"acceptedBy" => accepted_by = field.id()?.map(UserId::new),
            b"acceptedAt" => accepted_at = field.time()?,
            b"expiresAt" => expires_at = field.time()?,
            _ => metadata.decode_field(&field)?,
        }
    }
    let metadata = metadata.with_defaults()?;
    Ok(Invitation {
        id: InvitationId::new(metadata.id),
        tenant_id: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        email: require(email, "email", "a string")?,
        role: require(role, "role", "a known value")?,
        status: require(status, "status", "a known value")?,
        mail: mail.unwrap_or(MailStatus::None),
        generation: require(generation, "generation", "a 32-bit integer")?,
        invited_by: UserId::new(require(invited_by, "invitedBy", "an ObjectId")?),
        accepted_by,
        accepted_at,
        expires_at: require(expires_at, "expiresAt", "a date")?,
        version: metadata.version,
        created_at: metadata.created_at,
    })
}

/// Encodes an invitation.
pub(in crate::store::mongo) fn encode(invitation: &Invitation) -> Document {
    let mut document = doc! {
        "_id": oid(invitation.id.raw),
        "tenantId": oid(invitation.tenant_id.raw),
        "email": &invitation.email,
        "role": invitation.role.as_str(),
        "status": invitation.status.as_str(),
        "mail": invitation.mail.as_str(),
        "generation": invitation.generation,
        "invitedBy": oid(invitation.invited_by.raw),
    };
    insert_some(&mut document, "acceptedBy", invitation.accepted_by.map(|user| oid(user.raw)));
    insert_some(&mut document, "acceptedAt", invitation.accepted_at.map(date));
    document.insert("expiresAt", date(invitation.expires_at));
    document.insert("version", invitation.version);
    document.insert("createdAt", date(invitation.created_at));
    document
}

/// Matches the stored invitation unless its mail has another status, which changes without the
/// version. A new generation has a mail of its own.
pub(in crate::store::mongo) fn same_mail_or_new_generation(invitation: &Invitation) -> Document {
    // An absent status reads as `NONE`.
    let mail = match invitation.mail {
        MailStatus::None => doc! { "$in": [MailStatus::None.as_str(), null] }.into(),
        mail => Bson::from(mail.as_str()),
    };
    doc! { "$or": [{ "generation": { "$ne": invitation.generation } }, { "mail": mail }] }
}

/// Returns the update that turns a stored invitation into this one, and keeps unknown fields.
pub(in crate::store::mongo) fn update(invitation: &Invitation) -> Vec<Document> {
    MergeUpdate::from_document(encode(invitation))
        .optional_field("acceptedBy", invitation.accepted_by.map(|user| oid(user.raw)))
        .optional_field("acceptedAt", invitation.accepted_at.map(date))
        .pipeline()
}
