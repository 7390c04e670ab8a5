//! Translates listings into queries and reads pages of them.
//!
//! Four lists may sort matches of an index that does not have their order: a viewer's own tenants,
//! the subscriptions of these tenants, the users of a tenant, and a limited number of matches of a
//! search in the order of a field. The server keeps only as many matches as the page holds.
//! `tests/it/mongo/explain/` fails on any other sort. `searches` has the other pages of a search.

use mongodb::bson::{Bson, Document, RawDocument, doc};

use super::{
    collection::RawCollection,
    documents::{DecodeResult, date, decode_or_log, oid},
    errors::with_timeout,
    indexes::name_collation,
    keyset::{Keyset, reading_direction},
    positions::{SortKeyType, StoredPosition, value_of},
    queries::{batch_size_for, for_each_document, id_filter},
};
use crate::{
    domain::{
        invitation::InvitationStatus,
        list::{
            AuditListing, Direction, InvitationListing, Item, Order, Page, PageRequest,
            SubscriptionListing, SubscriptionOrderField, TenantListing, TenantOrderField,
            TenantScope, UserListing, UserOrderField,
        },
        subscription::TenantSubscriptionStatus,
        tenant::{Plan, TenantStatus},
        time::Timestamp,
    },
    store::StoreError,
};

/// The query of a list, apart from a search. A document is in the list if it meets all conditions.
pub(super) struct ListQuery {
    conditions: Vec<Document>,
    keyset: Keyset,
    /// True if an index finds the documents by one of the conditions, and they are few.
    finds_few: bool,
    /// True if the list has at most one document, which needs no sort.
    is_single: bool,
}

pub(super) fn tenants(listing: &TenantListing) -> ListQuery {
    let Order { field, direction } = listing.order.field_or(TenantOrderField::CreatedAt);
    let (field, kind) = match field {
        TenantOrderField::CreatedAt => ("createdAt", SortKeyType::Time),
        TenantOrderField::UpdatedAt => ("updatedAt", SortKeyType::Time),
        TenantOrderField::Name => ("name", SortKeyType::Text),
        TenantOrderField::Slug => ("slug", SortKeyType::Text),
    };
    let mut list = ListQuery::new(Keyset { field, kind, direction });
    list.filter_scope("_id", &listing.scope);
    let filter = &listing.filter;
    list.filter_in("status", &filter.status, TenantStatus::as_str, Some(TenantStatus::Active));
    list.filter_in("plan", &filter.plan, Plan::as_str, Some(Plan::Free));
    if let Some(domain) = &filter.domain {
        list.conditions.push(doc! { "domains": domain });
        (list.is_single, list.finds_few) = (true, true);
    }
    list
}

pub(super) fn users(listing: &UserListing) -> ListQuery {
    let Order { field, direction } = listing.order.field_or(UserOrderField::CreatedAt);
    let (field, kind) = match field {
        UserOrderField::CreatedAt => ("createdAt", SortKeyType::Time),
        UserOrderField::UpdatedAt => ("updatedAt", SortKeyType::Time),
        UserOrderField::Name => ("name", SortKeyType::Text),
    };
    let mut list = ListQuery::new(Keyset { field, kind, direction });
    list.filter_scope("memberships.tenantId", &listing.scope);
    let filter = &listing.filter;
    list.filter_flag("platformAdmin", filter.platform_admin);
    list.filter_flag("disabled", filter.disabled);
    if let Some(tenant) = filter.tenant {
        list.conditions.push(doc! { "memberships.tenantId": oid(tenant.raw) });
        list.finds_few = true;
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
    list.filter_scope("tenantId", &listing.scope);
    let filter = &listing.filter;
    list.filter_in("status", &filter.status, TenantSubscriptionStatus::as_str, None);
    list.filter_in("plan", &filter.plan, Plan::as_str, None);
    if let Some(tenant) = filter.tenant {
        list.conditions.push(doc! { "tenantId": oid(tenant.raw) });
    }
    list
}

pub(super) fn invitations(listing: &InvitationListing) -> ListQuery {
    let direction = Direction::Desc;
    let mut list =
        ListQuery::new(Keyset { field: "createdAt", kind: SortKeyType::Time, direction });
    list.conditions.push(doc! { "tenantId": oid(listing.tenant.raw) });
    if !listing.status.is_empty() {
        let now = date(listing.now);
        let conditions = listing.status.iter().flat_map(|status| match status {
            InvitationStatus::Pending => vec![pending_after(listing.now)],
            InvitationStatus::Expired => vec![
                doc! { "status": status.as_str() },
                doc! { "status": InvitationStatus::Pending.as_str(), "expiresAt": { "$lte": now } },
            ],
            InvitationStatus::Accepted | InvitationStatus::Revoked => {
                vec![doc! { "status": status.as_str() }]
            }
        });
        let mut conditions: Vec<Document> = conditions.collect();
        list.conditions.push(match conditions.pop() {
            Some(only) if conditions.is_empty() => only,
            last => {
                conditions.extend(last);
                doc! { "$or": conditions }
            }
        });
    }
    list
}

/// Matches invitations that are pending at a time.
pub(super) fn pending_after(now: Timestamp) -> Document {
    let status = InvitationStatus::Pending.as_str();
    doc! { "status": status, "expiresAt": { "$gt": date(now) } }
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

impl ListQuery {
    fn new(keyset: Keyset) -> Self {
        Self { conditions: Vec::new(), keyset, finds_few: false, is_single: false }
    }

    fn filter_scope(&mut self, field: &str, scope: &TenantScope) {
        if let TenantScope::Tenants(tenants) = scope {
            self.conditions.push(doc! { field: id_filter(tenants) });
            self.finds_few = true;
        }
    }

    /// Requires one of these values, or any value if the list is empty. A document without the
    /// field has the value `absent`.
    fn filter_in<T: Copy + PartialEq>(
        &mut self,
        field: &str,
        values: &[T],
        as_str: fn(T) -> &'static str,
        absent: Option<T>,
    ) {
        if values.is_empty() {
            return;
        }
        let mut stored: Vec<Bson> = values.iter().map(|value| as_str(*value).into()).collect();
        if absent.is_some_and(|absent| values.contains(&absent)) {
            stored.push(Bson::Null);
        }
        self.conditions.push(doc! { field: { "$in": stored } });
    }

    /// Requires the value of a flag, which is false if it is absent. `None` requires nothing.
    fn filter_flag(&mut self, field: &str, value: Option<bool>) {
        match value {
            Some(true) => self.conditions.push(doc! { field: true }),
            Some(false) => self.conditions.push(doc! { field: { "$ne": true } }),
            None => {}
        }
    }

    pub(super) const fn finds_few(&self) -> bool {
        self.finds_few
    }

    pub(super) fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Matches the documents that meet all conditions.
    pub(super) fn filter(&self) -> Document {
        match &self.conditions[..] {
            [] => doc! {},
            conditions => doc! { "$and": conditions },
        }
    }

    /// Restricts the list to the documents with these identifiers.
    pub(super) fn with_ids(mut self, ids: Vec<Bson>) -> Self {
        self.conditions.push(doc! { "_id": { "$in": ids } });
        self
    }

    /// Reads a page, in one command.
    pub(super) async fn read_page<T>(
        mut self,
        collection: &RawCollection,
        page: &PageRequest,
        decode: impl Fn(&RawDocument) -> DecodeResult<T>,
    ) -> Result<Page<T>, StoreError> {
        let keyset = self.keyset;
        self.conditions.extend(keyset.bounds(page));
        let size = batch_size_for(page.size);
        let mut query = collection
            .find_without_search_keys(self.filter())
            .limit(size.into())
            // One more than the limit, so that the server does not keep the cursor open for an
            // empty batch.
            .batch_size(size.saturating_add(1));
        if !self.is_single {
            query = query.sort(keyset.sort(page));
        }
        // No index of a condition has the collation, so a list of one document goes without it.
        if keyset.kind == SortKeyType::Text && !self.is_single {
            query = query.collation(name_collation());
        }
        let mut items = Vec::with_capacity(page.size + 1);
        let mut with_elements = Vec::new();
        for_each_document(collection.command("find"), query.batch(), |raw| {
            let position = keyset.position_of(raw).unwrap_or_else(|| {
                let id = value_of(raw, "_id");
                with_elements.push((items.len(), id.clone()));
                StoredPosition { key: Bson::Null, id }
            });
            let node = decode_or_log(collection.name(), raw, &decode);
            items.push(Item { position: position.into_position(keyset.kind), node });
        })
        .await?;
        if !with_elements.is_empty() {
            let reading = reading_direction(keyset.direction, page.edge);
            let keys = keyset.keys_of_arrays(collection, reading, &with_elements).await?;
            for (index, id) in with_elements {
                let key = keys.iter().find(|position| position.id == id);
                if let (Some(key), Some(item)) = (key, items.get_mut(index)) {
                    item.position = key.clone().into_position(keyset.kind);
                }
            }
        }
        Ok(Page::from_lookahead(page, items))
    }

    /// Returns the number of documents of a list whose conditions have an index, in one command.
    pub(super) async fn count_by_conditions(
        self,
        collection: &RawCollection,
    ) -> Result<u64, StoreError> {
        count_documents(collection, self.filter()).await
    }

    /// Returns the number of documents of the list, in one command.
    pub(super) async fn count(mut self, collection: &RawCollection) -> Result<u64, StoreError> {
        // The condition makes sure that there is an index to count by. It excludes nothing.
        self.conditions.push(doc! { "_id": { "$gte": Bson::MinKey } });
        count_documents(collection, self.filter()).await
    }
}

impl Keyset {
    /// Returns the positions of documents with an array in the sort field. Only the server knows the
    /// order of the elements, so this takes a command of its own.
    async fn keys_of_arrays(
        &self,
        collection: &RawCollection,
        reading: Direction,
        documents: &[(usize, Bson)],
    ) -> Result<Vec<StoredPosition>, StoreError> {
        let ids: Vec<&Bson> = documents.iter().map(|(_, id)| id).collect();
        let pipeline = [
            doc! { "$match": { "_id": { "$in": ids } } },
            doc! { "$project": { "key": self.key_expression(reading) } },
        ];
        let mut query = collection.aggregate(pipeline);
        if self.kind == SortKeyType::Text {
            query = query.collation(name_collation());
        }
        let mut keys = Vec::with_capacity(documents.len());
        for_each_document(collection.command("aggregate"), query.batch(), |raw| {
            keys.push(StoredPosition { key: value_of(raw, "key"), id: value_of(raw, "_id") });
        })
        .await?;
        Ok(keys)
    }
}

pub(super) async fn count_documents(
    collection: &RawCollection,
    filter: Document,
) -> Result<u64, StoreError> {
    let count = collection.count_documents(filter);
    with_timeout(collection.command("aggregate"), count).await
}
