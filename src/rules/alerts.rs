//! Opens, continues and resolves incidents, with the events to report it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::changes::Changes;
use crate::event::{Event, Occurrence, Recovery};
use crate::id::{EventId, IncidentId};
use crate::outcome::{Alerting, HealthEffect};
use crate::policy::{SamplingPolicy, SamplingRequest};
use crate::row::{Health, Incident, Resolution, Run, RunSummary};

impl Changes<'_> {
    /// Opens an incident. `failing` are the runs that led to it, oldest first. `run` is the run being judged,
    /// and `at` is the time of the judgement.
    pub(super) fn open_incident(
        &mut self,
        run: &Run,
        first: RunSummary,
        failing: Vec<RunSummary>,
        at: DateTime<Utc>,
    ) -> HealthEffect {
        let environment = self.environment.id;
        let number = self.environment.incidents;
        self.environment.incidents = number.saturating_add(1);
        let alerting = self.alerting();
        let incident = Arc::new(Incident {
            id: IncidentId::of(environment, first.id, number),
            environment,
            number,
            first,
            last_failure: failing.iter().map(|run| run.started_at).max().unwrap_or(run.started_at),
            announced: alerting == Alerting::Sent,
            resolution: None,
        });
        if let Some(request) = self.sampling_request(at) {
            let id = EventId::of(incident.id.as_uuid(), "sampling", run.id);
            self.effects.events.push(Event::SamplingRequested { id, request });
        }
        if alerting == Alerting::Sent {
            let failing: Arc<[RunSummary]> = failing.into();
            self.announce(&incident, run, &failing);
            for failed in failing.iter() {
                self.tell_occurrence(&incident, *failed, &failing, run);
            }
        }
        let id = incident.id;
        self.hold(incident);
        HealthEffect::Opened { incident: id, alerting }
    }

    /// Adds a failed run to an open incident.
    pub(super) fn continue_incident(&mut self, mut incident: Arc<Incident>, run: &Run) -> HealthEffect {
        let alerting = self.alerting();
        let announced = incident.announced;
        {
            let incident = Arc::make_mut(&mut incident);
            incident.last_failure = incident.last_failure.max(run.started_at);
            incident.announced |= alerting == Alerting::Sent;
        }
        if alerting == Alerting::Sent {
            let failing: Arc<[RunSummary]> = Arc::new([run.summary()]);
            if !announced {
                self.announce(&incident, run, &failing);
            }
            self.tell_occurrence(&incident, run.summary(), &failing, run);
        }
        let id = incident.id;
        self.hold(incident);
        HealthEffect::Continued { incident: id, alerting }
    }

    /// Resolves an incident at a time.
    pub(super) fn resolve_incident(
        &mut self,
        mut incident: Arc<Incident>,
        run: &Run,
        at: DateTime<Utc>,
        alerting: Alerting,
    ) -> HealthEffect {
        let resolution = Resolution { run: run.id, at };
        Arc::make_mut(&mut incident).resolution = Some(resolution);
        if alerting == Alerting::Sent {
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
        HealthEffect::Resolved { incident: id, alerting }
    }

    /// Whether a failure of this environment sends an alert now (I9).
    pub(super) fn alerting(&self) -> Alerting {
        match (self.monitor.muted, self.environment.muted) {
            (true, _) => Alerting::MonitorMuted,
            (false, true) => Alerting::EnvironmentMuted,
            (false, false) => Alerting::Sent,
        }
    }

    fn announce(&mut self, incident: &Arc<Incident>, run: &Run, failing: &Arc<[RunSummary]>) {
        let occurrence = self.occurrence("opened", incident, run.summary(), failing, run);
        self.effects.events.push(Event::IncidentOpened(occurrence));
    }

    fn tell_occurrence(
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
            trace_id: run.trace_id(),
        }
    }

    /// Sets the open incident of the environment (I1, I2).
    fn hold(&mut self, incident: Arc<Incident>) {
        self.effects.incident = Some(Arc::clone(&incident));
        self.environment.health = Health::Error(incident);
        self.environment.failing = None;
    }

    /// Returns what the policy requests when an incident opens.
    fn sampling_request(&self, opened_at: DateTime<Utc>) -> Option<SamplingRequest> {
        match self.policy.sampling {
            SamplingPolicy::Off => None,
            SamplingPolicy::OnIncident(_) => self.policy.sampling.request_for_incident(
                self.monitor.organization,
                &self.environment.key,
                opened_at,
            ),
        }
    }
}
