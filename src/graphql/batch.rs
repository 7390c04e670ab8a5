//! Batches without a timer: look-ups run when every resolver of a level waits.
//!
//! The engine's `DataLoader` hands each batch to an executor after a delay, one millisecond by
//! default, in the hope that by then every sibling has asked. Here the executor is the request
//! itself: its resolvers are polled first, and a batch only when they all wait. So a level of a
//! document is one batch, always, it costs no delay, and when the client goes away and the request
//! is dropped, so are its reads.

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

/// The batches of one request.
#[derive(Clone, Default)]
pub(super) struct BatchExecutor(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl BatchExecutor {
    /// Runs a request, and its batches whenever it waits.
    pub(super) async fn drive<F: Future>(&self, request: F) -> F::Output {
        let mut request = pin!(request);
        let mut running = FuturesUnordered::new();
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = request.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                running.extend(self.take());
                match running.poll_next_unpin(cx) {
                    // A batch has answered: its resolvers can go on, and ask for the next one.
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    fn take(&self) -> Vec<FutureObj<'static, ()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Spawn for BatchExecutor {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(future);
        Ok(())
    }
}

/// No delay: [`BatchExecutor::drive`] knows when everybody has asked.
pub(super) struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
