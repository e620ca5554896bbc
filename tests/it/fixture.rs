//! The fixture of most tests: an engine over a store in memory, its events, and short words for what happens.

#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use overdue::admission::Admission;
use overdue::checkin::CheckinStatus;
use overdue::config::MonitorConfig;
use overdue::id::{EnvironmentKey, EnvironmentName, MonitorKey, OrganizationId, ProjectId, RunId};
use overdue::outcome::{Accepted, Effect, HealthEffect, Outcome, Rejected, TickEffect};
use overdue::policy::{Profile, Quirks};
use overdue::rejection::RejectionReason;
use overdue::row::{Environment, Monitor, Run};
use overdue::rules::{Edit, EditError};
use overdue::wire::Body;
use overdue::{AdminError, Checkin, Engine, Event, MemoryStore, Message, Policy, Tick, Zone};
use uuid::Uuid;

pub(crate) type Time = DateTime<Utc>;

/// Every event, in order.
pub(crate) type Told = Arc<Mutex<Vec<Event>>>;

pub(crate) const ORGANIZATION: OrganizationId = OrganizationId::new(1);
pub(crate) const PROJECT: ProjectId = ProjectId::new(7);

/// A time of day on Monday, 2 September 2024, in UTC; or a whole RFC 3339 time.
pub(crate) fn at(text: &str) -> Time {
    let text = match text.len() {
        5 => format!("2024-09-02T{text}:00Z"),
        8 => format!("2024-09-02T{text}Z"),
        _ => text.to_owned(),
    };
    text.parse().unwrap()
}

/// The reference with these quirks.
pub(crate) fn keeping(quirks: Quirks) -> Policy {
    Profile::Reference(quirks).into()
}

pub(crate) fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

pub(crate) fn tick(text: &str) -> Tick {
    Tick::at(at(text))
}

pub(crate) fn monitor(slug: &str) -> MonitorKey {
    MonitorKey { project: PROJECT, slug: slug.parse().unwrap() }
}

pub(crate) fn place(slug: &str, environment: &str) -> EnvironmentKey {
    EnvironmentKey { monitor: monitor(slug), name: named(environment) }
}

pub(crate) fn named(environment: &str) -> EnvironmentName {
    environment.parse().unwrap()
}

pub(crate) fn run_id(number: u128) -> RunId {
    RunId::from_uuid(Uuid::from_u128(number))
}

/// Due on the hour in UTC, missed five minutes later, timed out after ten. The thresholds are parameters.
pub(crate) fn hourly(failures: u32, successes: u32) -> MonitorConfig {
    MonitorConfig::builder()
        .crontab("0 * * * *")
        .margin(5)
        .max_runtime(10)
        .failure_threshold(failures)
        .recovery_threshold(successes)
        .build()
        .unwrap()
}

/// A check-in of the run with this number; zero means without a run id.
pub(crate) fn checkin(slug: &str, run: u128, status: &str) -> Checkin {
    Checkin::new(slug.parse().unwrap(), Uuid::from_u128(run), status.parse::<CheckinStatus>().unwrap())
}

pub(crate) fn message(received: &str, body: impl Into<Body>) -> Message {
    Message { organization: ORGANIZATION, project: PROJECT, received_at: at(received), body: body.into() }
}

/// An engine, and every event that it has emitted.
pub(crate) struct RecordedEngine<S> {
    engine: Engine<S>,
    told: Told,
}

impl<S> RecordedEngine<S> {
    pub(crate) fn new(store: S, policy: Policy) -> Self {
        let told = Told::default();
        Self { engine: Engine::new(store, policy).with_sink(Arc::clone(&told)), told }
    }

    pub(crate) fn with_admission(self, gate: impl Admission + Send + Sync + 'static) -> Self {
        Self { engine: self.engine.with_admission(gate), ..self }
    }

    pub(crate) fn sink(&self) -> &Told {
        &self.told
    }
}

impl<S> Deref for RecordedEngine<S> {
    type Target = Engine<S>;

    fn deref(&self) -> &Engine<S> {
        &self.engine
    }
}

pub(crate) struct Fixture {
    pub(crate) engine: RecordedEngine<MemoryStore>,
}

impl Fixture {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { engine: RecordedEngine::new(MemoryStore::new(), policy) }
    }

    /// The standard profile, and a monitor `job` with this configuration.
    pub(crate) fn with(config: &MonitorConfig) -> Self {
        let fixture = Self::new(Policy::default());
        fixture.create("job", config).unwrap();
        fixture
    }

    pub(crate) fn create(
        &self,
        slug: &str,
        config: &MonitorConfig,
    ) -> Result<Arc<Monitor>, AdminError<std::convert::Infallible>> {
        self.engine.create_monitor(ORGANIZATION, &monitor(slug), config)
    }

    pub(crate) fn edit(&self, when: &str, edit: &Edit) -> Arc<Monitor> {
        self.engine.edit_monitor(&monitor("job"), edit, at(when)).unwrap()
    }

    pub(crate) fn rejected_edit(&self, slug: &str, edit: &Edit) -> EditError {
        match self.engine.edit_monitor(&monitor(slug), edit, at("12:00")) {
            Err(AdminError::Rejected(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn send(&self, received: &str, body: impl Into<Body>) -> Outcome {
        self.engine.process_checkin(&message(received, body)).unwrap()
    }

    /// Sends a check-in of `job` that must be accepted.
    pub(crate) fn accepted(&self, received: &str, run: u128, status: &str) -> Accepted {
        match self.send(received, checkin("job", run, status)) {
            Outcome::Accepted(accepted) => accepted,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a check-in of `job`. Returns its effect on health, which must be one that both profiles have.
    pub(crate) fn judged(&self, received: &str, run: u128, status: &str) -> HealthEffect {
        match self.accepted(received, run, status).health {
            Effect::Health(effect) => effect,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a body that must be rejected.
    pub(crate) fn rejected(&self, received: &str, body: impl Into<Body>) -> Vec<RejectionReason> {
        match self.send(received, body) {
            Outcome::Rejected(Rejected { errors, .. }) => errors,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn tick(&self, when: &str) -> Vec<TickEffect> {
        let report = self.engine.tick(tick(when)).unwrap();
        report.outcomes.into_iter().map(|outcome| outcome.effect).collect()
    }

    pub(crate) fn store(&self) -> &MemoryStore {
        self.engine.store()
    }

    pub(crate) fn monitor(&self) -> Arc<Monitor> {
        self.store().monitors().into_iter().find(|row| *row.key() == monitor("job")).unwrap()
    }

    /// The production environment of `job`.
    pub(crate) fn environment(&self) -> Environment {
        self.environment_named("production").unwrap()
    }

    pub(crate) fn environment_named(&self, name: &str) -> Option<Environment> {
        self.store().environments(&monitor("job")).into_iter().find(|row| row.name().as_str() == name)
    }

    /// When the next run of `job` is expected, and when it is missed.
    pub(crate) fn deadline(&self) -> Option<(Time, Time)> {
        self.environment().deadline().map(|deadline| (deadline.expected(), deadline.closes()))
    }

    pub(crate) fn run(&self, number: u128) -> Run {
        let runs = self.store().runs(&place("job", "production"));
        runs.into_iter().find(|run| run.id() == run_id(number)).unwrap()
    }

    /// The events since the last call.
    pub(crate) fn told(&self) -> Vec<Event> {
        std::mem::take(&mut *self.engine.sink().lock().unwrap())
    }
}
