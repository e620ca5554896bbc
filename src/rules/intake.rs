//! `process_checkin`: one check-in, from the monitor it names to the judgement of its run.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::admission::{Permit, Seat};
use crate::checkin::Arrival;
use crate::checkin::Millis;
use crate::checkin::RunRef;
use crate::config::ConfigError;
use crate::id::CheckinId;
use crate::outcome::{Accepted, ConfigChange, Ignored, Outcome, Refused, RunChange};
use crate::policy::{Policy, Quirk, Quirks};
use crate::refusal::ProcessingError;
use crate::row::Environment;
use crate::row::Organization;
use crate::row::{Monitor, MonitorStatus};
use crate::row::{Run, RunStatus};
use crate::store::{Found, RunQuery, Snapshot};
use crate::store::{MonitorChange, Put, PutRun, Transition};

use super::draft::{Draft, put, put_monitor};
use super::{Decision, minute};

/// Decides what a check-in does. Total: every snapshot and check-in has an answer.
///
/// ```
/// use overdue::admission::AdmitAll;
/// use overdue::checkin::Arrival;
/// use overdue::store::{Query, Store};
/// use overdue::{Outcome, rules};
///
/// # use overdue::{Engine, MemoryStore, Message, Policy, Tick};
/// # let engine = Engine::new(MemoryStore::new(), overdue::event::NoSink, Policy::default());
/// # let message = Message {
/// #     organization: overdue::id::OrganizationId::new(1),
/// #     project: overdue::id::ProjectId::new(1),
/// #     received_at: "2024-09-02T02:11:30Z".parse()?,
/// #     body: br#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "nightly", "status": "ok",
/// #         "monitor_config": {"schedule": {"type": "crontab", "value": "0 2 * * *"}}}"#.to_vec().into(),
/// # };
/// # let store = engine.store();
/// let policy = Policy::default();
/// let arrival = Arrival::receive(&message, &AdmitAll, policy.quirks)?;
/// let snapshot = store.load(&arrival.key(), &Query::arrival(&arrival, &policy))?;
/// let decision = rules::process_checkin(&snapshot, &arrival, &policy);
/// assert!(matches!(decision.outcome, Outcome::Accepted(_)));
/// store.commit(&decision.transition.ok_or("nothing to write")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn process_checkin(snapshot: &Snapshot, arrival: &Arrival, policy: &Policy) -> Decision<Outcome> {
    let mut intake = Intake {
        policy,
        arrival,
        organization: None,
        monitor: snapshot.monitor.clone().filter(|monitor| monitor.status != MonitorStatus::Deleting),
        config: ConfigChange::None,
        environment: None,
    };
    match intake.judge(snapshot) {
        Ok(decision) => decision,
        Err(Dismissal::Ignored(reason)) => Decision::answer(Outcome::Ignored(reason)),
        Err(Dismissal::Refused(errors)) => intake.refuse(errors),
    }
}

/// Why a check-in goes no further.
enum Dismissal {
    Ignored(Ignored),
    Refused(Vec<ProcessingError>),
}

impl From<Ignored> for Dismissal {
    fn from(reason: Ignored) -> Self {
        Self::Ignored(reason)
    }
}

impl From<ProcessingError> for Dismissal {
    fn from(error: ProcessingError) -> Self {
        Self::Refused(vec![error])
    }
}

/// A check-in on its way in, and what it has changed so far.
struct Intake<'a> {
    policy: &'a Policy,
    arrival: &'a Arrival,
    /// The organization's row, when the monitor is new.
    organization: Option<Put<Organization>>,
    /// The monitor as the check-in leaves it; its version is still the one that was read.
    monitor: Option<Arc<Monitor>>,
    config: ConfigChange,
    environment: Option<Environment>,
}

/// What a check-in does to a run that exists.
enum Update {
    Changed(Run, RunChange),
    /// The stored run is judged once more.
    Same(Run),
}

impl Intake<'_> {
    fn judge(&mut self, snapshot: &Snapshot) -> Result<Decision<Outcome>, Dismissal> {
        self.configure(snapshot)?;
        let monitor = self.admit()?;
        self.enter(snapshot, &monitor)?;
        let monitor = self.monitor.clone().unwrap_or(monitor);
        let environment = self.environment.clone().ok_or(Ignored::Gone)?;
        self.run(snapshot, &monitor, environment)
    }

    /// Finds the monitor, or creates it, or gives it the configuration that the check-in brings.
    fn configure(&mut self, snapshot: &Snapshot) -> Result<(), Dismissal> {
        let arrival = self.arrival;
        let update = match arrival.checkin.config() {
            Ok(update) => update,
            Err(ConfigError::Unusable) => return Err(Ignored::UnusableConfig.into()),
            Err(ConfigError::Invalid(errors)) => {
                if self.monitor.is_none() {
                    return Err(Dismissal::Refused(vec![
                        ProcessingError::MonitorInvalidConfig { errors: errors.clone() },
                        ProcessingError::MonitorNotFound,
                    ]));
                }
                self.config = ConfigChange::Invalid(errors.clone());
                None
            }
        };
        let Some(update) = update else {
            return if self.monitor.is_some() {
                Ok(())
            } else {
                Err(ProcessingError::MonitorNotFound.into())
            };
        };
        let mut monitor = match &self.monitor {
            Some(monitor) => Monitor::clone(monitor),
            // The rows of a monitor that is being deleted are still in the way of a new one.
            None if snapshot.monitor.is_some() => return Err(ProcessingError::MonitorNotFound.into()),
            None => {
                self.organization = Some(super::administration::one_more_monitor(
                    snapshot.organization.clone().unwrap_or_else(|| Organization::new(arrival.organization)),
                    self.policy,
                )?);
                self.config = ConfigChange::Created;
                Monitor::new(arrival.organization, arrival.monitor_key(), update.create())
            }
        };
        if self.monitor.is_some() {
            monitor.configure(update.apply(&monitor.config));
        }
        monitor.owner = update.owner().or(monitor.owner);
        if arrival.permit == Permit::Upsert(Seat::Denied) {
            monitor.status = MonitorStatus::Disabled;
        }
        if let Some(stored) = &self.monitor {
            let same = **stored == monitor;
            self.config = if same { ConfigChange::Unchanged } else { ConfigChange::Updated };
            if same {
                return Ok(());
            }
        }
        self.monitor = Some(Arc::new(monitor));
        Ok(())
    }

    /// Whether the monitor takes check-ins.
    fn admit(&self) -> Result<Arc<Monitor>, Dismissal> {
        let monitor = self.monitor.clone().ok_or(ProcessingError::MonitorNotFound)?;
        if monitor.status == MonitorStatus::Active {
            return Ok(monitor);
        }
        Err(match self.arrival.permit {
            Permit::Upsert(_) => ProcessingError::MonitorDisabledNoQuota,
            Permit::Full => ProcessingError::MonitorDisabled,
        }
        .into())
    }

    /// Finds the environment, or creates it.
    fn enter(&mut self, snapshot: &Snapshot, monitor: &Arc<Monitor>) -> Result<(), Dismissal> {
        if let Some(reason) = &self.arrival.fault {
            return Err(ProcessingError::MonitorInvalidEnvironment { reason: reason.to_string() }.into());
        }
        if let Some(environment) = &snapshot.environment {
            if environment.disabled {
                return Err(ProcessingError::MonitorDisabled.into());
            }
            // The monitor is active, whatever the copy says.
            self.environment = Some(Environment { dormant: false, ..environment.clone() });
            return Ok(());
        }
        if let Some(limit) = self.policy.limits.environments.filter(|limit| monitor.environments >= *limit) {
            return Err(ProcessingError::MonitorEnvironmentLimitExceeded { limit }.into());
        }
        let mut monitor = Monitor::clone(monitor);
        monitor.environments = monitor.environments.saturating_add(1);
        self.environment = Some(Environment::new(monitor.id, self.arrival.checkin.environment().clone()));
        self.monitor = Some(Arc::new(monitor));
        Ok(())
    }

    /// Finds the run and updates it, or creates it, and judges it.
    fn run(
        &self,
        snapshot: &Snapshot,
        monitor: &Arc<Monitor>,
        mut environment: Environment,
    ) -> Result<Decision<Outcome>, Dismissal> {
        let quirks = self.policy.quirks;
        let arrival = self.arrival;
        let query = arrival.run_query(quirks);
        let unnamed = arrival.checkin.run() == RunRef::Newest;
        let (put_run, run, change) = match &snapshot.run {
            Some(Found::Elsewhere(other)) => {
                let foreign = other.monitor.project != arrival.project;
                let error = match query {
                    RunQuery::Id(guid) if foreign && !quirks.keeps(Quirk::ForeignRunsRevealEnvironment) => {
                        ProcessingError::CheckinGuidProjectMismatch { guid }
                    }
                    _ => ProcessingError::CheckinEnvironmentMismatch {
                        existing_environment: other.name.clone(),
                    },
                };
                return Err(error.into());
            }
            Some(Found::Here(stored)) => {
                if let RunQuery::Unnamed(message) = query
                    && (stored.id == message || stored.closed_by == Some(message))
                {
                    return Err(stale(stored).into());
                }
                match update(stored, arrival, monitor, quirks)? {
                    Update::Same(run) => (None, run, RunChange::Unchanged),
                    Update::Changed(mut run, change) => {
                        if let (RunQuery::Unnamed(message), true) = (query, run.status.is_result()) {
                            run.closed_by = Some(message);
                        }
                        (Some(PutRun::Changed(run.clone())), run, change)
                    }
                }
            }
            None => {
                let seen = environment.unnamed_at.filter(|seen| *seen > arrival.received_at);
                if let (RunQuery::Unnamed(_), RunStatus::InProgress, Some(unnamed_at)) =
                    (query, arrival.status(), seen)
                {
                    return Err(Ignored::StaleUnnamed { unnamed_at }.into());
                }
                let id = match query {
                    RunQuery::Id(id) | RunQuery::Unnamed(id) => id,
                    RunQuery::NewestOpen | RunQuery::None => CheckinId::of_message(
                        environment.id,
                        arrival.received_at,
                        arrival.status(),
                        Some(environment.version),
                    ),
                };
                let run = begin(id, arrival, monitor, &mut environment);
                let started = run.status == RunStatus::InProgress;
                let change = if started { RunChange::Started } else { RunChange::Reported };
                (Some(PutRun::New(run.clone())), run, change)
            }
        };
        if unnamed {
            environment.unnamed_at = environment.unnamed_at.max(Some(arrival.received_at));
        }
        let mut draft = Draft::new(self.policy, monitor, environment, &snapshot.history);
        let judgement = match run.status {
            RunStatus::Error => draft.mark_failed(&run, arrival.received_at.into()),
            _ => draft.mark_ok(&run, arrival.received_at),
        };
        draft.note(&run);
        let outcome = Outcome::Accepted(Accepted {
            environment: draft.key(),
            checkin: run.id,
            change,
            judgement,
            deadline: draft.environment.deadline,
            config: self.config.clone(),
        });
        let mut transition = draft.commit_with(self.monitor_change(snapshot, monitor), put_run);
        transition.organization = self.organization.clone();
        Ok(Decision { transition: Some(transition), outcome })
    }

    fn monitor_change(&self, snapshot: &Snapshot, monitor: &Arc<Monitor>) -> MonitorChange {
        match &snapshot.monitor {
            Some(stored) if Arc::ptr_eq(stored, monitor) => {
                MonitorChange::Keep { key: monitor.key.clone(), version: monitor.version }
            }
            _ => MonitorChange::Put(put_monitor(Monitor::clone(monitor))),
        }
    }

    /// The answer to a check-in that is refused. Nothing is written, but for a monitor that was to be
    /// given a seat and found none, and for what the reference system leaves behind.
    fn refuse(self, errors: Vec<ProcessingError>) -> Decision<Outcome> {
        let seatless = errors.contains(&ProcessingError::MonitorDisabledNoQuota);
        let changed =
            !matches!(self.config, ConfigChange::None | ConfigChange::Unchanged | ConfigChange::Invalid(_));
        let new_environment =
            self.environment.as_ref().filter(|environment| environment.version == Default::default());
        let leaves =
            self.policy.quirks.keeps(Quirk::RefusalsLeaveChanges) && (changed || new_environment.is_some());
        let transition =
            self.monitor.as_ref().filter(|_| leaves || (seatless && changed)).map(|monitor| Transition {
                organization: self.organization.clone(),
                monitor: MonitorChange::Put(put_monitor(Monitor::clone(monitor))),
                environments: new_environment.into_iter().cloned().map(put).collect(),
                runs: Vec::new(),
                incidents: Vec::new(),
                events: Vec::new(),
            });
        Decision { transition, outcome: Outcome::Refused(Refused { errors }) }
    }
}

/// The run that a check-in begins.
fn begin(id: CheckinId, arrival: &Arrival, monitor: &Monitor, environment: &mut Environment) -> Run {
    let number = environment.runs;
    environment.runs = number.saturating_add(1);
    let started_at = arrival.started_at();
    Run {
        id,
        environment: environment.id,
        number,
        status: arrival.status(),
        started_at,
        expected_at: environment.deadline.map(|deadline| deadline.next),
        timeout_at: timeout(arrival.status(), started_at, monitor),
        duration: arrival.checkin.duration(),
        updated_at: arrival.received_at,
        closed_by: None,
        trace_id: arrival.checkin.trace_id(),
        release: arrival.checkin.release().map(Into::into),
    }
}

/// When a run times out that was heard of at `heard`: the maximum runtime after that minute.
fn timeout(status: RunStatus, heard: DateTime<Utc>, monitor: &Monitor) -> Option<DateTime<Utc>> {
    let runtime = monitor.config.max_runtime().duration();
    (status == RunStatus::InProgress)
        .then(|| minute(heard).checked_add_signed(runtime).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// What a check-in does to a run that exists, by the rules of DESIGN.md section 4.1.
fn update(run: &Run, arrival: &Arrival, monitor: &Monitor, quirks: Quirks) -> Result<Update, Dismissal> {
    let status = arrival.status();
    let duration = match arrival.checkin.duration() {
        Some(duration) => Ok(duration),
        None => elapsed(run.started_at, arrival.received_at, quirks),
    };
    let heartbeat = status == RunStatus::InProgress;
    match run.status {
        RunStatus::Ok | RunStatus::Error | RunStatus::Missed if !heartbeat => {
            let mut errors = vec![ProcessingError::CheckinFinished];
            errors.extend(duration.err());
            return Err(Dismissal::Refused(errors));
        }
        RunStatus::Ok | RunStatus::Error | RunStatus::Missed => {
            if !quirks.keeps(Quirk::LateInProgressJudgesAgain) {
                return Err(Ignored::AlreadyFinished { checkin: run.id }.into());
            }
            return Ok(Update::Same(run.clone()));
        }
        RunStatus::Timeout if heartbeat && !quirks.keeps(Quirk::HeartbeatRevivesTimeout) => {
            return Err(Ignored::AlreadyTimedOut { checkin: run.id }.into());
        }
        RunStatus::Timeout | RunStatus::InProgress | RunStatus::Unknown => {}
    }
    let finishes = !heartbeat && run.status != RunStatus::Timeout;
    if !finishes && arrival.received_at <= run.updated_at && !quirks.keeps(Quirk::StaleHeartbeatsApply) {
        return Err(stale(run).into());
    }
    let (status, change) = match (run.status, heartbeat) {
        (_, true) => (status, RunChange::Heartbeat),
        (RunStatus::Timeout, false) => (RunStatus::Timeout, RunChange::FinishedLate),
        (_, false) => (status, RunChange::Finished),
    };
    let run = Run {
        status,
        timeout_at: timeout(status, arrival.received_at, monitor),
        duration: Some(duration?),
        updated_at: run.updated_at.max(arrival.received_at),
        trace_id: arrival.checkin.trace_id().or(run.trace_id),
        release: arrival.checkin.release().map(Into::into).or_else(|| run.release.clone()),
        ..run.clone()
    };
    Ok(Update::Changed(run, change))
}

const fn stale(run: &Run) -> Ignored {
    Ignored::Stale { checkin: run.id, updated_at: run.updated_at }
}

/// The time between two messages about a run, in whichever order they were received.
fn elapsed(
    started: DateTime<Utc>,
    received: DateTime<Utc>,
    quirks: Quirks,
) -> Result<Millis, ProcessingError> {
    let elapsed = received.signed_duration_since(started).abs();
    let elapsed = match quirks.keeps(Quirk::DurationsTruncate) {
        true => binary_milliseconds(elapsed),
        false => nearest_millisecond(elapsed),
    };
    Millis::try_from(elapsed).map_err(|_| ProcessingError::CheckinInvalidDuration { duration: elapsed })
}

/// Rounds half up; the span is not negative.
fn nearest_millisecond(span: TimeDelta) -> TimeDelta {
    let rounded = span.checked_add(&TimeDelta::microseconds(500)).unwrap_or(span);
    TimeDelta::try_milliseconds(rounded.num_milliseconds()).unwrap_or(TimeDelta::MAX)
}

/// As the reference system does it: microseconds to seconds to milliseconds in binary fractions, then cut.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the quirk is this loss")]
fn binary_milliseconds(span: TimeDelta) -> TimeDelta {
    let microseconds = span.num_microseconds().unwrap_or(i64::MAX);
    TimeDelta::try_milliseconds((microseconds as f64 / 1e6 * 1e3) as i64).unwrap_or(TimeDelta::MAX)
}
