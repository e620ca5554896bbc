//! When runs are due: crontabs and intervals in an IANA zone.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::policy::Quirks;

/// When runs are due.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Schedule {
    rule: Stub,
    zone: String,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Stub {
    Crontab(Arc<str>),
    Interval(NonZeroU32, Unit),
}

/// What a schedule says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "stub")]
pub enum ScheduleKind<'a> {
    /// The crontab as written.
    Crontab(&'a str),
    /// Every so many units.
    Interval {
        /// How many.
        count: NonZeroU32,
        /// Of what.
        unit: Unit,
    },
}

/// What an interval counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    clippy::exhaustive_enums,
    reason = "calendar units say it themselves, and stay what they are"
)]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// Why a schedule is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// More than 100 years.
    #[error("an interval of {count} {unit:?}s is longer than 100 years")]
    TooLong {
        /// How many.
        count: NonZeroU32,
        /// Of what.
        unit: Unit,
    },
}

impl Schedule {
    /// Parses a five-field crontab or one of its nicknames.
    ///
    /// # Errors
    /// [`ScheduleError`]
    pub fn crontab(expression: &str, zone: Tz) -> Result<Self, ScheduleError> {
        Ok(Self { rule: Stub::Crontab(expression.into()), zone: zone.name().into() })
    }

    /// Every so many units.
    ///
    /// # Errors
    /// [`ScheduleError`]
    pub fn every(count: NonZeroU32, unit: Unit, zone: Tz) -> Result<Self, ScheduleError> {
        let most = match unit {
            Unit::Minute => 52_596_000,
            Unit::Hour => 876_600,
            Unit::Day => 36_525,
            Unit::Week => 5_217,
            Unit::Month => 1_200,
            Unit::Year => 100,
        };
        if count.get() > most {
            return Err(ScheduleError::TooLong { count, unit });
        }
        Ok(Self { rule: Stub::Interval(count, unit), zone: zone.name().into() })
    }

    /// The first time after `after`.
    pub fn next(&self, after: DateTime<Utc>, quirks: Quirks) -> Option<DateTime<Utc>> {
        let _ = (after, quirks);
        None
    }

    /// The last time before `before`. `start`: where an interval counts from.
    pub fn previous(
        &self,
        start: DateTime<Utc>,
        before: DateTime<Utc>,
        quirks: Quirks,
    ) -> Option<DateTime<Utc>> {
        let _ = (start, before, quirks);
        None
    }

    /// The zone.
    pub fn zone(&self) -> Tz {
        self.zone.parse().unwrap_or(Tz::UTC)
    }

    /// The same schedule in another zone.
    #[must_use]
    pub fn in_zone(&self, zone: Tz) -> Self {
        Self { rule: self.rule.clone(), zone: zone.name().into() }
    }

    /// What the schedule says, without its zone.
    pub fn kind(&self) -> ScheduleKind<'_> {
        match &self.rule {
            Stub::Crontab(text) => ScheduleKind::Crontab(text),
            Stub::Interval(count, unit) => ScheduleKind::Interval { count: *count, unit: *unit },
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.rule)
    }
}
