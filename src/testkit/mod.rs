//! Proofs for hosts: what a store, and what stands on it, can be held to.
//!
//! Needs the feature `testkit`; strategies for random histories need the feature `proptest`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a proof that fails panics"
)]

mod faulty;
mod journal;
pub mod store;

pub use faulty::{Fault, FaultyError, FaultyStore, Nth};
pub use journal::Journal;
pub use store::store_tests;
