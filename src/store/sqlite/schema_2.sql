-- Version 2: idempotent requests.
--
-- The table has a rowid, because a response can be long. Rows of a table without one are stored in
-- the tree of its primary key.

CREATE TABLE requests (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    holder BLOB NOT NULL CHECK (length(holder) = 12),
    claimed_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- [{"ordinal": 0, "ids": ["ten_…"]}]
    steps TEXT NOT NULL,
    answer TEXT
) STRICT;
CREATE INDEX requests_expired ON requests (expires_at);
