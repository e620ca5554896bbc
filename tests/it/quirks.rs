//! Every quirk on the shortest possible timeline, kept and dropped. The scenarios named here are traces that
//! recorded this behaviour of the reference system.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "these are tests")]

mod timeline;

use overdue::policy::Quirk;
use timeline::{crontab, every, nothing};

/// Once a day, so that no run is missed meanwhile.
const DAILY: &str = "0 0 * * *";

macro_rules! names {
    ($($test:ident),* $(,)?) => {
        [$({
            let _: fn() = $test;
            stringify!($test)
        }),*]
    };
}

/// Each quirk has its test, named after it.
#[test]
fn every_quirk_is_shown() {
    let shown = names![
        short_history_opens_incident,
        open_runs_count_as_failures,
        margin_on_local_clock,
        intervals_on_local_clock,
        repeated_hour_forgotten,
        missing_slot_stops_tick,
        late_ok_leaves_error_status,
        last_checkin_moves_back,
        late_in_progress_judges_again,
        stale_heartbeats_apply,
        heartbeat_revives_timeout,
        only_newest_timeout_judged,
        disabled_monitors_time_out,
        incident_ends_before_it_began,
        muted_resolutions_sent,
        refusals_leave_changes,
        foreign_runs_reveal_environment,
        environment_names_untrimmed,
        unusable_configs_swallow,
        blank_timezone_ignored,
        zone_names_exact,
        rate_limit_by_given_environment,
        durations_truncate,
        anonymous_messages_repeat,
        deadlines_outlive_edits,
        idle_days_refused,
        schedule_faults_wait,
        no_incidents,
    ];
    assert_eq!(serde_json::json!(shown), serde_json::json!(Quirk::ALL));
}

/// failure-threshold-short-history
#[test]
fn short_history_opens_incident() {
    crontab(DAILY).with("failure_issue_threshold", 3).shows(
        Quirk::ShortHistoryOpensIncident,
        "
        10:00 a error => kept: status error, 1 alert | dropped: status active, silent
        10:01 b error => kept: 1 alert | dropped: silent
        10:02 c error => kept: 1 alert | dropped: status error, 3 alerts
        ",
    );
}

/// failure-threshold-counts-in-progress, recovery-threshold-blocked-by-in-progress
#[test]
fn open_runs_count_as_failures() {
    crontab(DAILY).with("failure_issue_threshold", 2).shows(
        Quirk::OpenRunsCountAsFailures,
        "
        10:00 a ok
        10:10 b in_progress
        10:20 c error => kept: status error, 2 alerts | dropped: status ok, silent
        ",
    );
    crontab(DAILY).with("recovery_threshold", 2).shows(
        Quirk::OpenRunsCountAsFailures,
        "
        10:00 a error => status error
        10:10 b ok
        10:15 c in_progress
        10:20 d ok => kept: status error, no recovery | dropped: status ok, recovery
        ",
    );
}

/// dst-autumn-margin-goes-back, dst-spring-margin-shrinks
#[test]
fn margin_on_local_clock() {
    crontab("*/5 * * * *").with("checkin_margin", 3).on("2024-11-03", "America/New_York").shows(
        Quirk::MarginOnLocalClock,
        "
        05:55:04 a ok => kept: next 06:00, latest 05:03 | dropped: next 06:00, latest 06:03
        05:57 tick => kept: missed 06:00, 1 alert | dropped: no run, silent
        ",
    );
    crontab("30 * * * *").with("checkin_margin", 120).on("2025-03-09", "America/New_York").shows(
        Quirk::MarginOnLocalClock,
        "
        06:00 a ok => kept: next 06:30, latest 07:30 | dropped: next 06:30, latest 08:30
        ",
    );
}

/// dst-spring-hourly-interval
#[test]
fn intervals_on_local_clock() {
    every(2, "hour").on("2025-03-09", "America/New_York").shows(
        Quirk::IntervalsOnLocalClock,
        "
        06:30 a ok => kept: next 07:30 | dropped: next 08:30
        ",
    );
}

/// dst-autumn-daily-job-in-repeated-hour
#[test]
fn repeated_hour_forgotten() {
    crontab("30 1 * * *").on("2024-11-03", "America/New_York").shows(
        Quirk::RepeatedHourForgotten,
        "
        05:30:05 a ok => next 11-04 06:30
        06:10:07 b ok => kept: next 05:30 | dropped: next 11-04 06:30
        06:11 tick => kept: missed 05:30, 1 alert | dropped: no run, silent
        ",
    );
}

/// In `crashes.jsonl`, dst-new-york-autumn-missed-interval-30-minute. Under the standard rule there is always
/// an expected time before a tick at which something is due. So this takes another quirk: here an old
/// heartbeat, which lets a run time out before it began.
#[test]
fn missing_slot_stops_tick() {
    every(1, "hour").alongside(Quirk::StaleHeartbeatsApply).shows(
        Quirk::MissingSlotStopsTick,
        "
        10:30 a in_progress
        09:40 a in_progress
        10:10 tick
        11:00 tick => kept: status active, no incident | dropped: status error, incident since 10:30
        ",
    );
}

/// status-error-without-incident-by-out-of-order-ok
#[test]
fn late_ok_leaves_error_status() {
    crontab(DAILY).shows(
        Quirk::LateOkLeavesErrorStatus,
        "
        10:00 a error => status error, 1 alert
        10:20 b in_progress
        10:15 c ok => kept: status error, recovery | dropped: status ok, recovery
        10:30 d error => kept: status error, silent | dropped: status error, 1 alert
        ",
    );
}

/// late-close-of-older-checkin-moves-last-checkin-back
#[test]
fn last_checkin_moves_back() {
    crontab(DAILY).shows(
        Quirk::LastCheckinMovesBack,
        "
        10:00 a in_progress => last 10:00
        10:10 b in_progress => last 10:10
        10:15 a ok => kept: last 10:00 | dropped: last 10:10
        ",
    );
}

/// in-progress-after-error-reopens-nothing, in-progress-after-ok-runs-ok-path
#[test]
fn late_in_progress_judges_again() {
    crontab("0 * * * *").shows(
        Quirk::LateInProgressJudgesAgain,
        "
        10:00 a error => 1 alert
        10:05 a in_progress => kept: 1 alert | dropped: silent
        10:10 b ok => next 11:00
        11:10 b in_progress => kept: next 12:00 | dropped: next 11:00
        ",
    );
}

/// timeout-old-heartbeat
#[test]
fn stale_heartbeats_apply() {
    crontab(DAILY).shows(
        Quirk::StaleHeartbeatsApply,
        "
        10:30 a in_progress => a until 11:00
        10:10 a in_progress => kept: a until 10:40 | dropped: no run
        ",
    );
}

/// late-heartbeat-revives-timeout
#[test]
fn heartbeat_revives_timeout() {
    crontab(DAILY).shows(
        Quirk::HeartbeatRevivesTimeout,
        "
        10:00 a in_progress => a until 10:30
        10:30 tick => a timeout, 1 alert
        10:40 a in_progress => kept: a until 11:10 | dropped: no run
        11:10 tick => kept: a timeout, 1 alert | dropped: no run, silent
        ",
    );
}

/// failure-threshold-timeouts
#[test]
fn only_newest_timeout_judged() {
    crontab(DAILY).shows(
        Quirk::OnlyNewestTimeoutJudged,
        "
        10:00 a in_progress
        10:10 b in_progress
        10:30 tick => kept: a timeout, status active, silent | dropped: a timeout, status error, 1 alert
        10:40 tick => b timeout, 1 alert
        ",
    );
}

/// timeout-for-disabled-monitor
#[test]
fn disabled_monitors_time_out() {
    crontab(DAILY).shows(
        Quirk::DisabledMonitorsTimeOut,
        "
        10:00 a in_progress
        10:05 disable
        10:30 tick => kept: a timeout, status error, 1 alert | dropped: a unknown, status active, silent
        ",
    );
}

/// missed-while-in-progress, out-of-order-ok-resolves-but-times-stay
#[test]
fn incident_ends_before_it_began() {
    crontab("*/5 * * * *").shows(
        Quirk::IncidentEndsBeforeItBegan,
        "
        10:00 a in_progress
        10:06 tick => missed 10:05, incident since 10:05
        10:07 a ok => kept: incident from 10:05 to 10:00 | dropped: incident from 10:05 to 10:07
        ",
    );
    crontab(DAILY).shows(
        Quirk::IncidentEndsBeforeItBegan,
        "
        10:10 a error => incident since 10:10
        10:08 b ok
            => kept: incident from 10:10 to 10:08, recovery | dropped: incident since 10:10, no recovery
        ",
    );
}

/// ok-recovers-muted
#[test]
fn muted_resolutions_sent() {
    crontab(DAILY).shows(
        Quirk::MutedResolutionsSent,
        "
        10:00 a ok
        10:01 mute
        10:10 b error => status error, silent
        10:20 c ok => kept: status ok, recovery | dropped: status ok, no recovery
        ",
    );
}

/// guid-of-another-environment, disabled-monitor-still-upserts
#[test]
fn refusals_leave_changes() {
    crontab(DAILY).shows(
        Quirk::RefusalsLeaveChanges,
        r#"
        10:00 a ok => in "production"
        10:01 a ok {"environment": "dev"} => refused checkin_environment_mismatch
        10:02 b ok => kept: in "dev" and "production" | dropped: in "production"
        "#,
    );
    crontab(DAILY).shows(
        Quirk::RefusalsLeaveChanges,
        r#"
        10:00 a ok => next 01-02 00:00
        10:01 disable
        10:02 b ok {"monitor_config": {"schedule": {"type": "crontab", "value": "0 * * * *"}}}
            => refused monitor_disabled
        10:03 enable
        10:04 c ok => kept: next 11:00 | dropped: next 01-02 00:00
        "#,
    );
}

/// guid-of-another-project
#[test]
fn foreign_runs_reveal_environment() {
    crontab(DAILY).shows(
        Quirk::ForeignRunsRevealEnvironment,
        r#"
        10:00 a ok {"environment": "secret"}
        10:01 a ok {"project_id": 2, "monitor_config": {"schedule": {"type": "crontab", "value": "0 0 * * *"}}}
            => kept: refused checkin_environment_mismatch, reveals secret
            | dropped: refused checkin_guid_project_mismatch
        "#,
    );
}

/// environment-name-validation
#[test]
fn environment_names_untrimmed() {
    crontab(DAILY).shows(
        Quirk::EnvironmentNamesUntrimmed,
        r#"
        10:00 a ok {"environment": ""}
            => kept: refused checkin_validation_failed, faults environment | dropped: in "production"
        10:01 b ok {"environment": " dev "} => kept: in " dev " | dropped: in "dev" and "production"
        "#,
    );
}

/// empty-schedule-makes-broken-monitor, margin-beyond-all-time, interval-beyond-all-time
#[test]
fn unusable_configs_swallow() {
    nothing().shows(
        Quirk::UnusableConfigsSwallow,
        r#"
        10:00 a ok {"monitor_config": {"schedule": ""}}
            => kept: not refused, no run | dropped: refused monitor_invalid_config, faults schedule
        "#,
    );
}

/// upsert-changes-timezone
#[test]
fn blank_timezone_ignored() {
    crontab("0 12 * * *").with("timezone", "Asia/Kolkata").shows(
        Quirk::BlankTimezoneIgnored,
        r#"
        05:00 a ok => next 06:30
        05:01 b ok {"monitor_config": {"schedule": {"type": "crontab", "value": "0 12 * * *"}, "timezone": ""}}
            => kept: next 06:30 | dropped: next 12:00
        "#,
    );
}

/// timezone-validation
#[test]
fn zone_names_exact() {
    nothing().shows(
        Quirk::ZoneNamesExact,
        r#"
        05:00 a ok {"monitor_config": {"schedule": {"type": "crontab", "value": "0 12 * * *"}, "timezone": "asia/kolkata"}}
            => kept: refused monitor_invalid_config, faults timezone | dropped: a ok, next 06:30
        "#,
    );
}

/// rate-limit-key-quirks
#[test]
fn rate_limit_by_given_environment() {
    crontab(DAILY).rate_limit(1).shows(
        Quirk::RateLimitByGivenEnvironment,
        r#"
        10:00:00 a ok => not refused
        10:00:10 b ok {"environment": "production"}
            => kept: not refused | dropped: refused monitor_environment_ratelimited
        "#,
    );
}

/// duration-value-kinds
#[test]
fn durations_truncate() {
    crontab(DAILY).shows(
        Quirk::DurationsTruncate,
        r#"
        10:00 a ok {"duration": 1.005} => kept: a took 1004 ms | dropped: a took 1005 ms
        10:01 b ok {"duration": true}
            => kept: b took 1000 ms | dropped: refused checkin_validation_failed, faults duration
        "#,
    );
}

/// duplicate-delivery
#[test]
fn anonymous_messages_repeat() {
    crontab(DAILY).shows(
        Quirk::AnonymousMessagesRepeat,
        "
        10:00 - ok => anonymous ok
        10:00 - ok => kept: anonymous ok | dropped: no run
        ",
    );
    // A heartbeat is redelivered when its run has ended, or when another one is open.
    crontab(DAILY).shows(
        Quirk::AnonymousMessagesRepeat,
        "
        10:00 - in_progress => anonymous until 10:30
        10:10 - in_progress => anonymous until 10:40
        10:20 - ok => anonymous ok
        10:10 - in_progress => kept: anonymous in_progress | dropped: no run
        ",
    );
    crontab(DAILY).shows(
        Quirk::AnonymousMessagesRepeat,
        "
        10:00 a in_progress => a until 10:30
        10:02 b in_progress => b until 10:32
        10:10 - in_progress => b until 10:40
        10:15 b ok => b ok
        10:10 - in_progress => kept: a until 10:40 | dropped: no run
        ",
    );
    // It was too old when it first arrived.
    crontab(DAILY).shows(
        Quirk::AnonymousMessagesRepeat,
        "
        10:10 a in_progress => a until 10:40
        10:05 - in_progress
        10:15 a ok => a ok
        10:05 - in_progress => kept: anonymous in_progress | dropped: no run
        ",
    );
}

/// disable-then-enable-mid-incident
#[test]
fn deadlines_outlive_edits() {
    crontab("0 * * * *").shows(
        Quirk::DeadlinesOutliveEdits,
        "
        10:00 a ok => next 11:00
        10:30 disable
        12:30 enable => kept: next 11:00 | dropped: next 13:00
        12:31 tick => kept: missed 11:00, 1 alert | dropped: no run, silent
        ",
    );
}

/// crontab-validation
#[test]
fn idle_days_refused() {
    nothing().shows(
        Quirk::IdleDaysRefused,
        r#"
        10:00 a ok {"monitor_config": {"schedule": {"type": "crontab", "value": "0 0 31 2 1"}}}
            => kept: refused monitor_invalid_config, faults schedule | dropped: a ok, next 02-03 00:00
        "#,
    );
}

/// numeric-settings-validation
#[test]
fn schedule_faults_wait() {
    nothing().shows(
        Quirk::ScheduleFaultsWait,
        r#"
        10:00 a ok {"monitor_config": {"schedule": {"type": "crontab", "value": "bad"}, "max_runtime": 0}}
            => kept: faults max_runtime | dropped: faults max_runtime+schedule
        "#,
    );
}

/// There is no trace: the reference judged like this before it had incidents.
#[test]
fn no_incidents() {
    crontab("0 * * * *").shows(
        Quirk::NoIncidents,
        "
        10:00 a error => kept: status error, no incident | dropped: status error, incident since 10:00, 1 alert
        11:01 tick => kept: missed 11:00, status missed | dropped: missed 11:00, status error
        11:10 b ok => kept: status ok, no recovery | dropped: status ok, recovery
        ",
    );
}
