//! What a run means for the health of its environment.

use std::sync::Arc;

use crate::Event;
use crate::event::{Occurrence, Recovery};
use crate::id::EventId;
use crate::outcome::{Alerting, HealthEffect};
use crate::row::{Resolution, RunStatus, RunSummary};

use super::Model;
use super::jobs::{Outage, Time, summary};

impl Model {
    /// Applies a run that succeeded, or that does not affect health. `newest` is the start of the newest run
    /// before it.
    pub(super) fn mark_ok(
        &mut self,
        job: usize,
        place: usize,
        run: usize,
        at: Time,
        newest: Option<Time>,
        events: &mut Vec<Event>,
    ) -> HealthEffect {
        let config = self.jobs[job].config.clone();
        let here = &mut self.jobs[job].places[place];
        if newest.is_none_or(|newest| newest <= at) {
            here.expect(&config, at);
        }
        if here.runs[run].status != RunStatus::Ok {
            return HealthEffect::NoEffect;
        }
        let open = here.outages.iter().position(|outage| outage.end.is_none());
        if open.is_none() && here.was_well {
            return HealthEffect::Healthy;
        }
        let incident = open.map(|number| here.incident(number));
        if let Some(incident) = &incident
            && at < incident.last_failure
        {
            return HealthEffect::OlderThanFailure {
                incident: incident.id,
                last_failure: incident.last_failure,
            };
        }
        let threshold = config.recovery_threshold().get();
        let window = match threshold {
            1 => vec![summary(&here.runs[run])],
            _ => here.newest(threshold, Time::MAX_UTC),
        };
        let successes = in_a_row(&window, |run| run.status == RunStatus::Ok);
        // Without an incident to end, the runs there are suffice.
        let enough = if incident.is_some() { threshold } else { u32::try_from(window.len()).unwrap() };
        if successes < enough {
            let incident = incident.map(|incident| incident.id);
            return HealthEffect::Recovering { incident, successes, threshold };
        }
        here.was_well = true;
        let Some(number) = open else { return HealthEffect::FirstOk };
        let resolution = Resolution { run: here.runs[run].id, at };
        here.outages[number].end = Some(resolution);
        let incident = here.incident(number);
        let id = incident.id;
        if !incident.announced {
            return HealthEffect::Resolved { incident: id, alerting: Alerting::NeverAnnounced };
        }
        events.push(Event::IncidentResolved(Recovery {
            id: EventId::of(id.as_uuid(), "resolved", resolution.run),
            monitor: Arc::new(self.jobs[job].row()),
            environment: self.jobs[job].places[place].key.name.clone(),
            incident,
            resolution,
        }));
        HealthEffect::Resolved { incident: id, alerting: Alerting::Sent }
    }

    /// Applies a run that failed. Reschedules from `from`; `newest` is the start of the newest run before it.
    pub(super) fn mark_failed(
        &mut self,
        job: usize,
        place: usize,
        run: usize,
        from: Time,
        newest: Option<Time>,
        events: &mut Vec<Event>,
    ) -> HealthEffect {
        let config = self.jobs[job].config.clone();
        let alerting = self.alerting(job, place);
        let here = &mut self.jobs[job].places[place];
        let failed = summary(&here.runs[run]);
        let newer = newest.filter(|newest| *newest > failed.started_at);
        match (newer, failed.status) {
            (Some(last_checkin), RunStatus::Error) => return HealthEffect::NewerSeen { last_checkin },
            // Each timeout of overlapping runs counts, but the deadline of the newer run stays.
            (Some(_), RunStatus::Timeout) => {}
            (Some(_), RunStatus::InProgress | RunStatus::Ok | RunStatus::Missed | RunStatus::Unknown)
            | (None, _) => here.expect(&config, from),
        }
        if let Some(outage) = here.outage() {
            outage.failures.push(failed.started_at);
            let announces = alerting == Alerting::Sent && !outage.announced;
            outage.announced |= announces;
            let number = here.outages.len() - 1;
            let incident = here.incident(number).id;
            if announces {
                self.announce(job, place, number, &[failed], run, events);
            }
            if alerting == Alerting::Sent {
                self.occur(job, place, number, &[failed], run, events);
            }
            return HealthEffect::Continued { incident, alerting };
        }
        let threshold = config.failure_threshold().get();
        let mut window = match threshold {
            1 => vec![failed],
            _ => here.newest(threshold, failed.started_at),
        };
        let failures = in_a_row(&window, |run| run.status != RunStatus::Ok);
        if failures < threshold {
            return HealthEffect::BelowThreshold { failures, threshold };
        }
        window.reverse();
        here.outages.push(Outage {
            first: window[0],
            failures: window.iter().map(|run| run.started_at).collect(),
            announced: alerting == Alerting::Sent,
            end: None,
        });
        let number = here.outages.len() - 1;
        let incident = here.incident(number).id;
        if alerting == Alerting::Sent {
            self.announce(job, place, number, &window, run, events);
            self.occur(job, place, number, &window, run, events);
        }
        HealthEffect::Opened { incident, alerting }
    }

    fn alerting(&self, job: usize, place: usize) -> Alerting {
        match (self.jobs[job].muted, self.jobs[job].places[place].muted) {
            (true, _) => Alerting::MonitorMuted,
            (false, true) => Alerting::EnvironmentMuted,
            (false, false) => Alerting::Sent,
        }
    }

    /// Announces the incident, because of the run that failed last.
    fn announce(
        &self,
        job: usize,
        place: usize,
        number: usize,
        failing: &[RunSummary],
        cause: usize,
        events: &mut Vec<Event>,
    ) {
        let run = summary(&self.jobs[job].places[place].runs[cause]);
        let told = self.occurrence("opened", job, place, number, run, failing, cause);
        events.push(Event::IncidentOpened(told));
    }

    /// One occurrence for each run that failed.
    fn occur(
        &self,
        job: usize,
        place: usize,
        number: usize,
        failing: &[RunSummary],
        cause: usize,
        events: &mut Vec<Event>,
    ) {
        for run in failing {
            let told = self.occurrence("occurrence", job, place, number, *run, failing, cause);
            events.push(Event::IncidentOccurrence(told));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "an alert says much")]
    fn occurrence(
        &self,
        kind: &str,
        job: usize,
        place: usize,
        number: usize,
        run: RunSummary,
        failing: &[RunSummary],
        cause: usize,
    ) -> Occurrence {
        let here = &self.jobs[job].places[place];
        let incident = here.incident(number);
        Occurrence {
            id: EventId::of(incident.id.as_uuid(), kind, run.id),
            monitor: Arc::new(self.jobs[job].row()),
            environment: here.key.name.clone(),
            incident,
            run,
            failing: failing.into(),
            last_ok: here.last_ok(),
            trace_id: here.runs[cause].trace_id,
        }
    }
}

/// The number of runs at the beginning of the list for which `such` holds.
fn in_a_row(runs: &[RunSummary], such: impl Fn(&&RunSummary) -> bool) -> u32 {
    u32::try_from(runs.iter().take_while(such).count()).unwrap()
}
