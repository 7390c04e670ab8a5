//! Pages and counts of lists with a search.
//!
//! In the order of the matched key, a page is a range of the index `{class, key, ownerId}` of the
//! search keys, one range per class ([`SearchKey::class`]). The server merges these ranges and reads
//! no more keys than the page has elements. So the cost does not depend on the number of matches.
//! Each range is written out, because the server does not merge the ranges of a `$in` inside of an
//! `$or`.
//!
//! A list of few documents (a viewer's own tenants, a tenant's users) starts from these documents,
//! whose field `search.keys` has the same keys. Their matches are sorted.
//!
//! [`SearchKey::class`]: crate::domain::search::SearchKey::class

use mongodb::bson::{Bson, Document, RawDocument, doc};

use super::{
    collection::RawCollection,
    connect::MongoStore,
    documents::{DecodeResult, decode_or_log, search::SearchOwner},
    keyset::{operator, sort_direction},
    pages::{ListQuery, count_documents},
    positions::{SortKeyType, StoredPosition, literal, value_of},
    queries::{batch_size_for, for_each_document},
};
use crate::{
    domain::{
        list::{Direction, Item, Page, PageEdge, PageRequest, Position},
        search::{MAX_SORTED_MATCHES, SearchPrefix},
    },
    store::StoreError,
};

/// The field of the matched key in the documents of a short list.
const MATCHED_KEY: &str = "matchedKey";
/// The maximum number of keys that one command reads in a list with other conditions.
const MAX_STEP: usize = 5_000;

/// The search of a list.
struct Search<'a> {
    /// The collection of the elements.
    owners: &'a RawCollection,
    /// The collection of their search keys.
    keys: &'a RawCollection,
    prefix: SearchPrefix,
    /// The list without the search.
    list: ListQuery,
}

impl MongoStore {
    fn search(&self, owner: SearchOwner, list: ListQuery, text: &str) -> Search<'_> {
        let (owners, keys) = self.search_collections(owner);
        Search { owners, keys, prefix: SearchPrefix::new(text), list }
    }

    /// Reads a page of a list. A search in the order of a field takes two commands.
    pub(super) async fn read_page<T>(
        &self,
        owner: SearchOwner,
        list: ListQuery,
        search: Option<&str>,
        is_by_key: bool,
        page: &PageRequest,
        decode: impl Fn(&RawDocument) -> DecodeResult<T>,
    ) -> Result<Page<T>, StoreError> {
        let (owners, _) = self.search_collections(owner);
        let Some(text) = search else { return list.read_page(owners, page, decode).await };
        let search = self.search(owner, list, text);
        if is_by_key {
            return search.read_page(page, decode).await;
        }
        let ids = search.find_ids().await?;
        search.list.with_ids(ids).read_page(owners, page, decode).await
    }

    /// Returns the number of elements of a list.
    pub(super) async fn count(
        &self,
        owner: SearchOwner,
        list: ListQuery,
        search: Option<&str>,
    ) -> Result<u64, StoreError> {
        match search {
            Some(text) => self.search(owner, list, text).count().await,
            None => list.count(self.search_collections(owner).0).await,
        }
    }
}

impl Search<'_> {
    /// Reads a page in the order of the matched key.
    ///
    /// This is one command. If the list has other conditions, or if another program deleted an
    /// element, a page may need more commands, each of which reads more keys than the one before.
    async fn read_page<T>(
        &self,
        page: &PageRequest,
        decode: impl Fn(&RawDocument) -> DecodeResult<T>,
    ) -> Result<Page<T>, StoreError> {
        if self.list.finds_few() {
            return self.read_short_list(page, decode).await;
        }
        let mut items = Vec::with_capacity(page.size + 1);
        let mut rest = page.clone();
        let mut step = page.size + 1;
        if self.list.has_conditions() {
            step *= 4;
        }
        loop {
            let (mut read, mut last) = (0, None);
            let query = self.keys.aggregate(self.page_pipeline(&rest, step));
            let query = query.batch_size(batch_size_for(step));
            for_each_document(self.keys.command("aggregate"), query.batch(), |raw| {
                let Some(position) = position(raw, "key", "ownerId") else { return };
                read += 1;
                last = Some(position.clone());
                let owner = raw.get_array("owner").ok().and_then(|all| all.get_document(0).ok());
                if let Some(owner) = owner {
                    let node = decode_or_log(self.owners.name(), owner, &decode);
                    items.push(Item { position, node });
                }
            })
            .await?;
            if items.len() > page.size || read < step {
                items.truncate(page.size + 1);
                return Ok(Page::from_lookahead(page, items));
            }
            match page.edge {
                PageEdge::First => rest.after = last,
                PageEdge::Last => rest.before = last,
            }
            step = step.saturating_mul(4).min(MAX_STEP);
        }
    }

    /// Returns the identifiers of all matches, for a sort by another field.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyMatches`] if there are more than [`MAX_SORTED_MATCHES`].
    async fn find_ids(&self) -> Result<Vec<Bson>, StoreError> {
        let limit = doc! { "$limit": MAX_SORTED_MATCHES as i64 + 1 };
        let (collection, id, mut pipeline) = if self.list.finds_few() {
            (self.owners, "_id", vec![doc! { "$match": self.short_list_filter() }])
        } else {
            (self.keys, "ownerId", self.matches())
        };
        pipeline.extend([limit, doc! { "$project": { "_id": 0, "id": format!("${id}") } }]);
        let query = collection.aggregate(pipeline).batch_size(MAX_SORTED_MATCHES as u32 + 2);
        let mut ids = Vec::new();
        for_each_document(collection.command("aggregate"), query.batch(), |raw| {
            ids.push(value_of(raw, "id"));
        })
        .await?;
        if ids.len() > MAX_SORTED_MATCHES { Err(StoreError::TooManyMatches) } else { Ok(ids) }
    }

    /// Returns the number of matches, in one command.
    async fn count(&self) -> Result<u64, StoreError> {
        if self.list.finds_few() {
            return count_documents(self.owners, self.short_list_filter()).await;
        }
        if !self.list.has_conditions() {
            return count_documents(self.keys, self.in_classes()).await;
        }
        let mut pipeline = self.matches();
        pipeline.push(doc! { "$count": "n" });
        let query = self.keys.aggregate(pipeline);
        let mut count = 0;
        for_each_document(self.keys.command("aggregate"), query.batch(), |raw| {
            count = raw.get_i32("n").map_or(0, |n| n.try_into().unwrap_or_default());
        })
        .await?;
        Ok(count)
    }

    /// Returns the stages that select the matches, in no particular order.
    fn matches(&self) -> Vec<Document> {
        let mut stages = vec![doc! { "$match": self.in_classes() }];
        if self.list.has_conditions() {
            stages.push(self.owner_lookup(vec![doc! { "$project": { "_id": 1 } }]));
            stages.push(doc! { "$match": { "owner": { "$ne": [] } } });
        }
        stages
    }

    fn page_pipeline(&self, page: &PageRequest, step: usize) -> Vec<Document> {
        let direction = sort_direction(Direction::Asc, page.edge);
        let ranges = self.prefix.classes().flat_map(|class| {
            key_ranges(&self.prefix, page, "key", "ownerId").into_iter().map(move |mut range| {
                range.insert("class", class as i32);
                range
            })
        });
        let mut matches = any_of(ranges.collect());
        self.exclude_long_shared(&mut matches);
        vec![
            doc! { "$match": matches },
            doc! { "$sort": { "key": direction, "ownerId": direction } },
            doc! { "$limit": step as i64 },
            self.owner_lookup(Vec::new()),
        ]
    }

    /// Returns the stage that adds the element of a key as `owner`, if it meets the conditions.
    fn owner_lookup(&self, mut stages: Vec<Document>) -> Document {
        if self.list.has_conditions() {
            stages.insert(0, doc! { "$match": self.list.filter() });
        }
        doc! { "$lookup": {
            "from": self.owners.name(),
            "localField": "ownerId",
            "foreignField": "_id",
            "pipeline": stages,
            "as": "owner",
        } }
    }

    /// Matches the keys that are the smallest match of their element.
    fn in_classes(&self) -> Document {
        let classes: Vec<i32> = self.prefix.classes().map(|class| class as i32).collect();
        let mut filter = doc! { "class": { "$in": classes }, "key": prefix_range(&self.prefix) };
        self.exclude_long_shared(&mut filter);
        filter
    }

    /// Excludes keys of the last class that are not the smallest match of their element.
    fn exclude_long_shared(&self, filter: &mut Document) {
        if self.prefix.exceeds_classes() {
            let length = i32::try_from(self.prefix.length()).unwrap_or(i32::MAX);
            filter.insert("shared", doc! { "$lt": length });
        }
    }

    fn short_list_filter(&self) -> Document {
        let range = prefix_range(&self.prefix);
        doc! { "$and": [self.list.filter(), { "search.keys": { "$elemMatch": range } }] }
    }

    async fn read_short_list<T>(
        &self,
        page: &PageRequest,
        decode: impl Fn(&RawDocument) -> DecodeResult<T>,
    ) -> Result<Page<T>, StoreError> {
        let direction = sort_direction(Direction::Asc, page.edge);
        let mut is_match = vec![doc! { "$gte": ["$$this", { "$literal": self.prefix.as_str() }] }];
        if let Some(upper) = self.prefix.upper_bound() {
            is_match.push(doc! { "$lt": ["$$this", { "$literal": upper }] });
        }
        let matching =
            doc! { "$filter": { "input": "$search.keys", "cond": { "$and": is_match } } };
        let size = batch_size_for(page.size);
        let pipeline = vec![
            doc! { "$match": self.short_list_filter() },
            doc! { "$set": { MATCHED_KEY: { "$min": matching } } },
            doc! { "$match": any_of(key_ranges(&self.prefix, page, MATCHED_KEY, "_id")) },
            doc! { "$sort": { MATCHED_KEY: direction, "_id": direction } },
            doc! { "$limit": i64::from(size) },
        ];
        let mut items = Vec::with_capacity(page.size + 1);
        let query = self.owners.aggregate(pipeline).batch_size(size.saturating_add(1));
        for_each_document(self.owners.command("aggregate"), query.batch(), |raw| {
            if let Some(position) = position(raw, MATCHED_KEY, "_id") {
                items
                    .push(Item { position, node: decode_or_log(self.owners.name(), raw, &decode) });
            }
        })
        .await?;
        Ok(Page::from_lookahead(page, items))
    }
}

fn position(raw: &RawDocument, key: &str, id: &str) -> Option<Position> {
    let key = Bson::from(raw.get_str(key).ok()?);
    Some(StoredPosition { key, id: value_of(raw, id) }.into_position(SortKeyType::Text))
}

fn any_of(mut filters: Vec<Document>) -> Document {
    match filters.len() {
        // A page between two cursors in the wrong order.
        0 => doc! { "_id": { "$in": [] } },
        1 => filters.remove(0),
        _ => doc! { "$or": filters },
    }
}

fn prefix_range(prefix: &SearchPrefix) -> Document {
    let mut range = doc! { "$gte": prefix.as_str() };
    if let Some(upper) = prefix.upper_bound() {
        range.insert("$lt", upper);
    }
    range
}

/// Returns the ranges of keys between the bounds of a page: the rest of the keys that are equal to
/// the lower bound, the keys between the bounds, and the start of those that are equal to the upper
/// bound.
fn key_ranges(prefix: &SearchPrefix, page: &PageRequest, key: &str, id: &str) -> Vec<Document> {
    let is_match = |text: &str| text.starts_with(prefix.as_str());
    let (mut between, mut ties) = (prefix_range(prefix), Vec::new());
    let (lower, upper) = (bound(page.after.as_ref()), bound(page.before.as_ref()));
    if let (Some((low, low_id)), Some((high, high_id))) = (&lower, &upper)
        && low >= high
    {
        let ids = [(low_id, Direction::Asc), (high_id, Direction::Desc)];
        return if low == high { vec![tie(low, key, id, &ids)] } else { Vec::new() };
    }
    if let Some((low, low_id)) = lower.filter(|(low, _)| low.as_str() >= prefix.as_str()) {
        between.remove("$gte");
        between.insert("$gt", &low);
        if is_match(&low) {
            ties.push(tie(&low, key, id, &[(&low_id, Direction::Asc)]));
        }
    }
    let is_below = |high: &str| prefix.upper_bound().is_none_or(|upper| high < upper.as_str());
    if let Some((high, high_id)) = upper.filter(|(high, _)| is_below(high)) {
        between.insert("$lt", &high);
        if is_match(&high) {
            ties.push(tie(&high, key, id, &[(&high_id, Direction::Desc)]));
        }
    }
    ties.push(doc! { key: between });
    ties
}

/// Returns the key and the identifier of a position in the order of the matched key.
fn bound(position: Option<&Position>) -> Option<(String, Bson)> {
    match StoredPosition::new(position?)? {
        StoredPosition { key: Bson::String(key), id } => Some((key, id)),
        _ => None,
    }
}

/// Matches the keys that are equal to a bound, with an identifier beyond it in each of these
/// directions.
fn tie(key: &str, key_field: &str, id_field: &str, bounds: &[(&Bson, Direction)]) -> Document {
    let ids = bounds.iter().map(|(id, direction)| {
        doc! { operator(*direction): [format!("${id_field}"), literal(id)] }
    });
    doc! { key_field: key, "$expr": { "$and": ids.collect::<Vec<_>>() } }
}
