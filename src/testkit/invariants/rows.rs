//! The stored rows: I1, I2, I5 to I10, I12.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Timelike, Utc};

use crate::decision::MonitorSnapshot;
use crate::id::{EnvironmentKey, MonitorKey};
use crate::outcome::{Effect, HealthEffect, Outcome, TickEffect, reference};
use crate::rejection::RejectionReason;
use crate::row::reference::Failing;
use crate::row::{Environment, EnvironmentStatus, Health, MonitorStatus, Run, RunStatus};
use crate::rules::Edit;
use crate::testkit::history::{Answer, Step};
use crate::{Event, Tick, TickReport};

use super::memory::Memory;
use super::{Violation, outcomes};

/// I10: a rejected message emits its rejection alone, and an ignored message or an edit emits nothing.
pub(super) fn silent(answer: &Answer, events: &[Event]) -> Result<(), Violation> {
    let loud = match answer {
        Answer::Checkin(Outcome::Rejected(_)) => !matches!(events, [Event::Rejected(_)]),
        Answer::Checkin(Outcome::Ignored(_) | Outcome::Reference(_)) | Answer::Edit(_) => !events.is_empty(),
        Answer::Checkin(Outcome::Accepted(_)) | Answer::Tick(_) => false,
    };
    match events.first().filter(|_| loud) {
        Some(event) => Err(Violation::ToldWithoutCause { event: event.id() }),
        None if loud => Err(Violation::RefusedInSilence),
        None => Ok(()),
    }
}

/// I8: what a tick judged was due by the rows before it.
pub(super) fn was_due(memory: &Memory, report: &TickReport) -> Result<(), Violation> {
    let (tick, mut judged) = (report.tick.time(), HashSet::new());
    for outcome in &report.outcomes {
        let place = &outcome.environment;
        let environment = memory.environment(place);
        let (run, due_at) = match &outcome.effect {
            TickEffect::Missed(overdue) => (overdue.run, environment.and_then(Environment::due_at)),
            TickEffect::TimedOut(overdue) => {
                (overdue.run, memory.open_run(place, overdue.run).and_then(Run::due_at))
            }
            TickEffect::Unknown { run: checkin } => {
                (*checkin, memory.open_run(place, *checkin).and_then(Run::due_at))
            }
            TickEffect::Ignored(_) => continue,
        };
        let was_due = environment.is_none() || due_at.is_some_and(|due_at| due_at <= tick);
        let missed = matches!(outcome.effect, TickEffect::Missed(_));
        let once = judged.insert((place.clone(), (!missed).then_some(run)));
        if !was_due || !once {
            return Err(Violation::JudgedUndue { tick, environment: place.clone(), run });
        }
        let unwatched = !memory.is_watched(place) && !matches!(outcome.effect, TickEffect::Unknown { .. });
        if unwatched {
            let what = format!("the tick of {tick} has judged its run {run}");
            return Err(Violation::DisabledJudged { environment: place.clone(), what });
        }
    }
    Ok(())
}

/// Checks the rows of one monitor that the step concerns.
pub(super) fn monitor(
    memory: &mut Memory,
    step: &Step,
    answer: &Answer,
    key: &MonitorKey,
    found: Option<MonitorSnapshot>,
) -> Result<(), Violation> {
    let touched: BTreeSet<EnvironmentKey> = touched(answer).collect();
    let Some(found) = found else {
        memory.forget(key);
        return match touched.into_iter().find(|place| place.monitor == *key) {
            Some(environment) => half(&environment, "its monitor is gone"),
            None => Ok(()),
        };
    };
    if let Some(before) = memory.rows(key).filter(|_| writes_nothing(answer))
        && (before.monitor != found.monitor || before.environments.len() != found.environments.len())
    {
        return Err(Violation::WroteAllTheSame { monitor: key.clone() });
    }
    for row in &found.environments {
        is_sound(memory, row)?;
        if let Some(before) = memory.environment(&row.key) {
            alternates(before, row)?;
            is_concerned(step, answer, &touched, before, row)?;
        }
        is_done(row, &found, memory.ticked)?;
    }
    for place in touched.iter().filter(|place| place.monitor == *key) {
        match found.environments.iter().find(|row| row.key == *place) {
            Some(row) => stands(memory, answer, row)?,
            None => half(place, "its row is missing")?,
        }
    }
    for run in &found.open_runs {
        if let Some((_, before)) = memory.results.get(&run.id) {
            let after = Some(RunStatus::InProgress);
            return Err(Violation::ResultChanged { run: run.id, before: *before, after });
        }
    }
    let closed = memory.rows(key).map(|before| closed(before, &found)).unwrap_or_default();
    memory.closed.extend(closed);
    memory.seen(key).rows = Some(found);
    Ok(())
}

/// Whether a message must not write. One that gets no seat for its monitor disables it.
fn writes_nothing(answer: &Answer) -> bool {
    let seatless = |error: &RejectionReason| *error == RejectionReason::MonitorDisabledNoQuota;
    match answer {
        Answer::Checkin(Outcome::Rejected(rejected)) => !rejected.errors.iter().any(seatless),
        Answer::Checkin(Outcome::Ignored(_) | Outcome::Reference(_)) => true,
        Answer::Checkin(Outcome::Accepted(_)) | Answer::Tick(_) | Answer::Edit(_) => false,
    }
}

/// The runs that are no longer in progress.
fn closed(before: &MonitorSnapshot, after: &MonitorSnapshot) -> Vec<(EnvironmentKey, crate::id::RunId)> {
    let open: HashSet<_> = after.open_runs.iter().map(|run| run.id).collect();
    let place = |run: &Run| {
        before.environments.iter().find(|row| row.id == run.environment).map(|row| row.key.clone())
    };
    let gone = before.open_runs.iter().filter(|run| !open.contains(&run.id));
    gone.filter_map(|run| Some((place(run)?, run.id))).collect()
}

/// The environments that an answer is about.
fn touched(answer: &Answer) -> impl Iterator<Item = EnvironmentKey> {
    let taken = match answer {
        Answer::Checkin(Outcome::Accepted(accepted)) => Some(accepted.environment.clone()),
        _ => None,
    };
    taken.into_iter().chain(outcomes(answer).iter().map(|outcome| outcome.environment.clone()))
}

/// I2 and I6: status and incident agree, and the deadline is sound.
fn is_sound(memory: &Memory, row: &Environment) -> Result<(), Violation> {
    let incident = row.incident().filter(|open| open.environment == row.id && open.resolution.is_none());
    let agrees = match row.health {
        Health::Error(_) => incident.is_some(),
        Health::Active | Health::Ok => row.failing != Some(Failing::Stranded),
    };
    if !agrees {
        let (environment, status) = (row.key.clone(), row.health.status());
        return Err(Violation::StatusWithoutIncident {
            environment,
            status,
            open: row.incident().map(|open| open.id),
        });
    }
    let told = memory.announced(&row.key);
    if let (Some(announced), EnvironmentStatus::Active | EnvironmentStatus::Ok) = (told, row.health.status())
    {
        let (environment, status) = (row.key.clone(), row.health.status());
        return Err(Violation::StatusWithoutIncident { environment, status, open: Some(announced) });
    }
    let Some(&deadline) = row.deadline() else { return Ok(()) };
    let whole = |time: DateTime<Utc>| time.second() == 0 && time.nanosecond() == 0;
    let ahead = |time: Option<DateTime<Utc>>| time.is_none_or(|time| deadline.expected > time);
    let since = row.expectation.since().copied();
    let sound = deadline.expected < deadline.closes
        && whole(deadline.expected)
        && whole(deadline.closes)
        && ahead(since)
        && ahead(row.last_checkin);
    if sound {
        return Ok(());
    }
    Err(Violation::DeadlineBehind { environment: row.key.clone(), deadline, since })
}

/// I1: a step opens at most one incident, or ends one.
fn alternates(before: &Environment, after: &Environment) -> Result<(), Violation> {
    let open = |row: &Environment| row.incident().map(|incident| incident.id);
    let (then, now) = ((before.incidents, open(before)), (after.incidents, open(after)));
    let alternates = match (then.1, now.1) {
        (None, None) => now.0 == then.0,
        (Some(_), None) => now.0 == then.0,
        (Some(then_open), Some(now_open)) => then_open == now_open && now.0 == then.0,
        (None, Some(_)) => now.0 == then.0.saturating_add(1),
    };
    if alternates {
        return Ok(());
    }
    let environment = after.key.clone();
    Err(Violation::IncidentsDoNotAlternate { environment, before: then, after: now })
}

/// I9, I10, I12: what the step may have changed of the row.
fn is_concerned(
    step: &Step,
    answer: &Answer,
    touched: &BTreeSet<EnvironmentKey>,
    before: &Environment,
    after: &Environment,
) -> Result<(), Violation> {
    let environment = || after.key.clone();
    if let Step::Edit { edit: Edit::Muted(_) | Edit::EnvironmentMuted(..), .. } = step {
        let alike = Environment { muted: before.muted, version: before.version, ..after.clone() };
        return if alike == *before {
            Ok(())
        } else {
            let (before, after) = (format!("{before:?}"), format!("{after:?}"));
            Err(Violation::MuteChangedHealth { environment: environment(), before, after })
        };
    }
    match answer {
        Answer::Edit(Ok(())) => Ok(()),
        _ if after == before || touched.contains(&after.key) => Ok(()),
        Answer::Checkin(Outcome::Accepted(_)) | Answer::Tick(_) => {
            Err(Violation::TouchedAnother { environment: environment() })
        }
        Answer::Checkin(_) | Answer::Edit(Err(_)) => {
            half(&after.key, "its row has changed though nothing was to be written")
        }
    }
}

/// I7: after a tick, no row is due.
fn is_done(row: &Environment, found: &MonitorSnapshot, ticked: Option<Tick>) -> Result<(), Violation> {
    let Some(tick) = ticked else { return Ok(()) };
    let watched = found.monitor.status == MonitorStatus::Active && row.watch.environment();
    let missed = row.deadline().map(|deadline| (deadline.closes, None)).filter(|_| watched);
    let open = found.open_runs.iter().filter(|run| run.environment == row.id);
    let hanging = open.filter_map(|run| Some((run.due_at()?, Some(run.id))));
    match missed.into_iter().chain(hanging).find(|(due_at, _)| *due_at <= tick.time()) {
        None => Ok(()),
        Some((due_at, run)) => {
            Err(Violation::LeftDue { tick: tick.time(), environment: row.key.clone(), due_at, run })
        }
    }
}

/// I9 and I10: the row agrees with the last answer about the environment.
fn stands(memory: &Memory, answer: &Answer, row: &Environment) -> Result<(), Violation> {
    let mut judged = outcomes(answer).iter().rev().filter(|outcome| outcome.environment == row.key);
    let last = judged.find_map(|outcome| match &outcome.effect {
        TickEffect::Missed(overdue) | TickEffect::TimedOut(overdue) => {
            Some((&overdue.health, overdue.deadline))
        }
        _ => None,
    });
    let (health, deadline) = match (answer, last) {
        (Answer::Checkin(Outcome::Accepted(accepted)), _) => {
            if !memory.is_watched(&row.key) {
                let what = format!("run {} was taken", accepted.run);
                return Err(Violation::DisabledJudged { environment: row.key.clone(), what });
            }
            (&accepted.health, accepted.deadline)
        }
        (_, Some(last)) => last,
        (_, None) => return Ok(()),
    };
    if row.deadline() != deadline.as_ref() {
        return half(&row.key, &format!("{deadline:?} was answered, and {:?} is stored", row.deadline()));
    }
    let open = row.incident().map(|incident| incident.id);
    let agrees = match health {
        Effect::Health(
            HealthEffect::Opened { incident, .. }
            | HealthEffect::Continued { incident, .. }
            | HealthEffect::OlderThanFailure { incident, .. },
        ) => open == Some(*incident),
        Effect::Health(HealthEffect::Recovering { incident, .. }) => open == *incident,
        Effect::Health(HealthEffect::Resolved { .. } | HealthEffect::Healthy | HealthEffect::FirstOk)
        | Effect::Reference(reference::Effect::Recovered) => open.is_none(),
        Effect::Health(
            HealthEffect::NoEffect
            | HealthEffect::NewerSeen { .. }
            | HealthEffect::NewerFinished { .. }
            | HealthEffect::BelowThreshold { .. },
        )
        | Effect::Reference(
            reference::Effect::Failed { .. } | reference::Effect::Stranded | reference::Effect::TickStopped,
        ) => true,
    };
    if agrees { Ok(()) } else { half(&row.key, &format!("{health:?} was answered, and {open:?} is open")) }
}

pub(super) fn half(environment: &EnvironmentKey, what: &str) -> Result<(), Violation> {
    Err(Violation::HalfWritten { environment: environment.clone(), what: what.to_owned() })
}

/// I7 and I12: the rows of a monitor have not changed since they were read last, and nothing of it is due.
pub(super) fn unchanged(
    memory: &Memory,
    key: &MonitorKey,
    found: Option<&MonitorSnapshot>,
) -> Result<(), Violation> {
    if let Some(rows) = found {
        rows.environments.iter().try_for_each(|row| is_done(row, rows, memory.ticked))?;
    }
    let before = memory.rows(key).map_or(&[][..], |rows| &rows.environments);
    let after = found.map_or(&[][..], |rows| &rows.environments);
    for row in before {
        if !after.contains(row) {
            return Err(Violation::TouchedAnother { environment: row.key.clone() });
        }
    }
    match after.iter().find(|row| !before.iter().any(|before| before.key == row.key)) {
        Some(row) => Err(Violation::TouchedAnother { environment: row.key.clone() }),
        None => Ok(()),
    }
}
