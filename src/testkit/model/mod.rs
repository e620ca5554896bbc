//! A naive model of the standard profile: what the engine should answer, emit and store.
//!
//! It is written from the description of the behaviour, not from the rules, and shares no code with them. It
//! keeps every run in a plain list, and searches the list for every question. It has no versions, no
//! transitions and no store, and it is slow.
//!
//! It takes only values from the crate: decoded messages, configurations, derived ids, rows and events to
//! answer in, and the times of a [`Schedule`](crate::Schedule), which have recordings and a naive search of
//! their own.
//!
//! [`Model::after`] compares a host with it, step by step, as [`Invariants::after`] does for the invariants:
//!
//! ```
//! use overdue::Zone;
//! use std::sync::{Arc, Mutex};
//!
//! use overdue::testkit::history::Step;
//! use overdue::testkit::model::Model;
//! use overdue::{Engine, Event, MemoryStore, Policy, Tick};
//!
//! # let (_, message, _, _) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
//! # let body = overdue::Checkin::new("nightly".parse()?, overdue::checkin::RunRef::Anonymous, overdue::checkin::CheckinStatus::Ok)
//! #     .with_config(overdue::config::ConfigUpdate::new(overdue::Schedule::crontab("0 2 * * *", Zone::UTC)?));
//! # let message = overdue::Message { body: body.into(), ..message };
//! let told = Arc::new(Mutex::new(Vec::new()));
//! let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(Arc::clone(&told));
//! let mut model = Model::new();
//! for step in [Step::Checkin(message), Step::Tick(Tick::at("2024-09-03T02:01:00Z".parse()?))] {
//!     let answer = step.take(&engine)?;
//!     let events = std::mem::take(&mut *told.lock().unwrap());
//!     model.after(&step, &answer, engine.store(), &events)?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It models [`Profile::Standard`](crate::policy::Profile::Standard) without limits and without sampling, and
//! admits every message.
//!
//! [`Invariants::after`]: crate::testkit::invariants::Invariants::after

mod checkins;
mod difference;
mod edits;
mod health;
mod jobs;
mod runs;
mod ticks;

pub use difference::{Difference, ModelError};

use crate::Event;
use crate::config::MonitorConfig;
use crate::id::{MonitorKey, OrganizationId};
use crate::testkit::history::{Answer, History, Step};

use jobs::Job;

/// The state of everything, as a list of jobs.
///
/// ```
/// use overdue::testkit::history::{Answer, Step};
/// use overdue::testkit::model::Model;
/// use overdue::Tick;
///
/// let mut model = Model::new();
/// let (answer, events) = model.take(&Step::Tick(Tick::at("2024-09-02T02:01:00Z".parse()?)));
/// assert!(matches!(answer, Answer::Tick(report) if report.outcomes.is_empty()));
/// assert!(events.is_empty());
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Model {
    jobs: Vec<Job>,
}

impl Model {
    /// A model without monitors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The model at the beginning of a [history](History): with its monitors.
    pub fn of(history: &History) -> Self {
        let mut model = Self::new();
        for (key, config) in &history.monitors {
            model.create(history.organization, key, config);
        }
        model
    }

    /// Creates a monitor, unless it exists.
    ///
    /// ```
    /// use overdue::Zone;
    /// use overdue::id::OrganizationId;
    /// use overdue::testkit::history::{Answer, Step};
    /// use overdue::testkit::model::Model;
    ///
    /// # let (_, _, nightly, _) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let schedule = overdue::Schedule::crontab("0 2 * * *", Zone::UTC)?;
    /// let config = overdue::config::MonitorConfig::new(schedule);
    /// let mut model = Model::new();
    /// model.create(OrganizationId::new(1), &nightly, &config);
    /// let edit = overdue::rules::Edit::Muted(true);
    /// let step = Step::Edit { monitor: nightly, edit, at: "2024-09-02T12:00:00Z".parse()? };
    /// assert_eq!(model.take(&step).0, Answer::Edit(Ok(())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create(&mut self, organization: OrganizationId, key: &MonitorKey, config: &MonitorConfig) {
        if self.jobs.iter().all(|job| job.key != *key) {
            self.jobs.push(Job::new(organization, key.clone(), config.clone()));
        }
    }

    /// Takes a step, and returns the expected answer and events.
    ///
    /// All versions are zero: they count how often rows are written, which the model does not know.
    pub fn take(&mut self, step: &Step) -> (Answer, Vec<Event>) {
        match step {
            Step::Checkin(message) => {
                let (outcome, events) = self.checkin(message);
                (Answer::Checkin(outcome), events)
            }
            Step::Tick(tick) => {
                let (report, events) = self.tick(*tick);
                (Answer::Tick(report), events)
            }
            Step::Edit { monitor, edit, at } => (Answer::Edit(self.edit(monitor, edit, *at)), Vec::new()),
        }
    }
}
