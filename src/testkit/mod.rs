//! Proofs for hosts: what a store, and what stands on it, can be held to.
//!
//! | to | see |
//! |---|---|
//! | hold a store of your own to its promises, in one line | [`store_tests!`], [`store`] |
//! | lead a host through its bad nights: conflicts, failures, lost answers, death | [`FaultyStore`] |
//! | see what was written and what an outbox would hold | [`Journal`] |
//!
//! Needs the feature `testkit`; strategies for random histories need the feature `proptest`. Both belong into
//! the `dev-dependencies` of a host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a proof that fails panics"
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
