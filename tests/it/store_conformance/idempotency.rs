//! Requests that may be sent twice.

use std::{sync::Arc, time::Duration};

use tenantry::{
    domain::{
        change::Change,
        id::{NodeId, ObjectId},
        idempotency::{
            Claim, ClaimResult, CompletedMutation, IdempotencyKeyHash, KEY_TTL, LEASE_TTL,
            RunOutcome,
        },
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

fn key(n: u8) -> IdempotencyKeyHash {
    // Not of text, and not the same at every byte.
    IdempotencyKeyHash(std::array::from_fn(|at| n.wrapping_mul(31).wrapping_sub(at as u8)))
}

fn now() -> Timestamp {
    time(1_000)
}

/// The first request's key, claimed by the n-th run.
fn claim(holder: u32, now: Timestamp) -> Claim {
    Claim { key: key(1), fingerprint: [200; 32], run_id: oid(holder), now }
}

fn before_lease_ends() -> Timestamp {
    Timestamp::from_millis(now().saturating_add(LEASE_TTL).millis() - 1).expect("in range")
}

fn step(ordinal: u32, ids: &[u32]) -> CompletedMutation {
    CompletedMutation {
        root_field_index: ordinal,
        ids: ids.iter().map(|n| NodeId::Tenant(id(*n))).collect(),
    }
}

fn done(holder: u32, step: CompletedMutation) -> Change {
    Change::RecordIdempotentStep { key: key(1), run_id: oid(holder), step }
}

async fn claimed(store: &dyn Store, claim: Claim) -> ClaimResult {
    store.claim_request(&claim).await.expect("an answer")
}

async fn settle(store: &dyn Store, holder: u32, end: RunOutcome) {
    store.complete_request(key(1), oid(holder), &end).await.expect("settled");
}

fn answer(body: &str) -> RunOutcome {
    RunOutcome::Completed(body.to_owned())
}

fn superseded(refused: &CommitError) -> bool {
    matches!(refused, CommitError::Superseded)
}

async fn a_claim_is_kept_until_it_is_answered(store: Arc<dyn Store>) {
    let first = claimed(&*store, claim(1, now())).await;
    assert_eq!(first, ClaimResult::Acquired(Vec::new()));
    for at in [now(), now().saturating_add(MILLISECOND), before_lease_ends()] {
        assert_eq!(claimed(&*store, claim(2, at)).await, ClaimResult::InProgress);
    }
    // Not even an empty answer is none.
    for (n, body) in (1..).zip(["", "{\"data\":{\"a\":\"ß \\u0000 $set\"}}"]) {
        let key = key(n + 10);
        let claim = |holder| Claim { key, ..claim(holder, now()) };
        assert_eq!(claimed(&*store, claim(1)).await, ClaimResult::Acquired(Vec::new()));
        store.complete_request(key, oid(1), &answer(body)).await.expect("settled");
        let late = Claim { now: now().saturating_add(KEY_TTL - MILLISECOND), ..claim(2) };
        for again in [claim(2), late] {
            assert_eq!(claimed(&*store, again).await, ClaimResult::Completed(body.to_owned()));
        }
        // What was answered stays so.
        store.complete_request(key, oid(1), &answer("another")).await.expect("settled");
        store.complete_request(key, oid(1), &RunOutcome::Abandoned).await.expect("settled");
        assert_eq!(claimed(&*store, claim(3)).await, ClaimResult::Completed(body.to_owned()));
        let late = Change::RecordIdempotentStep { key, run_id: oid(1), step: step(0, &[]) };
        assert_refused(&*store, &[late], superseded).await;
    }
}

async fn a_key_is_for_one_request(store: Arc<dyn Store>) {
    let other = |holder, at| Claim { fingerprint: [201; 32], ..claim(holder, at) };
    claimed(&*store, claim(1, now())).await;
    assert_eq!(claimed(&*store, other(2, now())).await, ClaimResult::KeyReused);
    // Not after the lease either, and not once it is answered.
    let late = now().saturating_add(LEASE_TTL);
    assert_eq!(claimed(&*store, other(2, late)).await, ClaimResult::KeyReused);
    settle(&*store, 1, answer("a")).await;
    assert_eq!(claimed(&*store, other(2, now())).await, ClaimResult::KeyReused);
    assert_eq!(claimed(&*store, claim(3, now())).await, ClaimResult::Completed("a".to_owned()));
}

/// All of these claims at once.
async fn at_once(store: &Arc<dyn Store>, claims: impl Iterator<Item = Claim>) -> Vec<ClaimResult> {
    let claim = |claim: Claim| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.claim_request(&claim).await.expect("an answer") })
    };
    let running: Vec<_> = claims.map(claim).collect();
    let mut all = Vec::with_capacity(running.len());
    for one in running {
        all.push(one.await.expect("an answer"));
    }
    all
}

/// One has it, with these steps; all others are told that it is busy.
fn assert_one_has_it(all: &[ClaimResult], steps: &[CompletedMutation]) -> u32 {
    let ours = ClaimResult::Acquired(steps.to_vec());
    let winners: Vec<_> = (0..).zip(all).filter(|(_, one)| **one == ours).collect();
    assert!(all.iter().all(|one| *one == ours || *one == ClaimResult::InProgress), "{all:?}");
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
            let change = Change::RecordIdempotentStep {
                key: key(n),
                run_id: oid(holder),
                step: step(0, &[]),
            };
            let kept = store.commit(&[change]).await;
            assert_eq!(kept.is_ok(), holder == winner, "{holder}: {kept:?}");
        }
    }
}

async fn many_keys_do_not_meet(store: Arc<dyn Store>) {
    let all = at_once(&store, (0..64).map(|n| Claim { key: key(n), ..claim(1, now()) })).await;
    assert!(all.iter().all(|one| *one == ClaimResult::Acquired(Vec::new())), "{all:?}");
}

async fn a_run_is_taken_over_after_its_lease(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    let steps = [step(0, &[1]), step(2, &[2, 3])];
    keep(&*store, steps.clone().map(|step| done(1, step))).await;
    assert_eq!(claimed(&*store, claim(2, before_lease_ends())).await, ClaimResult::InProgress);
    let late = now().saturating_add(LEASE_TTL);
    assert_eq!(claimed(&*store, claim(2, late)).await, ClaimResult::Acquired(steps.to_vec()));
    // The lease is a new one, and so is the time for which it is kept.
    let later = late.saturating_add(LEASE_TTL - MILLISECOND);
    assert_eq!(claimed(&*store, claim(3, later)).await, ClaimResult::InProgress);
    let kept = late.saturating_add(KEY_TTL - MILLISECOND);
    assert_eq!(claimed(&*store, claim(3, kept)).await, ClaimResult::Acquired(steps.to_vec()));
}

async fn one_of_many_takes_it_over(store: Arc<dyn Store>) {
    claimed(&*store, claim(100, now())).await;
    keep(&*store, [done(100, step(0, &[1]))]).await;
    let all = at_once(&store, (0..64).map(|n| claim(n, now().saturating_add(LEASE_TTL)))).await;
    assert_one_has_it(&all, &[step(0, &[1])]);
}

async fn who_was_superseded_changes_nothing(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    claimed(&*store, claim(2, now().saturating_add(LEASE_TTL))).await;
    let late = [Change::InsertTenant(tenant(1)), done(1, step(0, &[1]))];
    assert_refused(&*store, &late, superseded).await;
    assert_refused(&*store, &late[1..], superseded).await;
    assert_eq!(tenant_of(&*store, 1).await, None);
    // It has no say in how it ends, either.
    settle(&*store, 1, answer("late")).await;
    settle(&*store, 1, RunOutcome::Abandoned).await;
    assert_eq!(
        claimed(&*store, claim(3, now().saturating_add(LEASE_TTL))).await,
        ClaimResult::InProgress
    );
    keep(&*store, [Change::InsertTenant(tenant(1)), done(2, step(0, &[1]))]).await;
    settle(&*store, 2, answer("in time")).await;
    let answered = claimed(&*store, claim(3, now().saturating_add(LEASE_TTL))).await;
    assert_eq!(answered, ClaimResult::Completed("in time".to_owned()));
    // A key that nobody claimed is nobody's.
    let unknown = Change::RecordIdempotentStep { key: key(99), run_id: oid(1), step: step(0, &[]) };
    assert_refused(&*store, &[unknown], superseded).await;
    store.complete_request(key(99), oid(1), &answer("a")).await.expect("settled");
    let free = Claim { key: key(99), ..claim(5, now()) };
    assert_eq!(claimed(&*store, free).await, ClaimResult::Acquired(Vec::new()));
}

async fn what_was_done_is_as_it_was(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    let of_all_kinds = CompletedMutation {
        root_field_index: u32::MAX,
        ids: vec![
            NodeId::User(id(1)),
            NodeId::Tenant(id(2)),
            NodeId::Subscription(id(3)),
            NodeId::AuditEvent(id(4)),
        ],
    };
    let steps = [of_all_kinds, step(0, &[]), step(7, &[1, 1])];
    for (n, step) in (1..).zip(steps.clone()) {
        keep(&*store, [done(1, step), Change::InsertAuditEvent(event(n))]).await;
    }
    let next = claimed(&*store, claim(2, now().saturating_add(LEASE_TTL))).await;
    assert_eq!(next, ClaimResult::Acquired(steps.to_vec()));
}

async fn a_release_without_steps_leaves_nothing(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    settle(&*store, 1, RunOutcome::Abandoned).await;
    // Nothing: so another request may have the key.
    let other = Claim { fingerprint: [7; 32], ..claim(2, now()) };
    assert_eq!(claimed(&*store, other).await, ClaimResult::Acquired(Vec::new()));
}

async fn a_release_with_steps_lets_the_next_go_on(store: Arc<dyn Store>) {
    claimed(&*store, claim(1, now())).await;
    keep(&*store, [done(1, step(0, &[5]))]).await;
    settle(&*store, 1, RunOutcome::Abandoned).await;
    assert_refused(&*store, &[Change::RequireOwner(id(1)), done(9, step(1, &[]))], superseded)
        .await;
    let other = Claim { fingerprint: [7; 32], ..claim(2, now()) };
    assert_eq!(claimed(&*store, other).await, ClaimResult::KeyReused);
    assert_eq!(claimed(&*store, claim(2, now())).await, ClaimResult::Acquired(vec![step(0, &[5])]));
    assert_eq!(claimed(&*store, claim(3, now())).await, ClaimResult::InProgress);
    // Who lets go has let go.
    assert_refused(&*store, &[done(1, step(1, &[]))], superseded).await;
}

async fn what_is_old_is_not_there(store: Arc<dyn Store>) {
    let old = now().saturating_add(KEY_TTL);
    for (n, end) in (50..).zip([None, Some(answer("a")), Some(RunOutcome::Abandoned)]) {
        let claim = |holder, at| Claim { key: key(n), ..claim(holder, at) };
        claimed(&*store, claim(1, now())).await;
        let change =
            Change::RecordIdempotentStep { key: key(n), run_id: oid(1), step: step(0, &[1]) };
        keep(&*store, [change.clone()]).await;
        if let Some(end) = &end {
            store.complete_request(key(n), oid(1), end).await.expect("settled");
        }
        // For another request, too: nothing of it is left.
        let other = Claim { fingerprint: [9; 32], ..claim(2, old) };
        assert_eq!(claimed(&*store, other).await, ClaimResult::Acquired(Vec::new()), "{end:?}");
        assert_refused(&*store, &[change], superseded).await;
        let next = Claim { fingerprint: [9; 32], ..claim(3, old.saturating_add(LEASE_TTL)) };
        assert_eq!(claimed(&*store, next).await, ClaimResult::Acquired(Vec::new()), "{end:?}");
    }
}

/// A claim sweeps up what is old, and nothing else.
async fn others_are_left_alone(store: Arc<dyn Store>) {
    for n in 0..40 {
        let old = Claim { key: key(n), ..claim(1, now()) };
        assert_eq!(claimed(&*store, old).await, ClaimResult::Acquired(Vec::new()));
    }
    let at = now().saturating_add(KEY_TTL - MILLISECOND);
    let young = |holder| Claim { key: key(100), ..claim(holder, at) };
    assert_eq!(claimed(&*store, young(1)).await, ClaimResult::Acquired(Vec::new()));
    // One moment later all the others are old, and a few claims sweep them up.
    for n in 101..110 {
        let next = Claim { key: key(n), ..claim(1, at.saturating_add(MILLISECOND)) };
        assert_eq!(claimed(&*store, next).await, ClaimResult::Acquired(Vec::new()));
    }
    assert_eq!(claimed(&*store, young(2)).await, ClaimResult::InProgress);
    let holds = |holder: ObjectId, n| Change::RecordIdempotentStep {
        key: key(n),
        run_id: holder,
        step: step(0, &[]),
    };
    keep(&*store, [holds(oid(1), 100)]).await;
    for n in 0..40 {
        assert_refused(&*store, &[holds(oid(1), n)], superseded).await;
    }
}
