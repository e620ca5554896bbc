//! Arbitrary steps.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::id::{MonitorKey, ProjectId};
use crate::rules::Edit;
use crate::testkit::history::Step;
use crate::wire::Body;
use crate::{Message, Tick};

use super::{ORGANIZATION, PROJECTS, SLUGS, any_time, bodies, edits, monitor_key, one_of_few};

/// Steps at any dates.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tick = Just(Action::Tick);
    let action = prop_oneof![8 => messages(), 5 => tick, 1 => administration()];
    vec((action, any_time()).prop_map(|(action, now)| action.at(now)), 1..20)
}

/// A step without its time.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// A check-in that was received this long before it is processed.
    Checkin(ProjectId, Body, TimeDelta),
    Tick,
    Edit(MonitorKey, Edit),
}

impl Action {
    pub(super) fn at(self, now: DateTime<Utc>) -> Step {
        match self {
            Self::Checkin(project, body, age) => {
                let received_at = now.checked_sub_signed(age).unwrap_or(now);
                Step::Checkin(Message { organization: ORGANIZATION, project, received_at, body })
            }
            Self::Tick => Step::Tick(Tick::at(now)),
            Self::Edit(monitor, edit) => Step::Edit { monitor, edit, at: now },
        }
    }
}

/// Messages that belong to no run of a history.
pub(super) fn messages() -> impl Strategy<Value = Action> {
    let ages = prop_oneof![6 => Just(0_i64), 1 => 0_i64..7_200].prop_map(TimeDelta::seconds);
    let parts = (one_of_few(PROJECTS), bodies(), ages);
    parts.prop_map(|(project, body, age)| Action::Checkin(project, body, age))
}

/// Edits of any monitor.
pub(super) fn administration() -> impl Strategy<Value = Action> {
    let parts = (one_of_few(SLUGS), edits());
    parts.prop_map(|(slug, edit)| Action::Edit(monitor_key(PROJECTS[0], slug), edit))
}
