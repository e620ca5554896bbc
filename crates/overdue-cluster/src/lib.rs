//! The parts of the cluster that its programs and tests share. This is not an interface for others.
#![expect(clippy::arithmetic_side_effects, reason = "it counts what fits into memory")]
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "it is for the programs and tests of this package"
)]

#[doc(hidden)]
pub mod database;
#[doc(hidden)]
pub mod partition;
#[doc(hidden)]
pub mod processor;
#[doc(hidden)]
pub mod servers;
#[doc(hidden)]
pub mod stream;
mod task;
mod wave;
