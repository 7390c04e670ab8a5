//! Control over tokio's clock, for tests that must not depend on the speed of the machine.

use std::{sync::mpsc, time::Duration};

/// Keeps tokio's clock still while it lives. Only [`advance`](Self::advance) moves the clock.
///
/// A paused clock alone is not enough: tokio moves it to the next timer as soon as all tasks wait, and
/// a task that waits for a socket or for another thread waits, too. tokio does not move the clock while
/// a blocking task runs, so this type keeps one running.
pub(crate) struct FrozenTime {
    _end_of_blocking_task: mpsc::Sender<()>,
}

impl FrozenTime {
    /// Stops the clock of the current test. The test must use tokio's current-thread runtime.
    pub(crate) fn start() -> Self {
        let (end, ended) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || ended.recv());
        tokio::time::pause();
        Self { _end_of_blocking_task: end }
    }

    /// Moves the clock, so that every earlier timer fires. Timers have a granularity of a millisecond.
    pub(crate) async fn advance(&self, by: Duration) {
        tokio::time::advance(by).await;
    }
}
