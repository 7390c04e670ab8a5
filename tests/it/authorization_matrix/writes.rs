//! Runs every row that writes, for every caller.
//!
//! Each case has a fixture of its own. So the test can check that a rejected mutation changed
//! nothing, and that a successful one recorded exactly one audit event.

use std::collections::HashMap;

use serde_json::Value;
use tenantry::{
    domain::{
        audit::{ActorKind, AuditEvent},
        id::TenantId,
        list::{
            AuditFilter, Direction, Listing, Order, PageEdge, PageRequest, SubscriptionFilter,
            SubscriptionOrderField, TenantFilter, TenantOrderField, TenantScope, UserFilter,
            UserOrderField,
        },
        subscription::TenantSubscription,
        tenant::Tenant,
        user::User,
    },
    store::{SubscriptionKeys, TenantKeys, UserKeys},
};

use super::{
    expected_reads,
    fixture::{self, Fixture},
    mutation_document, send_as,
    table::{self, Caller, Operation, Outcome, Request, Row, TenantKind},
};
use crate::support::app::{App, Reply, on_both_stores};

on_both_stores! {
    mutations_match_the_matrix_for_every_caller,
}

/// The number of changes that are committed at once to insert the fixtures.
const CHANGES_PER_COMMIT: usize = 100;

/// A row as one caller runs it.
struct Case {
    row: usize,
    caller: Caller,
    fixture: Fixture,
}

impl Case {
    fn request_id(&self) -> String {
        format!("case-{}", self.fixture.number)
    }
}

fn cases(app: &App, rows: &[Row]) -> Vec<Case> {
    let writes =
        rows.iter().enumerate().filter(|(_, row)| matches!(row.request, Request::Write { .. }));
    let pairs =
        writes.flat_map(|(index, row)| Caller::ALL.map(|caller| (index, row.tenant, caller)));
    pairs
        .enumerate()
        .map(|(number, (row, tenant_kind, caller))| {
            let number = u32::try_from(number).expect("few cases");
            let fixture = Fixture::new(app, number, tenant_kind, &[caller]);
            Case { row, caller, fixture }
        })
        .collect()
}

async fn mutations_match_the_matrix_for_every_caller(app: App) {
    let rows: Vec<Row> = table::rows();
    let cases = cases(&app, &rows);
    let mut changes = fixture::shared_changes();
    changes.extend(cases.iter().flat_map(|case| case.fixture.changes()));
    for changes in changes.chunks(CHANGES_PER_COMMIT) {
        app.store.commit(changes).await.expect("the store is empty");
    }
    let mut expected_counts = counts(&app).await;
    let mut mismatches = Vec::new();
    for case in &cases {
        let row = &rows[case.row];
        let Request::Write { operation, input } = &row.request else { continue };
        let reply = run(&app, case, operation, input).await;
        let (actual, expected) = (outcome(&reply, operation), row.expects(case.caller));
        if actual != expected.as_str() {
            let caller = case.caller.title();
            let expected = expected.as_str();
            mismatches.push(format!("{} for {caller}: {actual}, not {expected}", row.title));
            continue;
        }
        assert_cost(&reply, row, operation, case.caller);
        if expected == Outcome::Allowed {
            // The acceptance creates the user of a caller that has none.
            if case.caller == Caller::Unprovisioned {
                expected_counts[1] += 1;
            }
            for (count, difference) in expected_counts.iter_mut().zip(operation.counts) {
                *count += difference;
            }
        }
    }
    assert!(mismatches.is_empty(), "{} of {}: {mismatches:#?}", mismatches.len(), cases.len());
    let stored = StoredState::load(&app, &cases).await;
    for case in &cases {
        let row = &rows[case.row];
        let Request::Write { operation, .. } = &row.request else { continue };
        if row.expects(case.caller) == Outcome::Allowed {
            stored.assert_one_event(case, row, operation);
        } else {
            stored.assert_unchanged(case, row);
        }
    }
    assert_eq!(counts(&app).await, expected_counts, "all tenants, users and subscriptions");
}

async fn run(app: &App, case: &Case, operation: &Operation, input: &str) -> Reply {
    let fields: Vec<String> =
        operation.payload.iter().map(|(field, selection)| format!("{field} {selection}")).collect();
    let document = mutation_document(operation.name, &fields.join(" "));
    let input = case.fixture.fill(case.caller, input);
    let input: Value = serde_json::from_str(&input).expect("an input is JSON");
    let variables = serde_json::json!({ "input": input });
    send_as(app, &case.fixture, case.caller, &case.request_id(), &document, variables).await
}

/// Returns the outcome of a mutation, in the words of the table.
fn outcome(reply: &Reply, operation: &Operation) -> String {
    let data = &reply.json["data"];
    match reply.codes()[..] {
        [] if operation.payload.iter().all(|(field, _)| !data["x"][field].is_null()) => {
            "✓".to_owned()
        }
        [code] if data.is_null() => code.to_owned(),
        _ => reply.body.clone(),
    }
}

/// Asserts that a rejected mutation commits nothing, and that one for platform admins is rejected
/// before any lookup.
fn assert_cost(reply: &Reply, row: &Row, operation: &Operation, caller: Caller) {
    let case = format!("{} for {}", row.title, caller.title());
    let Outcome::Error(code) = row.expects(caller) else {
        assert!(reply.writes > 0, "{case}");
        return;
    };
    assert_eq!((reply.status, reply.writes), (200, 0), "{case}");
    if let Some(reads) = expected_reads(code) {
        assert_eq!(reply.reads, reads, "{case}");
    }
    if operation.platform_only && caller != Caller::PlatformAdmin && code == "FORBIDDEN" {
        assert_eq!(reply.reads, 1, "{case}: only the viewer is read");
    }
}

/// Everything that is stored after all cases have run.
struct StoredState {
    tenants: Vec<Tenant>,
    subscriptions: Vec<TenantSubscription>,
    users: HashMap<tenantry::domain::id::UserId, User>,
    events: Vec<AuditEvent>,
}

impl StoredState {
    async fn load(app: &App, cases: &[Case]) -> Self {
        let fixtures = || cases.iter().map(|case| &case.fixture);
        let mut tenants: Vec<TenantId> = fixtures().map(|fixture| fixture.tenant.id).collect();
        tenants.dedup();
        let subscriptions: Vec<_> = fixtures().map(|fixture| fixture.subscription.id).collect();
        let users: Vec<_> = fixtures().flat_map(Fixture::users).map(|user| user.id).collect();
        let tenants = app.store.tenants(TenantKeys::Ids(&tenants)).await;
        let subscriptions = app.store.subscriptions(SubscriptionKeys::Ids(&subscriptions)).await;
        let users = app.store.users(UserKeys::Ids(&users)).await;
        let users = users.expect("users").into_iter().map(|user| user.expect("a readable user"));
        Self {
            tenants: tenants
                .expect("tenants")
                .into_iter()
                .map(|tenant| tenant.expect("a readable tenant"))
                .collect(),
            subscriptions: subscriptions
                .expect("subscriptions")
                .into_iter()
                .map(|subscription| subscription.expect("a readable subscription"))
                .collect(),
            users: users.map(|user| (user.id, user)).collect(),
            events: audit_log(app).await,
        }
    }

    fn events_of_request<'a>(&'a self, case: &Case) -> Vec<&'a AuditEvent> {
        let id = case.request_id();
        self.events.iter().filter(|e| e.request_id.as_deref() == Some(&*id)).collect()
    }

    /// Asserts that every object of the fixture is as it was inserted, and that the audit log has
    /// no event of the request.
    fn assert_unchanged(&self, case: &Case, row: &Row) {
        let fixture = &case.fixture;
        let name = format!("{} for {}", row.title, case.caller.title());
        for tenant in fixture.tenants() {
            assert!(self.tenants.contains(&tenant), "{name}: the tenant has changed");
        }
        for subscription in fixture.subscriptions() {
            assert!(
                self.subscriptions.contains(&subscription),
                "{name}: the subscription has changed"
            );
        }
        for user in fixture.users() {
            assert_eq!(self.users.get(&user.id), Some(&user), "{name}");
        }
        assert_eq!(self.events_of_request(case), Vec::<&AuditEvent>::new(), "{name}");
        if fixture.tenant_kind != TenantKind::Default {
            let of_tenant = |event: &&AuditEvent| event.tenants.contains(&fixture.tenant.id);
            assert_eq!(
                self.events.iter().filter(of_tenant).count(),
                2,
                "{name}: the audit log of the tenant has changed"
            );
        }
    }

    /// Asserts that the audit log has exactly one event of the request, with the right actor.
    fn assert_one_event(&self, case: &Case, row: &Row, operation: &Operation) {
        let name = format!("{} for {}", row.title, case.caller.title());
        let mut events = self.events_of_request(case);
        if case.caller == Caller::Unprovisioned {
            events.retain(|event| event.action != "user.sync");
        }
        let [event] = events[..] else { panic!("{name}: {events:?}") };
        assert_eq!(event.action, operation.action, "{name}");
        let kind = match case.caller {
            Caller::PlatformAdmin => ActorKind::PlatformAdmin,
            _ => ActorKind::User,
        };
        assert_eq!(event.actor_kind, kind, "{name}");
        if let Some(caller) = case.fixture.caller(case.caller) {
            assert_eq!(event.actor, Some(caller.id), "{name}");
        }
        match operation.name {
            "createUser" | "updateUser" => assert_eq!(event.tenants, [], "{name}"),
            // The event is in the audit log of every tenant in which the user was a member.
            "deleteUser" => {}
            "createTenant" => assert_eq!(event.tenants.len(), 1, "{name}"),
            _ => assert_eq!(event.tenants, [case.fixture.tenant.id], "{name}"),
        }
    }
}

/// Returns the whole audit log.
async fn audit_log(app: &App) -> Vec<AuditEvent> {
    let mut request = PageRequest { size: 100, edge: PageEdge::First, after: None, before: None };
    let mut events = Vec::new();
    loop {
        let page = app.store.audit_page(&AuditFilter::default(), &request).await.expect("a page");
        request.after = page.items.last().map(|item| item.position.clone());
        events.extend(page.items.into_iter().map(|item| item.node.expect("a readable event")));
        if !page.has_next {
            return events;
        }
    }
}

/// Returns the numbers of all tenants, users and subscriptions.
async fn counts(app: &App) -> [i64; 3] {
    fn all<F: Default, O, L: From<Order<O>>>(field: O) -> Listing<F, L> {
        let order = Order { field, direction: Direction::Desc };
        Listing { scope: TenantScope::Everything, filter: F::default(), order: order.into() }
    }
    let tenants = all::<TenantFilter, _, _>(TenantOrderField::CreatedAt);
    let users = all::<UserFilter, _, _>(UserOrderField::CreatedAt);
    let subscriptions = all::<SubscriptionFilter, _, _>(SubscriptionOrderField::CreatedAt);
    let counts = [
        app.store.count_tenants(&tenants).await,
        app.store.count_users(&users).await,
        app.store.count_subscriptions(&subscriptions).await,
    ];
    counts.map(|count| i64::try_from(count.expect("a count")).expect("a small count"))
}
