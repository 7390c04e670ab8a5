//! The tables, by version.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::PrepareError;

/// What brings an empty database to version 1, that one to version 2, and so on.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql"), include_str!("schema_2.sql")];

/// Brings the database to the version that this program knows.
pub(super) fn migrate(db: &mut Connection) -> Result<(), PrepareError> {
    // Two programs that start at once wait for each other here, and the second finds all done.
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in pending_migrations(&transaction)? {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", MIGRATIONS.len()))?;
    transaction.commit()?;
    Ok(())
}

/// Whether [`apply`] would know the database; reads alone.
pub(super) fn check_version(db: &Connection) -> Result<(), PrepareError> {
    pending_migrations(db).map(drop)
}

/// The steps that the database is behind.
fn pending_migrations(db: &Connection) -> Result<&'static [&'static str], PrepareError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = usize::try_from(version).ok().and_then(|done| MIGRATIONS.get(done..))
    else {
        return Err(PrepareError::Misconfigured(format!(
            "the SQLite database has version {version} of the tables, and this program knows them up to {}: use a newer one",
            MIGRATIONS.len()
        )));
    };
    if version == 0 && !is_empty(db)? {
        let why = "the SQLite database has tables of another program: name a file of its own";
        return Err(PrepareError::Misconfigured(why.to_owned()));
    }
    Ok(missing)
}

fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is there, as its makers would write it.
    fn tables(db: &Connection) -> Vec<String> {
        let mut all = db.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name");
        let all = all.as_mut().expect("a statement").query_map([], |row| row.get(0));
        all.expect("rows").collect::<Result<_, _>>().expect("texts")
    }

    #[test]
    fn an_older_database_becomes_a_new_one() {
        let mut new = Connection::open_in_memory().expect("a database");
        migrate(&mut new).expect("all steps");
        for done in 1..MIGRATIONS.len() {
            let mut old = Connection::open_in_memory().expect("a database");
            for step in &MIGRATIONS[..done] {
                old.execute_batch(step).expect("a step");
            }
            old.execute_batch(&format!("PRAGMA user_version = {done}")).expect("a version");
            let tombstone =
                "INSERT INTO tombstones (issuer, subject, deleted_at) VALUES ('i', 's', 7)";
            old.execute(tombstone, []).expect("inserted");
            for _ in 0..2 {
                migrate(&mut old).expect("the steps that are missing, once");
                assert_eq!(tables(&old), tables(&new), "from version {done}");
                let kept = old.query_row("SELECT deleted_at FROM tombstones", [], |row| row.get(0));
                assert_eq!(kept, Ok(7), "what was there stays");
            }
        }
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut db = Connection::open_in_memory().expect("a database");
        migrate(&mut db).expect("all steps");
        let newer = format!("PRAGMA user_version = {}", MIGRATIONS.len() + 1);
        db.execute_batch(&newer).expect("a version");
        assert!(matches!(migrate(&mut db), Err(PrepareError::Misconfigured(_))));
    }
}
