-- Version 5: search keys (`domain::search`), one row per key of a tenant or a user. `search_keys.rs`
-- fills the tables of an older database.

CREATE TABLE tenant_search_keys (
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    shared INTEGER NOT NULL,
    class INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_search_keys_by_key ON tenant_search_keys (class, key, tenant_id, shared);

CREATE TABLE user_search_keys (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    shared INTEGER NOT NULL,
    class INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_search_keys_by_key ON user_search_keys (class, key, user_id, shared);

DROP INDEX tenant_domains_search;
ALTER TABLE tenant_domains DROP COLUMN domain_fold;
DROP INDEX users_by_email;
ALTER TABLE users DROP COLUMN email_fold;
