//! Inputs that once gave the fuzzers new coverage: what holds for any bytes holds for these (I11).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "they panic to fail, as tests do"
)]

use std::io::Read;

use flate2::read::GzDecoder;

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own as well")]
mod targets;

fn replay(corpus: &[u8], try_bytes: fn(&[u8])) {
    let mut archive = tar::Archive::new(GzDecoder::new(corpus));
    let mut files = 0;
    for file in archive.entries().unwrap() {
        let mut bytes = Vec::new();
        file.unwrap().read_to_end(&mut bytes).unwrap();
        try_bytes(&bytes);
        files += 1;
    }
    assert!(files > 1_000, "only {files} files");
}

#[test]
fn payloads() {
    replay(include_bytes!("../../fuzz/corpus/payload.tar.gz"), targets::payload::try_bytes);
}

#[test]
fn configs() {
    replay(include_bytes!("../../fuzz/corpus/config.tar.gz"), targets::config::try_bytes);
}

#[test]
fn crontabs() {
    replay(include_bytes!("../../fuzz/corpus/crontab.tar.gz"), targets::crontab::try_bytes);
}

#[test]
fn histories() {
    replay(include_bytes!("../../fuzz/corpus/history.tar.gz"), targets::history::try_bytes);
}
