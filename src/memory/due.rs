//! Deadlines, by the minute.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};

/// What is due when. Deadlines are whole minutes, so many share one entry of the tree.
#[derive(Debug, Default)]
pub(super) struct DueIndex(BTreeMap<DateTime<Utc>, Vec<u32>>);

impl DueIndex {
    /// Lists a number under a deadline, and tells its position there.
    pub(super) fn insert(&mut self, number: u32, at: DateTime<Utc>) -> u32 {
        let numbers = self.0.entry(at).or_default();
        numbers.push(number);
        u32::try_from(numbers.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Takes the number at a position off the list, and tells which one has moved there instead.
    pub(super) fn remove(&mut self, position: u32, at: DateTime<Utc>) -> Option<u32> {
        let numbers = self.0.get_mut(&at)?;
        let position = position as usize;
        if numbers.get(position).is_some() {
            numbers.swap_remove(position);
        }
        if numbers.is_empty() {
            self.0.remove(&at);
            return None;
        }
        numbers.get(position).copied()
    }

    /// The deadlines within bounds, in order, each with its numbers in no order.
    pub(super) fn range(
        &self,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> impl Iterator<Item = (DateTime<Utc>, &[u32])> {
        let lower = from.map_or(Bound::Unbounded, Bound::Included);
        let upper = until.map_or(Bound::Unbounded, Bound::Included);
        // A tree panics on a range that ends before it begins.
        let empty = matches!((from, until), (Some(from), Some(until)) if from > until);
        let range = (!empty).then(|| self.0.range((lower, upper)));
        range.into_iter().flatten().map(|(at, numbers)| (*at, numbers.as_slice()))
    }
}
