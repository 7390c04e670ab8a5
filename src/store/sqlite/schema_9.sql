-- Version 9: a tenant has changed if a membership in it has. The audit events of these actions
-- (`domain::audit::MEMBERSHIP_ACTIONS`) name its tenants.

CREATE TRIGGER members_changed AFTER INSERT ON audit_event_tenants
    WHEN (SELECT action FROM audit_events WHERE id = NEW.event_id) IN
        ('membership.add', 'membership.update', 'membership.remove', 'invitation.accept',
        'user.sync', 'user.delete')
BEGIN
    INSERT INTO changes (entity, kind, id) VALUES ('tenant', 'updated', NEW.tenant_id);
END;
