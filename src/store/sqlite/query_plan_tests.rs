//! Every statement that reads is served by an index: none reads a whole table, none sorts what an
//! index has in order.

use rusqlite::{Connection, vtab::array};

use super::{
    commit, idempotency,
    lists::{self, List},
    members, queries, rows, schema,
};
use crate::{
    domain::{
        id::{Id, ObjectId, TenantId},
        list::{
            AuditFilter, Direction, Listing, MemberFilter, Order, PageEdge, PageRequest, Position,
            SortKey, SubscriptionFilter, SubscriptionOrderField, TenantFilter, TenantOrderField,
            TenantScope, UserFilter, UserOrderField,
        },
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        time::Timestamp,
        user::{Identity, TenantRole},
    },
    store::{SubscriptionKeys, TenantKeys, UserKeys},
};

/// What a statement is allowed beside a search of indexes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AllowedPlan {
    /// Nothing: a read by key.
    None,
    /// A walk of the index that has the order: the limit ends it.
    IndexScan,
    /// To sort what indexes found. A caller's own tenants, matches of a search, and the users and
    /// subscriptions of one tenant are found by other indexes than those that have the list's order.
    Sort,
    /// A walk of an index that has all that a count asks for.
    Count,
    /// As for a count, and to bring together what a search found in several indexes.
    NarrowCount,
}

fn prepared() -> Connection {
    let mut db = Connection::open_in_memory().expect("a database");
    array::load_module(&db).expect("rarray");
    schema::migrate(&mut db).expect("tables");
    db
}

/// The steps of a statement's plan.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    // Nothing is bound: without statistics the values make no difference to the plan.
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect(sql) {
        steps.push(row.get("detail").expect("text"));
    }
    steps
}

fn fault(step: &str, leave: AllowedPlan) -> bool {
    // The list of keys itself, and the parts of one document that are put in their order.
    if step.starts_with("SCAN rarray ") || step.starts_with("USE TEMP B-TREE FOR json_group_array(")
    {
        return false;
    }
    if step.starts_with("SCAN ") {
        return match leave {
            AllowedPlan::IndexScan | AllowedPlan::Sort => !step.contains(" USING INDEX "),
            AllowedPlan::Count | AllowedPlan::NarrowCount => {
                !step.contains(" USING COVERING INDEX ")
            }
            AllowedPlan::None => true,
        };
    }
    step.starts_with("USE TEMP B-TREE")
        && !matches!(leave, AllowedPlan::Sort | AllowedPlan::NarrowCount)
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn look(&mut self, db: &Connection, sql: &str, leave: AllowedPlan) {
        let steps = plan(db, sql);
        if steps.iter().any(|step| fault(step, leave)) {
            self.0.push(format!("{sql}\n    {}", steps.join("\n    ")));
        }
    }

    /// Every page of a list, and its count.
    fn look_at_list(&mut self, db: &Connection, list: impl Fn() -> List, leave: AllowedPlan) {
        for window in windows() {
            self.look(db, &list().page_query(&window).0, leave);
        }
        let count =
            if leave == AllowedPlan::Sort { AllowedPlan::NarrowCount } else { AllowedPlan::Count };
        self.look(db, &list().count_query().0, count);
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.0.sort();
        self.0.dedup();
        let shown: Vec<_> = self.0.iter().take(10).map(String::as_str).collect();
        assert!(self.0.is_empty(), "{} bad plans:\n{}", self.0.len(), shown.join("\n"));
    }
}

fn id<E>() -> Id<E> {
    Id::new(ObjectId::MIN)
}

fn windows() -> Vec<PageRequest> {
    let place = || Some(Position { key: SortKey::Time(Timestamp::MIN), id: ObjectId::MIN });
    let mut all = Vec::new();
    for end in [PageEdge::First, PageEdge::Last] {
        for (after, before) in [(None, None), (place(), None), (None, place()), (place(), place())]
        {
            all.push(PageRequest { size: 10, edge: end, after, before });
        }
    }
    all
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let both = [Direction::Asc, Direction::Desc];
    let of = |field: &F| both.map(|direction| Order { field: *field, direction });
    fields.iter().flat_map(of).collect()
}

/// None, one and several of these.
fn some_of<T: Copy>(all: &[T]) -> [Vec<T>; 3] {
    [Vec::new(), vec![all[0]], all.to_vec()]
}

#[test]
fn reads_by_key() {
    let db = prepared();
    let mut faults = Faults::default();
    let texts = ["a".to_owned()];
    let identity = Identity { issuer: String::new(), subject: String::new() };
    for query in [
        queries::tenants(TenantKeys::Ids(&[id()])),
        queries::tenants(TenantKeys::Slugs(&texts)),
        queries::tenants(TenantKeys::SlugsOrGroups(&texts, &texts)),
        queries::users(UserKeys::Ids(&[id()])),
        queries::users(UserKeys::Identity(&identity)),
        queries::subscriptions(SubscriptionKeys::Ids(&[id()])),
        queries::subscriptions(SubscriptionKeys::LiveSubscriptionKey(&[id()])),
        queries::audit_events(&[id()]),
    ] {
        faults.look(&db, &query.sql, AllowedPlan::None);
    }
    faults.look(&db, queries::TOMBSTONE, AllowedPlan::None);
}

#[test]
fn what_is_changed_is_found() {
    let db = prepared();
    let mut faults = Faults::default();
    for sql in commit::statements() {
        faults.look(&db, &sql, AllowedPlan::None);
    }
    for sql in [rows::tenant::UPDATE, rows::tenant::DELETE_DOMAINS, rows::subscription::UPDATE] {
        faults.look(&db, sql, AllowedPlan::None);
    }
    for sql in idempotency::STATEMENTS {
        faults.look(&db, sql, AllowedPlan::None);
    }
}

#[test]
fn an_owner_is_found_among_the_owners() {
    let owner = commit::statements().into_iter().find(|sql| sql.contains("'owner'"));
    let steps = plan(&prepared(), &owner.expect("it is there"));
    assert!(steps.iter().any(|step| step.contains("memberships_of_role")), "{steps:?}");
}

#[test]
fn the_live_subscriptions_come_from_their_own_index() {
    let query = queries::subscriptions(SubscriptionKeys::LiveSubscriptionKey(&[id()]));
    let steps = plan(&prepared(), &query.sql);
    assert!(steps.iter().any(|step| step.contains("subscriptions_live")), "{steps:?}");
}

#[test]
fn members_of_tenants() {
    let db = prepared();
    let mut faults = Faults::default();
    for role in [None, Some(TenantRole::Owner)] {
        let filter = MemberFilter { role };
        for window in windows() {
            faults.look(&db, &members::page_sql(&filter, &window), AllowedPlan::None);
        }
        faults.look(&db, members::count_sql(&filter), AllowedPlan::None);
    }
}

fn scopes() -> [TenantScope; 2] {
    [TenantScope::Everything, TenantScope::Tenants(vec![id::<crate::domain::id::kind::Tenant>()])]
}

#[test]
fn lists_of_tenants() {
    let db = prepared();
    let mut faults = Faults::default();
    for order in orders(TenantOrderField::ALL) {
        for scope in scopes() {
            for status in some_of(TenantStatus::ALL) {
                for plan in some_of(Plan::ALL) {
                    for search in [None, Some("a".to_owned())] {
                        for domain in [None, Some("a".to_owned())] {
                            let narrow = search.is_some() || domain.is_some();
                            let own = scope != TenantScope::Everything;
                            let leave = if narrow || own {
                                AllowedPlan::Sort
                            } else {
                                AllowedPlan::IndexScan
                            };
                            let (status, plan) = (status.clone(), plan.clone());
                            let search = search.clone();
                            let filter = TenantFilter { status, plan, search, domain };
                            let listing = Listing { scope: scope.clone(), filter, order };
                            faults.look_at_list(&db, || lists::tenants(&listing), leave);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn lists_of_users() {
    let db = prepared();
    let mut faults = Faults::default();
    let flags = [None, Some(true), Some(false)];
    for order in orders(UserOrderField::ALL) {
        for search in [None, Some("a".to_owned())] {
            for platform_admin in flags {
                for disabled in flags {
                    for tenant in [None, Some(id())] {
                        let narrow = search.is_some() || tenant.is_some();
                        let leave = if narrow { AllowedPlan::Sort } else { AllowedPlan::IndexScan };
                        let search = search.clone();
                        let filter = UserFilter { search, platform_admin, disabled, tenant };
                        let listing = Listing { scope: TenantScope::Everything, filter, order };
                        faults.look_at_list(&db, || lists::users(&listing), leave);
                    }
                }
            }
        }
    }
}

#[test]
fn lists_of_subscriptions() {
    let db = prepared();
    let mut faults = Faults::default();
    for order in orders(SubscriptionOrderField::ALL) {
        for scope in scopes() {
            for status in some_of(TenantSubscriptionStatus::ALL) {
                for plan in some_of(Plan::ALL) {
                    for tenant in [None, Some(id())] {
                        let narrow = scope != TenantScope::Everything || tenant.is_some();
                        let leave = if narrow { AllowedPlan::Sort } else { AllowedPlan::IndexScan };
                        let (status, plan) = (status.clone(), plan.clone());
                        let filter = SubscriptionFilter { status, plan, tenant };
                        let listing = Listing { scope: scope.clone(), filter, order };
                        faults.look_at_list(&db, || lists::subscriptions(&listing), leave);
                    }
                }
            }
        }
    }
}

fn audit_filters() -> Vec<AuditFilter> {
    let mut all = Vec::new();
    for tenant in [None, Some(TenantId::new(ObjectId::MIN))] {
        for actor in [None, Some(id())] {
            for action in [None, Some("a".to_owned())] {
                for since in [None, Some(Timestamp::MIN)] {
                    for until in [None, Some(Timestamp::MAX)] {
                        let action = action.clone();
                        all.push(AuditFilter { tenant, actor, action, since, until });
                    }
                }
            }
        }
    }
    all
}

#[test]
fn lists_of_events() {
    let db = prepared();
    let mut faults = Faults::default();
    for filter in audit_filters() {
        faults.look_at_list(&db, || lists::audit_events(&filter), AllowedPlan::IndexScan);
    }
}
