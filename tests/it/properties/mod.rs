//! Properties of the standard profile over random histories, and of every profile over any input.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

mod any;
mod batch;
mod faults;
mod invariants;
mod standard;
mod view;
