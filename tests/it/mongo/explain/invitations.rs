//! Invitations and the outbox.

use tenantry::{
    domain::{
        change::{Change, UserVersion},
        invitation::{Invitation, InvitationStatus, MailStatus},
        list::InvitationListing,
        outbox::{LeaseResult, OutboxLease, OutboxMessage, OutboxTopic},
        user::TenantRole,
    },
    store::{InvitationKeys, Store},
};

use super::{writes::assert_indexed_commands, *};

const INVITATIONS: u32 = 900;
/// The number of tenants that have invitations.
const INVITING: u32 = 3;
/// The number of invitations of each of these tenants.
const OF_TENANT: i32 = 300;

fn invitation(n: u32) -> Invitation {
    use InvitationStatus::{Accepted, Expired, Pending, Revoked};
    Invitation {
        id: id(n),
        tenant_id: id(n % INVITING),
        email: format!("p{n}@example.org"),
        role: TenantRole::Member,
        status: [Pending, Accepted, Revoked, Expired, Pending][(n % 5) as usize],
        mail: MailStatus::Queued,
        generation: 1,
        invited_by: id(1),
        accepted_by: None,
        accepted_at: None,
        expires_at: time(if n.is_multiple_of(10) { 10 } else { 1_000 }),
        version: 1,
        created_at: time((n / 2).into()),
    }
}

fn message(n: u32) -> OutboxMessage {
    let subject = (raw_id(n), 1);
    OutboxMessage::new(raw_id(n), OutboxTopic::InvitationMail, subject, time(n.into()))
}

/// Creates a database with many invitations and messages.
async fn filled_with_invitations() -> FreshDatabase {
    let fresh = filled().await;
    let store = fresh.store().await;
    let invitations: Vec<_> = (0..INVITATIONS).map(invitation).collect();
    let inserts: Vec<_> = invitations.into_iter().map(Change::InsertInvitation).collect();
    store.commit(&inserts).await.expect("committed");
    let inserts: Vec<_> = (0..300).map(message).map(Change::InsertOutboxMessage).collect();
    store.commit(&inserts).await.expect("committed");
    profiled(&fresh).await;
    fresh
}

#[tokio::test]
async fn invitation_lookups_use_indexes() {
    let fresh = filled_with_invitations().await;
    let store = fresh.store().await;
    let ids: Vec<_> = (0..40).map(id).collect();
    let email = invitation(5).email;
    for keys in [InvitationKeys::Ids(&ids), InvitationKeys::Pending(id(2), &email)] {
        assert!(!store.invitations(keys).await.expect("read succeeds").is_empty());
        let query = format!("{keys:?}");
        let command = assert_one_indexed_command(&fresh, &query, Sorting::Never).await;
        assert!(command.get_i32("docsExamined").expect("a number") <= 40, "{command}");
    }
}

#[tokio::test]
async fn invitation_lists_use_indexes() {
    use InvitationStatus::{Accepted, Expired, Pending, Revoked};
    let fresh = filled_with_invitations().await;
    let store = fresh.store().await;
    for status in [
        &[][..],
        &[Pending],
        &[Expired],
        &[Accepted],
        &[Pending, Expired],
        &[Accepted, Revoked, Expired],
    ] {
        let sorting = match status {
            [] => Sorting::Never,
            _ => Sorting::InvitationsOfStatus,
        };
        let listing = InvitationListing { tenant: id(1), status: status.to_vec(), now: time(100) };
        for page_request in page_requests(|n| SortKey::Time(time(n.into()))) {
            store.invitation_page(&listing, &page_request).await.expect("read succeeds");
            let query = format!("{listing:?} {page_request:?}");
            let command = assert_one_indexed_command(&fresh, &query, sorting).await;
            let examined = command.get_i32("docsExamined").expect("a number");
            assert!(examined <= OF_TENANT, "{query}: {examined} documents: {command}");
        }
        let count = store.count_invitations(&listing).await.expect("count succeeds");
        assert!(count > 0);
        let query = format!("count {listing:?}");
        let command = assert_one_indexed_command(&fresh, &query, Sorting::Never).await;
        let examined = command.get_i32("docsExamined").unwrap_or_default();
        assert!(examined <= OF_TENANT, "{command}");
    }
}

#[tokio::test]
async fn changes_of_invitations_examine_only_their_documents() {
    let fresh = filled_with_invitations().await;
    let store = fresh.store().await;
    let lock = Change::LockTenant { id: id(4), expected: 1 };
    let updated = Invitation { version: 2, ..invitation(3) };
    let expected = UserVersion { version: 1, groups_as_of: None };
    for (change, max) in [
        (Change::InsertInvitation(invitation(INVITATIONS)), 1),
        (Change::UpdateInvitation { expected: 1, invitation: updated }, 1),
        (Change::SetInvitationMail { id: id(4), generation: 1, mail: MailStatus::Sent }, 1),
        (Change::LockUser { id: id(3), expected }, 1),
        (Change::InsertOutboxMessage(message(300)), 1),
        (Change::LimitPendingInvitations { tenant: id(1), at: time(100), max: 500 }, 120),
    ] {
        let query = format!("{change:?}");
        let result = store.commit(&[change, lock.clone()]).await;
        result.unwrap_or_else(|error| panic!("{query}: {error}"));
        let inserts = query.starts_with("Insert");
        assert_indexed_commands(&fresh, &query, if inserts { 1 } else { 2 }, max).await;
    }
}

/// A poll reads the next message only, however many there are.
#[tokio::test]
async fn outbox_polls_examine_one_message() {
    let fresh = filled_with_invitations().await;
    let store = fresh.store().await;
    let mut held = Vec::new();
    for n in 0..5 {
        let lease = OutboxLease { id: raw_id(1_000 + n), now: time(200) };
        let leased = store.lease_outbox_message(&lease).await.expect("a lease");
        assert!(matches!(leased, LeaseResult::Leased(_)), "{leased:?}");
        assert_indexed_commands(&fresh, "lease", 1, 1).await;
        held.push(lease.id);
    }
    let [first, second, ..] = held[..] else { panic!("five leases") };
    for change in [
        Change::PostponeOutboxMessage { id: raw_id(0), lease: first, due_at: time(900) },
        Change::RemoveOutboxMessage { id: raw_id(1), lease: second },
    ] {
        store.commit(std::slice::from_ref(&change)).await.expect("committed");
        assert_indexed_commands(&fresh, &format!("{change:?}"), 1, 1).await;
    }
    // Nothing is due: the attempt to lease, and the search for the next message.
    let early = OutboxLease { id: raw_id(2_000), now: time(-1) };
    let idle = store.lease_outbox_message(&early).await.expect("a read");
    assert!(matches!(idle, LeaseResult::Idle(Some(_))), "{idle:?}");
    assert_indexed_commands(&fresh, "poll", 2, 1).await;
}
