//! The embedded store: everything in memory, serialisable as a whole.

/// Unwraps what must exist once all checks of a commit have passed. If it does not, a debug build panics, and
/// a release build leaves the row out.
macro_rules! must_find {
    ($found:expr, $what:literal) => {{
        let found = $found;
        debug_assert!(found.is_some(), $what);
        let Some(found) = found else { return };
        found
    }};
}

mod chunk_ages;
mod due;
mod environment;
mod history;
mod index;
mod run;
mod saved;
mod slab;
mod tables;
mod write;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decision::{MonitorSnapshot, Snapshot, Transition};
use crate::id::{EnvironmentKey, MonitorKey};
use crate::row::{Environment, Incident, Monitor, Run};
use crate::rules::Query;
use crate::store::{CommitError, Due, DueKind, DueQuery, Store};

use environment::StoredEnvironment;
use saved::SavedStore;
use tables::Tables;

/// Keeps every row in memory.
///
/// It is the production store of a service that runs in one process, and the store of tests. Serialise it as
/// a whole to save it, and deserialise it to resume; the list of what is due is rebuilt from the rows. Data
/// that no store has saved, such as a duplicate row, is an error of the deserializer that names it.
///
/// ```
/// use overdue::MemoryStore;
///
/// let store = MemoryStore::new();
/// let saved = serde_json::to_vec(&store)?;
/// let resumed: MemoryStore = serde_json::from_slice(&saved)?;
/// assert!(resumed.monitors().is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Runs are kept until [`prune`](Self::prune) removes them.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Tables>);

impl MemoryStore {
    /// Makes a store without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every monitor, in order of key.
    ///
    /// ```
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// let store = engine.store();
    /// assert_eq!(store.monitors()[0].key(), &monitor);
    /// assert_eq!(store.environments(&monitor)[0].name().as_str(), "production");
    /// assert_eq!(store.runs(&environment).len(), 1);
    /// assert!(store.incidents(&environment).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn monitors(&self) -> Vec<Arc<Monitor>> {
        let mut monitors: Vec<_> = self.tables().monitors().cloned().collect();
        monitors.sort_by(|a, b| a.key.cmp(&b.key));
        monitors
    }

    /// A monitor's environments, in order of creation.
    pub fn environments(&self, monitor: &MonitorKey) -> Vec<Environment> {
        self.tables().environments(monitor).into_iter().map(StoredEnvironment::row).collect()
    }

    /// An environment's runs, in order of start.
    pub fn runs(&self, environment: &EnvironmentKey) -> Vec<Run> {
        let tables = self.tables();
        tables.environment(environment).map(|(_, stored)| tables.runs_in_order(stored)).unwrap_or_default()
    }

    /// An environment's incidents, the open one last.
    pub fn incidents(&self, environment: &EnvironmentKey) -> Vec<Arc<Incident>> {
        let tables = self.tables();
        tables.environment(environment).map(|(_, stored)| stored.incidents().to_vec()).unwrap_or_default()
    }

    /// Removes the finished runs that started before a date and the incidents resolved before it. Returns the
    /// number of runs removed. The newest runs of an environment stay while its thresholds need them.
    ///
    /// A message that is redelivered after its run was removed starts a new run: keep runs for longer than
    /// messages may be redelivered.
    ///
    /// Check-ins wait meanwhile, up to a second for a million removed runs. So prune every hour or every
    /// minute rather than once a month.
    ///
    /// ```
    /// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// engine.process_checkin(&message)?;
    /// assert_eq!(engine.store().prune("2025-01-01T00:00:00Z".parse()?), 0, "the newest run is still looked at");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prune(&self, before: DateTime<Utc>) -> usize {
        self.tables().prune(before)
    }

    /// A panic elsewhere cannot leave the tables half-changed: they change only once all checks are done.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Store for MemoryStore {
    type Error = Infallible;

    fn load(&self, key: &EnvironmentKey, query: &Query<'_>) -> Result<Snapshot, Infallible> {
        self.tables().load(key, query)
    }

    fn load_monitor(&self, key: &MonitorKey) -> Result<Option<MonitorSnapshot>, Infallible> {
        Ok(self.tables().load_monitor(key))
    }

    fn due(&self, query: &DueQuery) -> Result<Vec<Due>, Infallible> {
        self.tables().due(query)
    }

    fn next_due(&self, kind: DueKind) -> Result<Option<DateTime<Utc>>, Infallible> {
        Ok(self.tables().deadlines(kind).first())
    }

    fn commit(&self, transition: &Transition) -> Result<(), CommitError<Infallible>> {
        self.tables().commit(transition)
    }
}

impl Serialize for MemoryStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SavedStore::from(&*self.tables()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MemoryStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tables = SavedStore::deserialize(deserializer)?.try_into().map_err(D::Error::custom)?;
        Ok(Self(Mutex::new(tables)))
    }
}
