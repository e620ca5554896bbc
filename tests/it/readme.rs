//! The guarantees in README.md and docs/proofs.md name the tests that check them.
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

/// Counts the guarantees of a page, up to the words that end them. Panics if one names no test, or a test that
/// does not exist.
fn guarantees(page: &str, end: &str) -> usize {
    let (_, guarantees) = page.split_once("## Guarantees").unwrap();
    let (guarantees, _) = guarantees.split_once(end).unwrap();
    let each = guarantees.split("* **").skip(1).map(|guarantee| {
        let mut tests =
            guarantee.split('`').filter(|word| word.contains("::") && !word.contains(' ')).peekable();
        assert!(tests.peek().is_some(), "no test holds {guarantee}");
        tests.for_each(|test| assert!(exists(test), "there is no test {test}"));
        guarantee.split_once("**").unwrap().0.matches('I').count()
    });
    each.sum()
}

#[test]
fn every_guarantee_of_the_readme_names_a_test() {
    assert_eq!(guarantees(include_str!("../../README.md"), "Beyond these"), 12);
}

#[test]
fn every_guarantee_of_the_proofs_names_a_test() {
    assert_eq!(guarantees(include_str!("../../docs/proofs.md"), "Not promised"), 12);
}
