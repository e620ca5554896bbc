use std::sync::Arc;

use super::{RuleSet, SamplingChange};
use crate::id::OrganizationId;

/// Where sampling rules are kept. A store keeps rows and looks them up; it computes nothing.
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

    /// The rules of an organization and their version, read at one point in time. An organization that is
    /// not known has no rules, and [`RuleSetVersion::INITIAL`](super::RuleSetVersion::INITIAL).
    ///
    /// # Errors
    /// What the store says.
    fn load(&self, organization: OrganizationId) -> Result<RuleSet, Self::Error>;

    /// Writes everything or nothing: if the organization's version is still the expected one, puts and
    /// deletes rules as the change says, and makes the version the one after it.
    ///
    /// # Errors
    /// [`SamplingCommitError::Conflict`] when the version has moved: load and decide again.
    /// [`SamplingCommitError::Store`] when the store itself failed.
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
    /// Somebody else changed the rules since they were loaded.
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
