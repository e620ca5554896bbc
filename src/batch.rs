//! Groups of check-ins that may be processed independently of each other.

use std::collections::HashMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::id::{self, ProjectId};
use crate::wire::Message;

/// The unit of ordering: check-ins of one key must be processed in order, those of different keys need not
/// be.
///
/// ```
/// use std::num::NonZeroU32;
/// use overdue::batch::ProcessingKey;
/// use overdue::id::ProjectId;
///
/// let key = ProcessingKey::new(ProjectId::new(1), "nightly-backup", "production");
/// let partitions = NonZeroU32::MIN.saturating_add(63);
/// assert_eq!(key.partition(partitions), 15);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ProcessingKey {
    project: ProjectId,
    slug: Box<str>,
    environment: Box<str>,
}

impl ProcessingKey {
    /// The key of a project, a slug and an environment's name.
    pub fn new(project: ProjectId, slug: &str, environment: &str) -> Self {
        Self { project, slug: slug.into(), environment: environment.into() }
    }

    /// Returns the key of a message. If no slug or no environment can be read, the message will be rejected;
    /// the key is then made of what can be read.
    pub fn of(message: &Message) -> Self {
        let (slug, environment) = message.body.names();
        Self { project: message.project, slug, environment }
    }

    /// Returns which of `partitions` the key belongs to. The result is the same in every process and every
    /// version.
    pub fn partition(&self, partitions: NonZeroU32) -> u32 {
        let project = self.project.get().to_be_bytes();
        let spread = id::spread(&[&project, self.slug.as_bytes(), self.environment.as_bytes()]);
        let partition = spread.checked_rem(partitions.get().into()).unwrap_or_default();
        u32::try_from(partition).unwrap_or_default()
    }
}

/// Sorts messages into groups, each with the positions of its messages, in order. The groups come in the
/// order in which the input first names them.
///
/// ```
/// use overdue::batch;
///
/// # let (engine, message, monitor, environment) = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/nightly.rs"));
/// let mut other = message.clone();
/// other.project = overdue::id::ProjectId::new(2);
/// let messages = [message.clone(), other, message];
/// let groups = batch::groups(&messages);
/// let positions: Vec<Vec<usize>> =
///     groups.iter().map(|(_, group)| group.iter().map(|(position, _)| *position).collect()).collect();
/// assert_eq!(positions, [vec![0, 2], vec![1]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn groups(messages: &[Message]) -> Vec<(ProcessingKey, Vec<(usize, &Message)>)> {
    let mut positions = HashMap::new();
    let mut groups: Vec<(ProcessingKey, Vec<(usize, &Message)>)> = Vec::new();
    for entry in messages.iter().enumerate() {
        let key = ProcessingKey::of(entry.1);
        let position = *positions.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(position) {
            Some((_, group)) => group.push(entry),
            None => groups.push((key, vec![entry])),
        }
    }
    groups
}
