//! Many decisions in one transaction: in waves, none of which has two decisions that touch each other.
//!
//! What is decided together is read together, before any of it is written. So of the tasks of one environment only the
//! first is in a wave, and a decision that turns out to write what another one of its wave has read or written is made
//! again in the next.

use std::collections::{HashMap, HashSet};

use overdue::Event;
use overdue::Policy;
use overdue::id::{CheckinId, OrganizationId};
use overdue::key::MonitorKey;
use overdue::store::{CommitError, MonitorChange, PutRun, Transition};

use super::database::{Claim, Database, DatabaseError, Then};
use super::task::Task;

/// After so many conflicts decisions are made one by one: then nothing but other workers can be in the way.
const PATIENCE: u32 = 3;

/// Carries out tasks, in order, in one transaction, and tells of refusals beside; with it, the stream is done with up to a
/// message. Answers how many events there were.
pub(crate) async fn settle(
    database: &Database,
    (claim, done): (Claim, u64),
    policy: &Policy,
    tasks: &[Task],
    mut refusals: Vec<Event>,
) -> Result<usize, CommitError<DatabaseError>> {
    let told = refusals.len();
    for attempt in 0_u32.. {
        refusals.truncate(told);
        let width = if attempt < PATIENCE { usize::MAX } else { 1 };
        match attempt_to(database, (claim, done), policy, tasks, &mut refusals, width).await {
            // Somebody else got through. Should that be who has the partition now, then the claim is gone.
            Err(CommitError::Conflict) if database.stands(claim).await? => {
                tracing::debug!(partition = claim.partition, attempt, "somebody was faster");
            }
            settled => return settled,
        }
    }
    Err(CommitError::Conflict)
}

async fn attempt_to(
    database: &Database,
    progress: (Claim, u64),
    policy: &Policy,
    tasks: &[Task],
    refusals: &mut Vec<Event>,
    width: usize,
) -> Result<usize, CommitError<DatabaseError>> {
    let mut transaction = database.begin().await?;
    let mut events = 0;
    let mut waiting: Vec<&Task> = tasks.iter().collect();
    loop {
        let (wave, rest) = wave(waiting, policy, width);
        let subjects: Vec<_> = wave.iter().map(|task| task.subject(policy)).collect();
        let snapshots = if subjects.is_empty() { Vec::new() } else { transaction.load(&subjects).await? };
        let (mut touched, mut transitions) = (Touched::default(), Vec::new());
        waiting = Vec::new();
        for (task, snapshot) in wave.into_iter().zip(snapshots) {
            let decided = task.decide(snapshot, policy);
            if decided.transition.as_ref().is_some_and(|transition| !touched.admits(transition)) {
                waiting.push(task);
                continue;
            }
            transitions.extend(decided.transition);
            refusals.extend(decided.refusal);
        }
        waiting.extend(rest);
        events += transitions.iter().map(|Transition { events, .. }| events.len()).sum::<usize>();
        if waiting.is_empty() {
            transaction.write(progress, &transitions, refusals, Then::Commit).await?;
            return Ok(events + refusals.len());
        }
        transaction.write(progress, &transitions, &[], Then::Continue).await?;
    }
}

/// The first task of each environment, and the others.
fn wave<'t>(tasks: Vec<&'t Task>, policy: &Policy, width: usize) -> (Vec<&'t Task>, Vec<&'t Task>) {
    let mut environments = HashSet::new();
    let (mut wave, mut rest) = (Vec::new(), Vec::new());
    for task in tasks {
        let first = environments.insert(task.subject(policy).key);
        if first && wave.len() < width { wave.push(task) } else { rest.push(task) }
    }
    (wave, rest)
}

/// What the decisions of a wave have read and written beyond their environment.
#[derive(Debug, Default)]
struct Touched {
    organizations: HashSet<OrganizationId>,
    monitors: HashMap<MonitorKey, Touch>,
    runs: HashSet<CheckinId>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Touch {
    Read,
    Written,
}

impl Touched {
    /// Whether a decision stands beside those that were admitted so far; it is one of them then.
    fn admits(&mut self, transition: &Transition) -> bool {
        let Transition { organization, monitor, runs, .. } = transition;
        let touch = if matches!(monitor, MonitorChange::Keep(_)) { Touch::Read } else { Touch::Written };
        let new = |put: &PutRun| if let PutRun::New(run) = put { Some(run.id()) } else { None };
        let stands = organization.as_ref().is_none_or(|put| !self.organizations.contains(&put.row.id()))
            && self
                .monitors
                .get(monitor.key())
                .is_none_or(|known| (*known, touch) == (Touch::Read, Touch::Read))
            && !runs.iter().filter_map(new).any(|run| self.runs.contains(&run));
        if stands {
            self.organizations.extend(organization.as_ref().map(|put| put.row.id()));
            self.monitors.insert(monitor.key().clone(), touch);
            self.runs.extend(runs.iter().filter_map(new));
        }
        stands
    }
}
