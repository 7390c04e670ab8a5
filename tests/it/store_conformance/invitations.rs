//! Invitations: lookups, pages in every state, counts, the conditions of their changes, and races.

use std::sync::Arc;

use tenantry::{
    domain::{
        change::{Change, UniqueField},
        id::{InvitationId, TenantId},
        invitation::{Invitation, InvitationStatus, MailStatus},
        list::{Direction, InvitationListing, PageEdge, PageRequest, Position, SortKey},
        time::Timestamp,
        user::TenantRole,
    },
    store::{CommitError, InvitationKeys, Store},
};

use super::{
    assert_commit_fails, for_each_store, is_stale, must_commit,
    pagination::{assert_pages, assert_stable, in_order},
    readable_sorted,
};
use crate::support::entities::{id, tenant, time};

for_each_store!(
    invitation_is_read_back,
    invitations_are_looked_up,
    invitations_are_paged_in_every_state,
    invitation_paging_is_stable_under_inserts,
    address_has_one_pending_invitation,
    outdated_invitation_is_stale,
    mail_belongs_to_a_generation,
    pending_invitations_are_limited,
    deleted_tenant_has_no_invitations,
    one_of_many_updates_wins,
    one_of_many_inserts_of_an_address_wins,
);

/// Returns the n-th invitation, of the first tenant.
fn invitation(n: u32) -> Invitation {
    Invitation {
        id: id(n),
        tenant_id: id(1),
        email: format!("p{n}@example.org"),
        role: TenantRole::Admin,
        status: InvitationStatus::Pending,
        mail: MailStatus::None,
        generation: 1,
        invited_by: id(7),
        accepted_by: None,
        accepted_at: None,
        expires_at: time(1_000),
        version: 1,
        created_at: time(n.into()),
    }
}

fn inserts(invitations: impl IntoIterator<Item = Invitation>) -> Vec<Change> {
    invitations.into_iter().map(Change::InsertInvitation).collect()
}

async fn find(store: &dyn Store, keys: InvitationKeys<'_>) -> Vec<Invitation> {
    let found = store.invitations(keys).await.expect("read succeeds");
    readable_sorted(found, |invitation| invitation.id)
}

async fn invitation_is_read_back(store: Arc<dyn Store>) {
    let full = Invitation {
        email: "k\u{131}m@xn--bcher-kva.example".to_owned(),
        role: TenantRole::Owner,
        status: InvitationStatus::Accepted,
        mail: MailStatus::Failed,
        generation: i32::MAX,
        accepted_by: Some(id(8)),
        accepted_at: Some(time(9)),
        version: 3,
        ..invitation(1)
    };
    must_commit(&*store, inserts([full.clone(), invitation(2)])).await;
    let ids: Vec<InvitationId> = vec![id(1), id(2)];
    assert_eq!(find(&*store, InvitationKeys::Ids(&ids)).await, [full.clone(), invitation(2)]);
    let renewed = Invitation { version: 4, generation: i32::MIN, ..invitation(1) };
    let update = Change::UpdateInvitation { expected: 3, invitation: renewed.clone() };
    must_commit(&*store, [update]).await;
    assert_eq!(find(&*store, InvitationKeys::Ids(&ids)).await, [renewed, invitation(2)]);
}

async fn invitations_are_looked_up(store: Arc<dyn Store>) {
    let revoked = Invitation { status: InvitationStatus::Revoked, ..invitation(1) };
    let again = Invitation { email: revoked.email.clone(), ..invitation(2) };
    let other = Invitation { tenant_id: id(2), email: revoked.email.clone(), ..invitation(3) };
    must_commit(&*store, inserts([revoked, again.clone(), other])).await;
    let pending = InvitationKeys::Pending(id(1), &again.email);
    assert_eq!(find(&*store, pending).await, std::slice::from_ref(&again));
    for (tenant, email) in [(3, "p1@example.org"), (1, "P1@example.org"), (1, "p1@example.or")] {
        assert_eq!(find(&*store, InvitationKeys::Pending(id(tenant), email)).await, []);
    }
    assert_eq!(find(&*store, InvitationKeys::Ids(&[id(9)])).await, []);
    assert_eq!(find(&*store, InvitationKeys::Ids(&[])).await, []);
}

fn position(invitation: &Invitation) -> Position {
    Position { key: SortKey::Time(invitation.created_at), id: invitation.id.raw }
}

/// Returns twelve invitations in all states, with ties in the time of creation.
fn twelve() -> Vec<Invitation> {
    use InvitationStatus::{Accepted, Expired, Pending, Revoked};
    let make = |n: u32| Invitation {
        status: [Pending, Accepted, Revoked, Expired][(n % 4) as usize],
        expires_at: time(if n < 6 { 100 } else { 200 }),
        created_at: time((n / 3).into()),
        ..invitation(n)
    };
    (0..12).map(make).collect()
}

fn listing(status: &[InvitationStatus], now: Timestamp) -> InvitationListing {
    InvitationListing { tenant: id(1), status: status.to_vec(), now }
}

async fn invitations_are_paged_in_every_state(store: Arc<dyn Store>) {
    use InvitationStatus::{Accepted, Expired, Pending, Revoked};
    let other = |n: u32| Invitation { tenant_id: id(2), ..invitation(n) };
    must_commit(&*store, inserts(twelve())).await;
    must_commit(&*store, inserts((50..60).map(other))).await;
    for status in [
        &[][..],
        &[Pending],
        &[Expired],
        &[Accepted],
        &[Pending, Expired],
        &[Expired, Revoked],
        &[Pending, Accepted, Revoked, Expired],
    ] {
        // The first three pending ones expire at 100, the others at 200.
        for now in [99, 100, 200] {
            let now = time(now);
            let matches =
                |found: &Invitation| status.is_empty() || status.contains(&found.status_at(now));
            let all = in_order(twelve().into_iter().filter(matches), Direction::Desc, position);
            let listing = listing(status, now);
            let read = async |page: &PageRequest| {
                store.invitation_page(&listing, page).await.expect("read succeeds")
            };
            assert_pages(&all, Direction::Desc, read).await;
            let count = store.count_invitations(&listing).await.expect("count succeeds");
            assert_eq!(count, all.len() as u64, "{listing:?}");
        }
    }
}

async fn invitation_paging_is_stable_under_inserts(store: Arc<dyn Store>) {
    for edge in [PageEdge::First, PageEdge::Last] {
        let tenant: TenantId = if edge == PageEdge::First { id(1) } else { id(2) };
        let base = if edge == PageEdge::First { 0 } else { 1_000 };
        let make = |n: u32, created: u32| Invitation {
            tenant_id: tenant,
            created_at: time(created.into()),
            ..invitation(base + n)
        };
        let initial: Vec<_> = (0..9).map(|n| make(n, 10 * n)).collect();
        must_commit(&*store, inserts(initial.clone())).await;
        let initial = in_order(initial, Direction::Desc, position);
        let listing = InvitationListing { tenant, status: Vec::new(), now: time(1) };
        let read = async |page: &PageRequest| {
            store.invitation_page(&listing, page).await.expect("read succeeds")
        };
        let insert = async |page: u32| {
            let new = [0, 25, 55, 99].map(|created| make(100 + 10 * page + created / 20, created));
            // A walk never ends while inserts continue ahead of it.
            if page <= 3 {
                must_commit(&*store, inserts(new)).await;
            }
        };
        assert_stable(&initial, Direction::Desc, edge, read, insert).await;
    }
}

fn is_email_conflict(error: &CommitError) -> bool {
    matches!(error, CommitError::Conflict(UniqueField::PendingInvitation))
}

async fn address_has_one_pending_invitation(store: Arc<dyn Store>) {
    let email = || "p1@example.org".to_owned();
    must_commit(&*store, inserts([invitation(1), invitation(2)])).await;
    let same = Invitation { email: email(), ..invitation(3) };
    let insert = Change::InsertInvitation(same.clone());
    assert_commit_fails(&*store, std::slice::from_ref(&insert), is_email_conflict).await;
    // An expired one cannot become pending beside the first one.
    let expired = Invitation { email: email(), status: InvitationStatus::Expired, ..invitation(5) };
    must_commit(&*store, inserts([expired.clone()])).await;
    let renewed = Invitation { status: InvitationStatus::Pending, version: 2, ..expired };
    let update = Change::UpdateInvitation { expected: 1, invitation: renewed };
    assert_commit_fails(&*store, &[update], is_email_conflict).await;
    let elsewhere = Invitation { tenant_id: id(2), ..same.clone() };
    must_commit(&*store, inserts([Invitation { id: id(4), ..elsewhere }])).await;
    // A commit can store that the first one has expired, and then insert another one.
    let lapsed = Invitation { status: InvitationStatus::Expired, ..invitation(1) };
    let lapse = Change::UpdateInvitation { expected: 1, invitation: lapsed.clone() };
    must_commit(&*store, [lapse, insert]).await;
    let pending = InvitationKeys::Pending(id(1), &lapsed.email);
    assert_eq!(find(&*store, pending).await, [same]);
}

async fn outdated_invitation_is_stale(store: Arc<dyn Store>) {
    must_commit(&*store, inserts([invitation(1)])).await;
    for (n, expected) in [(1, 0), (1, 2), (2, 1)] {
        let invitation = Invitation { version: expected + 1, ..invitation(n) };
        let update = Change::UpdateInvitation { expected, invitation };
        assert_commit_fails(&*store, &[update], is_stale).await;
    }
    assert_eq!(find(&*store, InvitationKeys::Ids(&[id(1)])).await, [invitation(1)]);
}

async fn mail_belongs_to_a_generation(store: Arc<dyn Store>) {
    must_commit(&*store, inserts([invitation(1)])).await;
    let set = |generation, mail| Change::SetInvitationMail { id: id(1), generation, mail };
    // A result of another generation, or of an absent invitation, changes nothing.
    let absent = Change::SetInvitationMail { id: id(9), generation: 1, mail: MailStatus::Sent };
    must_commit(&*store, [set(2, MailStatus::Failed), absent]).await;
    assert_eq!(find(&*store, InvitationKeys::Ids(&[id(1)])).await, [invitation(1)]);
    must_commit(&*store, [set(1, MailStatus::Sent)]).await;
    let sent = Invitation { mail: MailStatus::Sent, ..invitation(1) };
    assert_eq!(find(&*store, InvitationKeys::Ids(&[id(1)])).await, std::slice::from_ref(&sent));
    // A change that was decided before the result does not undo it. One of a new generation may.
    let revoked = Invitation { status: InvitationStatus::Revoked, version: 2, ..invitation(1) };
    let update = |invitation| Change::UpdateInvitation { expected: 1, invitation };
    assert_commit_fails(&*store, &[update(revoked)], is_stale).await;
    let renewed =
        Invitation { generation: 2, mail: MailStatus::Queued, version: 2, ..invitation(1) };
    must_commit(&*store, [update(renewed.clone())]).await;
    assert_eq!(find(&*store, InvitationKeys::Ids(&[id(1)])).await, [renewed]);
}

async fn pending_invitations_are_limited(store: Arc<dyn Store>) {
    must_commit(&*store, [Change::InsertTenant(tenant(1))]).await;
    must_commit(&*store, inserts(twelve())).await;
    // The three pending invitations end at 100, 100 and 200.
    for (at, max, fits) in
        [(99, 3, true), (99, 2, false), (100, 1, true), (100, 0, false), (200, 0, true)]
    {
        let limit = Change::LimitPendingInvitations { tenant: id(1), at: time(at), max };
        match store.commit(&[limit]).await {
            Ok(()) => assert!(fits, "{at} {max}"),
            Err(error) => assert!(!fits && is_stale(&error), "{at} {max}: {error:?}"),
        }
    }
}

async fn deleted_tenant_has_no_invitations(store: Arc<dyn Store>) {
    must_commit(&*store, [1, 2].map(tenant).map(Change::InsertTenant)).await;
    let other = Invitation { tenant_id: id(2), ..invitation(50) };
    must_commit(&*store, inserts(twelve().into_iter().chain([other.clone()]))).await;
    let delete = Change::DeleteTenant { id: id(1), expected: 1, at: time(1), watermark: time(2) };
    must_commit(&*store, [delete]).await;
    let ids: Vec<InvitationId> = (0..12).chain([50]).map(id).collect();
    assert_eq!(find(&*store, InvitationKeys::Ids(&ids)).await, [other]);
    let count = store.count_invitations(&listing(&[], time(0))).await.expect("count succeeds");
    assert_eq!(count, 0);
}

/// Commits all at once, and returns the number of those that succeed.
async fn race(
    store: &Arc<dyn Store>,
    commits: Vec<Change>,
    is_expected: fn(&CommitError) -> bool,
) -> usize {
    let commit = |change| {
        let store = store.clone();
        tokio::spawn(async move { store.commit(&[change]).await })
    };
    let running: Vec<_> = commits.into_iter().map(commit).collect();
    let mut won = 0;
    for commit in running {
        match commit.await.expect("a result") {
            Ok(()) => won += 1,
            Err(error) => assert!(is_expected(&error), "{error:?}"),
        }
    }
    won
}

async fn one_of_many_updates_wins(store: Arc<dyn Store>) {
    must_commit(&*store, inserts([invitation(1)])).await;
    let accept = |n: u32| {
        let status = InvitationStatus::Accepted;
        let invitation =
            Invitation { status, accepted_by: Some(id(n)), version: 2, ..invitation(1) };
        Change::UpdateInvitation { expected: 1, invitation }
    };
    assert_eq!(race(&store, (0..16).map(accept).collect(), is_stale).await, 1);
}

async fn one_of_many_inserts_of_an_address_wins(store: Arc<dyn Store>) {
    let email = || "new@example.org".to_owned();
    let invite = |n| Change::InsertInvitation(Invitation { email: email(), ..invitation(n) });
    assert_eq!(race(&store, (0..16).map(invite).collect(), is_email_conflict).await, 1);
}
