//! What a store was seen to do instead of keeping its word.

use std::fmt::{Debug, Display};
use std::panic::Location;

use super::shelf::Failure;

/// Whether one promise was kept.
pub(super) type Proof = Result<(), Breach>;

/// What was seen, and which line of a proof saw it.
#[derive(Debug)]
pub(super) struct Breach {
    pub(super) seen: String,
    pub(super) at: &'static Location<'static>,
}

impl Breach {
    #[track_caller]
    pub(super) fn new(seen: impl Into<String>) -> Self {
        Self { seen: seen.into(), at: Location::caller() }
    }
}

impl From<Failure> for Breach {
    #[track_caller]
    fn from(Failure(error): Failure) -> Self {
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
    Err(Breach::new(format!("{what}\n  expected: {promised:?}\n      seen: {seen:?}")))
}

/// Says what is wrong unless this holds.
#[track_caller]
pub(super) fn holds(condition: bool, otherwise: impl Display) -> Proof {
    if condition { Ok(()) } else { Err(Breach::new(otherwise.to_string())) }
}
