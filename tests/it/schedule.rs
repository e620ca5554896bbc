//! Schedules: the vectors, a minute-by-minute model, clock changes, and the ends of time.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "these are tests")]

mod dialect_model;
mod dialects;
mod interval;
mod model;
mod remembered;
mod stored;
mod vectors;
mod zones;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use overdue::Zone;
use overdue::schedule::Zones;
use proptest::prelude::*;

type Time = DateTime<Utc>;

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn any_zone() -> impl Strategy<Value = Zone> {
    prop::sample::select(Zones::embedded().iter().collect::<Vec<_>>())
}

/// A zone's clock as jiff reads it from the same data.
struct Clock(TimeZone);

impl Clock {
    fn of(zone: Zone) -> Self {
        Self(TimeZone::get(zone.name()).unwrap())
    }

    fn offset(&self, at: Time) -> TimeDelta {
        let at = Timestamp::from_second(at.timestamp()).unwrap();
        TimeDelta::seconds(self.0.to_offset(at).seconds().into())
    }

    fn shows(&self, at: Time) -> NaiveDateTime {
        at.naive_utc() + self.offset(at)
    }
}
