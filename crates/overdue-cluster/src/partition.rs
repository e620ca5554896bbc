//! Partitions of check-ins. Each has its own order and its own clock.

use std::num::NonZeroU32;
use std::ops::Range;

use overdue::Message;
use overdue::batch::ProcessingKey;
use overdue::id::EnvironmentKey;

/// The number of partitions. The stream keeps the number that it was created with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partitions(NonZeroU32);

impl Default for Partitions {
    fn default() -> Self {
        Self(NonZeroU32::MIN)
    }
}

impl Partitions {
    pub const fn new(count: NonZeroU32) -> Self {
        Self(count)
    }

    pub const fn count(self) -> u32 {
        self.0.get()
    }

    pub const fn all(self) -> Range<u32> {
        0..self.count()
    }

    /// Returns the partition of a check-in.
    pub fn of_message(self, message: &Message) -> u32 {
        ProcessingKey::of(message).partition(self.0)
    }

    /// Returns the partition of an environment's check-ins.
    pub fn of(self, EnvironmentKey { monitor, name }: &EnvironmentKey) -> u32 {
        ProcessingKey::new(monitor.project, monitor.slug.as_str(), name.as_str()).partition(self.0)
    }
}
