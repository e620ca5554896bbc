//! The numbers of rows, by what they are called.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Finds the number of a row by its key, which only the row itself holds: an entry takes 9 bytes where one with an id
/// would take 21, and more of them stay in the processor's cache. Its hashes are seeded anew for each table, as those of
/// the maps are.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashTable<Entry>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    number: u32,
}

impl Entry {
    /// The table takes the place of an entry from the lower bits, and a mark to tell it by from the upper ones.
    const fn spread(self) -> u64 {
        (self.hash as u64) << 32 | self.hash as u64
    }
}

impl Index {
    /// The number under this key; `is_it` tells whether the row of a number has it.
    pub(super) fn get(&self, key: &impl Hash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let wanted = self.entry(key, 0);
        let found = |entry: &Entry| entry.hash == wanted.hash && is_it(entry.number);
        self.entries.find(wanted.spread(), found).map(|entry| entry.number)
    }

    /// Adds a number under a key that is not there yet.
    pub(super) fn insert(&mut self, key: &impl Hash, number: u32) {
        let entry = self.entry(key, number);
        self.entries.insert_unique(entry.spread(), entry, |entry| entry.spread());
    }

    /// Removes a number from under its key.
    pub(super) fn remove(&mut self, key: &impl Hash, number: u32) {
        let wanted = self.entry(key, number);
        if let Ok(entry) = self.entries.find_entry(wanted.spread(), |entry| entry.number == number) {
            entry.remove();
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one too")]
    fn entry(&self, key: &impl Hash, number: u32) -> Entry {
        Entry { hash: self.hasher.hash_one(key) as u32, number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if the hashes of two keys were the same.
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

    #[test]
    fn what_was_removed_is_gone_and_nothing_else() {
        let mut index = Index::default();
        [1, 2].iter().for_each(|number| index.insert(&"key", *number));
        index.remove(&"key", 3);
        index.remove(&"key", 1);
        assert_eq!(index.get(&"key", |number| number == 1), None);
        assert_eq!(index.get(&"key", |number| number == 2), Some(2));
        assert_eq!(index.entries.len(), 1);
    }
}
