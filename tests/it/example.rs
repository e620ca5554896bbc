//! The examples as the programs that they are.

use std::path::PathBuf;
use std::process::Command;

/// Builds an example as these tests are built, and says where it is: tests of a package build its binaries, and no
/// examples.
pub(crate) fn program(name: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", name, "--manifest-path"]);
    build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    build.args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] });
    // What cargo tells a test about its package: some build scripts watch these, and would build everything anew.
    for (variable, _) in std::env::vars_os() {
        if variable
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            build.env_remove(variable);
        }
    }
    assert!(build.status().is_ok_and(|built| built.success()), "the example {name} cannot be built");
    target().join("examples").join(name)
}

/// Where this test was built: `target/debug`.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    test.ancestors().nth(2).map(Into::into).unwrap_or_default()
}
