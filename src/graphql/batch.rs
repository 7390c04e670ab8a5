//! Runs DataLoader batches without a timer, as soon as every resolver of a level is waiting.
//!
//! The `DataLoader` of `async-graphql` hands each batch to an executor after a delay, which is one
//! millisecond by default. It assumes that every sibling has requested its keys by then. Here the
//! request itself is the executor. It polls the resolvers first, and the batches only when all
//! resolvers are waiting. This has three effects:
//!
//! - The keys that one level of a document requests from a loader are always one batch.
//! - A batch has no delay.
//! - If the client disconnects and the request is dropped, its pending reads are dropped too.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use async_graphql::runtime::Timer;
use futures_util::{
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
    task::{FutureObj, Spawn, SpawnError},
};

/// The executor of one request's batches.
#[derive(Clone, Default)]
pub(super) struct BatchExecutor(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl BatchExecutor {
    /// Runs a request to completion, and its batches whenever the request is waiting.
    pub(super) async fn drive<F: Future>(&self, request: F) -> F::Output {
        let mut request = pin!(request);
        let mut running = FuturesUnordered::new();
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = request.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                running.extend(self.take_spawned());
                match running.poll_next_unpin(cx) {
                    // A batch is complete, so its resolvers can continue and request the next one.
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// Removes the batches that were spawned since the last call, and returns them.
    fn take_spawned(&self) -> Vec<FutureObj<'static, ()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Spawn for BatchExecutor {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(future);
        Ok(())
    }
}

/// A timer without a delay, because [`BatchExecutor::drive`] decides when a batch runs.
pub(super) struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
