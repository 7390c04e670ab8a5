-- Version 3: the user of an idempotent request, the process of its run, the rights under which its
-- response was stored, and the heartbeats of processes. Requests of older versions have none of them.

ALTER TABLE requests ADD COLUMN user_id BLOB CHECK (length(user_id) = 12);
ALTER TABLE requests ADD COLUMN process BLOB CHECK (length(process) = 12);
ALTER TABLE requests ADD COLUMN rights BLOB CHECK (length(rights) = 32);

CREATE TABLE processes (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    heartbeats INTEGER NOT NULL,
    -- ["66f0c1…"]
    runs TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX processes_expired ON processes (expires_at);
