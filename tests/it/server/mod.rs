//! The check-in server of the examples, started for real and spoken to by real clients.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests"
)]

mod bad_input;
mod browser;
mod clients;
mod clock;
mod crash;
mod delivery;
mod house;
mod people;
mod receiver;
mod store;
mod webdriver;
