//! The mode without incidents: every failure is an event of its own.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use overdue::Event;
use overdue::event::reference::{Failure, Reason};
use overdue::outcome::{Alerting, Effect, HealthEffect, TickEffect, reference};
use overdue::policy::{Quirk, Quirks};
use overdue::row::reference::{Failing, Failure as RunFailure};
use overdue::row::{EnvironmentStatus, MonitorStatus, RunStatus};
use overdue::rules::Edit;
use uuid::Uuid;

use crate::world::{World, checkin, hourly, keeping, named, place, run_id};

/// A job without incidents; thresholds mean nothing here.
fn world() -> World {
    let world = World::new(keeping(Quirks::NONE.with(Quirk::NoIncidents)));
    world.create("job", &hourly(3, 3)).unwrap();
    world
}

/// The effect of a check-in.
fn effect(world: &World, received: &str, run: u128, status: &str) -> Effect {
    world.accepted(received, run, status).health
}

/// What is answered to a failure.
fn failed(alerting: Alerting) -> Effect {
    reference::Effect::Failed { alerting }.into()
}

fn failures(world: &World) -> Vec<Failure> {
    let failure = |event| match event {
        Event::Reference(failure) => failure,
        other => panic!("{other:?}"),
    };
    world.told().into_iter().map(failure).collect()
}

#[test]
fn the_status_says_which_failure_it_was() {
    let world = world();
    let failing = || {
        let environment = world.environment();
        assert_eq!(environment.status(), EnvironmentStatus::Error);
        environment.failing().map(|failing| failing.status())
    };
    let failed = failed(Alerting::Sent);
    assert_eq!(effect(&world, "10:00", 1, "error"), failed);
    assert_eq!(failing(), Some("error"));

    let effects = world.tick("11:05");
    assert!(matches!(&effects[..], [TickEffect::Missed(run)] if run.health == failed), "{effects:?}");
    assert_eq!(failing(), Some("missed"));

    assert_eq!(effect(&world, "11:30", 2, "in_progress"), HealthEffect::NoEffect);
    let effects = world.tick("11:40");
    assert!(matches!(&effects[..], [TickEffect::TimedOut(run)] if run.health == failed), "{effects:?}");
    assert_eq!(failing(), Some("timeout"));

    assert_eq!(world.environment().failing(), Some(Failing::Run(RunFailure::Timeout)));
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

    assert_eq!(error.reason, Reason::Unknown);
    assert_eq!(
        (error.run.id, error.run.status, error.trace_id),
        (run_id(1), RunStatus::Error, Some(Uuid::from_u128(5)))
    );
    assert_eq!((missed.reason, missed.run.status), (Reason::MissedCheckin, RunStatus::Missed));
    assert_eq!((timeout.reason, timeout.run.id), (Reason::Duration, run_id(2)));

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
    assert_eq!(effect(&world, "10:00", 1, "ok"), HealthEffect::FirstOk);
    assert_eq!(effect(&world, "11:00", 2, "error"), failed(Alerting::Sent));
    world.told();
    assert_eq!(effect(&world, "12:00", 3, "ok"), Effect::Reference(reference::Effect::Recovered));
    assert_eq!(world.environment().status(), EnvironmentStatus::Ok);
    assert_eq!(world.told(), [], "nobody is told of it");
    assert_eq!(effect(&world, "13:00", 4, "ok"), HealthEffect::Healthy);
}

#[test]
fn a_mute_silences_and_changes_no_status() {
    let world = world();
    world.edit("09:00", &Edit::Muted(true));
    assert_eq!(effect(&world, "10:00", 1, "error"), failed(Alerting::MonitorMuted));
    assert_eq!(world.environment().status(), EnvironmentStatus::Error);
    world.edit("10:01", &Edit::Muted(false));
    world.edit("10:02", &Edit::EnvironmentMuted(named("production"), true));
    assert_eq!(effect(&world, "11:00", 2, "error"), failed(Alerting::EnvironmentMuted));
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
    assert!(matches!(effect(&world, "10:00", 2, "error"), Effect::Health(HealthEffect::NewerSeen { .. })));
    assert_eq!(failures(&world), []);
    // An incident that is open from before the mode was changed ends as it would have.
    assert_eq!(world.environment().incident(), None);
}
