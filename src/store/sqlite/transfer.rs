//! Reads all records for an export, and applies an import in one transaction.

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params, types::ToSql};
use tokio::sync::mpsc;

use super::{commit::apply, rows};
use crate::{
    domain::{
        id::TenantId,
        list::Decoded,
        record::{ImportPlan, ImportStep, Record, TransferScope},
        time::Timestamp,
        user::{Identity, Tombstone},
    },
    store::{CommitError, StoreError},
};

/// Sends all records of a scope. The transaction sees one state of the database.
pub(super) fn export(
    db: &mut Connection,
    scope: TransferScope,
    records: &mpsc::Sender<Decoded<Record>>,
) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    let tenant = match scope {
        TransferScope::Everything => None,
        TransferScope::Tenant(tenant) => Some(tenant.raw.0),
    };
    let parameters: Vec<&dyn ToSql> = tenant.iter().map(|id| id as &dyn ToSql).collect();
    let statement = |columns: &str, from: &str, condition: &str, id: &str| {
        let condition = tenant.map_or(String::new(), |_| format!("WHERE {condition}"));
        format!("SELECT {columns} FROM {from} {condition} ORDER BY {id}")
    };
    let of_tenant = |decode: &dyn Fn(&Row<'_>) -> rusqlite::Result<Decoded<Record>>, sql: &str| {
        send_all(&transaction, sql, &parameters, decode, records)
    };
    let sql = statement(rows::tenant::COLUMNS, "tenants t", "t.id = ?1", "t.id");
    let tenant_record = |row: &Row<'_>| Ok(rows::tenant::decode(row)?.map(Record::Tenant));
    of_tenant(&tenant_record, &sql)?;
    let members = "u.id IN (SELECT user_id FROM memberships WHERE tenant_id = ?1)";
    let sql = statement(rows::user::COLUMNS, "users u", members, "u.id");
    of_tenant(&|row| Ok(rows::user::decode(row)?.map(Record::User)), &sql)?;
    let columns = rows::subscription::COLUMNS;
    let sql = statement(columns, "subscriptions s", "s.tenant_id = ?1", "s.id");
    of_tenant(&|row| Ok(rows::subscription::decode(row)?.map(Record::Subscription)), &sql)?;
    let columns = rows::invitation::COLUMNS;
    let sql = statement(columns, "invitations i", "i.tenant_id = ?1", "i.id");
    of_tenant(&|row| Ok(rows::invitation::decode(row)?.map(Record::Invitation)), &sql)?;
    let events = "e.id IN (SELECT event_id FROM audit_event_tenants WHERE tenant_id = ?1)";
    let sql = statement(rows::audit::COLUMNS, "audit_events e", events, "e.id");
    of_tenant(&|row| Ok(rows::audit::decode(row)?.map(Record::AuditEvent)), &sql)?;
    if scope == TransferScope::Everything {
        let sql = "SELECT issuer, subject, deleted_at FROM tombstones \
            ORDER BY subject, issuer, deleted_at DESC";
        send_all(&transaction, sql, &[], &tombstone, records)?;
    }
    Ok(())
}

/// Sends the records of one statement. Stops if nothing receives them.
fn send_all(
    db: &Transaction<'_>,
    sql: &str,
    parameters: &[&dyn ToSql],
    decode: &dyn Fn(&Row<'_>) -> rusqlite::Result<Decoded<Record>>,
    records: &mpsc::Sender<Decoded<Record>>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        if records.blocking_send(decode(row)?).is_err() {
            break;
        }
    }
    Ok(())
}

/// A tombstone with an invalid time never ends, as for a lookup.
fn tombstone(row: &Row<'_>) -> rusqlite::Result<Decoded<Record>> {
    let identity = Identity { issuer: row.get("issuer")?, subject: row.get("subject")? };
    let deleted_at = Timestamp::from_millis(row.get("deleted_at")?).unwrap_or(Timestamp::MAX);
    Ok(Ok(Record::Tombstone(Tombstone { identity, deleted_at })))
}

/// Applies all steps, or none of them if the last one is missing.
pub(super) fn import(
    db: &mut Connection,
    plan: &ImportPlan,
    mut steps: mpsc::Receiver<ImportStep>,
) -> Result<(), CommitError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(tenant) = plan.replaced {
        delete_bootstrap(&transaction, tenant)?;
    }
    while let Some(step) = steps.blocking_recv() {
        match step {
            ImportStep::Changes(changes) => {
                for change in &changes {
                    apply(&transaction, change)?;
                }
            }
            ImportStep::Complete => return Ok(transaction.commit()?),
        }
    }
    Err(StoreError::Internal("the import ended early".to_owned()).into())
}

/// Deletes the tenant of the bootstrap with its subscription and its events.
fn delete_bootstrap(db: &Transaction<'_>, tenant: TenantId) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM audit_events WHERE id IN \
         (SELECT event_id FROM audit_event_tenants WHERE tenant_id = ?1)",
        "DELETE FROM subscriptions WHERE tenant_id = ?1",
        "DELETE FROM tenants WHERE id = ?1",
    ] {
        db.execute(sql, params![tenant.raw.0])?;
    }
    Ok(())
}
