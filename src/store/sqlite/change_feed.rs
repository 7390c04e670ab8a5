//! The change feed: the rows of the log of changes, read after each commit.
//!
//! Triggers write the log. A commit of this process wakes the feeds. They also look for manual edits
//! several times per second.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row};
use tokio::{sync::watch, time::Instant};

use super::pool::Pool;
use crate::{
    domain::{
        id::{Id, ObjectId},
        live::{ChangeKind, ChangedEntity, FeedEvent, FeedPosition},
    },
    store::{ChangeFeed, StoreError, WatchError},
};

/// The interval in which a feed looks for changes of other programs.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The time after which a feed without changes returns.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// The maximum number of changes that are read at once.
const BATCH_SIZE: usize = 1_000;

const SELECT_CHANGES: &str =
    "SELECT seq, entity, kind, id, tenant_id FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const SELECT_FIRST: &str = "SELECT min(seq) FROM changes";
/// Deletes the changes before the latest 100,000.
pub(super) const DELETE_OLD_CHANGES: &str =
    "DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM changes) - 100000";

/// All statements of this file that search for rows. The test of the query plans reads them.
#[cfg(test)]
pub(super) const STATEMENTS: [&str; 3] = [SELECT_CHANGES, SELECT_FIRST, DELETE_OLD_CHANGES];

/// An open feed.
pub(super) struct SqliteFeed {
    pool: Arc<Pool>,
    committed: watch::Receiver<()>,
    /// The number of the last change that was returned.
    seq: i64,
}

impl SqliteFeed {
    /// Opens a feed after a position or from now on.
    pub(super) async fn open(
        pool: Arc<Pool>,
        committed: watch::Receiver<()>,
        after: Option<&FeedPosition>,
    ) -> Result<Self, WatchError> {
        let (first, last) = pool.read("changes", |db| read_bounds(db)).await?;
        let seq = match after {
            None => last,
            Some(position) => {
                let seq = <[u8; 8]>::try_from(&*position.0).map(i64::from_be_bytes);
                let seq = seq.map_err(|_| WatchError::HistoryLost)?;
                if seq > last || seq < first - 1 {
                    return Err(WatchError::HistoryLost);
                }
                seq
            }
        };
        Ok(Self { pool, committed, seq })
    }
}

/// Returns the numbers of the first known change and of the last one ever made.
fn read_bounds(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let last = "SELECT seq FROM sqlite_sequence WHERE name = 'changes'";
    let last = db.query_row(last, [], |row| row.get(0)).optional()?.unwrap_or(0);
    let first: Option<i64> = db.query_row(SELECT_FIRST, [], |row| row.get(0))?;
    Ok((first.unwrap_or(last + 1), last))
}

#[async_trait]
impl ChangeFeed for SqliteFeed {
    async fn next(&mut self) -> Result<Vec<FeedEvent>, WatchError> {
        let deadline = Instant::now() + MAX_WAIT;
        loop {
            self.committed.mark_unchanged();
            let after = self.seq;
            let changes = self.pool.read("changes", move |db| read_changes(db, after)).await?;
            if let [(first, _), .., (last, _)] | [(first @ last, _)] = changes.as_slice() {
                if *first != self.seq + 1 {
                    return Err(WatchError::HistoryLost);
                }
                self.seq = *last;
                return Ok(merge_users(changes.into_iter().filter_map(|(_, event)| event)));
            }
            if Instant::now() >= deadline {
                return Ok(Vec::new());
            }
            // An error means that the store was dropped. The next read then fails.
            drop(tokio::time::timeout(POLL_INTERVAL, self.committed.changed()).await);
        }
    }

    fn position(&self) -> FeedPosition {
        position(self.seq)
    }
}

fn position(seq: i64) -> FeedPosition {
    FeedPosition(seq.to_be_bytes().into())
}

/// Reads the changes after a number, each with its number. A row of an unknown kind has no event.
fn read_changes(db: &Connection, after: i64) -> rusqlite::Result<Vec<(i64, Option<FeedEvent>)>> {
    let mut select = db.prepare_cached(SELECT_CHANGES)?;
    let read = |row: &Row<'_>| {
        let seq = row.get(0)?;
        Ok((seq, decode(row, seq)?))
    };
    select.query_map((after, BATCH_SIZE as i64), read)?.collect()
}

fn decode(row: &Row<'_>, seq: i64) -> rusqlite::Result<Option<FeedEvent>> {
    let (entity, kind): (String, String) = (row.get(1)?, row.get(2)?);
    let (id, tenant): ([u8; 12], Option<[u8; 12]>) = (row.get(3)?, row.get(4)?);
    let (id, tenant) = (ObjectId(id), tenant.map(|tenant| Id::new(ObjectId(tenant))));
    let entity = match entity.as_str() {
        "tenant" => ChangedEntity::Tenant(Id::new(id)),
        "user" => ChangedEntity::User(Id::new(id)),
        "subscription" => ChangedEntity::Subscription(Id::new(id), tenant),
        "membership" => match tenant {
            Some(tenant) => ChangedEntity::FormerMember(Some(Id::new(id)), tenant),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let kind = ChangeKind::parse(&kind);
    Ok(kind.map(|kind| FeedEvent { position: position(seq), entity, kind }))
}

/// Merges successive changes of one user, whose memberships are rows of their own.
fn merge_users(events: impl Iterator<Item = FeedEvent>) -> Vec<FeedEvent> {
    let mut merged: Vec<FeedEvent> = Vec::new();
    for event in events {
        match merged.last_mut() {
            Some(last)
                if last.entity == event.entity
                    && matches!(event.entity, ChangedEntity::User(_)) =>
            {
                last.kind = last.kind.followed_by(event.kind);
                last.position = event.position;
            }
            _ => merged.push(event),
        }
    }
    merged
}

/// Returns the stored key of cursors. Stores `candidate` if there is none.
pub(super) fn cursor_key(db: &mut Connection, candidate: [u8; 32]) -> Result<[u8; 32], StoreError> {
    let insert = "INSERT OR IGNORE INTO secrets (name, value) VALUES ('live_cursor', ?1)";
    db.execute(insert, [candidate])?;
    let select = "SELECT value FROM secrets WHERE name = 'live_cursor'";
    Ok(db.query_row(select, [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    /// A manual edit may leave the memberships, or remove one before it deletes the tenant.
    #[test]
    fn deletion_of_a_tenant_reports_its_members_at_that_time() {
        let mut db = Connection::open_in_memory().expect("a database");
        schema::migrate(&mut db).expect("migrated");
        let edit = "INSERT INTO tenants (id, slug, slug_fold, name, name_fold, status, plan, version, \
                created_at, updated_at) VALUES (zeroblob(12), 'a', 'a', 'A', 'a', 'active', 'free', 1, 0, 0); \
            INSERT INTO users (id, issuer, subject, name, name_fold, disabled, version, created_at, \
                updated_at) VALUES (x'010000000000000000000000', 'i', 'a', 'A', 'a', 0, 1, 0, 0), \
                (x'020000000000000000000000', 'i', 'b', 'B', 'b', 0, 1, 0, 0); \
            INSERT INTO memberships (user_id, tenant_id, ordinal, role, source, since) \
                SELECT id, zeroblob(12), 0, 'member', 'direct', 0 FROM users; \
            DELETE FROM changes; \
            DELETE FROM memberships WHERE user_id = x'010000000000000000000000'; \
            DELETE FROM tenants; \
            DELETE FROM memberships;";
        db.execute_batch(edit).expect("edited");
        let changes = read_changes(&db, 0).expect("changes").into_iter();
        let entities: Vec<_> =
            changes.map(|(_, event)| event.expect("a known kind").entity).collect();
        let user = |n: u8| Id::new(ObjectId([n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        let tenant = Id::new(ObjectId([0; 12]));
        let expected = [
            ChangedEntity::User(user(1)),
            ChangedEntity::Tenant(tenant),
            ChangedEntity::FormerMember(Some(user(2)), tenant),
            ChangedEntity::User(user(2)),
        ];
        assert_eq!(entities, expected);
    }
}
