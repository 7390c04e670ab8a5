//! The tables, by version.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::PrepareError;

/// What brings an empty database to version 1, that one to version 2, and so on.
const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("schema_2.sql")];

/// Brings the database to the version that this program knows.
pub(super) fn apply(db: &mut Connection) -> Result<(), PrepareError> {
    // Two programs that start at once wait for each other here, and the second finds all done.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = usize::try_from(version).ok().and_then(|done| STEPS.get(done..)) else {
        return Err(PrepareError::Unusable(format!(
            "the SQLite database has version {version} of the tables, and this program knows them up to {}: use a newer one",
            STEPS.len()
        )));
    };
    if version == 0 && !is_empty(&transaction)? {
        let why = "the SQLite database has tables of another program: name a file of its own";
        return Err(PrepareError::Unusable(why.to_owned()));
    }
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", STEPS.len()))?;
    transaction.commit()?;
    Ok(())
}

fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}
