//! The message of a job: one run has started, gone well or failed.

mod arrival;
mod field_errors;
mod guid;
pub(crate) mod json;
mod message;
mod millis;
mod payload;

pub use arrival::Arrival;
pub(crate) use field_errors::{Faults, WHOLE};
pub use field_errors::{FieldErrors, FieldProblem};
pub use message::{Body, Message};
pub use millis::Millis;
pub use payload::{Fields, Payload, PayloadError};

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use uuid::Uuid;

use crate::config::{ConfigError, ConfigUpdate};
use crate::id::CheckinId;
use crate::key::{EnvironmentName, Slug};
use crate::policy::Quirks;

/// Which run a message speaks of.
///
/// ```
/// use overdue::checkin::RunRef;
///
/// assert_eq!("00000000-0000-0000-0000-000000000000".parse(), Ok(RunRef::Newest));
/// assert!(matches!("5f2ab0c08d2d4ab2b2a1d34fd4e53fbc".parse(), Ok(RunRef::Id(_))));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a job names its run or does not")]
pub enum RunRef {
    /// The run with this id, or a new one that takes it.
    Id(CheckinId),
    /// The newest open run of the environment, or else a new one. Sent as an id that is all zeros, by jobs
    /// that cannot remember what id they started with.
    Newest,
}

/// The text is no UUID.
///
/// ```
/// use overdue::checkin::{InvalidGuid, RunRef};
///
/// let error: InvalidGuid = "last one".parse::<RunRef>().unwrap_err();
/// assert_eq!(error.to_string(), "the id of a check-in must be a UUID");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the id of a check-in must be a UUID")]
#[non_exhaustive]
pub struct InvalidGuid;

impl From<Uuid> for RunRef {
    fn from(id: Uuid) -> Self {
        if id.is_nil() { RunRef::Newest } else { RunRef::Id(CheckinId::from_uuid(id)) }
    }
}

impl From<CheckinId> for RunRef {
    fn from(id: CheckinId) -> Self {
        Self::from(*id.as_uuid())
    }
}

impl FromStr for RunRef {
    type Err = InvalidGuid;

    /// Takes the spellings that senders use: any hyphens, braces, `urn:uuid:`, either case.
    fn from_str(text: &str) -> Result<Self, InvalidGuid> {
        guid::parse(text).map(Self::from).ok_or(InvalidGuid)
    }
}

impl fmt::Display for RunRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunRef::Id(id) => id.fmt(f),
            RunRef::Newest => Uuid::nil().fmt(f),
        }
    }
}

/// What a job says of its run.
///
/// ```
/// use overdue::checkin::ReportedStatus;
///
/// let status: ReportedStatus = "in_progress".parse()?;
/// assert_eq!(status, ReportedStatus::InProgress);
/// assert_eq!(status.to_string(), "in_progress");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "what a job can say is fixed by the wire format")]
pub enum ReportedStatus {
    /// It has started, or is still running.
    InProgress,
    /// It went well.
    Ok,
    /// It failed.
    Error,
}

impl ReportedStatus {
    /// The status as messages spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReportedStatus::InProgress => "in_progress",
            ReportedStatus::Ok => "ok",
            ReportedStatus::Error => "error",
        }
    }
}

/// The text is none of the statuses that a job can report.
///
/// ```
/// use overdue::checkin::{ReportedStatus, UnknownStatus};
///
/// let error: UnknownStatus = "missed".parse::<ReportedStatus>().unwrap_err();
/// assert_eq!(error.to_string(), "a job reports in_progress, ok or error");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a job reports in_progress, ok or error")]
#[non_exhaustive]
pub struct UnknownStatus;

impl FromStr for ReportedStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        [ReportedStatus::InProgress, ReportedStatus::Ok, ReportedStatus::Error]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

impl fmt::Display for ReportedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A check-in: what a job says of one of its runs, checked and typed.
///
/// Made in code, or decoded from the JSON that jobs send. `Serialize` writes that JSON and `Deserialize` reads
/// it by the rules of the standard profile; for other rules, or the fields one by one, see [`Payload`]. Both
/// speak JSON only.
///
/// ```
/// use overdue::checkin::{Checkin, ReportedStatus};
///
/// let checkin: Checkin = serde_json::from_str(
///     r#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "Backup DB",
///         "status": "ok", "duration": 2.5, "environment": "dev"}"#,
/// )?;
/// assert_eq!(checkin.slug().as_str(), "backup-db");
/// assert_eq!(checkin.status(), ReportedStatus::Ok);
/// assert_eq!(checkin.duration().map(|duration| duration.get()), Some(2_500));
///
/// let made = Checkin::new("Backup DB".parse()?, checkin.run(), ReportedStatus::Ok)
///     .with_duration("2500".parse::<u32>()?.try_into()?)
///     .with_environment("dev".parse()?);
/// assert_eq!(made, checkin);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A wrong `monitor_config` does not stand in the way of a check-in, because a monitor that exists already can
/// do without it: see [`Checkin::config`]. All other fields that are wrong are named at once:
///
/// ```
/// use overdue::checkin::Checkin;
///
/// let error = serde_json::from_str::<Checkin>(r#"{"monitor_slug": "a", "status": "done"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("check_in_id is missing; status is not one of the known values"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkin {
    slug: Slug,
    run: RunRef,
    status: ReportedStatus,
    duration: Option<Millis>,
    environment: EnvironmentName,
    pub(crate) release: Option<SmolStr>,
    trace_id: Option<Uuid>,
    config: Option<Box<GivenConfig>>,
}

/// The `monitor_config` of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum GivenConfig {
    Update(ConfigUpdate),
    /// Why it cannot be used, and how it was sent: a check-in that is stored must not lose it.
    Refused {
        error: ConfigError,
        sent: Box<str>,
    },
}

impl Checkin {
    /// A check-in of the production environment that says nothing more than this.
    pub fn new(slug: Slug, run: impl Into<RunRef>, status: ReportedStatus) -> Self {
        Self {
            slug,
            run: run.into(),
            status,
            duration: None,
            environment: EnvironmentName::production(),
            release: None,
            trace_id: None,
            config: None,
        }
    }

    /// With how long the run took.
    #[must_use]
    pub fn with_duration(mut self, duration: Millis) -> Self {
        self.duration = Some(duration);
        self
    }

    /// In this environment instead of production.
    #[must_use]
    pub fn with_environment(mut self, environment: EnvironmentName) -> Self {
        self.environment = environment;
        self
    }

    /// With the release of the job's program. Blank says nothing.
    #[must_use]
    pub fn with_release(mut self, release: &str) -> Self {
        self.release = Some(release.trim()).filter(|release| !release.is_empty()).map(SmolStr::from);
        self
    }

    /// With the trace that the run belongs to.
    #[must_use]
    pub fn with_trace_id(mut self, trace_id: Uuid) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// With how its monitor is to be configured: a monitor that does not exist is made so.
    #[must_use]
    pub fn with_config(mut self, update: ConfigUpdate) -> Self {
        self.config = Some(Box::new(GivenConfig::Update(update)));
        self
    }

    /// The check-in of a payload.
    pub(crate) fn decoded(
        slug: Slug,
        run: RunRef,
        environment: EnvironmentName,
        fields: Fields<'_>,
        config: Option<GivenConfig>,
    ) -> Self {
        Self {
            slug,
            run,
            status: fields.status,
            duration: fields.duration,
            environment,
            release: fields.release.as_deref().map(SmolStr::from),
            trace_id: fields.trace_id,
            config: config.map(Box::new),
        }
    }

    /// The monitor's name in its project.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Which run it speaks of.
    pub fn run(&self) -> RunRef {
        self.run
    }

    /// What the job says of the run.
    pub fn status(&self) -> ReportedStatus {
        self.status
    }

    /// How long the run took, if the job says so.
    pub fn duration(&self) -> Option<Millis> {
        self.duration
    }

    /// The environment, production if none was named.
    pub fn environment(&self) -> &EnvironmentName {
        &self.environment
    }

    /// The release of the job's program.
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// The trace that the run belongs to.
    pub fn trace_id(&self) -> Option<Uuid> {
        self.trace_id
    }

    /// How the monitor is to be configured, if the message says so.
    ///
    /// # Errors
    /// [`ConfigError`] when it cannot be used: to be reported where there is no monitor, and passed over where
    /// there is one.
    pub fn config(&self) -> Result<Option<&ConfigUpdate>, &ConfigError> {
        match self.config.as_deref() {
            None => Ok(None),
            Some(GivenConfig::Update(update)) => Ok(Some(update)),
            Some(GivenConfig::Refused { error, .. }) => Err(error),
        }
    }
}

impl Serialize for Checkin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("check_in_id", &format_args!("{}", self.run))?;
        map.serialize_entry("monitor_slug", &self.slug)?;
        map.serialize_entry("status", &self.status)?;
        if let Some(duration) = self.duration {
            map.serialize_entry("duration", &duration.seconds())?;
        }
        map.serialize_entry("environment", &self.environment)?;
        if let Some(release) = &self.release {
            map.serialize_entry("release", release)?;
        }
        if let Some(trace_id) = self.trace_id {
            map.serialize_entry("contexts", &Contexts { trace: Trace { trace_id } })?;
        }
        match self.config.as_deref() {
            None => {}
            Some(GivenConfig::Update(update)) => map.serialize_entry("monitor_config", update)?,
            Some(GivenConfig::Refused { sent, .. }) => {
                let sent: &RawValue = serde_json::from_str(sent).map_err(serde::ser::Error::custom)?;
                map.serialize_entry("monitor_config", sent)?;
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Contexts {
    trace: Trace,
}

#[derive(Serialize)]
struct Trace {
    trace_id: Uuid,
}

impl<'de> Deserialize<'de> for Checkin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Box::<RawValue>::deserialize(deserializer)?;
        let payload = Payload::from_json(sent.get().as_bytes()).map_err(D::Error::custom)?;
        payload.checkin(Quirks::NONE).map_err(D::Error::custom)
    }
}
