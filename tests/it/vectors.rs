//! The recorded vectors: packed files under `tests/vectors`. `OVERDUE_VECTORS` may name a directory with
//! plain files, which replace them one by one.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

/// The text of a file: `plain` in the directory of the variable, or else `packed` in this repository.
pub(crate) fn read(plain: &str, packed: &str) -> String {
    let plain = std::env::var_os("OVERDUE_VECTORS").map(|directory| PathBuf::from(directory).join(plain));
    if let Some(path) = plain.filter(|path| path.is_file()) {
        return std::fs::read_to_string(path).unwrap();
    }
    let mut text = String::new();
    let file = File::open(Path::new("tests/vectors").join(packed)).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// The values of a file of JSON lines.
pub(crate) fn lines<T: DeserializeOwned>(plain: &str, packed: &str) -> Vec<T> {
    read(plain, packed).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
