//! Strategies for `proptest`: schedules, configurations, check-ins, and whole [histories].
//!
//! They use few [places], so that steps affect each other.
//!
//! ```
//! use overdue::event::NoSink;
//! use overdue::testkit::strategies::{Pace, histories};
//! use overdue::{Engine, MemoryStore, Policy};
//! use proptest::prelude::*;
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig { failure_persistence: None, cases: 8, ..ProptestConfig::default() })]
//!     # /*
//!     #[test]
//!     # */
//!     fn the_engine_survives_a_bad_week(history in histories(Pace::Plausible)) {
//!         let engine = Engine::new(MemoryStore::new(), Policy::default());
//!         prop_assert!(history.play(&engine).is_ok());
//!     }
//! }
//! # the_engine_survives_a_bad_week();
//! ```

mod arbitrary;
mod checkins;
mod edits;
mod plausible;
mod schedules;

pub use checkins::{bodies, checkins, config_updates, statuses};
pub use edits::edits;
pub use schedules::{any_time, configs, schedules};

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::config::MonitorConfig;
use crate::id::{EnvironmentKey, EnvironmentName, MonitorKey, OrganizationId, ProjectId};
use crate::testkit::history::History;

/// How time passes in a history.
///
/// ```
/// use overdue::testkit::strategies::{Pace, histories};
///
/// let (plausible, arbitrary) = (histories(Pace::Plausible), histories(Pace::Arbitrary));
/// # let _ = (plausible, arbitrary);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "as it does, or arbitrarily")]
pub enum Pace {
    /// As in a data centre, often around a change of clocks. Jobs run near their expected times: some early,
    /// late, failing, overlapping, hanging or not at all. Messages are lost, delayed and delivered again.
    /// Ticks are skipped, repeated and late. Workers restart, and sometimes everything is silent for days. In
    /// between come unrelated messages, and edits.
    Plausible,
    /// Any date that chrono can hold after any other, with arbitrary messages and edits.
    Arbitrary,
}

/// Histories of one or two [monitors], never empty.
///
/// ```
/// use overdue::testkit::strategies::{Pace, histories};
/// use proptest::strategy::{Strategy, ValueTree};
/// use proptest::test_runner::TestRunner;
///
/// let history = histories(Pace::Plausible).new_tree(&mut TestRunner::deterministic())?.current();
/// assert!(!history.steps.is_empty());
/// # Ok::<(), proptest::test_runner::Reason>(())
/// ```
pub fn histories(pace: Pace) -> impl Strategy<Value = History> {
    monitors().prop_flat_map(move |monitors| {
        let steps = match pace {
            Pace::Plausible => plausible::steps(monitors.clone()).boxed(),
            Pace::Arbitrary => arbitrary::steps().boxed(),
        };
        steps.prop_map(move |steps| History { organization: ORGANIZATION, monitors: monitors.clone(), steps })
    })
}

/// One or two monitors of one project, with [configurations](configs) of their own.
///
/// ```
/// use overdue::testkit::strategies::{monitors, places};
/// use proptest::strategy::{Strategy, ValueTree};
/// use proptest::test_runner::TestRunner;
///
/// let created = monitors().new_tree(&mut TestRunner::deterministic())?.current();
/// assert!(created.iter().all(|(key, _)| places().any(|place| place.monitor == *key)));
/// # Ok::<(), proptest::test_runner::Reason>(())
/// ```
pub fn monitors() -> impl Strategy<Value = Vec<(MonitorKey, MonitorConfig)>> {
    vec(configs(), 1..=SLUGS.len()).prop_map(|configs| {
        let keys = SLUGS.into_iter().map(|slug| monitor_key(PROJECTS[0], slug));
        keys.zip(configs).collect()
    })
}

/// The environments that a history may create.
///
/// ```
/// use overdue::testkit::strategies::places;
///
/// assert_eq!(places().next().map(|place| place.to_string()).as_deref(), Some("7/job/production"));
/// assert_eq!(places().count(), 8);
/// ```
pub fn places() -> impl Iterator<Item = EnvironmentKey> {
    PROJECTS.into_iter().flat_map(|project| {
        SLUGS.into_iter().flat_map(move |slug| {
            ENVIRONMENTS.into_iter().map(move |name| EnvironmentKey {
                monitor: monitor_key(project, slug),
                name: environment_name(name),
            })
        })
    })
}

const ORGANIZATION: OrganizationId = OrganizationId::new(1);
const PROJECTS: [ProjectId; 2] = [ProjectId::new(7), ProjectId::new(8)];
const SLUGS: [&str; 2] = ["job", "other-job"];
const ENVIRONMENTS: [&str; 2] = ["production", "dev"];

fn monitor_key(project: ProjectId, slug: &str) -> MonitorKey {
    MonitorKey { project, slug: slug.parse().unwrap() }
}

fn environment_name(name: &str) -> EnvironmentName {
    name.parse().unwrap()
}

/// Mostly the first, so that steps affect each other.
fn one_of_few<T: Clone + Debug + 'static>(few: [T; 2]) -> impl Strategy<Value = T> {
    let [most, some] = few;
    prop_oneof![5 => Just(most), 1 => Just(some)]
}
