//! Lists: what they hold, and a page of them.

use mongodb::bson::{Bson, Document, RawDocument, doc};

use super::{
    RawCollection,
    documents::{DecodeResult, date, decode_or_log, id_of, oid},
    indexes::name_collation,
    keyset::{Keyset, SortKeyType, min_object_id},
    queries::{batch_size_for, for_each_document, id_filter},
};
use crate::{
    domain::{
        list::{
            AuditListing, Direction, Item, Order, Page, PageRequest, Position, SubscriptionListing,
            SubscriptionOrderField, TenantListing, TenantOrderField, TenantScope, UserListing,
            UserOrderField,
        },
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
    },
    store::StoreError,
};

/// A list as a query: every condition holds.
pub(super) struct ListQuery {
    pub(super) conditions: Vec<Document>,
    keyset: Keyset,
    /// It looks for a beginning of names, so it compares as names do.
    pub(super) search: bool,
    /// It can hold one document at most, which needs no sort.
    single: bool,
}

pub(super) fn tenants(listing: &TenantListing) -> ListQuery {
    let Order { field, direction } = listing.order;
    let (field, kind) = match field {
        TenantOrderField::CreatedAt => ("createdAt", SortKeyType::Time),
        TenantOrderField::UpdatedAt => ("updatedAt", SortKeyType::Time),
        TenantOrderField::Name => ("name", SortKeyType::Text),
        TenantOrderField::Slug => ("slug", SortKeyType::Text),
    };
    let mut list = ListQuery::new(Keyset { field, kind, direction });
    list.scope("_id", &listing.scope);
    let filter = &listing.filter;
    list.filter_in("status", &filter.status, TenantStatus::as_str, Some(TenantStatus::Active));
    list.filter_in("plan", &filter.plan, Plan::as_str, Some(Plan::Free));
    if let Some(domain) = &filter.domain {
        list.conditions.push(doc! { "domains": domain });
        list.single = true;
    }
    if let Some(prefix) = &filter.search {
        let range = starts_with(prefix);
        // Both ends of the range have to hold for one and the same domain.
        list.search_any(vec![
            doc! { "slug": &range },
            doc! { "name": &range },
            doc! { "domains": { "$elemMatch": range } },
        ]);
    }
    list
}

pub(super) fn users(listing: &UserListing) -> ListQuery {
    let Order { field, direction } = listing.order;
    let (field, kind) = match field {
        UserOrderField::CreatedAt => ("createdAt", SortKeyType::Time),
        UserOrderField::UpdatedAt => ("updatedAt", SortKeyType::Time),
        UserOrderField::Name => ("name", SortKeyType::Text),
    };
    let mut list = ListQuery::new(Keyset { field, kind, direction });
    list.scope("memberships.tenantId", &listing.scope);
    let filter = &listing.filter;
    list.filter_flag("platformAdmin", filter.platform_admin);
    list.filter_flag("disabled", filter.disabled);
    if let Some(tenant) = filter.tenant {
        list.conditions.push(doc! { "memberships.tenantId": oid(tenant.raw) });
    }
    if let Some(prefix) = &filter.search {
        let range = starts_with(prefix);
        list.search_any(vec![doc! { "name": &range }, doc! { "email": range }]);
    }
    list
}

pub(super) fn subscriptions(listing: &SubscriptionListing) -> ListQuery {
    let Order { field, direction } = listing.order;
    let field = match field {
        SubscriptionOrderField::CreatedAt => "createdAt",
        SubscriptionOrderField::UpdatedAt => "updatedAt",
        SubscriptionOrderField::CurrentPeriodEnd => "currentPeriodEnd",
    };
    let mut list = ListQuery::new(Keyset { field, kind: SortKeyType::Time, direction });
    list.scope("tenantId", &listing.scope);
    let filter = &listing.filter;
    list.filter_in("status", &filter.status, TenantSubscriptionStatus::as_str, None);
    list.filter_in("plan", &filter.plan, Plan::as_str, None);
    if let Some(tenant) = filter.tenant {
        list.conditions.push(doc! { "tenantId": oid(tenant.raw) });
    }
    list
}

pub(super) fn audit_events(listing: &AuditListing) -> ListQuery {
    let direction = Direction::Desc;
    let mut list = ListQuery::new(Keyset { field: "at", kind: SortKeyType::Time, direction });
    if let Some(tenant) = listing.tenant {
        list.conditions.push(doc! { "tenantIds": oid(tenant.raw) });
    }
    if let Some(actor) = listing.actor {
        list.conditions.push(doc! { "actorId": oid(actor.raw) });
    }
    if let Some(action) = &listing.action {
        list.conditions.push(doc! { "action": action });
    }
    if let Some(since) = listing.since {
        list.conditions.push(doc! { "at": { "$gte": date(since) } });
    }
    if let Some(until) = listing.until {
        list.conditions.push(doc! { "at": { "$lt": date(until) } });
    }
    list
}

/// Everything that begins with it, without regard to case, under the collation of names:
/// U+FFFF sorts after every other character there.
fn starts_with(prefix: &str) -> Document {
    doc! { "$gte": prefix, "$lt": format!("{prefix}\u{ffff}") }
}

impl ListQuery {
    fn new(keyset: Keyset) -> Self {
        Self { conditions: Vec::new(), keyset, search: false, single: false }
    }

    fn scope(&mut self, field: &str, scope: &TenantScope) {
        if let TenantScope::Tenants(tenants) = scope {
            self.conditions.push(doc! { field: id_filter(tenants) });
        }
    }

    /// One of these values; a document without the field has the one that absence stands for.
    fn filter_in<T: Copy + PartialEq>(
        &mut self,
        field: &str,
        values: &[T],
        word: fn(T) -> &'static str,
        absent: Option<T>,
    ) {
        if values.is_empty() {
            return;
        }
        let mut words: Vec<Bson> = values.iter().map(|value| word(*value).into()).collect();
        if absent.is_some_and(|absent| values.contains(&absent)) {
            words.push(Bson::Null);
        }
        self.conditions.push(doc! { field: { "$in": words } });
    }

    /// A flag that is false where it is absent.
    fn filter_flag(&mut self, field: &str, wanted: Option<bool>) {
        match wanted {
            Some(true) => self.conditions.push(doc! { field: true }),
            Some(false) => self.conditions.push(doc! { field: { "$ne": true } }),
            None => {}
        }
    }

    fn search_any(&mut self, fields: Vec<Document>) {
        self.conditions.push(doc! { "$or": fields });
        self.search = true;
    }

    /// Reads a page, in one command.
    pub(super) async fn read<T>(
        self,
        collection: &RawCollection,
        window: &PageRequest,
        read: impl Fn(&RawDocument) -> DecodeResult<T>,
    ) -> Result<Page<T>, StoreError> {
        let keyset = self.keyset;
        let mut conditions = self.conditions;
        conditions.extend(keyset.bounds(window));
        let size = batch_size_for(window.size);
        let mut query = collection
            .find(doc! { "$and": conditions })
            .limit(size.into())
            // One more than the limit, or the server keeps the cursor open for a batch of nothing.
            .batch_size(size.saturating_add(1));
        if !self.single {
            query = query.sort(keyset.sort(window));
        }
        if self.search || keyset.kind == SortKeyType::Text {
            query = query.collation(name_collation());
        }
        let mut items = Vec::with_capacity(window.size + 1);
        for_each_document(collection.command("find"), query.batch(), |raw| {
            let Some(id) = id_of(raw) else { return };
            let position = Position { key: keyset.key_of(raw), id };
            items.push(Item { position, node: decode_or_log(collection.name(), raw, &read) });
        })
        .await?;
        Ok(Page::from_lookahead(window, items))
    }

    /// The conditions as one. By identifier where there are none: counting needs an index too.
    pub(super) fn filter(mut self) -> Document {
        self.conditions.push(doc! { "_id": { "$gte": min_object_id() } });
        doc! { "$and": self.conditions }
    }
}
