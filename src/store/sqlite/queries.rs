//! Lookups by key. Each is one statement, regardless of the number of keys.

use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::rows::{self, Parameter, blobs, texts};
use crate::{
    domain::{
        id::AuditEventId,
        time::Timestamp,
        user::{Identity, Tombstone},
    },
    store::{InvitationKeys, SubscriptionKeys, TenantKeys, UserKeys},
};

/// The condition for a live subscription. It must be identical to the condition of the partial
/// index `subscriptions_live`, or the planner does not use that index.
pub(super) const LIVE: &str = "s.status NOT IN ('canceled', 'incomplete_expired')";

/// The statement of a lookup and its parameters.
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) parameters: Vec<Parameter>,
}

impl Query {
    fn new(sql: String, parameters: Vec<Parameter>) -> Self {
        Self { sql, parameters }
    }

    /// Returns all rows, decoded.
    pub(super) fn read_all<T>(
        self,
        db: &Connection,
        decode: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = db.prepare_cached(&self.sql)?;
        let parameters = params_from_iter(self.parameters.into_iter().map(Parameter::into_sql));
        statement.query_map(parameters, decode)?.collect()
    }
}

pub(super) fn tenants(keys: TenantKeys<'_>) -> Query {
    let (condition, parameters) = match keys {
        TenantKeys::Ids(ids) => ("t.id IN rarray(?1)", vec![blobs(ids)]),
        TenantKeys::Slugs(slugs) => ("t.slug IN rarray(?1)", vec![texts(slugs)]),
        TenantKeys::SlugsOrGroups(slugs, groups) => (
            "t.slug IN rarray(?1) OR t.authentik_group IN rarray(?2)",
            vec![texts(slugs), texts(groups)],
        ),
    };
    Query::new(
        format!("SELECT {} FROM tenants t WHERE {condition}", rows::tenant::COLUMNS),
        parameters,
    )
}

pub(super) fn users(keys: UserKeys<'_>) -> Query {
    let (condition, parameters) = match keys {
        UserKeys::Ids(ids) => ("u.id IN rarray(?1)", vec![blobs(ids)]),
        UserKeys::Identity(Identity { issuer, subject }) => (
            "u.issuer = ?1 AND u.subject = ?2",
            vec![Parameter::text(issuer), Parameter::text(subject)],
        ),
    };
    Query::new(format!("SELECT {} FROM users u WHERE {condition}", rows::user::COLUMNS), parameters)
}

pub(super) fn subscriptions(keys: SubscriptionKeys<'_>) -> Query {
    let (condition, parameter) = match keys {
        SubscriptionKeys::Ids(ids) => ("s.id IN rarray(?1)".to_owned(), blobs(ids)),
        SubscriptionKeys::LiveOfTenants(tenants) => {
            (format!("s.tenant_id IN rarray(?1) AND {LIVE}"), blobs(tenants))
        }
    };
    let columns = rows::subscription::COLUMNS;
    Query::new(format!("SELECT {columns} FROM subscriptions s WHERE {condition}"), vec![parameter])
}

pub(super) fn invitations(keys: InvitationKeys<'_>) -> Query {
    let (condition, parameters) = match keys {
        InvitationKeys::Ids(ids) => ("i.id IN rarray(?1)", vec![blobs(ids)]),
        InvitationKeys::Pending(tenant, email) => (
            "i.tenant_id = ?1 AND i.email = ?2 AND i.status = 'pending'",
            vec![Parameter::id(tenant), Parameter::text(email)],
        ),
    };
    let columns = rows::invitation::COLUMNS;
    Query::new(format!("SELECT {columns} FROM invitations i WHERE {condition}"), parameters)
}

pub(super) fn audit_events(ids: &[AuditEventId]) -> Query {
    let columns = rows::audit::COLUMNS;
    Query::new(
        format!("SELECT {columns} FROM audit_events e WHERE e.id IN rarray(?1)"),
        vec![blobs(ids)],
    )
}

pub(super) const TOMBSTONE: &str =
    "SELECT max(deleted_at) FROM tombstones WHERE issuer = ?1 AND subject = ?2";

/// Returns the latest tombstone of an identity.
pub(super) fn tombstone(
    db: &Connection,
    identity: Identity,
) -> rusqlite::Result<Option<Tombstone>> {
    let mut statement = db.prepare_cached(TOMBSTONE)?;
    let parameters = [&identity.issuer, &identity.subject];
    let millis: Option<i64> =
        statement.query_row(parameters, |row| row.get(0)).optional()?.flatten();
    // A tombstone with an invalid timestamp never ends. Letting a deleted user sign in would be
    // worse.
    let deleted_at = |millis| Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX);
    Ok(millis.map(|millis| Tombstone { identity, deleted_at: deleted_at(millis) }))
}
