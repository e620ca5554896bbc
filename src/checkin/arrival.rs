//! A check-in that was admitted and validated: what the rules judge.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use crate::admission::{Admission, Admitted, Applicant, Permit, Seat};
use crate::checkin::Payload;
use crate::checkin::{Body, Message};
use crate::checkin::{Checkin, RunRef};
use crate::config::MonitorConfig;
use crate::id::{CheckinId, EnvironmentId, OrganizationId, ProjectId};
use crate::key::{EnvironmentKey, EnvironmentName, InvalidEnvironmentName, MonitorKey, Slug};
use crate::policy::{Quirk, Quirks};
use crate::refusal::ProcessingError;
use crate::row::RunStatus;
use crate::store::RunQuery;

/// A check-in that was admitted and validated.
///
/// [`Arrival::receive`] makes one of a [`Message`], whose check-in it borrows; an asynchronous host does so before it loads.
///
/// ```
/// use overdue::admission::AdmitAll;
/// use overdue::checkin::Arrival;
/// use overdue::refusal::ProcessingError;
///
/// # use overdue::{Message, Policy};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let policy = Policy::default();
/// let arrival = Arrival::receive(&message, &AdmitAll, policy.quirks)?;
/// assert_eq!(arrival.key().name.as_str(), "production");
///
/// let unnamed = Message { body: br#"{"monitor_slug": "nightly"}"#.to_vec().into(), ..message };
/// let refused = Arrival::receive(&unnamed, &AdmitAll, policy.quirks);
/// assert_eq!(refused, Err(ProcessingError::CheckinInvalidGuid));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival<'a> {
    pub(crate) organization: OrganizationId,
    pub(crate) project: ProjectId,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) permit: Permit,
    pub(crate) checkin: Cow<'a, Checkin>,
    /// When the run started, should this be its first message.
    pub(crate) started_at: DateTime<Utc>,
    /// The run that it is about. For an all-zero message the id is derived, which costs more than all else here.
    pub(crate) run: RunQuery,
    /// The environment's name is refused, but only once its monitor is known to exist: of two refusals,
    /// the owner of the job is told the more basic one.
    pub(crate) fault: Option<InvalidEnvironmentName>,
}

impl<'a> Arrival<'a> {
    /// Admits and validates a message, in the order in which its faults are to be told.
    ///
    /// # Errors
    /// The first reason to refuse it that needs no stored row: what admission says, an id that is no UUID, or
    /// else all invalid fields at once.
    pub fn receive(
        message: &'a Message,
        admission: &impl Admission,
        quirks: Quirks,
    ) -> Result<Self, ProcessingError> {
        let (checkin, permit, fault) = match &message.body {
            Body::Checkin(checkin) => {
                let permit = admit(message, admission, checkin.slug(), checkin.environment().as_str())?;
                (Cow::Borrowed(checkin.as_ref()), permit, None)
            }
            Body::Json(json) => {
                let (checkin, permit, fault) = decode(json, message, admission, quirks)?;
                (Cow::Owned(checkin), permit, fault)
            }
        };
        let Message { organization, project, received_at, .. } = *message;
        let mut arrival = Self {
            organization,
            project,
            received_at,
            permit: Permit::Full,
            started_at: started_at(&checkin, received_at),
            run: run_query(&checkin, project, received_at, quirks),
            checkin,
            fault,
        };
        if permit == Admitted::ForUpsert {
            // Only a check-in that brings a configuration can need a seat.
            let brings = matches!(arrival.checkin.config(), Ok(Some(_)));
            let seat = if brings { admission.seat(&arrival.monitor_key()) } else { Seat::Granted };
            arrival.permit = Permit::Upsert(seat);
        }
        Ok(arrival)
    }

    /// The same, for longer than the message lives: it has a check-in of its own.
    ///
    /// ```
    /// use overdue::admission::AdmitAll;
    /// use overdue::checkin::Arrival;
    ///
    /// # use overdue::Policy;
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let arrival = Arrival::receive(&message, &AdmitAll, Policy::default().quirks)?.into_owned();
    /// drop(message);
    /// assert_eq!(arrival.key(), environment);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_owned(self) -> Arrival<'static> {
        let Self { organization, project, received_at, permit, checkin, started_at, run, fault } = self;
        let checkin = Cow::Owned(checkin.into_owned());
        Arrival { organization, project, received_at, permit, checkin, started_at, run, fault }
    }

    /// The environment it is about.
    pub fn key(&self) -> EnvironmentKey {
        key(&self.checkin, self.project)
    }

    pub(crate) fn monitor_key(&self) -> MonitorKey {
        MonitorKey { project: self.project, slug: self.checkin.slug().clone() }
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.checkin.status().into()
    }

    /// The configuration that the message leaves its monitor with, when it changes it.
    pub(crate) fn configure(&self, config: &MonitorConfig) -> Option<MonitorConfig> {
        match self.checkin.config() {
            Ok(Some(update)) => Some(update.apply(config)),
            _ => None,
        }
    }
}

/// When the run of a check-in started, if it is the first one about it.
fn started_at(checkin: &Checkin, received_at: DateTime<Utc>) -> DateTime<Utc> {
    let Some(duration) = checkin.duration() else { return received_at };
    received_at.checked_sub_signed(duration.duration()).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Which run a check-in is about: by the id that it starts one with, if it starts one. For an all-zero message that is
/// also the id by which a second delivery is recognised.
fn run_query(checkin: &Checkin, project: ProjectId, received_at: DateTime<Utc>, quirks: Quirks) -> RunQuery {
    match checkin.run() {
        RunRef::Id(id) => RunQuery::Id(id),
        RunRef::Newest if quirks.keeps(Quirk::UnnamedMessagesRepeat) => RunQuery::NewestOpen,
        RunRef::Newest => {
            let key = key(checkin, project);
            let status = checkin.status().into();
            RunQuery::Unnamed(CheckinId::of_message(EnvironmentId::of(&key), received_at, status, None))
        }
    }
}

/// The environment that a check-in is about.
fn key(checkin: &Checkin, project: ProjectId) -> EnvironmentKey {
    let monitor = MonitorKey { project, slug: checkin.slug().clone() };
    EnvironmentKey { monitor, name: checkin.environment().clone() }
}

/// Asks the host whether to look at a check-in.
fn admit(
    message: &Message,
    admission: &impl Admission,
    slug: &Slug,
    environment: &str,
) -> Result<Admitted, ProcessingError> {
    let Message { organization, project, received_at, .. } = *message;
    match admission.admit(&Applicant { organization, project, slug, environment, received_at }) {
        admitted @ (Admitted::Yes | Admitted::ForUpsert) => Ok(admitted),
        Admitted::KillSwitch => Err(ProcessingError::OrganizationKillswitchEnabled),
        Admitted::RateLimited => Err(ProcessingError::MonitorEnvironmentRatelimited),
        Admitted::OverQuota => Err(ProcessingError::MonitorOverQuota),
    }
}

/// Admits and validates a payload.
fn decode(
    json: &[u8],
    message: &Message,
    admission: &impl Admission,
    quirks: Quirks,
) -> Result<(Checkin, Admitted, Option<InvalidEnvironmentName>), ProcessingError> {
    let invalid = |errors| ProcessingError::CheckinValidationFailed { errors };
    let payload = Payload::from_json(json).map_err(|error| invalid(error.into()))?;
    let slug = payload.slug().map_err(invalid)?;
    let given = payload.environment_as_given();
    let name = EnvironmentName::parse(given.as_deref().unwrap_or_default(), quirks);
    let permit = admit(message, admission, &slug, limited_by(given.as_deref(), &name, quirks))?;
    let run = payload.run().map_err(|_| ProcessingError::CheckinInvalidGuid)?;
    let fields = payload.fields(quirks).map_err(invalid)?;
    let (environment, fault) = match name {
        Ok(environment) => (environment, None),
        Err(fault) => (EnvironmentName::production(), Some(fault)),
    };
    Ok((payload.complete(slug, run, environment, fields, quirks), permit, fault))
}

/// The environment that a payload is limited by.
fn limited_by<'a>(
    given: Option<&'a str>,
    name: &'a Result<EnvironmentName, InvalidEnvironmentName>,
    quirks: Quirks,
) -> &'a str {
    match name {
        // What the reference system puts into its key when there is none.
        _ if quirks.keeps(Quirk::RateLimitByGivenEnvironment) => given.unwrap_or("None"),
        Ok(name) => name.as_str(),
        Err(_) => given.unwrap_or_default(),
    }
}
