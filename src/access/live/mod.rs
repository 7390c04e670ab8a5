//! Live operations: listeners, which receive the changes that their viewers may see.
//!
//! One [`hub`] per process reads the change feed of the store and wakes only the listeners that a
//! change concerns. A [`listener`] authorizes each change again, with the viewer and the entity as
//! they are stored at that moment. Reads of one entity by many listeners are shared
//! ([`shared_reads`]). So a change costs the same few reads, however many listeners there are.
//!
//! **Invariant:** a listener never reports a change of a tenant that its viewer cannot see, not even
//! as an error. It never reports more than the newest of several waiting changes of one entity.

mod cursor;
mod event;
mod feed;
mod history;
mod hub;
mod listen;
mod listener;
mod mailbox;
mod reads;
mod shared_reads;
mod topic;

pub use event::{LiveChange, LiveEvent, LiveNotice};
pub(super) use hub::LiveHub;
pub use listener::Listener;
pub use topic::LiveTopic;
