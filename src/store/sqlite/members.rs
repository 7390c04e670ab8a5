//! Reads and counts the members of many tenants in one call.
//!
//! Pages take one statement per tenant. There is no round trip to a server to save, and SQLite is
//! fastest with small statements. One transaction makes the pages consistent with each other.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params_from_iter};

use super::rows::{self, Parameter, blobs};
use crate::domain::{
    id::{ObjectId, TenantId, UserId},
    list::{Item, MemberFilter, Page, PageEdge, PageRequest, Position, SortKey},
    user::{TenantRole, User},
};

/// Returns the statement of one tenant's page.
pub(super) fn page_statement(filter: &MemberFilter, page: &PageRequest) -> String {
    let mut conditions = String::from("m.tenant_id = ?");
    if filter.role.is_some() {
        conditions += " AND m.role = ?";
    }
    if page.after.is_some() {
        conditions += " AND m.user_id > ?";
    }
    if page.before.is_some() {
        conditions += " AND m.user_id < ?";
    }
    let direction = match page.edge {
        PageEdge::First => "ASC",
        PageEdge::Last => "DESC",
    };
    // The alias `m` is in use here, so the subquery in the columns gets another one.
    let columns =
        rows::user::COLUMNS.replace("m.", "own.").replace("memberships m", "memberships own");
    // CROSS JOIN makes the memberships the outer loop, because their index has the order.
    format!(
        "SELECT {columns} FROM memberships m CROSS JOIN users u ON u.id = m.user_id \
         WHERE {conditions} ORDER BY m.user_id {direction} LIMIT ?"
    )
}

/// Returns the same page of members for each of these tenants.
pub(super) fn pages(
    db: &mut Connection,
    tenants: &[TenantId],
    filter: &MemberFilter,
    page: &PageRequest,
) -> rusqlite::Result<HashMap<TenantId, Page<User>>> {
    let transaction = db.transaction()?;
    let mut pages = HashMap::with_capacity(tenants.len());
    {
        let mut statement = transaction.prepare_cached(&page_statement(filter, page))?;
        for tenant in tenants {
            let parameters = params_from_iter(page_parameters(*tenant, filter, page));
            let items = statement.query_map(parameters, decode_item)?.collect::<Result<_, _>>()?;
            pages.insert(*tenant, Page::from_lookahead(page, items));
        }
    }
    transaction.commit()?;
    Ok(pages)
}

fn page_parameters(
    tenant: TenantId,
    filter: &MemberFilter,
    page: &PageRequest,
) -> impl Iterator<Item = Box<dyn rusqlite::ToSql>> {
    let mut parameters = vec![Parameter::id(tenant)];
    parameters.extend(filter.role.map(|role| Parameter::text(role.as_str())));
    for bound in [&page.after, &page.before].into_iter().flatten() {
        parameters.push(Parameter::id(UserId::new(bound.id)));
    }
    parameters.push(Parameter::integer(page.size as i64 + 1));
    parameters.into_iter().map(Parameter::into_sql)
}

fn decode_item(row: &Row<'_>) -> rusqlite::Result<Item<User>> {
    let position = Position { key: SortKey::Null, id: ObjectId(row.get("id")?) };
    Ok(Item { position, node: rows::user::decode(row)? })
}

/// Returns the statement of the counts.
pub(super) fn count_statement(filter: &MemberFilter) -> &'static str {
    match filter.role {
        None => {
            "SELECT tenant_id, count(*) FROM memberships WHERE tenant_id IN rarray(?1) \
             GROUP BY tenant_id"
        }
        Some(_) => {
            "SELECT tenant_id, count(*) FROM memberships WHERE tenant_id IN rarray(?1) \
             AND role = ?2 GROUP BY tenant_id"
        }
    }
}

/// Returns the number of members of each of these tenants. Tenants without members are absent.
pub(super) fn counts(
    db: &mut Connection,
    tenants: &[TenantId],
    filter: &MemberFilter,
) -> rusqlite::Result<HashMap<TenantId, u64>> {
    let role = filter.role.map(|role: TenantRole| Parameter::text(role.as_str()));
    let parameters = std::iter::once(blobs(tenants)).chain(role).map(Parameter::into_sql);
    let mut statement = db.prepare_cached(count_statement(filter))?;
    let counts = statement.query_map(params_from_iter(parameters), |row| {
        Ok((TenantId::new(ObjectId(row.get(0)?)), row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    counts.collect()
}
