//! A `monitor_config` as JSON.

use std::borrow::Cow;
use std::num::NonZeroU32;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::json::{self, Json};
use crate::config::{ConfigUpdate, Margin, MaxRuntime, OutOfRange, Settings, Threshold};
use crate::field_errors::{FieldError, FieldErrors, FieldErrorsBuilder, WHOLE};
use crate::policy::{Quirk, Quirks};
use crate::schedule::{Dialect, Schedule, ScheduleError, ScheduleKind, Unit, Zone, Zones, reference};

/// Parses the bytes of an object.
pub(super) fn read(json: &[u8], quirks: Quirks) -> Result<ConfigUpdate, ConfigFault> {
    let text = std::str::from_utf8(json).map_err(|_| FieldErrors::one(WHOLE, FieldError::NotAnObject))?;
    decode(text, quirks)
}

/// Parses the text of an object.
pub(super) fn decode(object: &str, quirks: Quirks) -> Result<ConfigUpdate, ConfigFault> {
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
    .map_err(|_| FieldErrors::one(WHOLE, FieldError::NotAnObject))?;

    let mut faults = Faults::new(quirks);
    let schedule = faults.check("schedule", Shape::of(schedule));
    let kind = faults.check("schedule_type", schedule_type.map(Json::of).map(Kind::of).transpose());
    let timezone = faults.check("timezone", zone(timezone, quirks));
    let minutes = faults.check("checkin_margin", setting(margin, not_negative));
    let margin =
        minutes.and_then(|minutes| faults.check_usable("checkin_margin", minutes.map(margin_of).transpose()));
    let max_runtime = faults.check("max_runtime", setting(max_runtime, bounded));
    let failure_threshold = faults.check("failure_issue_threshold", setting(failure_threshold, bounded));
    let recovery_threshold = faults.check("recovery_threshold", setting(recovery_threshold, bounded));

    let (Some(shape), Some(kind)) = (schedule, kind) else { return Err(faults.into()) };
    if !faults.is_empty() && quirks.keeps(Quirk::ScheduleFaultsWait) {
        return Err(faults.into());
    }
    let schedule = read_schedule(shape, kind, timezone.flatten().unwrap_or(Zone::UTC), quirks, &mut faults);
    let Some(timezone) = timezone else { return Err(faults.into()) };
    let (Some(schedule), Some(margin), Some(max_runtime), Some(failure_threshold), Some(recovery_threshold)) =
        (schedule, margin, max_runtime, failure_threshold, recovery_threshold)
    else {
        return Err(faults.into());
    };
    let owner = owner.and_then(|owner| Json::of(owner).into_text().ok()?.parse().ok());
    let settings = Settings { margin, max_runtime, failure_threshold, recovery_threshold };
    Ok(ConfigUpdate { schedule, timezone, settings, owner })
}

/// Why a configuration is invalid.
pub(super) struct ConfigFault {
    pub(super) errors: FieldErrors,
    /// The reference accepts it nevertheless, and loses every check-in that brings it.
    pub(super) swallowed: bool,
}

impl From<FieldErrors> for ConfigFault {
    fn from(errors: FieldErrors) -> Self {
        Self { errors, swallowed: false }
    }
}

/// The errors found so far.
#[derive(Default)]
struct Faults {
    fields: FieldErrorsBuilder,
    /// Errors that the reference does not see, kept apart while its quirk is kept.
    unseen: FieldErrorsBuilder,
    swallow: bool,
}

impl Faults {
    fn new(quirks: Quirks) -> Self {
        Self { swallow: quirks.keeps(Quirk::UnusableConfigsSwallow), ..Self::default() }
    }

    /// Returns the value, or records its error under the field's name.
    fn check<T>(&mut self, field: &'static str, value: Result<T, FieldError>) -> Option<T> {
        self.fields.check(field, value)
    }

    /// Does the same for a value that can never work but that the reference accepts.
    fn check_usable<T>(&mut self, field: &'static str, value: Result<T, FieldError>) -> Option<T> {
        if self.swallow { self.unseen.check(field, value) } else { self.fields.check(field, value) }
    }

    fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// For a decoder that lacks a value; see [`FieldErrorsBuilder`].
impl From<Faults> for ConfigFault {
    fn from(faults: Faults) -> Self {
        let swallowed = faults.fields.is_empty();
        let errors = if swallowed { faults.unseen } else { faults.fields };
        Self { errors: errors.into(), swallowed }
    }
}

/// The two types of schedules.
#[derive(Clone, Copy)]
enum Kind {
    Crontab,
    Interval,
}

impl Kind {
    fn of(value: Json<'_>) -> Result<Self, FieldError> {
        match value {
            Json::Text(text) if text == "crontab" => Ok(Kind::Crontab),
            Json::Text(text) if text == "interval" => Ok(Kind::Interval),
            Json::Null => Err(FieldError::Null),
            _ => Err(FieldError::Unknown),
        }
    }
}

/// The forms in which a schedule is sent.
enum Shape<'a> {
    /// `""`, `[]` or `{}`.
    Empty,
    /// A crontab; its type is in `schedule_type`.
    Text(Cow<'a, str>),
    /// Count and unit; the type is in `schedule_type`. Further items are ignored.
    List(&'a str),
    /// Value and unit, with the type inside or in `schedule_type`.
    Object(&'a str),
}

impl<'a> Shape<'a> {
    fn of(schedule: Option<&'a str>) -> Result<Self, FieldError> {
        match Json::of(schedule.ok_or(FieldError::Missing)?) {
            Json::Null => Err(FieldError::Null),
            Json::Text(text) if text.is_empty() => Ok(Shape::Empty),
            Json::List(text) | Json::Object(text) if json::is_empty(text) => Ok(Shape::Empty),
            Json::Text(text) => Ok(Shape::Text(text)),
            Json::List(list) => Ok(Shape::List(list)),
            Json::Object(object) => Ok(Shape::Object(object)),
            _ => Err(FieldError::WrongSchedule),
        }
    }
}

fn read_schedule(
    shape: Shape<'_>,
    beside: Option<Kind>,
    zone: Zone,
    quirks: Quirks,
    faults: &mut Faults,
) -> Option<Schedule> {
    let [inside, value, unit, dialect] = match shape {
        Shape::Object(object) => json::pick(object, ["type", "value", "unit", "dialect"])
            .unwrap_or_default()
            .map(|it| it.map(Json::of)),
        _ => [None, None, None, None],
    };
    // If the inner `type` is null or empty, `schedule_type` applies.
    let inside = inside.filter(|kind| !matches!(kind, Json::Null) && *kind != Json::Text("".into()));
    let kind = inside.map(Kind::of).transpose();
    let kind = kind.and_then(|inside| inside.or(beside).ok_or(FieldError::Missing));
    let dialect = dialect.map_or(Ok(Dialect::CRON), dialect_named);
    let crontab = |text: &str| {
        if quirks == Quirks::NONE {
            return Schedule::in_dialect(text, dialect.clone()?, zone).map_err(FieldError::other);
        }
        let schedule = reference::crontab(text, zone).map_err(FieldError::other)?;
        let idle = reference::idle_day(&schedule).filter(|_| quirks.keeps(Quirk::IdleDaysRefused));
        idle.map_or(Ok(schedule), |error| Err(FieldError::other(error)))
    };
    let schedule = match (shape, kind) {
        (Shape::Empty, _) => return faults.check_usable("schedule", Err(FieldError::Blank)),
        (_, Err(problem)) => return faults.check("schedule_type", Err(problem)),
        (Shape::Text(text), Ok(Kind::Crontab)) => crontab(&text),
        (Shape::Object(_), Ok(Kind::Crontab)) => {
            value.ok_or(FieldError::Missing).and_then(Json::into_text).and_then(|text| crontab(&text))
        }
        (Shape::Object(_), Ok(Kind::Interval)) => return interval(value, unit, zone, faults),
        (Shape::List(list), Ok(Kind::Interval)) => {
            let items: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
            if let [count, unit, ..] = items.as_slice() {
                return interval(Some(Json::of(count.get())), Some(Json::of(unit.get())), zone, faults);
            }
            Err(FieldError::WrongSchedule)
        }
        (Shape::Text(_), Ok(Kind::Interval)) | (Shape::List(_), Ok(Kind::Crontab)) => {
            Err(FieldError::WrongSchedule)
        }
    };
    faults.check("schedule", schedule)
}

fn interval(
    count: Option<Json<'_>>,
    unit: Option<Json<'_>>,
    zone: Zone,
    faults: &mut Faults,
) -> Option<Schedule> {
    let unit = unit.ok_or(FieldError::Missing).and_then(Json::into_text).and_then(|unit| unit_named(&unit));
    let unit = faults.check("schedule", unit)?;
    let count = match count {
        None => Err(FieldError::Missing),
        Some(Json::Number(text)) => whole(text).ok_or(FieldError::NotWhole),
        Some(_) => Err(FieldError::NotANumber),
    };
    let count = faults.check("schedule", count.and_then(positive))?;
    match Schedule::every(count, unit, zone) {
        Err(error @ ScheduleError::TooLong { .. }) => {
            faults.check_usable("schedule", Err(FieldError::other(error)))
        }
        schedule => faults.check("schedule", schedule.map_err(FieldError::other)),
    }
}

fn unit_named(name: &str) -> Result<Unit, FieldError> {
    match name {
        "minute" => Ok(Unit::Minute),
        "hour" => Ok(Unit::Hour),
        "day" => Ok(Unit::Day),
        "week" => Ok(Unit::Week),
        "month" => Ok(Unit::Month),
        "year" => Ok(Unit::Year),
        _ => Err(FieldError::Unknown),
    }
}

fn dialect_named(value: Json<'_>) -> Result<Dialect, FieldError> {
    value.into_text()?.parse().map_err(FieldError::other)
}

/// The named time zone, in any case, or with a quirk exactly. A blank one means UTC, or with a quirk no zone.
fn zone(value: Option<&str>, quirks: Quirks) -> Result<Option<Zone>, FieldError> {
    let Some(value) = value else { return Ok(None) };
    match Json::of(value).into_text()? {
        blank if blank.is_empty() => {
            Ok(if quirks.keeps(Quirk::BlankTimezoneIgnored) { None } else { Some(Zone::UTC) })
        }
        name if quirks.keeps(Quirk::ZoneNamesExact) => {
            let zone = Zones::embedded().get(&name).filter(|zone| zone.name() == name);
            zone.map(Some).ok_or(FieldError::Unknown)
        }
        name => name.parse::<Zone>().map(Some).map_err(|error| match error.nearest {
            Some(_) => FieldError::other(error),
            None => FieldError::Unknown,
        }),
    }
}

/// Parses a number that may be missing. Null and `""` mean the default. Numbers may be sent as strings.
fn setting<T: Default>(
    value: Option<&str>,
    read: impl FnOnce(i64) -> Result<T, FieldError>,
) -> Result<Option<T>, FieldError> {
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
    count.ok_or(FieldError::NotWhole).and_then(read).map(Some)
}

/// Parses a number written in digits only. One out of range becomes the nearest that fits.
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

/// Parses a count. One that is too great for the type becomes its maximum, which is too great for any
/// schedule.
fn positive(count: i64) -> Result<NonZeroU32, FieldError> {
    let count = u32::try_from(count.max(0)).unwrap_or(u32::MAX);
    NonZeroU32::new(count).ok_or(FieldError::OutOfRange { least: 1, most: u32::MAX.into() })
}

fn not_negative(minutes: i64) -> Result<i64, FieldError> {
    if minutes < 0 {
        Err(FieldError::OutOfRange { least: 0, most: Margin::MAX.get().into() })
    } else {
        Ok(minutes)
    }
}

/// Makes a margin. Zero becomes one minute: a run cannot be late before it is due.
fn margin_of(minutes: i64) -> Result<Margin, FieldError> {
    bounded(minutes.max(1))
}

fn bounded<T: TryFrom<u32, Error = OutOfRange>>(count: i64) -> Result<T, FieldError> {
    let count = u32::try_from(count.max(0)).unwrap_or(u32::MAX);
    T::try_from(count)
        .map_err(|bounds| FieldError::OutOfRange { least: bounds.least.into(), most: bounds.most.into() })
}

impl ConfigUpdate {
    /// Reads the JSON that jobs send.
    ///
    /// The schedule is an object, or in the older form a string or a list beside a `schedule_type`. Other
    /// fields are skipped.
    ///
    /// # Errors
    /// [`FieldErrors`] names every invalid field.
    pub fn from_json(json: &[u8]) -> Result<Self, FieldErrors> {
        read(json, Quirks::NONE).map_err(|fault| fault.errors)
    }
}

impl Serialize for ConfigUpdate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schedule", &Given(&self.schedule))?;
        let mut entry =
            |name, value: Option<u32>| value.map_or(Ok(()), |value| map.serialize_entry(name, &value));
        entry("checkin_margin", self.settings.margin.map(Margin::get))?;
        entry("max_runtime", self.settings.max_runtime.map(MaxRuntime::get))?;
        entry("failure_issue_threshold", self.settings.failure_threshold.map(Threshold::get))?;
        entry("recovery_threshold", self.settings.recovery_threshold.map(Threshold::get))?;
        if let Some(zone) = self.timezone {
            map.serialize_entry("timezone", zone.name())?;
        }
        if let Some(owner) = self.owner {
            map.serialize_entry("owner", &owner)?;
        }
        map.end()
    }
}

/// A schedule as messages give it.
struct Given<'a>(&'a Schedule);

impl Serialize for Given<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0.kind() {
            ScheduleKind::Crontab(expression) => {
                map.serialize_entry("type", "crontab")?;
                map.serialize_entry("value", expression)?;
                if self.0.dialect() != Dialect::CRON {
                    map.serialize_entry("dialect", &self.0.dialect())?;
                }
            }
            ScheduleKind::Interval { count, unit } => {
                map.serialize_entry("type", "interval")?;
                map.serialize_entry("value", &count)?;
                map.serialize_entry("unit", &unit)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ConfigUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(sent.get().as_bytes()).map_err(D::Error::custom)
    }
}
