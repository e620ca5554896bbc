//! The cache of a schedule changes no answer.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use chrono::TimeDelta;
use overdue::policy::{Quirk, Quirks};
use overdue::schedule::{Schedule, Zone, reference};
use proptest::prelude::*;

use super::model::{job, place};
use super::{Time, time, zone};

/// The questions of an engine: for check-ins, for ticks after missed runs, and for hosts with other policies.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The next run after a time.
    Ask(Time),
    /// What was missed at a tick this much later than the last answer, and what is expected then.
    Tick(TimeDelta),
    /// The last run before the second time, if the first was expected, perhaps by an older configuration.
    LookBack(Time, Time),
    /// Both, with the quirk that forgets passes.
    Forget(Time),
}

fn steps(near: Time) -> impl Strategy<Value = Vec<Step>> {
    let days = |days: i64| (-86_400 * days..86_400 * days).prop_map(TimeDelta::seconds);
    let at = prop_oneof![4 => days(2), 1 => days(100)].prop_map(move |offset| near + offset);
    let later = prop_oneof![0..300_i64, 0..100_000_i64].prop_map(TimeDelta::minutes);
    let step = prop_oneof![
        4 => at.clone().prop_map(Step::Ask),
        4 => later.prop_map(Step::Tick),
        1 => (at.clone(), at.clone()).prop_map(|(start, before)| Step::LookBack(start, before)),
        1 => at.prop_map(Step::Forget),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn an_asked_schedule_answers_like_a_new_one(
        job in job(),
        (zone, near, steps) in place().prop_flat_map(|(zone, near)| (Just(zone), Just(near), steps(near))),
    ) {
        let Ok(asked) = Schedule::crontab(&job.text(), zone) else { return Ok(()) };
        let compare = |ask: &dyn Fn(&Schedule) -> Option<Time>| {
            let new = Schedule::crontab(&job.text(), zone).unwrap();
            let (found, expected) = (ask(&asked), ask(&new));
            prop_assert_eq!(found, expected, "{} in {}, in one of {:?}", job.text(), zone, steps);
            Ok(found)
        };
        let forgetful = Quirks::NONE.with(Quirk::RepeatedHourForgotten);
        let mut last = near;
        for step in &steps {
            match *step {
                Step::Ask(after) => {
                    last = compare(&|schedule| schedule.next(after))?.unwrap_or(last);
                }
                Step::Tick(later) => {
                    let tick = last + later;
                    let missed = compare(&|schedule| schedule.previous(last, tick))?.unwrap_or(last);
                    last = compare(&|schedule| schedule.next(missed))?.unwrap_or(missed);
                }
                Step::LookBack(start, before) => {
                    compare(&|schedule| schedule.previous(start, before))?;
                }
                Step::Forget(at) => {
                    compare(&|schedule| reference::next(schedule, at, forgetful))?;
                    compare(&|schedule| reference::previous(schedule, at, at, forgetful))?;
                }
            }
        }
    }
}

#[test]
fn threads_that_share_a_schedule_get_the_same_answers() {
    let schedule = Schedule::crontab("*/7 1-3,9 * * *", zone("America/New_York")).unwrap();
    let start = time("2025-03-08T00:00:00Z");
    let ask = |schedule: &Schedule| {
        let times = (0..20_000).map(|step| start + TimeDelta::minutes(step * 37 % 4_000));
        let both = |at| (schedule.next(at), schedule.previous(at, at));
        times.map(both).collect::<Vec<_>>()
    };
    let alone = ask(&schedule.in_zone(schedule.zone()));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| ask(&schedule.clone()))).collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), alone);
        }
    });
}

#[test]
fn asking_changes_nothing_that_shows() {
    let crontab = || Schedule::crontab("0 2 * * *", zone("Europe/Berlin")).unwrap();
    let (asked, new) = (crontab(), crontab());
    asked.next(time("2025-05-17T12:00:00Z"));
    let hashes = RandomState::new();
    assert_eq!(asked, new);
    assert_eq!(hashes.hash_one(&asked), hashes.hash_one(&new));
    assert_eq!(format!("{asked:?}"), format!("{new:?}"));
    assert_eq!(serde_json::to_string(&asked).unwrap(), serde_json::to_string(&new).unwrap());
}

#[test]
fn schedules_spread_over_a_table() {
    let hashes = RandomState::new();
    let hash = |hour: u8| hashes.hash_one(Schedule::crontab(&format!("0 {hour} * * *"), Zone::UTC).unwrap());
    assert_eq!((0..24).map(hash).collect::<BTreeSet<_>>().len(), 24);
}
