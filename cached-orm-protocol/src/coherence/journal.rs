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
pub struct Journal {
    touched: Vec<(CacheKey, Release)>,
    doubted: Vec<CacheKey>,
}

impl Journal {
    /// Notes a key whose row the transaction has locked, or whose value no other
    /// transaction can take: the next writer of it comes after this one.
    pub fn touch(&mut self, key: CacheKey) {
        self.touched.push((key, Release::Delete));
    }

    /// Notes the key of a list, which writers of other rows may touch at the same
    /// time. A key is touched in one of these ways by everybody and for ever.
    pub fn touch_shared(&mut self, key: CacheKey) {
        self.touched.push((key, Release::Leave));
    }

    /// Notes a key whose row the transaction may have changed, and has not locked:
    /// a fence of its own could take the place of another writer's. What lies there
    /// is taken away after COMMIT.
    pub fn doubt(&mut self, key: CacheKey) {
        self.doubted.push(key);
    }

    pub(super) fn take_doubted(&mut self) -> Vec<CacheKey> {
        std::mem::take(&mut self.doubted)
    }

    /// Whether the key was noted in one of the first two ways.
    pub fn has_touched(&self, key: &CacheKey) -> bool {
        self.touched.iter().any(|(touched, _)| touched == key)
    }

    /// How many keys were touched.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.touched.len()
    }

    /// Adds what another has noted after this.
    pub fn append(&mut self, mut other: Self) {
        self.touched.append(&mut other.touched);
        self.doubted.append(&mut other.doubted);
    }

    /// Forgets what was touched after the journal had this length.
    pub fn truncate(&mut self, length: usize) {
        self.touched.truncate(length);
    }

    /// Lets rows take their fences' places, of the keys that were touched.
    pub fn store(&mut self, rows: &HashMap<CacheKey, Entry>) {
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
