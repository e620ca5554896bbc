//! The newest rejected check-ins, to show to the owner of the job.
//!
//! A pure, bounded log: the newest [ten](RejectionLog::PER_OWNER) entries of each monitor (or project, if the
//! monitor is unknown), kept for [seven days](RejectionLog::KEPT).
//!
//! ```
//! use overdue::rejection::{LogEntry, RejectionLog, LogScope, Recorded, RejectionReason, RejectionKind};
//! use overdue::id::{EventId, ProjectId};
//!
//! let mut log = RejectionLog::new();
//! let owner = LogScope::Project(ProjectId::new(7));
//! let entry = LogEntry {
//!     id: "6e7f1d64-50ab-5a47-bb3d-0b3a1c6d2b11".parse()?,
//!     at: "2024-09-02T10:00:00Z".parse()?,
//!     errors: vec![RejectionReason::MonitorNotFound],
//!     checkin: r#"{"monitor_slug": "no-such-job", "status": "ok"}"#.to_owned(),
//! };
//! assert_eq!(log.record(owner, entry.clone()), Recorded::New { pushed_out: None });
//! assert_eq!(log.record(owner, entry.clone()), Recorded::Known, "a message delivered twice");
//! assert_eq!(log.entries(owner), [entry]);
//! assert_eq!(log.remove_kind(owner, RejectionKind::MonitorNotFound).len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Storing it
//! A host without a database saves the log as a whole: it is serialisable. A host with a database keeps a row
//! for each entry, keyed by owner and id, and follows the results of the calls: [`Recorded::New`] means a row
//! to put and perhaps one to delete, and the removing methods return the ids of the rows to delete.
//! Alternatively it loads the rows of one owner and records them in an empty log. The order does not matter.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{EventId, MonitorId, ProjectId};
use crate::rejection::{RejectionKind, RejectionReason};

/// The owner of a list of entries.
///
/// ```
/// use overdue::id::{MonitorId, ProjectId, MonitorKey};
/// use overdue::rejection::LogScope;
///
/// let key = MonitorKey { project: ProjectId::new(1), slug: "nightly".parse()? };
/// let (known, unknown) = (LogScope::Monitor(MonitorId::of(&key)), LogScope::Project(key.project));
/// # let _ = (known, unknown);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a check-in names a monitor that is known, or one that is not")]
pub enum LogScope {
    /// The monitor that the check-in was for.
    Monitor(MonitorId),
    /// The project, if there is no such monitor.
    Project(ProjectId),
}

/// One rejected check-in, and why it was rejected.
///
/// ```
/// use overdue::event::Rejection;
/// use overdue::id::EventId;
/// use overdue::rejection::LogEntry;
///
/// fn entry(rejection: &Rejection) -> LogEntry<Vec<u8>> {
///     LogEntry {
///         id: rejection.id,
///         at: rejection.received_at,
///         errors: rejection.errors.clone(),
///         checkin: rejection.message.body.bytes().into_owned(),
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "an entry is its parts, and hosts build them")]
pub struct LogEntry<C> {
    /// Derived from the message, so that a redelivery is the same entry.
    pub id: EventId,
    /// When the check-in was received.
    pub at: DateTime<Utc>,
    /// Every reason for the rejection.
    pub errors: Vec<RejectionReason>,
    /// The original check-in.
    pub checkin: C,
}

/// What happened to an entry.
///
/// ```
/// use overdue::rejection::{LogEntry, RejectionLog, LogScope, Recorded};
///
/// fn record(log: &mut RejectionLog<String>, owner: LogScope, entry: LogEntry<String>) {
///     if let Recorded::New { pushed_out: Some(oldest) } = log.record(owner, entry) {
///         println!("forgets {oldest}");
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a host that mirrors the log must follow each of them")]
pub enum Recorded {
    /// It was added to the log.
    New {
        /// The oldest entry, if it was removed to make room.
        pushed_out: Option<EventId>,
    },
    /// The log had an entry with this id already; nothing changed.
    Known,
    /// The log has ten newer entries; nothing changed.
    TooOld,
}

/// The newest rejected check-ins of each monitor and project.
///
/// Its content depends on the entries recorded, not on their order: always the newest ten, by time and then
/// by id. So two workers, or a late backlog, produce the same log (I3), a repeated message changes nothing
/// (I4), and a clock that jumps back cannot make the log grow.
///
/// ```
/// use overdue::id::ProjectId;
/// use overdue::rejection::{RejectionLog, LogScope};
///
/// let mut log = RejectionLog::<String>::new();
/// assert!(log.is_empty() && log.entries(LogScope::Project(ProjectId::new(1))).is_empty());
/// assert!(log.prune("2024-09-09T10:00:00Z".parse()?).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(bound(deserialize = "C: Deserialize<'de>"))]
pub struct RejectionLog<C> {
    // Two maps, since an enum cannot be a key in JSON.
    #[serde(default = "BTreeMap::new")]
    monitors: BTreeMap<MonitorId, Newest<C>>,
    #[serde(default = "BTreeMap::new")]
    projects: BTreeMap<ProjectId, Newest<C>>,
}

impl<C> RejectionLog<C> {
    /// The most entries kept for each monitor and project.
    pub const PER_OWNER: usize = 10;

    /// How long an entry is kept.
    pub const KEPT: TimeDelta = TimeDelta::days(7);

    /// Makes a log without entries.
    pub const fn new() -> Self {
        Self { monitors: BTreeMap::new(), projects: BTreeMap::new() }
    }

    /// Records a rejected check-in.
    pub fn record(&mut self, owner: LogScope, entry: LogEntry<C>) -> Recorded {
        match owner {
            LogScope::Monitor(id) => self.monitors.entry(id).or_default().record(entry),
            LogScope::Project(id) => self.projects.entry(id).or_default().record(entry),
        }
    }

    /// The entries of a monitor or project, newest first.
    pub fn entries(&self, owner: LogScope) -> &[LogEntry<C>] {
        let newest = match owner {
            LogScope::Monitor(id) => self.monitors.get(&id),
            LogScope::Project(id) => self.projects.get(&id),
        };
        newest.map_or(&[], |newest| &newest.0)
    }

    /// The number of entries in total.
    pub fn len(&self) -> usize {
        self.monitors.values().chain(self.projects.values()).map(|newest| newest.0.len()).sum()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.monitors.is_empty() && self.projects.is_empty()
    }

    /// Deletes an entry. Returns it if there was one.
    pub fn remove(&mut self, owner: LogScope, id: EventId) -> Option<LogEntry<C>> {
        self.remove_if(owner, |entry| entry.id == id).pop()
    }

    /// Deletes every entry that has an error of this kind. Returns their ids.
    pub fn remove_kind(&mut self, owner: LogScope, kind: RejectionKind) -> Vec<EventId> {
        let removed = self.remove_if(owner, |entry| entry.errors.iter().any(|error| error.kind() == kind));
        removed.into_iter().map(|entry| entry.id).collect()
    }

    /// Deletes every entry of a monitor or project, for when it is deleted itself. Returns their ids.
    pub fn remove_owner(&mut self, owner: LogScope) -> Vec<EventId> {
        self.remove_if(owner, |_| true).into_iter().map(|entry| entry.id).collect()
    }

    /// Deletes entries older than [`KEPT`](Self::KEPT). Returns their ids. Call it now and then: once an hour
    /// is plenty.
    ///
    /// An entry dated just as far in the *future* comes from a wrong clock, and would push out newer ones
    /// until that day came. It is deleted too.
    pub fn prune(&mut self, now: DateTime<Utc>) -> Vec<EventId> {
        let outdated = |entry: &LogEntry<C>| now.signed_duration_since(entry.at).abs() > Self::KEPT;
        let mut removed = Vec::new();
        let mut prune = |newest: &mut Newest<C>| {
            removed.extend(newest.remove_if(outdated).into_iter().map(|entry| entry.id));
            !newest.0.is_empty()
        };
        self.monitors.retain(|_, newest| prune(newest));
        self.projects.retain(|_, newest| prune(newest));
        removed
    }

    fn remove_if(&mut self, owner: LogScope, doomed: impl Fn(&LogEntry<C>) -> bool) -> Vec<LogEntry<C>> {
        match owner {
            LogScope::Monitor(id) => remove_if(&mut self.monitors, id, doomed),
            LogScope::Project(id) => remove_if(&mut self.projects, id, doomed),
        }
    }
}

impl<C> Default for RejectionLog<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// Removes entries of one owner, and the owner with the last of them.
fn remove_if<K: Ord, C>(
    owners: &mut BTreeMap<K, Newest<C>>,
    owner: K,
    doomed: impl Fn(&LogEntry<C>) -> bool,
) -> Vec<LogEntry<C>> {
    let Some(newest) = owners.get_mut(&owner) else { return Vec::new() };
    let removed = newest.remove_if(doomed);
    if newest.0.is_empty() {
        owners.remove(&owner);
    }
    removed
}

/// The entries of one owner: newest first, each id once, at most ten.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Vec<LogEntry<C>>", bound(deserialize = "C: Deserialize<'de>"))]
struct Newest<C>(Vec<LogEntry<C>>);

impl<C> Newest<C> {
    fn record(&mut self, entry: LogEntry<C>) -> Recorded {
        if self.0.iter().any(|known| known.id == entry.id) {
            return Recorded::Known;
        }
        let place = self.0.partition_point(|known| (known.at, known.id) > (entry.at, entry.id));
        if place >= RejectionLog::<C>::PER_OWNER {
            return Recorded::TooOld;
        }
        let full = self.0.len() >= RejectionLog::<C>::PER_OWNER;
        let pushed_out = if full { self.0.pop().map(|oldest| oldest.id) } else { None };
        self.0.insert(place, entry);
        Recorded::New { pushed_out }
    }

    fn remove_if(&mut self, doomed: impl Fn(&LogEntry<C>) -> bool) -> Vec<LogEntry<C>> {
        self.0.extract_if(.., |entry| doomed(entry)).collect()
    }
}

impl<C> Default for Newest<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Applies the bounds to stored data.
impl<C> From<Vec<LogEntry<C>>> for Newest<C> {
    fn from(entries: Vec<LogEntry<C>>) -> Self {
        let mut newest = Self::default();
        for entry in entries {
            newest.record(entry);
        }
        newest
    }
}
