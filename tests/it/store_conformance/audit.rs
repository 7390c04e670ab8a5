//! The audit log: every combination of filters.

use std::sync::Arc;

use tenantry::{
    domain::{
        audit::AuditEvent,
        change::Change,
        list::{AuditFilter, PageEdge},
    },
    store::Store,
};

use super::{for_each_store, must_commit, pagination::walk};
use crate::support::entities::{event, id, some, time};

for_each_store!(audit_filters_can_be_combined);

fn all_events() -> Vec<AuditEvent> {
    let make = |n: u32| AuditEvent {
        at: time((n / 2).into()),
        action: ["tenant.update", "tenant.create", "user.sync"][n as usize % 3].to_owned(),
        actor: (!n.is_multiple_of(4)).then(|| id(n % 4)),
        tenants: (0..n % 3).map(|tenant| id(1 + tenant)).collect(),
        ..event(n)
    };
    (0..24).map(make).collect()
}

fn matches_filter(filter: &AuditFilter, event: &AuditEvent) -> bool {
    filter.tenant.is_none_or(|tenant| event.tenants.contains(&tenant))
        && filter.actor.is_none_or(|actor| event.actor == Some(actor))
        && filter.action.as_ref().is_none_or(|action| event.action == *action)
        && filter.since.is_none_or(|since| event.at >= since)
        && filter.until.is_none_or(|until| event.at < until)
}

fn filters() -> Vec<AuditFilter> {
    let mut all = Vec::new();
    for tenant in [None, Some(id(1)), Some(id(2)), Some(id(99))] {
        for actor in [None, Some(id(1)), Some(id(99))] {
            // An action must match exactly. A prefix of it matches nothing.
            for action in [None, some("tenant.update"), some("tenant")] {
                for since in [None, Some(time(4)), Some(time(90))] {
                    for until in [None, Some(time(4)), Some(time(8))] {
                        let action = action.clone();
                        all.push(AuditFilter { tenant, actor, action, since, until });
                    }
                }
            }
        }
    }
    all
}

async fn audit_filters_can_be_combined(store: Arc<dyn Store>) {
    must_commit(&*store, all_events().into_iter().map(Change::InsertAuditEvent)).await;
    for filter in filters() {
        let mut expected: Vec<_> =
            all_events().into_iter().filter(|event| matches_filter(&filter, event)).collect();
        expected.sort_by_key(|event| (event.at, event.id));
        expected.reverse();
        let read_page = async |page_request: &_| {
            store.audit_page(&filter, page_request).await.expect("read succeeds")
        };
        let visited = walk(7, PageEdge::First, &read_page, async |_| {}).await;
        let visited: Vec<_> =
            visited.into_iter().map(|item| item.node.expect("readable")).collect();
        assert_eq!(visited, expected, "{filter:?}");
        let count = store.count_audit_events(&filter).await.expect("count succeeds");
        assert_eq!(count, expected.len() as u64, "{filter:?}");
    }
}
