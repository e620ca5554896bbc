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

use crate::fixture::{Fixture, checkin, hourly, keeping, named, place, run_id};

/// A job without incidents, where thresholds have no effect.
fn fixture() -> Fixture {
    let fixture = Fixture::new(keeping(Quirks::NONE.with(Quirk::NoIncidents)));
    fixture.create("job", &hourly(3, 3)).unwrap();
    fixture
}

/// The effect of a check-in.
fn effect(fixture: &Fixture, received: &str, run: u128, status: &str) -> Effect {
    fixture.accepted(received, run, status).health
}

/// The effect of a failure.
fn failed(alerting: Alerting) -> Effect {
    reference::Effect::Failed { alerting }.into()
}

fn failures(fixture: &Fixture) -> Vec<Failure> {
    let failure = |event| match event {
        Event::Reference(failure) => failure,
        other => panic!("{other:?}"),
    };
    fixture.told().into_iter().map(failure).collect()
}

#[test]
fn the_status_says_which_failure_it_was() {
    let fixture = fixture();
    let failing = || {
        let environment = fixture.environment();
        assert_eq!(environment.status(), EnvironmentStatus::Error);
        environment.failing().map(|failing| failing.status())
    };
    let failed = failed(Alerting::Sent);
    assert_eq!(effect(&fixture, "10:00", 1, "error"), failed);
    assert_eq!(failing(), Some("error"));

    let effects = fixture.tick("11:05");
    assert!(matches!(&effects[..], [TickEffect::Missed(run)] if run.health == failed), "{effects:?}");
    assert_eq!(failing(), Some("missed"));

    assert_eq!(effect(&fixture, "11:30", 2, "in_progress"), HealthEffect::NoEffect);
    let effects = fixture.tick("11:40");
    assert!(matches!(&effects[..], [TickEffect::TimedOut(run)] if run.health == failed), "{effects:?}");
    assert_eq!(failing(), Some("timeout"));

    assert_eq!(fixture.environment().failing(), Some(Failing::Run(RunFailure::Timeout)));
    assert_eq!(fixture.store().incidents(&place("job", "production")), []);
}

#[test]
fn each_failure_is_told_with_its_reason() {
    let fixture = fixture();
    fixture.send("10:00", checkin("job", 1, "error").with_trace_id(Uuid::from_u128(5)));
    fixture.tick("11:05");
    fixture.accepted("11:30", 2, "in_progress");
    fixture.tick("11:40");
    let [error, missed, timeout] = failures(&fixture).try_into().unwrap();

    assert_eq!(error.reason, Reason::Unknown);
    assert_eq!(
        (error.run.id, error.run.status, error.trace_id),
        (run_id(1), RunStatus::Error, Some(Uuid::from_u128(5)))
    );
    assert_eq!((missed.reason, missed.run.status), (Reason::MissedCheckin, RunStatus::Missed));
    assert_eq!((timeout.reason, timeout.run.id), (Reason::Duration, run_id(2)));

    let monitor = fixture.monitor();
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
    let fixture = fixture();
    assert_eq!(effect(&fixture, "10:00", 1, "ok"), HealthEffect::FirstOk);
    assert_eq!(effect(&fixture, "11:00", 2, "error"), failed(Alerting::Sent));
    fixture.told();
    assert_eq!(effect(&fixture, "12:00", 3, "ok"), Effect::Reference(reference::Effect::Recovered));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Ok);
    assert_eq!(fixture.told(), [], "no event is emitted");
    assert_eq!(effect(&fixture, "13:00", 4, "ok"), HealthEffect::Healthy);
}

#[test]
fn a_mute_silences_and_changes_no_status() {
    let fixture = fixture();
    fixture.edit("09:00", &Edit::Muted(true));
    assert_eq!(effect(&fixture, "10:00", 1, "error"), failed(Alerting::MonitorMuted));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Error);
    fixture.edit("10:01", &Edit::Muted(false));
    fixture.edit("10:02", &Edit::EnvironmentMuted(named("production"), true));
    assert_eq!(effect(&fixture, "11:00", 2, "error"), failed(Alerting::EnvironmentMuted));
    assert_eq!(fixture.told(), []);
    fixture.edit("11:01", &Edit::EnvironmentMuted(named("production"), false));
    fixture.accepted("12:00", 3, "error");
    assert_eq!(failures(&fixture).len(), 1);
}

#[test]
fn a_disabled_monitor_fails_no_more() {
    let fixture = fixture();
    fixture.accepted("10:00", 1, "in_progress");
    fixture.edit("10:05", &Edit::Status(MonitorStatus::Disabled));
    fixture.tick("12:00");
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Disabled);
    assert_eq!(fixture.told(), []);
}

#[test]
fn a_failure_that_comes_late_or_again_is_not_told() {
    let fixture = fixture();
    fixture.accepted("11:00", 1, "error");
    fixture.told();
    assert!(matches!(effect(&fixture, "10:00", 2, "error"), Effect::Health(HealthEffect::NewerSeen { .. })));
    assert_eq!(failures(&fixture), []);
    // An incident that was open before the mode was changed is resolved as usual.
    assert_eq!(fixture.environment().incident(), None);
}
