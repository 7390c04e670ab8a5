//! Checks the query plan of every statement that searches for rows.
//!
//! No statement scans a table, and none sorts rows that an index has in order. Four lists may sort
//! matches of another index, see [`AllowedPlan::Sort`].

use rusqlite::{Connection, vtab::array};

use super::{
    change_feed, commit, idempotency,
    lists::{self, ListQuery},
    members, outbox, queries, rows, schema, search_keys,
};
use crate::{
    domain::{
        id::{Id, ObjectId, TenantId},
        list::{
            AuditFilter, Direction, ListOrder, Listing, MemberFilter, Order, PageEdge, PageRequest,
            Position, SortKey, SubscriptionFilter, SubscriptionOrderField, TenantFilter,
            TenantOrderField, TenantScope, UserFilter, UserOrderField,
        },
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        time::Timestamp,
        user::{Identity, TenantRole},
    },
    store::{SubscriptionKeys, TenantKeys, UserKeys},
};

/// The plan steps that a statement may have in addition to searches of indexes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AllowedPlan {
    /// No other step. This is for lookups and writes.
    SearchOnly,
    /// A scan of the index that has the order of the list. The limit of the page ends it.
    IndexScan,
    /// A sort of matches. Four lists are found by other indexes than those that have their order: a
    /// viewer's own tenants, the subscriptions of given tenants, the matches of a search, and the
    /// users of a tenant. The subscriptions of a single tenant are sorted only if their order is
    /// `UPDATED_AT` or `CURRENT_PERIOD_END`.
    Sort,
    /// A scan of an index that contains all columns of a count.
    Count,
    /// A scan as for a count, and a sort that merges the matches of several indexes.
    FilteredCount,
}

fn prepared_database() -> Connection {
    let mut db = Connection::open_in_memory().expect("a database");
    array::load_module(&db).expect("rarray");
    schema::migrate(&mut db).expect("tables");
    db
}

/// Returns the steps of a statement's plan.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    // No parameter is bound. Without statistics, values do not change the plan.
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect(sql) {
        steps.push(row.get("detail").expect("text"));
    }
    steps
}

fn is_violation(step: &str, allowed: AllowedPlan) -> bool {
    // These steps read the list of keys, and order the parts of one document.
    if step.starts_with("SCAN rarray ") || step.starts_with("USE TEMP B-TREE FOR json_group_array(")
    {
        return false;
    }
    if step.starts_with("SCAN ") {
        return match allowed {
            AllowedPlan::IndexScan | AllowedPlan::Sort => !step.contains(" USING INDEX "),
            AllowedPlan::Count | AllowedPlan::FilteredCount => {
                !step.contains(" USING COVERING INDEX ")
            }
            AllowedPlan::SearchOnly => true,
        };
    }
    step.starts_with("USE TEMP B-TREE")
        && !matches!(allowed, AllowedPlan::Sort | AllowedPlan::FilteredCount)
}

/// The statements whose plan has a step that is not allowed. Dropping them fails the test.
#[derive(Default)]
struct Violations(Vec<String>);

impl Violations {
    fn check(&mut self, db: &Connection, sql: &str, allowed: AllowedPlan) {
        let steps = plan(db, sql);
        if steps.iter().any(|step| is_violation(step, allowed)) {
            self.0.push(format!("{sql}\n    {}", steps.join("\n    ")));
        }
    }

    /// Checks every kind of page of a list, and its count.
    fn check_list(&mut self, db: &Connection, list: impl Fn() -> ListQuery, allowed: AllowedPlan) {
        for page in page_requests() {
            self.check(db, &list().page_statement(&page).0, allowed);
        }
        let count = if allowed == AllowedPlan::Sort {
            AllowedPlan::FilteredCount
        } else {
            AllowedPlan::Count
        };
        self.check(db, &list().count_statement().0, count);
    }
}

impl Drop for Violations {
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

fn page_requests() -> Vec<PageRequest> {
    let position = || Some(Position { key: SortKey::Time(Timestamp::MIN), id: ObjectId::MIN });
    let mut all = Vec::new();
    for edge in [PageEdge::First, PageEdge::Last] {
        for (after, before) in
            [(None, None), (position(), None), (None, position()), (position(), position())]
        {
            all.push(PageRequest { size: 10, edge, after, before });
        }
    }
    all
}

fn orders<F: Copy>(fields: &[F]) -> Vec<Order<F>> {
    let directions = [Direction::Asc, Direction::Desc];
    let orders = |field: &F| directions.map(|direction| Order { field: *field, direction });
    fields.iter().flat_map(orders).collect()
}

/// Returns lists of none, one and all of these values.
fn subsets<T: Copy>(all: &[T]) -> [Vec<T>; 3] {
    [Vec::new(), vec![all[0]], all.to_vec()]
}

#[test]
fn lookups_search_an_index() {
    let db = prepared_database();
    let mut violations = Violations::default();
    let texts = ["a".to_owned()];
    let identity = Identity { issuer: String::new(), subject: String::new() };
    for query in [
        queries::tenants(TenantKeys::Ids(&[id()])),
        queries::tenants(TenantKeys::Slugs(&texts)),
        queries::tenants(TenantKeys::SlugsOrGroups(&texts, &texts)),
        queries::users(UserKeys::Ids(&[id()])),
        queries::users(UserKeys::Identity(&identity)),
        queries::subscriptions(SubscriptionKeys::Ids(&[id()])),
        queries::subscriptions(SubscriptionKeys::LiveOfTenants(&[id()])),
        queries::audit_events(&[id()]),
    ] {
        violations.check(&db, &query.sql, AllowedPlan::SearchOnly);
    }
    violations.check(&db, queries::TOMBSTONE, AllowedPlan::SearchOnly);
}

#[test]
fn writes_search_an_index() {
    let db = prepared_database();
    let mut violations = Violations::default();
    for sql in change_feed::STATEMENTS {
        violations.check(&db, sql, AllowedPlan::SearchOnly);
    }
    for sql in commit::statements() {
        violations.check(&db, &sql, AllowedPlan::SearchOnly);
    }
    for sql in [rows::tenant::UPDATE, rows::tenant::DELETE_DOMAINS, rows::subscription::UPDATE] {
        violations.check(&db, sql, AllowedPlan::SearchOnly);
    }
    for sql in idempotency::STATEMENTS {
        violations.check(&db, sql, AllowedPlan::SearchOnly);
    }
    for sql in outbox::STATEMENTS {
        violations.check(&db, sql, AllowedPlan::SearchOnly);
    }
    for sql in search_keys::STATEMENTS {
        violations.check(&db, sql, AllowedPlan::SearchOnly);
    }
}

#[test]
fn owner_check_uses_the_role_index() {
    let owner = commit::statements().into_iter().find(|sql| sql.contains("'owner'"));
    let steps = plan(&prepared_database(), &owner.expect("the statement"));
    assert!(steps.iter().any(|step| step.contains("memberships_of_role")), "{steps:?}");
}

#[test]
fn live_subscriptions_use_their_partial_index() {
    let query = queries::subscriptions(SubscriptionKeys::LiveOfTenants(&[id()]));
    let steps = plan(&prepared_database(), &query.sql);
    assert!(steps.iter().any(|step| step.contains("subscriptions_live")), "{steps:?}");
}

#[test]
fn member_pages_and_counts_search_an_index() {
    let db = prepared_database();
    let mut violations = Violations::default();
    for role in [None, Some(TenantRole::Owner)] {
        let filter = MemberFilter { role };
        for page in page_requests() {
            violations.check(
                &db,
                &members::page_statement(&filter, &page),
                AllowedPlan::SearchOnly,
            );
        }
        violations.check(&db, members::count_statement(&filter), AllowedPlan::SearchOnly);
    }
}

fn scopes() -> [TenantScope; 2] {
    [TenantScope::Everything, TenantScope::Tenants(vec![id::<crate::domain::id::kind::Tenant>()])]
}

#[test]
fn tenant_lists_use_an_index() {
    let db = prepared_database();
    let mut violations = Violations::default();
    for order in orders(TenantOrderField::ALL) {
        for scope in scopes() {
            for status in subsets(TenantStatus::ALL) {
                for plan in subsets(Plan::ALL) {
                    for search in [None, Some("a".to_owned())] {
                        for domain in [None, Some("a".to_owned())] {
                            let is_filtered = search.is_some() || domain.is_some();
                            let is_scoped = scope != TenantScope::Everything;
                            let allowed = if is_filtered || is_scoped {
                                AllowedPlan::Sort
                            } else {
                                AllowedPlan::IndexScan
                            };
                            let (status, plan) = (status.clone(), plan.clone());
                            let search = search.clone();
                            let filter = TenantFilter { status, plan, search, domain };
                            let listing =
                                Listing { scope: scope.clone(), filter, order: order.into() };
                            violations.check_list(&db, || lists::tenants(&listing), allowed);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn user_lists_use_an_index() {
    let db = prepared_database();
    let mut violations = Violations::default();
    let flags = [None, Some(true), Some(false)];
    for order in orders(UserOrderField::ALL) {
        for search in [None, Some("a".to_owned())] {
            for platform_admin in flags {
                for disabled in flags {
                    for tenant in [None, Some(id())] {
                        let is_filtered = search.is_some() || tenant.is_some();
                        let allowed =
                            if is_filtered { AllowedPlan::Sort } else { AllowedPlan::IndexScan };
                        let search = search.clone();
                        let filter = UserFilter { search, platform_admin, disabled, tenant };
                        let listing =
                            Listing { scope: TenantScope::Everything, filter, order: order.into() };
                        violations.check_list(&db, || lists::users(&listing), allowed);
                    }
                }
            }
        }
    }
}

#[test]
fn subscription_lists_use_an_index() {
    let db = prepared_database();
    let mut violations = Violations::default();
    for order in orders(SubscriptionOrderField::ALL) {
        for scope in scopes() {
            for status in subsets(TenantSubscriptionStatus::ALL) {
                for plan in subsets(Plan::ALL) {
                    for tenant in [None, Some(id())] {
                        let is_filtered = scope != TenantScope::Everything || tenant.is_some();
                        let allowed =
                            if is_filtered { AllowedPlan::Sort } else { AllowedPlan::IndexScan };
                        let (status, plan) = (status.clone(), plan.clone());
                        let filter = SubscriptionFilter { status, plan, tenant };
                        let listing = Listing { scope: scope.clone(), filter, order };
                        violations.check_list(&db, || lists::subscriptions(&listing), allowed);
                    }
                }
            }
        }
    }
}

/// The pages of a search in the order of the matched key are merged without a sort.
#[test]
fn searches_in_the_order_of_the_key_never_sort() {
    let db = prepared_database();
    let mut violations = Violations::default();
    for text in ["a", "abc", "a text that is longer than all classes of keys"] {
        for status in subsets(TenantStatus::ALL) {
            let filter = TenantFilter { status, search: Some(text.into()), ..Default::default() };
            let scope = TenantScope::Everything;
            let listing = Listing { scope, filter, order: ListOrder::MatchedKey };
            violations.check_list(&db, || lists::tenants(&listing), AllowedPlan::SearchOnly);
        }
        for disabled in [None, Some(true)] {
            let filter = UserFilter { disabled, search: Some(text.into()), ..Default::default() };
            let scope = TenantScope::Everything;
            let listing = Listing { scope, filter, order: ListOrder::MatchedKey };
            violations.check_list(&db, || lists::users(&listing), AllowedPlan::SearchOnly);
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
fn audit_lists_never_sort() {
    let db = prepared_database();
    let mut violations = Violations::default();
    for filter in audit_filters() {
        violations.check_list(&db, || lists::audit_events(&filter), AllowedPlan::IndexScan);
    }
}
