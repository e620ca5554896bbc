//! Plays traces through an engine, by its public door only.

mod difference;
mod ledger;
mod player;
mod recorder;
mod trace;

pub(crate) use difference::difference;
pub(crate) use player::Player;
pub(crate) use trace::{Op, OpKind, Trace, TraceLimits};

pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error>>;
