use super::Entry;
use crate::key::CacheKey;
use std::{collections::HashMap, fmt};

/// What becomes of a key's fence after COMMIT.
#[derive(Clone)]
pub(crate) enum Release {
    /// The entry goes away.
    Delete,
    /// The row that was written takes the fence's place. Only where it is what
    /// the database will show.
    Store(Entry),
}

/// The keys that a transaction has touched.
#[derive(Default)]
pub(crate) struct Journal {
    touched: Vec<(CacheKey, Release)>,
}

impl Journal {
    /// Notes a key whose row the transaction has locked.
    pub(crate) fn touch(&mut self, key: CacheKey) {
        self.touched.push((key, Release::Delete));
    }

    pub(crate) fn len(&self) -> usize {
        self.touched.len()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.touched.append(&mut other.touched);
    }

    /// Forgets what was touched after the journal had this length.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.touched.truncate(length);
    }

    /// Lets rows take their fences' places, of the keys that were touched.
    pub(crate) fn store(&mut self, rows: &HashMap<CacheKey, Entry>) {
        for (touched, release) in &mut self.touched {
            if let Some(entry) = rows.get(touched) {
                *release = Release::Store(entry.clone());
            }
        }
    }

    /// Each key once.
    pub(super) fn into_keys(mut self) -> Vec<(CacheKey, Release)> {
        self.touched.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.touched.dedup_by(|(later, _), (first, _)| later == first);
        self.touched
    }
}

// Not derived: keys and rows are the user's data.
impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("touched", &self.touched.len()).finish()
    }
}
