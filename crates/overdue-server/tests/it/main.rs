//! The check-in server, started for real and used by real clients.
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
mod fixture;
mod pages;
mod receiver;
mod store;
mod webdriver;
