//! Paging visits each document once, in every list and order and in both directions, although sort
//! fields and identifiers have values of every type.

use std::collections::HashSet;

use mongodb::bson::{
    Binary, Bson, DateTime, Document, JavaScriptCodeWithScope, Regex, Timestamp, doc,
    spec::BinarySubtype,
};
use serde_json::{Value, json};
use tenantry::{
    domain::list::{
        AuditFilter, Direction, Item, ListOrder, Listing, MemberFilter, Order, Page, Position,
        SubscriptionFilter, SubscriptionOrderField, TenantFilter, TenantListing, TenantOrderField,
        TenantScope, UserFilter, UserListing, UserOrderField,
    },
    store::{Store, StoreError, mongo::MongoStore},
};

use super::*;
use crate::support::{
    app::{App, Backend},
    mongod::FreshDatabase,
};

/// Returns values of every type that BSON has. `of_field` are values of the field's own type.
fn values(of_field: &[Bson]) -> Vec<Bson> {
    let binary = Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2] };
    let code = JavaScriptCodeWithScope { code: "x".to_owned(), scope: doc! { "x": 1 } };
    let regex = Regex {
        pattern: "a".try_into().expect("a pattern"),
        options: "i".try_into().expect("options"),
    };
    let mut values: Vec<Bson> = vec![
        Bson::MinKey,
        Bson::Undefined,
        Bson::Null,
        f64::NAN.into(),
        (-5).into(),
        5_i64.into(),
        5.5.into(),
        "2025".into(),
        "$name".into(),
        Bson::Symbol("symbol".to_owned()),
        doc! {}.into(),
        doc! { "$gt": 1 }.into(),
        binary.into(),
        oid(7).into(),
        false.into(),
        true.into(),
        DateTime::from_millis(i64::MIN).into(),
        DateTime::from_millis(i64::MAX).into(),
        date(5).into(),
        Timestamp { time: 1, increment: 1 }.into(),
        regex.into(),
        Bson::JavaScriptCode("x".to_owned()),
        code.into(),
        Bson::MaxKey,
        Bson::Array(vec![]),
        vec![Bson::from(5), "b".into()].into(),
        vec![Bson::Boolean(true), Bson::Null].into(),
    ];
    for value in of_field {
        values.push(value.clone());
        values.push(value.clone());
        values.push(vec![value.clone(), Bson::from(7)].into());
    }
    values.push(vec![of_field[0].clone(), of_field[1].clone()].into());
    values
}

fn times() -> Vec<Bson> {
    values(&[date(3).into(), date(8).into(), date(8).into()])
}

fn texts() -> Vec<Bson> {
    let mut values = values(&["Bob".into(), "ada".into(), "Ädá".into(), "ADA".into()]);
    // An index with a collation has no symbols.
    values.retain(|value| !matches!(value, Bson::Symbol(_)));
    values
}

/// Returns documents with these values in a field, then documents without it, and some whose
/// identifier is no `ObjectId`.
fn damaged(valid: impl Fn(u32) -> Document, field: &str, values: &[Bson]) -> Vec<Document> {
    let mut all = Vec::new();
    for value in values.iter().cloned().map(Some).chain([None, None]) {
        let mut document = valid(all.len() as u32);
        document.remove(field);
        if let Some(value) = value {
            document.insert(field, value);
        }
        all.push(document);
    }
    let ids = [Bson::from("an id"), 7.into(), doc! { "a": 1 }.into(), true.into(), Bson::Null];
    for id in ids {
        let n = all.len() as u32;
        let mut document = valid(n);
        document.insert("_id", id);
        if n.is_multiple_of(2) {
            document.insert(field, values[values.len() - 2].clone());
        }
        all.push(document);
    }
    all
}

/// Reads all pages of a list, of some sizes and from both ends, and asserts that each document is
/// visited once, and that the number is the count.
async fn assert_each_is_visited_once<T, F>(list: &str, size: usize, read: F)
where
    T: std::fmt::Debug,
    F: AsyncFn(&PageRequest) -> Result<Page<T>, StoreError>,
{
    for page_size in [1, 2, 5, 100] {
        for edge in [PageEdge::First, PageEdge::Last] {
            let case = format!("{list} by {page_size} from {edge:?}");
            let mut visited: Vec<Position> = Vec::new();
            let mut request = PageRequest { size: page_size, edge, after: None, before: None };
            loop {
                let page = read(&request).await.unwrap_or_else(|error| panic!("{case}: {error}"));
                let positions = page.items.iter().map(|item: &Item<T>| item.position.clone());
                visited.extend(positions);
                let (has_more, next) = match edge {
                    PageEdge::First => (page.has_next, page.items.last()),
                    PageEdge::Last => (page.has_previous, page.items.first()),
                };
                let next = next.map(|item| item.position.clone());
                match edge {
                    PageEdge::First => request.after = next,
                    PageEdge::Last => request.before = next,
                }
                if !has_more {
                    break;
                }
                assert!(visited.len() <= size, "{case}: paging does not end: {visited:?}");
            }
            let distinct: HashSet<&Position> = visited.iter().collect();
            assert_eq!((visited.len(), distinct.len()), (size, size), "{case}: {visited:#?}");
        }
    }
}

fn directions<F: Copy>(field: F) -> [Order<F>; 2] {
    [Direction::Asc, Direction::Desc].map(|direction| Order { field, direction })
}

async fn prepared(collection: &str, documents: Vec<Document>) -> (FreshDatabase, MongoStore) {
    let fresh = FreshDatabase::new().await;
    let store = fresh.prepared().await;
    fresh.insert(collection, documents).await;
    (fresh, store)
}

#[tokio::test]
async fn every_order_of_tenants_has_each_document_once() {
    let valid = |n: u32| doc! { "_id": oid(n), "slug": format!("t-{n:03}"), "name": "T", "createdAt": date(4), "updatedAt": date(4) };
    for (field, order) in [
        ("createdAt", TenantOrderField::CreatedAt),
        ("updatedAt", TenantOrderField::UpdatedAt),
        ("name", TenantOrderField::Name),
        ("slug", TenantOrderField::Slug),
    ] {
        let mut values = if field.ends_with("At") { times() } else { texts() };
        if field == "slug" {
            // Slugs are unique.
            let mut seen = HashSet::new();
            values.retain(|value| {
                let texts: Vec<_> = match value {
                    Bson::String(text) => vec![text.clone()],
                    Bson::Array(all) => {
                        all.iter().filter_map(|v| Some(v.as_str()?.to_owned())).collect()
                    }
                    _ => Vec::new(),
                };
                texts.is_empty() || texts.iter().all(|text| seen.insert(text.clone()))
            });
        }
        let mut documents = damaged(valid, field, &values);
        if field == "slug" {
            for (n, document) in (0..).zip(documents.iter_mut().rev().take(5)) {
                document.insert("slug", format!("z-{n}"));
            }
        }
        let (ids, size) = ((0..documents.len() as u32).map(id).collect(), documents.len());
        let (_fresh, store) = prepared("tenants", documents).await;
        for order in directions(order) {
            let mut listing = TenantListing {
                scope: TenantScope::Everything,
                filter: TenantFilter::default(),
                order: order.into(),
            };
            let read = async |page: &PageRequest| store.tenant_page(&listing, page).await;
            assert_each_is_visited_once(&format!("{order:?}"), size, read).await;
            assert_eq!(store.count_tenants(&listing).await.expect("a count"), size as u64);
            listing.scope = TenantScope::Tenants(Clone::clone(&ids));
            let read = async |page: &PageRequest| store.tenant_page(&listing, page).await;
            assert_each_is_visited_once(&format!("own {order:?}"), size - 5, read).await;
        }
    }
}

#[tokio::test]
async fn every_order_of_users_and_members_has_each_document_once() {
    let valid = |n: u32| {
        doc! {
            "_id": oid(n), "subject": n.to_string(), "name": "U", "createdAt": date(4), "updatedAt": date(4),
            "memberships": [{ "tenantId": oid(1), "role": "member" }],
        }
    };
    for (field, order) in [
        ("createdAt", UserOrderField::CreatedAt),
        ("updatedAt", UserOrderField::UpdatedAt),
        ("name", UserOrderField::Name),
    ] {
        let values = if field.ends_with("At") { times() } else { texts() };
        let documents = damaged(valid, field, &values);
        let size = documents.len();
        let (fresh, store) = prepared("users", documents).await;
        let tenant = doc! { "_id": oid(1), "slug": "acme", "name": "Acme" };
        fresh.insert("tenants", vec![tenant]).await;
        for order in directions(order) {
            for tenant in [None, Some(id(1))] {
                let filter = UserFilter { tenant, ..UserFilter::default() };
                let listing =
                    Listing { scope: TenantScope::Everything, filter, order: order.into() };
                let read = async |page: &PageRequest| store.user_page(&listing, page).await;
                assert_each_is_visited_once(&format!("{order:?} {tenant:?}"), size, read).await;
            }
        }
        let filter = MemberFilter::default();
        let read = async |page: &PageRequest| {
            let mut pages = store.member_pages(&[id(1)], &filter, page).await?;
            Ok(pages.remove(&id(1)).expect("a page"))
        };
        assert_each_is_visited_once("members", size, read).await;
    }
}

#[tokio::test]
async fn every_order_of_subscriptions_has_each_document_once() {
    let valid = |n: u32| {
        doc! {
            "_id": oid(n), "tenantId": oid(1), "plan": "free", "status": "canceled",
            "createdAt": date(4), "updatedAt": date(4), "currentPeriodEnd": date(4),
        }
    };
    for (field, order) in [
        ("createdAt", SubscriptionOrderField::CreatedAt),
        ("updatedAt", SubscriptionOrderField::UpdatedAt),
        ("currentPeriodEnd", SubscriptionOrderField::CurrentPeriodEnd),
    ] {
        let documents = damaged(valid, field, &times());
        let size = documents.len();
        let (_fresh, store) = prepared("subscriptions", documents).await;
        for order in directions(order) {
            for tenant in [None, Some(id(1))] {
                let filter = SubscriptionFilter { tenant, ..SubscriptionFilter::default() };
                let listing = Listing { scope: TenantScope::Everything, filter, order };
                let read = async |page: &PageRequest| store.subscription_page(&listing, page).await;
                assert_each_is_visited_once(&format!("{order:?} {tenant:?}"), size, read).await;
            }
        }
    }
}

#[tokio::test]
async fn audit_logs_have_each_document_once() {
    let valid = |n: u32| {
        doc! {
            "_id": oid(n), "at": date(4), "action": "x", "actorKind": "system", "tenantIds": [oid(1)],
        }
    };
    let mut times = times();
    // An index has no documents with arrays in two of its fields.
    times.retain(|value| !matches!(value, Bson::Array(_)));
    let documents = damaged(valid, "at", &times);
    let size = documents.len();
    let (_fresh, store) = prepared("auditEvents", documents).await;
    for tenant in [None, Some(id(1))] {
        let filter = AuditFilter { tenant, ..AuditFilter::default() };
        let read = async |page: &PageRequest| store.audit_page(&filter, page).await;
        assert_each_is_visited_once(&format!("audit log {tenant:?}"), size, read).await;
        assert_eq!(store.count_audit_events(&filter).await.expect("a count"), size as u64);
    }
}

#[tokio::test]
async fn searches_have_each_document_once() {
    let valid = |n: u32| {
        doc! {
            "_id": oid(n), "subject": n.to_string(), "name": "Ada", "email": "ada@example.org",
            "createdAt": date(4), "memberships": [{ "tenantId": oid(1), "role": "member" }],
        }
    };
    let documents = damaged(valid, "createdAt", &times());
    let size = documents.len();
    let (fresh, _) = prepared("users", documents).await;
    // The documents get their search keys at the next start.
    let store = fresh.prepared().await;
    let by_time = Order { field: UserOrderField::CreatedAt, direction: Direction::Desc };
    for order in [ListOrder::MatchedKey, by_time.into()] {
        for tenant in [None, Some(id(1))] {
            let search = Some("ada".to_owned());
            let filter = UserFilter { search, tenant, ..UserFilter::default() };
            let listing = UserListing { scope: TenantScope::Everything, filter, order };
            let read = async |page: &PageRequest| store.user_page(&listing, page).await;
            assert_each_is_visited_once(&format!("search {order:?} {tenant:?}"), size, read).await;
            assert_eq!(store.count_users(&listing).await.expect("a count"), size as u64);
        }
    }
}

/// A client sees a damaged document as null with an error, once, and its cursor leads on.
#[tokio::test]
async fn client_pages_over_damaged_documents() {
    let app = App::on(Backend::Mongo).await;
    let mongo = app.mongo.as_ref().expect("an app on MongoDB");
    let admin = doc! { "_id": oid(1), "subject": "ada", "name": "Ada", "platformAdmin": true };
    mongo.insert("users", vec![admin]).await;
    let token = app.token("ada", []);
    let tenants = damaged(
        |n| doc! { "_id": oid(n), "slug": format!("t-{n:03}"), "name": "T", "createdAt": date(4) },
        "createdAt",
        &times(),
    );
    let expected = tenants.len();
    mongo.insert("tenants", tenants).await;
    let document = "query($after: String) { tenants(first: 2, after: $after) {
        nodes { id } pageInfo { endCursor hasNextPage } } }";
    let (mut after, mut nulls, mut ids) = (Value::Null, 0, HashSet::new());
    loop {
        let reply = app.query_with_variables(&token, document, json!({ "after": after })).await;
        let connection = &reply.json["data"]["tenants"];
        let nodes = connection["nodes"].as_array().unwrap_or_else(|| panic!("{}", reply.body));
        let null_nodes = nodes.iter().filter(|node| node.is_null()).count();
        assert_eq!(reply.codes(), vec!["INTERNAL"; null_nodes]);
        nulls += null_nodes;
        ids.extend(nodes.iter().filter_map(|node| Some(node["id"].as_str()?.to_owned())));
        if connection["pageInfo"]["hasNextPage"] != json!(true) {
            break;
        }
        after = connection["pageInfo"]["endCursor"].clone();
        assert!(nulls + ids.len() <= expected, "paging does not end");
    }
    assert_eq!(nulls + ids.len(), expected);
    assert!(nulls > 30 && ids.len() >= 8, "{nulls} {}", ids.len());
}
