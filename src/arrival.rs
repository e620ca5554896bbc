//! A check-in that was admitted and validated: what the rules judge.

use chrono::{DateTime, Utc};

use crate::admission::Permit;
use crate::checkin::{Checkin, ReportedStatus, RunRef};
use crate::config::MonitorConfig;
use crate::config_update::{ConfigError, ConfigUpdate};
use crate::id::{CheckinId, EnvironmentId, MonitorId, OrganizationId, ProjectId};
use crate::key::{EnvironmentKey, EnvironmentName, InvalidEnvironmentName, MonitorKey};
use crate::message::{Body, Message};
use crate::policy::{Quirk, Quirks};
use crate::processing_error::ProcessingError;
use crate::run::RunStatus;
use crate::snapshot::RunQuery;

/// A check-in that was admitted and validated.
///
/// [`Arrival::validate`] makes one of a [`Message`]; an asynchronous host does so before it loads.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    pub(crate) organization: OrganizationId,
    pub(crate) project: ProjectId,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) permit: Permit,
    pub(crate) checkin: Checkin,
    pub(crate) config: Result<Option<ConfigUpdate>, ConfigError>,
    /// The environment's name is refused, but only once its monitor is known to exist: of two refusals,
    /// the owner of the job is told the more basic one.
    pub(crate) fault: Option<InvalidEnvironmentName>,
}

impl Arrival {
    /// Validates a message.
    ///
    /// # Errors
    /// Every reason to refuse it that needs no stored row: an id that is no UUID, or else all invalid
    /// fields at once.
    pub fn validate(message: &Message, permit: Permit, quirks: Quirks) -> Result<Self, ProcessingError> {
        let Message { organization, project, received_at, body } = message;
        let (checkin, config, fault) = match body {
            Body::Checkin(checkin) => ((**checkin).clone(), Ok(checkin.config().cloned()), None),
            Body::Payload(payload) => {
                let invalid = |errors| ProcessingError::CheckinValidationFailed { errors };
                let slug = payload.slug().map_err(invalid)?;
                let run = payload.run().map_err(|_| ProcessingError::CheckinInvalidGuid)?;
                let fields = payload.fields(quirks).map_err(invalid)?;
                let (environment, fault) = match EnvironmentName::parse(&fields.environment, quirks) {
                    Ok(environment) => (environment, None),
                    Err(fault) => (EnvironmentName::production(), Some(fault)),
                };
                (fields.into_checkin(slug, run, environment), payload.config(quirks), fault)
            }
        };
        Ok(Self {
            organization: *organization,
            project: *project,
            received_at: *received_at,
            permit,
            checkin,
            config,
            fault,
        })
    }

    /// The environment it is about.
    pub fn key(&self) -> EnvironmentKey {
        EnvironmentKey { monitor: self.monitor_key(), name: self.checkin.environment().clone() }
    }

    pub(crate) fn monitor_key(&self) -> MonitorKey {
        MonitorKey { project: self.project, slug: self.checkin.slug().clone() }
    }

    /// The id of the run that this message starts when it starts one. For an all-zero message it is also
    /// the id by which a second delivery is recognised.
    pub(crate) fn run_query(&self, quirks: Quirks) -> RunQuery {
        match self.checkin.run() {
            RunRef::Id(id) => RunQuery::Id(id),
            RunRef::Newest if quirks.keeps(Quirk::UnnamedMessagesRepeat) => RunQuery::NewestOpen,
            RunRef::Newest => {
                let environment = EnvironmentId::of(MonitorId::of(&self.monitor_key()), self.checkin.environment());
                RunQuery::Unnamed(CheckinId::of_message(environment, self.received_at, None))
            }
        }
    }

    pub(crate) const fn status(&self) -> RunStatus {
        match self.checkin.status() {
            ReportedStatus::InProgress => RunStatus::InProgress,
            ReportedStatus::Ok => RunStatus::Ok,
            ReportedStatus::Error => RunStatus::Error,
        }
    }

    /// When the run started, should this be its first message.
    pub(crate) fn started_at(&self) -> DateTime<Utc> {
        let duration = self.checkin.duration().map_or_else(Default::default, |duration| duration.delta());
        self.received_at.checked_sub_signed(duration).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// The configuration that the message leaves its monitor with, when it changes it.
    pub(crate) fn configure(&self, config: &MonitorConfig) -> Option<MonitorConfig> {
        match &self.config {
            Ok(Some(update)) => Some(update.apply(config)),
            _ => None,
        }
    }
}
