//! Deadlines, by the minute.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};

use crate::store::Due;

use super::environment::NONE;

/// What is due when. Deadlines are whole minutes, so many share one entry of the tree.
#[derive(Debug, Default)]
pub(super) struct DueIndex {
    minutes: BTreeMap<DateTime<Utc>, DueMinute>,
    cursor: Option<PageCursor>,
}

/// The end of a page within a minute. The next page continues from it, so that a crowded minute is sorted
/// once rather than once a page.
#[derive(Debug)]
struct PageCursor {
    last: Due,
    /// What comes after it with its numbers, in reverse order. Entries may have left the minute since, but
    /// none were added.
    rest: Vec<(Due, u32)>,
}

/// What is due in one minute, in no order.
///
/// Removal leaves a hole. Filling it from the end would mean updating that row's stored position, a cache
/// miss. Most rows leave before their minute comes, and the list is dropped with the last of them.
#[derive(Debug, Default)]
pub(super) struct DueMinute {
    /// Numbers, with [`NONE`] in the holes.
    numbers: Vec<u32>,
    /// The positions of the holes.
    gaps: Vec<u32>,
}

impl DueIndex {
    /// Adds a number under a deadline. Returns its position there.
    pub(super) fn insert(&mut self, number: u32, at: DateTime<Utc>) -> u32 {
        self.cursor.take_if(|cursor| cursor.last.at == at);
        let DueMinute { numbers, gaps } = self.minutes.entry(at).or_default();
        if let Some(gap) = gaps.pop() {
            if let Some(place) = numbers.get_mut(gap as usize) {
                *place = number;
            }
            return gap;
        }
        numbers.push(number);
        u32::try_from(numbers.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Removes the number at a position.
    pub(super) fn remove(&mut self, position: u32, at: DateTime<Utc>) {
        let minute = must_find!(self.minutes.get_mut(&at), "a listed deadline has its minute");
        let place =
            must_find!(minute.numbers.get_mut(position as usize), "a listed deadline has its position");
        debug_assert_ne!(*place, NONE, "a listed deadline is at its position");
        *place = NONE;
        minute.gaps.push(position);
        if minute.len() == 0 {
            self.minutes.remove(&at);
        }
    }

    /// Keeps what comes in a minute after the last entry of a page, in reverse order.
    pub(super) fn suspend(&mut self, last: Due, rest: Vec<(Due, u32)>) {
        self.cursor = Some(PageCursor { last, rest });
    }

    /// Takes what was kept after this entry, unless something has been added to its minute.
    pub(super) fn resume(&mut self, last: &Due) -> Option<Vec<(Due, u32)>> {
        self.cursor.take_if(|cursor| cursor.last == *last).map(|cursor| cursor.rest)
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<DateTime<Utc>> {
        self.minutes.first_key_value().map(|(first, _)| *first)
    }

    /// The deadlines within bounds, in order.
    pub(super) fn range(
        &self,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> impl Iterator<Item = (DateTime<Utc>, &DueMinute)> {
        let first = from.or_else(|| self.first());
        // A tree panics on a range that ends before it begins.
        let begun = first.filter(|first| until.is_none_or(|until| *first <= until));
        let upper = until.map_or(Bound::Unbounded, Bound::Included);
        let range = begun.map(|first| self.minutes.range((Bound::Included(first), upper)));
        range.into_iter().flatten().map(|(at, minute)| (*at, minute))
    }
}

impl DueMinute {
    pub(super) const fn len(&self) -> usize {
        self.numbers.len().saturating_sub(self.gaps.len())
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.numbers.iter().copied().filter(|number| *number != NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(index: &DueIndex) -> Vec<Vec<u32>> {
        index.range(None, None).map(|(_, minute)| minute.numbers().collect()).collect()
    }

    #[test]
    fn a_gap_is_filled_again_and_the_last_one_takes_the_minute_along() {
        let (mut index, at) = (DueIndex::default(), DateTime::UNIX_EPOCH);
        let [first, second] = [7, 8].map(|number| index.insert(number, at));
        index.remove(first, at);
        assert_eq!(listed(&index), [[8]]);
        assert_eq!(index.insert(9, at), first, "no list grows beyond what was on it at once");
        assert_eq!(listed(&index), [[9, 8]]);
        index.remove(first, at);
        index.remove(second, at);
        assert!(listed(&index).is_empty());
    }
}
