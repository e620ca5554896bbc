//! The store under test with its error type erased, so that every test is compiled once.

use std::error::Error;

use chrono::{DateTime, Utc};

use crate::decision::{MonitorSnapshot, Snapshot, Transition};
use crate::id::{EnvironmentKey, MonitorKey};
use crate::rules::Query;
use crate::store::{CommitError, Due, DueKind, DueQuery, Store};

/// Any store that threads can share.
pub(super) type ErasedStore<'a> = dyn Store<Error = ErasedError> + Sync + 'a;

/// Any error of a store.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct ErasedError(pub(super) Box<dyn Error + Send + Sync>);

/// A store whose errors are boxed.
pub(super) struct Boxed<'a, S>(pub(super) &'a S);

fn boxed(error: impl Error + Send + Sync + 'static) -> ErasedError {
    ErasedError(Box::new(error))
}

#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Boxed<'_, S> {
    type Error = ErasedError;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, ErasedError> {
        self.0.load(key, query).map_err(boxed)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, ErasedError> {
        self.0.load_monitor(key).map_err(boxed)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, ErasedError> {
        self.0.due(query).map_err(boxed)
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, ErasedError> {
        self.0.next_due(kind).map_err(boxed)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<ErasedError>> {
        self.0.commit(transition).map_err(|error| match error {
            CommitError::Conflict => CommitError::Conflict,
            CommitError::Store(error) => CommitError::Store(boxed(error)),
        })
    }
}
