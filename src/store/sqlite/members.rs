//! Members of many tenants at once.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params_from_iter};

use super::rows::{self, Parameter, blobs};
use crate::domain::{
    id::{ObjectId, TenantId},
    list::{Item, MemberFilter, Page, PageEdge, PageRequest, Position, SortKey},
    user::{TenantRole, User},
};

/// The statement of one tenant's page.
pub(super) fn page_sql(filter: &MemberFilter, window: &PageRequest) -> String {
    let mut conditions = String::from("m.tenant_id = ?");
    if filter.role.is_some() {
        conditions += " AND m.role = ?";
    }
    if window.after.is_some() {
        conditions += " AND m.user_id > ?";
    }
    if window.before.is_some() {
        conditions += " AND m.user_id < ?";
    }
    let way = match window.edge {
        PageEdge::First => "ASC",
        PageEdge::Last => "DESC",
    };
    let columns =
        rows::user::COLUMNS.replace("m.", "own.").replace("memberships m", "memberships own");
    // CROSS: the memberships have the order, so they have to be the outer loop.
    format!(
        "SELECT {columns} FROM memberships m CROSS JOIN users u ON u.id = m.user_id \
         WHERE {conditions} ORDER BY m.user_id {way} LIMIT ?"
    )
}

/// The same page of each of these tenants. There is no trip to a server to save here: one small
/// statement for each tenant is what SQLite does best, in one transaction so that they agree.
pub(super) fn pages(
    db: &mut Connection,
    tenants: &[TenantId],
    filter: &MemberFilter,
    window: &PageRequest,
) -> rusqlite::Result<HashMap<TenantId, Page<User>>> {
    let transaction = db.transaction()?;
    let mut pages = HashMap::with_capacity(tenants.len());
    {
        let mut statement = transaction.prepare_cached(&page_sql(filter, window))?;
        for tenant in tenants {
            let bound = params_from_iter(parameters(*tenant, filter, window));
            let items = statement.query_map(bound, item)?.collect::<Result<_, _>>()?;
            pages.insert(*tenant, Page::from_lookahead(window, items));
        }
    }
    transaction.commit()?;
    Ok(pages)
}

fn parameters(
    tenant: TenantId,
    filter: &MemberFilter,
    window: &PageRequest,
) -> impl Iterator<Item = Box<dyn rusqlite::ToSql>> {
    let mut parameters = vec![Parameter::id(tenant)];
    parameters.extend(filter.role.map(|role| Parameter::text(role.as_str())));
    for bound in [&window.after, &window.before].into_iter().flatten() {
        parameters.push(Parameter::id(TenantId::new(bound.id)));
    }
    parameters.push(Parameter::integer(window.size as i64 + 1));
    parameters.into_iter().map(Parameter::bound)
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item<User>> {
    let position = Position { key: SortKey::Null, id: ObjectId(row.get("id")?) };
    Ok(Item { position, node: rows::user::read(row)? })
}

/// The statement of the counts.
pub(super) fn count_sql(filter: &MemberFilter) -> &'static str {
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

/// How many members each of these tenants has.
pub(super) fn counts(
    db: &mut Connection,
    tenants: &[TenantId],
    filter: &MemberFilter,
) -> rusqlite::Result<HashMap<TenantId, u64>> {
    let role = filter.role.map(|role: TenantRole| Parameter::text(role.as_str()));
    let parameters = std::iter::once(blobs(tenants)).chain(role).map(Parameter::bound);
    let mut statement = db.prepare_cached(count_sql(filter))?;
    let counted = statement.query_map(params_from_iter(parameters), |row| {
        Ok((TenantId::new(ObjectId(row.get(0)?)), row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    counted.collect()
}
