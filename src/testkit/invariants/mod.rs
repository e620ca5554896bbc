//! Checks a host against the invariants of the standard profile, step by step.
//!
//! [`Invariants`] reads the rows through the [`Store`] trait alone, so it can check any host, and compares
//! them with what it read after the step before. The host must take one step at a time.
//!
//! | | what is checked |
//! |---|---|
//! | **I1** | the events of an environment, and how many incidents its row has counted |
//! | **I2** | the row |
//! | **I3** | the next miss of each environment is decided twice, each time on a new snapshot; both decisions must be equal |
//! | **I4** | the message is decided again on the rows that it left, and must write nothing. No two events have one id |
//! | **I5** | the runs that the step names; with [`audit`](Invariants::audit), every result ever seen |
//! | **I6** | the row |
//! | **I7** | what the store lists as due, and the deadlines in the rows; with [`audit`](Invariants::audit), in all of them |
//! | **I8** | what a tick judged was due by the rows before it, and is judged once; its cost is part of I12 |
//! | **I9** | under a mute no failure is announced, and the edit that mutes changes nothing else; what is disabled is not judged. Comparing a history with and without its mutes takes two runs of it: the crate's own tests do that |
//! | **I10** | the rows agree with the answers and events; a rejected or ignored message changed nothing. Crashes between two calls take a store that crashes: the crate's tests have one |
//! | **I11** | a panic needs no checker. This one never panics itself |
//! | **I12** | environments that a step does not concern stay as they are; with a [`Witness`] around the store, [`cost`](Invariants::cost) counts its calls |

mod calls;
mod events;
mod memory;
mod redelivery;
mod rows;
mod runs;
mod violation;

pub use calls::{Calls, Witness};
pub use violation::{Invariant, InvariantError, Violation};

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;

use crate::id::MonitorKey;
use crate::outcome::{DueOutcome, Outcome, TickEffect};
use crate::store::{DueKind, DueQuery};
use crate::testkit::history::{Answer, Step};
use crate::{Event, Policy, Store, Tick, TickReport};

use memory::Memory;

/// Checks a host after each step, and returns the first violation.
///
/// ```
/// use overdue::Zone;
/// use std::sync::{Arc, Mutex};
///
/// use overdue::testkit::history::Step;
/// use overdue::testkit::invariants::Invariants;
/// use overdue::{Engine, Event, MemoryStore, Policy, Tick};
///
/// # let (_, message, _, _) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// # let body = overdue::Checkin::new("nightly".parse()?, overdue::checkin::RunRef::Anonymous, overdue::checkin::CheckinStatus::Ok)
/// #     .with_config(overdue::config::ConfigUpdate::new(overdue::Schedule::crontab("0 2 * * *", Zone::UTC)?));
/// # let message = overdue::Message { body: body.into(), ..message };
/// let told = Arc::new(Mutex::new(Vec::new()));
/// let engine = Engine::new(MemoryStore::new(), Policy::default()).with_sink(Arc::clone(&told));
/// let mut invariants = Invariants::new(Policy::default());
/// let steps = [Step::Checkin(message), Step::Tick(Tick::at("2024-09-03T02:01:00Z".parse()?))];
/// for step in &steps {
///     let answer = step.take(&engine)?;
///     let events = std::mem::take(&mut *told.lock().unwrap());
///     invariants.after(step, &answer, engine.store(), &events)?;
/// }
/// invariants.audit(engine.store())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Invariants {
    policy: Policy,
    memory: Memory,
}

impl Invariants {
    /// A checker that has seen nothing. The policy is that of the host.
    pub fn new(policy: Policy) -> Self {
        Self { policy, memory: Memory::default() }
    }

    /// Checks what a step left behind: the rows that it may have touched, and its events.
    ///
    /// The cost grows with what the step was about, not with the size of the store. Rows of a monitor from
    /// before the first step that names it are taken as they are.
    ///
    /// # Errors
    /// * [`InvariantError::Violated`] with the first violation. Do not use this checker further.
    /// * [`InvariantError::Store`] when the store cannot be read.
    pub fn after<S: Store>(
        &mut self,
        step: &Step,
        answer: &Answer,
        store: &S,
        events: &[Event],
    ) -> Result<(), InvariantError<S::Error>> {
        events::told(&mut self.memory, events)?;
        rows::silent(answer, events)?;
        if let (Step::Tick(_), Answer::Tick(report)) = (step, answer) {
            rows::was_due(&self.memory, report)?;
        }
        self.memory.ticked = match step {
            Step::Tick(tick) => Some(*tick),
            Step::Checkin(_) | Step::Edit { .. } => None,
        };
        for monitor in concerned(step, answer) {
            let found = store.load_monitor(&monitor).map_err(InvariantError::Store)?;
            rows::monitor(&mut self.memory, step, answer, &monitor, found)?;
        }
        runs::stand(&mut self.memory, &self.policy, answer, store)?;
        match (step, answer) {
            (Step::Tick(tick), _) => nothing_due(store, *tick)?,
            (Step::Checkin(message), Answer::Checkin(outcome)) => {
                redelivery::delivered(store, &self.policy, message, outcome)?;
            }
            _ => {}
        }
        redelivery::decided(store, &self.policy, answer)
    }

    /// Takes the rows of a monitor as they are, whatever was seen of them before: for a host that lost the
    /// answer of a call, and so does not know what it wrote.
    ///
    /// ```
    /// use overdue::testkit::invariants::Invariants;
    /// use overdue::{MemoryStore, Policy};
    ///
    /// # let (_, _, monitor, _) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
    /// let mut invariants = Invariants::new(Policy::default());
    /// invariants.meet(&monitor, &MemoryStore::new())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As the store fails.
    pub fn meet<S: Store>(&mut self, monitor: &MonitorKey, store: &S) -> Result<(), S::Error> {
        self.memory.meet(monitor, store.load_monitor(monitor)?);
        Ok(())
    }

    /// Checks everything ever seen: no row changed without a step that concerns it (I12), every result stands
    /// (I5), and nothing is due if the last step was a tick (I7). The cost grows with everything ever seen.
    ///
    /// # Errors
    /// As [`after`](Self::after).
    pub fn audit<S: Store>(&self, store: &S) -> Result<(), InvariantError<S::Error>> {
        for monitor in self.memory.monitors() {
            let found = store.load_monitor(monitor).map_err(InvariantError::Store)?;
            rows::unchanged(&self.memory, monitor, found.as_ref())?;
        }
        runs::results(&self.memory, &self.policy, store)
    }

    /// Checks what a step read from its store (I12), and that it wrote in one commit (I10).
    ///
    /// ```
    /// use overdue::event::NoSink;
    /// use overdue::testkit::history::Step;
    /// use overdue::testkit::invariants::{Invariants, Witness};
    /// use overdue::{Engine, MemoryStore, Policy, Tick};
    ///
    /// let engine = Engine::new(Witness::over(MemoryStore::new()), Policy::default());
    /// let step = Step::Tick(Tick::at("2024-09-02T02:01:00Z".parse()?));
    /// let answer = step.take(&engine)?;
    /// Invariants::cost(&answer, &engine.store().take())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first [`Violation`] found.
    pub fn cost(answer: &Answer, calls: &Calls) -> Result<(), Violation> {
        let touched: HashSet<_> =
            calls.commits.iter().flat_map(|commit| &commit.environments).map(|put| &put.row.key).collect();
        let asked = |what: String| Err(Violation::AskedTooMuch { what });
        let (decisions, loads) = (calls.commits.len(), calls.loads.len());
        match answer {
            Answer::Checkin(_) if calls.lists > 0 => asked("has listed what is due".into()),
            Answer::Checkin(_) if touched.len() > 1 => {
                asked(format!("has put {} environments", touched.len()))
            }
            Answer::Checkin(_) if decisions > 1 => asked(format!("was committed {decisions} times")),
            Answer::Checkin(_) if loads > 1 + calls.refused => asked(format!("was loaded {loads} times")),
            Answer::Edit(_) if decisions > 1 => asked(format!("was committed {decisions} times")),
            Answer::Tick(report) => {
                let due = report.outcomes.len();
                if calls.listed != due {
                    return asked(format!("has listed {} entries and judged {due}", calls.listed));
                }
                if loads > due + calls.refused || decisions > due {
                    return asked(format!(
                        "has loaded {loads} times, committed {decisions}, and judged {due}"
                    ));
                }
                match calls.commits.iter().find(|commit| commit.environments.len() != 1) {
                    Some(commit) => {
                        asked(format!("has put {} environments at once", commit.environments.len()))
                    }
                    None => Ok(()),
                }
            }
            Answer::Checkin(_) | Answer::Edit(_) => Ok(()),
        }
    }
}

/// The monitors whose rows a step may have touched.
fn concerned(step: &Step, answer: &Answer) -> BTreeSet<MonitorKey> {
    let judged = outcomes(answer).iter().map(|outcome| outcome.environment.monitor.clone());
    step.monitor().into_iter().chain(judged).collect()
}

/// What a tick judged. Empty for other steps.
fn outcomes(answer: &Answer) -> &[DueOutcome] {
    match answer {
        Answer::Tick(TickReport { outcomes, .. }) => outcomes,
        Answer::Checkin(_) | Answer::Edit(_) => &[],
    }
}

/// The runs that an answer names, with their environments.
fn named(answer: &Answer) -> Vec<(crate::id::EnvironmentKey, crate::id::RunId)> {
    let judged = outcomes(answer).iter().filter_map(|outcome| {
        let run = match &outcome.effect {
            TickEffect::Missed(overdue) | TickEffect::TimedOut(overdue) => overdue.run,
            TickEffect::Unknown { run: checkin } => *checkin,
            TickEffect::Ignored(_) => return None,
        };
        Some((outcome.environment.clone(), run))
    });
    let taken = match answer {
        Answer::Checkin(Outcome::Accepted(accepted)) => Some((accepted.environment.clone(), accepted.run)),
        _ => None,
    };
    judged.chain(taken).collect()
}

/// I7: the store lists nothing that is due.
fn nothing_due<S: Store>(store: &S, tick: Tick) -> Result<(), InvariantError<S::Error>> {
    for kind in [DueKind::Miss, DueKind::Timeout] {
        let query = DueQuery { kind, until: Some(tick.time()), after: None, limit: NonZeroUsize::MIN };
        if let Some(due) = store.due(&query).map_err(InvariantError::Store)?.into_iter().next() {
            let run = due.run.map(|run| run.id);
            let left = Violation::LeftDue { tick: tick.time(), environment: due.key, due_at: due.at, run };
            return Err(left.into());
        }
    }
    Ok(())
}
