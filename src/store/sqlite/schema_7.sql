-- Version 7: invitations.

CREATE TABLE invitations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 12),
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    status TEXT NOT NULL,
    mail TEXT NOT NULL,
    generation INTEGER NOT NULL,
    invited_by BLOB NOT NULL CHECK (length(invited_by) = 12),
    accepted_by BLOB CHECK (length(accepted_by) = 12),
    accepted_at INTEGER,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN -62167219200000 AND 253402300799999)
) STRICT, WITHOUT ROWID;
-- A row that has expired stays pending here until its address is invited again.
CREATE UNIQUE INDEX invitations_pending ON invitations (tenant_id, email) WHERE status = 'pending';
CREATE INDEX invitations_of_tenant ON invitations (tenant_id, created_at, id);
CREATE INDEX invitations_of_status ON invitations (tenant_id, status, expires_at);
