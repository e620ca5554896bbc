//! Deadlines, by the minute.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use chrono::{DateTime, Utc};

/// What is due when. Deadlines are whole minutes, so many share one entry of the tree.
#[derive(Debug, Default)]
pub(super) struct DueIndex(BTreeMap<DateTime<Utc>, HashSet<u32>>);

impl DueIndex {
    /// Moves a number from one deadline to another.
    pub(super) fn shift(&mut self, number: u32, from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) {
        if from == to {
            return;
        }
        if let Some(from) = from
            && let Some(numbers) = self.0.get_mut(&from)
        {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.0.remove(&from);
            }
        }
        if let Some(to) = to {
            self.0.entry(to).or_default().insert(number);
        }
    }

    /// The deadlines within bounds, in order, each with its numbers in no order.
    pub(super) fn range(
        &self,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> impl Iterator<Item = (DateTime<Utc>, &HashSet<u32>)> {
        let lower = from.map_or(Bound::Unbounded, Bound::Included);
        let upper = until.map_or(Bound::Unbounded, Bound::Included);
        // A tree panics on a range that ends before it begins.
        let empty = matches!((from, until), (Some(from), Some(until)) if from > until);
        let range = (!empty).then(|| self.0.range((lower, upper)));
        range.into_iter().flatten().map(|(at, numbers)| (*at, numbers))
    }
}
