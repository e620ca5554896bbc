//! How old the runs of a chunk are.

use chrono::{DateTime, Utc};

use super::slab::chunk_of;

/// For each chunk of runs, a time before which none of them started.
#[derive(Debug, Default)]
pub(super) struct ChunkAges(Vec<DateTime<Utc>>);

impl ChunkAges {
    /// Records when the run with this number started.
    pub(super) fn note(&mut self, number: u32, started_at: DateTime<Utc>) {
        let chunk = chunk_of(number);
        if self.0.len() <= chunk {
            self.0.resize(chunk.saturating_add(1), DateTime::<Utc>::MAX_UTC);
        }
        if let Some(age) = self.0.get_mut(chunk) {
            *age = started_at.min(*age);
        }
    }

    pub(super) fn chunks_mut(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        self.0.iter_mut()
    }
}
