//! Records of idempotent requests: claims, leases, steps, responses and expiry.

use std::{sync::Arc, time::Duration};

use tenantry::{
    domain::{
        change::Change,
        id::{NodeId, ObjectId},
        idempotency::{
            Claim, ClaimResult, CompletedMutation, Heartbeat, IdempotencyKeyHash, KEY_TTL,
            LEASE_TTL, RightsDigest, RunHolder, RunOutcome, StoredResponse,
        },
        time::Timestamp,
    },
    store::{CommitError, Store},
};

use super::{assert_commit_fails, find_tenant, for_each_store, must_commit};
use crate::support::entities::{event, id, oid, tenant, time};

for_each_store!(
    claim_is_held_until_completion,
    key_is_bound_to_one_request,
    concurrent_claims_have_one_winner,
    different_keys_do_not_interfere,
    run_is_taken_over_after_its_lease,
    concurrent_takeovers_have_one_winner,
    superseded_run_changes_nothing,
    recorded_steps_are_read_back_unchanged,
    abandoned_run_without_steps_frees_the_key,
    abandoned_run_with_steps_can_be_resumed,
    expired_records_are_ignored,
    claim_deletes_only_expired_records,
    lost_run_is_taken_over,
    heartbeats_count_for_the_runs_that_they_name,
    record_of_another_user_counts_as_absent,
    record_without_a_user_is_continued_by_the_later_user,
    response_under_other_rights_is_not_returned,
);

const MILLISECOND: Duration = Duration::from_millis(1);

fn key(n: u8) -> IdempotencyKeyHash {
    // The bytes are not valid text, and they differ from each other.
    IdempotencyKeyHash(std::array::from_fn(|index| n.wrapping_mul(31).wrapping_sub(index as u8)))
}

fn now() -> Timestamp {
    time(1_000)
}

/// Returns a claim of the first key by the given run.
fn claim(run: u32, now: Timestamp) -> Claim {
    let (user, rights) = (Some(id(1)), RightsDigest([100; 32]));
    let (key, fingerprint, run_id, process) = (key(1), [200; 32], oid(run), oid(500));
    Claim { key, fingerprint, run_id, process, user, rights, lost_run: None, now }
}

fn before_lease_ends() -> Timestamp {
    Timestamp::from_millis(now().saturating_add(LEASE_TTL).millis() - 1).expect("in range")
}

fn step(root_field_index: u32, ids: &[u32]) -> CompletedMutation {
    CompletedMutation {
        root_field_index,
        ids: ids.iter().map(|n| NodeId::Tenant(id(*n))).collect(),
    }
}

fn record_step(run: u32, step: CompletedMutation) -> Change {
    Change::RecordIdempotentStep { key: key(1), run_id: oid(run), step }
}

async fn claim_request(store: &dyn Store, claim: Claim) -> ClaimResult {
    store.claim_request(&claim).await.expect("claim succeeds")
}

async fn complete_request(store: &dyn Store, run: u32, outcome: RunOutcome) {
    store.complete_request(key(1), oid(run), &outcome).await.expect("completion succeeds");
}

fn completed(body: &str) -> RunOutcome {
    RunOutcome::Completed(StoredResponse { body: body.to_owned(), rights: RightsDigest([100; 32]) })
}

fn in_progress(run: u32) -> ClaimResult {
    ClaimResult::InProgress(RunHolder { run_id: oid(run), process: Some(oid(500)) })
}

fn is_superseded(error: &CommitError) -> bool {
    matches!(error, CommitError::Superseded)
}

async fn claim_is_held_until_completion(store: Arc<dyn Store>) {
    let first = claim_request(&*store, claim(1, now())).await;
    assert_eq!(first, ClaimResult::Acquired(Vec::new()));
    for at in [now(), now().saturating_add(MILLISECOND), before_lease_ends()] {
        assert_eq!(claim_request(&*store, claim(2, at)).await, in_progress(1));
    }
    // An empty response body is a response, too.
    for (n, body) in (1..).zip(["", "{\"data\":{\"a\":\"ß \\u0000 $set\"}}"]) {
        let key = key(n + 10);
        let claim = |run| Claim { key, ..claim(run, now()) };
        assert_eq!(claim_request(&*store, claim(1)).await, ClaimResult::Acquired(Vec::new()));
        store.complete_request(key, oid(1), &completed(body)).await.expect("completion succeeds");
        let late = Claim { now: now().saturating_add(KEY_TTL - MILLISECOND), ..claim(2) };
        for repeated in [claim(2), late] {
            assert_eq!(
                claim_request(&*store, repeated).await,
                ClaimResult::Completed(body.to_owned())
            );
        }
        // A completed request cannot be completed or abandoned again.
        store
            .complete_request(key, oid(1), &completed("another"))
            .await
            .expect("completion succeeds");
        store
            .complete_request(key, oid(1), &RunOutcome::Abandoned)
            .await
            .expect("completion succeeds");
        assert_eq!(claim_request(&*store, claim(3)).await, ClaimResult::Completed(body.to_owned()));
        let late = Change::RecordIdempotentStep { key, run_id: oid(1), step: step(0, &[]) };
        assert_commit_fails(&*store, &[late], is_superseded).await;
    }
}

async fn key_is_bound_to_one_request(store: Arc<dyn Store>) {
    let other = |run, now| Claim { fingerprint: [201; 32], ..claim(run, now) };
    claim_request(&*store, claim(1, now())).await;
    assert_eq!(claim_request(&*store, other(2, now())).await, ClaimResult::KeyReused);
    // The key stays bound after the lease ends and after completion.
    let late = now().saturating_add(LEASE_TTL);
    assert_eq!(claim_request(&*store, other(2, late)).await, ClaimResult::KeyReused);
    complete_request(&*store, 1, completed("a")).await;
    assert_eq!(claim_request(&*store, other(2, now())).await, ClaimResult::KeyReused);
    assert_eq!(
        claim_request(&*store, claim(3, now())).await,
        ClaimResult::Completed("a".to_owned())
    );
}

/// Makes all claims concurrently and returns the results in the order of the claims.
async fn claim_concurrently(
    store: &Arc<dyn Store>,
    claims: impl Iterator<Item = Claim>,
) -> Vec<ClaimResult> {
    let claim = |claim: Claim| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.claim_request(&claim).await.expect("claim succeeds") })
    };
    let tasks: Vec<_> = claims.map(claim).collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("task completes"));
    }
    results
}

/// Asserts that one claim acquired the key with these steps and that all others are in progress.
/// Returns the index of the winner.
fn assert_one_winner(results: &[ClaimResult], steps: &[CompletedMutation]) -> u32 {
    let acquired = ClaimResult::Acquired(steps.to_vec());
    let winners: Vec<_> = (0..).zip(results).filter(|(_, one)| **one == acquired).collect();
    let in_progress = |one: &ClaimResult| matches!(one, ClaimResult::InProgress(_));
    assert!(results.iter().all(|one| *one == acquired || in_progress(one)), "{results:?}");
    let [(winner, _)] = winners[..] else { panic!("{} claims acquired the key", winners.len()) };
    winner
}

async fn concurrent_claims_have_one_winner(store: Arc<dyn Store>) {
    for n in 20..25 {
        let claims = (0..64).map(|run| Claim { key: key(n), ..claim(run, now()) });
        let results = claim_concurrently(&store, claims).await;
        let winner = assert_one_winner(&results, &[]);
        // No other run can record a step.
        for run in 0..64 {
            let change =
                Change::RecordIdempotentStep { key: key(n), run_id: oid(run), step: step(0, &[]) };
            let result = store.commit(&[change]).await;
            assert_eq!(result.is_ok(), run == winner, "{run}: {result:?}");
        }
    }
}

async fn different_keys_do_not_interfere(store: Arc<dyn Store>) {
    let claims = (0..64).map(|n| Claim { key: key(n), ..claim(1, now()) });
    let results = claim_concurrently(&store, claims).await;
    let acquired = ClaimResult::Acquired(Vec::new());
    assert!(results.iter().all(|one| *one == acquired), "{results:?}");
}

async fn run_is_taken_over_after_its_lease(store: Arc<dyn Store>) {
    claim_request(&*store, claim(1, now())).await;
    let steps = [step(0, &[1]), step(2, &[2, 3])];
    must_commit(&*store, steps.clone().map(|step| record_step(1, step))).await;
    assert_eq!(claim_request(&*store, claim(2, before_lease_ends())).await, in_progress(1));
    let late = now().saturating_add(LEASE_TTL);
    assert_eq!(claim_request(&*store, claim(2, late)).await, ClaimResult::Acquired(steps.to_vec()));
    // The takeover starts a new lease and a new time to live.
    let later = late.saturating_add(LEASE_TTL - MILLISECOND);
    assert_eq!(claim_request(&*store, claim(3, later)).await, in_progress(2));
    let before_expiry = late.saturating_add(KEY_TTL - MILLISECOND);
    assert_eq!(
        claim_request(&*store, claim(3, before_expiry)).await,
        ClaimResult::Acquired(steps.to_vec())
    );
}

async fn concurrent_takeovers_have_one_winner(store: Arc<dyn Store>) {
    claim_request(&*store, claim(100, now())).await;
    must_commit(&*store, [record_step(100, step(0, &[1]))]).await;
    let claims = (0..64).map(|run| claim(run, now().saturating_add(LEASE_TTL)));
    let results = claim_concurrently(&store, claims).await;
    assert_one_winner(&results, &[step(0, &[1])]);
}

async fn superseded_run_changes_nothing(store: Arc<dyn Store>) {
    claim_request(&*store, claim(1, now())).await;
    claim_request(&*store, claim(2, now().saturating_add(LEASE_TTL))).await;
    let late = [Change::InsertTenant(tenant(1)), record_step(1, step(0, &[1]))];
    assert_commit_fails(&*store, &late, is_superseded).await;
    assert_commit_fails(&*store, &late[1..], is_superseded).await;
    assert_eq!(find_tenant(&*store, 1).await, None);
    // A superseded run cannot complete or abandon the request, either.
    complete_request(&*store, 1, completed("late")).await;
    complete_request(&*store, 1, RunOutcome::Abandoned).await;
    assert_eq!(
        claim_request(&*store, claim(3, now().saturating_add(LEASE_TTL))).await,
        in_progress(2)
    );
    must_commit(&*store, [Change::InsertTenant(tenant(1)), record_step(2, step(0, &[1]))]).await;
    complete_request(&*store, 2, completed("in time")).await;
    let result = claim_request(&*store, claim(3, now().saturating_add(LEASE_TTL))).await;
    assert_eq!(result, ClaimResult::Completed("in time".to_owned()));
    // A key without a claim belongs to no run.
    let unknown = Change::RecordIdempotentStep { key: key(99), run_id: oid(1), step: step(0, &[]) };
    assert_commit_fails(&*store, &[unknown], is_superseded).await;
    store.complete_request(key(99), oid(1), &completed("a")).await.expect("completion succeeds");
    let unclaimed = Claim { key: key(99), ..claim(5, now()) };
    assert_eq!(claim_request(&*store, unclaimed).await, ClaimResult::Acquired(Vec::new()));
}

async fn recorded_steps_are_read_back_unchanged(store: Arc<dyn Store>) {
    claim_request(&*store, claim(1, now())).await;
    let all_entity_types = CompletedMutation {
        root_field_index: u32::MAX,
        ids: vec![
            NodeId::User(id(1)),
            NodeId::Tenant(id(2)),
            NodeId::Subscription(id(3)),
            NodeId::AuditEvent(id(4)),
        ],
    };
    let steps = [all_entity_types, step(0, &[]), step(7, &[1, 1])];
    for (n, step) in (1..).zip(steps.clone()) {
        must_commit(&*store, [record_step(1, step), Change::InsertAuditEvent(event(n))]).await;
    }
    let next = claim_request(&*store, claim(2, now().saturating_add(LEASE_TTL))).await;
    assert_eq!(next, ClaimResult::Acquired(steps.to_vec()));
}

async fn abandoned_run_without_steps_frees_the_key(store: Arc<dyn Store>) {
    claim_request(&*store, claim(1, now())).await;
    complete_request(&*store, 1, RunOutcome::Abandoned).await;
    // No record remains, so another request may use the key.
    let other = Claim { fingerprint: [7; 32], ..claim(2, now()) };
    assert_eq!(claim_request(&*store, other).await, ClaimResult::Acquired(Vec::new()));
}

async fn abandoned_run_with_steps_can_be_resumed(store: Arc<dyn Store>) {
    claim_request(&*store, claim(1, now())).await;
    must_commit(&*store, [record_step(1, step(0, &[5]))]).await;
    complete_request(&*store, 1, RunOutcome::Abandoned).await;
    assert_commit_fails(
        &*store,
        &[Change::RequireOwner(id(1)), record_step(9, step(1, &[]))],
        is_superseded,
    )
    .await;
    let other = Claim { fingerprint: [7; 32], ..claim(2, now()) };
    assert_eq!(claim_request(&*store, other).await, ClaimResult::KeyReused);
    assert_eq!(
        claim_request(&*store, claim(2, now())).await,
        ClaimResult::Acquired(vec![step(0, &[5])])
    );
    assert_eq!(claim_request(&*store, claim(3, now())).await, in_progress(2));
    // A run that abandoned the request can no longer record steps.
    assert_commit_fails(&*store, &[record_step(1, step(1, &[]))], is_superseded).await;
}

async fn expired_records_are_ignored(store: Arc<dyn Store>) {
    let expiry = now().saturating_add(KEY_TTL);
    for (n, outcome) in (50..).zip([None, Some(completed("a")), Some(RunOutcome::Abandoned)]) {
        let claim = |run, now| Claim { key: key(n), ..claim(run, now) };
        claim_request(&*store, claim(1, now())).await;
        let change =
            Change::RecordIdempotentStep { key: key(n), run_id: oid(1), step: step(0, &[1]) };
        must_commit(&*store, [change.clone()]).await;
        if let Some(outcome) = &outcome {
            store.complete_request(key(n), oid(1), outcome).await.expect("completion succeeds");
        }
        // No record remains, so another request may use the key.
        let other = Claim { fingerprint: [9; 32], ..claim(2, expiry) };
        assert_eq!(
            claim_request(&*store, other).await,
            ClaimResult::Acquired(Vec::new()),
            "{outcome:?}"
        );
        assert_commit_fails(&*store, &[change], is_superseded).await;
        let next = Claim { fingerprint: [9; 32], ..claim(3, expiry.saturating_add(LEASE_TTL)) };
        assert_eq!(
            claim_request(&*store, next).await,
            ClaimResult::Acquired(Vec::new()),
            "{outcome:?}"
        );
    }
}

/// Each claim also deletes expired records, but no others.
async fn claim_deletes_only_expired_records(store: Arc<dyn Store>) {
    for n in 0..40 {
        let expiring = Claim { key: key(n), ..claim(1, now()) };
        assert_eq!(claim_request(&*store, expiring).await, ClaimResult::Acquired(Vec::new()));
    }
    let at = now().saturating_add(KEY_TTL - MILLISECOND);
    let recent = |run| Claim { key: key(100), ..claim(run, at) };
    assert_eq!(claim_request(&*store, recent(1)).await, ClaimResult::Acquired(Vec::new()));
    // One millisecond later all the others have expired, and a few claims delete them.
    for n in 101..110 {
        let next = Claim { key: key(n), ..claim(1, at.saturating_add(MILLISECOND)) };
        assert_eq!(claim_request(&*store, next).await, ClaimResult::Acquired(Vec::new()));
    }
    assert_eq!(claim_request(&*store, recent(2)).await, in_progress(1));
    let record_for = |run_id: ObjectId, n| Change::RecordIdempotentStep {
        key: key(n),
        run_id,
        step: step(0, &[]),
    };
    must_commit(&*store, [record_for(oid(1), 100)]).await;
    for n in 0..40 {
        assert_commit_fails(&*store, &[record_for(oid(1), n)], is_superseded).await;
    }
}

/// Of concurrent claims that name a lost run, one takes it over, and the lost run commits no more.
async fn lost_run_is_taken_over(store: Arc<dyn Store>) {
    let lost = |run, lost| Claim { lost_run: Some(oid(lost)), ..claim(run, now()) };
    claim_request(&*store, claim(1, now())).await;
    must_commit(&*store, [record_step(1, step(0, &[1]))]).await;
    assert_eq!(claim_request(&*store, lost(2, 9)).await, in_progress(1));
    let results = claim_concurrently(&store, (2..34).map(|run| lost(run, 1))).await;
    let winner = 2 + assert_one_winner(&results, &[step(0, &[1])]);
    let late = [Change::InsertTenant(tenant(1)), record_step(1, step(1, &[1]))];
    assert_commit_fails(&*store, &late, is_superseded).await;
    assert_eq!(claim_request(&*store, lost(50, 1)).await, in_progress(winner));
    must_commit(&*store, [Change::InsertTenant(tenant(1)), record_step(winner, step(1, &[]))])
        .await;
    complete_request(&*store, winner, completed("a")).await;
    let expected = ClaimResult::Completed("a".to_owned());
    assert_eq!(claim_request(&*store, lost(51, winner)).await, expected);
}

async fn heartbeats_count_for_the_runs_that_they_name(store: Arc<dyn Store>) {
    let count = async |process, run| {
        store.count_heartbeats(oid(process), oid(run)).await.expect("read succeeds")
    };
    assert_eq!(count(1, 7).await, None);
    for (process, runs, now) in
        [(1, [7, 8], now()), (2, [8, 9], now()), (1, [7, 9], now().saturating_add(MILLISECOND))]
    {
        let runs = runs.map(oid).to_vec();
        let heartbeat = Heartbeat { process: oid(process), runs, now };
        store.record_heartbeat(&heartbeat).await.expect("a heartbeat");
    }
    assert_eq!((count(1, 7).await, count(1, 8).await, count(1, 9).await), (Some(2), None, Some(2)));
    assert_eq!((count(2, 8).await, count(3, 8).await), (Some(1), None));
    // Heartbeats and claims delete expired heartbeats.
    let at = now().saturating_add(KEY_TTL);
    let heartbeat = Heartbeat { process: oid(3), runs: vec![oid(7)], now: at };
    store.record_heartbeat(&heartbeat).await.expect("a heartbeat");
    claim_request(&*store, claim(1, at)).await;
    assert_eq!((count(1, 7).await, count(2, 8).await, count(3, 7).await), (Some(2), None, Some(1)));
}

async fn record_of_another_user_counts_as_absent(store: Arc<dyn Store>) {
    let other = |run| Claim { user: Some(id(2)), fingerprint: [7; 32], ..claim(run, now()) };
    claim_request(&*store, claim(1, now())).await;
    must_commit(&*store, [record_step(1, step(0, &[1]))]).await;
    assert_eq!(claim_request(&*store, other(2)).await, ClaimResult::Acquired(Vec::new()));
    assert_commit_fails(&*store, &[record_step(1, step(1, &[]))], is_superseded).await;
    complete_request(&*store, 2, completed("a")).await;
    let expected = ClaimResult::Completed("a".to_owned());
    assert_eq!(claim_request(&*store, other(3)).await, expected);
    assert_eq!(claim_request(&*store, claim(4, now())).await, ClaimResult::Acquired(Vec::new()));
}

/// The acceptance of an invitation creates the user of its caller.
async fn record_without_a_user_is_continued_by_the_later_user(store: Arc<dyn Store>) {
    let without_user = |run| Claim { user: None, ..claim(run, now()) };
    assert_eq!(claim_request(&*store, without_user(1)).await, ClaimResult::Acquired(Vec::new()));
    assert_eq!(claim_request(&*store, without_user(2)).await, in_progress(1));
    assert_eq!(claim_request(&*store, claim(3, now())).await, in_progress(1));
    let another = Claim { fingerprint: [7; 32], ..without_user(4) };
    assert_eq!(claim_request(&*store, another).await, ClaimResult::KeyReused);
    must_commit(&*store, [record_step(1, step(0, &[1]))]).await;
    complete_request(&*store, 1, completed("a")).await;
    let expected = ClaimResult::Completed("a".to_owned());
    assert_eq!(claim_request(&*store, claim(5, now())).await, expected);
    // Other rights take the record over. It is then that of the user.
    let rights = RightsDigest([101; 32]);
    let changed = Claim { rights, ..claim(6, now()) };
    assert_eq!(claim_request(&*store, changed).await, ClaimResult::Acquired(vec![step(0, &[1])]));
    assert_eq!(claim_request(&*store, without_user(7)).await, ClaimResult::Acquired(Vec::new()));
}

/// The next run continues after the completed mutations, as after a crash.
async fn response_under_other_rights_is_not_returned(store: Arc<dyn Store>) {
    let rights = RightsDigest([101; 32]);
    let other = |run| Claim { rights, ..claim(run, now()) };
    claim_request(&*store, claim(1, now())).await;
    must_commit(&*store, [record_step(1, step(0, &[1]))]).await;
    complete_request(&*store, 1, completed("a")).await;
    let reused = Claim { fingerprint: [7; 32], ..other(2) };
    assert_eq!(claim_request(&*store, reused).await, ClaimResult::KeyReused);
    let acquired = ClaimResult::Acquired(vec![step(0, &[1])]);
    assert_eq!(claim_request(&*store, other(2)).await, acquired);
    // The response is deleted, also for the earlier rights.
    assert_eq!(claim_request(&*store, claim(3, now())).await, in_progress(2));
    must_commit(&*store, [record_step(2, step(1, &[]))]).await;
    let response = StoredResponse { body: "b".to_owned(), rights };
    complete_request(&*store, 2, RunOutcome::Completed(response)).await;
    let expected = ClaimResult::Completed("b".to_owned());
    assert_eq!(claim_request(&*store, other(4)).await, expected);
}
