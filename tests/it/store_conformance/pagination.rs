//! What a page has to be, worked out from the whole list in memory; and walks through all pages.

use std::fmt::Debug;

use tenantry::domain::{
    id::ObjectId,
    list::{Direction, Item, Page, PageEdge, PageRequest, Position, SortKey},
    text,
};

use crate::support::entities::oid;

/// Where a position is among all others, the least first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Absent,
    Time(i64),
    Text(String),
}

type Rank = (Key, ObjectId);

fn rank(position: &Position) -> Rank {
    let key = match &position.key {
        SortKey::Null => Key::Absent,
        SortKey::Time(at) => Key::Time(at.millis()),
        SortKey::Text(text) => Key::Text(text::case_fold(text)),
    };
    (key, position.id)
}

/// Whether the one comes before the other in a list of that direction.
fn precedes(one: &Position, other: &Position, direction: Direction) -> bool {
    match direction {
        Direction::Asc => rank(one) < rank(other),
        Direction::Desc => rank(one) > rank(other),
    }
}

/// The whole list.
pub(super) fn in_order<T>(
    elements: impl IntoIterator<Item = T>,
    direction: Direction,
    position: impl Fn(&T) -> Position,
) -> Vec<Item<T>> {
    let item = |element: T| Item { position: position(&element), node: Ok(element) };
    let mut all: Vec<_> = elements.into_iter().map(item).collect();
    all.sort_by_cached_key(|item| rank(&item.position));
    if direction == Direction::Desc {
        all.reverse();
    }
    all
}

pub(super) fn window(size: usize, end: PageEdge) -> PageRequest {
    PageRequest { size, edge: end, after: None, before: None }
}

fn expected<T: Clone>(all: &[Item<T>], direction: Direction, window: &PageRequest) -> Page<T> {
    let within = |item: &&Item<T>| {
        window.after.as_ref().is_none_or(|place| precedes(place, &item.position, direction))
            && window.before.as_ref().is_none_or(|place| precedes(&item.position, place, direction))
    };
    let mut items: Vec<_> = all.iter().filter(within).cloned().collect();
    let more = items.len() > window.size;
    let (has_next, has_previous) = match window.edge {
        PageEdge::First => {
            items.truncate(window.size);
            (more || window.before.is_some(), window.after.is_some())
        }
        PageEdge::Last => {
            items.drain(..items.len().saturating_sub(window.size));
            (window.before.is_some(), more || window.after.is_some())
        }
    };
    Page { items, has_next, has_previous }
}

/// Places to begin and end at: at elements, at what is gone from beside one, and before all.
fn bounds<T>(all: &[Item<T>]) -> Vec<Option<Position>> {
    let mut bounds = vec![None, Some(Position { key: SortKey::Null, id: oid(3) })];
    let at = |n: usize| all.get(n).map(|item| item.position.clone());
    bounds.extend([at(0), at(all.len() / 2), at(all.len().wrapping_sub(1))]);
    bounds.extend(at(all.len() / 3).map(|place| Some(Position { id: oid(1_000), ..place })));
    bounds
}

/// Asks for pages of every kind, and for walks of several sizes from both ends.
pub(super) async fn assert_pages<T: Clone + Debug + PartialEq>(
    all: &[Item<T>],
    direction: Direction,
    read: impl AsyncFn(&PageRequest) -> Page<T>,
) {
    for end in [PageEdge::First, PageEdge::Last] {
        for after in bounds(all) {
            for before in bounds(all) {
                for size in [0, 2, 100] {
                    let window = PageRequest {
                        size,
                        edge: end,
                        after: after.clone(),
                        before: before.clone(),
                    };
                    let expected = expected(all, direction, &window);
                    assert_eq!(read(&window).await, expected, "{direction:?} {window:?}");
                }
            }
        }
        for size in [1, 3, all.len().max(1)] {
            let met = walk(size, end, &read, async |_| {}).await;
            assert_eq!(met, all, "{direction:?} {size} {end:?}");
        }
    }
}

/// All that a walk from one end to the other meets, in the list's order. Between two pages
/// `between` may do what it wants; it is told how many pages there were.
pub(super) async fn walk<T>(
    size: usize,
    end: PageEdge,
    read: &impl AsyncFn(&PageRequest) -> Page<T>,
    between: impl AsyncFn(u32),
) -> Vec<Item<T>> {
    let mut met = Vec::new();
    let mut window = window(size, end);
    for pages in 1..1_000 {
        let page = read(&window).await;
        let more = match end {
            PageEdge::First => page.has_next,
            PageEdge::Last => page.has_previous,
        };
        assert!(page.items.len() == size || !more, "a page that is not full is the last");
        match end {
            PageEdge::First => met.extend(page.items),
            PageEdge::Last => drop(met.splice(..0, page.items)),
        }
        if !more {
            return met;
        }
        match end {
            PageEdge::First => window.after = met.last().map(|item| item.position.clone()),
            PageEdge::Last => window.before = met.first().map(|item| item.position.clone()),
        }
        between(pages).await;
    }
    panic!("the walk does not end");
}

/// Walks while others insert: what was there at the start is met once each and in order.
pub(super) async fn assert_stable<T: Clone + Debug + PartialEq>(
    there: &[Item<T>],
    direction: Direction,
    end: PageEdge,
    read: impl AsyncFn(&PageRequest) -> Page<T>,
    insert: impl AsyncFn(u32),
) {
    let met = walk(2, end, &read, insert).await;
    let ordered = met.is_sorted_by(|a, b| precedes(&a.position, &b.position, direction));
    assert!(ordered, "{direction:?} {end:?}: {met:?}");
    let is_old = |item: &Item<T>| there.iter().any(|old| old.position.id == item.position.id);
    assert!(!met.iter().all(is_old), "some of what was inserted lay ahead");
    let old: Vec<_> = met.into_iter().filter(is_old).collect();
    assert_eq!(old, there, "{direction:?} {end:?}");
}
