use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{RuleSet, RuleSetVersion, SamplingChange, SamplingCommitError, SamplingStore};
use crate::id::OrganizationId;

/// Sampling rules in memory: for tests, and for hosts that save them as a whole (they are serialisable)
/// rather than run a database.
///
/// ```
/// use overdue::id::OrganizationId;
/// use overdue::sampling::{MemorySamplingStore, SamplingStore};
///
/// let store = MemorySamplingStore::new();
/// assert!(store.load(OrganizationId::new(1))?.rules().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct MemorySamplingStore {
    organizations: Mutex<BTreeMap<OrganizationId, RuleSet>>,
}

impl MemorySamplingStore {
    /// Makes a store without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// A rule set is replaced as a whole, so a poisoned lock is safe to use.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<OrganizationId, RuleSet>> {
        self.organizations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none(organization: OrganizationId) -> RuleSet {
    RuleSet::new(organization, RuleSetVersion::INITIAL, [])
}

impl SamplingStore for MemorySamplingStore {
    type Error = Infallible;

    fn load(&self, organization: OrganizationId) -> Result<RuleSet, Infallible> {
        Ok(self.lock().get(&organization).cloned().unwrap_or_else(|| none(organization)))
    }

    fn commit(&self, change: &SamplingChange) -> Result<(), SamplingCommitError<Infallible>> {
        let mut organizations = self.lock();
        let rules = organizations.entry(change.organization).or_insert_with(|| none(change.organization));
        if rules.version() != change.expected {
            return Err(SamplingCommitError::Conflict);
        }
        rules.apply(change);
        Ok(())
    }
}
