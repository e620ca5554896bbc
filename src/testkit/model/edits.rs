//! What people do to monitors.

use crate::id::{EnvironmentName, MonitorKey};
use crate::row::RunStatus;
use crate::rules::{Edit, EditError};

use super::Model;
use super::jobs::{Job, Place, Time, timeout};

impl Model {
    pub(super) fn edit(&mut self, monitor: &MonitorKey, edit: &Edit, at: Time) -> Result<(), EditError> {
        let job = self.jobs.iter_mut().find(|job| job.key == *monitor).ok_or(EditError::NoMonitor)?;
        let before = job.clone();
        match edit {
            Edit::Config(config) => job.config = config.clone(),
            Edit::Name(name) if name.is_empty() => job.name = job.key.slug.to_string(),
            Edit::Name(name) => job.name.clone_from(name),
            Edit::Owner(owner) => job.owner = *owner,
            Edit::Muted(muted) => job.muted = *muted,
            Edit::Status(status) => job.status = *status,
            Edit::EnvironmentMuted(name, muted) => place(job, name)?.muted = *muted,
            Edit::EnvironmentEnabled(name, enabled) => place(job, name)?.disabled = !enabled,
        }
        let active = job.is_active();
        for (nth, place) in job.places.iter_mut().enumerate() {
            let watched = active && !place.disabled;
            let was_watched = before.is_active() && !before.places[nth].disabled;
            let woken = watched && !was_watched;
            if watched && place.since.is_some() {
                if woken || job.config.schedule() != before.config.schedule() {
                    // Runs that were due before the edit are not missed.
                    place.expect(&job.config, at);
                } else if let Some((next, _)) = place.deadline.filter(|_| job.config != before.config)
                    && let Some(latest) = next.checked_add_signed(job.config.margin().duration())
                {
                    place.deadline = Some((next, latest));
                }
            }
            if job.config.max_runtime() != before.config.max_runtime() {
                for run in place.runs.iter_mut().filter(|run| run.status == RunStatus::InProgress) {
                    run.timeout_at = Some(timeout(run.updated_at, &job.config));
                }
            }
        }
        Ok(())
    }
}

fn place<'a>(job: &'a mut Job, name: &EnvironmentName) -> Result<&'a mut Place, EditError> {
    let missing = || EditError::NoEnvironment(name.clone());
    job.places.iter_mut().find(|place| place.key.name == *name).ok_or_else(missing)
}
