//! Helpers for paging tests: computes the expected page from the whole list in memory, and pages
//! through a list from end to end.

use std::fmt::Debug;

use tenantry::domain::{
    id::ObjectId,
    list::{Direction, Item, Page, PageEdge, PageRequest, Position, SortKey},
    text,
};

use crate::support::entities::oid;

/// Orders positions by their sort key, the smallest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Null,
    Time(i64),
    Text(String),
}

type Rank = (Key, ObjectId);

fn rank(position: &Position) -> Rank {
    let key = match &position.key {
        SortKey::Opaque(_) => panic!("a readable element has a plain position"),
        SortKey::Null => Key::Null,
        SortKey::Time(at) => Key::Time(at.millis()),
        SortKey::Text(text) => Key::Text(text::case_fold(text)),
    };
    (key, position.id)
}

/// Returns whether `one` precedes `other` in a list of the given direction.
fn precedes(one: &Position, other: &Position, direction: Direction) -> bool {
    match direction {
        Direction::Asc => rank(one) < rank(other),
        Direction::Desc => rank(one) > rank(other),
    }
}

/// Returns the whole list in the given direction.
pub(super) fn in_order<T>(
    entities: impl IntoIterator<Item = T>,
    direction: Direction,
    position: impl Fn(&T) -> Position,
) -> Vec<Item<T>> {
    let item = |entity: T| Item { position: position(&entity), node: Ok(entity) };
    let mut all: Vec<_> = entities.into_iter().map(item).collect();
    all.sort_by_cached_key(|item| rank(&item.position));
    if direction == Direction::Desc {
        all.reverse();
    }
    all
}

/// Returns a request for the first or last page of a list, without cursors.
pub(super) fn page_request(size: usize, edge: PageEdge) -> PageRequest {
    PageRequest { size, edge, after: None, before: None }
}

/// Returns the page of the list that a store must return for the request.
fn expected_page<T: Clone>(
    all: &[Item<T>],
    direction: Direction,
    page_request: &PageRequest,
) -> Page<T> {
    let in_range = |item: &&Item<T>| {
        page_request.after.as_ref().is_none_or(|after| precedes(after, &item.position, direction))
            && page_request
                .before
                .as_ref()
                .is_none_or(|before| precedes(&item.position, before, direction))
    };
    let mut items: Vec<_> = all.iter().filter(in_range).cloned().collect();
    let has_more = items.len() > page_request.size;
    let (has_next, has_previous) = match page_request.edge {
        PageEdge::First => {
            items.truncate(page_request.size);
            (has_more || page_request.before.is_some(), page_request.after.is_some())
        }
        PageEdge::Last => {
            items.drain(..items.len().saturating_sub(page_request.size));
            (page_request.before.is_some(), has_more || page_request.after.is_some())
        }
    };
    Page { items, has_next, has_previous }
}

/// Returns cursors to start and end at: none, one before all items, items of the list, and an item
/// that no longer exists next to a stored one.
fn cursors<T>(all: &[Item<T>]) -> Vec<Option<Position>> {
    let mut cursors = vec![None, Some(Position { key: SortKey::Null, id: oid(3) })];
    let at = |n: usize| all.get(n).map(|item| item.position.clone());
    cursors.extend([at(0), at(all.len() / 2), at(all.len().wrapping_sub(1))]);
    cursors.extend(at(all.len() / 3).map(|position| Some(Position { id: oid(1_000), ..position })));
    cursors
}

/// Asserts that pages of every kind, and walks of several page sizes from both ends, match the
/// list.
pub(super) async fn assert_pages<T: Clone + Debug + PartialEq>(
    all: &[Item<T>],
    direction: Direction,
    read_page: impl AsyncFn(&PageRequest) -> Page<T>,
) {
    for edge in [PageEdge::First, PageEdge::Last] {
        for after in cursors(all) {
            for before in cursors(all) {
                for size in [0, 2, 100] {
                    let page_request =
                        PageRequest { size, edge, after: after.clone(), before: before.clone() };
                    let expected = expected_page(all, direction, &page_request);
                    assert_eq!(
                        read_page(&page_request).await,
                        expected,
                        "{direction:?} {page_request:?}"
                    );
                }
            }
        }
        for size in [1, 3, all.len().max(1)] {
            let visited = walk(size, edge, &read_page, async |_| {}).await;
            assert_eq!(visited, all, "{direction:?} {size} {edge:?}");
        }
    }
}

/// Pages through the whole list and returns the visited items in the list's order.
///
/// `between` runs after each page but the last. It receives the number of pages read so far.
pub(super) async fn walk<T>(
    size: usize,
    edge: PageEdge,
    read_page: &impl AsyncFn(&PageRequest) -> Page<T>,
    between: impl AsyncFn(u32),
) -> Vec<Item<T>> {
    let mut visited = Vec::new();
    let mut page_request = page_request(size, edge);
    for pages in 1..1_000 {
        let page = read_page(&page_request).await;
        let has_more = match edge {
            PageEdge::First => page.has_next,
            PageEdge::Last => page.has_previous,
        };
        assert!(
            page.items.len() == size || !has_more,
            "only the last page may be shorter than its size"
        );
        match edge {
            PageEdge::First => visited.extend(page.items),
            PageEdge::Last => drop(visited.splice(..0, page.items)),
        }
        if !has_more {
            return visited;
        }
        match edge {
            PageEdge::First => {
                page_request.after = visited.last().map(|item| item.position.clone());
            }
            PageEdge::Last => {
                page_request.before = visited.first().map(|item| item.position.clone());
            }
        }
        between(pages).await;
    }
    panic!("paging does not end after 1,000 pages");
}

/// Asserts that a walk during concurrent inserts visits each initial item once and in order.
pub(super) async fn assert_stable<T: Clone + Debug + PartialEq>(
    initial: &[Item<T>],
    direction: Direction,
    edge: PageEdge,
    read_page: impl AsyncFn(&PageRequest) -> Page<T>,
    insert: impl AsyncFn(u32),
) {
    let visited = walk(2, edge, &read_page, insert).await;
    let ordered = visited.is_sorted_by(|a, b| precedes(&a.position, &b.position, direction));
    assert!(ordered, "{direction:?} {edge:?}: {visited:?}");
    let is_initial = |item: &Item<T>| initial.iter().any(|old| old.position.id == item.position.id);
    assert!(!visited.iter().all(is_initial), "the walk must reach some inserted items");
    let visited_initial: Vec<_> = visited.into_iter().filter(is_initial).collect();
    assert_eq!(visited_initial, initial, "{direction:?} {edge:?}");
}
