//! The one thread that writes, and group commit: many requests share one transaction, and each is answered
//! only once it is on the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use overdue::admission::{RateKey, RateLimiter};
use overdue::{Engine, Event, EventSink, Policy};
use overdue_protocol::Unavailable;
use tokio::sync::{mpsc, oneshot, watch};

use crate::metrics::Metrics;
use crate::store::{SqliteStore, StoreError};
use crate::time::Stopwatch;

/// The engine of the writing thread.
pub(crate) type ServerEngine = Engine<Arc<SqliteStore>>;

/// Work for the engine. Returns what to do once the transaction is on the disk or has failed.
type Request = Box<dyn FnOnce(&ServerEngine) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

/// The most requests that may wait for the writer. Further senders block.
const QUEUE: usize = 4096;

/// The most requests that share a transaction, so that the first one does not wait for long.
const GROUP: usize = 512;

/// Hands requests to the writing thread.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    commits: Arc<AtomicU64>,
    events: watch::Receiver<u64>,
}

/// Counts every event, and records the rejections. The store has put the other events into the outbox
/// already, together with the rows.
#[derive(Debug)]
struct Sink {
    store: Arc<SqliteStore>,
    metrics: Metrics,
    seen: Arc<AtomicU64>,
}

impl EventSink for Sink {
    fn emit(&self, event: &Event) {
        self.metrics.events.with_label_values(&[event.kind()]).inc();
        self.seen.fetch_add(1, Ordering::Relaxed);
        if let Event::Rejected(rejection) = event
            && let Err(error) = self.store.record(rejection)
        {
            tracing::error!(%error, "a rejection could not be recorded");
        }
    }
}

impl Writer {
    /// Starts the thread. It ends when all writers are dropped, or when it panics.
    pub(crate) fn start(
        store: SqliteStore,
        policy: Policy,
        limiter: Option<RateLimiter<RateKey>>,
        metrics: Metrics,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, mut waiting) = mpsc::channel(QUEUE);
        let (notify, events) = watch::channel(0);
        let commits = Arc::new(AtomicU64::new(0));
        let writer = Self { requests, commits: Arc::clone(&commits), events };
        let store = Arc::new(store);
        let seen = Arc::new(AtomicU64::new(0));
        let sink = Sink { store: Arc::clone(&store), metrics: metrics.clone(), seen: Arc::clone(&seen) };
        let engine = Engine::new(store, policy).with_sink(sink).with_admission(limiter);
        let thread = thread::Builder::new().name("writer".into()).spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                // Requests that arrived while the last group was written form the next group.
                let group = std::iter::once(first).chain(std::iter::from_fn(|| waiting.try_recv().ok()));
                commit_group(&engine, group.take(GROUP), &metrics);
                commits.fetch_add(1, Ordering::Relaxed);
                let seen = seen.load(Ordering::Relaxed);
                notify.send_if_modified(|known| std::mem::replace(known, seen) != seen);
            }
        })?;
        Ok((writer, thread))
    }

    /// Runs `work` on the engine, and returns its result once it is on the disk.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ServerEngine) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let request: Request = Box::new(move |engine| {
            let result = work(engine);
            // The receiver may be gone.
            Box::new(move |written| drop(answer.send(written.map(|()| result))))
        });
        self.requests.send(request).await.map_err(|_| Unavailable)?;
        answered.await.map_err(|_| Unavailable)?
    }

    /// The number of transactions so far. While it does not change, everything that was read is current.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Changes when there are new events.
    pub(crate) fn events(&self) -> watch::Receiver<u64> {
        self.events.clone()
    }
}

/// Runs a group of requests in one transaction, and answers them all.
fn commit_group(engine: &ServerEngine, group: impl Iterator<Item = Request>, metrics: &Metrics) {
    let stopwatch = Stopwatch::start();
    let store = engine.store();
    let mut answers = Vec::new();
    let written = store.begin().and_then(|()| {
        for request in group {
            answers.push(request(engine));
            if !store.is_within_transaction() {
                return Err(StoreError::Lost);
            }
        }
        store.finish()
    });
    metrics.commit.observe(stopwatch.elapsed().as_secs_f64());
    metrics.shared.observe(answers.len() as f64);
    let written = written.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a group of {} was not written",
            answers.len()
        );
        Unavailable
    });
    for answer in answers {
        answer(written);
    }
}
