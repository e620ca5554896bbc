//! What a decision reads and what it writes.

mod snapshot;
mod transition;

pub use snapshot::{HistoryQuery, MonitorSnapshot, RunLookup, RunQuery, Snapshot};
pub use transition::{MonitorChange, Put, PutRun, Transition};

/// An outcome, and what to write before returning it.
///
/// ```
/// use overdue::rules::Decision;
///
/// fn log<T: std::fmt::Debug>(decision: &Decision<T>) {
///     let events = decision.transition.as_ref().map_or(0, |transition| transition.events.len());
///     println!("{:?}, and {events} events", decision.outcome);
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what to write and what to answer")]
pub struct Decision<T> {
    /// What to write first, exactly so. `None` if there is nothing to write.
    pub transition: Option<Transition>,
    /// The outcome: what was decided, and why nothing else was.
    pub outcome: T,
}

impl<T> Decision<T> {
    pub(crate) const fn answer(outcome: T) -> Self {
        Self { transition: None, outcome }
    }
}
