//! Plays traces through an engine, by its public door only.
#![expect(clippy::indexing_slicing, reason = "what was committed has been entered before")]

mod difference;
mod ledger;
mod player;
mod recorder;
mod trace;

pub(crate) use difference::difference;
pub(crate) use player::Player;
pub(crate) use trace::{Op, OpKind, Trace, TraceLimits};

pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error>>;
