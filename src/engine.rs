//! The engine: a store, a sink, a policy and an admission, and the loop that ties them together.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::admission::{Admission, AdmitAll, ValidCheckin};
use crate::clock::Tick;
use crate::config::MonitorConfig;
use crate::decision::{Snapshot, Transition};
use crate::event::{Event, EventSink, NoSink, Rejection};
use crate::id::{EnvironmentKey, MonitorKey, OrganizationId, RunId};
use crate::outcome::{DueOutcome, Effect, Outcome, Rejected};
use crate::policy::Policy;
use crate::row::Monitor;
use crate::rules::{self, Decision, Edit, EditError, Query};
use crate::store::{CommitError, Due, DueKind, DueQuery, Store};
use crate::wire::Message;

/// How often a decision is made again when others keep changing the same rows.
const ATTEMPTS: u32 = 32;

/// How many deadlines are listed at a time. A page this small is still in the processor's cache when its
/// entries are decided on.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Watches jobs: takes their check-ins and the ticks of a clock, and reports missed runs, timeouts, and
/// incidents as they open and resolve.
///
/// It holds no state of its own: everything is in the store, and any number of engines may share one. Every
/// call is one load, one decision and one commit. If another writer commits first, the call starts over.
///
/// ```
/// use overdue::{Engine, MemoryStore, Policy};
///
/// let engine = Engine::new(MemoryStore::new(), Policy::default());
/// assert_eq!(engine.next_deadline()?, None);
/// # Ok::<(), overdue::Error<std::convert::Infallible>>(())
/// ```
#[derive(Clone)]
pub struct Engine<S> {
    store: S,
    policy: Policy,
    sink: Arc<dyn EventSink + Send + Sync>,
    admission: Arc<dyn Admission + Send + Sync>,
}

impl<S: fmt::Debug> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, policy, .. } = self;
        f.debug_struct("Engine").field("store", store).field("policy", policy).finish_non_exhaustive()
    }
}

/// Why a call failed. A rejected check-in is an [`Outcome`], not an error.
///
/// ```
/// use std::error::Error as _;
/// use overdue::Error;
///
/// let error = Error::Store(std::io::Error::other("the disk is full"));
/// assert_eq!(error.to_string(), "the store failed");
/// assert_eq!(error.source().ok_or("no source")?.to_string(), "the disk is full");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The store failed. What was committed before stands; the call may be repeated (I4).
    #[error("the store failed")]
    Store(#[source] E),
    /// Other writers kept changing the same rows. Nothing was written for this environment or monitor; the
    /// call may be repeated.
    #[error("gave up on {subject} after {attempts} conflicting commits")]
    Contended {
        /// The environment or monitor.
        subject: String,
        /// How many attempts were made.
        attempts: u32,
    },
}

/// Why an administrative call failed.
///
/// ```
/// use overdue::AdminError;
/// use overdue::rules::EditError;
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let error = engine.remove_monitor(&monitor).unwrap_err();
/// assert_eq!(error, AdminError::Rejected(EditError::NoMonitor));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError<E> {
    /// The edit was rejected; nothing was written.
    #[error(transparent)]
    Rejected(#[from] EditError),
    /// The call failed.
    #[error(transparent)]
    Failed(Error<E>),
}

/// What a tick did, one entry for each environment or run that was due.
///
/// ```
/// # use overdue::Tick;
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// engine.process_checkin(&message)?;
/// let report = engine.tick(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
/// for outcome in &report.outcomes {
///     println!("{} {}: {:?}", report.tick, outcome.environment, outcome.effect);
/// }
/// assert_eq!(report.outcomes.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TickReport {
    /// The tick.
    pub tick: Tick,
    /// What was decided, in the order of the deadlines.
    pub outcomes: Vec<DueOutcome>,
}

impl TickReport {
    const fn of(tick: Tick) -> Self {
        Self { tick, outcomes: Vec::new() }
    }
}

impl<S> Engine<S> {
    /// An engine that admits every check-in, and drops its events.
    pub fn new(store: S, policy: Policy) -> Self {
        Self { store, policy, sink: Arc::new(NoSink), admission: Arc::new(AdmitAll) }
    }

    /// The same engine with a closure that takes its events.
    ///
    /// ```
    /// use overdue::{Engine, Event, MemoryStore, Policy};
    ///
    /// let engine = Engine::new(MemoryStore::new(), Policy::default()).on_event(|event| {
    ///     if let Event::IncidentOpened(alert) = event {
    ///         println!("{}: {}", alert.monitor.name(), alert.reason());
    ///     }
    /// });
    /// # let _ = engine;
    /// ```
    #[must_use]
    pub fn on_event(self, sink: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.with_sink(sink)
    }

    /// The same engine with another sink for its events.
    ///
    /// ```
    /// use overdue::{Engine, MemoryStore, Policy};
    ///
    /// let (sink, events) = std::sync::mpsc::channel();
    /// let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(sink);
    /// # let _ = (engine, events);
    /// ```
    #[must_use]
    pub fn with_sink(self, sink: impl EventSink + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), ..self }
    }

    /// The same engine with another admission.
    ///
    /// ```
    /// use overdue::admission::RateLimiter;
    /// use overdue::{Engine, MemoryStore, Policy};
    ///
    /// let engine = Engine::new(MemoryStore::new(), Policy::default()).with_admission(RateLimiter::default());
    /// # let _ = engine;
    /// ```
    #[must_use]
    pub fn with_admission(self, admission: impl Admission + Send + Sync + 'static) -> Self {
        Self { admission: Arc::new(admission), ..self }
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl<S: Store> Engine<S> {
    /// Processes a check-in: admits it, validates it, finds or creates its monitor, environment and run, and
    /// evaluates the run. A rejection is an outcome, and also an event.
    ///
    /// ```
    /// use overdue::Outcome;
    /// use overdue::outcome::HealthEffect;
    ///
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let Outcome::Accepted(accepted) = engine.process_checkin(&message)? else { panic!("not accepted") };
    /// assert_eq!(accepted.health, HealthEffect::FirstOk);
    /// assert_eq!(accepted.deadline.map(|deadline| deadline.expected()), Some("2024-09-03T02:00:00Z".parse()?));
    ///
    /// // Delivered again, it is rejected because the run has finished, and nothing changes.
    /// assert!(matches!(engine.process_checkin(&message)?, Outcome::Rejected(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Contended`].
    pub fn process_checkin(&self, message: &Message) -> Result<Outcome, Error<S::Error>> {
        let outcome = match &ValidCheckin::admit(message, &*self.admission, &self.policy) {
            Ok(valid) => {
                let key = valid.key();
                self.decide_and_commit(&key, &Query::checkin(valid, &self.policy), |snapshot| {
                    rules::process_checkin(snapshot, valid, &self.policy)
                })
            }
            Err(answer) => Ok(Outcome::clone(answer)),
        };
        if let Ok(Outcome::Rejected(Rejected { errors })) = &outcome {
            self.sink.emit(&Event::Rejected(Rejection::new(message.clone(), errors.clone())));
        }
        outcome
    }

    /// Processes check-ins one by one and returns their results in order. A failed check-in does not stop the
    /// ones after it. Check-ins of different [processing keys](crate::batch::ProcessingKey) are independent:
    /// a host with threads sorts them into [groups](crate::batch::groups) and processes the groups in
    /// parallel.
    ///
    /// ```
    /// use overdue::Outcome;
    ///
    /// # use overdue::Message;
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let later = Message { received_at: "2024-09-02T02:11:31Z".parse()?, ..message.clone() };
    /// let answers = engine.process_batch([&message, &later]);
    /// assert!(matches!(answers[..], [Ok(Outcome::Accepted(_)), Ok(Outcome::Rejected(_))]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn process_batch<'m>(
        &self,
        messages: impl IntoIterator<Item = &'m Message>,
    ) -> Vec<Result<Outcome, Error<S::Error>>> {
        messages.into_iter().map(|message| self.process_checkin(message)).collect()
    }

    /// Treats a stored run as succeeded; see [`rules::mark_ok`]. Returns `None` if the environment has no
    /// such run.
    ///
    /// ```
    /// use overdue::outcome::HealthEffect;
    ///
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// # use overdue::id::RunId;
    /// engine.process_checkin(&message)?;
    /// let run: RunId = "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc".parse()?;
    /// let health = engine.mark_ok(&environment, run, "2024-09-02T02:12:00Z".parse()?)?;
    /// assert!(health.is_some_and(|effect| effect == HealthEffect::Healthy));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Contended`].
    pub fn mark_ok(
        &self,
        key: &EnvironmentKey,
        run: RunId,
        at: DateTime<Utc>,
    ) -> Result<Option<Effect>, Error<S::Error>> {
        let query = Query::run_of(run, &self.policy);
        self.decide_and_commit(key, &query, |snapshot| rules::mark_ok(snapshot, at, &self.policy))
    }

    /// Treats a stored run as failed; see [`rules::mark_failed`]. Returns `None` if the environment has no
    /// such run.
    ///
    /// ```
    /// use overdue::outcome::HealthEffect;
    ///
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// # use overdue::id::RunId;
    /// engine.process_checkin(&message)?;
    /// let unknown: RunId = "00000000000000000000000000000001".parse()?;
    /// assert_eq!(engine.mark_failed(&environment, unknown, "2024-09-02T02:12:00Z".parse()?)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Contended`].
    pub fn mark_failed(
        &self,
        key: &EnvironmentKey,
        run: RunId,
        at: DateTime<Utc>,
    ) -> Result<Option<Effect>, Error<S::Error>> {
        let query = Query::run_of(run, &self.policy);
        self.decide_and_commit(key, &query, |snapshot| rules::mark_failed(snapshot, at, &self.policy))
    }

    /// Handles every environment that has missed its run by this tick. Repeating or skipping ticks is
    /// harmless (I8).
    ///
    /// ```
    /// use overdue::outcome::TickEffect;
    ///
    /// # use overdue::Tick;
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// let report = engine.check_missed(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
    /// assert!(matches!(report.outcomes[0].effect, TickEffect::Missed(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] at once; [`Error::Contended`] once everything else that is due has been handled.
    pub fn check_missed(&self, tick: Tick) -> Result<TickReport, Error<S::Error>> {
        let mut report = TickReport::of(tick);
        self.add_missed(&mut report)?;
        Ok(report)
    }

    fn add_missed(&self, report: &mut TickReport) -> Result<(), Error<S::Error>> {
        let (tick, query) = (report.tick, Query::miss(&self.policy));
        self.for_each_due(DueKind::Miss, report, |due| {
            self.decide_and_commit(&due.key, &query, |snapshot| {
                rules::check_missed(snapshot, &due.key, tick, &self.policy)
            })
        })
    }

    /// Handles every run that has timed out by this tick. Repeating or skipping ticks is harmless (I8).
    ///
    /// ```
    /// # use overdue::Tick;
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let report = engine.check_timeouts(Tick::at("2024-09-03T02:01:00Z".parse()?))?;
    /// assert!(report.outcomes.is_empty(), "no run is in progress");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`] at once; [`Error::Contended`] once everything else that is due has been handled.
    pub fn check_timeouts(&self, tick: Tick) -> Result<TickReport, Error<S::Error>> {
        let mut report = TickReport::of(tick);
        self.add_timeouts(&mut report)?;
        Ok(report)
    }

    fn add_timeouts(&self, report: &mut TickReport) -> Result<(), Error<S::Error>> {
        let tick = report.tick;
        self.for_each_due(DueKind::Timeout, report, |due| {
            let query = due.run.map_or(Query::miss(&self.policy), |run| Query::run_of(run.id, &self.policy));
            self.decide_and_commit(&due.key, &query, |snapshot| {
                rules::check_timeout(snapshot, &due.key, tick, &self.policy)
            })
        })
    }

    /// Handles all that is due at this tick: missed runs first, then timeouts. Nothing is due afterwards
    /// (I7).
    ///
    /// ```
    /// # use overdue::Tick;
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// let tick = Tick::at("2024-09-10T12:00:00Z".parse()?);
    /// assert_eq!(engine.tick(tick)?.outcomes.len(), 1, "one miss for a week of silence");
    /// assert_eq!(engine.tick(tick)?.outcomes.len(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`check_missed`](Self::check_missed).
    pub fn tick(&self, tick: Tick) -> Result<TickReport, Error<S::Error>> {
        let mut report = TickReport::of(tick);
        let missed = match self.add_missed(&mut report) {
            Err(error @ Error::Store(_)) => return Err(error),
            // One contended environment does not keep the runs of all others from timing out.
            missed => missed,
        };
        self.add_timeouts(&mut report)?;
        missed?;
        Ok(report)
    }

    /// Returns when the next tick will have something to do, or `None` if no deadline is set.
    ///
    /// ```
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// assert_eq!(engine.next_deadline()?, Some("2024-09-03T02:01:00Z".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn next_deadline(&self) -> Result<Option<DateTime<Utc>>, Error<S::Error>> {
        let next = |kind| self.store.next_due(kind).map_err(Error::Store);
        let (miss, timeout) = (next(DueKind::Miss)?, next(DueKind::Timeout)?);
        Ok(miss.into_iter().chain(timeout).min())
    }

    /// Creates a monitor. Its environments come with their first check-ins.
    ///
    /// ```
    /// use overdue::Zone;
    /// use overdue::Schedule;
    /// use overdue::config::MonitorConfig;
    /// use overdue::id::OrganizationId;
    ///
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let config = MonitorConfig::new(Schedule::crontab("0 2 * * *", Zone::UTC)?);
    /// let created = engine.create_monitor(OrganizationId::new(1), &monitor, &config)?;
    /// assert_eq!(created.name(), "nightly");
    /// assert!(engine.create_monitor(OrganizationId::new(1), &monitor, &config).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AdminError::Rejected`] if the monitor exists or a limit is reached; [`AdminError::Failed`].
    pub fn create_monitor(
        &self,
        organization: OrganizationId,
        key: &MonitorKey,
        config: &MonitorConfig,
    ) -> Result<Arc<Monitor>, AdminError<S::Error>> {
        let place = EnvironmentKey { monitor: key.clone(), name: crate::id::EnvironmentName::production() };
        let created =
            self.decide_and_commit(&place, &Query::creation(organization, &self.policy), |snapshot| {
                rules::create_monitor(snapshot, organization, key, config, &self.policy)
            });
        Ok(created.map_err(AdminError::Failed)??)
    }

    /// Changes a monitor. Deadlines follow at once; `at` is the present time.
    ///
    /// ```
    /// use overdue::row::MonitorStatus;
    /// use overdue::rules::Edit;
    ///
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// let now = "2024-09-02T12:00:00Z".parse()?;
    /// assert!(engine.edit_monitor(&monitor, &Edit::Muted(true), now)?.is_muted());
    /// engine.edit_monitor(&monitor, &Edit::Status(MonitorStatus::Disabled), now)?;
    /// assert_eq!(engine.next_deadline()?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AdminError::Rejected`] if there is no such monitor or environment; [`AdminError::Failed`].
    pub fn edit_monitor(
        &self,
        key: &MonitorKey,
        edit: &Edit,
        at: DateTime<Utc>,
    ) -> Result<Arc<Monitor>, AdminError<S::Error>> {
        self.edit(key, |snapshot| rules::edit_monitor(snapshot, edit, at, &self.policy))
    }

    /// Removes a monitor with its environments, runs and incidents. Emits no event, not even to resolve an
    /// announced incident.
    ///
    /// ```
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// engine.remove_monitor(&monitor)?;
    /// assert!(engine.store().monitors().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AdminError::Rejected`] if there is no such monitor; [`AdminError::Failed`].
    pub fn remove_monitor(&self, key: &MonitorKey) -> Result<(), AdminError<S::Error>> {
        self.edit(key, |snapshot| {
            let Decision { transition, outcome } = rules::remove_monitor(snapshot);
            Decision { transition, outcome: Ok(outcome) }
        })
    }

    /// Loads a monitor, decides on an edit and commits it. Starts over on a conflict.
    fn edit<T>(
        &self,
        key: &MonitorKey,
        decide: impl Fn(&crate::decision::MonitorSnapshot) -> Decision<Result<T, EditError>>,
    ) -> Result<T, AdminError<S::Error>> {
        for _ in 0..ATTEMPTS {
            let loaded =
                self.store.load_monitor(key).map_err(|error| AdminError::Failed(Error::Store(error)))?;
            let Some(snapshot) = loaded else { return Err(EditError::NoMonitor.into()) };
            let Decision { transition, outcome } = decide(&snapshot);
            if self.commit_and_emit(transition.as_ref()).map_err(AdminError::Failed)? {
                return Ok(outcome?);
            }
        }
        Err(AdminError::Failed(Error::Contended { subject: key.to_string(), attempts: ATTEMPTS }))
    }

    /// Loads, decides and commits. Starts over on a conflict.
    fn decide_and_commit<T>(
        &self,
        key: &EnvironmentKey,
        query: &Query<'_>,
        decide: impl Fn(Snapshot) -> Decision<T>,
    ) -> Result<T, Error<S::Error>> {
        for _ in 0..ATTEMPTS {
            let snapshot = self.store.load(key, query).map_err(Error::Store)?;
            let decision = decide(snapshot);
            if self.commit_and_emit(decision.transition.as_ref())? {
                return Ok(decision.outcome);
            }
        }
        Err(Error::Contended { subject: key.to_string(), attempts: ATTEMPTS })
    }

    /// Commits a transition and emits its events. Returns `false` on a conflict.
    fn commit_and_emit(&self, transition: Option<&Transition>) -> Result<bool, Error<S::Error>> {
        let Some(transition) = transition else { return Ok(true) };
        match self.store.commit(transition) {
            Ok(()) => {
                transition.events.iter().for_each(|event| self.sink.emit(event));
                Ok(true)
            }
            Err(CommitError::Conflict) => Ok(false),
            Err(CommitError::Store(error)) => Err(Error::Store(error)),
        }
    }

    /// Walks all that is due, page by page, and adds each outcome to the report. Most ticks add nothing:
    /// returning an empty report would cost as much as the lookup itself.
    fn for_each_due(
        &self,
        kind: DueKind,
        report: &mut TickReport,
        decide: impl Fn(&Due) -> Result<DueOutcome, Error<S::Error>>,
    ) -> Result<(), Error<S::Error>> {
        let mut contended = None;
        // The reference lists due rows once a tick, and its quirks can make a handled row due again, so
        // remember what was handled. Without them, the cursor is enough.
        let mut seen = self.policy.profile.quirks().misses_repeat().then(HashSet::new);
        let mut query = DueQuery { kind, until: Some(report.tick.time()), after: None, limit: PAGE };
        loop {
            let page = self.store.due(&query).map_err(Error::Store)?;
            for due in &page {
                if seen.as_mut().is_some_and(|seen| !seen.insert((due.key.clone(), due.run))) {
                    continue;
                }
                match decide(due) {
                    Ok(outcome) => report.outcomes.push(outcome),
                    Err(error @ Error::Contended { .. }) => contended = contended.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
            if page.len() < PAGE.get() {
                return contended.map_or(Ok(()), Err);
            }
            query.after = page.last().cloned();
        }
    }
}
