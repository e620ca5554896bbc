//! The one thread that writes, and group commit: many requests share one transaction, and none is answered before it is
//! on the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use overdue::admission::{RateKey, RateLimiter};
use overdue::{Engine, Event, EventSink, Policy};
use tokio::sync::{mpsc, oneshot, watch};

use crate::front::Unavailable;
use crate::metrics::Metrics;
use crate::store::{SqliteStore, StoreError};
use crate::time::Stopwatch;

/// The engine as the writing thread has it.
pub(crate) type Desk = Engine<Arc<SqliteStore>, Clerk, Option<RateLimiter<RateKey>>>;

/// What is to be done at the desk. It answers with what is left to do once that is on the disk, or is not.
type Request = Box<dyn FnOnce(&Desk) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), Unavailable>) + Send>;

/// How many requests may wait for the writer. Whoever comes then waits to be let in.
const QUEUE: usize = 4096;

/// How many requests share a transaction at most: who came first should not wait for ever.
const GROUP: usize = 512;

/// Hands requests to the writing thread.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    commits: Arc<AtomicU64>,
    events: watch::Receiver<u64>,
}

/// Sees every event: counts it, and files the refusals. (The others are in the outbox already: the store put them there
/// with the rows they belong to.)
#[derive(Debug)]
pub(crate) struct Clerk {
    store: Arc<SqliteStore>,
    metrics: Metrics,
    seen: AtomicU64,
}

impl EventSink for Clerk {
    fn emit(&self, event: &Event) {
        self.metrics.events.with_label_values(&[event.kind()]).inc();
        self.seen.fetch_add(1, Ordering::Relaxed);
        if let Event::Refused(refusal) = event
            && let Err(error) = self.store.record(refusal)
        {
            tracing::error!(%error, "a refusal could not be filed");
        }
    }
}

impl Writer {
    /// Starts the thread. It ends when every writer is gone, or when it panics.
    pub(crate) fn start(
        store: SqliteStore,
        policy: Policy,
        limiter: Option<RateLimiter<RateKey>>,
        metrics: Metrics,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (requests, mut waiting) = mpsc::channel(QUEUE);
        let (told, events) = watch::channel(0);
        let commits = Arc::new(AtomicU64::new(0));
        let writer = Self { requests, commits: Arc::clone(&commits), events };
        let store = Arc::new(store);
        let clerk = Clerk { store: Arc::clone(&store), metrics: metrics.clone(), seen: AtomicU64::new(0) };
        let desk = Engine::new(store, clerk, policy).with_admission(limiter);
        let thread = thread::Builder::new().name("writer".into()).spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                // Whoever came while the last group was written is the next one.
                let group = std::iter::once(first).chain(std::iter::from_fn(|| waiting.try_recv().ok()));
                carry_out(&desk, group.take(GROUP), &metrics);
                commits.fetch_add(1, Ordering::Relaxed);
                let seen = desk.sink().seen.load(Ordering::Relaxed);
                told.send_if_modified(|known| std::mem::replace(known, seen) != seen);
            }
        })?;
        Ok((writer, thread))
    }

    /// Does something at the desk, and answers once it is on the disk.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let request: Request = Box::new(move |desk| {
            let result = work(desk);
            // Who asked may have gone.
            Box::new(move |written| drop(answer.send(written.map(|()| result))))
        });
        self.requests.send(request).await.map_err(|_| Unavailable)?;
        answered.await.map_err(|_| Unavailable)?
    }

    /// How many transactions there have been: while this stands, so does everything that was read.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Changes when there are new events.
    pub(crate) fn events(&self) -> watch::Receiver<u64> {
        self.events.clone()
    }
}

/// Carries out a group of requests in one transaction, and answers them all.
fn carry_out(desk: &Desk, group: impl Iterator<Item = Request>, metrics: &Metrics) {
    let stopwatch = Stopwatch::start();
    let store = desk.store();
    let mut answers = Vec::new();
    let written = store.begin().and_then(|()| {
        for request in group {
            answers.push(request(desk));
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
