//! Schedules: the vectors, a minute-by-minute model, clock changes, and the ends of time.

mod model;
mod vectors;
