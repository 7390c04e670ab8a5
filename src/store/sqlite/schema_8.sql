-- Version 8: the outbox, whose messages leave the program after the commit that made them.

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    subject BLOB NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease BLOB
) STRICT;

CREATE INDEX outbox_by_due_at ON outbox (due_at);
