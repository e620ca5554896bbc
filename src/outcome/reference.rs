//! Outcomes that only the rules of the reference have.

use serde::Serialize;

use super::Alerting;

/// An answer to a check-in that the standard rules never give.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "reference", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The check-in brought a configuration that can never work, and was lost:
    /// [`Quirk::UnusableConfigsSwallow`](crate::policy::Quirk::UnusableConfigsSwallow).
    ConfigSwallowed,
}

/// The effect of a run on health, where the standard rules have no term for it.
///
/// ```
/// use overdue::outcome::reference::Effect;
///
/// assert_eq!(Effect::Recovered.to_string(), "healthy again");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// It failed, and there are no incidents: [`Quirk::NoIncidents`](crate::policy::Quirk::NoIncidents).
    Failed {
        /// Whether an alert was sent.
        alerting: Alerting,
    },
    /// It succeeded, and the environment was failing without an incident.
    Recovered,
    /// It failed, and a quirk has lost the incident, so no alert is sent.
    Stranded,
    /// The tick stopped at this environment:
    /// [`Quirk::MissingSlotStopsTick`](crate::policy::Quirk::MissingSlotStopsTick).
    TickStopped,
}
