//! The cluster of the examples, against real servers of PostgreSQL and NATS.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

mod faults;
mod histories;
mod host;
mod house;
mod retention;
mod store;
mod up;
