//! The zone data: its release, its names, and the offsets that are read from it.

use chrono::{DateTime, TimeDelta, Utc};
use overdue::schedule::{ParseZoneError, Zone, Zones};
use serde::Deserialize;

use super::{Clock, Time, time};
use crate::vectors;

/// The offset of a zone at a time, and all changes of it up to 2030.
#[derive(Debug, Deserialize)]
struct ZoneLine {
    tz: String,
    at: String,
    offset: i32,
    changes: Vec<(String, i32)>,
}

/// The vectors leave out the seconds.
fn minute(text: &str) -> Time {
    time(&text.replace('Z', ":00Z"))
}

fn offset(zone: Zone, at: Time) -> i32 {
    zone.offset_at(at).local_minus_utc()
}

/// The first second with the offset of the later time.
fn change(zone: Zone, mut start: Time, mut end: Time) -> Time {
    while end - start > TimeDelta::seconds(1) {
        let middle = start + TimeDelta::seconds((end - start).num_seconds() / 2);
        if offset(zone, middle) == offset(zone, end) { end = middle } else { start = middle }
    }
    end
}

#[test]
fn every_zone_has_the_recorded_offsets() {
    let lines: Vec<ZoneLine> = vectors::lines("zones.jsonl", "schedule/zones.jsonl.gz");
    assert_eq!(lines.len(), 597);
    assert_eq!(Zones::embedded().iter().count(), 597);
    for ZoneLine { tz, at, offset: first, changes } in lines {
        let zone = Zones::embedded().get(&tz).unwrap();
        assert_eq!(zone.name(), tz);
        let mut at = minute(&at);
        assert_eq!(offset(zone, at), first, "{zone}");
        let mut found = Vec::new();
        while at < time("2031-01-01T00:00:00Z") {
            let later = at + TimeDelta::hours(6);
            if offset(zone, later) != offset(zone, at) {
                let change = change(zone, at, later);
                found.push((change, offset(zone, change)));
            }
            at = later;
        }
        let changes: Vec<_> = changes.iter().map(|(at, offset)| (minute(at), *offset)).collect();
        assert_eq!(found, changes, "{zone}");
    }
}

/// Through the local mean times of old, and by the rules of today for twice as long as the calendar repeats.
#[test]
fn offsets_are_those_that_jiff_reads_from_the_data() {
    let (start, end) = (time("1800-01-01T00:00:00Z"), time("2900-01-01T00:00:00Z"));
    for zone in Zones::embedded().iter() {
        let clock = Clock::of(zone);
        let mut at = start;
        while at < end {
            assert_eq!(TimeDelta::seconds(offset(zone, at).into()), clock.offset(at), "{zone} {at}");
            at += TimeDelta::hours(700);
        }
        let from = jiff::Timestamp::from_second(start.timestamp()).unwrap();
        for change in
            clock.0.following(from).take_while(|change| change.timestamp().as_second() < end.timestamp())
        {
            let at: Time = DateTime::<Utc>::from_timestamp(change.timestamp().as_second(), 0).unwrap();
            for at in [at, at - TimeDelta::seconds(1)] {
                assert_eq!(TimeDelta::seconds(offset(zone, at).into()), clock.offset(at), "{zone} {at}");
            }
        }
    }
}

#[test]
fn the_release_is_the_newest_that_is_embedded() {
    assert_eq!(Zones::embedded().release(), "2026f");
}

#[test]
fn names_are_found_in_any_case_and_through_links() {
    for (text, name) in [
        ("europe/berlin", "Europe/Berlin"),
        ("ASIA/CALCUTTA", "Asia/Calcutta"),
        ("us/eastern", "US/Eastern"),
        ("utc", "UTC"),
        ("etc/gmt+5", "Etc/GMT+5"),
        ("Europe/Kiev", "Europe/Kiev"),
    ] {
        let zone: Zone = text.parse().unwrap();
        assert_eq!((zone.name(), zone.to_string()), (name, name.to_owned()));
        assert_eq!(serde_json::to_string(&zone).unwrap(), format!("{name:?}"));
        assert_eq!(serde_json::from_str::<Zone>(&format!("{text:?}")).unwrap(), zone);
    }
    assert_eq!("UTC".parse(), Ok(Zone::UTC));
    assert!(Zones::embedded().iter().any(|zone| zone == Zone::UTC));
    for text in ["", " UTC", "UTC\0", "Factory", "Europe", "Europe/Berlin/Mitte"] {
        assert_eq!(Zones::embedded().get(text), None, "{text:?}");
    }
}

#[test]
fn an_unknown_zone_is_answered_with_the_nearest() {
    let error: ParseZoneError = "Asia/Kolkatta".parse::<Zone>().unwrap_err();
    assert_eq!(error.nearest.map(Zone::name), Some("Asia/Kolkata"));
    assert_eq!(error.to_string(), "`Asia/Kolkatta` is not an IANA time zone; did you mean `Asia/Kolkata`?");
    let error = "x".repeat(100_000).parse::<Zone>().unwrap_err();
    assert_eq!(error.nearest, None);
}
