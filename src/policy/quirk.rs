//! Departures from the standard profile, one by one.

use serde::{Deserialize, Serialize};

/// One way in which the reference system, Sentry's cron monitoring of September 2024, departs from what this
/// crate holds to be right.
///
/// [`Policy::sentry_2024`](crate::Policy::sentry_2024) keeps all quirks of that time, and the standard
/// profile none. A host that migrates can drop them one by one. Each variant describes what happens while the
/// quirk is *kept*; its second paragraph says what the standard profile does instead.
///
/// ```
/// use overdue::policy::{Policy, Quirk};
///
/// assert!(Policy::sentry_2024().profile.keeps(Quirk::DurationsTruncate));
/// assert!(!Policy::default().profile.keeps(Quirk::DurationsTruncate));
/// assert_eq!(serde_json::to_string(&Quirk::DurationsTruncate)?, r#""durations_truncate""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[repr(u8)]
pub enum Quirk {
    /// An incident opens when the history is shorter than the failure threshold and contains no success.
    ///
    /// Standard: a threshold of n means n failed runs.
    ShortHistoryOpensIncident,
    /// Open runs count as failures in the failure window, and prevent recovery.
    ///
    /// Standard: runs that are open or unknown count as neither failures nor successes.
    OpenRunsCountAsFailures,
    /// The margin is added to the local wall clock, which forgets the first or second pass of a repeated
    /// hour. This causes false misses in autumn, and margins that shrink or grow.
    ///
    /// Standard: the margin is added to the instant (I6, I7).
    MarginOnLocalClock,
    /// Intervals of minutes and hours step along the local wall clock.
    ///
    /// Standard: minutes and hours are exact durations; days and longer keep the local time of day.
    IntervalsOnLocalClock,
    /// A crontab search that starts in the second pass of a repeated hour takes it for the first. The next
    /// time may then lie in the past, and one expected run may be missed twice.
    ///
    /// Standard: each expected run is missed at most once, and the next time always lies in the future.
    RepeatedHourForgotten,
    /// If a schedule has no time before a tick, the tick stops half-way at that environment, and stops there
    /// again every time.
    ///
    /// Standard: the search falls back to the expected time itself.
    MissingSlotStopsTick,
    /// A success that arrives out of order resolves the incident but leaves the status at error.
    ///
    /// Standard: the status is error exactly while an incident is open (I2).
    LateOkLeavesErrorStatus,
    /// Closing an older run moves `last_checkin` back.
    ///
    /// Standard: it never moves back.
    LastCheckinMovesBack,
    /// An `in_progress` that arrives after its run failed reports the failure once more. One that arrives
    /// after its run succeeded computes the deadlines again.
    ///
    /// Standard: it changes nothing (I4).
    LateInProgressJudgesAgain,
    /// A heartbeat that is repeated, or older than a previous one, is applied once more.
    ///
    /// Standard: a heartbeat is applied only if it is newer than all before it (I4).
    StaleHeartbeatsApply,
    /// A heartbeat puts a timed-out run back in progress, so that it can time out and alert again.
    ///
    /// Standard: a timed-out run stays timed out, and alerts once.
    HeartbeatRevivesTimeout,
    /// Of overlapping runs, only the timeout of the newest is judged.
    ///
    /// Standard: every timeout is judged, unless a newer run has finished.
    OnlyNewestTimeoutJudged,
    /// Runs of a disabled monitor still time out and alert.
    ///
    /// Standard: disabling stops both (I9).
    DisabledMonitorsTimeOut,
    /// An incident is resolved at the date of the run that resolved it, which may lie before the incident's
    /// start.
    ///
    /// Standard: it is resolved when the result arrived. A success that arrived before the start resolves
    /// nothing.
    IncidentEndsBeforeItBegan,
    /// A muted environment still sends resolutions.
    ///
    /// Standard: a resolution is sent exactly if the incident was announced.
    MutedResolutionsSent,
    /// A rejected check-in may leave behind a new environment or a changed configuration.
    ///
    /// Standard: a rejection changes nothing.
    RefusalsLeaveChanges,
    /// The answer to a check-in that names a run of another project contains that run's environment.
    ///
    /// Standard: the answer is a project mismatch, and nothing leaks.
    ForeignRunsRevealEnvironment,
    /// An environment named `""` is rejected, padding is kept, and a line feed at the very end is allowed.
    ///
    /// Standard: names are trimmed, and an empty one means production.
    EnvironmentNamesUntrimmed,
    /// Some configurations that can never work are accepted, and every check-in that brings one is lost.
    ///
    /// Standard: they are rejected at validation, and the field is named.
    UnusableConfigsSwallow,
    /// A blank time zone keeps the stored one.
    ///
    /// Standard: blank means UTC.
    BlankTimezoneIgnored,
    /// Names of time zones must be exact.
    ///
    /// Standard: they are read in any case.
    ZoneNamesExact,
    /// A missing environment and `"production"` are counted apart by the rate limit.
    ///
    /// Standard: they share one key.
    RateLimitByGivenEnvironment,
    /// Durations are cut to the millisecond, in binary fractions (1.005 s is 1004 ms), and `true` is a
    /// second.
    ///
    /// Standard: the nearest millisecond; only numbers are durations.
    DurationsTruncate,
    /// A redelivered message without a run id starts or ends another run.
    ///
    /// Standard: it is recognised by the time at which it was received (I4).
    #[serde(alias = "unnamed_messages_repeat")]
    AnonymousMessagesRepeat,
    /// Deadlines stay as they are when a monitor is edited, disabled or enabled. Once enabled again, a
    /// monitor immediately misses the runs that it could not report.
    ///
    /// Standard: an edit takes effect on the deadlines at once.
    DeadlinesOutliveEdits,
    /// A day that never comes in the listed months is rejected even where a day of the week is listed too: `0
    /// 0 31 2 1`. Older releases of CronSim do this.
    ///
    /// Standard: it is accepted, as by newer releases, and runs on Mondays in February.
    IdleDaysRefused,
    /// The schedule of a configuration is validated only if no other field is invalid.
    ///
    /// Standard: all invalid fields are named at once.
    ScheduleFaultsWait,
    /// Each failure is an event of its own, and there are no incidents, as before the reference had
    /// thresholds. The status of the environment shows how its last run failed. Not part of
    /// [`Quirks::SENTRY_2024`].
    ///
    /// Standard: failures in a row open an incident, successes in a row resolve it.
    NoIncidents,
}

impl Quirk {
    /// Every quirk, in the order of declaration.
    pub const ALL: [Quirk; 28] = [
        Quirk::ShortHistoryOpensIncident,
        Quirk::OpenRunsCountAsFailures,
        Quirk::MarginOnLocalClock,
        Quirk::IntervalsOnLocalClock,
        Quirk::RepeatedHourForgotten,
        Quirk::MissingSlotStopsTick,
        Quirk::LateOkLeavesErrorStatus,
        Quirk::LastCheckinMovesBack,
        Quirk::LateInProgressJudgesAgain,
        Quirk::StaleHeartbeatsApply,
        Quirk::HeartbeatRevivesTimeout,
        Quirk::OnlyNewestTimeoutJudged,
        Quirk::DisabledMonitorsTimeOut,
        Quirk::IncidentEndsBeforeItBegan,
        Quirk::MutedResolutionsSent,
        Quirk::RefusalsLeaveChanges,
        Quirk::ForeignRunsRevealEnvironment,
        Quirk::EnvironmentNamesUntrimmed,
        Quirk::UnusableConfigsSwallow,
        Quirk::BlankTimezoneIgnored,
        Quirk::ZoneNamesExact,
        Quirk::RateLimitByGivenEnvironment,
        Quirk::DurationsTruncate,
        Quirk::AnonymousMessagesRepeat,
        Quirk::DeadlinesOutliveEdits,
        Quirk::IdleDaysRefused,
        Quirk::ScheduleFaultsWait,
        Quirk::NoIncidents,
    ];
}

/// A set of [`Quirk`]s.
///
/// ```
/// use overdue::policy::{Quirk, Quirks};
///
/// let kept = Quirks::SENTRY_2024.without(Quirk::MarginOnLocalClock);
/// assert!(kept.keeps(Quirk::ShortHistoryOpensIncident));
/// assert!(!kept.keeps(Quirk::MarginOnLocalClock));
/// ```
#[derive(Clone, Copy, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(from = "Vec<Quirk>", into = "Vec<Quirk>")]
pub struct Quirks(u32);

impl Quirks {
    /// No quirk: the standard profile.
    pub const NONE: Quirks = Quirks(0);
    /// The quirks of the reference system in September 2024: all but [`Quirk::NoIncidents`].
    pub const SENTRY_2024: Quirks = Quirks((1 << Quirk::ALL.len()) - 1).without(Quirk::NoIncidents);

    /// Whether the quirk is kept.
    pub const fn keeps(self, quirk: Quirk) -> bool {
        self.0 & (1 << quirk as u8) != 0
    }

    /// Returns the same set with one more quirk.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Quirks {
        Quirks(self.0 | (1 << quirk as u8))
    }

    /// Returns the same set without a quirk.
    #[must_use]
    pub const fn without(self, quirk: Quirk) -> Quirks {
        Quirks(self.0 & !(1 << quirk as u8))
    }

    /// Whether one expected run may be missed more than once.
    pub(crate) const fn misses_repeat(self) -> bool {
        self.keeps(Quirk::MarginOnLocalClock)
            || self.keeps(Quirk::RepeatedHourForgotten)
            || self.keeps(Quirk::IntervalsOnLocalClock)
            || self.keeps(Quirk::MissingSlotStopsTick)
    }

    /// The quirks of the set, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.into_iter().filter(move |quirk| self.keeps(*quirk))
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Self {
        quirks.into_iter().fold(Quirks::NONE, Quirks::with)
    }
}

impl From<Vec<Quirk>> for Quirks {
    fn from(quirks: Vec<Quirk>) -> Self {
        quirks.into_iter().collect()
    }
}

impl From<Quirks> for Vec<Quirk> {
    fn from(quirks: Quirks) -> Self {
        quirks.iter().collect()
    }
}

impl std::fmt::Debug for Quirks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
