-- Version 10: the log of changes has the members of a deleted tenant, because their memberships are deleted,
-- too. `id` is the user. An older gateway ignores the rows.

DROP TRIGGER tenants_deleted;
CREATE TRIGGER tenants_deleted AFTER DELETE ON tenants BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('tenant', 'deleted', OLD.id);
    INSERT INTO changes (entity, kind, id, tenant_id)
        SELECT 'membership', 'deleted', user_id, OLD.id FROM memberships WHERE tenant_id = OLD.id;
END;
