//! A check-in that was admitted and validated: the input of the rules.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{Admission, AdmissionDecision, AdmissionRequest, Permit, Seat};
use crate::checkin::{Checkin, CheckinStatus, RunRef};
use crate::config::MonitorConfig;
use crate::decision::RunQuery;
use crate::field_errors::{FieldError, FieldErrors};
use crate::id::{
    EnvironmentId, EnvironmentKey, EnvironmentName, MonitorKey, OrganizationId, ProjectId, RunId, Slug,
};
use crate::outcome::{Outcome, reference};
use crate::policy::{Policy, Profile, Quirk};
use crate::rejection::RejectionReason;
use crate::row::RunStatus;
use crate::wire::{self, Body, Fields, Message, Payload, Swallowed};

/// A check-in that was admitted and validated.
///
/// [`ValidCheckin::admit`] makes one from a [`Message`], and borrows its check-in. An asynchronous host does
/// this before it loads.
///
/// ```
/// use overdue::admission::{AdmitAll, ValidCheckin};
/// use overdue::rejection::RejectionReason;
///
/// # use overdue::{Message, Policy};
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let policy = Policy::default();
/// let valid = ValidCheckin::admit(&message, &AdmitAll, &policy).map_err(|_| "rejected")?;
/// assert_eq!(valid.key().name.as_str(), "production");
///
/// let without_id = Message { body: br#"{"monitor_slug": "nightly"}"#.to_vec().into(), ..message };
/// let answer = ValidCheckin::admit(&without_id, &AdmitAll, &policy);
/// assert_eq!(answer, Err(Box::new(RejectionReason::CheckinInvalidGuid.into())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ValidCheckin<'a> {
    pub(crate) organization: OrganizationId,
    pub(crate) project: ProjectId,
    pub(crate) received_at: DateTime<Utc>,
    pub(crate) permit: Permit,
    pub(crate) checkin: Cow<'a, Checkin>,
    /// When the run started, if this is its first message.
    pub(crate) started_at: DateTime<Utc>,
    /// The run that it is about. For a message without a run id this is derived, the most costly step here.
    pub(crate) run: RunQuery,
    /// Why to reject it once its monitor is known to exist and to take check-ins. Of two reasons, the more
    /// basic one is reported.
    pub(crate) deferred: Option<Box<RejectionReason>>,
}

impl<'a> ValidCheckin<'a> {
    /// Admits and validates a message.
    ///
    /// # Errors
    /// The outcome of a message that goes no further. It is rejected for the first reason that needs no
    /// stored row: the answer of admission, an id that is not a UUID, or else all invalid fields at once.
    pub fn admit(
        message: &'a Message,
        admission: &(impl Admission + ?Sized),
        policy: &Policy,
    ) -> Result<Self, Box<Outcome>> {
        let Message { organization, project, received_at, .. } = *message;
        let (checkin, decision, deferred) = match &message.body {
            Body::Checkin(checkin) => {
                let environment = checkin.environment().as_str();
                (
                    Cow::Borrowed(checkin.as_ref()),
                    ask(message, admission, checkin.slug(), environment).map_err(rejected)?,
                    None,
                )
            }
            Body::Json(payload) => {
                let Validated { checkin, decision, deferred } =
                    validate(payload, message, admission, policy.profile)?;
                (Cow::Owned(checkin), decision, deferred)
            }
            Body::Malformed(malformed) => return Err(invalid(malformed.error.into())),
        };
        let mut valid = Self {
            organization,
            project,
            received_at,
            permit: Permit::Unconditional,
            started_at: started_at(&checkin, received_at),
            run: run_query(&checkin, project, received_at, policy.profile),
            checkin,
            deferred,
        };
        if decision == AdmissionDecision::AdmitIfSeated {
            // Only a check-in with a configuration can need a seat.
            let brings = matches!(valid.checkin.config(), Ok(Some(_)));
            let seat = if brings { admission.seat(&valid.monitor_key()) } else { Seat::Granted };
            valid.permit = Permit::Seated(seat);
        }
        Ok(valid)
    }

    /// Copies what it borrows from the message.
    ///
    /// ```
    /// use overdue::admission::{AdmitAll, ValidCheckin};
    ///
    /// # use overdue::Policy;
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let policy = Policy::default();
    /// let valid = ValidCheckin::admit(&message, &AdmitAll, &policy).map_err(|_| "rejected")?.into_owned();
    /// drop(message);
    /// assert_eq!(valid.key(), environment);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_owned(self) -> ValidCheckin<'static> {
        let Self { organization, project, received_at, permit, checkin, started_at, run, deferred } = self;
        let checkin = Cow::Owned(checkin.into_owned());
        ValidCheckin { organization, project, received_at, permit, checkin, started_at, run, deferred }
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

    /// Returns `config` with this check-in's update applied, or `None` if it brings no valid update.
    pub(crate) fn configure(&self, config: &MonitorConfig) -> Option<MonitorConfig> {
        match self.checkin.config() {
            Ok(Some(update)) => Some(update.apply(config)),
            Ok(None) | Err(_) => None,
        }
    }
}

/// Returns when the run of a check-in started, provided that this is its first message.
fn started_at(checkin: &Checkin, received_at: DateTime<Utc>) -> DateTime<Utc> {
    let Some(duration) = checkin.duration() else { return received_at };
    received_at.checked_sub_signed(duration.duration()).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Returns which run a check-in is about, by the id of the run that it would start. For a message without a
/// run id, this id also recognises a second delivery.
fn run_query(
    checkin: &Checkin,
    project: ProjectId,
    received_at: DateTime<Utc>,
    profile: Profile,
) -> RunQuery {
    match checkin.run() {
        RunRef::Id(id) => RunQuery::Id(id),
        // No run has the nil id or was closed by it, so this finds the newest open run.
        RunRef::Anonymous if profile.keeps(Quirk::AnonymousMessagesRepeat) => RunQuery::Anonymous(RunId::NIL),
        RunRef::Anonymous => {
            let environment = EnvironmentId::of(&key(checkin, project));
            let status = checkin.status().as_str();
            RunQuery::Anonymous(RunId::of_message(environment, received_at, status, None))
        }
    }
}

/// The environment that a check-in is about.
fn key(checkin: &Checkin, project: ProjectId) -> EnvironmentKey {
    let monitor = MonitorKey { project, slug: checkin.slug().clone() };
    EnvironmentKey { monitor, name: checkin.environment().clone() }
}

/// Asks the host whether to look at a check-in.
fn ask(
    message: &Message,
    admission: &(impl Admission + ?Sized),
    slug: &Slug,
    environment: &str,
) -> Result<AdmissionDecision, RejectionReason> {
    let Message { organization, project, received_at, .. } = *message;
    match admission.admit(&AdmissionRequest { organization, project, slug, environment, received_at }) {
        decision @ (AdmissionDecision::Admit | AdmissionDecision::AdmitIfSeated) => Ok(decision),
        AdmissionDecision::KillSwitch => Err(RejectionReason::OrganizationKillswitchEnabled),
        AdmissionDecision::RateLimited => Err(RejectionReason::MonitorEnvironmentRatelimited),
        AdmissionDecision::OverQuota => Err(RejectionReason::MonitorOverQuota),
    }
}

/// A payload that was validated.
struct Validated {
    checkin: Checkin,
    decision: AdmissionDecision,
    deferred: Option<Box<RejectionReason>>,
}

/// Admits and validates a payload. Its faults are reported in this order.
fn validate(
    payload: &Payload,
    message: &Message,
    admission: &(impl Admission + ?Sized),
    profile: Profile,
) -> Result<Validated, Box<Outcome>> {
    let quirks = profile.quirks();
    let slug = payload.slug().map_err(invalid)?;
    let given = payload.environment_as_given();
    let name = wire::environment_name(given.as_deref(), quirks);
    let limited_by = match &name {
        // What the reference puts into its key if no environment is given.
        _ if quirks.keeps(Quirk::RateLimitByGivenEnvironment) => given.as_deref().unwrap_or("None"),
        Ok(name) => name.as_str(),
        Err(_) => given.as_deref().unwrap_or_default(),
    };
    let decision = ask(message, admission, &slug, limited_by).map_err(rejected)?;
    let run = payload.run().map_err(|_| rejected(RejectionReason::CheckinInvalidGuid))?;
    let (fields, mut deferred) = match payload.fields_with(quirks) {
        Ok(fields) => (fields, None),
        Err(errors) => without_status(payload, errors, profile)?,
    };
    let environment = name.unwrap_or_else(|error| {
        let reason = error.to_string();
        deferred.get_or_insert_with(|| Box::new(RejectionReason::MonitorInvalidEnvironment { reason }));
        EnvironmentName::production()
    });
    let config = payload
        .given_config(quirks)
        .map_err(|Swallowed| Box::new(Outcome::Reference(reference::Outcome::ConfigSwallowed)))?;
    Ok(Validated { checkin: wire::checkin(slug, run, environment, fields, config), decision, deferred })
}

/// In the reference, a missing status as the only fault is found only after the monitor was looked up.
fn without_status(
    payload: &Payload,
    errors: FieldErrors,
    profile: Profile,
) -> Result<(Fields<'_>, Option<Box<RejectionReason>>), Box<Outcome>> {
    let missing = errors == FieldErrors::one("status", FieldError::Missing);
    match profile {
        Profile::Reference(quirks) if missing => {
            // A placeholder until the check-in is rejected.
            let fields = payload.fields_assuming(CheckinStatus::InProgress, quirks).map_err(invalid)?;
            Ok((fields, Some(Box::new(RejectionReason::CheckinValidationFailed { errors }))))
        }
        Profile::Reference(_) | Profile::Standard => Err(invalid(errors)),
    }
}

fn invalid(errors: FieldErrors) -> Box<Outcome> {
    rejected(RejectionReason::CheckinValidationFailed { errors })
}

fn rejected(reason: RejectionReason) -> Box<Outcome> {
    Box::new(reason.into())
}
