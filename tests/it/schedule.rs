//! Schedules: the vectors, a minute-by-minute model, clock changes, and the ends of time.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "these are tests")]

mod interval;
mod model;
mod remembered;
mod stored;
mod vectors;

use chrono::{DateTime, Utc};
use overdue::Zone;

type Time = DateTime<Utc>;

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}
