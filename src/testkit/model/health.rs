//! What a run says of its environment.

use std::sync::Arc;

use crate::Event;
use crate::event::{Occurrence, Recovery};
use crate::id::EventId;
use crate::outcome::{Judgement, Notice};
use crate::row::{Resolution, RunStatus, RunSummary};

use super::Model;
use super::jobs::{Outage, Time};

impl Model {
    /// A run that went well, or that says nothing. `newest` is when the newest run had started before.
    pub(super) fn mark_ok(
        &mut self,
        job: usize,
        place: usize,
        run: usize,
        at: Time,
        newest: Option<Time>,
        events: &mut Vec<Event>,
    ) -> Judgement {
        let config = self.jobs[job].config.clone();
        let here = &mut self.jobs[job].places[place];
        if newest.is_none_or(|newest| newest <= at) {
            here.expect(&config, at);
        }
        if here.runs[run].status != RunStatus::Ok {
            return Judgement::SaysNothing;
        }
        let open = here.outages.iter().position(|outage| outage.end.is_none());
        if open.is_none() && here.was_well {
            return Judgement::Healthy;
        }
        let incident = open.map(|number| here.incident(number));
        if let Some(incident) = &incident
            && at < incident.last_failure
        {
            return Judgement::OlderThanFailure {
                incident: incident.id,
                last_failure: incident.last_failure,
            };
        }
        let threshold = config.recovery_threshold().get();
        let window = match threshold {
            1 => vec![here.runs[run].summary()],
            _ => here.newest(threshold, Time::MAX_UTC),
        };
        let successes = in_a_row(&window, |run| run.status == RunStatus::Ok);
        // Of a place that was never well, all there is will do.
        let enough = if incident.is_some() { threshold } else { u32::try_from(window.len()).unwrap() };
        if successes < enough {
            let incident = incident.map(|incident| incident.id);
            return Judgement::Recovering { incident, successes, threshold };
        }
        here.was_well = true;
        let Some(number) = open else { return Judgement::FirstOk };
        let resolution = Resolution { checkin: here.runs[run].id, at };
        here.outages[number].end = Some(resolution);
        let incident = here.incident(number);
        let id = incident.id;
        if !incident.announced {
            return Judgement::Resolved { incident: id, notice: Notice::NeverAnnounced };
        }
        events.push(Event::IncidentResolved(Recovery {
            id: EventId::of(id.as_uuid(), "resolved", resolution.checkin),
            monitor: Arc::new(self.jobs[job].row()),
            environment: self.jobs[job].places[place].key.name.clone(),
            incident,
            resolution,
        }));
        Judgement::Resolved { incident: id, notice: Notice::Sent }
    }

    /// A run that failed. The next is awaited from `from`; `newest` is when the newest run had started before.
    pub(super) fn mark_failed(
        &mut self,
        job: usize,
        place: usize,
        run: usize,
        from: Time,
        newest: Option<Time>,
        events: &mut Vec<Event>,
    ) -> Judgement {
        let config = self.jobs[job].config.clone();
        let notice = self.notice(job, place);
        let here = &mut self.jobs[job].places[place];
        let failed = here.runs[run].summary();
        let newer = newest.filter(|newest| *newest > failed.started_at);
        match (newer, failed.status) {
            (Some(last_checkin), RunStatus::Error) => return Judgement::NewerSeen { last_checkin },
            // Of overlapping runs each timeout counts, but the newer run's deadlines stand.
            (Some(_), RunStatus::Timeout) => {}
            _ => here.expect(&config, from),
        }
        if let Some(outage) = here.outage() {
            outage.failures.push(failed.started_at);
            let announces = notice == Notice::Sent && !outage.announced;
            outage.announced |= announces;
            let number = here.outages.len() - 1;
            let incident = here.incident(number).id;
            if announces {
                self.announce(job, place, number, &[failed], run, events);
            }
            if notice == Notice::Sent {
                self.occur(job, place, number, &[failed], run, events);
            }
            return Judgement::Continued { incident, notice };
        }
        let threshold = config.failure_threshold().get();
        let mut window = match threshold {
            1 => vec![failed],
            _ => here.newest(threshold, failed.started_at),
        };
        let failures = in_a_row(&window, |run| run.status != RunStatus::Ok);
        if failures < threshold {
            return Judgement::BelowThreshold { failures, threshold };
        }
        window.reverse();
        here.outages.push(Outage {
            first: window[0],
            failures: window.iter().map(|run| run.started_at).collect(),
            announced: notice == Notice::Sent,
            end: None,
        });
        let number = here.outages.len() - 1;
        let incident = here.incident(number).id;
        if notice == Notice::Sent {
            self.announce(job, place, number, &window, run, events);
            self.occur(job, place, number, &window, run, events);
        }
        Judgement::Opened { incident, notice }
    }

    fn notice(&self, job: usize, place: usize) -> Notice {
        match (self.jobs[job].muted, self.jobs[job].places[place].muted) {
            (true, _) => Notice::MonitorMuted,
            (false, true) => Notice::EnvironmentMuted,
            (false, false) => Notice::Sent,
        }
    }

    /// Pages somebody, because of the run that failed last.
    fn announce(
        &self,
        job: usize,
        place: usize,
        number: usize,
        failing: &[RunSummary],
        cause: usize,
        events: &mut Vec<Event>,
    ) {
        let run = self.jobs[job].places[place].runs[cause].summary();
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

/// How many at the beginning are such.
fn in_a_row(runs: &[RunSummary], such: impl Fn(&&RunSummary) -> bool) -> u32 {
    u32::try_from(runs.iter().take_while(such).count()).unwrap()
}
