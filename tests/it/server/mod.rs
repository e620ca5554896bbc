//! The check-in server of the examples, started for real and spoken to by real clients.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod store;
