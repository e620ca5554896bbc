//! How check-ins are spread: so many partitions, each in order, each with a clock of its own.

use std::num::NonZeroU32;
use std::ops::Range;

use overdue::Message;
use overdue::batch::ProcessingKey;
use overdue::key::EnvironmentKey;

/// How many there are. The stream is made with a number of them, and keeps it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Partitions(NonZeroU32);

impl Default for Partitions {
    fn default() -> Self {
        Self(NonZeroU32::MIN)
    }
}

impl Partitions {
    pub(crate) const fn new(count: NonZeroU32) -> Self {
        Self(count)
    }

    pub(crate) const fn count(self) -> u32 {
        self.0.get()
    }

    pub(crate) const fn all(self) -> Range<u32> {
        0..self.count()
    }

    /// Where a check-in goes.
    pub(crate) fn of_message(self, message: &Message) -> u32 {
        ProcessingKey::of(message).partition(self.0)
    }

    /// Where the check-ins of an environment come from.
    pub(crate) fn of(self, EnvironmentKey { monitor, name }: &EnvironmentKey) -> u32 {
        ProcessingKey::new(monitor.project, monitor.slug.as_str(), name.as_str()).partition(self.0)
    }
}
