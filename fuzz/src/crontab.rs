//! A crontab's text, in any zone, from any time. The first two bytes choose the zone, the next eight the time.

use chrono::{DateTime, TimeDelta, Utc};
use overdue::Schedule;
use overdue::policy::Quirks;
use overdue::schedule::{Zones, reference};

/// Panics when something does not hold.
pub fn try_bytes(bytes: &[u8]) {
    let Some((zone, rest)) = bytes.split_first_chunk::<2>() else { return };
    let Some((time, text)) = rest.split_first_chunk::<8>() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    let zones: Vec<_> = Zones::embedded().iter().collect();
    let zone = zones[usize::from(u16::from_le_bytes(*zone)) % zones.len()];
    let Ok(schedule) = Schedule::crontab(text, zone) else { return };

    let written = schedule.to_string();
    assert_eq!(Schedule::crontab(&written, zone), Ok(schedule.clone()), "{written}");
    let stored = serde_json::to_string(&schedule).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&stored).unwrap(), schedule);

    let after = any_time(i64::from_le_bytes(*time));
    for after in [after, in_our_days(after)] {
        the_directions_agree(&schedule, after);
        let _ = reference::next(&schedule, after, Quirks::SENTRY_2024);
        let _ = reference::previous(&schedule, after, after, Quirks::SENTRY_2024);
    }
}

fn the_directions_agree(schedule: &Schedule, after: DateTime<Utc>) {
    let next = |time| schedule.next(time);
    let previous = |time| schedule.previous(after, time);
    let Some(run) = next(after) else { return };
    assert!(run > after, "{schedule:?}: {run} after {after}");
    assert_eq!(previous(run + TimeDelta::minutes(1)), Some(run), "{schedule:?} after {after}");
    if let Some(later) = next(run) {
        assert_eq!(previous(later), Some(run), "{schedule:?}: nothing between {run} and {later}");
    }
    if let Some(earlier) = previous(run) {
        assert!(earlier <= after, "{schedule:?}: {earlier} is between {after} and {run}");
    }
}

/// Any that chrono can hold.
fn any_time(seed: i64) -> DateTime<Utc> {
    let (first, last) = (DateTime::<Utc>::MIN_UTC.timestamp(), DateTime::<Utc>::MAX_UTC.timestamp());
    let seconds = first + seed.rem_euclid(last - first);
    DateTime::from_timestamp(seconds, (seed.unsigned_abs() % 1_000_000_000) as u32).unwrap()
}

/// From 1970 to 2100, where crontabs run.
fn in_our_days(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp().rem_euclid(4_102_444_800), time.timestamp_subsec_nanos())
        .unwrap()
}
