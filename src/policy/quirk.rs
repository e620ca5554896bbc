//! Departures from the standard profile, one by one.

use serde::{Deserialize, Serialize};

/// One way in which the reference system, Sentry's cron monitoring of September 2024, departs from what
/// this crate holds to be right.
///
/// [`Policy::sentry_2024`](crate::Policy::sentry_2024) keeps all of that time, and the standard profile none. A host
/// that migrates can drop them one by one. Each variant describes what happens while the quirk is
/// *kept*; the second paragraph says what the standard profile does instead.
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
    /// An incident opens when the history is shorter than the failure threshold and holds no ok.
    ///
    /// Standard: a threshold of n means n failing check-ins.
    ShortHistoryOpensIncident,
    /// Open runs count as failures in the failure window, and stand in the way of recovery.
    ///
    /// Standard: runs that are open or unknown are neither failures nor successes.
    OpenRunsCountAsFailures,
    /// The margin is added to the local wall clock, and which of two repeated hours is meant is forgotten:
    /// false misses in autumn, shrunken or grown margins.
    ///
    /// Standard: the margin is added to the instant (I6, I7).
    MarginOnLocalClock,
    /// Intervals of minutes and hours step on the local wall clock.
    ///
    /// Standard: minutes and hours are exact durations; days and longer keep the local time of day.
    IntervalsOnLocalClock,
    /// A crontab search that starts in the second pass of a repeated hour takes it for the first: the next
    /// time may lie in the past, and one slot may be missed twice.
    ///
    /// Standard: one miss a slot, and the next time always lies in the future.
    RepeatedHourForgotten,
    /// When a schedule has no slot before a tick, the tick stops half-way at that environment, and stops
    /// there again every time.
    ///
    /// Standard: the search falls back to the expected time itself.
    MissingSlotStopsTick,
    /// An ok that arrives out of order resolves the incident but leaves the status at error.
    ///
    /// Standard: the status is error exactly while an incident is open (I2).
    LateOkLeavesErrorStatus,
    /// Closing an older run moves `last_checkin` back.
    ///
    /// Standard: it never moves back.
    LastCheckinMovesBack,
    /// An `in_progress` that arrives after its run failed reports the failure once more, and one that
    /// arrives after its run succeeded computes the deadlines anew.
    ///
    /// Standard: it changes nothing (I4).
    LateInProgressJudgesAgain,
    /// A heartbeat that is repeated, or older than one already seen, is applied once more.
    ///
    /// Standard: only a heartbeat newer than all before it says something new (I4).
    StaleHeartbeatsApply,
    /// A heartbeat puts a timed-out run back in progress, from where it can time out and alert again.
    ///
    /// Standard: a timed-out run stays timed out, and alerts once.
    HeartbeatRevivesTimeout,
    /// Of overlapping runs only the timeout of the newest is judged.
    ///
    /// Standard: each is judged, unless a newer run has finished.
    OnlyNewestTimeoutJudged,
    /// Runs of a disabled monitor still time out and alert.
    ///
    /// Standard: disabling stops both (I9).
    DisabledMonitorsTimeOut,
    /// An incident ends at the date of the run that resolved it, which may lie before the incident's start.
    ///
    /// Standard: it ends when the result arrived, and an ok that arrived before the start resolves nothing.
    IncidentEndsBeforeItBegan,
    /// A muted environment still sends resolutions.
    ///
    /// Standard: a resolution is sent exactly for what was announced.
    MutedResolutionsSent,
    /// A check-in that is refused may leave a new environment or a changed configuration behind.
    ///
    /// Standard: a refusal changes nothing.
    RefusalsLeaveChanges,
    /// A check-in that names a run of another project is answered with that run's environment.
    ///
    /// Standard: the answer is a project mismatch, and nothing leaks.
    ForeignRunsRevealEnvironment,
    /// An environment named `""` is refused, padding is kept, and a line feed at the very end is overlooked.
    ///
    /// Standard: names are trimmed, and an empty one means production.
    EnvironmentNamesUntrimmed,
    /// Some configurations that can never work are accepted, and swallow every check-in that brings them.
    ///
    /// Standard: they are refused at validation, naming the field.
    UnusableConfigsSwallow,
    /// A blank time zone leaves the stored one.
    ///
    /// Standard: blank means UTC.
    BlankTimezoneIgnored,
    /// A missing environment and `"production"` are limited apart.
    ///
    /// Standard: they are one key.
    RateLimitByGivenEnvironment,
    /// Durations are cut to the millisecond, in binary fractions (1.005 s is 1004 ms), and `true` is a second.
    ///
    /// Standard: the nearest millisecond; only numbers are durations.
    DurationsTruncate,
    /// A message with the all-zero id that is delivered again starts or ends another run.
    ///
    /// Standard: it is recognised by the time it was received (I4).
    #[serde(alias = "unnamed_messages_repeat")]
    AnonymousMessagesRepeat,
    /// Deadlines stay as they are when a monitor is edited, disabled or enabled: a monitor that is enabled
    /// again is at once held to have missed what it could not report.
    ///
    /// Standard: an edit takes effect on the deadlines at once.
    DeadlinesOutliveEdits,
    /// A day that never comes in the listed months is refused even where a day of the week is listed too:
    /// `0 0 31 2 1`. Older releases of CronSim do.
    ///
    /// Standard: it is accepted, as newer ones do, and runs on Mondays in February.
    IdleDaysRefused,
    /// The schedule of a configuration is looked at only when no other field is at fault.
    ///
    /// Standard: all faults are named at once.
    ScheduleFaultsWait,
    /// Each failure is an event of its own, and there are no incidents, as it was before the reference had
    /// thresholds. The status of the environment tells how its last run failed. Not part of
    /// [`Quirks::SENTRY_2024`].
    ///
    /// Standard: failures in a row open an incident, successes in a row resolve it.
    NoIncidents,
}

impl Quirk {
    /// Every quirk, in the order of declaration.
    pub const ALL: [Quirk; 27] = [
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

    /// The same set and one quirk more.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Quirks {
        Quirks(self.0 | (1 << quirk as u8))
    }

    /// The same set without one quirk.
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
