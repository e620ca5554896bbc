//! The guarantees of the README name the tests that check them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use overdue::testkit::store::Promise;

/// The files with the tests of each module.
const SOURCES: [(&str, &str); 8] = [
    ("administration", include_str!("administration.rs")),
    ("edges", include_str!("edges.rs")),
    ("fuzz", include_str!("fuzz.rs")),
    ("interleavings", include_str!("interleavings.rs")),
    ("properties::any", include_str!("properties/any.rs")),
    ("properties::faults", include_str!("properties/faults.rs")),
    ("properties::standard", include_str!("properties/standard.rs")),
    ("simulation", include_str!("simulation.rs")),
];

fn exists(test: &str) -> bool {
    let (module, name) = test.rsplit_once("::").unwrap();
    match module {
        "store::memory" => Promise::ALL.iter().any(|promise| promise.name() == name),
        "traces::repeats" => include_str!("traces/repeats.rs").contains(&format!("fn {name}(")),
        _ => {
            let source = SOURCES.iter().find(|(known, _)| *known == module);
            source.is_some_and(|(_, text)| text.contains(&format!("fn {name}(")))
        }
    }
}

#[test]
fn every_guarantee_names_a_test() {
    let readme = include_str!("../../README.md");
    let (_, guarantees) = readme.split_once("## Guarantees").unwrap();
    let (guarantees, _) = guarantees.split_once("Beyond these").unwrap();
    let mut numbers = 0;
    for guarantee in guarantees.split("* **").skip(1) {
        numbers += guarantee.split_once("**").unwrap().0.matches('I').count();
        let tests: Vec<_> =
            guarantee.split('`').filter(|word| word.contains("::") && !word.contains(' ')).collect();
        assert!(!tests.is_empty(), "no test holds {guarantee}");
        for test in tests {
            assert!(exists(test), "there is no test {test}");
        }
    }
    assert_eq!(numbers, 12);
}
