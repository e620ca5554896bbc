//! Many decisions in one transaction: in waves, in which no two decisions affect each other.
//!
//! A wave is read as a whole before any of it is written. So it has at most one task of each environment, and
//! a decision that writes what another one of its wave has read or written moves to the next wave.

use std::collections::{HashMap, HashSet};

use overdue::id::{MonitorKey, OrganizationId, RunId};
use overdue::store::{CommitError, MonitorChange, PutRun, Transition};
use overdue::{Event, Policy};

use super::database::{Database, DatabaseError, Lease, Then};
use super::task::Task;

/// The number of conflicts after which tasks are decided one at a time. Then only other workers can conflict.
const PATIENCE: u32 = 3;

/// Decides tasks in order, in one transaction that also writes the rejections and records the last message of
/// the stream that was decided. Returns the number of events.
pub(crate) async fn settle(
    database: &Database,
    (lease, done): (Lease, u64),
    policy: &Policy,
    tasks: &[Task],
    mut rejections: Vec<Event>,
) -> Result<usize, CommitError<DatabaseError>> {
    let told = rejections.len();
    for attempt in 0_u32.. {
        rejections.truncate(told);
        let width = if attempt < PATIENCE { usize::MAX } else { 1 };
        match attempt_to(database, (lease, done), policy, tasks, &mut rejections, width).await {
            // Another transaction was first. If it was the partition's new worker, the lease is gone.
            Err(CommitError::Conflict) if database.stands(lease).await? => {
                tracing::debug!(partition = lease.partition, attempt, "somebody was faster");
            }
            settled => return settled,
        }
    }
    Err(CommitError::Conflict)
}

async fn attempt_to(
    database: &Database,
    progress: (Lease, u64),
    policy: &Policy,
    tasks: &[Task],
    rejections: &mut Vec<Event>,
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
            rejections.extend(decided.rejection);
        }
        waiting.extend(rest);
        events += transitions.iter().map(|Transition { events, .. }| events.len()).sum::<usize>();
        if waiting.is_empty() {
            transaction.write(progress, &transitions, rejections, Then::Commit).await?;
            return Ok(events + rejections.len());
        }
        transaction.write(progress, &transitions, &[], Then::Continue).await?;
    }
}

/// Splits off the first task of each environment.
fn wave<'t>(tasks: Vec<&'t Task>, policy: &Policy, width: usize) -> (Vec<&'t Task>, Vec<&'t Task>) {
    let mut environments = HashSet::new();
    let (mut wave, mut rest) = (Vec::new(), Vec::new());
    for task in tasks {
        let first = environments.insert(task.subject(policy).key);
        if first && wave.len() < width { wave.push(task) } else { rest.push(task) }
    }
    (wave, rest)
}

/// What the decisions of a wave have read and written apart from their environments.
#[derive(Debug, Default)]
struct Touched {
    organizations: HashSet<OrganizationId>,
    monitors: HashMap<MonitorKey, Touch>,
    runs: HashSet<RunId>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Touch {
    Read,
    Written,
}

impl Touched {
    /// Adds a decision, unless it conflicts with one that was added before. Returns whether it was added.
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
