//! The form in which schedules are stored.

use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Dialect, ParseZoneError, Schedule, ScheduleError, ScheduleKind, Unit};

/// `{"type":"crontab","value":"0 2 * * *","timezone":"Europe/Berlin"}`, or
/// `{"type":"interval","value":2,"unit":"hour","timezone":"UTC"}`. A crontab of another dialect than the default also
/// has `"dialect":"celery"`.
#[derive(Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Stored<'a> {
    Crontab {
        value: Text<'a>,
        timezone: Text<'a>,
        #[serde(default, skip_serializing_if = "Dialect::is_default")]
        dialect: Dialect,
    },
    Interval {
        value: NonZeroU32,
        unit: Unit,
        timezone: Text<'a>,
    },
}

type Text<'a> = std::borrow::Cow<'a, str>;

#[derive(Debug, thiserror::Error)]
enum StoredError {
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Zone(#[from] ParseZoneError),
}

impl TryFrom<Stored<'_>> for Schedule {
    type Error = StoredError;

    fn try_from(stored: Stored<'_>) -> Result<Self, Self::Error> {
        Ok(match stored {
            Stored::Crontab { value, timezone, dialect } => {
                Schedule::in_dialect(&value, dialect, timezone.parse()?)?
            }
            Stored::Interval { value, unit, timezone } => Schedule::every(value, unit, timezone.parse()?)?,
        })
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let timezone = self.zone().name().into();
        match self.kind() {
            ScheduleKind::Crontab(text) => {
                Stored::Crontab { value: text.into(), timezone, dialect: self.dialect() }
            }
            ScheduleKind::Interval { count, unit } => Stored::Interval { value: count, unit, timezone },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}
