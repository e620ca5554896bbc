//! Creates, edits and removes monitors, with the immediate effect on their deadlines.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use overdue::admission::{AdmitAll, ValidCheckin};
use overdue::config::{ConfigBuilder, ConfigUpdate};
use overdue::id::{OrganizationId, Owner};
use overdue::outcome::{Alerting, ConfigChange, Effect, HealthEffect, Outcome, TickEffect};
use overdue::policy::Limits;
use overdue::rejection::RejectionReason;
use overdue::row::{EnvironmentStatus, MonitorStatus, RunStatus};
use overdue::rules::{self, Edit, EditError};
use overdue::schedule::Unit;
use overdue::store::{CommitError, Query, Snapshot, Store};
use overdue::{AdminError, Event, Policy, Schedule, Zone};

use crate::fixture::{Fixture, ORGANIZATION, at, checkin, hourly, message, monitor, named, place, zone};

fn limited(monitors: Option<u32>, environments: Option<u32>) -> Fixture {
    let mut policy = Policy::default();
    policy.limits = Limits { monitors, environments };
    Fixture::new(policy)
}

fn crontab(text: &str) -> Schedule {
    Schedule::crontab(text, Zone::UTC).unwrap()
}

/// A job that checked in at ten and is due at eleven.
fn checked_in() -> Fixture {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    assert_eq!(fixture.deadline(), Some((at("11:00"), at("11:05"))));
    fixture
}

fn edit_config(fixture: &Fixture, when: &str, change: impl Fn(ConfigBuilder) -> ConfigBuilder) {
    let config = change(fixture.monitor().config().to_builder()).build().unwrap();
    fixture.edit(when, &Edit::Config(config));
}

#[test]
fn a_monitor_is_created_as_configured() {
    let fixture = Fixture::new(Policy::default());
    let row = fixture.create("job", &hourly(3, 2)).unwrap();
    assert_eq!(row, fixture.monitor());
    assert_eq!((row.name(), row.owner(), row.is_muted()), ("job", None, false));
    assert_eq!((row.status(), row.environments()), (MonitorStatus::Active, 0));
    assert_eq!(*row.config(), hourly(3, 2));
    assert_eq!(fixture.engine.next_deadline(), Ok(None), "nothing is awaited before the first check-in");
}

#[test]
fn a_slug_is_taken_once() {
    let fixture = Fixture::with(&hourly(1, 1));
    let again = fixture.create("job", &hourly(2, 2));
    assert_eq!(again, Err(AdminError::Rejected(EditError::Exists)));
    assert_eq!(*fixture.monitor().config(), hourly(1, 1));
}

#[test]
fn an_organization_has_so_many_monitors() {
    let fixture = limited(Some(2), None);
    fixture.create("one", &hourly(1, 1)).unwrap();
    let update = ConfigUpdate::new(crontab("0 * * * *"));
    let created = fixture.send("10:00", checkin("two", 1, "ok").with_config(update.clone()));
    let Outcome::Accepted(created) = created else { panic!("{created:?}") };
    assert_eq!(created.config, ConfigChange::Created);

    let third = fixture.create("three", &hourly(1, 1));
    assert_eq!(third, Err(AdminError::Rejected(EditError::MonitorLimit { limit: 2 })));
    let rejected = fixture.rejected("10:00", checkin("three", 2, "ok").with_config(update.clone()));
    assert_eq!(rejected, [RejectionReason::MonitorLimitExceeded { limit: 2 }]);
    assert_eq!(fixture.store().monitors().len(), 2);

    // Other organizations have their own limits, and a removed monitor makes room.
    fixture.engine.create_monitor(OrganizationId::new(2), &monitor("other"), &hourly(1, 1)).unwrap();
    fixture.engine.remove_monitor(&monitor("one")).unwrap();
    fixture.create("three", &hourly(1, 1)).unwrap();
    assert!(fixture.create("four", &hourly(1, 1)).is_err());
}

/// Both are decided on before either is committed.
#[test]
fn two_monitors_at_once_do_not_share_the_last_place() {
    let fixture = limited(Some(1), None);
    let policy = fixture.engine.policy();
    let [one, two] = ["one", "two"].map(|slug| {
        let query = Query::creation(ORGANIZATION, policy);
        let snapshot = fixture.store().load(&place(slug, "production"), &query).unwrap();
        let created = rules::create_monitor(snapshot, ORGANIZATION, &monitor(slug), &hourly(1, 1), policy);
        created.transition.unwrap()
    });
    assert_eq!(fixture.store().commit(&one), Ok(()));
    assert_eq!(fixture.store().commit(&two), Err(CommitError::Conflict));
}

#[test]
fn a_limit_of_none_lets_nobody_in() {
    let fixture = limited(Some(0), None);
    assert_eq!(
        fixture.create("job", &hourly(1, 1)),
        Err(AdminError::Rejected(EditError::MonitorLimit { limit: 0 }))
    );
}

#[test]
fn a_monitor_has_so_many_environments() {
    let fixture = limited(None, Some(2));
    fixture.create("job", &hourly(1, 1)).unwrap();
    for (run, environment) in [(1, "production"), (2, "dev"), (3, "dev")] {
        fixture.send("10:00", checkin("job", run, "ok").with_environment(named(environment)));
    }
    assert_eq!(fixture.monitor().environments(), 2);
    let rejected = fixture.rejected("10:01", checkin("job", 4, "ok").with_environment(named("staging")));
    assert_eq!(rejected, [RejectionReason::MonitorEnvironmentLimitExceeded { limit: 2 }]);
    assert_eq!(fixture.environment_named("staging"), None);
    assert!(
        matches!(fixture.send("10:02", checkin("job", 5, "ok")), Outcome::Accepted(_)),
        "the others stay"
    );
}

#[test]
fn a_new_schedule_expects_its_next_run_after_the_edit() {
    let fixture = checked_in();
    edit_config(&fixture, "10:20", |config| config.schedule(crontab("*/30 * * * *")));
    assert_eq!(fixture.deadline(), Some((at("10:30"), at("10:35"))));
    let hours = Schedule::every(2.try_into().unwrap(), Unit::Hour, Zone::UTC).unwrap();
    edit_config(&fixture, "10:21", |config| config.schedule(hours.clone()));
    assert_eq!(fixture.deadline(), Some((at("12:21"), at("12:26"))));
    let zone = crontab("0 14 * * *").in_zone(zone("Asia/Kolkata"));
    edit_config(&fixture, "10:22", |config| config.schedule(zone.clone()));
    assert_eq!(fixture.deadline().map(|(next, _)| next), Some(at("2024-09-03T08:30:00Z")));
    assert_eq!(fixture.engine.next_deadline(), Ok(Some(at("2024-09-03T08:35:00Z"))));
}

#[test]
fn a_new_schedule_forgives_what_the_old_one_expected() {
    let fixture = checked_in();
    edit_config(&fixture, "11:20", |config| config.schedule(crontab("30 * * * *")));
    assert_eq!(fixture.tick("11:29"), []);
    assert_eq!(fixture.deadline(), Some((at("11:30"), at("11:35"))));
}

#[test]
fn an_edit_by_a_slow_clock_goes_back_behind_no_checkin() {
    let fixture = checked_in();
    edit_config(&fixture, "08:00", |config| config.schedule(crontab("*/30 * * * *")));
    assert_eq!(fixture.deadline(), Some((at("10:30"), at("10:35"))));
}

#[test]
fn a_new_margin_moves_when_the_expected_run_is_missed() {
    let fixture = checked_in();
    edit_config(&fixture, "10:59", |config| config.margin(20));
    assert_eq!(fixture.deadline(), Some((at("11:00"), at("11:20"))));
    assert_eq!(fixture.tick("11:19"), []);
    edit_config(&fixture, "11:19", |config| config.margin(1));
    assert!(matches!(fixture.tick("11:19")[..], [TickEffect::Missed(_)]), "what was late is too late now");
}

#[test]
fn a_new_maximum_runtime_moves_the_timeouts_of_runs_in_progress() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:01", 2, "in_progress");
    fixture.accepted("10:05:30", 2, "in_progress");
    fixture.accepted("10:06", 3, "ok");
    edit_config(&fixture, "10:07", |config| config.max_runtime(30));
    assert_eq!(
        [1, 2, 3].map(|run| fixture.run(run).timeout_at()),
        [Some(at("10:30")), Some(at("10:35")), None]
    );
    assert_eq!(fixture.tick("10:29"), []);

    edit_config(&fixture, "10:29", |config| config.max_runtime(20));
    assert_eq!(fixture.tick("10:29").len(), 2);
    assert_eq!(
        [1, 2, 3].map(|run| fixture.run(run).status()),
        [RunStatus::Timeout, RunStatus::Timeout, RunStatus::Ok]
    );
    assert_eq!(fixture.run(1).timeout_at(), Some(at("10:20")), "when it was up");
}

/// A written row is a conflict for every decision that is about to write it.
#[test]
fn an_edit_writes_no_environment_that_it_does_not_change() {
    let fixture = checked_in();
    fixture.send("10:00", checkin("job", 2, "in_progress").with_environment(named("dev")));
    let versions =
        || ["production", "dev"].map(|name| fixture.environment_named(name).unwrap().version().number());
    let [production, dev] = versions();
    edit_config(&fixture, "10:05", |config| config.max_runtime(20));
    assert_eq!(versions(), [production, dev + 1], "the run in progress has another timeout");
    fixture.edit("10:06", &Edit::Name("another".into()));
    assert_eq!(versions(), [production, dev + 1]);
}

#[test]
fn thresholds_count_from_the_next_run_on() {
    let fixture = Fixture::with(&hourly(3, 1));
    fixture.accepted("10:00", 1, "error");
    fixture.accepted("11:00", 2, "error");
    edit_config(&fixture, "11:30", |config| config.failure_threshold(1));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Active, "an edit judges nobody");
    assert!(matches!(fixture.judged("12:00", 3, "error"), HealthEffect::Opened { .. }));

    edit_config(&fixture, "12:30", |config| config.recovery_threshold(2));
    assert!(matches!(
        fixture.judged("13:00", 4, "ok"),
        HealthEffect::Recovering { successes: 1, threshold: 2, .. }
    ));
    edit_config(&fixture, "13:30", |config| config.recovery_threshold(1));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Error);
    assert!(matches!(fixture.judged("14:00", 5, "ok"), HealthEffect::Resolved { .. }));
}

#[test]
fn names_and_owners_are_what_alerts_say() {
    let fixture = checked_in();
    fixture.edit("10:10", &Edit::Name("Nightly backup".into()));
    fixture.edit("10:11", &Edit::Owner(Some(Owner::Team(4))));
    assert_eq!(fixture.deadline(), Some((at("11:00"), at("11:05"))), "nothing is awaited sooner or later");
    fixture.accepted("11:00", 2, "error");
    let told = fixture.told();
    let Some(Event::IncidentOpened(opened)) = told.first() else { panic!("{told:?}") };
    assert_eq!((opened.monitor.name(), opened.monitor.owner()), ("Nightly backup", Some(Owner::Team(4))));

    let row = fixture.edit("11:10", &Edit::Name(String::new()));
    assert_eq!(row.name(), "job", "the slug again");
    assert_eq!(fixture.edit("11:11", &Edit::Owner(None)).owner(), None);
}

#[test]
fn a_checkin_configures_its_monitor_as_an_edit_does_and_keeps_what_it_does_not_name() {
    let fixture = checked_in();
    fixture.edit("10:01", &Edit::Owner(Some(Owner::User(9))));
    let update = ConfigUpdate::new(crontab("*/30 * * * *"));
    let sent = fixture.send("10:10", checkin("job", 2, "ok").with_config(update));
    let Outcome::Accepted(accepted) = sent else { panic!("{sent:?}") };
    assert_eq!(accepted.config, ConfigChange::Updated);
    assert_eq!(fixture.deadline(), Some((at("10:30"), at("10:35"))), "the margin stays");
    assert_eq!(fixture.monitor().owner(), Some(Owner::User(9)));
}

#[test]
fn a_muted_monitor_is_judged_in_silence() {
    let fixture = checked_in();
    fixture.edit("10:10", &Edit::Muted(true));
    assert!(fixture.monitor().is_muted());
    let verdicts = fixture.tick("11:05");
    let [TickEffect::Missed(missed)] = &verdicts[..] else { panic!("{verdicts:?}") };
    assert!(matches!(
        missed.health,
        Effect::Health(HealthEffect::Opened { alerting: Alerting::MonitorMuted, .. })
    ));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Error);
    assert_eq!(fixture.told(), []);
}

#[test]
fn one_environment_is_muted_and_the_other_heard() {
    let fixture = checked_in();
    fixture.send("10:00", checkin("job", 2, "ok").with_environment(named("dev")));
    fixture.edit("10:10", &Edit::EnvironmentMuted(named("dev"), true));
    assert!(fixture.environment_named("dev").unwrap().is_muted() && !fixture.environment().is_muted());
    fixture.tick("11:05");
    let heard: Vec<_> = fixture
        .told()
        .into_iter()
        .map(|event| match event {
            Event::IncidentOpened(told) | Event::IncidentOccurrence(told) => told.environment,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(heard, [named("production"), named("production")]);
}

#[test]
fn a_disabled_monitor_rests_and_wakes_without_a_past() {
    let fixture = checked_in();
    fixture.accepted("10:30", 2, "in_progress");
    fixture.edit("10:35", &Edit::Status(MonitorStatus::Disabled));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Disabled);
    assert_eq!(fixture.rejected("10:36", checkin("job", 2, "ok")), [RejectionReason::MonitorDisabled]);

    // How the run in progress ended is unknown, and it is no longer awaited.
    let verdicts = fixture.tick("12:20");
    assert!(matches!(verdicts[..], [TickEffect::Unknown { .. }]), "{verdicts:?}");
    assert_eq!(fixture.run(2).status(), RunStatus::Unknown);
    assert_eq!(fixture.engine.next_deadline(), Ok(None));

    fixture.edit("12:20", &Edit::Status(MonitorStatus::Active));
    assert_eq!(fixture.environment().status(), EnvironmentStatus::Ok);
    assert_eq!(fixture.deadline(), Some((at("13:00"), at("13:05"))));
    assert_eq!(fixture.tick("13:04"), []);
    assert!(matches!(fixture.tick("13:05")[..], [TickEffect::Missed(_)]));
}

#[test]
fn what_was_edited_in_its_sleep_holds_when_it_wakes() {
    let fixture = checked_in();
    fixture.edit("10:10", &Edit::Status(MonitorStatus::Disabled));
    edit_config(&fixture, "10:11", |config| config.margin(9));
    edit_config(&fixture, "10:12", |config| config.schedule(crontab("*/20 * * * *")));
    fixture.edit("10:15", &Edit::Status(MonitorStatus::Active));
    assert_eq!(fixture.deadline(), Some((at("10:20"), at("10:29"))));
}

#[test]
fn to_wake_who_is_awake_changes_nothing() {
    let fixture = checked_in();
    fixture.edit("10:50", &Edit::Status(MonitorStatus::Active));
    fixture.edit("11:02", &Edit::Status(MonitorStatus::Active));
    assert_eq!(fixture.deadline(), Some((at("11:00"), at("11:05"))), "it is late, and stays so");
}

/// A host may have enabled the monitor in its own database, but not the copy in the environment.
#[test]
fn a_checkin_wakes_an_environment_that_was_left_asleep() {
    let fixture = checked_in();
    fixture.edit("10:10", &Edit::Status(MonitorStatus::Disabled));
    let asleep = fixture.environment();
    assert!(!asleep.watch().is_on());
    fixture.edit("10:11", &Edit::Status(MonitorStatus::Active));
    let policy = fixture.engine.policy();
    let again = message("10:12", checkin("job", 2, "ok"));
    let valid = ValidCheckin::admit(&again, &AdmitAll, policy).unwrap();
    let snapshot = fixture.store().load(&valid.key(), &Query::checkin(&valid, policy)).unwrap();
    let snapshot = Snapshot { environment: Some(Box::new(asleep)), ..snapshot };
    let transition = rules::process_checkin(snapshot, &valid, policy).transition.unwrap();
    assert!(transition.environments[0].row.watch().is_on());
}

#[test]
fn an_environment_rests_alone() {
    let fixture = checked_in();
    fixture.send("10:00", checkin("job", 2, "in_progress").with_environment(named("dev")));
    fixture.edit("10:05", &Edit::EnvironmentEnabled(named("dev"), false));
    let dev = || fixture.environment_named("dev").unwrap();
    assert_eq!((dev().status(), dev().watch().is_on()), (EnvironmentStatus::Disabled, false));
    let rejected = fixture.rejected("10:06", checkin("job", 2, "ok").with_environment(named("dev")));
    assert_eq!(rejected, [RejectionReason::MonitorDisabled]);
    let verdicts = fixture.tick("11:05");
    assert!(matches!(verdicts[..], [TickEffect::Missed(_), TickEffect::Unknown { .. }]), "{verdicts:?}");

    // It stays disabled while its monitor is disabled and enabled.
    fixture.edit("11:06", &Edit::Status(MonitorStatus::Disabled));
    fixture.edit("11:07", &Edit::Status(MonitorStatus::Active));
    assert_eq!(dev().status(), EnvironmentStatus::Disabled);
    fixture.edit("11:20", &Edit::EnvironmentEnabled(named("dev"), true));
    assert_eq!(dev().status(), EnvironmentStatus::Active);
    assert_eq!(dev().deadline().map(|deadline| deadline.expected()), Some(at("12:00")));
}

#[test]
fn a_monitor_that_is_going_is_as_good_as_gone() {
    let fixture = checked_in();
    fixture.edit("10:10", &Edit::Status(MonitorStatus::Deleting));
    assert_eq!(fixture.rejected("10:11", checkin("job", 2, "ok")), [RejectionReason::MonitorNotFound]);
    let update = ConfigUpdate::new(crontab("0 * * * *"));
    let rejected = fixture.rejected("10:12", checkin("job", 2, "ok").with_config(update));
    assert_eq!(rejected, [RejectionReason::MonitorNotFound]);
    assert_eq!(fixture.tick("12:00"), []);
}

#[test]
fn a_removed_monitor_leaves_nothing() {
    let fixture = checked_in();
    fixture.accepted("10:30", 2, "in_progress");
    fixture.engine.remove_monitor(&monitor("job")).unwrap();
    assert!(fixture.store().monitors().is_empty());
    assert!(fixture.store().runs(&place("job", "production")).is_empty());
    assert!(fixture.store().incidents(&place("job", "production")).is_empty());
    assert_eq!(fixture.engine.next_deadline(), Ok(None));
    assert_eq!(fixture.tick("12:00"), []);
    assert_eq!(fixture.rejected("12:00", checkin("job", 2, "ok")), [RejectionReason::MonitorNotFound]);
    assert_eq!(
        fixture.engine.remove_monitor(&monitor("job")),
        Err(AdminError::Rejected(EditError::NoMonitor))
    );
}

#[test]
fn what_is_not_there_cannot_be_edited() {
    let fixture = checked_in();
    let before = serde_json::to_value(fixture.store()).unwrap();
    let edits = [
        Edit::Config(hourly(2, 2)),
        Edit::Name("x".into()),
        Edit::Owner(None),
        Edit::Muted(true),
        Edit::EnvironmentMuted(named("production"), true),
        Edit::Status(MonitorStatus::Disabled),
        Edit::EnvironmentEnabled(named("production"), false),
    ];
    for edit in edits {
        assert_eq!(fixture.rejected_edit("nobody", &edit), EditError::NoMonitor);
    }
    let no_dev = EditError::NoEnvironment(named("dev"));
    assert_eq!(no_dev.to_string(), "the monitor has no environment dev");
    assert_eq!(fixture.rejected_edit("job", &Edit::EnvironmentMuted(named("dev"), true)), no_dev);
    assert_eq!(fixture.rejected_edit("job", &Edit::EnvironmentEnabled(named("dev"), true)), no_dev);
    assert_eq!(serde_json::to_value(fixture.store()).unwrap(), before, "nothing is written");
    assert_eq!(fixture.told(), []);
}

#[test]
fn a_monitor_of_the_same_slug_in_another_project_is_another() {
    let fixture = checked_in();
    let foreign = overdue::id::MonitorKey { project: overdue::id::ProjectId::new(8), ..monitor("job") };
    fixture.engine.create_monitor(OrganizationId::new(1), &foreign, &hourly(2, 2)).unwrap();
    fixture.engine.edit_monitor(&foreign, &Edit::Muted(true), at("10:10")).unwrap();
    assert!(!fixture.monitor().is_muted());
    fixture.engine.remove_monitor(&foreign).unwrap();
    assert!(matches!(
        fixture.engine.process_checkin(&message("10:20", checkin("job", 2, "ok"))),
        Ok(Outcome::Accepted(_))
    ));
}
