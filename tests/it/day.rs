//! The day that the example replays: what its jobs do agrees with what the engine reports.
#![expect(clippy::unwrap_used, reason = "these are tests")]

#[path = "../../examples/day/simulation/mod.rs"]
mod simulation;

use simulation::{DAY, Options, Simulation, Trouble};

fn day(options: &Options) -> Simulation {
    let mut day = Simulation::new(options).unwrap();
    (0..DAY).for_each(|_| day.minute().unwrap());
    day
}

#[test]
fn every_job_has_the_incidents_it_deserves() {
    for seed in 0..3 {
        let day = day(&Options { monitors: 1_000, checkins: 20_000, seed, keep: 2, json: seed == 2 });
        assert_eq!(day.misjudged(), Vec::<String>::new());
        assert_eq!(day.told().opened() - day.told().resolved(), day.open());

        // Each trouble occurs, but not in every run.
        for trouble in [Trouble::Fails, Trouble::StaysAway, Trouble::ComesLate, Trouble::Hangs] {
            assert!((1..50).contains(&day.befallen(trouble)), "{trouble:?}: {}", day.befallen(trouble));
        }
        assert!(day.tally.missed > 0 && day.tally.timed_out > 0 && day.tally.pruned > 0, "{:?}", day.tally);
        assert!(day.tally.checkins.abs_diff(20_000) < 2_000, "{:?}", day.tally);
        assert!(day.open() > 0 && day.told().resolved() > 0);
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    let options = Options { monitors: 100, checkins: 2_000, seed: 7, keep: 6, json: false };
    let jobs = [&options, &options, &Options { seed: 8, ..options.clone() }].map(|options| {
        let day = day(options);
        (day.tally.checkins, day.tally.missed, day.told().opened())
    });
    assert_eq!(jobs[0], jobs[1]);
    assert_ne!(jobs[0], jobs[2]);
}
