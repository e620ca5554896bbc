//! The mode without incidents: every failure is an event of its own.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use overdue::event::{LegacyFailure, LegacyReason};
use overdue::outcome::{Judgement, Notice, Verdict};
use overdue::policy::IncidentMode;
use overdue::row::{EnvironmentStatus, Failure, Health, MonitorStatus, RunStatus};
use overdue::rules::Edit;
use overdue::{Event, Policy};
use uuid::Uuid;

use crate::world::{World, checkin, hourly, named, place, run_id};

/// A job without incidents; thresholds mean nothing here.
fn world() -> World {
    let mut policy = Policy::default();
    policy.incidents = IncidentMode::Legacy;
    let world = World::new(policy);
    world.create("job", &hourly(3, 3)).unwrap();
    world
}

fn failures(world: &World) -> Vec<LegacyFailure> {
    let failure = |event| match event {
        Event::Failure(failure) => failure,
        other => panic!("{other:?}"),
    };
    world.told().into_iter().map(failure).collect()
}

#[test]
fn the_status_says_which_failure_it_was() {
    let world = world();
    let status = || world.environment().status();
    let failed = Judgement::Failed { notice: Notice::Sent };
    assert_eq!(world.judged("10:00", 1, "error"), failed);
    assert_eq!(status(), EnvironmentStatus::Error);

    let verdicts = world.tick("11:05");
    assert!(matches!(&verdicts[..], [Verdict::Missed(run)] if run.judgement == failed), "{verdicts:?}");
    assert_eq!(status(), EnvironmentStatus::Missed);

    assert_eq!(world.judged("11:30", 2, "in_progress"), Judgement::SaysNothing);
    let verdicts = world.tick("11:40");
    assert!(matches!(&verdicts[..], [Verdict::TimedOut(run)] if run.judgement == failed), "{verdicts:?}");
    assert_eq!(status(), EnvironmentStatus::Timeout);

    assert_eq!(*world.environment().health(), Health::Failed(Failure::Timeout));
    assert_eq!(world.store().incidents(&place("job", "production")), []);
}

#[test]
fn each_failure_is_told_with_its_reason() {
    let world = world();
    world.send("10:00", checkin("job", 1, "error").with_trace_id(Uuid::from_u128(5)));
    world.tick("11:05");
    world.accepted("11:30", 2, "in_progress");
    world.tick("11:40");
    let [error, missed, timeout] = failures(&world).try_into().unwrap();

    assert_eq!(error.reason, LegacyReason::Unknown);
    assert_eq!(
        (error.run.id, error.run.status, error.trace_id),
        (run_id(1), RunStatus::Error, Some(Uuid::from_u128(5)))
    );
    assert_eq!((missed.reason, missed.run.status), (LegacyReason::MissedCheckin, RunStatus::Missed));
    assert_eq!((timeout.reason, timeout.run.id), (LegacyReason::Duration, run_id(2)));

    let monitor = world.monitor();
    let names = [&error, &missed, &timeout].map(|failure| failure.fingerprint());
    assert_eq!(
        names,
        ["unknown", "missed_checkin", "duration"].map(|reason| ("monitor", monitor.id(), reason))
    );
    let tags: Vec<_> = error.tags().into_iter().collect();
    let id = monitor.id().to_string();
    let expected = [("environment", "production"), ("monitor.id", id.as_str()), ("monitor.slug", "job")];
    assert_eq!(tags, expected.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(error.environment, named("production"));
    assert_eq!(error.monitor.key(), monitor.key());
}

#[test]
fn one_ok_is_enough() {
    let world = world();
    assert_eq!(world.judged("10:00", 1, "ok"), Judgement::FirstOk);
    assert_eq!(world.judged("11:00", 2, "error"), Judgement::Failed { notice: Notice::Sent });
    world.told();
    assert_eq!(world.judged("12:00", 3, "ok"), Judgement::Recovered);
    assert_eq!(world.environment().status(), EnvironmentStatus::Ok);
    assert_eq!(world.told(), [], "nobody is told of it");
    assert_eq!(world.judged("13:00", 4, "ok"), Judgement::Healthy);
}

#[test]
fn a_mute_silences_and_changes_no_status() {
    let world = world();
    world.edit("09:00", &Edit::Muted(true));
    assert_eq!(world.judged("10:00", 1, "error"), Judgement::Failed { notice: Notice::MonitorMuted });
    assert_eq!(world.environment().status(), EnvironmentStatus::Error);
    world.edit("10:01", &Edit::Muted(false));
    world.edit("10:02", &Edit::EnvironmentMuted(named("production"), true));
    assert_eq!(world.judged("11:00", 2, "error"), Judgement::Failed { notice: Notice::EnvironmentMuted });
    assert_eq!(world.told(), []);
    world.edit("11:01", &Edit::EnvironmentMuted(named("production"), false));
    world.accepted("12:00", 3, "error");
    assert_eq!(failures(&world).len(), 1);
}

#[test]
fn a_disabled_monitor_fails_no_more() {
    let world = world();
    world.accepted("10:00", 1, "in_progress");
    world.edit("10:05", &Edit::Status(MonitorStatus::Disabled));
    world.tick("12:00");
    assert_eq!(world.environment().status(), EnvironmentStatus::Disabled);
    assert_eq!(world.told(), []);
}

#[test]
fn a_failure_that_comes_late_or_again_is_not_told() {
    let world = world();
    world.accepted("11:00", 1, "error");
    world.told();
    assert!(matches!(world.judged("10:00", 2, "error"), Judgement::NewerSeen { .. }));
    assert_eq!(failures(&world), []);
    // An incident that is open from before the mode was changed ends as it would have.
    assert_eq!(world.environment().incident(), None);
}
