//! What people do to monitors.

use proptest::prelude::*;

use crate::id::Owner;
use crate::row::MonitorStatus;
use crate::rules::Edit;

use super::{ENVIRONMENTS, configs, environment_name, one_of_few};

/// Edits of every kind.
///
/// ```
/// use overdue::rules::Edit;
/// use overdue::testkit::strategies::edits;
/// use proptest::prelude::*;
///
/// proptest!(|(edit in edits())| {
///     let kept = serde_json::to_string(&edit).unwrap();
///     prop_assert_eq!(serde_json::from_str::<Edit>(&kept).unwrap(), edit);
/// });
/// ```
pub fn edits() -> impl Strategy<Value = Edit> {
    let name = || one_of_few(ENVIRONMENTS).prop_map(environment_name);
    // Mostly watched, or nothing more happens.
    let watched = || prop_oneof![2 => Just(true), 1 => Just(false)];
    let status = |watched| if watched { MonitorStatus::Active } else { MonitorStatus::Disabled };
    prop_oneof![
        configs().prop_map(Edit::Config),
        any::<bool>().prop_map(Edit::Muted),
        (name(), any::<bool>()).prop_map(|(name, muted)| Edit::EnvironmentMuted(name, muted)),
        watched().prop_map(move |watched| Edit::Status(status(watched))),
        (name(), watched()).prop_map(|(name, watched)| Edit::EnvironmentEnabled(name, watched)),
        Just(Edit::Name("A new name".into())),
        Just(Edit::Owner(Some(Owner::User(1)))),
    ]
}
