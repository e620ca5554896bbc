//! What must hold for any bytes (I11). `cargo fuzz` searches for bytes that break it; the tests of the crate hold
//! it to the corpus.

pub mod config;
pub mod crontab;
pub mod history;
pub mod payload;
