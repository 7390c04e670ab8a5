-- Version 3: the user of an idempotent request, the rights under which its response was stored, and
-- the progress of its run. Requests of older versions have no user and no rights.

ALTER TABLE requests ADD COLUMN user_id BLOB CHECK (length(user_id) = 12);
ALTER TABLE requests ADD COLUMN rights BLOB CHECK (length(rights) = 32);
ALTER TABLE requests ADD COLUMN progress INTEGER NOT NULL DEFAULT 0;
