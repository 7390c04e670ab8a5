//! `users`.

use std::collections::HashSet;

use mongodb::bson::{Bson, Document, RawArray, RawDocument, doc};

use super::{
    date,
    fields::{DecodeError, DecodeResult, MetadataFields, documents, fields, require},
    insert_some, oid,
};
use crate::domain::{
    id::{TenantId, UserId},
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, User},
};

/// Reads a user; one that names no issuer is the default one's.
pub(in crate::store::mongo) fn read(raw: &RawDocument, default_issuer: &str) -> DecodeResult<User> {
    let mut stamps = MetadataFields::default();
    let (mut issuer, mut subject, mut email, mut name) = (None, None, None, None);
    let (mut admin, mut admin_source, mut disabled) = (None, None, None);
    let (mut given, mut groups_as_of, mut last_seen_at) = (None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "issuer" => issuer = field.text()?,
            "subject" => subject = field.text()?,
            "email" => email = field.text()?,
            "name" => name = field.text()?,
            "platformAdmin" => admin = field.boolean()?,
            "platformAdminSource" => admin_source = field.word(MembershipSource::parse)?,
            "disabled" => disabled = field.boolean()?,
            "memberships" => given = field.array()?,
            "groupsAsOf" => groups_as_of = field.time()?,
            "lastSeenAt" => last_seen_at = field.time()?,
            _ => stamps.take(&field)?,
        }
    }
    let stamped = stamps.with_defaults()?;
    let admin_source = admin_source.unwrap_or(MembershipSource::Direct);
    Ok(User {
        id: UserId::new(stamped.id),
        identity: Identity {
            issuer: issuer.unwrap_or_else(|| default_issuer.to_owned()),
            subject: require(subject, "subject", "a string")?,
        },
        email,
        name: require(name, "name", "a string")?,
        platform_admin: admin.unwrap_or(false).then_some(admin_source),
        disabled: disabled.unwrap_or(false),
        memberships: given.map_or(Ok(Vec::new()), |m| read_memberships(m, stamped.created_at))?,
        groups_as_of,
        last_seen_at,
        version: stamped.version,
        created_at: stamped.created_at,
        updated_at: stamped.updated_at,
    })
}

/// The issuer that a document names, if it names one, whatever else is wrong with it.
pub(in crate::store::mongo) fn issuer(raw: &RawDocument) -> Option<&str> {
    raw.get("issuer").ok()??.as_str()
}

fn read_memberships(array: &RawArray, created_at: Timestamp) -> DecodeResult<Vec<Membership>> {
    let read = |raw: DecodeResult<&RawDocument>| read_membership(raw?, created_at);
    let memberships: DecodeResult<Vec<_>> = documents(array).map(read).collect();
    let mut memberships = memberships.map_err(|fault| fault.within("memberships"))?;
    if has_duplicates(&memberships) {
        let mut seen = HashSet::new();
        memberships.retain(|m| seen.insert(m.tenant_id));
    }
    Ok(memberships)
}

/// Sorting is the cheap way to find out for the few that are usual, and for 10,000.
fn has_duplicates(memberships: &[Membership]) -> bool {
    let mut ids: Vec<_> = memberships.iter().map(|m| m.tenant_id).collect();
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair[0] == pair[1])
}

fn read_membership(raw: &RawDocument, created_at: Timestamp) -> DecodeResult<Membership> {
    let (mut tenant, mut role, mut source, mut since) = (None, None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            "tenantId" => tenant = field.id()?,
            "role" => role = field.word(TenantRole::parse)?,
            "source" => source = field.word(MembershipSource::parse)?,
            "since" => since = field.time()?,
            _ => {}
        }
    }
    Ok(Membership {
        tenant_id: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        role: role.ok_or_else(|| DecodeError::new("role", "one of its words"))?,
        source: source.unwrap_or(MembershipSource::Direct),
        since: since.unwrap_or(created_at),
    })
}

/// Writes a new user.
pub(in crate::store::mongo) fn write(user: &User) -> Document {
    let mut document = doc! {
        "_id": oid(user.id.raw),
        "subject": &user.identity.subject,
        "issuer": &user.identity.issuer,
    };
    let (set, _) = parts(user);
    document.extend(set);
    insert_some(&mut document, "lastSeenAt", user.last_seen_at.map(date));
    document.insert("createdAt", date(user.created_at));
    document
}

/// What turns a stored user into this one, and leaves alone what this program does not know of.
///
/// The identity stays as it is stored: it never changes, and a document without an issuer goes on
/// following the default one. Whoever was seen in between stays seen then.
pub(in crate::store::mongo) fn update(user: &User) -> Document {
    let (set, unset) = parts(user);
    let mut update = doc! { "$set": set };
    if !unset.is_empty() {
        update.insert("$unset", unset);
    }
    if let Some(at) = user.last_seen_at {
        update.insert("$max", doc! { "lastSeenAt": date(at) });
    }
    update
}

/// The fields that an update may change: those that have a value, and those that have none.
fn parts(user: &User) -> (Document, Document) {
    let memberships: Vec<Document> = user.memberships.iter().map(write_membership).collect();
    let mut set = doc! {
        "name": &user.name,
        "platformAdmin": user.platform_admin.is_some(),
        "disabled": user.disabled,
        "memberships": memberships,
        "version": user.version,
        "updatedAt": date(user.updated_at),
    };
    let mut unset = Document::new();
    let mut either = |key: &str, value: Option<Bson>| match value {
        Some(value) => set.insert(key, value),
        None => unset.insert(key, ""),
    };
    either("email", user.email.as_deref().map(Bson::from));
    either("platformAdminSource", user.platform_admin.map(|source| source.as_str().into()));
    either("groupsAsOf", user.groups_as_of.map(|at| date(at).into()));
    (set, unset)
}

fn write_membership(membership: &Membership) -> Document {
    doc! {
        "tenantId": oid(membership.tenant_id.raw),
        "role": membership.role.as_str(),
        "source": membership.source.as_str(),
        "since": date(membership.since),
    }
}
