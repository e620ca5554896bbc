//! The integration tests: one binary, with a module for each subject.

mod administration;
mod admission;
mod batch;
mod clock;
mod day;
mod edges;
mod edits;
mod engine;
mod error_log;
mod events;
mod fixture;
mod forms;
mod fuzz;
mod ids;
mod interleavings;
mod legacy;
mod memory;
mod model;
mod outcomes;
mod properties;
mod queries;
mod quirks;
mod rate_limiter;
mod readme;
mod sampling;
mod schedule;
mod simulation;
mod store;
mod traces;
mod vectors;
mod wire;

/// Traces are played as in the example.
#[path = "../../examples/replay/playback/mod.rs"]
mod playback;
