//! Rows by number: the numbers of removed rows are given out again.

#[derive(Debug)]
pub(super) struct Slab<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, row: T) -> u32 {
        if let Some(number) = self.free.pop()
            && let Some(place) = self.rows.get_mut(number as usize)
        {
            *place = Some(row);
            return number;
        }
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push(Some(row));
        number
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<T> {
        let row = self.rows.get_mut(number as usize)?.take()?;
        self.free.push(number);
        Some(row)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.rows.get(number as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.rows.get_mut(number as usize)?.as_mut()
    }
}
