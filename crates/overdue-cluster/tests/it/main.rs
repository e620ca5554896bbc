//! The cluster, against real servers of PostgreSQL and NATS.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

mod faults;
mod fixture;
mod histories;
mod retention;
mod store;
mod up;
