//! The running worker: what wakes it, several instances, lost leases and the shutdown.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, oneshot},
    task::JoinHandle,
};

use super::*;
use crate::support::{app::on_both_stores, time::FrozenTime};

on_both_stores![
    commit_of_this_process_wakes_the_worker,
    message_of_another_process_is_found_by_a_poll,
    failed_message_is_repeated_when_it_is_due,
    instances_share_the_work_and_send_each_message_once,
    message_of_a_crashed_instance_is_taken_over_after_its_lease,
    delivery_that_hangs_ends_before_its_lease,
    shutdown_finishes_the_deliveries_in_progress_only,
];

/// A transport that accepts as many messages as a test permits.
struct Gate {
    permits: Semaphore,
    started: AtomicUsize,
    accepted: Mutex<Vec<ObjectId>>,
}

impl Gate {
    fn with_permits(permits: usize) -> Arc<Self> {
        let (started, accepted) = Default::default();
        Arc::new(Self { permits: Semaphore::new(permits), started, accepted })
    }

    fn accepted(&self) -> Vec<ObjectId> {
        self.accepted.lock().expect("not poisoned").clone()
    }

    /// Waits until so many deliveries have started.
    async fn wait_for(&self, started: usize) {
        while self.started.load(Ordering::SeqCst) < started {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl MailTransport for Gate {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.expect("open").forget();
        self.accepted.lock().expect("not poisoned").push(mail.id);
        Ok(())
    }
}

/// A transport that fails the first time.
#[derive(Default)]
struct FailsOnce(AtomicUsize);

#[async_trait]
impl MailTransport for FailsOnce {
    async fn send(&self, _: &OutgoingMail) -> Result<(), MailError> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Err(MailError::Failed("no server".to_owned())),
            _ => Ok(()),
        }
    }
}

/// A worker that runs in a task.
struct Instance {
    wake: Arc<Notify>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Instance {
    fn start(app: &App, transport: Arc<dyn MailTransport>) -> Self {
        let (worker, wake) = (worker(app, transport), Arc::new(Notify::new()));
        let (stop, stopped) = oneshot::channel();
        let notified = wake.clone();
        let task = tokio::spawn(async move {
            worker
                .run(&notified, async {
                    let _ = stopped.await;
                })
                .await;
        });
        Self { wake, stop, task }
    }
}

/// Waits until a worker has found an empty outbox. It then waits for a reason to look again.
async fn wait_until_idle(app: &App) {
    let labels = match &app.mongo {
        Some(_) => "collection=\"outbox\",command=\"find\"",
        None => "collection=\"\",command=\"lease_outbox_message\"",
    };
    let name = "tenantry_store_command_duration_seconds_count";
    while app.metric(&format!("{name}{{{labels},outcome=\"ok\"}}")).await < 1.0 {
        tokio::task::yield_now().await;
    }
}

/// Moves both clocks by a second. A store has a time limit on its commands, so the worker gets time
/// for several of them before the next second.
async fn advance_second(app: &App, time: &FrozenTime) {
    app.clock.advance(1);
    time.advance(Duration::from_secs(1)).await;
    for _ in 0..20 {
        mail_status(app, 1).await;
    }
}

async fn wait_for_mail(app: &App, n: u32) {
    while mail_status(app, n).await != MailStatus::Sent {}
}

/// Moves both clocks until the first mail is sent. Returns the number of seconds.
async fn advance_until_sent(app: &App, time: &FrozenTime) -> i64 {
    let mut seconds = 0;
    while mail_status(app, 1).await != MailStatus::Sent {
        advance_second(app, time).await;
        seconds += 1;
    }
    seconds
}

async fn commit_of_this_process_wakes_the_worker(app: App) {
    insert_tenant(&app, "Dezky").await;
    let _time = FrozenTime::start();
    let instance = Instance::start(&app, mailbox());
    wait_until_idle(&app).await;
    invite(&app, 1).await;
    instance.wake.notify_one();
    wait_for_mail(&app, 1).await;
}

async fn message_of_another_process_is_found_by_a_poll(app: App) {
    insert_tenant(&app, "Dezky").await;
    let time = FrozenTime::start();
    let _instance = Instance::start(&app, mailbox());
    wait_until_idle(&app).await;
    invite(&app, 1).await;
    assert!(advance_until_sent(&app, &time).await >= 5, "nothing but a poll finds it");
}

async fn failed_message_is_repeated_when_it_is_due(app: App) {
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    let time = FrozenTime::start();
    let transport = Arc::new(FailsOnce::default());
    let _instance = Instance::start(&app, transport.clone());
    assert!(advance_until_sent(&app, &time).await >= 1);
    assert_eq!(transport.0.load(Ordering::SeqCst), 2);
    assert!(is_empty(&app).await);
}

async fn instances_share_the_work_and_send_each_message_once(app: App) {
    insert_tenant(&app, "Dezky").await;
    for n in 1..=12 {
        invite(&app, n).await;
    }
    let _time = FrozenTime::start();
    let gates = [Gate::with_permits(0), Gate::with_permits(0)];
    let instances = gates.each_ref().map(|gate| Instance::start(&app, gate.clone()));
    for gate in &gates {
        gate.wait_for(4).await;
    }
    for gate in &gates {
        assert_eq!(gate.started.load(Ordering::SeqCst), 4, "an instance has four at a time");
        gate.permits.add_permits(12);
    }
    for n in 1..=12 {
        wait_for_mail(&app, n).await;
    }
    let mut accepted: Vec<_> = gates.iter().flat_map(|gate| gate.accepted()).collect();
    accepted.sort_unstable();
    assert_eq!(accepted, (1..=12).map(message_id).collect::<Vec<_>>());
    assert!(is_empty(&app).await);
    for Instance { stop, task, .. } in instances {
        stop.send(()).expect("running");
        task.await.expect("the worker has ended");
    }
}

async fn message_of_a_crashed_instance_is_taken_over_after_its_lease(app: App) {
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    let time = FrozenTime::start();
    let crashed = Gate::with_permits(0);
    let instance = Instance::start(&app, crashed.clone());
    crashed.wait_for(1).await;
    instance.task.abort();
    assert!(instance.task.await.is_err_and(|error| error.is_cancelled()));
    let gate = Gate::with_permits(1);
    let _instance = Instance::start(&app, gate.clone());
    assert!(advance_until_sent(&app, &time).await >= 30, "the lease is respected");
    assert_eq!(gate.accepted(), [message_id(1)]);
}

async fn delivery_that_hangs_ends_before_its_lease(app: App) {
    insert_tenant(&app, "Dezky").await;
    invite(&app, 1).await;
    let time = FrozenTime::start();
    let gate = Gate::with_permits(0);
    let _instance = Instance::start(&app, gate.clone());
    gate.wait_for(1).await;
    // The attempt counts as failed, so the same instance tries again.
    let mut seconds = 0;
    while gate.started.load(Ordering::SeqCst) < 2 {
        advance_second(&app, &time).await;
        seconds += 1;
        assert!(seconds < 600, "the delivery hangs");
    }
    assert!(seconds >= 22, "{seconds}");
    gate.permits.add_permits(1);
    wait_for_mail(&app, 1).await;
    assert_eq!(gate.accepted(), [message_id(1)]);
}

async fn shutdown_finishes_the_deliveries_in_progress_only(app: App) {
    insert_tenant(&app, "Dezky").await;
    for n in 1..=6 {
        invite(&app, n).await;
    }
    let _time = FrozenTime::start();
    let gate = Gate::with_permits(0);
    let Instance { stop, task, .. } = Instance::start(&app, gate.clone());
    gate.wait_for(4).await;
    stop.send(()).expect("running");
    gate.permits.add_permits(6);
    task.await.expect("the worker has ended");
    assert_eq!(gate.accepted().len(), 4);
    let mut sent = 0;
    for n in 1..=6 {
        sent += usize::from(mail_status(&app, n).await == MailStatus::Sent);
    }
    assert_eq!(sent, 4, "their results are recorded, and no other message is taken");
}
