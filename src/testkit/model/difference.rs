//! Compares a host with the model.

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::Event;
use crate::decision::RunLookup;
use crate::id::{EnvironmentKey, Version};
use crate::policy::Policy;
use crate::row::{Environment, Expectation, Monitor, RunParts};
use crate::rules::Query;
use crate::store::Store;
use crate::testkit::history::{Answer, Step};

use super::Model;
use super::jobs::{Job, Place};

/// The host and the model disagree.
///
/// ```
/// use overdue::testkit::model::ModelError;
///
/// fn show<E>(error: &ModelError<E>) -> Option<String> {
///     match error {
///         ModelError::Differs(difference) => Some(difference.to_string()),
///         ModelError::Store(_) => None,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} differs\n the host: {host}\nthe model: {model}")]
#[expect(clippy::exhaustive_structs, reason = "what, and the two sides of it")]
pub struct Difference {
    /// What differs: an answer, an event, a row.
    pub what: String,
    /// What the host has.
    pub host: String,
    /// What the model has.
    pub model: String,
}

/// Why a step was not confirmed.
///
/// ```
/// use overdue::testkit::model::ModelError;
///
/// let unread = ModelError::Store(std::io::Error::other("the disk is gone"));
/// assert_eq!(unread.to_string(), "the store failed");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "different, or not known")]
pub enum ModelError<E> {
    /// The host and the model disagree.
    #[error(transparent)]
    Differs(#[from] Difference),
    /// The store could not be read.
    #[error("the store failed")]
    Store(#[source] E),
}

impl Model {
    /// Takes the step that a host has taken, and compares the two: the answer, the events, and every row.
    ///
    /// Versions are not compared, nor the times that deadlines were computed from.
    ///
    /// # Errors
    /// * [`ModelError::Differs`] with the first difference. Do not use this model further.
    /// * [`ModelError::Store`] when the store cannot be read.
    pub fn after<S: Store>(
        &mut self,
        step: &Step,
        answer: &Answer,
        store: &S,
        events: &[Event],
    ) -> Result<(), ModelError<S::Error>> {
        let (expected, told) = self.take(step);
        same("the answer", answer, &expected)?;
        for (nth, (host, model)) in events.iter().zip(&told).enumerate() {
            same(&format!("event {nth}"), &plain_event(host), model)?;
        }
        same("the number of events", &events.len(), &told.len())?;
        self.jobs.iter().try_for_each(|job| rows(job, store))
    }
}

/// Compares the rows of a monitor.
fn rows<S: Store>(job: &Job, store: &S) -> Result<(), ModelError<S::Error>> {
    let found = store.load_monitor(&job.key).map_err(ModelError::Store)?;
    same(&format!("that there is a monitor {}", job.key), &found.is_some(), &true)?;
    let Some(found) = found else { return Ok(()) };
    same(&format!("monitor {}", job.key), &plain_monitor(&found.monitor), &job.row())?;
    let mut places: Vec<&Place> = job.places.iter().collect();
    places.sort_by(|a, b| a.key.name.cmp(&b.key.name));
    let mut environments = found.environments;
    environments.sort_by(|a, b| a.key.name.cmp(&b.key.name));
    same(&format!("the environments of {}", job.key), &environments.len(), &places.len())?;
    let policy = Policy::default();
    for (environment, place) in environments.into_iter().zip(places) {
        same(&format!("environment {}", place.key), &plain_environment(environment), &place.row(job))?;
        for run in &place.runs {
            let query = Query::run_of(run.id, &policy);
            let stored = store.load(&place.key, &query).map_err(ModelError::Store)?.run;
            same(&format!("run {} of {}", run.id, place.key), &here(stored), &Ok(run.clone()))?;
        }
    }
    Ok(())
}

fn here(found: Option<RunLookup>) -> Result<RunParts, Option<EnvironmentKey>> {
    match found {
        Some(RunLookup::Own(run)) => Ok((*run).into()),
        Some(RunLookup::Foreign(other)) => Err(Some(other)),
        None => Err(None),
    }
}

fn same<T: Debug + PartialEq>(what: &str, host: &T, model: &T) -> Result<(), Difference> {
    if host == model {
        return Ok(());
    }
    let (host, model) = (format!("{host:?}"), format!("{model:?}"));
    Err(Difference { what: what.to_owned(), host, model })
}

// The rows and events of a host without what is not compared.

fn plain_monitor(monitor: &Monitor) -> Monitor {
    Monitor { version: Version::NEW, ..monitor.clone() }
}

fn plain_environment(environment: Environment) -> Environment {
    let since = DateTime::<Utc>::MIN_UTC;
    let expectation = match environment.expectation {
        Expectation::None => Expectation::None,
        Expectation::Next { since: _, deadline } => Expectation::Next { since, deadline },
        Expectation::Ended { since: _ } => Expectation::Ended { since },
    };
    Environment { version: Version::NEW, expectation, ..environment }
}

fn plain_event(event: &Event) -> Event {
    let mut event = event.clone();
    match &mut event {
        Event::IncidentOpened(told) | Event::IncidentOccurrence(told) => {
            told.monitor = Arc::new(plain_monitor(&told.monitor));
        }
        Event::IncidentResolved(told) => told.monitor = Arc::new(plain_monitor(&told.monitor)),
        Event::Reference(told) => told.monitor = Arc::new(plain_monitor(&told.monitor)),
        Event::SamplingRequested { .. } | Event::Rejected(_) => {}
    }
    event
}
