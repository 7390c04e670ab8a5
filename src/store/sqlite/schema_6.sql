-- Version 6: the log of changes for the change feed, and keys that all processes share.
--
-- Triggers write the log, so that it has manual edits, too. It does not have changes that no client can
-- see: `last_seen_at` and `groups_as_of` of a user. `commit` removes old rows.

CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    tenant_id BLOB
) STRICT;

CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tenants_created AFTER INSERT ON tenants BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('tenant', 'created', NEW.id);
END;
CREATE TRIGGER tenants_updated AFTER UPDATE ON tenants BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('tenant', 'updated', NEW.id);
END;
CREATE TRIGGER tenants_deleted AFTER DELETE ON tenants BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('tenant', 'deleted', OLD.id);
END;

CREATE TRIGGER users_created AFTER INSERT ON users BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('user', 'created', NEW.id);
END;
CREATE TRIGGER users_updated AFTER UPDATE ON users
    WHEN (OLD.issuer, OLD.subject, OLD.email, OLD.name, OLD.platform_admin, OLD.disabled, OLD.version)
        IS NOT (NEW.issuer, NEW.subject, NEW.email, NEW.name, NEW.platform_admin, NEW.disabled, NEW.version)
BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('user', 'updated', NEW.id);
END;
CREATE TRIGGER users_deleted AFTER DELETE ON users BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('user', 'deleted', OLD.id);
END;
CREATE TRIGGER memberships_created AFTER INSERT ON memberships BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('user', 'updated', NEW.user_id);
END;
CREATE TRIGGER memberships_updated AFTER UPDATE ON memberships BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('user', 'updated', NEW.user_id);
END;
CREATE TRIGGER memberships_deleted AFTER DELETE ON memberships BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('user', 'updated', OLD.user_id);
END;

CREATE TRIGGER subscriptions_created AFTER INSERT ON subscriptions BEGIN
    INSERT INTO changes (entity, kind, id, tenant_id)
        VALUES ('subscription', 'created', NEW.id, NEW.tenant_id);
END;
CREATE TRIGGER subscriptions_updated AFTER UPDATE ON subscriptions BEGIN
    INSERT INTO changes (entity, kind, id, tenant_id)
        VALUES ('subscription', 'updated', NEW.id, NEW.tenant_id);
END;
CREATE TRIGGER subscriptions_deleted AFTER DELETE ON subscriptions BEGIN
    INSERT INTO changes (entity, kind, id, tenant_id)
        VALUES ('subscription', 'deleted', OLD.id, OLD.tenant_id);
END;
