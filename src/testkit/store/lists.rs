//! What is due: in order, in pages, and only while it is.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::id::{EnvironmentKey, MonitorKey, ProjectId};
use crate::row::{Expectation, RunParts, RunStatus, Watch};
use crate::store::{Due, DueKind, DueRun};

use super::erased::ErasedError;
use super::failure::{Failure, Proof, holds, same};
use super::harness::Harness;
use super::sample::{at, dev, due, environment, far_times, job, monitor, place, run, run_id};

use RunStatus::{InProgress, Ok as Succeeded};

const KINDS: [DueKind; 2] = [DueKind::Miss, DueKind::Timeout];

/// The keys of a list, as text.
fn keys(list: &[Due]) -> Vec<String> {
    list.iter().map(|due| due.key.to_string()).collect()
}

/// The numbers of the runs of a list.
fn runs(list: &[Due]) -> Vec<Option<u128>> {
    list.iter().map(|due| due.run.map(|run| run.id.as_uuid().as_u128())).collect()
}

/// Puts an environment whose margin closes, and whose run times out, at that time.
fn expect(harness: &mut Harness<'_>, key: &EnvironmentKey, number: u128, latest: &str) -> Proof {
    let timeout_at = Some(at(latest));
    let mut transition = harness.starting(key, [RunParts { timeout_at, ..run(number, "09:00", InProgress) }]);
    transition.environments[0].row.expectation = due(at(latest));
    harness.commit(transition)
}

/// Puts five environments, in an order other than that of their deadlines and keys.
fn five<'a>(mut harness: Harness<'a>) -> Result<Harness<'a>, Failure> {
    let places = [("b", "11:05"), ("d", "10:05"), ("a", "11:05"), ("e", "12:05"), ("c", "11:05")];
    for (number, (slug, latest)) in (1..).zip(places) {
        expect(&mut harness, &place(slug, "production"), number, latest)?;
    }
    Ok(harness)
}

/// The keys that [`five`] puts, in the order of the list.
const FIVE: [&str; 5] =
    ["7/d/production", "7/a/production", "7/b/production", "7/c/production", "7/e/production"];

pub(super) fn misses_are_in_order(mut harness: Harness<'_>) -> Proof {
    let places = [
        // By deadline first.
        (7, "zzz", "production", "10:05"),
        // Projects as numbers, slugs and names by their bytes.
        (9, "b", "production", "11:05"),
        (10, "b", "production", "11:05"),
        (100, "a-b", "production", "11:05"),
        (100, "a0b", "production", "11:05"),
        (100, "a_b", "production", "11:05"),
        (100, "ab", "Zone", "11:05"),
        (100, "ab", "dev", "11:05"),
        (100, "ab", "dev ", "11:05"),
        (100, "ab", "dev-1", "11:05"),
        (100, "ab", "dev1", "11:05"),
        (100, "ab", "\u{e9}tage", "11:05"),
        (100, "ab", "\u{1f980}", "11:05"),
        (100, "b", "dev", "11:05"),
        (1, "a", "production", "11:06"),
    ]
    .map(|(project, slug, name, latest)| {
        let monitor = MonitorKey { project: ProjectId::new(project), slug: monitor(slug).slug };
        (environment(&monitor, name), at(latest))
    });
    // Neither in order nor in reverse.
    for offset in [2, 0, 1] {
        for (key, latest) in places.iter().skip(offset).step_by(3) {
            harness.touch(key, |row| row.expectation = due(*latest))?;
        }
    }
    let expected = places.map(|(key, at)| Due { at, key, run: None });
    let seen = harness.due(DueKind::Miss)?;
    same(keys(&seen), keys(&expected), "misses by deadline, project, slug and name")?;
    same(seen, expected, "the same in every detail")
}

pub(super) fn timeouts_are_in_order(mut harness: Harness<'_>) -> Proof {
    let until =
        |number, latest| RunParts { timeout_at: Some(at(latest)), ..run(number, "10:00", InProgress) };
    let started = [
        (place("b", "production"), 9, "10:20"),
        (place("b", "production"), 4, "10:20"),
        (place("a", "production"), 8, "10:21"),
        (place("a", "production"), 7, "10:20"),
        (place("c", "production"), 1, "10:19"),
        (place("a", "dev"), 6, "10:20"),
    ];
    for (key, number, latest) in &started {
        harness.start(key, until(*number, latest))?;
    }
    let seen = harness.due(DueKind::Timeout)?;
    let by_key_and_creation = [1, 6, 7, 9, 4, 8].map(Some);
    same(runs(&seen), by_key_and_creation, "runs by deadline, by environment, and then by creation")?;
    let [(key, ..), ..] = &started;
    let last = DueRun { number: 1, id: run_id(4) };
    let expected = Due { at: at("10:20"), key: key.clone(), run: Some(last) };
    same(seen.get(4), Some(&expected), "the second run of its environment")
}

pub(super) fn deadlines_of_all_times_are_in_order(mut harness: Harness<'_>) -> Proof {
    let times = far_times();
    for (number, time) in times.iter().enumerate().rev() {
        let key = place(&format!("job-{number}"), "production");
        let hanging = RunParts { timeout_at: Some(*time), ..run(1 + number as u128, "10:00", InProgress) };
        let mut transition = harness.starting(&key, [hanging]);
        transition.environments[0].row.expectation = due(*time);
        harness.commit(transition)?;
    }
    for kind in KINDS {
        let seen: Vec<_> = harness.due(kind)?.iter().map(|due| due.at).collect();
        same(
            seen,
            times.clone(),
            format!("{kind:?}: times before the epoch, after the year 9999, and between"),
        )?;
    }
    Ok(())
}

pub(super) fn a_list_ends_where_it_is_told_to(harness: Harness<'_>) -> Proof {
    let harness = five(harness)?;
    for kind in KINDS {
        let ends = [("10:04:59", 0), ("10:05", 1), ("11:04", 1), ("11:05", 4), ("12:04", 4), ("12:05", 5)];
        for (until, count) in ends {
            let seen = harness.page(kind, Some(at(until)), None, 100)?;
            same(keys(&seen), &FIVE[..count], format!("{kind:?}: what is due at {until}"))?;
        }
        same(keys(&harness.page(kind, None, None, 100)?), FIVE, format!("{kind:?}: a list without an end"))?;
    }
    Ok(())
}

pub(super) fn a_list_is_limited(harness: Harness<'_>) -> Proof {
    let harness = five(harness)?;
    for kind in KINDS {
        for limit in [1, 2, 3, 4, 5, 6, usize::MAX] {
            let seen = harness.page(kind, None, None, limit)?;
            same(keys(&seen), &FIVE[..limit.min(5)], format!("{kind:?}: the first {limit} entries"))?;
        }
    }
    Ok(())
}

pub(super) fn a_page_starts_after_the_page_before(harness: Harness<'_>) -> Proof {
    let mut harness = five(harness)?;
    // Two that differ only in the order of their creation.
    let hanging = RunParts { timeout_at: Some(at("11:05")), ..run(9, "09:00", InProgress) };
    harness.start(&place("a", "production"), hanging)?;
    for kind in KINDS {
        let list = harness.due(kind)?;
        for (index, entry) in list.iter().enumerate() {
            let seen = harness.page(kind, None, Some(entry), 100)?;
            let expected = list.get(index + 1..).unwrap_or_default();
            same(seen, expected, format!("{kind:?}: what follows {} at {}", entry.key, entry.at))?;
        }
        let beyond = harness.page(kind, Some(at("10:00")), list.last(), 100)?;
        same(beyond, [], format!("{kind:?}: a page that ends before it starts"))?;
    }
    Ok(())
}

pub(super) fn a_page_starts_after_an_entry_that_is_gone(harness: Harness<'_>) -> Proof {
    let mut harness = five(harness)?;
    let [misses, timeouts] = [harness.due(DueKind::Miss)?, harness.due(DueKind::Timeout)?];
    // The second and the third are no longer due.
    for (number, slug) in [(3, "a"), (1, "b")] {
        harness.touch(&place(slug, "production"), |row| row.expectation = Expectation::None)?;
        harness.change(number, |run| run.set_status(Succeeded))?;
    }
    for (kind, list) in [(DueKind::Miss, misses), (DueKind::Timeout, timeouts)] {
        let rest = ["7/c/production", "7/e/production"];
        for gone in [1, 2] {
            let seen = harness.page(kind, None, list.get(gone), 100)?;
            same(keys(&seen), rest, format!("{kind:?}: what follows where {} was", FIVE[gone]))?;
        }
    }
    Ok(())
}

pub(super) fn a_page_is_of_the_present(mut harness: Harness<'_>) -> Proof {
    let mut listed = BTreeSet::from(["a", "b", "c", "d", "e", "f", "g", "h"]);
    for (number, slug) in (1..).zip(&listed) {
        expect(&mut harness, &place(slug, "production"), number, "11:05")?;
    }
    let mut cursors = [None, None];
    let mut turn = |harness: &Harness<'_>, listed: &BTreeSet<&str>, when: &str| -> Proof {
        for (kind, cursor) in KINDS.into_iter().zip(&mut cursors) {
            let page = harness.page(kind, None, cursor.as_ref(), 3)?;
            // Other promises say that a page has no more than three entries and leaves out its cursor.
            let mut seen = page.clone();
            seen.retain(|due| Some(due) != cursor.as_ref());
            seen.truncate(2);
            let after = |slug: &&&str| {
                cursor.as_ref().is_none_or(|cursor: &Due| **slug > cursor.key.monitor.slug.as_str())
            };
            let expected = listed.iter().filter(after).take(2);
            let expected: Vec<_> = expected.map(|slug| place(slug, "production").to_string()).collect();
            same(keys(&seen), expected, format!("{kind:?}: how the {when} begins"))?;
            *cursor = page.last().cloned();
        }
        Ok(())
    };
    turn(&harness, &listed, "first page")?;
    listed.remove("e");
    harness.touch(&place("e", "production"), |row| row.expectation = Expectation::None)?;
    harness.change(5, |run| run.set_status(Succeeded))?;
    turn(&harness, &listed, "second page, once one entry is due no more")?;
    for (number, slug) in [(9, "d-too"), (10, "g-too")] {
        listed.insert(slug);
        expect(&mut harness, &place(slug, "production"), number, "11:05")?;
    }
    turn(
        &harness,
        &listed,
        "third page, once two more are due, one before and one after the second page's end",
    )
}

pub(super) fn an_environment_is_listed_while_it_is_watched(mut harness: Harness<'_>) -> Proof {
    let deadline = due(at("11:05"));
    harness.touch(&job(), |row| row.expectation = deadline)?;
    harness.touch(&dev(), |_| {})?;
    let check = |harness: &Harness<'_>, listed: bool, when: &str| -> Proof {
        let seen = keys(&harness.due(DueKind::Miss)?);
        let expected = if listed { vec![job().to_string()] } else { Vec::new() };
        same(seen, expected, format!("the list while the environment is {when}"))
    };
    check(&harness, true, "expected")?;
    harness.touch(&job(), |row| row.watch = Watch::EnvironmentDisabled)?;
    check(&harness, false, "disabled")?;
    harness.touch(&job(), |row| row.watch = Watch::MonitorDisabled)?;
    check(&harness, false, "dormant")?;
    harness.touch(&job(), |row| (row.watch, row.muted) = (Watch::On, true))?;
    check(&harness, true, "muted")?;
    harness.touch(&job(), |row| row.expectation = Expectation::None)?;
    check(&harness, false, "not expected any more")?;
    harness.touch(&job(), |row| row.expectation = deadline)?;
    check(&harness, true, "expected again")
}

pub(super) fn a_run_is_listed_while_it_is_in_progress(mut harness: Harness<'_>) -> Proof {
    use RunStatus::{Error, Missed, Timeout, Unknown};
    let listed = |harness: &Harness<'_>| Ok::<_, ErasedError>(runs(&harness.due(DueKind::Timeout)?));
    harness.start(&job(), run(1, "10:00", InProgress))?;
    for status in [Succeeded, Error, Missed, Timeout, Unknown] {
        // A run that timed out or is unknown keeps its timeout.
        harness.change(1, |run| run.set_status(status))?;
        same(listed(&harness)?, [], format!("the list once the run is {status}"))?;
        harness.change(1, |run| run.set_status(InProgress))?;
        same(listed(&harness)?, [Some(1)], "the list once the run is in progress again")?;
    }
    Ok(())
}

pub(super) fn a_run_is_listed_wherever_it_is(mut harness: Harness<'_>) -> Proof {
    harness.start(&job(), run(1, "10:00", InProgress))?;
    harness.start(&dev(), run(2, "10:00", InProgress))?;
    harness.touch(&job(), |row| row.watch = Watch::MonitorDisabled)?;
    harness.touch(&dev(), |row| row.watch = Watch::EnvironmentDisabled)?;
    let seen = runs(&harness.due(DueKind::Timeout)?);
    same(seen, [Some(2), Some(1)], "runs of environments that are not watched")
}

pub(super) fn a_deadline_that_moves_is_listed_where_it_is(mut harness: Harness<'_>) -> Proof {
    expect(&mut harness, &job(), 1, "10:05")?;
    expect(&mut harness, &place("other", "production"), 2, "11:05")?;
    // Behind the other, and then before it.
    for latest in ["12:05", "09:05", "11:04"] {
        harness.touch(&job(), |row| row.expectation = due(at(latest)))?;
        harness.change(1, |run| run.timeout_at = Some(at(latest)))?;
        for kind in KINDS {
            let seen: Vec<_> = harness.due(kind)?.iter().map(|due| due.at).collect();
            let mut expected = [at(latest), at("11:05")];
            expected.sort();
            same(seen, expected, format!("{kind:?}: the deadlines once the first has moved to {latest}"))?;
        }
    }
    Ok(())
}

pub(super) fn the_next_deadline_is_the_first_listed(mut harness: Harness<'_>) -> Proof {
    let check = |harness: &Harness<'_>, when: &str| -> Proof {
        for kind in KINDS {
            let listed = harness.due(kind)?.first().map(|due| due.at);
            same(harness.next_due(kind)?, listed, format!("{kind:?}: the next deadline {when}"))?;
        }
        Ok(())
    };
    check(&harness, "of an empty store")?;
    expect(&mut harness, &job(), 1, "11:05")?;
    check(&harness, "when there is one")?;
    expect(&mut harness, &dev(), 2, "10:05")?;
    check(&harness, "when an earlier one has come")?;
    harness.touch(&dev(), |row| row.expectation = due(at("12:05")))?;
    check(&harness, "when that of an environment has moved behind that of another")?;
    harness.change(2, |run| run.timeout_at = Some(at("12:05")))?;
    check(&harness, "when that of a run has too")?;
    harness.touch(&job(), |row| row.watch = Watch::EnvironmentDisabled)?;
    check(&harness, "when the first environment is not watched any more")?;
    harness.change(1, |run| run.set_status(Succeeded))?;
    check(&harness, "when the first run has ended")?;
    harness.touch(&dev(), |row| row.expectation = Expectation::None)?;
    check(&harness, "when no environment is expected")?;
    harness.change(2, |run| run.set_status(Succeeded))?;
    check(&harness, "when nothing is left")
}

pub(super) fn a_long_list_is_complete(mut harness: Harness<'_>) -> Proof {
    const LONG: usize = 1_200;
    let keys = (0..LONG).map(|number| place("job", &format!("env-{number}")));
    harness.commit(harness.touching_all(keys, |row| row.expectation = due(at("11:05"))))?;
    let latest = |number: usize| at("11:05") + TimeDelta::minutes(i64::try_from(number).unwrap() / 100);
    let runs = (0..LONG).map(|number| RunParts {
        timeout_at: Some(latest(number)),
        ..run(1 + number as u128, "10:00", InProgress)
    });
    harness.commit(harness.starting(&dev(), runs))?;
    for kind in KINDS {
        let seen = harness.page(kind, None, None, 2 * LONG)?;
        same(seen.len(), LONG, format!("{kind:?}: the length of a list that may be twice as long"))?;
        let in_order = seen.is_sorted_by(|one, next| one.order() < next.order());
        holds(in_order, format!("{kind:?}: the list is as long as it has to be, but not in order"))?;
    }
    Ok(())
}
