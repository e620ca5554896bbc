//! What a store did instead of keeping its promise.

use std::fmt::{Debug, Display};
use std::panic::Location;

use super::erased::ErasedError;

/// Whether a promise was kept.
pub(super) type Proof = Result<(), Failure>;

/// What was seen, and the line of the test that saw it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) seen: String,
    pub(super) at: &'static Location<'static>,
}

impl Failure {
    #[track_caller]
    pub(super) fn new(seen: impl Into<String>) -> Self {
        Self { seen: seen.into(), at: Location::caller() }
    }
}

impl From<ErasedError> for Failure {
    #[track_caller]
    fn from(ErasedError(error): ErasedError) -> Self {
        let mut seen = format!("the store failed: {error}");
        let mut source = error.source();
        while let Some(error) = source {
            seen.push_str(&format!(": {error}"));
            source = error.source();
        }
        Self::new(seen)
    }
}

/// Compares what was seen with what was promised.
#[track_caller]
pub(super) fn same<T: Debug + PartialEq<U>, U: Debug>(seen: T, promised: U, what: impl Display) -> Proof {
    if seen == promised {
        return Ok(());
    }
    Err(Failure::new(format!("{what}\n  expected: {promised:?}\n      seen: {seen:?}")))
}

/// Returns a failure unless the condition holds.
#[track_caller]
pub(super) fn holds(condition: bool, otherwise: impl Display) -> Proof {
    if condition { Ok(()) } else { Err(Failure::new(otherwise.to_string())) }
}
