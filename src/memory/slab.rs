//! Rows by number. The numbers of removed rows are used again.

use std::hint::black_box;

use super::environment::NONE;

/// Rows are kept in chunks, so that a growing table neither moves them nor reserves room for twice as many.
const CHUNK: usize = 1 << 10;

/// The chunk that holds the row with a number.
pub(super) const fn chunk_of(number: u32) -> usize {
    number as usize / CHUNK
}

#[derive(Debug)]
pub(super) struct Slab<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, row: T) -> u32 {
        if let Some(number) = self.free.pop()
            && let Some(place) = self.place(number)
        {
            *place = Some(row);
            return number;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let full = self.chunks.len().saturating_sub(1).saturating_mul(CHUNK);
        let chunk = self.chunks.last_mut();
        debug_assert!(chunk.is_some(), "a chunk with room was just added");
        let Some(chunk) = chunk else { return NONE };
        let number = u32::try_from(full.saturating_add(chunk.len())).unwrap_or(NONE);
        debug_assert_ne!(number, NONE, "a table holds fewer rows than 32 bits can number");
        chunk.push(Some(row));
        number
    }

    /// Touches the place of the next new row, so that the processor fetches it in advance.
    pub(super) fn prefetch_free(&self) {
        black_box(self.free.last().is_some_and(|next| self.get(*next).is_none()));
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<T> {
        let row = self.place(number)?.take()?;
        self.free.push(number);
        Some(row)
    }

    /// Sorts the free numbers so that the lowest is used first, and new rows lie side by side.
    pub(super) fn sort_free(&mut self) {
        self.free.sort_unstable_by(|a, b| b.cmp(a));
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.chunks.get(chunk_of(number))?.get(number as usize % CHUNK)?.as_ref()
    }

    /// Each chunk's rows and their numbers.
    pub(super) fn chunks(&self) -> impl Iterator<Item = impl Iterator<Item = (u32, &T)>> {
        (0_u32..).step_by(CHUNK).zip(&self.chunks).map(|(first, chunk)| {
            (first..).zip(chunk).filter_map(|(number, place)| Some((number, place.as_ref()?)))
        })
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten().flatten()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.place(number)?.as_mut()
    }

    fn place(&mut self, number: u32) -> Option<&mut Option<T>> {
        self.chunks.get_mut(chunk_of(number))?.get_mut(number as usize % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fill_a_chunk_before_the_next() {
        let mut slab = Slab::default();
        let numbers: Vec<_> = (0..=CHUNK).map(|row| slab.insert(row)).collect();
        assert!(numbers.iter().enumerate().all(|(row, number)| slab.get(*number) == Some(&row)));
        assert_eq!(slab.chunks.iter().map(Vec::len).collect::<Vec<_>>(), [CHUNK, 1]);
    }

    #[test]
    fn numbers_are_given_out_again_the_lowest_first() {
        let mut slab = Slab::default();
        let numbers = ["a", "b", "c", "d"].map(|row| slab.insert(row));
        for number in [2, 0, 3] {
            slab.remove(numbers[number]);
        }
        slab.sort_free();
        assert_eq!(["e", "f", "g"].map(|row| slab.insert(row)), [numbers[0], numbers[2], numbers[3]]);
    }
}
