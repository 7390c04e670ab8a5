//! Invitations move along, with the inviters that the target database knows.

use serde_json::Value;
use tenantry::{
    domain::{
        change::Change,
        id::{InvitationId, UserId},
        invitation::{Invitation, InvitationStatus, MailStatus},
        user::{MembershipSource, TenantRole},
    },
    store::{InvitationKeys, Store, sqlite::SqliteStore},
};

use super::{Workplace, raw, rich_data, tenant, tenant_id, time, user};
use crate::support::mongod::FreshDatabase;

/// The platform admin who has invited, and is no member of the tenant.
const PLATFORM_ADMIN: u32 = 150;

fn user_id(n: u32) -> UserId {
    UserId::new(raw(n))
}

fn invitation(n: u32, invited_by: u32, status: InvitationStatus) -> Invitation {
    Invitation {
        id: InvitationId::new(raw(n)),
        tenant_id: tenant_id(1),
        email: format!("p{n}@example.org"),
        role: TenantRole::Admin,
        status,
        mail: MailStatus::Sent,
        generation: 2,
        invited_by: user_id(invited_by),
        accepted_by: None,
        accepted_at: None,
        expires_at: time(1_000_000),
        version: 3,
        created_at: time(i64::from(n)),
    }
}

/// Returns invitations of acme in all states. ada has the identifier 100, and bob 101.
fn invitations() -> Vec<Invitation> {
    use InvitationStatus::{Accepted, Expired, Pending, Revoked};
    let accepted = invitation(402, 101, Accepted);
    let (accepted_by, accepted_at) = (Some(user_id(100)), Some(time(500)));
    vec![
        invitation(400, 100, Pending),
        invitation(401, PLATFORM_ADMIN, Pending),
        Invitation { accepted_by, accepted_at, ..accepted },
        invitation(403, 101, Revoked),
        Invitation { mail: MailStatus::Failed, ..invitation(404, 101, Expired) },
    ]
}

/// Returns the data of the tests, with an invitation of another tenant and one whose mail waits.
fn data() -> Vec<Change> {
    let mut all = invitations();
    all[0].mail = MailStatus::Queued;
    let other = invitation(410, 100, InvitationStatus::Pending);
    all.push(Invitation { tenant_id: tenant_id(2), ..other });
    let mut changes = rich_data();
    changes.extend(all.into_iter().map(Change::InsertInvitation));
    changes
}

fn ids(export: &str) -> Vec<String> {
    let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let invitations = lines.filter(|line| line["type"] == "invitation");
    invitations.map(|line| line["id"].as_str().expect("an identifier").to_owned()).collect()
}

async fn stored(store: &dyn Store) -> Vec<Invitation> {
    let ids: Vec<_> = invitations().iter().map(|invitation| invitation.id).collect();
    let found = store.invitations(InvitationKeys::Ids(&ids)).await.expect("a read");
    let mut found: Vec<_> = found.into_iter().map(|found| found.expect("readable")).collect();
    found.sort_by_key(|invitation| invitation.id);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_have_the_same_bytes_on_both_stores() {
    let place = Workplace::new();
    let source = place.sqlite("a.db", &data()).await;
    for (name, scope, count) in [("all", &[][..], 6), ("acme", &["--tenant", "acme"][..], 5)] {
        let export: Vec<_> = ["export"].iter().chain(scope).copied().collect();
        let first = place.succeed(&source, &export);
        assert_eq!(ids(&first).len(), count, "{first}");
        let file = format!("{name}.ndjson");
        place.write(&file, &first);
        let fresh = FreshDatabase::new().await;
        for database in [format!("sqlite://{name}.db"), fresh.uri.clone()] {
            place.succeed(&database, &["import", &file]);
            assert!(place.succeed(&database, &export) == first, "{database} {name}");
        }
        if name == "acme" {
            // No message is queued in the copy, because the outbox stays behind.
            let copied = Invitation { mail: MailStatus::None, ..invitations().remove(0) };
            let sqlite = SqliteStore::open(&place.path().join("acme.db"), None).expect("a store");
            for store in [&sqlite as &dyn Store, &fresh.prepared().await] {
                let found = stored(store).await;
                assert_eq!((&found[0], &found[1..]), (&copied, &invitations()[1..]));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inviter_who_exists_is_the_inviter_of_the_copy() {
    let place = Workplace::new();
    let source = place.sqlite("a.db", &data()).await;
    place.succeed(&source, &["export", "--tenant", "acme", "--output", "acme.ndjson"]);
    let ada = user(900, "ada", &[(9, TenantRole::Member, MembershipSource::Direct)]);
    let present = [Change::InsertTenant(tenant(9, "present")), Change::InsertUser(ada)];
    let fresh = FreshDatabase::new().await;
    let mongo = fresh.prepared().await;
    mongo.commit(&present).await.expect("committed");
    let sqlite = place.sqlite("b.db", &present).await;
    for database in [&sqlite, &fresh.uri] {
        place.succeed(database, &["import", "acme.ndjson"]);
    }
    let mut expected = invitations();
    (expected[0].invited_by, expected[0].mail) = (user_id(900), MailStatus::None);
    expected[2].accepted_by = Some(user_id(900));
    // The database does not have the platform admin, so nothing else can stand for that user.
    assert_eq!(expected[1].invited_by, user_id(PLATFORM_ADMIN));
    let sqlite = SqliteStore::open(&place.path().join("b.db"), None).expect("a store");
    for store in [&sqlite as &dyn Store, &mongo] {
        assert_eq!(stored(store).await, expected);
    }
}
