//! A day in the life of a fleet of jobs, as an engine sees it, minute by minute.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a day and its jobs are counted with"
)]

mod fleet;
mod job;
mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use overdue::outcome::TickEffect;
use overdue::{Engine, Event, EventSink, MemoryStore, Message, Outcome, Policy, Tick};

use fleet::Fleet;
pub(crate) use job::{DAY, Trouble};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// A Wednesday on which no clock is changed.
const MIDNIGHT: DateTime<Utc> = DateTime::from_timestamp_nanos(1_725_408_000_000_000_000);

const PRUNE_EVERY: u32 = 60;

/// How large a day, and which.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) monitors: u32,
    pub(crate) checkins: u32,
    pub(crate) seed: u64,
    /// Hours after which runs are pruned.
    pub(crate) keep: u32,
    /// Check-ins as bytes off the wire, rather than typed.
    pub(crate) json: bool,
}

pub(crate) struct Simulation {
    engine: Engine<MemoryStore>,
    told: Arc<Told>,
    fleet: Fleet,
    messages: Vec<Message>,
    minute: u32,
    keep: TimeDelta,
    pub(crate) tally: Tally,
    pub(crate) spent: Spent,
}

/// What was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    opened: AtomicU64,
    resolved: AtomicU64,
}

impl Told {
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(crate) fn resolved(&self) -> u64 {
        self.resolved.load(Ordering::Relaxed)
    }
}

impl EventSink for Told {
    fn emit(&self, event: &Event) {
        match event {
            Event::IncidentOpened(_) => _ = self.opened.fetch_add(1, Ordering::Relaxed),
            Event::IncidentResolved(_) => _ = self.resolved.fetch_add(1, Ordering::Relaxed),
            _ => {}
        }
    }
}

/// What has happened.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) checkins: u64,
    pub(crate) missed: u64,
    pub(crate) timed_out: u64,
    pub(crate) pruned: usize,
}

/// How long it took.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    /// The monitors before the day, and then what they have to say. Not counted as the engine's work.
    pub(crate) making_up: Duration,
    pub(crate) checkins: Duration,
    pub(crate) ticks: Duration,
    pub(crate) slowest_tick: Duration,
    pub(crate) pruning: Duration,
}

impl Simulation {
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let told = Arc::<Told>::default();
        let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(Arc::clone(&told));
        let (fleet, making_up) = timed(|| {
            Fleet::new(options, MIDNIGHT, |job, config, last| {
                engine.create_monitor(job.organization, &job.key, config)?;
                accept(&engine, last)
            })
        });
        Ok(Self {
            engine,
            told,
            fleet: fleet?,
            messages: Vec::new(),
            minute: 0,
            keep: TimeDelta::hours(options.keep.into()),
            tally: Tally::default(),
            spent: Spent { making_up, ..Spent::default() },
        })
    }

    /// The next minute of the day: what the jobs say in it, and the tick that ends it.
    pub(crate) fn minute(&mut self) -> Result<(), Failure> {
        let (made, making_up) = timed(|| {
            self.messages.clear();
            self.fleet.minute(self.minute, &mut self.messages)
        });
        made?;
        self.spent.making_up += making_up;

        let (accepted, checkins) =
            timed(|| self.messages.iter().try_for_each(|message| accept(&self.engine, message)));
        accepted?;
        self.tally.checkins += self.messages.len() as u64;
        self.spent.checkins += checkins;

        self.minute += 1;
        let now = MIDNIGHT + TimeDelta::minutes(self.minute.into());
        let (report, tick) = timed(|| self.engine.tick(Tick::at(now)));
        self.spent.ticks += tick;
        self.spent.slowest_tick = self.spent.slowest_tick.max(tick);
        for outcome in report?.outcomes {
            match outcome.effect {
                TickEffect::Missed(_) => self.tally.missed += 1,
                TickEffect::TimedOut(_) => self.tally.timed_out += 1,
                other => return Err(format!("{}: {other:?}", outcome.environment).into()),
            }
        }

        if self.minute.is_multiple_of(PRUNE_EVERY) {
            let (pruned, pruning) = timed(|| self.engine.store().prune(now - self.keep));
            self.tally.pruned += pruned;
            self.spent.pruning += pruning;
        }
        Ok(())
    }

    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    /// How many jobs a trouble befell.
    pub(crate) fn befallen(&self, trouble: Trouble) -> usize {
        self.fleet.troubles.iter().filter(|befell| **befell == trouble).count()
    }

    /// Open incidents, by what the jobs did.
    pub(crate) fn open(&self) -> u64 {
        self.fleet.jobs.iter().map(|job| u64::from(job.deserves.open)).sum()
    }

    /// Where the engine thinks otherwise of a job than it deserves: nowhere, at the end of the day.
    pub(crate) fn misjudged(&self) -> Vec<String> {
        let judge = |job: &job::Job| {
            let environment = self.engine.store().environments(&job.key).into_iter().next();
            let Some(environment) = environment else { return Some(format!("{}: unknown", job.key)) };
            let (incidents, open) = (environment.incidents(), environment.incident().is_some());
            let right = (incidents, open) == (job.deserves.incidents, job.deserves.open);
            (!right).then(|| format!("{}: {incidents} incidents, open: {open}; but {job:?}", job.key))
        };
        self.fleet.jobs.iter().filter_map(judge).collect()
    }
}

/// No check-in of the day is refused, or says nothing new.
fn accept(engine: &Engine<MemoryStore>, message: &Message) -> Result<(), Failure> {
    match engine.process_checkin(message)? {
        Outcome::Accepted(_) => Ok(()),
        other => Err(format!("{message:?}: {other:?}").into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let made = work();
    (made, begin.elapsed())
}
