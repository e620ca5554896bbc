//! Test support for hosts: a conformance suite for stores, fault injection, invariants and a reference model.
//!
//! | to | see |
//! |---|---|
//! | test that a store of your own keeps its promises, in one line | [`store_tests!`], [`store`] |
//! | inject conflicts, failures, lost answers and crashes into a host | [`FaultyStore`] |
//! | see what was written and what an outbox would hold | [`Journal`] |
//!
//! Needs the feature `testkit`; strategies for random histories need the feature `proptest`. Put both into
//! the `dev-dependencies` of a host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a check that fails panics"
)]

mod faulty;
pub mod history;
pub mod invariants;
mod journal;
pub mod model;
pub mod store;
#[cfg(feature = "proptest")]
pub mod strategies;

#[doc(inline)]
pub use crate::__store_tests as store_tests;
pub use faulty::{Fault, FaultyError, FaultyStore, Nth};
pub use journal::Journal;
