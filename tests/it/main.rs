//! The integration tests: one binary, a module a subject.

mod administration;
mod admission;
mod batch;
mod clock;
mod edits;
mod engine;
mod error_log;
mod events;
mod forms;
mod fuzz;
mod ids;
mod legacy;
mod memory;
mod outcomes;
mod properties;
mod quirks;
mod rate_limiter;
mod sampling;
mod schedule;
mod server;
mod store;
mod traces;
mod vectors;
mod wire;
mod world;

/// Traces are played as the example plays them.
#[path = "../../examples/replay/playback/mod.rs"]
mod playback;
