//! The latest events of the feed, for listeners that resume.

use std::collections::VecDeque;

use crate::domain::live::{FeedEvent, FeedPosition};

/// The maximum number of events in memory. Older ones are read from the store.
const MAX_EVENTS: usize = 16_384;

/// The latest events, without a gap.
pub(super) struct History {
    events: VecDeque<FeedEvent>,
    /// The position after which all events are in memory.
    start: FeedPosition,
    /// The position up to which the feed is known.
    end: FeedPosition,
}

impl History {
    /// Creates an empty history at this position.
    pub(super) fn new(position: FeedPosition) -> Self {
        Self { events: VecDeque::new(), start: position.clone(), end: position }
    }

    /// Adds the events up to a position.
    pub(super) fn extend(&mut self, events: Vec<FeedEvent>, position: FeedPosition) {
        self.events.extend(events);
        self.end = position;
        while self.events.len() > MAX_EVENTS {
            if let Some(oldest) = self.events.pop_front() {
                self.start = oldest.position;
            }
        }
    }

    /// Returns the position up to which the feed is known.
    pub(super) const fn end(&self) -> &FeedPosition {
        &self.end
    }

    /// Returns the events after a position, or `None` if some of them are not in memory.
    pub(super) fn after(
        &self,
        position: &FeedPosition,
    ) -> Option<impl Iterator<Item = &FeedEvent>> {
        (*position >= self.start).then(|| self.after_if_known(position))
    }

    /// Returns the events after a position, as far as they are in memory.
    pub(super) fn after_if_known(
        &self,
        position: &FeedPosition,
    ) -> impl Iterator<Item = &FeedEvent> {
        let first = self.events.partition_point(|event| event.position <= *position);
        self.events.range(first..)
    }
}
