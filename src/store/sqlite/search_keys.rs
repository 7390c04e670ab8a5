//! Writes the search keys of tenants and users.

use rusqlite::{Connection, Transaction, params};

use crate::domain::{
    id::ObjectId,
    search::{SearchKey, keys_of_tenant, keys_of_user, tenant_keys, user_keys},
    tenant::Tenant,
    user::User,
};

const DELETE_TENANT_KEYS: &str = "DELETE FROM tenant_search_keys WHERE tenant_id = ?1";
const INSERT_TENANT_KEY: &str =
    "INSERT INTO tenant_search_keys (tenant_id, key, shared, class) VALUES (?1, ?2, ?3, ?4)";
const DELETE_USER_KEYS: &str = "DELETE FROM user_search_keys WHERE user_id = ?1";
const INSERT_USER_KEY: &str =
    "INSERT INTO user_search_keys (user_id, key, shared, class) VALUES (?1, ?2, ?3, ?4)";

/// The statements of this file that search for rows. The test of the query plans reads them.
#[cfg(test)]
pub(super) const STATEMENTS: [&str; 2] = [DELETE_TENANT_KEYS, DELETE_USER_KEYS];

/// Replaces the search keys of a tenant.
pub(super) fn replace_of_tenant(db: &Transaction<'_>, tenant: &Tenant) -> rusqlite::Result<()> {
    db.prepare_cached(DELETE_TENANT_KEYS)?.execute([tenant.id.raw.0])?;
    insert(db, INSERT_TENANT_KEY, tenant.id.raw, &tenant_keys(tenant))
}

/// Replaces the search keys of a user.
pub(super) fn replace_of_user(db: &Transaction<'_>, user: &User) -> rusqlite::Result<()> {
    db.prepare_cached(DELETE_USER_KEYS)?.execute([user.id.raw.0])?;
    insert(db, INSERT_USER_KEY, user.id.raw, &user_keys(user))
}

fn insert(db: &Connection, sql: &str, owner: ObjectId, keys: &[SearchKey]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(sql)?;
    for key in keys {
        insert.execute(params![owner.0, key.text, key.shared as i64, key.class() as i64])?;
    }
    Ok(())
}

/// Fills the empty tables of search keys, from all tenants and users.
pub(super) fn fill(db: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut tenants = db.prepare(
        "SELECT t.id, t.slug, t.name, (SELECT json_group_array(d.domain) FROM tenant_domains d \
         WHERE d.tenant_id = t.id) FROM tenants t",
    )?;
    let mut rows = tenants.query([])?;
    while let Some(row) = rows.next()? {
        let (slug, name): (String, String) = (row.get(1)?, row.get(2)?);
        let domains: Vec<String> =
            serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default();
        let keys = keys_of_tenant(Some(&slug), Some(&name), domains.iter().map(String::as_str));
        insert(db, INSERT_TENANT_KEY, ObjectId(row.get(0)?), &keys)?;
    }
    let mut users = db.prepare("SELECT id, name, email FROM users")?;
    let mut rows = users.query([])?;
    while let Some(row) = rows.next()? {
        let (name, email): (String, Option<String>) = (row.get(1)?, row.get(2)?);
        let keys = keys_of_user(Some(&name), email.as_deref());
        insert(db, INSERT_USER_KEY, ObjectId(row.get(0)?), &keys)?;
    }
    Ok(())
}
