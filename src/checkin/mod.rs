//! Check-ins: a job reports that a run started, succeeded or failed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::config::ConfigUpdate;
use crate::field_errors::FieldErrors;
use crate::id::{self, EnvironmentName, RunId, Slug};
use crate::row::{RunDuration, RunStatus};

/// Which run a message is about.
///
/// ```
/// use overdue::checkin::RunRef;
///
/// assert_eq!("00000000-0000-0000-0000-000000000000".parse(), Ok(RunRef::Anonymous));
/// assert!(matches!("5f2ab0c08d2d4ab2b2a1d34fd4e53fbc".parse(), Ok(RunRef::Id(_))));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a job names its run or does not")]
pub enum RunRef {
    /// The run with this id, or a new one that takes it.
    Id(RunId),
    /// The newest open run of the environment, or else a new one. Sent as an id of all zeros, by jobs that do
    /// not keep the id they started with.
    Anonymous,
}

/// The text is not a UUID.
///
/// ```
/// use overdue::checkin::{ParseRunIdError, RunRef};
///
/// let error: ParseRunIdError = "last one".parse::<RunRef>().unwrap_err();
/// assert_eq!(error.to_string(), "the id of a check-in must be a UUID");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the id of a check-in must be a UUID")]
#[non_exhaustive]
pub struct ParseRunIdError;

impl From<Uuid> for RunRef {
    fn from(id: Uuid) -> Self {
        if id.is_nil() { RunRef::Anonymous } else { RunRef::Id(RunId::from_uuid(id)) }
    }
}

impl From<RunId> for RunRef {
    fn from(id: RunId) -> Self {
        Self::from(*id.as_uuid())
    }
}

impl FromStr for RunRef {
    type Err = ParseRunIdError;

    /// Accepts the spellings that senders use: any hyphens, braces, `urn:uuid:`, either case.
    fn from_str(text: &str) -> Result<Self, ParseRunIdError> {
        id::parse_uuid(text).map(Self::from).ok_or(ParseRunIdError)
    }
}

impl fmt::Display for RunRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunRef::Id(id) => id.fmt(f),
            RunRef::Anonymous => Uuid::nil().fmt(f),
        }
    }
}

/// The status that a job reports for its run.
///
/// ```
/// use overdue::checkin::CheckinStatus;
///
/// let status: CheckinStatus = "in_progress".parse()?;
/// assert_eq!(status, CheckinStatus::InProgress);
/// assert_eq!(status.to_string(), "in_progress");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "what a job can say is fixed by the wire format")]
pub enum CheckinStatus {
    /// It has started, or is still running.
    InProgress,
    /// It succeeded.
    Ok,
    /// It failed.
    Error,
}

impl CheckinStatus {
    /// The status as messages spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            CheckinStatus::InProgress => "in_progress",
            CheckinStatus::Ok => "ok",
            CheckinStatus::Error => "error",
        }
    }
}

/// The run status that corresponds to a reported status.
impl From<CheckinStatus> for RunStatus {
    fn from(status: CheckinStatus) -> Self {
        match status {
            CheckinStatus::InProgress => Self::InProgress,
            CheckinStatus::Ok => Self::Ok,
            CheckinStatus::Error => Self::Error,
        }
    }
}

/// The text is none of the statuses that a job can report.
///
/// ```
/// use overdue::checkin::{CheckinStatus, ParseCheckinStatusError};
///
/// let error: ParseCheckinStatusError = "missed".parse::<CheckinStatus>().unwrap_err();
/// assert_eq!(error.to_string(), "a job reports in_progress, ok or error");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a job reports in_progress, ok or error")]
#[non_exhaustive]
pub struct ParseCheckinStatusError;

impl FromStr for CheckinStatus {
    type Err = ParseCheckinStatusError;

    fn from_str(text: &str) -> Result<Self, ParseCheckinStatusError> {
        [CheckinStatus::InProgress, CheckinStatus::Ok, CheckinStatus::Error]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(ParseCheckinStatusError)
    }
}

impl fmt::Display for CheckinStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A check-in: a job's report about one of its runs, checked and typed.
///
/// Made in code, or decoded from the JSON that jobs send. `Serialize` writes that JSON and `Deserialize`
/// reads it; for the fields one by one, see [`Payload`](crate::wire::Payload). Both support JSON only.
///
/// ```
/// use overdue::checkin::{Checkin, CheckinStatus};
///
/// let checkin: Checkin = serde_json::from_str(
///     r#"{"check_in_id": "5f2ab0c08d2d4ab2b2a1d34fd4e53fbc", "monitor_slug": "Backup DB",
///         "status": "ok", "duration": 2.5, "environment": "dev"}"#,
/// )?;
/// assert_eq!(checkin.slug().as_str(), "backup-db");
/// assert_eq!(checkin.status(), CheckinStatus::Ok);
/// assert_eq!(checkin.duration().map(|duration| duration.get()), Some(2_500));
///
/// let made = Checkin::new("Backup DB".parse()?, checkin.run(), CheckinStatus::Ok)
///     .with_duration(std::time::Duration::from_millis(2_500))
///     .with_environment("dev".parse()?);
/// assert_eq!(made, checkin);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An invalid `monitor_config` alone does not fail a check-in, because a monitor that exists does not need
/// it: see [`Checkin::config`]. All other invalid fields are named at once:
///
/// ```
/// use overdue::checkin::Checkin;
///
/// let error = serde_json::from_str::<Checkin>(r#"{"monitor_slug": "a", "status": "done"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("check_in_id is missing; status is not one of the known values"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkin {
    pub(crate) slug: Slug,
    pub(crate) run: RunRef,
    pub(crate) status: CheckinStatus,
    pub(crate) duration: Option<RunDuration>,
    pub(crate) environment: EnvironmentName,
    pub(crate) release: Option<SmolStr>,
    pub(crate) trace_id: Option<Uuid>,
    pub(crate) config: Option<Box<GivenConfig>>,
}

/// The `monitor_config` of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum GivenConfig {
    Update(ConfigUpdate),
    /// Why it is invalid, and how it was sent: a stored check-in must not lose it.
    Invalid {
        errors: FieldErrors,
        sent: Box<str>,
    },
}

impl Checkin {
    /// Makes a check-in of the production environment, with all other fields unset.
    pub fn new(slug: Slug, run: impl Into<RunRef>, status: CheckinStatus) -> Self {
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

    /// Sets how long the run took: a `std::time::Duration` or a [`RunDuration`].
    #[must_use]
    pub fn with_duration(mut self, duration: impl Into<RunDuration>) -> Self {
        self.duration = Some(duration.into());
        self
    }

    /// Sets the environment. The default is production.
    #[must_use]
    pub fn with_environment(mut self, environment: EnvironmentName) -> Self {
        self.environment = environment;
        self
    }

    /// Sets the release of the job's program. A blank one is ignored.
    #[must_use]
    pub fn with_release(mut self, release: &str) -> Self {
        self.release = Some(release.trim()).filter(|release| !release.is_empty()).map(SmolStr::from);
        self
    }

    /// Sets the trace that the run belongs to.
    #[must_use]
    pub fn with_trace_id(mut self, trace_id: Uuid) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// Sets the configuration of its monitor. A monitor that does not exist is created with it.
    #[must_use]
    pub fn with_config(mut self, update: impl Into<ConfigUpdate>) -> Self {
        self.config = Some(Box::new(GivenConfig::Update(update.into())));
        self
    }

    /// The monitor's name in its project.
    pub fn slug(&self) -> &Slug {
        &self.slug
    }

    /// Which run it is about.
    pub fn run(&self) -> RunRef {
        self.run
    }

    /// The status that the job reports.
    pub fn status(&self) -> CheckinStatus {
        self.status
    }

    /// How long the run took, if reported.
    pub fn duration(&self) -> Option<RunDuration> {
        self.duration
    }

    /// The environment; production if none was given.
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

    /// The configuration for the monitor, if the message has one.
    ///
    /// # Errors
    /// [`FieldErrors`] if the configuration is invalid. A monitor that exists keeps its own.
    pub fn config(&self) -> Result<Option<&ConfigUpdate>, &FieldErrors> {
        match self.config.as_deref() {
            None => Ok(None),
            Some(GivenConfig::Update(update)) => Ok(Some(update)),
            Some(GivenConfig::Invalid { errors, .. }) => Err(errors),
        }
    }
}
