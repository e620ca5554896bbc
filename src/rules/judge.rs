//! `mark_ok` and `mark_failed`: what a run says about its environment.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::event::{Event, LegacyFailure, Occurrence, Recovery};
use crate::id::{EventId, IncidentId};
use crate::outcome::{Judgement, Notice};
use crate::policy::{IncidentMode, Quirk};
use crate::row::{Failure, Health};
use crate::row::{Incident, Resolution};
use crate::row::{Run, RunStatus, RunSummary};
use crate::schedule::Slot;

use super::draft::Draft;

impl Draft<'_> {
    /// A run that went well, or says nothing about health.
    pub(super) fn mark_ok(&mut self, run: &Run, at: DateTime<Utc>) -> Judgement {
        let newer_seen = self.environment.last_checkin.is_some_and(|last| last > at);
        if !newer_seen {
            self.see(run);
            self.reschedule(&at.into());
        }
        if run.status != RunStatus::Ok {
            return Judgement::SaysNothing;
        }
        let incident = match &self.environment.health {
            Health::Ok => return Judgement::Healthy,
            Health::Error(incident) => Some(Arc::clone(incident)),
            Health::Active | Health::Failed(_) | Health::Stranded => None,
        };
        if let Some(incident) = &incident {
            let unordered = self.keeps(Quirk::IncidentEndsBeforeItBegan);
            if at < incident.last_failure && !unordered {
                return Judgement::OlderThanFailure {
                    incident: incident.id,
                    last_failure: incident.last_failure,
                };
            }
        }
        let threshold = self.recovery_threshold();
        let window = self.window(run, threshold);
        let successes = window.iter().take_while(|run| run.status == RunStatus::Ok).count();
        // Where there is no incident to end, all that there is will do.
        let enough = if incident.is_some() { threshold as usize } else { window.len() };
        if successes < enough {
            let successes = u32::try_from(successes).unwrap_or(u32::MAX);
            let incident = incident.map(|incident| incident.id);
            return Judgement::Recovering { incident, successes, threshold };
        }
        let stays_failing = newer_seen && self.keeps(Quirk::LateOkLeavesErrorStatus);
        let before = std::mem::replace(&mut self.environment.health, Health::Ok);
        match incident {
            Some(incident) => {
                if stays_failing {
                    self.environment.health = Health::Stranded;
                }
                self.resolve(incident, run, at)
            }
            None => {
                let was_active = before == Health::Active;
                if stays_failing {
                    self.environment.health = before;
                }
                if was_active { Judgement::FirstOk } else { Judgement::Recovered }
            }
        }
    }

    /// A run that failed. The deadlines follow from `from`.
    pub(super) fn mark_failed(&mut self, run: &Run, from: &Slot) -> Judgement {
        let newer = self.environment.last_checkin.filter(|last| *last > run.started_at);
        if let Some(last_checkin) = newer {
            // The clock has looked for itself: a slot that was missed is missed, and whether a newer run has
            // finished is known.
            let judged = match run.status {
                RunStatus::Missed => true,
                RunStatus::Timeout => !self.keeps(Quirk::OnlyNewestTimeoutJudged),
                _ => false,
            };
            if !judged {
                return Judgement::NewerSeen { last_checkin };
            }
        }
        // The times of a newer run stand, but a missed slot is over in any case.
        if newer.is_none() || run.status == RunStatus::Missed {
            if run.status != RunStatus::Missed {
                self.see(run);
            }
            self.reschedule(from);
        }
        match &self.environment.health {
            Health::Error(incident) => {
                let incident = Arc::clone(incident);
                self.go_on(incident, run)
            }
            Health::Stranded => Judgement::Stranded,
            Health::Active | Health::Ok | Health::Failed(_) => match self.policy.incidents {
                IncidentMode::Thresholds => self.open(run, from),
                IncidentMode::Legacy => self.fail(run),
            },
        }
    }

    /// The newest run moves `last_checkin`.
    fn see(&mut self, run: &Run) {
        let seen = Some(run.started_at);
        self.environment.last_checkin = match self.keeps(Quirk::LastCheckinMovesBack) {
            true => seen,
            false => self.environment.last_checkin.max(seen),
        };
    }

    /// So many successes in a row end an incident.
    fn recovery_threshold(&self) -> u32 {
        match (self.policy.incidents, &self.environment.health) {
            (IncidentMode::Legacy, Health::Active | Health::Failed(_)) => 1,
            _ => self.monitor.config.recovery_threshold().get(),
        }
    }

    /// The newest `count` runs with this one among them, newest first.
    fn window(&self, run: &Run, count: u32) -> Vec<RunSummary> {
        let run = run.summary();
        if count <= 1 {
            return vec![run];
        }
        let all = self.keeps(Quirk::OpenRunsCountAsFailures);
        let mut runs: Vec<_> = self.history.iter().copied().filter(|past| past.id != run.id).collect();
        runs.push(run);
        runs.retain(|past| all || past.status.is_judged());
        runs.sort_by_key(|past| std::cmp::Reverse(past.order()));
        runs.truncate(count as usize);
        runs
    }

    /// Opens an incident, if enough runs in a row have failed.
    fn open(&mut self, run: &Run, from: &Slot) -> Judgement {
        let threshold = self.monitor.config.failure_threshold().get();
        let mut window = self.window(run, threshold);
        let failures = window.iter().take_while(|run| run.status != RunStatus::Ok).count();
        let enough = match self.keeps(Quirk::ShortHistoryOpensIncident) {
            true => failures == window.len(),
            false => failures >= threshold as usize,
        };
        if !enough {
            let failures = u32::try_from(failures).unwrap_or(u32::MAX);
            return Judgement::BelowThreshold { failures, threshold };
        }
        window.reverse();
        let Some(&first) = window.first() else {
            return Judgement::BelowThreshold { failures: 0, threshold };
        };
        let environment = self.environment.id;
        let number = self.environment.incidents;
        self.environment.incidents = number.saturating_add(1);
        let notice = self.notice();
        let incident = Arc::new(Incident {
            id: IncidentId::of(environment, first.id, number),
            environment,
            number,
            first,
            last_failure: window.iter().map(|run| run.started_at).max().unwrap_or(run.started_at),
            announced: notice == Notice::Sent,
            resolution: None,
        });
        let opened = Judgement::Opened { incident: incident.id, notice };
        let sampling = &self.policy.sampling;
        let (organization, at) = (self.monitor.organization, *from.start());
        if let Some(request) = sampling.request_for_incident(organization, &self.environment.key, at) {
            let id = EventId::of(incident.id.as_uuid(), "sampling", run.id);
            self.effects.events.push(Event::SamplingRequested { id, request });
        }
        if notice == Notice::Sent {
            let failing: Arc<[RunSummary]> = window.into();
            self.announce(&incident, run, &failing);
            for failed in failing.iter() {
                self.report(&incident, *failed, &failing, run);
            }
        }
        self.hold(incident);
        opened
    }

    /// One more failure under an open incident.
    fn go_on(&mut self, mut incident: Arc<Incident>, run: &Run) -> Judgement {
        let notice = self.notice();
        let announced = incident.announced;
        {
            let incident = Arc::make_mut(&mut incident);
            incident.last_failure = incident.last_failure.max(run.started_at);
            incident.announced |= notice == Notice::Sent;
        }
        if notice == Notice::Sent {
            let failing: Arc<[RunSummary]> = Arc::new([run.summary()]);
            if !announced {
                self.announce(&incident, run, &failing);
            }
            self.report(&incident, run.summary(), &failing, run);
        }
        let id = incident.id;
        self.hold(incident);
        Judgement::Continued { incident: id, notice }
    }

    /// Ends an incident.
    fn resolve(&mut self, mut incident: Arc<Incident>, run: &Run, at: DateTime<Utc>) -> Judgement {
        let at = match self.keeps(Quirk::IncidentEndsBeforeItBegan) {
            true => run.started_at,
            false => at,
        };
        let resolution = Resolution { checkin: run.id, at };
        Arc::make_mut(&mut incident).resolution = Some(resolution);
        let notice = match incident.announced || self.keeps(Quirk::MutedResolutionsSent) {
            true => Notice::Sent,
            false => Notice::NeverAnnounced,
        };
        if notice == Notice::Sent {
            self.effects.events.push(Event::IncidentResolved(Recovery {
                id: EventId::of(incident.id.as_uuid(), "resolved", run.id),
                monitor: Arc::clone(self.monitor),
                environment: self.environment.key.name.clone(),
                incident: Arc::clone(&incident),
                resolution,
            }));
        }
        let id = incident.id;
        self.effects.incident = Some(incident);
        Judgement::Resolved { incident: id, notice }
    }

    /// A failure in the mode without incidents.
    fn fail(&mut self, run: &Run) -> Judgement {
        let failure = match run.status {
            RunStatus::Missed => Failure::Missed,
            RunStatus::Timeout => Failure::Timeout,
            _ => Failure::Error,
        };
        self.environment.health = Health::Failed(failure);
        let notice = self.notice();
        if notice == Notice::Sent {
            self.effects.events.push(Event::Failure(LegacyFailure {
                id: EventId::of(self.environment.id.as_uuid(), "failure", run.id),
                monitor: Arc::clone(self.monitor),
                environment: self.environment.key.name.clone(),
                reason: failure.into(),
                run: run.summary(),
                trace_id: run.trace_id,
            }));
        }
        Judgement::Failed { notice }
    }

    /// Whether anybody is told about this environment's failures now (I9).
    fn notice(&self) -> Notice {
        match (self.monitor.muted, self.environment.muted) {
            (true, _) => Notice::MonitorMuted,
            (false, true) => Notice::EnvironmentMuted,
            (false, false) => Notice::Sent,
        }
    }

    fn announce(&mut self, incident: &Arc<Incident>, run: &Run, failing: &Arc<[RunSummary]>) {
        let occurrence = self.occurrence("opened", incident, run.summary(), failing, run);
        self.effects.events.push(Event::IncidentOpened(occurrence));
    }

    fn report(
        &mut self,
        incident: &Arc<Incident>,
        failed: RunSummary,
        failing: &Arc<[RunSummary]>,
        run: &Run,
    ) {
        let occurrence = self.occurrence("occurrence", incident, failed, failing, run);
        self.effects.events.push(Event::IncidentOccurrence(occurrence));
    }

    fn occurrence(
        &self,
        kind: &str,
        incident: &Arc<Incident>,
        failed: RunSummary,
        failing: &Arc<[RunSummary]>,
        run: &Run,
    ) -> Occurrence {
        Occurrence {
            id: EventId::of(incident.id.as_uuid(), kind, failed.id),
            monitor: Arc::clone(self.monitor),
            environment: self.environment.key.name.clone(),
            incident: Arc::clone(incident),
            run: failed,
            failing: Arc::clone(failing),
            last_ok: self.environment.last_ok,
            trace_id: run.trace_id,
        }
    }

    /// The environment is in this incident (I1, I2).
    fn hold(&mut self, incident: Arc<Incident>) {
        self.effects.incident = Some(Arc::clone(&incident));
        self.environment.health = Health::Error(incident);
    }
}
