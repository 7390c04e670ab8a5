//! Creates the tables and migrates them from older versions.

use rusqlite::{Connection, TransactionBehavior};

use super::search_keys;
use crate::store::PrepareError;

/// The migrations in order of their versions. The first one brings an empty database to version 1,
/// the second one to version 2, and so on.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
];
/// The first version that has search keys.
const SEARCH_KEYS_VERSION: usize = 5;

/// Brings the database to the latest version.
pub(super) fn migrate(db: &mut Connection) -> Result<(), PrepareError> {
    // Of two processes that start at the same time, the second one waits here, and then finds
    // nothing to do.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pending = pending_migrations(&transaction)?;
    for migration in pending {
        transaction.execute_batch(migration)?;
    }
    if MIGRATIONS.len() - pending.len() < SEARCH_KEYS_VERSION {
        search_keys::fill(&transaction)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", MIGRATIONS.len()))?;
    transaction.commit()?;
    Ok(())
}

/// Checks that [`migrate`] would accept the database. This only reads.
pub(super) fn check_version(db: &Connection) -> Result<(), PrepareError> {
    pending_migrations(db).map(drop)
}

/// Returns the migrations that the database does not have yet.
fn pending_migrations(db: &Connection) -> Result<&'static [&'static str], PrepareError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(pending) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..))
    else {
        return Err(PrepareError::Misconfigured(format!(
            "the SQLite database has version {version} of the tables, but this gateway supports at \
             most version {}: use a newer gateway",
            MIGRATIONS.len()
        )));
    };
    if version == 0 && !is_empty(db)? {
        let text = "the SQLite database has tables of another program: use a file of its own";
        return Err(PrepareError::Misconfigured(text.to_owned()));
    }
    Ok(pending)
}

fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// Returns whether the database has no tenants, users and subscriptions.
pub(super) fn has_no_data(db: &Connection) -> rusqlite::Result<bool> {
    if is_empty(db)? {
        return Ok(true);
    }
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM tenants) AND NOT EXISTS (SELECT 1 FROM users) \
        AND NOT EXISTS (SELECT 1 FROM subscriptions)";
    db.query_row(sql, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the definitions of all tables and indexes.
    fn tables(db: &Connection) -> Vec<String> {
        let mut select =
            db.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name");
        let rows = select.as_mut().expect("a statement").query_map([], |row| row.get(0));
        rows.expect("rows").collect::<Result<_, _>>().expect("text")
    }

    #[test]
    fn older_database_is_migrated_and_keeps_its_rows() {
        let mut new = Connection::open_in_memory().expect("a database");
        migrate(&mut new).expect("migrated");
        for version in 1..MIGRATIONS.len() {
            let mut old = Connection::open_in_memory().expect("a database");
            for migration in &MIGRATIONS[..version] {
                old.execute_batch(migration).expect("a migration");
            }
            old.execute_batch(&format!("PRAGMA user_version = {version}")).expect("a version");
            let tombstone =
                "INSERT INTO tombstones (issuer, subject, deleted_at) VALUES ('i', 's', 7)";
            old.execute(tombstone, []).expect("inserted");
            for _ in 0..2 {
                migrate(&mut old).expect("only pending migrations are applied");
                assert_eq!(tables(&old), tables(&new), "from version {version}");
                let kept = old.query_row("SELECT deleted_at FROM tombstones", [], |row| row.get(0));
                assert_eq!(kept, Ok(7), "existing rows stay");
            }
        }
    }

    #[test]
    fn newer_database_is_rejected() {
        let mut db = Connection::open_in_memory().expect("a database");
        migrate(&mut db).expect("migrated");
        let newer = format!("PRAGMA user_version = {}", MIGRATIONS.len() + 1);
        db.execute_batch(&newer).expect("a version");
        assert!(matches!(migrate(&mut db), Err(PrepareError::Misconfigured(_))));
    }
}
