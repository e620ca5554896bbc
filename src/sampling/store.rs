use std::sync::Arc;

use super::{RuleSet, SamplingChange};
use crate::id::OrganizationId;

/// Stores sampling rules. A store keeps rows and looks them up; it computes nothing.
///
/// Object safe, and implemented for references, boxes and `Arc`s of stores.
///
/// ```
/// use overdue::id::OrganizationId;
/// use overdue::sampling::{MemorySamplingStore, RuleSetVersion, SamplingStore};
///
/// let store: Box<dyn SamplingStore<Error = std::convert::Infallible>> = Box::new(MemorySamplingStore::new());
/// assert_eq!(store.load(OrganizationId::new(1))?.version(), RuleSetVersion::INITIAL);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SamplingStore {
    /// What can go wrong in the store itself.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Loads the rules of an organization and their version, as they stood at one moment. An unknown
    /// organization has no rules, and [`RuleSetVersion::INITIAL`](super::RuleSetVersion::INITIAL).
    ///
    /// # Errors
    /// The store's own error.
    fn load(&self, organization: OrganizationId) -> Result<RuleSet, Self::Error>;

    /// Writes everything or nothing. If the organization's version is still the expected one, puts and
    /// deletes rules as the change says, and increments the version.
    ///
    /// # Errors
    /// [`SamplingCommitError::Conflict`] if the version has changed: load and decide again.
    /// [`SamplingCommitError::Store`] if the store itself failed.
    fn commit(&self, change: &SamplingChange) -> Result<(), SamplingCommitError<Self::Error>>;
}

/// Why a change was not written.
///
/// ```
/// use overdue::sampling::SamplingCommitError;
///
/// let error = SamplingCommitError::<std::io::Error>::Conflict;
/// assert_eq!(error.to_string(), "the sampling rules were changed meanwhile");
/// ```
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "stores build it, and callers must tell the two apart")]
pub enum SamplingCommitError<E> {
    /// Another writer changed the rules since they were loaded.
    #[error("the sampling rules were changed meanwhile")]
    Conflict,
    /// The store failed.
    #[error("the sampling store failed")]
    Store(#[source] E),
}

macro_rules! forward {
    ($($pointer:ty)*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<S: SamplingStore + ?Sized> SamplingStore for $pointer {
            type Error = S::Error;

            fn load(&self, organization: OrganizationId) -> Result<RuleSet, Self::Error> {
                (**self).load(organization)
            }

            fn commit(&self, change: &SamplingChange) -> Result<(), SamplingCommitError<Self::Error>> {
                (**self).commit(change)
            }
        }
    )*};
}

forward! { &S Box<S> Arc<S> }
