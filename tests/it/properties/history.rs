//! Random histories: monitors, and what happens to them.

use std::fmt;
use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use overdue::checkin::{Body, Millis, ReportedStatus};
use overdue::config::{ConfigUpdate, Margin, MaxRuntime, MonitorConfig, Threshold};
use overdue::event::EventSink;
use overdue::id::ProjectId;
use overdue::key::{EnvironmentKey, EnvironmentName, MonitorKey};
use overdue::outcome::Outcome;
use overdue::row::{MonitorStatus, Owner};
use overdue::rules::{Edit, EditRefused};
use overdue::schedule::Unit;
use overdue::{AdminError, Checkin, Engine, Error, Message, Schedule, Store, Tick, TickReport};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::world::{ORGANIZATION, Time, at};

#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) monitors: Vec<(MonitorKey, MonitorConfig)>,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone)]
pub(super) enum Step {
    Checkin(Message),
    Tick(Tick),
    Edit(MonitorKey, Edit, Time),
}

/// One line a step, so that a failing history can be read.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkin(Message { project, received_at, body, .. }) => {
                let kind = if matches!(body, Body::Json(_)) { "raw" } else { "typed" };
                let sent = String::from_utf8_lossy(&body.bytes()).into_owned();
                write!(f, "{received_at:?} checkin of {project} ({kind}): {sent}")
            }
            Self::Tick(tick) => write!(f, "{:?} tick", tick.time()),
            Self::Edit(key, edit, at) => write!(f, "{at:?} edit {key}: {edit:?}"),
        }
    }
}

/// What the engine answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Checkin(Outcome),
    Tick(TickReport),
    Edit(Result<(), EditRefused>),
}

impl Step {
    pub(super) fn take<S: Store, K: EventSink>(
        &self,
        engine: &Engine<S, K>,
    ) -> Result<Answer, Error<S::Error>> {
        Ok(match self {
            Self::Checkin(message) => Answer::Checkin(engine.process_checkin(message)?),
            Self::Tick(tick) => Answer::Tick(engine.tick(*tick)?),
            Self::Edit(key, edit, at) => Answer::Edit(match engine.edit_monitor(key, edit, *at) {
                Ok(_) => Ok(()),
                Err(AdminError::Refused(refused)) => Err(refused),
                Err(AdminError::Failed(error)) => return Err(error),
                Err(error) => panic!("{error}"),
            }),
        })
    }
}

impl History {
    /// Creates the monitors.
    pub(super) fn begin<S: Store, K: EventSink>(&self, engine: &Engine<S, K>) {
        for (key, config) in &self.monitors {
            engine.create_monitor(ORGANIZATION, key, config).unwrap();
        }
    }

    /// Creates the monitors and takes every step.
    pub(super) fn play<S: Store, K: EventSink>(&self, engine: &Engine<S, K>) -> Vec<Answer> {
        self.begin(engine);
        self.steps.iter().map(|step| step.take(engine).unwrap()).collect()
    }
}

/// How time passes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Mostly forward, around a change of clocks as often as not.
    Plausible,
    /// Any date chrono can hold after any other.
    Anyhow,
}

pub(super) fn histories(pace: Pace) -> impl Strategy<Value = History> {
    let monitors = vec(configs(), 1..=SLUGS.len()).prop_map(|configs| {
        let keys = SLUGS.into_iter().map(|slug| key(PROJECTS[0], slug));
        keys.zip(configs).collect()
    });
    (monitors, steps(pace)).prop_map(|(monitors, steps)| History { monitors, steps })
}

fn steps(pace: Pace) -> BoxedStrategy<Vec<Step>> {
    match pace {
        Pace::Anyhow => {
            let step = (actions(), any_time()).prop_map(|(action, now)| action.at(now));
            vec(step, 1..20).boxed()
        }
        Pace::Plausible => (starts(), vec((actions(), lapses()), 1..40))
            .prop_map(|(start, actions)| {
                let mut now = start;
                let step = |(action, lapse): (Action, TimeDelta)| {
                    now = now.checked_add_signed(lapse).unwrap();
                    action.at(now)
                };
                actions.into_iter().map(step).collect()
            })
            .boxed(),
    }
}

/// Some hours before clocks change in one of the zones, or on a plain day.
fn starts() -> impl Strategy<Value = Time> {
    select(vec![
        at("09:00"),
        at("2024-03-30T20:00:00Z"),
        at("2024-10-26T20:00:00Z"),
        at("2024-11-02T22:00:00Z"),
        at("2025-04-05T10:00:00Z"),
    ])
}

fn lapses() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![
        1 => Just(0),
        3 => 1_i64..120,
        6 => 60_i64..5_400,
        1 => 3_600_i64..200_000,
        1 => -3_600_i64..0,
    ]
    .prop_map(TimeDelta::seconds)
}

/// Any date chrono can hold, the first and the last among them.
pub(super) fn any_time() -> impl Strategy<Value = Time> {
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let second = first.timestamp()..=last.timestamp();
    let anywhere = (second, 0_u32..1_000_000_000).prop_map(|(seconds, nanoseconds)| {
        DateTime::from_timestamp(seconds, nanoseconds).unwrap_or(DateTime::<Utc>::MAX_UTC)
    });
    let near = |end: Time, sign: i64| {
        (0_i64..200_000)
            .prop_map(move |seconds| end.checked_add_signed(TimeDelta::seconds(sign * seconds)).unwrap())
    };
    prop_oneof![
        2 => anywhere,
        1 => near(first, 1),
        1 => near(last, -1),
        3 => near(at("09:00"), 1),
        1 => Just(first),
        1 => Just(last),
    ]
}

const ZONES: [Tz; 5] =
    [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::Asia__Kolkata];

const CRONTABS: [&str; 8] = [
    "* * * * *",
    "*/10 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "15 1,2,3 * * *",
    "@daily",
    "0 9 L * *",
    "0 0 29 2 1",
];

pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
    let units = [Unit::Minute, Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];
    let interval = (1_u32..=20, select(units.to_vec()), select(ZONES.to_vec()));
    let interval = interval.prop_map(|(count, unit, zone)| {
        Schedule::every(NonZeroU32::new(count).unwrap(), unit, zone).unwrap()
    });
    let crontab = (select(CRONTABS.to_vec()), select(ZONES.to_vec()));
    let crontab = crontab.prop_map(|(text, zone)| Schedule::crontab(text, zone).unwrap());
    prop_oneof![2 => crontab, 1 => interval]
}

pub(super) fn configs() -> impl Strategy<Value = MonitorConfig> {
    let numbers = (1_u32..=70, 1_u32..=90, 1_u32..=4, 1_u32..=4);
    (schedules(), numbers).prop_map(|(schedule, (margin, runtime, failures, successes))| {
        MonitorConfig::builder(schedule)
            .margin(Margin::new(margin).unwrap())
            .max_runtime(MaxRuntime::new(runtime).unwrap())
            .failure_threshold(Threshold::new(failures).unwrap())
            .recovery_threshold(Threshold::new(successes).unwrap())
            .build()
    })
}

/// What happens, but for when.
#[derive(Clone, Debug)]
enum Action {
    /// A check-in that was received so long ago.
    Checkin(ProjectId, Body, TimeDelta),
    Tick,
    Edit(MonitorKey, Edit),
}

impl Action {
    fn at(self, now: Time) -> Step {
        match self {
            Self::Checkin(project, body, age) => {
                let received_at = now.checked_sub_signed(age).unwrap_or(now);
                Step::Checkin(Message { organization: ORGANIZATION, project, received_at, body })
            }
            Self::Tick => Step::Tick(Tick::at(now)),
            Self::Edit(key, edit) => Step::Edit(key, edit, now),
        }
    }
}

const PROJECTS: [ProjectId; 2] = [ProjectId::new(7), ProjectId::new(8)];
const SLUGS: [&str; 2] = ["job", "other-job"];
const ENVIRONMENTS: [&str; 2] = ["production", "dev"];

fn key(project: ProjectId, slug: &str) -> MonitorKey {
    MonitorKey { project, slug: slug.parse().unwrap() }
}

/// Almost always one monitor, so that something comes together.
fn one_of_few<T: Clone + std::fmt::Debug + 'static>(few: [T; 2]) -> impl Strategy<Value = T> {
    let [most, some] = few;
    prop_oneof![5 => Just(most), 1 => Just(some)]
}

fn actions() -> impl Strategy<Value = Action> {
    let ages = prop_oneof![6 => Just(0_i64), 1 => 0_i64..7_200].prop_map(TimeDelta::seconds);
    let checkin = (one_of_few(PROJECTS), bodies(), ages);
    let edit = (one_of_few(SLUGS), edits());
    prop_oneof![
        8 => checkin.prop_map(|(project, body, age)| Action::Checkin(project, body, age)),
        5 => Just(Action::Tick),
        1 => edit.prop_map(|(slug, edit)| Action::Edit(key(PROJECTS[0], slug), edit)),
    ]
}

fn bodies() -> impl Strategy<Value = Body> {
    let raw = |checkin: Checkin| Body::Json(serde_json::to_vec(&checkin).unwrap());
    prop_oneof![
        4 => checkins().prop_map(Body::from),
        4 => checkins().prop_map(raw),
        1 => checkins().prop_flat_map(spoilt),
    ]
}

/// A check-in with something wrong in it.
fn spoilt(checkin: Checkin) -> impl Strategy<Value = Body> {
    let faults = [
        ("status", r#""done""#),
        ("check_in_id", r#""nobody""#),
        ("environment", r#""a/b""#),
        ("monitor_slug", "null"),
        ("duration", "-1"),
        ("monitor_config", r#"{"schedule":{"type":"crontab","value":"0 0 31 2 *"}}"#),
    ];
    select(faults.to_vec()).prop_map(move |(field, wrong)| {
        let mut sent = serde_json::to_value(&checkin).unwrap();
        sent[field] = serde_json::from_str(wrong).unwrap();
        Body::Json(serde_json::to_vec(&sent).unwrap())
    })
}

pub(super) fn statuses() -> impl Strategy<Value = ReportedStatus> {
    select(vec![ReportedStatus::InProgress, ReportedStatus::Ok, ReportedStatus::Error])
}

/// Ids are few, so that they repeat, also across environments; zero names none.
fn checkins() -> impl Strategy<Value = Checkin> {
    let ids = prop_oneof![3 => Just(0_u128), 5 => 1_u128..=5];
    let durations = prop_oneof![4 => Just(None), 1 => (0_u32..=7_200_000).prop_map(Some)];
    let updates = prop_oneof![7 => Just(None), 1 => updates().prop_map(Some)];
    let parts = (one_of_few(SLUGS), one_of_few(ENVIRONMENTS), ids, statuses(), durations, updates);
    parts.prop_map(|(slug, environment, id, status, duration, update)| {
        let mut checkin = Checkin::new(slug.parse().unwrap(), Uuid::from_u128(id), status)
            .with_environment(environment.parse().unwrap());
        if let Some(duration) = duration {
            checkin = checkin.with_duration(Millis::new(duration).unwrap());
        }
        if let Some(update) = update {
            checkin = checkin.with_config(update);
        }
        checkin
    })
}

fn updates() -> impl Strategy<Value = ConfigUpdate> {
    (configs(), any::<bool>()).prop_map(|(config, whole)| {
        let update = ConfigUpdate::new(config.schedule().clone());
        if !whole {
            return update;
        }
        update
            .with_margin(config.margin())
            .with_max_runtime(config.max_runtime())
            .with_failure_threshold(config.failure_threshold())
            .with_recovery_threshold(config.recovery_threshold())
            .with_owner(Owner::Team(3))
    })
}

fn edits() -> impl Strategy<Value = Edit> {
    let name = || one_of_few(ENVIRONMENTS).prop_map(|name| name.parse::<EnvironmentName>().unwrap());
    // Watched more often than not, or nothing happens any more.
    let watched = || prop_oneof![2 => Just(true), 1 => Just(false)];
    let status = |watched| if watched { MonitorStatus::Active } else { MonitorStatus::Disabled };
    prop_oneof![
        configs().prop_map(Edit::Config),
        any::<bool>().prop_map(Edit::Muted),
        (name(), any::<bool>()).prop_map(|(name, muted)| Edit::EnvironmentMuted(name, muted)),
        watched().prop_map(move |watched| Edit::Status(status(watched))),
        (name(), watched()).prop_map(|(name, watched)| Edit::EnvironmentEnabled(name, watched)),
        Just(Edit::Name("A new name".into())),
        Just(Edit::Owner(Some(Owner::User(1)))),
    ]
}

/// The environments that a history may bring about.
pub(super) fn places() -> impl Iterator<Item = EnvironmentKey> {
    PROJECTS.into_iter().flat_map(|project| {
        SLUGS.into_iter().flat_map(move |slug| {
            ENVIRONMENTS
                .into_iter()
                .map(move |name| EnvironmentKey { monitor: key(project, slug), name: name.parse().unwrap() })
        })
    })
}
