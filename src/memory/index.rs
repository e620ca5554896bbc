//! Finds row numbers by key.

use std::hash::{BuildHasher, Hash};
use std::iter;

use foldhash::fast::RandomState;

use super::environment::NONE;

/// How many entries fill a cache line.
const LINE: usize = 8;

/// Finds the number of a row by its key, which only the row itself holds.
///
/// An entry lies in its home, the line that its hash points to, or in the next one that has room. So looking
/// up a missing key fetches the very line that will be written; the maps of the standard library read control
/// bytes apart from their entries. Each table seeds its hashes anew, as those maps do.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Empty, or a power of two of lines; at least a quarter of all places is free.
    lines: Vec<Line>,
    pub(super) count: usize,
    hasher: RandomState,
}

/// Entries first, then free places.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Line {
    hashes: [u32; LINE],
    numbers: [u32; LINE],
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    number: u32,
}

impl Line {
    const EMPTY: Self = Self { hashes: [0; LINE], numbers: [NONE; LINE] };

    const fn is_full(&self) -> bool {
        self.numbers[LINE - 1] != NONE
    }

    /// All places. A free place has the number [`NONE`], and may keep the hash of a removed entry.
    fn places(&self) -> impl Iterator<Item = Entry> {
        self.hashes.iter().zip(&self.numbers).map(|(hash, number)| Entry { hash: *hash, number: *number })
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.places().filter(|entry| entry.number != NONE)
    }

    /// Whether an entry may have this hash. Compares all of them without branches: a mispredicted early exit
    /// would stall until the line arrives from memory.
    fn may_have(&self, hash: u32) -> bool {
        self.hashes.iter().fold(false, |found, other| found | (*other == hash))
    }

    fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut numbers = self.entries().filter(|entry| entry.hash == hash).map(|entry| entry.number);
        if self.may_have(hash) { numbers.find(|number| is_it(*number)) } else { None }
    }

    /// Returns the last place for which this holds. Compares all of them, for the same reason.
    fn place(&self, is_it: impl Fn(Entry) -> bool) -> Option<usize> {
        let last = self
            .places()
            .enumerate()
            .fold(LINE, |last, (place, entry)| if is_it(entry) { place } else { last });
        (last < LINE).then_some(last)
    }

    /// Adds an entry. There must be room.
    fn add(&mut self, entry: Entry) {
        let free = self.entries().count();
        if let (Some(hash), Some(number)) = (self.hashes.get_mut(free), self.numbers.get_mut(free)) {
            (*hash, *number) = (entry.hash, entry.number);
        }
    }

    /// Removes the entry at a place, and moves the last one there.
    fn take(&mut self, place: usize) -> Option<Entry> {
        let last = self.entries().count().checked_sub(1)?;
        self.hashes.swap(place, last);
        self.numbers.swap(place, last);
        let number = std::mem::replace(self.numbers.get_mut(last)?, NONE);
        Some(Entry { hash: *self.hashes.get(last)?, number })
    }
}

impl Index {
    /// Returns the number under this key; `is_it` tells whether the row with a number has the key.
    pub(super) fn get(&self, key: &impl Hash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.hash(key);
        self.lines_of(hash).find_map(|(_, line)| line.find(hash, &is_it))
    }

    /// Adds a number under a key that is not there yet.
    pub(super) fn insert(&mut self, key: &impl Hash, number: u32) {
        self.count = self.count.saturating_add(1);
        if self.count.saturating_mul(4) > self.lines.len().saturating_mul(3 * LINE) {
            self.grow();
        }
        self.put(Entry { hash: self.hash(key), number });
    }

    /// Removes a number from under its key. Returns whether it was there.
    pub(super) fn remove(&mut self, key: &impl Hash, number: u32) -> bool {
        let place_in = |line: &Line| line.place(|entry| entry.number == number);
        let found =
            self.lines_of(self.hash(key)).find_map(|(at, line)| Some((at, place_in(line)?, line.is_full())));
        let Some((mut gap, place, mut passed)) = found else { return false };
        self.take(gap, place);
        self.count = self.count.saturating_sub(1);
        // Removing an entry from a full line leaves room that displaced entries expect. Move one of them
        // back, then repeat for the hole it leaves.
        let mut at = gap;
        while passed {
            at = self.after(at);
            let Some(line) = self.lines.get(at) else { break };
            passed = line.is_full();
            let came_by = |entry: Entry| self.steps(self.home(entry.hash), at) >= self.steps(gap, at);
            let place = line.place(|entry| entry.number != NONE && came_by(entry));
            if let Some(entry) = place.and_then(|place| self.take(at, place)) {
                self.add(gap, entry);
                gap = at;
            }
        }
        true
    }

    /// The lines in which an entry with this hash may lie: its home, and the next lines while they are full.
    fn lines_of(&self, hash: u32) -> impl Iterator<Item = (usize, &Line)> {
        let mut next = Some(self.home(hash));
        iter::from_fn(move || {
            let at = next?;
            let line = self.lines.get(at)?;
            next = line.is_full().then(|| self.after(at));
            Some((at, line))
        })
    }

    fn put(&mut self, entry: Entry) {
        if let Some((roomy, _)) = self.lines_of(entry.hash).last() {
            self.add(roomy, entry);
        }
    }

    fn add(&mut self, at: usize, entry: Entry) {
        if let Some(line) = self.lines.get_mut(at) {
            line.add(entry);
        }
    }

    fn take(&mut self, at: usize, place: usize) -> Option<Entry> {
        self.lines.get_mut(at)?.take(place)
    }

    fn grow(&mut self) {
        let count = self.lines.len().saturating_mul(2).max(1);
        let lines = std::mem::replace(&mut self.lines, vec![Line::EMPTY; count]);
        lines.iter().flat_map(Line::entries).for_each(|entry| self.put(entry));
    }

    const fn mask(&self) -> usize {
        self.lines.len().wrapping_sub(1)
    }

    const fn home(&self, hash: u32) -> usize {
        hash as usize & self.mask()
    }

    const fn after(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.mask()
    }

    /// The number of lines from one to another, wrapping around at the end.
    const fn steps(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one too")]
    fn hash(&self, key: &impl Hash) -> u32 {
        self.hasher.hash_one(key) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use proptest::sample::Index as Pick;

    use super::*;

    /// Uses one key three times, as if the hashes of three keys collided.
    #[test]
    fn the_row_decides_where_hashes_are_alike() {
        let mut index = Index::default();
        [1, 2, 3].iter().for_each(|number| index.insert(&"key", *number));
        for number in [1, 2, 3] {
            assert_eq!(index.get(&"key", |other| other == number), Some(number));
        }
        assert_eq!(index.get(&"key", |_| false), None);
        assert_eq!(index.get(&"another", |_| true), None);
    }

    proptest! {
        /// Few keys, so that dozens of numbers share their homes, overflow full lines and wrap around at the
        /// end.
        #[test]
        fn what_is_there_is_found_and_nothing_else(steps in prop::collection::vec((0..6_u8, any::<Option<Pick>>()), 0..250)) {
            let (mut index, mut there) = (Index::default(), BTreeSet::new());
            for (number, (key, removal)) in (0..).zip(steps) {
                match removal.filter(|_| !there.is_empty()) {
                    None => {
                        index.insert(&key, number);
                        there.insert((key, number));
                    }
                    Some(pick) => {
                        let gone = *there.iter().nth(pick.index(there.len())).unwrap();
                        index.remove(&gone.0, gone.1);
                        there.remove(&gone);
                        prop_assert_eq!(index.get(&gone.0, |number| number == gone.1), None);
                    }
                }
                index.remove(&key, u32::MAX - 1);
                for (key, number) in &there {
                    prop_assert_eq!(index.get(key, |other| other == *number), Some(*number));
                }
                let entries = index.lines.iter().flat_map(Line::entries).count();
                prop_assert_eq!((entries, index.count), (there.len(), there.len()));
            }
        }
    }
}
