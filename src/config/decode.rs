//! From the JSON of a `monitor_config` to a [`ConfigUpdate`].

use std::borrow::Cow;
use std::num::NonZeroU32;

use chrono_tz::Tz;
use serde_json::value::RawValue;

use super::update::{ConfigError, ConfigUpdate};
use crate::checkin::json::{self, Json};
use crate::checkin::{Faults, FieldErrors, FieldProblem, WHOLE};
use crate::config::{Margin, OutOfRange};
use crate::policy::{Quirk, Quirks};
use crate::schedule::{Schedule, ScheduleError, Unit};

/// Reads the text of an object.
pub(super) fn decode(object: &str, quirks: Quirks) -> Result<ConfigUpdate, ConfigError> {
    let [
        schedule,
        schedule_type,
        timezone,
        margin,
        max_runtime,
        failure_threshold,
        recovery_threshold,
        owner,
    ] = json::pick(
        object,
        [
            "schedule",
            "schedule_type",
            "timezone",
            "checkin_margin",
            "max_runtime",
            "failure_issue_threshold",
            "recovery_threshold",
            "owner",
        ],
    )
    .map_err(|_| ConfigError::Invalid(FieldErrors::one(WHOLE, FieldProblem::NotAnObject)))?;

    let mut refusals = Refusals::new(quirks);
    let schedule = refusals.check("schedule", Shape::of(schedule));
    let kind = refusals.check("schedule_type", schedule_type.map(Json::of).map(Kind::of).transpose());
    let timezone = refusals.check("timezone", zone(timezone, quirks));
    let minutes = refusals.check("checkin_margin", setting(margin, not_negative));
    let margin = minutes
        .and_then(|minutes| refusals.check_hopes("checkin_margin", minutes.map(margin_of).transpose()));
    let max_runtime = refusals.check("max_runtime", setting(max_runtime, bounded));
    let failure_threshold = refusals.check("failure_issue_threshold", setting(failure_threshold, bounded));
    let recovery_threshold = refusals.check("recovery_threshold", setting(recovery_threshold, bounded));

    let (Some(shape), Some(kind)) = (schedule, kind) else { return Err(refusals.into()) };
    if refusals.any_faults() && quirks.keeps(Quirk::ScheduleFaultsWait) {
        return Err(refusals.into());
    }
    let schedule = read_schedule(shape, kind, timezone.flatten().unwrap_or(Tz::UTC), quirks, &mut refusals);
    let Some(timezone) = timezone else { return Err(refusals.into()) };
    let (Some(schedule), Some(margin), Some(max_runtime), Some(failure_threshold), Some(recovery_threshold)) =
        (schedule, margin, max_runtime, failure_threshold, recovery_threshold)
    else {
        return Err(refusals.into());
    };
    let owner = owner.and_then(|owner| Json::of(owner).into_text().ok()?.parse().ok());
    Ok(ConfigUpdate { schedule, timezone, margin, max_runtime, failure_threshold, recovery_threshold, owner })
}

/// What stands against a configuration so far.
struct Refusals {
    faults: Faults,
    swallow: bool,
    hopeless: bool,
}

impl Refusals {
    fn new(quirks: Quirks) -> Self {
        Self {
            faults: Faults::default(),
            swallow: quirks.keeps(Quirk::UnusableConfigsSwallow),
            hopeless: false,
        }
    }

    /// The value, or nothing and its problem under the field's name.
    fn check<T>(&mut self, field: &'static str, value: Result<T, FieldProblem>) -> Option<T> {
        self.faults.check(field, value)
    }

    /// The same for a problem that the reference system does not see, though the value can never work.
    fn check_hopes<T>(&mut self, field: &'static str, value: Result<T, FieldProblem>) -> Option<T> {
        if self.swallow {
            self.hopeless |= value.is_err();
            value.ok()
        } else {
            self.faults.check(field, value)
        }
    }

    fn any_faults(&self) -> bool {
        !self.faults.is_empty()
    }
}

/// For a decoder that missed a value, see [`Faults`].
impl From<Refusals> for ConfigError {
    fn from(refusals: Refusals) -> Self {
        if refusals.hopeless && refusals.faults.is_empty() {
            ConfigError::Unusable
        } else {
            ConfigError::Invalid(refusals.faults.into())
        }
    }
}

/// The two types of schedules.
#[derive(Clone, Copy)]
enum Kind {
    Crontab,
    Interval,
}

impl Kind {
    fn of(value: Json<'_>) -> Result<Self, FieldProblem> {
        match value {
            Json::Text(text) if text == "crontab" => Ok(Kind::Crontab),
            Json::Text(text) if text == "interval" => Ok(Kind::Interval),
            Json::Null => Err(FieldProblem::Null),
            _ => Err(FieldProblem::Unknown),
        }
    }
}

/// The forms in which a schedule is sent.
enum Shape<'a> {
    /// `""`, `[]` or `{}`.
    Empty,
    /// A crontab, beside its type.
    Text(Cow<'a, str>),
    /// Count and unit, beside the type; what follows them says nothing.
    List(&'a str),
    /// Value and unit, with the type among them or beside.
    Object(&'a str),
}

impl<'a> Shape<'a> {
    fn of(schedule: Option<&'a RawValue>) -> Result<Self, FieldProblem> {
        match Json::of(schedule.ok_or(FieldProblem::Missing)?) {
            Json::Null => Err(FieldProblem::Null),
            Json::Text(text) if text.is_empty() => Ok(Shape::Empty),
            Json::List(text) | Json::Object(text) if json::is_empty(text) => Ok(Shape::Empty),
            Json::Text(text) => Ok(Shape::Text(text)),
            Json::List(list) => Ok(Shape::List(list)),
            Json::Object(object) => Ok(Shape::Object(object)),
            _ => Err(FieldProblem::WrongSchedule),
        }
    }
}

fn read_schedule(
    shape: Shape<'_>,
    beside: Option<Kind>,
    zone: Tz,
    quirks: Quirks,
    refusals: &mut Refusals,
) -> Option<Schedule> {
    let (inside, value, unit) = match shape {
        Shape::Object(object) => {
            let [kind, value, unit] = json::pick(object, ["type", "value", "unit"]).unwrap_or_default();
            (kind.map(Json::of), value.map(Json::of), unit.map(Json::of))
        }
        _ => (None, None, None),
    };
    // A type that says nothing leaves it to the one beside.
    let inside = inside.filter(|kind| !matches!(kind, Json::Null) && *kind != Json::Text("".into()));
    let kind = inside.map(Kind::of).transpose();
    let kind = kind.and_then(|inside| inside.or(beside).ok_or(FieldProblem::Missing));
    let crontab = |text: &str| {
        let schedule = Schedule::crontab(text, zone).map_err(FieldProblem::other)?;
        let idle = schedule.idle_day().filter(|_| quirks.keeps(Quirk::IdleDaysRefused));
        idle.map_or(Ok(schedule), |error| Err(FieldProblem::other(error)))
    };
    let schedule = match (shape, kind) {
        (Shape::Empty, _) => return refusals.check_hopes("schedule", Err(FieldProblem::Blank)),
        (_, Err(problem)) => return refusals.check("schedule_type", Err(problem)),
        (Shape::Text(text), Ok(Kind::Crontab)) => crontab(&text),
        (Shape::Object(_), Ok(Kind::Crontab)) => {
            value.ok_or(FieldProblem::Missing).and_then(Json::into_text).and_then(|text| crontab(&text))
        }
        (Shape::Object(_), Ok(Kind::Interval)) => return interval(value, unit, zone, refusals),
        (Shape::List(list), Ok(Kind::Interval)) => {
            let items: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
            if let [count, unit, ..] = items.as_slice() {
                return interval(Some(Json::of(count)), Some(Json::of(unit)), zone, refusals);
            }
            Err(FieldProblem::WrongSchedule)
        }
        (Shape::Text(_), Ok(Kind::Interval)) | (Shape::List(_), Ok(Kind::Crontab)) => {
            Err(FieldProblem::WrongSchedule)
        }
    };
    refusals.check("schedule", schedule)
}

fn interval(
    count: Option<Json<'_>>,
    unit: Option<Json<'_>>,
    zone: Tz,
    refusals: &mut Refusals,
) -> Option<Schedule> {
    let unit = unit.ok_or(FieldProblem::Missing).and_then(Json::into_text).and_then(|unit| unit_named(&unit));
    let unit = refusals.check("schedule", unit)?;
    let count = match count {
        None => Err(FieldProblem::Missing),
        Some(Json::Number(text)) => whole(text).ok_or(FieldProblem::NotWhole),
        Some(_) => Err(FieldProblem::NotANumber),
    };
    let count = refusals.check("schedule", count.and_then(positive))?;
    match Schedule::every(count, unit, zone) {
        Err(error @ ScheduleError::TooLong { .. }) => {
            refusals.check_hopes("schedule", Err(FieldProblem::other(error)))
        }
        schedule => refusals.check("schedule", schedule.map_err(FieldProblem::other)),
    }
}

fn unit_named(name: &str) -> Result<Unit, FieldProblem> {
    match name {
        "minute" => Ok(Unit::Minute),
        "hour" => Ok(Unit::Hour),
        "day" => Ok(Unit::Day),
        "week" => Ok(Unit::Week),
        "month" => Ok(Unit::Month),
        "year" => Ok(Unit::Year),
        _ => Err(FieldProblem::Unknown),
    }
}

/// The zone that is named. A blank one is UTC, or with the quirk as good as none.
fn zone(value: Option<&RawValue>, quirks: Quirks) -> Result<Option<Tz>, FieldProblem> {
    let Some(value) = value else { return Ok(None) };
    match Json::of(value).into_text()? {
        blank if blank.is_empty() => {
            Ok(if quirks.keeps(Quirk::BlankTimezoneIgnored) { None } else { Some(Tz::UTC) })
        }
        name => name.parse().map(Some).map_err(|_| FieldProblem::Unknown),
    }
}

/// A number that may be missing, or say with null or `""` that it wants its default. Numbers may come as text.
fn setting<T: Default>(
    value: Option<&RawValue>,
    read: impl FnOnce(i64) -> Result<T, FieldProblem>,
) -> Result<Option<T>, FieldProblem> {
    let count = match value.map(Json::of) {
        None => return Ok(None),
        Some(Json::Null) => return Ok(Some(T::default())),
        Some(Json::Text(text)) if text.is_empty() => return Ok(Some(T::default())),
        Some(Json::Text(text)) => {
            whole(text.trim().trim_end_matches('0').strip_suffix('.').unwrap_or(text.trim()))
        }
        Some(Json::Number(text)) => {
            whole(text).or_else(|| text.parse().ok().filter(|x: &f64| x.fract() == 0.0).map(saturate))
        }
        Some(_) => None,
    };
    count.ok_or(FieldProblem::NotWhole).and_then(read).map(Some)
}

/// The number that is written in digits only; one beyond all bounds is the nearest that can be held.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

#[expect(clippy::cast_possible_truncation, reason = "whole, and such a cast saturates")]
fn saturate(whole: f64) -> i64 {
    whole as i64
}

/// A count that is too great for the type is too great for any schedule, as the greatest of the type is.
fn positive(count: i64) -> Result<NonZeroU32, FieldProblem> {
    let count = u32::try_from(count.max(0)).unwrap_or(u32::MAX);
    NonZeroU32::new(count).ok_or(FieldProblem::OutOfRange { least: 1, most: u32::MAX.into() })
}

fn not_negative(minutes: i64) -> Result<i64, FieldProblem> {
    if minutes < 0 {
        Err(FieldProblem::OutOfRange { least: 0, most: Margin::MAX.get().into() })
    } else {
        Ok(minutes)
    }
}

/// A margin of zero is a minute: a run cannot be late before it is due.
fn margin_of(minutes: i64) -> Result<Margin, FieldProblem> {
    bounded(minutes.max(1))
}

fn bounded<T: TryFrom<u32, Error = OutOfRange>>(count: i64) -> Result<T, FieldProblem> {
    let count = u32::try_from(count.max(0)).unwrap_or(u32::MAX);
    T::try_from(count)
        .map_err(|bounds| FieldProblem::OutOfRange { least: bounds.least.into(), most: bounds.most.into() })
}
