//! Exports and imports, through the program and on both stores.

mod conflicts;
mod faults;
mod interrupted;
mod invitations;
mod round_trip;
mod tenants;

use std::{io::Write, path::Path, process::Output};

use serde_json::Value;
use tempfile::TempDir;
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent, FieldChange},
        change::Change,
        id::{AuditEventId, NodeId, ObjectId, SubscriptionId, TenantId, UserId},
        subscription::{StripeHandles, TenantSubscription, TenantSubscriptionStatus},
        tenant::{BillingInfo, PostalAddress, Tenant, TenantIntegrations},
        time::Timestamp,
        user::{Identity, Membership, MembershipSource, TenantRole, Tombstone, User},
    },
    store::{Store, sqlite::SqliteStore},
};

use crate::cli::{run, text};

const ISSUER: &str = "https://id.example.org/";

fn raw(n: u32) -> ObjectId {
    ObjectId::from_parts(time(0), *b"tests", n)
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds).expect("in range")
}

fn tenant_id(n: u32) -> TenantId {
    TenantId::new(raw(n))
}

fn identity(subject: &str) -> Identity {
    Identity { issuer: ISSUER.to_owned(), subject: subject.to_owned() }
}

fn tenant(n: u32, slug: &str) -> Tenant {
    Tenant {
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        ..Tenant::new(tenant_id(n), time(1))
    }
}

fn user(n: u32, subject: &str, tenants: &[(u32, TenantRole, MembershipSource)]) -> User {
    let membership = |(tenant, role, source): &(u32, TenantRole, MembershipSource)| Membership {
        tenant_id: tenant_id(*tenant),
        role: *role,
        source: *source,
        since: time(3),
    };
    User {
        name: format!("User {subject} \u{1f98a}"),
        email: Some(format!("{subject}@example.org")),
        memberships: tenants.iter().map(membership).collect(),
        ..User::new(UserId::new(raw(n)), identity(subject), time(2))
    }
}

fn subscription(n: u32, tenant: u32, status: TenantSubscriptionStatus) -> TenantSubscription {
    let subscription = TenantSubscription::new_trial(
        &self::tenant(tenant, "x"),
        SubscriptionId::new(raw(n)),
        time(4),
    );
    TenantSubscription { status, ..subscription }
}

fn event(n: u32, target: NodeId, tenants: &[u32], changes: &[(&str, Value)]) -> AuditEvent {
    let change = |(field, to): &(&str, Value)| FieldChange {
        field: (*field).to_owned(),
        from: Value::Null,
        to: to.clone(),
    };
    AuditEvent {
        id: AuditEventId::new(raw(n)),
        at: time(5),
        action: "user.sync".to_owned(),
        actor_kind: ActorKind::User,
        actor: Some(UserId::new(raw(100))),
        tenants: tenants.iter().map(|n| tenant_id(*n)).collect(),
        target: Some(target),
        changes: changes.iter().map(change).collect(),
        request_id: Some("request-1".to_owned()),
    }
}

/// Two tenants with a common member, and everything that a record can have.
fn rich_data() -> Vec<Change> {
    use MembershipSource::{Direct, Group};
    let mut acme = tenant(1, "acme");
    acme.domains = vec!["b.acme.example".to_owned(), "a.acme.example".to_owned()];
    acme.billing_info = Some(BillingInfo {
        vat_id: Some("DK12345678".to_owned()),
        address: Some(PostalAddress {
            city: Some("Århus".to_owned()), ..PostalAddress::default()
        }),
        ..BillingInfo::default()
    });
    acme.integrations = Some(TenantIntegrations {
        authentik_group: Some("acme-group".to_owned()),
        ..TenantIntegrations::default()
    });
    let mut other = tenant(2, "other");
    other.billing_info = Some(BillingInfo::default());
    other.version = 7;
    let mut ada =
        user(100, "ada", &[(2, TenantRole::Owner, Direct), (1, TenantRole::Admin, Group)]);
    ada.platform_admin = Some(Direct);
    ada.groups_as_of = Some(time(60));
    ada.last_seen_at = Some(time(61));
    let mut bob = user(101, "bob", &[(1, TenantRole::Owner, Direct)]);
    bob.disabled = true;
    bob.email = None;
    let carol = user(102, "carol", &[(2, TenantRole::Member, Group)]);
    let mut ended = subscription(200, 1, TenantSubscriptionStatus::Canceled);
    ended.stripe =
        Some(StripeHandles { price_id: Some("p".to_owned()), ..StripeHandles::default() });
    let mut live = subscription(201, 1, TenantSubscriptionStatus::PastDue);
    live.current_period_end = Some(time(1_000));
    live.cancel_at_period_end = true;
    let (in_acme, in_other) =
        (format!("memberships.{}", tenant_id(1)), format!("memberships.{}", tenant_id(2)));
    let shared_changes = [
        ("name", Value::from("Ada")),
        ("platformAdmin", Value::from(true)),
        (in_acme.as_str(), Value::from("ADMIN")),
        (in_other.as_str(), Value::from("OWNER")),
    ];
    let user_target = NodeId::User(UserId::new(raw(100)));
    let shared = event(300, user_target, &[1, 2], &shared_changes);
    let own = event(
        301,
        NodeId::Tenant(tenant_id(1)),
        &[1],
        &[("n", serde_json::json!([1, {"a": 1.5}]))],
    );
    let foreign = event(302, NodeId::Tenant(tenant_id(2)), &[2], &[]);
    let mut platform = event(303, user_target, &[], &[]);
    (platform.actor_kind, platform.actor, platform.request_id) = (ActorKind::System, None, None);
    platform.target = None;
    let tombstone = |subject: &str, seconds| Tombstone {
        identity: identity(subject),
        deleted_at: time(seconds),
    };
    let mut changes = vec![Change::InsertTenant(acme), Change::InsertTenant(other)];
    changes.extend([ada, bob, carol].map(Change::InsertUser));
    let second = subscription(202, 2, TenantSubscriptionStatus::Active);
    changes.extend([ended, live, second].map(Change::InsertSubscription));
    changes.extend([shared, own, foreign, platform].map(Change::InsertAuditEvent));
    let tombstones = [tombstone("mallory", 7), tombstone("mallory", 9), tombstone("bob-2", 8)];
    changes.extend(tombstones.map(Change::InsertTombstone));
    changes
}

/// A folder with databases and files, in which the program runs.
struct Workplace(TempDir);

impl Workplace {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Creates a SQLite database with these changes, and returns its URL.
    async fn sqlite(&self, name: &str, changes: &[Change]) -> String {
        let store = SqliteStore::open(&self.path().join(name), None).expect("a store");
        store.prepare().await.expect("prepared");
        store.commit(changes).await.expect("committed");
        format!("sqlite://{name}")
    }

    fn run(&self, database: &str, arguments: &[&str]) -> Output {
        run(
            self.path(),
            arguments,
            &[("TENANTRY_DATABASE_URL", database), ("TENANTRY_LOG", "warn")],
        )
    }

    /// Runs a command that succeeds, and returns its standard output.
    fn succeed(&self, database: &str, arguments: &[&str]) -> String {
        let output = self.run(database, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that fails with exit code 1, and returns its one line of standard error.
    fn fail(&self, database: &str, arguments: &[&str]) -> String {
        let output = self.run(database, arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        error
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut file = std::fs::File::create(self.path().join(name)).expect("a file");
        file.write_all(content.as_ref()).expect("written");
    }
}
