//! Reads of single documents that many listeners share.
//!
//! A change can wake thousands of listeners at once. Each of them asks for a document that was read
//! after it asked, and all that ask while a read is in progress share the next one.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use crate::access::error::AccessError;

/// The maximum number of keys in one read.
const MAX_KEYS: usize = 1_000;

/// The result of one read: the documents that exist.
type ReadResult<K, V> = Result<HashMap<K, V>, AccessError>;
type Read<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, ReadResult<K, V>> + Send + Sync;

/// Reads documents by key, as few times as possible and never from a cache.
pub(super) struct SharedReads<K, V> {
    read: Box<Read<K, V>>,
    state: Mutex<State<K, V>>,
}

/// Receives the document of one key.
type Reply<V> = oneshot::Sender<Result<Option<V>, AccessError>>;

struct State<K, V> {
    waiting: Vec<(K, Reply<V>)>,
    is_reading: bool,
}

impl<K, V> SharedReads<K, V>
where
    K: Copy + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    pub(super) fn new<F>(read: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = ReadResult<K, V>> + Send + 'static,
    {
        let read = Box::new(move |keys| -> BoxFuture<'static, _> { Box::pin(read(keys)) });
        let state = State { waiting: Vec::new(), is_reading: false };
        Arc::new(Self { read, state: Mutex::new(state) })
    }

    /// Returns the document with this key. The read begins after this call.
    pub(super) async fn get(self: &Arc<Self>, key: K) -> Result<Option<V>, AccessError> {
        let (result, receiver) = oneshot::channel();
        let must_read = {
            let mut state = self.lock();
            state.waiting.push((key, result));
            !std::mem::replace(&mut state.is_reading, true)
        };
        if must_read {
            // A task of its own, because the reader may be dropped while others wait.
            tokio::spawn(self.clone().read_all());
        }
        // The sender is dropped only if the read panics.
        receiver.await.unwrap_or(Err(AccessError::Internal))
    }

    /// Reads until no listener waits.
    async fn read_all(self: Arc<Self>) {
        let _guard = ReadingGuard(&self);
        loop {
            // Listeners that were woken together get the chance to ask.
            tokio::task::yield_now().await;
            let waiting = {
                let mut state = self.lock();
                let count = state.waiting.len().min(MAX_KEYS);
                if count == 0 {
                    state.is_reading = false;
                    return;
                }
                state.waiting.drain(..count).collect::<Vec<_>>()
            };
            let mut keys: Vec<K> = Vec::with_capacity(waiting.len());
            let mut seen = std::collections::HashSet::with_capacity(waiting.len());
            keys.extend(waiting.iter().map(|(key, _)| *key).filter(|key| seen.insert(*key)));
            let result = (self.read)(keys).await;
            for (key, sender) in waiting {
                let value = result.as_ref().map(|found| found.get(&key).cloned());
                drop(sender.send(value.map_err(Clone::clone)));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a later call read again if a read panics.
struct ReadingGuard<'a, K, V>(&'a SharedReads<K, V>);

impl<K, V> Drop for ReadingGuard<'_, K, V> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_reading = false;
            // The waiting listeners get an error, because their senders are dropped.
            state.waiting.clear();
        }
    }
}
