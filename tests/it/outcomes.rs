//! Every answer explains itself: situations, and the exact words for them.
#![expect(clippy::panic, clippy::unwrap_used, reason = "these are tests")]

use overdue::config::ConfigUpdate;
use overdue::field_errors::FieldError;
use overdue::id::IncidentId;
use overdue::outcome::{
    Alerting, ConfigChange, Effect, HealthEffect, Ignored, Outcome, RunChange, TickEffect, reference,
};
use overdue::policy::{Quirk, Quirks};
use overdue::row::{MonitorStatus, RunDuration, RunStatus};
use overdue::rules::Edit;
use overdue::{Policy, Schedule, Zone, rules};
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{Fixture, at, checkin, hourly, keeping, named, place, run_id, tick};

/// The newest incident of the production environment.
fn incident(fixture: &Fixture) -> IncidentId {
    fixture.store().incidents(&place("job", "production")).last().unwrap().id()
}

fn ignored(outcome: Outcome) -> Ignored {
    match outcome {
        Outcome::Ignored(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// Returns the effects on health of the misses and timeouts of a tick.
fn health(effects: Vec<TickEffect>) -> Vec<Effect> {
    let health = |effect| match effect {
        TickEffect::Missed(run) | TickEffect::TimedOut(run) => run.health,
        other => panic!("{other:?}"),
    };
    effects.into_iter().map(health).collect()
}

#[test]
fn the_first_ok_and_the_next() {
    let fixture = Fixture::with(&hourly(1, 1));
    assert_eq!(fixture.judged("10:00", 1, "ok"), HealthEffect::FirstOk);
    assert_eq!(fixture.judged("11:00", 2, "ok"), HealthEffect::Healthy);
}

#[test]
fn a_check_in_says_when_the_next_run_is_due() {
    let fixture = Fixture::with(&hourly(1, 1));
    let accepted = fixture.accepted("10:20", 1, "ok");
    assert_eq!(accepted.environment, place("job", "production"));
    assert_eq!(accepted.run, run_id(1));
    assert_eq!(accepted.config, ConfigChange::None);
    let deadline = accepted.deadline.unwrap();
    assert_eq!((deadline.expected(), deadline.closes()), (at("11:00"), at("11:05")));
    // A late check-in moves no deadline, and is answered with the current one.
    assert_eq!(fixture.accepted("09:20", 2, "ok").deadline, Some(deadline));
}

#[test]
fn failures_are_counted_up_to_the_threshold() {
    let fixture = Fixture::with(&hourly(3, 1));
    let below = |failures| HealthEffect::BelowThreshold { failures, threshold: 3 };
    assert_eq!(fixture.judged("10:00", 1, "error"), below(1));
    assert_eq!(health(fixture.tick("11:05")), [below(2)]);
    assert_eq!(fixture.judged("11:30", 2, "in_progress"), HealthEffect::NoEffect);
    assert_eq!(
        health(fixture.tick("11:40")),
        [HealthEffect::Opened { incident: incident(&fixture), alerting: Alerting::Sent }]
    );
    assert_eq!(
        fixture.judged("12:00", 3, "error"),
        HealthEffect::Continued { incident: incident(&fixture), alerting: Alerting::Sent }
    );
}

#[test]
fn a_success_in_between_starts_the_count_anew() {
    let fixture = Fixture::with(&hourly(2, 1));
    let below = HealthEffect::BelowThreshold { failures: 1, threshold: 2 };
    assert_eq!(fixture.judged("10:00", 1, "error"), below);
    assert_eq!(fixture.judged("11:00", 2, "ok"), HealthEffect::FirstOk);
    assert_eq!(fixture.judged("12:00", 3, "error"), below);
}

#[test]
fn successes_are_counted_up_to_the_threshold() {
    let fixture = Fixture::with(&hourly(1, 3));
    fixture.accepted("10:00", 1, "error");
    let open = Some(incident(&fixture));
    let recovering = |successes| HealthEffect::Recovering { incident: open, successes, threshold: 3 };
    assert_eq!(fixture.judged("11:00", 2, "ok"), recovering(1));
    assert_eq!(fixture.judged("12:00", 3, "ok"), recovering(2));
    assert_eq!(
        fixture.judged("13:00", 4, "error"),
        HealthEffect::Continued { incident: incident(&fixture), alerting: Alerting::Sent }
    );
    assert_eq!(fixture.judged("14:00", 5, "ok"), recovering(1));
    assert_eq!(fixture.judged("15:00", 6, "ok"), recovering(2));
    assert_eq!(
        fixture.judged("16:00", 7, "ok"),
        HealthEffect::Resolved { incident: incident(&fixture), alerting: Alerting::Sent }
    );
}

#[test]
fn a_failure_that_comes_late_says_nothing_about_the_present() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("11:00", 1, "ok");
    assert_eq!(fixture.judged("10:00", 2, "error"), HealthEffect::NewerSeen { last_checkin: at("11:00") });
}

#[test]
fn a_timeout_says_nothing_when_a_newer_run_has_finished() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:05", 2, "ok");
    assert_eq!(health(fixture.tick("10:10")), [HealthEffect::NewerFinished { last_result: at("10:05") }]);
    assert_eq!(fixture.run(1).status(), RunStatus::Timeout);
}

#[test]
fn an_ok_from_before_the_newest_failure_ends_nothing() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "error");
    let expected = HealthEffect::OlderThanFailure { incident: incident(&fixture), last_failure: at("10:00") };
    assert_eq!(fixture.judged("09:30", 2, "ok"), expected);
    assert!(fixture.environment().incident().is_some());
}

#[test]
fn what_is_muted_sends_nothing_and_says_why() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    fixture.edit("10:01", &Edit::Muted(true));
    let opened = fixture.judged("11:00", 2, "error");
    assert_eq!(
        opened,
        HealthEffect::Opened { incident: incident(&fixture), alerting: Alerting::MonitorMuted }
    );
    let resolved = fixture.judged("12:00", 3, "ok");
    assert_eq!(
        resolved,
        HealthEffect::Resolved { incident: incident(&fixture), alerting: Alerting::NeverAnnounced }
    );

    fixture.edit("12:01", &Edit::Muted(false));
    fixture.edit("12:02", &Edit::EnvironmentMuted(named("production"), true));
    let opened = fixture.judged("13:00", 4, "error");
    assert_eq!(
        opened,
        HealthEffect::Opened { incident: incident(&fixture), alerting: Alerting::EnvironmentMuted }
    );
    fixture.edit("13:01", &Edit::EnvironmentMuted(named("production"), false));
    let continued = fixture.judged("14:00", 5, "error");
    assert_eq!(continued, HealthEffect::Continued { incident: incident(&fixture), alerting: Alerting::Sent });
    // An announced incident is resolved with an event, muted or not.
    fixture.edit("14:01", &Edit::Muted(true));
    let resolved = fixture.judged("15:00", 6, "ok");
    assert_eq!(resolved, HealthEffect::Resolved { incident: incident(&fixture), alerting: Alerting::Sent });
}

#[test]
fn what_a_message_did_to_its_run() {
    let fixture = Fixture::with(&hourly(1, 1));
    let change = |received, run, status| fixture.accepted(received, run, status).change;
    assert_eq!(change("10:00", 1, "in_progress"), RunChange::Started);
    assert_eq!(change("10:05", 1, "in_progress"), RunChange::Heartbeat);
    assert_eq!(fixture.run(1).timeout_at(), Some(at("10:15")));
    assert_eq!(change("10:06", 1, "ok"), RunChange::Finished);
    assert_eq!(change("10:07", 2, "error"), RunChange::Single);
    assert_eq!(change("10:08", 3, "in_progress"), RunChange::Started);
    fixture.tick("10:18");
    assert_eq!(change("10:30", 3, "ok"), RunChange::FinishedLate);
    let late = fixture.run(3);
    assert_eq!(
        (late.status(), late.duration()),
        (RunStatus::Timeout, Some(RunDuration::new(22 * 60_000).unwrap()))
    );
    assert_eq!(change("10:40", 0, "in_progress"), RunChange::Started);
    assert_eq!(change("10:41", 0, "ok"), RunChange::Finished);
}

/// A message changes only what it names.
#[test]
fn a_run_keeps_the_newest_release_and_trace_it_was_told() {
    let fixture = Fixture::with(&hourly(1, 1));
    let told = |received, release: Option<&str>, trace: Option<u128>| {
        let mut heartbeat = checkin("job", 1, "in_progress");
        if let Some(release) = release {
            heartbeat = heartbeat.with_release(release);
        }
        if let Some(trace) = trace {
            heartbeat = heartbeat.with_trace_id(Uuid::from_u128(trace));
        }
        fixture.send(received, heartbeat);
        let run = fixture.run(1);
        (run.release().map(str::to_owned), run.trace_id().map(|trace| trace.as_u128()))
    };
    assert_eq!(told("10:00", None, None), (None, None));
    assert_eq!(told("10:01", Some("1.0"), None), (Some("1.0".into()), None));
    assert_eq!(told("10:02", None, Some(7)), (Some("1.0".into()), Some(7)));
    assert_eq!(told("10:03", Some("1.1"), None), (Some("1.1".into()), Some(7)));
    assert_eq!(told("10:04", None, Some(8)), (Some("1.1".into()), Some(8)));
}

#[test]
fn a_completion_after_the_timeout_says_nothing_about_health() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.tick("10:10");
    assert_eq!(fixture.judged("10:30", 1, "ok"), HealthEffect::NoEffect);
    assert!(fixture.environment().incident().is_some());
}

#[test]
fn what_says_nothing_new_is_ignored_with_a_reason() {
    let fixture = Fixture::with(&hourly(1, 1));
    let send = |received, run, status| ignored(fixture.send(received, checkin("job", run, status)));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.accepted("10:05", 1, "in_progress");
    let stale = Ignored::Stale { run: run_id(1), updated_at: at("10:05") };
    assert_eq!(send("10:05", 1, "in_progress"), stale);
    assert_eq!(send("10:03", 1, "in_progress"), stale);
    fixture.accepted("10:06", 1, "ok");
    assert_eq!(send("10:07", 1, "in_progress"), Ignored::AlreadyFinished { run: run_id(1) });

    fixture.accepted("10:10", 2, "in_progress");
    fixture.tick("10:20");
    assert_eq!(send("10:21", 2, "in_progress"), Ignored::AlreadyTimedOut { run: run_id(2) });
    fixture.accepted("10:30", 2, "ok");
    assert_eq!(send("10:30", 2, "ok"), Ignored::Stale { run: run_id(2), updated_at: at("10:30") });
}

#[test]
fn what_says_nothing_new_without_a_name_is_ignored_too() {
    let fixture = Fixture::with(&hourly(1, 1));
    let send = |received, status| ignored(fixture.send(received, checkin("job", 0, status)));
    let first = fixture.accepted("10:00", 0, "in_progress").run;
    assert_eq!(send("10:00", "in_progress"), Ignored::Stale { run: first, updated_at: at("10:00") });
    fixture.accepted("10:05", 0, "in_progress");
    assert_eq!(send("10:05", "in_progress"), Ignored::StaleAnonymous { anonymous_at: at("10:05") });
    fixture.accepted("10:06", 0, "ok");
    assert_eq!(send("10:06", "ok"), Ignored::Stale { run: first, updated_at: at("10:06") });
    assert_eq!(send("10:05", "in_progress"), Ignored::StaleAnonymous { anonymous_at: at("10:06") });
    assert_eq!(fixture.store().runs(&place("job", "production")).len(), 1);
}

#[test]
fn an_anonymous_heartbeat_that_is_older_than_its_run_is_noted() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:05", 1, "in_progress");
    let accepted = fixture.accepted("10:03", 0, "in_progress");
    assert_eq!((accepted.run, accepted.change), (run_id(1), RunChange::Unchanged));
    fixture.accepted("10:06", 1, "ok");
    // Otherwise it would start a run now.
    let again = ignored(fixture.send("10:03", checkin("job", 0, "in_progress")));
    assert_eq!(again, Ignored::StaleAnonymous { anonymous_at: at("10:03") });
}

#[test]
fn what_became_of_the_configuration() {
    let fixture = Fixture::new(Policy::default());
    let schedule = |text: &str| ConfigUpdate::new(Schedule::crontab(text, Zone::UTC).unwrap());
    let send = |received, run, update: ConfigUpdate| match fixture
        .send(received, checkin("job", run, "ok").with_config(update))
    {
        Outcome::Accepted(accepted) => accepted.config,
        other => panic!("{other:?}"),
    };
    assert_eq!(send("10:00", 1, schedule("0 * * * *")), ConfigChange::Created);
    assert_eq!(send("10:01", 2, schedule("0 * * * *")), ConfigChange::Unchanged);
    assert_eq!(send("10:02", 3, schedule("30 * * * *")), ConfigChange::Updated);

    let sent = json!({
        "check_in_id": "00000000-0000-0000-0000-000000000004", "monitor_slug": "job", "status": "ok",
        "monitor_config": {"schedule": {"type": "crontab", "value": "0 0 31 2 *"}, "max_runtime": 0},
    });
    let sent = fixture.send("10:03", sent.to_string().into_bytes());
    let Outcome::Accepted(accepted) = sent else { panic!("{sent:?}") };
    let ConfigChange::Invalid(errors) = accepted.config else { panic!("{:?}", accepted.config) };
    assert_eq!(errors.iter().map(|(field, _)| field).collect::<Vec<_>>(), ["max_runtime", "schedule"]);
    assert_eq!(errors.problem("max_runtime"), Some(&FieldError::OutOfRange { least: 1, most: 40_320 }));
    assert_eq!(fixture.monitor().config().schedule().to_string(), "30 * * * *", "it keeps its own");
}

#[test]
fn a_configuration_that_can_never_work_is_swallowed_only_while_the_quirk_is_kept() {
    let fixture = Fixture::new(keeping(Quirks::NONE.with(Quirk::UnusableConfigsSwallow)));
    fixture.create("job", &hourly(1, 1)).unwrap();
    let sent = json!({
        "check_in_id": "00000000-0000-0000-0000-000000000004", "monitor_slug": "job", "status": "ok",
        "monitor_config": {"schedule": ""},
    });
    let answer = fixture.send("10:00", sent.to_string().into_bytes());
    assert_eq!(answer, Outcome::Reference(reference::Outcome::ConfigSwallowed));
}

#[test]
fn a_tick_says_when_the_next_run_is_due() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    let effects = fixture.tick("14:30");
    let [TickEffect::Missed(missed)] = &effects[..] else { panic!("{effects:?}") };
    let run = fixture.store().runs(&place("job", "production")).pop().unwrap();
    assert_eq!(
        (missed.run, run.status(), run.expected_at()),
        (run.id(), RunStatus::Missed, Some(at("11:00")))
    );
    let deadline = missed.deadline.unwrap();
    assert_eq!(
        (deadline.expected(), deadline.closes()),
        (at("15:00"), at("15:05")),
        "one miss, and caught up"
    );
}

/// A tick checks again before it judges: what has happened since its list was read takes precedence.
#[test]
fn a_deadline_that_passed_by_is_let_pass_with_a_reason() {
    use overdue::Store;
    use overdue::store::Query;

    let fixture = Fixture::with(&hourly(1, 1));
    let (policy, key) = (Policy::default(), place("job", "production"));
    let look = |run: Option<u128>| {
        let query = run.map_or(Query::miss(&policy), |run| Query::run_of(run_id(run), &policy));
        fixture.store().load(&key, &query).unwrap()
    };
    let missed = |when| rules::check_missed(look(None), &key, tick(when), &policy);
    let timed_out = |run, when| rules::check_timeout(look(Some(run)), &key, tick(when), &policy);
    let effect = |reason| (None, TickEffect::Ignored(reason));

    let decision = missed("11:05");
    assert_eq!((decision.transition, decision.outcome.effect), effect(Ignored::NotFound));
    fixture.accepted("10:00", 1, "in_progress");
    let decision = missed("11:04");
    assert_eq!(
        (decision.transition, decision.outcome.effect),
        effect(Ignored::NotDue { due_at: Some(at("11:05")) })
    );
    let decision = timed_out(1, "10:09");
    assert_eq!(
        (decision.transition, decision.outcome.effect),
        effect(Ignored::NotDue { due_at: Some(at("10:10")) })
    );
    let decision = timed_out(2, "10:10");
    assert_eq!((decision.transition, decision.outcome.effect), effect(Ignored::NotFound));

    fixture.accepted("10:05", 1, "ok");
    let decision = timed_out(1, "10:10");
    assert_eq!((decision.transition, decision.outcome.effect), effect(Ignored::NotDue { due_at: None }));

    fixture.edit("10:06", &Edit::Status(MonitorStatus::Disabled));
    let decision = missed("11:05");
    assert_eq!((decision.transition, decision.outcome.effect), effect(Ignored::Disabled));
}

#[test]
fn what_ran_while_nobody_watched_is_unknown() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "in_progress");
    fixture.edit("10:01", &Edit::Status(MonitorStatus::Disabled));
    assert_eq!(fixture.tick("10:10"), [TickEffect::Unknown { run: run_id(1) }]);
}

#[test]
fn a_run_is_judged_again_by_hand() {
    let fixture = Fixture::with(&hourly(1, 1));
    fixture.accepted("10:00", 1, "ok");
    fixture.accepted("11:00", 2, "error");
    let key = place("job", "production");
    let again = fixture.engine.mark_failed(&key, run_id(2), at("11:00")).unwrap();
    assert_eq!(
        again,
        Some(HealthEffect::Continued { incident: incident(&fixture), alerting: Alerting::Sent }.into())
    );
    let older = fixture.engine.mark_ok(&key, run_id(1), at("10:00")).unwrap();
    let expected = HealthEffect::OlderThanFailure { incident: incident(&fixture), last_failure: at("11:00") };
    assert_eq!(older, Some(expected.into()));
    let newer = fixture.engine.mark_ok(&key, run_id(1), at("11:30")).unwrap();
    assert_eq!(
        newer,
        Some(HealthEffect::Resolved { incident: incident(&fixture), alerting: Alerting::Sent }.into())
    );
    assert_eq!(fixture.engine.mark_ok(&key, run_id(9), at("11:30")), Ok(None), "there is no such run");
    assert_eq!(
        fixture.engine.mark_failed(&place("job", "dev"), run_id(1), at("11:30")),
        Ok(None),
        "nor here"
    );
}

/// For logs and pages: the JSON of an answer says everything in words.
#[test]
fn an_answer_can_be_shown() {
    let fixture = Fixture::with(&hourly(3, 1));
    let shown = serde_json::to_value(fixture.send("10:00", checkin("job", 1, "error"))).unwrap();
    assert_eq!(shown["outcome"], "accepted");
    assert_eq!(shown["change"], "single");
    assert_eq!(shown["health"], json!({"effect": "below_threshold", "failures": 1, "threshold": 3}));
    assert_eq!(shown["deadline"]["expected"], "2024-09-02T11:00:00Z");
    let shown = serde_json::to_value(fixture.send("10:00", checkin("job", 1, "in_progress"))).unwrap();
    assert_eq!(shown["outcome"], "ignored");
    assert_eq!(shown["reason"], "already_finished");
    let shown = serde_json::to_value(fixture.engine.tick(tick("11:05")).unwrap()).unwrap();
    assert_eq!(shown["tick"], "2024-09-02T11:05:00Z");
    assert_eq!(shown["outcomes"][0]["effect"]["effect"], "missed");
}
