//! The store under test, whatever it fails with: so that every proof is compiled once.

use std::error::Error;

use chrono::{DateTime, Utc};

use crate::key::{EnvironmentKey, MonitorKey};
use crate::store::{
    CommitError, Due, DueKind, DueQuery, MonitorSnapshot, Query, Snapshot, Store, Transition,
};

/// Any store that threads can share.
pub(super) type Shelf<'a> = dyn Store<Error = Failure> + Sync + 'a;

/// Any error of a store.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Failure(pub(super) Box<dyn Error + Send + Sync>);

/// A store whose errors are boxed.
pub(super) struct Boxed<'a, S>(pub(super) &'a S);

fn boxed(error: impl Error + Send + Sync + 'static) -> Failure {
    Failure(Box::new(error))
}

#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Boxed<'_, S> {
    type Error = Failure;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Failure> {
        self.0.load(key, query).map_err(boxed)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Failure> {
        self.0.load_monitor(key).map_err(boxed)
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Failure> {
        self.0.due(query).map_err(boxed)
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Failure> {
        self.0.next_due(kind).map_err(boxed)
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Failure>> {
        self.0.commit(transition).map_err(|error| match error {
            CommitError::Conflict => CommitError::Conflict,
            CommitError::Store(error) => CommitError::Store(boxed(error)),
        })
    }
}
