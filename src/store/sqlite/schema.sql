-- Version 1. Each later version is a file of its own that is applied after this one.
--
-- A column with the suffix _fold has the case-folded value of the column before it
-- (`domain::text::case_fold`). A manual edit must change both.
-- Enumerations are text without a CHECK, so that a new value needs no new table.
-- Foreign keys only connect parts to their whole. A membership may name a tenant that does not
-- exist, because a manual edit can leave one, and reads must still succeed.
-- Comments inside a statement are stored in `sqlite_schema`. No code compares them with this file.

CREATE TABLE tenants (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    slug TEXT NOT NULL,
    slug_fold TEXT NOT NULL,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    status TEXT NOT NULL,
    plan TEXT NOT NULL,
    billing_info TEXT,
    authentik_group TEXT,
    integrations TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN -62167219200000 AND 253402207200000),
    updated_at INTEGER NOT NULL CHECK (updated_at BETWEEN -62167219200000 AND 253402207200000)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tenants_slug ON tenants (slug);
CREATE UNIQUE INDEX tenants_authentik_group ON tenants (authentik_group);
CREATE INDEX tenants_by_slug ON tenants (slug_fold, id);
CREATE INDEX tenants_by_name ON tenants (name_fold, id);
CREATE INDEX tenants_by_created_at ON tenants (created_at, id);
CREATE INDEX tenants_by_updated_at ON tenants (updated_at, id);
CREATE INDEX tenants_counts ON tenants (status, plan);

CREATE TABLE tenant_domains (
    domain TEXT NOT NULL PRIMARY KEY,
    domain_fold TEXT NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_domains_of ON tenant_domains (tenant_id, ordinal);
CREATE INDEX tenant_domains_search ON tenant_domains (domain_fold, tenant_id);

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    email TEXT,
    email_fold TEXT,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    platform_admin TEXT,
    disabled INTEGER NOT NULL,
    groups_as_of INTEGER,
    last_seen_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN -62167219200000 AND 253402207200000),
    updated_at INTEGER NOT NULL CHECK (updated_at BETWEEN -62167219200000 AND 253402207200000)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_identity ON users (issuer, subject);
CREATE INDEX users_by_name ON users (name_fold, id);
CREATE INDEX users_by_email ON users (email_fold, id);
CREATE INDEX users_by_created_at ON users (created_at, id);
CREATE INDEX users_by_updated_at ON users (updated_at, id);
CREATE INDEX users_counts ON users (disabled, platform_admin);

CREATE TABLE memberships (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 12),
    ordinal INTEGER NOT NULL,
    role TEXT NOT NULL,
    source TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (user_id, tenant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_of_tenant ON memberships (tenant_id, user_id);
CREATE INDEX memberships_of_role ON memberships (tenant_id, role, user_id);

CREATE TABLE subscriptions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 12),
    plan TEXT NOT NULL,
    status TEXT NOT NULL,
    current_period_start INTEGER,
    current_period_end INTEGER,
    -- The end of the period as a key that is never null, because row values do not compare nulls.
    period_key INTEGER NOT NULL
        GENERATED ALWAYS AS (coalesce(current_period_end, -9223372036854775808)) VIRTUAL,
    cancel_at_period_end INTEGER NOT NULL,
    stripe TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN -62167219200000 AND 253402207200000),
    updated_at INTEGER NOT NULL CHECK (updated_at BETWEEN -62167219200000 AND 253402207200000),
    CHECK (current_period_end BETWEEN -62167219200000 AND 253402207200000)
) STRICT, WITHOUT ROWID;
-- An unknown status counts as live. Rejecting a subscription is better than having two.
CREATE UNIQUE INDEX subscriptions_live ON subscriptions (tenant_id)
    WHERE status NOT IN ('canceled', 'incomplete_expired');
CREATE INDEX subscriptions_of_tenant ON subscriptions (tenant_id, created_at, id);
CREATE INDEX subscriptions_by_created_at ON subscriptions (created_at, id);
CREATE INDEX subscriptions_by_updated_at ON subscriptions (updated_at, id);
CREATE INDEX subscriptions_by_period_end ON subscriptions (period_key, id);
CREATE INDEX subscriptions_counts ON subscriptions (status, plan);

CREATE TABLE audit_events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    at INTEGER NOT NULL CHECK (at BETWEEN -62167219200000 AND 253402207200000),
    action TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor BLOB,
    target TEXT,
    changes TEXT NOT NULL,
    request_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_events_by_at ON audit_events (at, id);
CREATE INDEX audit_events_of_actor ON audit_events (actor, at, id);
CREATE INDEX audit_events_of_action ON audit_events (action, at, id);

-- An event never changes, so this table can repeat its time. The audit log of a tenant is then one
-- range.
CREATE TABLE audit_event_tenants (
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 12),
    at INTEGER NOT NULL,
    event_id BLOB NOT NULL REFERENCES audit_events (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, at, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_event_tenants_of ON audit_event_tenants (event_id, ordinal);

CREATE TABLE tombstones (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject, deleted_at)
) STRICT, WITHOUT ROWID;
