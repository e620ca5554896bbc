//! Histories: monitors and all that happens to them, as values to read, keep and replay.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::config::MonitorConfig;
use crate::id::{MonitorKey, OrganizationId};
use crate::rules::{Edit, EditError};
use crate::wire::Body;
use crate::{AdminError, Engine, Error, Message, Outcome, Store, Tick, TickReport};

/// Monitors, and what happens to them, step by step.
///
/// A history is complete: on every engine of the same policy it gives the same answers, rows and events (I3).
/// Late, early, repeated and reordered messages are steps like others; the time at which they were received
/// tells them apart. A lost message is no step. `Debug` prints a line for each monitor and step. Serde stores
/// a history, so that a failing one can be kept.
///
/// ```
/// use overdue::Zone;
/// use overdue::config::MonitorConfig;
/// use overdue::event::NoSink;
/// use overdue::id::{OrganizationId, ProjectId, MonitorKey};
/// use overdue::testkit::history::{Answer, History, Step};
/// use overdue::{Engine, MemoryStore, Policy, Schedule, Tick};
///
/// let nightly = MonitorKey { project: ProjectId::new(1), slug: "nightly".parse()? };
/// let config = MonitorConfig::new(Schedule::crontab("0 2 * * *", Zone::UTC)?);
/// let history = History {
///     organization: OrganizationId::new(1),
///     monitors: vec![(nightly, config)],
///     steps: vec![Step::Tick(Tick::at("2024-09-02T02:01:00Z".parse()?))],
/// };
/// let again: History = serde_json::from_str(&serde_json::to_string(&history)?)?;
/// assert_eq!(again, history);
///
/// let answers = again.play(&Engine::new(MemoryStore::new(), Policy::default()))?;
/// assert!(matches!(&answers[..], [Answer::Tick(report)] if report.outcomes.is_empty()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a history names all of it")]
pub struct History {
    /// Who owns the monitors.
    pub organization: OrganizationId,
    /// The monitors that there are from the start.
    pub monitors: Vec<(MonitorKey, MonitorConfig)>,
    /// What happens, in the order in which it is processed.
    pub steps: Vec<Step>,
}

/// One thing that happens.
///
/// Its `Debug` is one line, with a check-in as the job sent it.
///
/// ```
/// use overdue::Tick;
/// use overdue::testkit::history::Step;
///
/// let step = Step::Tick(Tick::at("2024-09-02T02:01:00Z".parse()?));
/// assert_eq!(format!("{step:?}"), "2024-09-02T02:01:00Z tick");
/// assert_eq!(serde_json::to_string(&step)?, r#"{"tick":"2024-09-02T02:01:00Z"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a new kind of step should break those who play them")]
pub enum Step {
    /// A message is processed. Its own time tells how late it is.
    Checkin(Message),
    /// The clock ticks.
    Tick(Tick),
    /// Somebody edits a monitor: configures, mutes, disables, renames it.
    Edit {
        /// Which one.
        monitor: MonitorKey,
        /// How.
        edit: Edit,
        /// When.
        at: DateTime<Utc>,
    },
}

/// What an engine answered to a [`Step`].
///
/// ```
/// use overdue::testkit::history::Answer;
///
/// fn is_rejected(answer: &Answer) -> bool {
///     matches!(answer, Answer::Checkin(overdue::Outcome::Rejected(_)) | Answer::Edit(Err(_)))
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "an answer for every kind of step")]
pub enum Answer {
    /// To a message.
    Checkin(Outcome),
    /// To a tick.
    Tick(TickReport),
    /// To an edit.
    Edit(Result<(), EditError>),
}

impl History {
    /// Creates the monitors. A policy with limits may reject some.
    ///
    /// # Errors
    /// [`AdminError`], of the first monitor that cannot be created.
    pub fn begin<S: Store>(&self, engine: &Engine<S>) -> Result<(), AdminError<S::Error>> {
        for (key, config) in &self.monitors {
            engine.create_monitor(self.organization, key, config)?;
        }
        Ok(())
    }

    /// Creates the monitors, takes every step, and returns the answers.
    ///
    /// # Errors
    /// [`AdminError`], of the first call that fails, or of the first monitor that cannot be created.
    pub fn play<S: Store>(&self, engine: &Engine<S>) -> Result<Vec<Answer>, AdminError<S::Error>> {
        self.begin(engine)?;
        self.steps.iter().map(|step| step.take(engine).map_err(AdminError::Failed)).collect()
    }
}

impl Step {
    /// Has an engine take the step.
    ///
    /// # Errors
    /// As the engine fails. A rejection is an answer.
    pub fn take<S: Store>(&self, engine: &Engine<S>) -> Result<Answer, Error<S::Error>> {
        Ok(match self {
            Self::Checkin(message) => Answer::Checkin(engine.process_checkin(message)?),
            Self::Tick(tick) => Answer::Tick(engine.tick(*tick)?),
            Self::Edit { monitor, edit, at } => Answer::Edit(match engine.edit_monitor(monitor, edit, *at) {
                Ok(_) => Ok(()),
                Err(AdminError::Rejected(rejected)) => Err(rejected),
                Err(AdminError::Failed(error)) => return Err(error),
            }),
        })
    }

    /// The time of the step: when the message was received, the tick, or when the edit was made.
    ///
    /// ```
    /// use overdue::Tick;
    /// use overdue::testkit::history::Step;
    ///
    /// let at = "2024-09-02T02:01:00Z".parse()?;
    /// assert_eq!(Step::Tick(Tick::at(at)).at(), at);
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Checkin(message) => message.received_at,
            Self::Tick(tick) => tick.time(),
            Self::Edit { at, .. } => *at,
        }
    }

    /// The monitor that the step is about. `None` for a tick, and for a message without a readable slug.
    ///
    /// ```
    /// use overdue::Tick;
    /// use overdue::testkit::history::Step;
    ///
    /// assert_eq!(Step::Tick(Tick::at("2024-09-02T02:01:00Z".parse()?)).monitor(), None);
    /// # Ok::<(), chrono::ParseError>(())
    /// ```
    pub fn monitor(&self) -> Option<MonitorKey> {
        match self {
            Self::Checkin(message) => message.monitor(),
            Self::Tick(_) => None,
            Self::Edit { monitor, .. } => Some(monitor.clone()),
        }
    }
}

/// A line for each monitor and step, so that a failing history can be read.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let monitors = self.monitors.iter().map(|(key, config)| {
            Line(format!(
                "{key} of {}: {:?}, margin {} min, at most {} min, opens at {}, ends at {}",
                self.organization,
                config.schedule(),
                config.margin().get(),
                config.max_runtime().get(),
                config.failure_threshold().get(),
                config.recovery_threshold().get(),
            ))
        });
        f.debug_list().entries(monitors).entries(&self.steps).finish()
    }
}

/// Shown as it is, without quotes.
struct Line(String);

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkin(Message { project, received_at, body, .. }) => {
                let kind = match body {
                    Body::Checkin(_) => "typed",
                    Body::Json(_) | Body::Malformed(_) => "raw",
                };
                let sent = String::from_utf8_lossy(&body.bytes()).into_owned();
                write!(f, "{received_at:?} checkin of {project} ({kind}): {sent}")
            }
            Self::Tick(tick) => write!(f, "{tick} tick"),
            Self::Edit { monitor, edit, at } => write!(f, "{at:?} edit {monitor}: {edit:?}"),
        }
    }
}
