//! Requests that may be sent twice.

use std::{sync::Arc, time::Duration};

use tenantry::{
    domain::{
        change::Change,
        id::{NodeId, ObjectId},
        request::{Claim, Claimed, KEPT, LEASE, RequestKey, Settlement, Step},
        time::Timestamp,
    },
    store::{CommitError, Store},
};

use super::{assert_refused, for_every_store, keep, tenant_of};
use crate::support::entities::{event, id, oid, tenant, time};

for_every_store!(
    a_claim_is_kept_until_it_is_answered,
    a_key_is_for_one_request,
    one_of_many_has_it,
    many_keys_do_not_meet,
    a_run_is_taken_over_after_its_lease,
    one_of_many_takes_it_over,
    who_was_superseded_changes_nothing,
    what_was_done_is_as_it_was,
    a_release_without_steps_leaves_nothing,
    a_release_with_steps_lets_the_next_go_on,
    what_is_old_is_not_there,
    others_are_left_alone,
);

const MILLISECOND: Duration = Duration::from_millis(1);

fn key(n: u8) -> RequestKey {
    // Not of text, and not the same at every byte.
    RequestKey(std::array::from_fn(|at| n.wrapping_mul(31).wrapping_sub(at as u8)))
}

fn now() -> Timestamp {
    time(1_000)
}

/// The first request's key, claimed by the n-th run.
fn claim(holder: u32, now: Timestamp) -> Claim {
    Claim { key: key(1), fingerprint: [200; 32], holder: oid(holder), now }
}

fn before_lease_ends() -> Timestamp {
    Timestamp::from_millis(now().plus(LEASE).millis() - 1).expect("in range")
}

fn step(ordinal: u32, ids: &[u32]) -> Step {
    Step { ordinal, ids: ids.iter().map(|n| NodeId::Tenant(id(*n))).collect() }
}

fn done(holder: u32, step: Step) -> Change {
    Change::Done { key: key(1), holder: oid(holder), step }
}

async fn claimed(store: &dyn Store, claim: Claim) -> Claimed {
    store.claim(&claim).await.expect("an answer")
}

async fn settle(store: &dyn Store, holder: u32, end: Settlement) {
    store.settle(key(1), oid(holder), &end).await.expect("settled");
}

fn answer(body: &str) -> Settlement {
    Settlement::Answered(body.to_owned())
}

fn superseded(refused: &CommitError) -> bool {
    matches!(refused, CommitError::Superseded)
}

async fn a_claim_is_kept_until_it_is_answered(store: Arc<dyn Store>) {
    let first = claimed(&*store, claim(1, now())).await;
    assert_eq!(first, Claimed::Ours(Vec::new()));
    for at in [now(), now().plus(MILLISECOND), before_lease_ends()] {
        assert_eq!(claimed(&*store, claim(2, at)).await, Claimed::Busy);
    }
    // Not even an empty answer is none.
    for (n, body) in (1..).zip(["", "{\"data\":{\"a\":\"ß \\u0000 $set\"}}"]) {
        let key = key(n + 10);
        let claim = |holder| Claim { key, ..claim(holder, now()) };
        assert_eq!(claimed(&*store, claim(1)).await, Claimed::Ours(Vec::new()));
        store.settle(key, oid(1), &answer(body)).await.expect("settled");
        let late = Claim { now: now().plus(KEPT - MILLISECOND), ..claim(2) };
        for again in [claim(2), late] {
            assert_eq!(claimed(&*store, again).await, Claimed::Answered(body.to_owned()));
        }
        // What was answered stays so.
        store.settle(key, oid(1), &answer("another")).await.expect("settled");
        store.settle(key, oid(1), &Settlement::Released).await.expect("settled");
        assert_eq!(claimed(&*store, claim(3)).await, Claimed::Answered(body.to_owned()));
        let late = Change::Done { key, holder: oid(1), step: step(0, &[]) };
        assert_refused(&*store, &[late], superseded).await;
    }
}

async fn a_key_is_for_one_request(store: Arc<dyn Store>) {
    let other = |holder, at| Claim { fingerprint: [201; 32], ..claim(holder, at) };
    claimed(&*store, claim(1, now())).await;
    assert_eq!(claimed(&*store, other(2, now())).await, Claimed::Mismatch);
    // Not after the lease either, and not once it is answered.
    let late = now().plus(LEASE);
    assert_eq!(claimed(&*store, other(2, late)).await, Claimed::Mismatch);
    settle(&*store, 1, answer("a")).await;
    assert_eq!(claimed(&*store, other(2, now())).await, Claimed::Mismatch);
    assert_eq!(claimed(&*store, claim(3, now())).await, Claimed::Answered("a".to_owned()));
}

/// All of these claims at once.
async fn at_once(store: &Arc<dyn Store>, claims: impl Iterator<Item = Claim>) -> Vec<Claimed> {
    let claim = |claim: Claim| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.claim(&claim).await.expect("an answer") })
    };
    let running: Vec<_> = claims.map(claim).collect();
    let mut all = Vec::with_capacity(running.len());
    for one in running {
        all.push(one.await.expect("an answer"));
    }
    all
}

/// One has it, with these steps; all others are told that it is busy.
fn assert_one_has_it(all: &[Claimed], steps: &[Step]) -> u32 {
    let ours = Claimed::Ours(steps.to_vec());
    let winners: Vec<_> = (0..).zip(all).filter(|(_, one)| **one == ours).collect();
    assert!(all.iter().all(|one| *one == ours || *one == Claimed::Busy), "{all:?}");
    let [(winner, _)] = winners[..] else { panic!("{} have it", winners.len()) };
    winner
}

async fn one_of_many_has_it(store: Arc<dyn Store>) {
    for n in 20..25 {
        let claims = (0..64).map(|holder| Claim { key: key(n), ..claim(holder, now()) });
        let all = at_once(&store, claims).await;
        let winner = assert_one_has_it(&all, &[]);
        // And nobody else works on it.
        for holder in 0..64 {
            let change = Change::Done { key: key(n), holder: oid(holder), step: step(0, &[]) };
            let kept = store.commit(&[change]).await;
            assert_eq!(kept.is_ok(), holder == winner, "{holder}: {kept:?}");
        }
    }
}

async fn many_keys_do_not_meet(store: Arc<dyn Store>) {
    let all = at_once(&store, (0..64).map(|n| Claim { key: key(n), ..claim(1, now()) })).await;
    assert!(all.iter().all(|one| *one == Claimed::Ours(Vec::new())), "{all:?}");
}

async fn a_run_is_taken_over_after_its_lease(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    let steps = [step(0, &[1]), step(2, &[2, 3])];
    keep(&*store, steps.clone().map(|step| done(1, step))).await;
    assert_eq!(claimed(&*store, claim(2, before_lease_ends())).await, Claimed::Busy);
    let late = now().plus(LEASE);
    assert_eq!(claimed(&*store, claim(2, late)).await, Claimed::Ours(steps.to_vec()));
    // The lease is a new one, and so is the time for which it is kept.
    let later = late.plus(LEASE - MILLISECOND);
    assert_eq!(claimed(&*store, claim(3, later)).await, Claimed::Busy);
    let kept = late.plus(KEPT - MILLISECOND);
    assert_eq!(claimed(&*store, claim(3, kept)).await, Claimed::Ours(steps.to_vec()));
}

async fn one_of_many_takes_it_over(store: Arc<dyn Store>) {
    claimed(&*store, claim(100, now())).await;
    keep(&*store, [done(100, step(0, &[1]))]).await;
    let all = at_once(&store, (0..64).map(|n| claim(n, now().plus(LEASE)))).await;
    assert_one_has_it(&all, &[step(0, &[1])]);
}

async fn who_was_superseded_changes_nothing(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    claimed(&*store, claim(2, now().plus(LEASE))).await;
    let late = [Change::InsertTenant(tenant(1)), done(1, step(0, &[1]))];
    assert_refused(&*store, &late, superseded).await;
    assert_refused(&*store, &late[1..], superseded).await;
    assert_eq!(tenant_of(&*store, 1).await, None);
    // It has no say in how it ends, either.
    settle(&*store, 1, answer("late")).await;
    settle(&*store, 1, Settlement::Released).await;
    assert_eq!(claimed(&*store, claim(3, now().plus(LEASE))).await, Claimed::Busy);
    keep(&*store, [Change::InsertTenant(tenant(1)), done(2, step(0, &[1]))]).await;
    settle(&*store, 2, answer("in time")).await;
    let answered = claimed(&*store, claim(3, now().plus(LEASE))).await;
    assert_eq!(answered, Claimed::Answered("in time".to_owned()));
    // A key that nobody claimed is nobody's.
    let unknown = Change::Done { key: key(99), holder: oid(1), step: step(0, &[]) };
    assert_refused(&*store, &[unknown], superseded).await;
    store.settle(key(99), oid(1), &answer("a")).await.expect("settled");
    let free = Claim { key: key(99), ..claim(5, now()) };
    assert_eq!(claimed(&*store, free).await, Claimed::Ours(Vec::new()));
}

async fn what_was_done_is_as_it_was(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    let of_all_kinds = Step {
        ordinal: u32::MAX,
        ids: vec![
            NodeId::User(id(1)),
            NodeId::Tenant(id(2)),
            NodeId::Subscription(id(3)),
            NodeId::AuditEvent(id(4)),
        ],
    };
    let steps = [of_all_kinds, step(0, &[]), step(7, &[1, 1])];
    for (n, step) in (1..).zip(steps.clone()) {
        keep(&*store, [done(1, step), Change::Record(event(n))]).await;
    }
    let next = claimed(&*store, claim(2, now().plus(LEASE))).await;
    assert_eq!(next, Claimed::Ours(steps.to_vec()));
}

async fn a_release_without_steps_leaves_nothing(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    settle(&*store, 1, Settlement::Released).await;
    // Nothing: so another request may have the key.
    let other = Claim { fingerprint: [7; 32], ..claim(2, now()) };
    assert_eq!(claimed(&*store, other).await, Claimed::Ours(Vec::new()));
}

async fn a_release_with_steps_lets_the_next_go_on(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    keep(&*store, [done(1, step(0, &[5]))]).await;
    settle(&*store, 1, Settlement::Released).await;
    assert_refused(&*store, &[Change::KeepOwner(id(1)), done(9, step(1, &[]))], superseded).await;
    let other = Claim { fingerprint: [7; 32], ..claim(2, now()) };
    assert_eq!(claimed(&*store, other).await, Claimed::Mismatch);
    assert_eq!(claimed(&*store, claim(2, now())).await, Claimed::Ours(vec![step(0, &[5])]));
    assert_eq!(claimed(&*store, claim(3, now())).await, Claimed::Busy);
    // Who lets go has let go.
    assert_refused(&*store, &[done(1, step(1, &[]))], superseded).await;
}

async fn what_is_old_is_not_there(store: Arc<dyn Store>) {
    let old = now().plus(KEPT);
    for (n, end) in (50..).zip([None, Some(answer("a")), Some(Settlement::Released)]) {
        let claim = |holder, at| Claim { key: key(n), ..claim(holder, at) };
        claimed(&*store, claim(1, now())).await;
        let change = Change::Done { key: key(n), holder: oid(1), step: step(0, &[1]) };
        keep(&*store, [change.clone()]).await;
        if let Some(end) = &end {
            store.settle(key(n), oid(1), end).await.expect("settled");
        }
        // For another request, too: nothing of it is left.
        let other = Claim { fingerprint: [9; 32], ..claim(2, old) };
        assert_eq!(claimed(&*store, other).await, Claimed::Ours(Vec::new()), "{end:?}");
        assert_refused(&*store, &[change], superseded).await;
        let next = Claim { fingerprint: [9; 32], ..claim(3, old.plus(LEASE)) };
        assert_eq!(claimed(&*store, next).await, Claimed::Ours(Vec::new()), "{end:?}");
    }
}

/// A claim sweeps up what is old, and nothing else.
async fn others_are_left_alone(store: Arc<dyn Store>) {
    for n in 0..40 {
        let old = Claim { key: key(n), ..claim(1, now()) };
        assert_eq!(claimed(&*store, old).await, Claimed::Ours(Vec::new()));
    }
    let at = now().plus(KEPT - MILLISECOND);
    let young = |holder| Claim { key: key(100), ..claim(holder, at) };
    assert_eq!(claimed(&*store, young(1)).await, Claimed::Ours(Vec::new()));
    // One moment later all the others are old, and a few claims sweep them up.
    for n in 101..110 {
        let next = Claim { key: key(n), ..claim(1, at.plus(MILLISECOND)) };
        assert_eq!(claimed(&*store, next).await, Claimed::Ours(Vec::new()));
    }
    assert_eq!(claimed(&*store, young(2)).await, Claimed::Busy);
    let holds = |holder: ObjectId, n| Change::Done { key: key(n), holder, step: step(0, &[]) };
    keep(&*store, [holds(oid(1), 100)]).await;
    for n in 0..40 {
        assert_refused(&*store, &[holds(oid(1), n)], superseded).await;
    }
}
