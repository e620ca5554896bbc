//! Checks outcomes against the promises of DESIGN.md. It knows the ops and their outcomes, and nothing of
//! what made them.

use std::collections::{HashMap, HashSet};

use chrono::Timelike;
use overdue::row::{EnvironmentStatus, RunStatus};
use serde::Deserialize;
use serde_json::Value;

use super::seen::{Environment, Event, EventKind, Incident, Outcome, Place, Run, Time};
use crate::playback::{Op, OpKind};

/// What an outcome can break.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Promise {
    /// I1: at most one open incident; opened and resolved alternate; events name the incident they are about.
    OneOpenIncident,
    /// I2: the status is error exactly while an incident is open.
    ErrorWhileOpen,
    /// I4: a check-in that was accepted and is redelivered changes nothing, and emits no new event.
    RepeatsChangeNothing,
    /// I5: a run that the job has finished does not change.
    ResultsAreFinal,
    /// I6: next < latest, whole minutes, later than the check-in that they follow from.
    DeadlinesAhead,
    /// I7: a tick leaves nothing due.
    NothingLeftDue,
    /// I8: a tick that is repeated or late changes nothing.
    TicksNeverGoBack,
    /// I9: failures of what is muted send no alerts.
    MutedIsSilent,
    /// I9: what is disabled neither changes nor emits events.
    DisabledIsAtRest,
    /// A rejected check-in changes nothing.
    RefusalsChangeNothing,
    /// An incident is not resolved before it began.
    IncidentsEndLater,
    /// A resolution is sent exactly if the incident was announced.
    AnnouncedIsResolved,
    /// `last_checkin` does not move back.
    LastCheckinStays,
    /// A run that was missed or timed out keeps its status.
    FailuresStay,
    /// An expected run is missed at most once.
    OneMissASlot,
}

impl Promise {
    pub(super) const ALL: [Self; 15] = [
        Self::OneOpenIncident,
        Self::ErrorWhileOpen,
        Self::RepeatsChangeNothing,
        Self::ResultsAreFinal,
        Self::DeadlinesAhead,
        Self::NothingLeftDue,
        Self::TicksNeverGoBack,
        Self::MutedIsSilent,
        Self::DisabledIsAtRest,
        Self::RefusalsChangeNothing,
        Self::IncidentsEndLater,
        Self::AnnouncedIsResolved,
        Self::LastCheckinStays,
        Self::FailuresStay,
        Self::OneMissASlot,
    ];
}

#[derive(Debug)]
pub(super) struct Violation {
    pub(super) promise: Promise,
    #[expect(dead_code, reason = "shown when a test fails")]
    op: usize,
    #[expect(dead_code, reason = "shown when a test fails")]
    what: String,
}

/// What can be known of a monitor from the ops alone.
#[derive(Clone, Copy, Default)]
struct Switches {
    muted: bool,
    disabled: bool,
}

/// The identity of a run. Missed runs and those of messages without a run id show no id, but neither their
/// date nor their expected time ever changes.
#[derive(Clone, Eq, Hash, PartialEq)]
enum RunName {
    Id(String),
    Missed(Place, Time),
    Unnamed(Place, Time, Option<Time>),
}

impl RunName {
    fn of(run: &Run) -> Self {
        match &run.check_in_id {
            Some(id) => Self::Id(id.clone()),
            None if run.status == RunStatus::Missed => Self::Missed(run.place.clone(), run.date_added),
            None => Self::Unnamed(run.place.clone(), run.date_added, run.expected_time),
        }
    }
}

/// Checks a trace, op by op.
#[derive(Default)]
pub(super) struct Checker {
    op: usize,
    now: Time,
    /// The state after the previous op.
    before: Outcome,
    monitors: HashMap<(u64, String), Switches>,
    runs: HashMap<RunName, Run>,
    /// The check-ins that were accepted, with their exact text.
    taken: HashSet<(Time, u64, String)>,
    told: HashSet<Event>,
    /// The latest tick since something else happened.
    ticked: Option<Time>,
    violations: Vec<Violation>,
}

/// All violations of a trace.
pub(super) fn violations(ops: &[Op], outcomes: &[Value]) -> Vec<Violation> {
    assert_eq!(ops.len(), outcomes.len());
    let mut checker = Checker::default();
    for (op, outcome) in ops.iter().zip(outcomes) {
        checker.read(op, Outcome::deserialize(outcome).unwrap());
    }
    checker.violations
}

impl Checker {
    fn read(&mut self, op: &Op, outcome: Outcome) {
        self.now = op.at.unwrap_or(self.now);
        self.switch(op, &outcome);
        self.incidents(&outcome);
        self.events(&outcome);
        self.environments(op, &outcome);
        self.runs(&outcome);
        match op.op {
            OpKind::Checkin => self.checkin(op, &outcome),
            OpKind::Tick => self.tick(&outcome),
            OpKind::Mute | OpKind::Disable | OpKind::CreateMonitor => {}
        }
        if !matches!(op.op, OpKind::Tick | OpKind::Mute) {
            self.ticked = None;
        }
        self.told.extend(outcome.events.iter().cloned());
        self.before = outcome;
        self.op += 1;
    }

    fn report(&mut self, kept: bool, promise: Promise, what: impl FnOnce() -> String) {
        if !kept {
            self.violations.push(Violation { promise, op: self.op, what: what() });
        }
    }

    /// Follows what is muted and disabled. An op about a monitor that does not exist does nothing.
    fn switch(&mut self, op: &Op, outcome: &Outcome) {
        let monitor = (op.project_id, op.slug.clone());
        match op.op {
            OpKind::CreateMonitor if outcome.errors.is_empty() => {
                self.monitors.entry(monitor).or_default();
            }
            OpKind::Mute if op.environment.is_none() => {
                self.monitors.entry(monitor).and_modify(|switches| switches.muted = op.muted);
            }
            OpKind::Disable => {
                self.monitors.entry(monitor).and_modify(|switches| switches.disabled = op.disabled);
            }
            _ => {}
        }
        for environment in &outcome.environments {
            self.monitors.entry(environment.place.monitor()).or_default();
        }
    }

    fn switches(&self, place: &Place) -> Switches {
        self.monitors.get(&place.monitor()).copied().unwrap_or_default()
    }

    fn incidents(&mut self, outcome: &Outcome) {
        for incident in &outcome.incidents {
            let ends_later =
                incident.resolving_timestamp.is_none_or(|end| end >= incident.starting_timestamp);
            self.report(ends_later, Promise::IncidentsEndLater, || format!("{incident:?}"));
        }
        for environment in &outcome.environments {
            let place = &environment.place;
            let incidents = outcome.incidents_of(place);
            let before: Vec<Incident> = self.before.incidents_of(place).into_iter().cloned().collect();

            let open = incidents.iter().filter(|incident| incident.is_open()).count();
            let newest_is_open = incidents.last().is_some_and(|incident| incident.is_open());
            let one = open == usize::from(newest_is_open);
            self.report(one, Promise::OneOpenIncident, || format!("{open} open: {incidents:?}"));

            // Only the newest may be open; an op resolves it, or opens the next once it is resolved.
            let alternate = match (before.split_last(), incidents.len().checked_sub(before.len())) {
                (_, None) => false,
                (None, Some(new)) => new <= 1 && (new == 0 || newest_is_open),
                (Some((newest, older)), Some(new)) => {
                    let unchanged = older.iter().zip(&incidents).all(|(before, now)| before == *now);
                    let now = incidents[older.len()];
                    let resolved =
                        Incident { resolving_timestamp: now.resolving_timestamp, ..newest.clone() };
                    unchanged
                        && match new {
                            0 => newest == now || (newest.is_open() && resolved == *now),
                            1 => newest == now && !newest.is_open() && newest_is_open,
                            _ => false,
                        }
                }
            };
            let what = || format!("{before:?} became {incidents:?}");
            self.report(alternate, Promise::OneOpenIncident, what);

            let error = environment.status == EnvironmentStatus::Error;
            self.report(error == (open > 0), Promise::ErrorWhileOpen, || {
                format!("{environment:?} with {open} open incidents")
            });
            self.resolutions(outcome, place, &before);
        }
    }

    /// A resolution is sent exactly if the incident was announced.
    fn resolutions(&mut self, outcome: &Outcome, place: &Place, before: &[Incident]) {
        for (index, incident) in outcome.incidents_of(place).into_iter().enumerate() {
            if incident.is_open() || before.get(index).is_none_or(|before| !before.is_open()) {
                continue;
            }
            let about = |event: &&Event, kind| {
                event.kind == kind && event.place == *place && event.incident_index == index
            };
            let sent =
                outcome.events.iter().filter(|event| about(event, EventKind::IncidentResolved)).count();
            let announced = self.told.iter().any(|event| about(&event, EventKind::IncidentOccurrence));
            self.report(sent == usize::from(announced), Promise::AnnouncedIsResolved, || {
                format!("announced: {announced}, resolutions: {sent}, of {incident:?}")
            });
        }
    }

    fn events(&mut self, outcome: &Outcome) {
        for event in &outcome.events {
            let now = outcome.incidents_of(&event.place);
            let before = self.before.incidents_of(&event.place);
            let open = |list: &[&Incident]| list.get(event.incident_index).map(|incident| incident.is_open());
            let fits = match event.kind {
                EventKind::IncidentOccurrence => open(&now) == Some(true),
                EventKind::IncidentResolved => open(&before) == Some(true) && open(&now) == Some(false),
            };
            self.report(fits, Promise::OneOpenIncident, || format!("{event:?} of {now:?}"));

            let Switches { muted, disabled } = self.switches(&event.place);
            let muted =
                muted || outcome.environment(&event.place).is_some_and(|environment| environment.muted);
            let silent = !muted || event.kind == EventKind::IncidentResolved;
            self.report(silent, Promise::MutedIsSilent, || format!("{event:?}"));
            self.report(!disabled, Promise::DisabledIsAtRest, || format!("{event:?}"));
        }
    }

    fn environments(&mut self, op: &Op, outcome: &Outcome) {
        for environment in &outcome.environments {
            let before = self.before.environment(&environment.place).cloned();
            let Environment { last_checkin, next_checkin, next_checkin_latest, .. } = *environment;
            let ordered = match (next_checkin, next_checkin_latest) {
                (Some(next), Some(latest)) => next < latest && is_whole(next) && is_whole(latest),
                (next, latest) => next.is_none() && latest.is_none(),
            };
            self.report(ordered, Promise::DeadlinesAhead, || format!("{environment:?}"));

            let times =
                before.as_ref().map(|row| (row.last_checkin, row.next_checkin, row.next_checkin_latest));
            let moved = times.unwrap_or_default() != (last_checkin, next_checkin, next_checkin_latest);
            let applied = op.op == OpKind::Checkin && moved;
            let ahead = !applied || next_checkin.is_none_or(|next| next > self.now);
            let now = self.now;
            self.report(ahead, Promise::DeadlinesAhead, || format!("at {now}: {environment:?}"));

            let back = before.as_ref().is_some_and(|row| row.last_checkin > last_checkin);
            self.report(!back, Promise::LastCheckinStays, || format!("{before:?}, now {environment:?}"));
        }
    }

    fn runs(&mut self, outcome: &Outcome) {
        for run in &outcome.checkins {
            let Some(before) = self.runs.insert(RunName::of(run), run.clone()) else { continue };
            let what = || format!("{before:?}, now {run:?}");
            match before.status {
                // A run that is listed as changed but looks the same must be another run.
                RunStatus::Ok | RunStatus::Error => {
                    self.report(before == *run, Promise::ResultsAreFinal, what);
                }
                RunStatus::Timeout => {
                    self.report(run.status == RunStatus::Timeout, Promise::FailuresStay, what);
                }
                RunStatus::Missed => self.report(false, Promise::OneMissASlot, what),
                RunStatus::InProgress | RunStatus::Unknown => {}
            }
        }
    }

    fn checkin(&mut self, op: &Op, outcome: &Outcome) {
        let payload = op.payload.as_ref().unwrap().get();
        let message = (self.now, op.project_id, payload.to_owned());
        let unchanged = self.is_unchanged(outcome);
        if !outcome.errors.is_empty() {
            let kept = unchanged && outcome.events.is_empty();
            self.report(kept, Promise::RefusalsChangeNothing, || format!("{outcome:?} of {payload}"));
        }
        if self.taken.contains(&message) {
            let kept = unchanged && outcome.events.iter().all(|event| self.told.contains(event));
            self.report(kept, Promise::RepeatsChangeNothing, || format!("{outcome:?} of {payload}"));
        } else if outcome.errors.is_empty() {
            self.taken.insert(message);
        }
    }

    fn tick(&mut self, outcome: &Outcome) {
        let tick = self.now;
        for environment in &outcome.environments {
            let late = environment.next_checkin_latest.is_some_and(|latest| latest <= tick);
            let left = late && !self.switches(&environment.place).disabled;
            self.report(!left, Promise::NothingLeftDue, || format!("{tick}: {environment:?}"));
        }
        let hanging = |run: &&Run| {
            run.status == RunStatus::InProgress && run.timeout_at.is_some_and(|timeout| timeout <= tick)
        };
        for run in self.runs.values().filter(hanging).cloned().collect::<Vec<_>>() {
            self.report(false, Promise::NothingLeftDue, || format!("{tick}: {run:?}"));
        }

        if self.ticked.is_some_and(|ticked| tick <= ticked) {
            let kept = self.is_unchanged(outcome) && outcome.events.is_empty();
            self.report(kept, Promise::TicksNeverGoBack, || format!("{tick}: {outcome:?}"));
        }
        self.ticked = self.ticked.max(Some(tick));
        self.disabled(outcome);
    }

    /// A tick changes nothing in what is disabled, except that runs become unknown.
    fn disabled(&mut self, outcome: &Outcome) {
        let disabled = |place: &Place| self.switches(place).disabled;
        let rows = |outcome: &Outcome| {
            let rows = outcome.environments.iter().filter(|row| disabled(&row.place));
            rows.cloned().collect::<Vec<_>>()
        };
        let incidents = |outcome: &Outcome| {
            let incidents = outcome.incidents.iter().filter(|incident| disabled(&incident.place));
            incidents.cloned().collect::<Vec<_>>()
        };
        let runs = outcome.checkins.iter().filter(|run| disabled(&run.place));
        let judged: Vec<_> = runs.filter(|run| run.status != RunStatus::Unknown).cloned().collect();
        let rest = rows(&self.before) == rows(outcome) && incidents(&self.before) == incidents(outcome);
        self.report(rest && judged.is_empty(), Promise::DisabledIsAtRest, || format!("{outcome:?}"));
    }

    /// Whether an op has changed nothing that a reader can see.
    fn is_unchanged(&self, outcome: &Outcome) -> bool {
        outcome.checkins.is_empty()
            && outcome.environments == self.before.environments
            && outcome.incidents == self.before.incidents
    }
}

fn is_whole(time: Time) -> bool {
    time.second() == 0 && time.nanosecond() == 0
}
