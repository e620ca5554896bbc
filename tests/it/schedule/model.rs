//! The rule of crontabs once more, minute by minute: slow, and obviously correct.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use overdue::Zone;
use overdue::policy::{Quirk, Quirks};
use overdue::schedule::{Schedule, Unit, reference};
use proptest::prelude::*;

use super::{Clock, Time, any_zone, zone};

const ZONES: [&str; 16] = [
    "Africa/Casablanca",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
];

/// One field: its text, and the values it stands for.
#[derive(Clone, Debug)]
struct Part {
    text: String,
    values: Vec<u32>,
}

fn part(least: u32, most: u32) -> impl Strategy<Value = Part> {
    let list = |values: Vec<u32>| Part {
        text: values.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        values,
    };
    prop_oneof![
        3 => Just(Part { text: "*".into(), values: (least..=most).collect() }),
        2 => (2..40_usize).prop_map(move |step| Part {
            text: format!("*/{step}"),
            values: (least..=most).step_by(step).collect(),
        }),
        3 => prop::collection::vec(least..=most, 1..4).prop_map(list),
        2 => (least..=most, least..=most).prop_map(|(a, b)| Part {
            text: format!("{}-{}", a.min(b), a.max(b)),
            values: (a.min(b)..=a.max(b)).collect(),
        }),
        1 => (least..=most, 1..9_usize).prop_map(move |(start, step)| Part {
            text: format!("{start}/{step}"),
            values: (start..=most).step_by(step).collect(),
        }),
    ]
}

/// Other forms of a day field, and the days they stand for.
#[derive(Clone, Debug)]
enum Day {
    Plain(Part),
    Last,
    LastWorking,
    LastOf(u32),
    Nth(u32, u32),
}

impl Day {
    fn text(&self) -> String {
        match self {
            Day::Plain(part) => part.text.clone(),
            Day::Last => "L".into(),
            Day::LastWorking => "LW".into(),
            Day::LastOf(weekday) => format!("{weekday}L"),
            Day::Nth(weekday, nth) => format!("{weekday}#{nth}"),
        }
    }

    fn of_month(&self, local: NaiveDateTime) -> bool {
        let in_month = |days: i64| (local + TimeDelta::days(days)).month() == local.month();
        let works = |days: i64| (local + TimeDelta::days(days)).weekday().num_days_from_monday() < 5;
        match self {
            Day::Plain(part) => part.values.contains(&local.day()),
            Day::Last => !in_month(1),
            Day::LastWorking => works(0) && (1..=3).all(|days| !in_month(days) || !works(days)),
            Day::LastOf(_) | Day::Nth(..) => unreachable!("no days of the month"),
        }
    }

    fn of_week(&self, local: NaiveDateTime) -> bool {
        let weekday = local.weekday().num_days_from_sunday();
        match self {
            Day::Plain(part) => part.values.iter().any(|value| value % 7 == weekday),
            Day::LastOf(last) => last % 7 == weekday && (local + TimeDelta::days(7)).month() != local.month(),
            Day::Nth(nth, count) => nth % 7 == weekday && (local.day() - 1) / 7 + 1 == *count,
            Day::Last | Day::LastWorking => unreachable!("no days of the week"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    minute: Part,
    hour: Part,
    day: Day,
    month: Part,
    weekday: Day,
}

pub(super) fn job() -> impl Strategy<Value = Job> {
    let day = prop_oneof![
        4 => Just(Day::Plain(Part { text: "*".into(), values: (1..=31).collect() })),
        2 => part(1, 31).prop_map(Day::Plain),
        1 => Just(Day::Last),
        1 => Just(Day::LastWorking),
    ];
    let weekday = prop_oneof![
        4 => Just(Day::Plain(Part { text: "*".into(), values: (0..=7).collect() })),
        2 => part(0, 7).prop_map(Day::Plain),
        1 => (0..=7_u32).prop_map(Day::LastOf),
        1 => (0..=7_u32, 1..=5_u32).prop_map(|(weekday, nth)| Day::Nth(weekday, nth)),
    ];
    let month =
        prop_oneof![3 => Just(Part { text: "*".into(), values: (1..=12).collect() }), 1 => part(1, 12)];
    // Most clocks change around midnight and in the small hours.
    let small_hours = (0..=3_u32, 0..=3_u32).prop_map(|(start, more)| Part {
        text: format!("{start}-{}", start + more),
        values: (start..=start + more).collect(),
    });
    let hour = prop_oneof![part(0, 23), small_hours];
    (part(0, 59), hour, day, month, weekday).prop_map(|(minute, hour, day, month, weekday)| Job {
        minute,
        hour,
        day,
        month,
        weekday,
    })
}

impl Job {
    pub(super) fn text(&self) -> String {
        let (day, weekday) = (self.day.text(), self.weekday.text());
        format!("{} {} {day} {} {weekday}", self.minute.text, self.hour.text, self.month.text)
    }

    fn matches(&self, local: NaiveDateTime) -> bool {
        let (day, weekday) = (self.day.of_month(local), self.weekday.of_week(local));
        let both = self.day.text().starts_with('*') || self.weekday.text().starts_with('*');
        self.minute.values.contains(&local.minute())
            && self.hour.values.contains(&local.hour())
            && self.month.values.contains(&local.month())
            && (if both { day && weekday } else { day || weekday })
    }

    /// All runs in [start, end), in order. The clock is followed from four days earlier.
    fn runs(&self, zone: Zone, start: Time, end: Time) -> Vec<Time> {
        let minute = TimeDelta::minutes(1);
        let clock = Clock::of(zone);
        let free = self.minute.text.starts_with('*') || self.hour.text.starts_with('*');
        let mut at = start - TimeDelta::days(4);
        let mut shown = clock.shows(at);
        let mut runs = Vec::new();
        while at < end {
            at += minute;
            let local = clock.shows(at);
            let due = if free {
                self.matches(local)
            } else {
                // Every time that the clock has passed since it was last ahead.
                std::iter::successors(Some(shown + minute), |time| Some(*time + minute))
                    .take_while(|time| *time <= local)
                    .any(|time| self.matches(time))
            };
            shown = shown.max(local);
            if due && (start..end).contains(&at) {
                runs.push(at);
            }
        }
        runs
    }
}

/// A time near a clock change, if the zone has one in the following two years.
fn near_change(zone: Zone, start: Time) -> Time {
    let clock = Clock::of(zone);
    let days = (0..730).map(|day| start + TimeDelta::days(day));
    days.clone().find(|day| clock.offset(*day) != clock.offset(*day + TimeDelta::days(1))).unwrap_or(start)
}

fn instant() -> impl Strategy<Value = Time> {
    // 1972 to 2099; before that some clocks show seconds.
    (63_072_000_i64..4_070_908_800).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

/// A zone, and a time near one of its clock changes.
pub(super) fn place() -> impl Strategy<Value = (Zone, Time)> {
    let skipped_days = [("Pacific/Apia", 1_325_239_200), ("Pacific/Kiritimati", 788_868_000)];
    prop_oneof![
        8 => (prop::sample::select(ZONES.map(zone).to_vec()), instant())
            .prop_map(|(zone, at)| (zone, near_change(zone, at))),
        1 => prop::sample::select(skipped_days.to_vec())
            .prop_map(|(name, seconds)| (zone(name), DateTime::from_timestamp(seconds, 0).unwrap())),
    ]
}

/// The first difference of two lists.
fn difference(found: &[Time], expected: &[Time]) -> Option<(Option<Time>, Option<Time>)> {
    let pairs = (0..found.len().max(expected.len())).map(|at| (found.get(at), expected.get(at)));
    pairs
        .map(|(found, expected)| (found.copied(), expected.copied()))
        .find(|(found, expected)| found != expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_run_is_found_in_both_directions(job in job(), (zone, near) in place(), seconds in 0..86_400_i64) {
        let Ok(schedule) = Schedule::crontab(&job.text(), zone) else {
            // Only days that never come are rejected.
            return Ok(());
        };
        let cut = |time: Time| DateTime::from_timestamp(time.timestamp().div_euclid(60) * 60, 0).unwrap();
        let start = cut(near) - TimeDelta::days(2);
        let end = cut(near) + TimeDelta::days(3);
        let runs = job.runs(zone, start, end);

        let mut found = Vec::new();
        let mut at = start - TimeDelta::nanoseconds(1);
        while let Some(next) = schedule.next(at).filter(|next| *next < end) {
            prop_assert!(next > at);
            found.push(next);
            at = next;
        }
        prop_assert_eq!(difference(&found, &runs), None, "next of {} in {}", job.text(), zone);

        found.clear();
        at = end;
        while let Some(previous) = schedule.previous(at, at).filter(|previous| *previous >= start) {
            prop_assert!(previous < at);
            found.push(previous);
            at = previous;
        }
        found.reverse();
        prop_assert_eq!(difference(&found, &runs), None, "previous of {} in {}", job.text(), zone);

        // Also from between the minutes.
        let at = near + TimeDelta::seconds(seconds);
        let after = runs.iter().find(|run| **run > at);
        let before = runs.iter().rfind(|run| **run < at);
        if after.is_some() {
            prop_assert_eq!(schedule.next(at), after.copied());
        }
        if before.is_some() {
            prop_assert_eq!(schedule.previous(at, at), before.copied());
        }
    }

    #[test]
    fn far_runs_lead_back(job in job(), (zone, near) in place()) {
        let Ok(schedule) = Schedule::crontab(&job.text(), zone) else { return Ok(()) };
        if let Some(next) = schedule.next(near) {
            prop_assert!(next > near);
            let last = next + TimeDelta::minutes(1);
            prop_assert_eq!(schedule.previous(last, last), Some(next));
            let until = schedule.previous(next, next);
            prop_assert!(until.is_none_or(|until| until <= near), "{:?}", until);
        }
    }

    #[test]
    fn no_date_panics(
        job in job(),
        zone in any_zone(),
        seconds in DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp(),
        other in DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp(),
        count in 1..=100_u32,
        quirks in 0..4,
    ) {
        let mut kept = Quirks::NONE;
        if quirks & 1 != 0 {
            kept = kept.with(Quirk::RepeatedHourForgotten);
        }
        if quirks & 2 != 0 {
            kept = kept.with(Quirk::IntervalsOnLocalClock);
        }
        let crontab = Schedule::crontab(&job.text(), zone).ok();
        let units = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
        let count = std::num::NonZeroU32::new(count).unwrap();
        let intervals = units.map(|unit| Schedule::every(count, unit, zone).unwrap());
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let other = DateTime::from_timestamp(other, 0).unwrap();
        let edges = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH, at];
        for schedule in crontab.iter().chain(&intervals) {
            for at in edges {
                let next = reference::next(schedule, at, kept);
                let previous = reference::previous(schedule, other, at, kept);
                if kept == Quirks::NONE {
                    prop_assert_eq!(next, schedule.next(at));
                    prop_assert_eq!(previous, schedule.previous(other, at));
                    prop_assert!(next.is_none_or(|next| next > at));
                    prop_assert!(previous.is_none_or(|previous| previous < at));
                }
            }
        }
    }
}
