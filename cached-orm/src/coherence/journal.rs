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
    /// This transaction's part of the fence goes away: others, of other rows, may
    /// have put it too.
    Leave,
}

/// The keys that a transaction has touched.
#[derive(Default, Clone)]
pub(crate) struct Journal {
    touched: Vec<(CacheKey, Release)>,
    doubted: Vec<CacheKey>,
}

impl Journal {
    /// Notes a key whose row the transaction has locked, or whose value no other
    /// transaction can take: the next writer of it comes after this one.
    pub(crate) fn touch(&mut self, key: CacheKey) {
        self.touched.push((key, Release::Delete));
    }

    /// Notes the key of a list, which writers of other rows may touch at the same
    /// time. A key is touched in one of these ways by everybody and for ever.
    pub(crate) fn touch_shared(&mut self, key: CacheKey) {
        self.touched.push((key, Release::Leave));
    }

    /// Notes a key whose row the transaction may have changed, and has not locked:
    /// a fence of its own could take the place of another writer's. What lies there
    /// is taken away after COMMIT.
    pub(crate) fn doubt(&mut self, key: CacheKey) {
        self.doubted.push(key);
    }

    pub(super) fn take_doubted(&mut self) -> Vec<CacheKey> {
        std::mem::take(&mut self.doubted)
    }

    pub(crate) fn has_touched(&self, key: &CacheKey) -> bool {
        self.touched.iter().any(|(touched, _)| touched == key)
    }

    pub(crate) fn len(&self) -> usize {
        self.touched.len()
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.touched.append(&mut other.touched);
        self.doubted.append(&mut other.doubted);
    }

    /// Forgets what was touched after the journal had this length.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.touched.truncate(length);
    }

    /// Lets rows take their fences' places, of the keys that were touched.
    pub(crate) fn store(&mut self, rows: &HashMap<CacheKey, Entry>) {
        for (touched, release) in &mut self.touched {
            if let Some(entry) = rows.get(touched) {
                debug_assert!(!release.is_shared(), "a list takes no fence's place");
                *release = Release::Store(entry.clone());
            }
        }
    }

    /// Each key once.
    pub(super) fn into_keys(mut self) -> Vec<(CacheKey, Release)> {
        self.touched.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.touched.dedup_by(|(later, later_release), (first, release)| {
            let is_same = later == first;
            debug_assert!(!is_same || later_release.is_shared() == release.is_shared());
            is_same
        });
        self.touched
    }
}

impl Release {
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Leave)
    }
}

// Not derived: keys and rows are the user's data.
impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("touched", &self.touched.len()).finish()
    }
}
