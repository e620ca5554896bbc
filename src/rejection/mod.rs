//! Why a check-in was rejected: an answer for the owner of the job, not an internal failure.
//!
//! ```
//! use overdue::rejection::{RejectionReason, RejectionKind};
//!
//! let error = RejectionReason::MonitorLimitExceeded { limit: 500 };
//! assert_eq!(error.kind(), RejectionKind::MonitorLimitExceeded);
//! assert_eq!(error.to_string(), "the organization has reached its limit of 500 monitors");
//! assert_eq!(serde_json::to_string(&error)?, r#"{"type":"monitor_limit_exceeded","limit":500}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod log;

pub use log::{LogEntry, LogScope, Recorded, RejectionLog};

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::field_errors::FieldErrors;
use crate::id::{EnvironmentName, RunId};

/// One reason for which a check-in was rejected.
///
/// Serialises as `{"type": "checkin_finished", ...}` with the fields of the reference system's records;
/// the fields that those lack (limits, reasons) are extra.
///
/// ```
/// use overdue::rejection::RejectionReason;
///
/// fn advice(error: &RejectionReason) -> &'static str {
///     match error {
///         RejectionReason::MonitorNotFound => "send a monitor_config, or create the monitor first",
///         RejectionReason::CheckinFinished => "every run needs a check_in_id of its own",
///         _ => "",
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum RejectionReason {
    /// The run belongs to another environment of the monitor.
    #[error("the run belongs to environment {existing_environment}")]
    CheckinEnvironmentMismatch {
        /// The environment the run belongs to.
        existing_environment: EnvironmentName,
    },
    /// The run already has its result, and a result is final (I5).
    #[error("the run is already finished")]
    CheckinFinished,
    /// The run belongs to another project or another monitor.
    #[error("check-in {guid} belongs to another monitor")]
    CheckinGuidProjectMismatch {
        /// The id that was sent.
        guid: RunId,
    },
    /// The run would have taken longer than the longest duration, 2^31-1 milliseconds (nearly 25 days).
    #[error("a duration of {} ms is too long", duration.num_milliseconds())]
    CheckinInvalidDuration {
        /// The duration in question. Serialises as milliseconds in a string.
        #[serde(with = "milliseconds")]
        duration: TimeDelta,
    },
    /// The id of the check-in is not a UUID.
    #[error("the id of the check-in is not a UUID")]
    CheckinInvalidGuid,
    /// Fields of the check-in are invalid.
    #[error("the check-in is invalid: {errors}")]
    CheckinValidationFailed {
        /// The invalid fields.
        errors: FieldErrors,
    },
    /// The monitor is disabled.
    #[error("the monitor is disabled")]
    MonitorDisabled,
    /// The check-in would have created a monitor, but there is no seat for one.
    #[error("there is no quota left for a new monitor")]
    MonitorDisabledNoQuota,
    /// The configuration in the check-in is invalid, and there is no monitor to do without it.
    #[error("the configuration of the monitor is invalid: {errors}")]
    MonitorInvalidConfig {
        /// The invalid fields.
        errors: FieldErrors,
    },
    /// The name of the environment is invalid.
    #[error("the environment is invalid: {reason}")]
    MonitorInvalidEnvironment {
        /// What is wrong with the name.
        #[serde(default)]
        reason: String,
    },
    /// The organization has reached its limit of monitors.
    #[error("the organization has reached its limit of {limit} monitors")]
    MonitorLimitExceeded {
        /// The most monitors it may have.
        limit: u32,
    },
    /// There is no such monitor, and the check-in brings no configuration to create it.
    #[error("there is no such monitor")]
    MonitorNotFound,
    /// The organization has used up its check-ins.
    #[error("there is no quota left for check-ins")]
    MonitorOverQuota,
    /// The monitor has reached its limit of environments.
    #[error("the monitor has reached its limit of {limit} environments")]
    MonitorEnvironmentLimitExceeded {
        /// The most environments it may have.
        limit: u32,
    },
    /// Too many check-ins of this environment in one minute.
    #[error("too many check-ins in one minute")]
    MonitorEnvironmentRatelimited,
    /// The operator has switched off the check-ins of this organization.
    #[error("check-ins of the organization are switched off")]
    OrganizationKillswitchEnabled,
}

impl RejectionReason {
    /// Returns the reason without its data.
    pub const fn kind(&self) -> RejectionKind {
        use RejectionKind as Kind;
        match self {
            Self::CheckinEnvironmentMismatch { .. } => Kind::CheckinEnvironmentMismatch,
            Self::CheckinFinished => Kind::CheckinFinished,
            Self::CheckinGuidProjectMismatch { .. } => Kind::CheckinGuidProjectMismatch,
            Self::CheckinInvalidDuration { .. } => Kind::CheckinInvalidDuration,
            Self::CheckinInvalidGuid => Kind::CheckinInvalidGuid,
            Self::CheckinValidationFailed { .. } => Kind::CheckinValidationFailed,
            Self::MonitorDisabled => Kind::MonitorDisabled,
            Self::MonitorDisabledNoQuota => Kind::MonitorDisabledNoQuota,
            Self::MonitorInvalidConfig { .. } => Kind::MonitorInvalidConfig,
            Self::MonitorInvalidEnvironment { .. } => Kind::MonitorInvalidEnvironment,
            Self::MonitorLimitExceeded { .. } => Kind::MonitorLimitExceeded,
            Self::MonitorNotFound => Kind::MonitorNotFound,
            Self::MonitorOverQuota => Kind::MonitorOverQuota,
            Self::MonitorEnvironmentLimitExceeded { .. } => Kind::MonitorEnvironmentLimitExceeded,
            Self::MonitorEnvironmentRatelimited => Kind::MonitorEnvironmentRatelimited,
            Self::OrganizationKillswitchEnabled => Kind::OrganizationKillswitchEnabled,
        }
    }
}

/// The reasons of [`RejectionReason`] without their data: to count, to label metrics, to delete.
///
/// ```
/// use overdue::rejection::RejectionKind;
///
/// let kind: RejectionKind = "monitor_not_found".parse()?;
/// assert_eq!(kind, RejectionKind::MonitorNotFound);
/// assert_eq!(kind.to_string(), "monitor_not_found");
/// # Ok::<(), overdue::rejection::ParseRejectionKindError>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is described where its data is")]
#[non_exhaustive]
pub enum RejectionKind {
    CheckinEnvironmentMismatch,
    CheckinFinished,
    CheckinGuidProjectMismatch,
    CheckinInvalidDuration,
    CheckinInvalidGuid,
    CheckinValidationFailed,
    MonitorDisabled,
    MonitorDisabledNoQuota,
    MonitorInvalidConfig,
    MonitorInvalidEnvironment,
    MonitorLimitExceeded,
    MonitorNotFound,
    MonitorOverQuota,
    MonitorEnvironmentLimitExceeded,
    MonitorEnvironmentRatelimited,
    OrganizationKillswitchEnabled,
}

impl RejectionKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [RejectionKind; 16] = [
        Self::CheckinEnvironmentMismatch,
        Self::CheckinFinished,
        Self::CheckinGuidProjectMismatch,
        Self::CheckinInvalidDuration,
        Self::CheckinInvalidGuid,
        Self::CheckinValidationFailed,
        Self::MonitorDisabled,
        Self::MonitorDisabledNoQuota,
        Self::MonitorInvalidConfig,
        Self::MonitorInvalidEnvironment,
        Self::MonitorLimitExceeded,
        Self::MonitorNotFound,
        Self::MonitorOverQuota,
        Self::MonitorEnvironmentLimitExceeded,
        Self::MonitorEnvironmentRatelimited,
        Self::OrganizationKillswitchEnabled,
    ];

    /// The name, as in the `type` of the serialised error.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CheckinEnvironmentMismatch => "checkin_environment_mismatch",
            Self::CheckinFinished => "checkin_finished",
            Self::CheckinGuidProjectMismatch => "checkin_guid_project_mismatch",
            Self::CheckinInvalidDuration => "checkin_invalid_duration",
            Self::CheckinInvalidGuid => "checkin_invalid_guid",
            Self::CheckinValidationFailed => "checkin_validation_failed",
            Self::MonitorDisabled => "monitor_disabled",
            Self::MonitorDisabledNoQuota => "monitor_disabled_no_quota",
            Self::MonitorInvalidConfig => "monitor_invalid_config",
            Self::MonitorInvalidEnvironment => "monitor_invalid_environment",
            Self::MonitorLimitExceeded => "monitor_limit_exceeded",
            Self::MonitorNotFound => "monitor_not_found",
            Self::MonitorOverQuota => "monitor_over_quota",
            Self::MonitorEnvironmentLimitExceeded => "monitor_environment_limit_exceeded",
            Self::MonitorEnvironmentRatelimited => "monitor_environment_ratelimited",
            Self::OrganizationKillswitchEnabled => "organization_killswitch_enabled",
        }
    }
}

impl fmt::Display for RejectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RejectionKind {
    type Err = ParseRejectionKindError;

    fn from_str(text: &str) -> Result<Self, ParseRejectionKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(ParseRejectionKindError)
    }
}

/// No [`RejectionKind`] has this name.
///
/// ```
/// use overdue::rejection::{RejectionKind, ParseRejectionKindError};
///
/// let error: ParseRejectionKindError = "checkin_lost".parse::<RejectionKind>().unwrap_err();
/// assert_eq!(error.to_string(), "no kind of processing error has this name");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no kind of processing error has this name")]
#[non_exhaustive]
pub struct ParseRejectionKindError;

/// Durations as milliseconds in a string, as the reference system's records hold them.
mod milliseconds {
    use chrono::TimeDelta;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(duration: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&duration.num_milliseconds())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
        let text = String::deserialize(deserializer)?;
        let milliseconds = text.parse().map_err(D::Error::custom)?;
        TimeDelta::try_milliseconds(milliseconds).ok_or_else(|| D::Error::custom("duration out of range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind, in the form of the recorded traces.
    const RECORDED: [&str; 16] = [
        r#"{"type":"checkin_environment_mismatch","existingEnvironment":"production"}"#,
        r#"{"type":"checkin_finished"}"#,
        r#"{"type":"checkin_guid_project_mismatch","guid":"00000001-0000-4000-8000-000000000001"}"#,
        r#"{"type":"checkin_invalid_duration","duration":"2160000000"}"#,
        r#"{"type":"checkin_invalid_guid"}"#,
        r#"{"type":"checkin_validation_failed","errors":{"status":"is missing"}}"#,
        r#"{"type":"monitor_disabled"}"#,
        r#"{"type":"monitor_disabled_no_quota"}"#,
        r#"{"type":"monitor_invalid_config","errors":{"schedule":"is missing"}}"#,
        r#"{"type":"monitor_invalid_environment","reason":"a name has no slash"}"#,
        r#"{"type":"monitor_limit_exceeded","limit":3}"#,
        r#"{"type":"monitor_not_found"}"#,
        r#"{"type":"monitor_over_quota"}"#,
        r#"{"type":"monitor_environment_limit_exceeded","limit":3}"#,
        r#"{"type":"monitor_environment_ratelimited"}"#,
        r#"{"type":"organization_killswitch_enabled"}"#,
    ];

    #[test]
    fn every_kind_has_one_name_everywhere() {
        for (kind, recorded) in RejectionKind::ALL.into_iter().zip(RECORDED) {
            let error: RejectionReason = serde_json::from_str(recorded).unwrap();
            assert_eq!(error.kind(), kind);
            assert_eq!(serde_json::to_string(&error).unwrap(), recorded);
            assert!(recorded.contains(&format!("\"type\":\"{kind}\"")));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("checkin_lost".parse::<RejectionKind>(), Err(ParseRejectionKindError));
    }

    #[test]
    fn errors_read_like_sentences() {
        let texts = RECORDED.map(|text| serde_json::from_str::<RejectionReason>(text).unwrap().to_string());
        assert!(texts.iter().all(|text| !text.ends_with('.') && !text.starts_with(char::is_uppercase)));
        assert_eq!(texts[3], "a duration of 2160000000 ms is too long");
        assert_eq!(texts[5], "the check-in is invalid: status is missing");
    }

    #[test]
    fn a_duration_that_cannot_be_is_not_read() {
        for duration in ["", "1.5", "9223372036854775808", "-9223372036854775808"] {
            let text = format!(r#"{{"type":"checkin_invalid_duration","duration":"{duration}"}}"#);
            assert!(serde_json::from_str::<RejectionReason>(&text).is_err(), "{duration}");
        }
    }
}
