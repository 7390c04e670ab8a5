//! Converts documents of the collection `users`.

use std::collections::HashSet;

use mongodb::bson::{Bson, Document, RawDocument, doc};

use super::{
    date,
    fields::{DecodeError, DecodeResult, Field, MetadataFields, documents, fields, require},
    insert_some, oid,
    reader::Elements,
    search::SearchFields,
};
use crate::domain::{
    id::{TenantId, UserId},
    time::Timestamp,
    user::{Identity, Membership, MembershipSource, TenantRole, User},
};

/// Decodes a user. A document without an issuer belongs to the default one.
pub(in crate::store::mongo) fn decode(
    raw: &RawDocument,
    default_issuer: &str,
) -> DecodeResult<User> {
    let user = decode_with_profile(raw, default_issuer, |field: &Field<'_>| field.text())?;
    if user.name.is_empty() && raw.get_str("name").is_err() {
        return Err(DecodeError::new("name", "a string"));
    }
    Ok(user)
}

/// Decodes a user for a sync, which can repair the profile: a name or an e-mail address that is not
/// text is empty, and so is an absent name.
pub(in crate::store::mongo) fn decode_for_sync(
    raw: &RawDocument,
    default_issuer: &str,
) -> DecodeResult<User> {
    let text = |field: &Field<'_>| Ok(field.text().unwrap_or_else(|_| Some(String::new())));
    decode_with_profile(raw, default_issuer, text)
}

fn decode_with_profile(
    raw: &RawDocument,
    default_issuer: &str,
    profile_text: impl Fn(&Field<'_>) -> DecodeResult<Option<String>>,
) -> DecodeResult<User> {
    let mut metadata = MetadataFields::default();
    let (mut issuer, mut subject, mut email, mut name) = (None, None, None, None);
    let (mut admin, mut admin_source, mut disabled) = (None, None, None);
    let (mut memberships, mut groups_as_of, mut last_seen_at) = (None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"issuer" => issuer = field.text()?,
            b"subject" => subject = field.text()?,
            b"email" => email = profile_text(&field)?,
            b"name" => name = profile_text(&field)?,
            b"platformAdmin" => admin = field.boolean()?,
            b"platformAdminSource" => admin_source = field.string_enum(MembershipSource::parse)?,
            b"disabled" => disabled = field.boolean()?,
            b"memberships" => memberships = field.array()?,
            b"groupsAsOf" => groups_as_of = field.time()?,
            b"lastSeenAt" => last_seen_at = field.time()?,
            _ => metadata.decode_field(&field)?,
        }
    }
    let metadata = metadata.with_defaults()?;
    let admin_source = admin_source.unwrap_or(MembershipSource::Direct);
    Ok(User {
        id: UserId::new(metadata.id),
        identity: Identity {
            issuer: issuer.unwrap_or_else(|| default_issuer.to_owned()),
            subject: require(subject, "subject", "a string")?,
        },
        email,
        name: name.unwrap_or_default(),
        platform_admin: admin.unwrap_or(false).then_some(admin_source),
        disabled: disabled.unwrap_or(false),
        memberships: memberships
            .map_or(Ok(Vec::new()), |array| decode_memberships(array, metadata.created_at))?,
        groups_as_of,
        last_seen_at,
        version: metadata.version,
        created_at: metadata.created_at,
        updated_at: metadata.updated_at,
    })
}

/// Returns the tenant and the user of a document that joins both: `{_id, members}`.
pub(in crate::store::mongo) fn split_member(raw: &RawDocument) -> Option<(TenantId, &RawDocument)> {
    let (mut tenant, mut user) = (None, None);
    for field in fields(raw) {
        let field = field.ok()?;
        match field.key() {
            b"_id" => tenant = field.id().ok()?,
            b"members" => user = field.document().ok()?,
            _ => {}
        }
    }
    Some((TenantId::new(tenant?), user?))
}

/// Returns the issuer that a document names, even if the rest of it cannot be decoded.
pub(in crate::store::mongo) fn issuer(raw: &RawDocument) -> Option<&str> {
    raw.get("issuer").ok()??.as_str()
}

fn decode_memberships(array: Elements<'_>, created_at: Timestamp) -> DecodeResult<Vec<Membership>> {
    let decode = |raw: DecodeResult<&RawDocument>| decode_membership(raw?, created_at);
    let memberships: DecodeResult<Vec<_>> = documents(array).map(decode).collect();
    let mut memberships = memberships.map_err(|error| error.prefixed("memberships"))?;
    if has_duplicates(&memberships) {
        let mut seen = HashSet::new();
        memberships.retain(|m| seen.insert(m.tenant_id));
    }
    Ok(memberships)
}

/// Returns whether two memberships are in one tenant. Sorting is fast for a few memberships, and
/// fast enough for 10,000.
fn has_duplicates(memberships: &[Membership]) -> bool {
    let mut ids: Vec<_> = memberships.iter().map(|m| m.tenant_id).collect();
    ids.sort_unstable();
    ids.windows(2).any(|pair| pair[0] == pair[1])
}

fn decode_membership(raw: &RawDocument, created_at: Timestamp) -> DecodeResult<Membership> {
    let (mut tenant, mut role, mut source, mut since) = (None, None, None, None);
    for field in fields(raw) {
        let field = field?;
        match field.key() {
            b"tenantId" => tenant = field.id()?,
            b"role" => role = field.string_enum(TenantRole::parse)?,
            b"source" => source = field.string_enum(MembershipSource::parse)?,
            b"since" => since = field.time()?,
            _ => {}
        }
    }
    Ok(Membership {
        tenant_id: TenantId::new(require(tenant, "tenantId", "an ObjectId")?),
        role: role.ok_or_else(|| DecodeError::new("role", "a known value"))?,
        source: source.unwrap_or(MembershipSource::Direct),
        since: since.unwrap_or(created_at),
    })
}

/// Encodes a new user.
pub(in crate::store::mongo) fn encode(user: &User) -> Document {
    let mut document = doc! {
        "_id": oid(user.id.raw),
        "subject": &user.identity.subject,
        "issuer": &user.identity.issuer,
    };
    let (set, _) = changeable_fields(user);
    document.extend(set);
    insert_some(&mut document, "lastSeenAt", user.last_seen_at.map(date));
    document.insert("createdAt", date(user.created_at));
    document
}

/// Returns the update that turns a stored user into this one, and keeps unknown fields.
///
/// The identity never changes, so it is not updated. A document without an issuer continues to
/// belong to the default one. A later `lastSeenAt` that was stored meanwhile stays.
pub(in crate::store::mongo) fn update(user: &User) -> Document {
    let (set, unset) = changeable_fields(user);
    let mut update = doc! { "$set": set };
    if !unset.is_empty() {
        update.insert("$unset", unset);
    }
    if let Some(at) = user.last_seen_at {
        update.insert("$max", doc! { "lastSeenAt": date(at) });
    }
    update
}

/// Returns the fields that an update may change, those with a value and those without one.
fn changeable_fields(user: &User) -> (Document, Document) {
    let memberships: Vec<Document> = user.memberships.iter().map(encode_membership).collect();
    let mut set = doc! {
        "name": &user.name,
        "platformAdmin": user.platform_admin.is_some(),
        "disabled": user.disabled,
        "memberships": memberships,
        "search": SearchFields::of_user(user).document(),
        "version": user.version,
        "updatedAt": date(user.updated_at),
    };
    let mut unset = Document::new();
    let mut set_or_unset = |key: &str, value: Option<Bson>| match value {
        Some(value) => set.insert(key, value),
        None => unset.insert(key, ""),
    };
    set_or_unset("email", user.email.as_deref().map(Bson::from));
    set_or_unset("platformAdminSource", user.platform_admin.map(|source| source.as_str().into()));
    set_or_unset("groupsAsOf", user.groups_as_of.map(|at| date(at).into()));
    (set, unset)
}

/// Encodes a membership.
pub(in crate::store::mongo) fn encode_membership(membership: &Membership) -> Document {
    doc! {
        "tenantId": oid(membership.tenant_id.raw),
        "role": membership.role.as_str(),
        "source": membership.source.as_str(),
        "since": date(membership.since),
    }
}
