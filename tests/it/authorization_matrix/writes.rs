//! Every row that writes, for every caller: in a world of its own each, so that what is refused can
//! be seen to have changed nothing, and what is done to have left one event.

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
    ask, mutation, reads_of,
    table::{self, Ask, Caller, Operation, Outcome, Place, Row},
    world::{self, Cell},
};
use crate::support::app::{App, Reply, on_both_stores};

on_both_stores! {
    every_mutation_for_every_caller,
}

/// How many changes are committed at once to make the worlds.
const AT_ONCE: usize = 100;

/// One caller's try at one row.
struct Case {
    row: usize,
    caller: Caller,
    cell: Cell,
}

impl Case {
    fn request_id(&self) -> String {
        format!("case-{}", self.cell.n)
    }
}

async fn every_mutation_for_every_caller(app: App) {
    let rows: Vec<Row> = table::rows();
    let writes = rows.iter().enumerate().filter(|(_, row)| matches!(row.ask, Ask::Write { .. }));
    let pairs = writes.flat_map(|(n, row)| Caller::ALL.map(|caller| (n, row.place, caller)));
    let cases: Vec<Case> = pairs
        .enumerate()
        .map(|(n, (row, place, caller))| {
            let cell = Cell::new(&app, u32::try_from(n).expect("few"), place, &[caller]);
            Case { row, caller, cell }
        })
        .collect();
    let mut changes = world::shared();
    changes.extend(cases.iter().flat_map(|case| case.cell.changes()));
    for changes in changes.chunks(AT_ONCE) {
        app.store.commit(changes).await.expect("an empty store");
    }
    let mut expected_counts = counts(&app).await;
    let mut wrong = Vec::new();
    for case in &cases {
        let row = &rows[case.row];
        let Ask::Write { operation, input } = &row.ask else { continue };
        let reply = run(&app, case, operation, input).await;
        let (came, expected) = (outcome(&reply, operation), row.expects(case.caller));
        if came != expected.word() {
            let who = case.caller.title();
            wrong.push(format!("{} for {who}: {came}, not {}", row.what, expected.word()));
            continue;
        }
        costs(&reply, row, operation, case.caller);
        if expected == Outcome::Yes {
            for (count, by) in expected_counts.iter_mut().zip(operation.counts) {
                *count += by;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    let stored = Stored::read(&app, &cases).await;
    for case in &cases {
        let row = &rows[case.row];
        let Ask::Write { operation, .. } = &row.ask else { continue };
        if row.expects(case.caller) == Outcome::Yes {
            stored.has_one_event(case, row, operation);
        } else {
            stored.is_unchanged(case, row);
        }
    }
    assert_eq!(counts(&app).await, expected_counts, "tenants, users and subscriptions in all");
}

async fn run(app: &App, case: &Case, operation: &Operation, input: &str) -> Reply {
    let fields: Vec<String> =
        operation.payload.iter().map(|(field, of)| format!("{field} {of}")).collect();
    let document = mutation(operation.name, &fields.join(" "));
    let input = case.cell.fill(case.caller, input);
    let input: Value = serde_json::from_str(&input).expect("an input is JSON");
    let variables = serde_json::json!({ "input": input });
    ask(app, &case.cell, case.caller, &case.request_id(), &document, variables).await
}

/// What came of a mutation, in the words of the table.
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

/// What is refused commits nothing; what is for platform admins is refused before any look-up.
fn costs(reply: &Reply, row: &Row, operation: &Operation, caller: Caller) {
    let about = format!("{} for {}", row.what, caller.title());
    let Outcome::Code(code) = row.expects(caller) else {
        assert!(reply.writes > 0, "{about}");
        return;
    };
    assert_eq!((reply.status, reply.writes), (200, 0), "{about}");
    if let Some(reads) = reads_of(code) {
        assert_eq!(reply.reads, reads, "{about}");
    }
    if operation.platform_only && caller != Caller::Platform && code == "FORBIDDEN" {
        assert_eq!(reply.reads, 1, "{about}: the caller and nothing else is looked up");
    }
}

/// All that is stored after all cases.
struct Stored {
    tenants: Vec<Tenant>,
    subscriptions: Vec<TenantSubscription>,
    users: HashMap<tenantry::domain::id::UserId, User>,
    events: Vec<AuditEvent>,
}

impl Stored {
    async fn read(app: &App, cases: &[Case]) -> Self {
        let cells = || cases.iter().map(|case| &case.cell);
        let mut tenants: Vec<TenantId> = cells().map(|cell| cell.tenant.id).collect();
        tenants.dedup();
        let subscriptions: Vec<_> = cells().map(|cell| cell.subscription.id).collect();
        let users: Vec<_> = cells().flat_map(Cell::users).map(|user| user.id).collect();
        let tenants = app.store.tenants(TenantKeys::Ids(&tenants)).await.expect("a read");
        let subscriptions = app.store.subscriptions(SubscriptionKeys::Ids(&subscriptions)).await;
        let users = app.store.users(UserKeys::Ids(&users)).await.expect("a read");
        let users = users.into_iter().map(|user| user.expect("one that can be read"));
        Self {
            tenants: tenants.into_iter().map(|t| t.expect("one that can be read")).collect(),
            subscriptions: subscriptions
                .expect("a read")
                .into_iter()
                .map(|s| s.expect("one that can be read"))
                .collect(),
            users: users.map(|user| (user.id, user)).collect(),
            events: events(app).await,
        }
    }

    fn of_request<'a>(&'a self, case: &Case) -> Vec<&'a AuditEvent> {
        let id = case.request_id();
        self.events.iter().filter(|e| e.request_id.as_deref() == Some(&*id)).collect()
    }

    /// Everything of that world is as it was made, and the history says nothing of the request.
    fn is_unchanged(&self, case: &Case, row: &Row) {
        let (cell, about) = (&case.cell, format!("{} for {}", row.what, case.caller.title()));
        for tenant in cell.tenants() {
            assert!(self.tenants.contains(&tenant), "{about}: its tenant has changed");
        }
        for subscription in cell.subscriptions() {
            assert!(self.subscriptions.contains(&subscription), "{about}: its subscription");
        }
        for user in cell.users() {
            assert_eq!(self.users.get(&user.id), Some(&user), "{about}");
        }
        assert_eq!(self.of_request(case), Vec::<&AuditEvent>::new(), "{about}");
        if case.cell.place != Place::Default {
            let of_tenant = |event: &&AuditEvent| event.tenants.contains(&cell.tenant.id);
            assert_eq!(self.events.iter().filter(of_tenant).count(), 2, "{about}: its history");
        }
    }

    /// The history has that one event of the request, by the caller and as what the caller is.
    fn has_one_event(&self, case: &Case, row: &Row, operation: &Operation) {
        let about = format!("{} for {}", row.what, case.caller.title());
        let of_request = self.of_request(case);
        let [event] = of_request[..] else { panic!("{about}: {of_request:?}") };
        assert_eq!(event.action, operation.action, "{about}");
        let kind = match case.caller {
            Caller::Platform => ActorKind::PlatformAdmin,
            _ => ActorKind::User,
        };
        assert_eq!(event.actor_kind, kind, "{about}");
        assert_eq!(event.actor, case.cell.caller(case.caller).map(|user| user.id), "{about}");
        match operation.name {
            // Of no tenant's history, but those where the user was a member.
            "createUser" | "updateUser" => assert_eq!(event.tenants, [], "{about}"),
            "deleteUser" => {}
            "createTenant" => assert_eq!(event.tenants.len(), 1, "{about}"),
            _ => assert_eq!(event.tenants, [case.cell.tenant.id], "{about}"),
        }
    }
}

/// The whole history.
async fn events(app: &App) -> Vec<AuditEvent> {
    let mut window = PageRequest { size: 100, edge: PageEdge::First, after: None, before: None };
    let mut events = Vec::new();
    loop {
        let page = app.store.audit_page(&AuditFilter::default(), &window).await.expect("a read");
        window.after = page.items.last().map(|item| item.position.clone());
        let found = page.items.into_iter().map(|item| item.node.expect("one that can be read"));
        events.extend(found);
        if !page.has_next {
            return events;
        }
    }
}

/// How many tenants, users and subscriptions there are.
async fn counts(app: &App) -> [i64; 3] {
    fn all<F: Default, O>(field: O) -> Listing<F, O> {
        let order = Order { field, direction: Direction::Desc };
        Listing { scope: TenantScope::Everything, filter: F::default(), order }
    }
    let tenants = all::<TenantFilter, _>(TenantOrderField::CreatedAt);
    let users = all::<UserFilter, _>(UserOrderField::CreatedAt);
    let subscriptions = all::<SubscriptionFilter, _>(SubscriptionOrderField::CreatedAt);
    let counts = [
        app.store.count_tenants(&tenants).await,
        app.store.count_users(&users).await,
        app.store.count_subscriptions(&subscriptions).await,
    ];
    counts.map(|count| i64::try_from(count.expect("a read")).expect("few"))
}
