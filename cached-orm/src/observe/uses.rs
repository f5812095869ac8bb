//! What a handle was used with, in the order in which it came.

use crate::error::Subject;
use std::{
    collections::HashMap,
    ptr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

/// The structs that a handle was used with, and the commits that cannot know of the
/// last ones.
#[derive(Debug)]
pub(crate) struct Uses {
    known: RwLock<Known>,
    /// How many structs, and indexes of them, came so far.
    count: AtomicUsize,
    /// For each commit that is under way, how many had come when it was judged.
    commits: Mutex<Vec<usize>>,
    /// The least of these.
    judged: AtomicUsize,
}

#[derive(Debug, Default)]
struct Known {
    subjects: Vec<(&'static Subject, usize)>,
    /// When they came, by their addresses. One subject can have several.
    by_address: HashMap<usize, usize>,
}

/// A transaction's commit, from before it is judged for the last time until it is over.
#[derive(Debug)]
pub(crate) struct Committing {
    uses: Arc<Uses>,
    judged: usize,
}

impl Default for Uses {
    fn default() -> Self {
        Self {
            known: RwLock::default(),
            count: AtomicUsize::new(0),
            commits: Mutex::default(),
            judged: AtomicUsize::new(usize::MAX),
        }
    }
}

impl Uses {
    /// Notes that the handle is used with a struct.
    pub(super) fn note(&self, subject: &'static Subject) {
        let address = ptr::from_ref(subject).addr();
        let is_known = |known: &Known| known.by_address.contains_key(&address);
        if is_known(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if is_known(&known) {
            return;
        }
        let came = known.came(subject).unwrap_or_else(|| {
            let came = self.one_more();
            known.subjects.push((subject, came));
            came
        });
        known.by_address.insert(address, came);
    }

    /// Counts something that has come, and says when. To be called under the lock of
    /// the list that it is put into: who sees the number then finds it there.
    pub(crate) fn one_more(&self) -> usize {
        self.count.fetch_add(1, SeqCst) + 1
    }

    /// A number that grows with each struct, and each index, that is used for the first
    /// time.
    pub(crate) fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// What the handle was used with so far.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &'static Subject> + use<> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let subjects: Vec<_> = known.subjects.iter().map(|(subject, _)| *subject).collect();
        subjects.into_iter()
    }

    /// When the struct came, if it did.
    pub(crate) fn came(&self, subject: &Subject) -> Option<usize> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).came(subject)
    }

    /// Whether what is read from now on, of something that came so, is what every commit
    /// leaves or knows of: none is under way that was judged before that came.
    pub(crate) fn may_store(&self, came: impl FnOnce() -> Option<usize>) -> bool {
        let judged = self.judged.load(SeqCst);
        judged >= self.count() || came().is_some_and(|came| came <= judged)
    }

    /// Notes a commit, which is to be judged after this.
    pub(crate) fn committing(self: &Arc<Self>) -> Committing {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = self.count();
        commits.push(judged);
        self.publish(&commits);
        Committing { uses: Arc::clone(self), judged }
    }

    fn publish(&self, commits: &[usize]) {
        self.judged.store(commits.iter().copied().min().unwrap_or(usize::MAX), SeqCst);
    }
}

impl Known {
    fn came(&self, subject: &Subject) -> Option<usize> {
        let by_address = self.by_address.get(&ptr::from_ref(subject).addr());
        let by_value = || self.subjects.iter().find(|(known, _)| *known == subject);
        by_address.copied().or_else(|| by_value().map(|(_, came)| *came))
    }
}

impl Drop for Committing {
    fn drop(&mut self) {
        let mut commits = self.uses.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = commits.iter().position(|judged| *judged == self.judged) {
            commits.swap_remove(place);
        }
        self.uses.publish(&commits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(entity: &'static str) -> &'static Subject {
        Box::leak(Box::new(Subject {
            entity,
            table: "table",
            cache_name: "table",
            key_columns: &["id"],
            key_kinds: &[],
        }))
    }

    #[test]
    fn a_struct_comes_once_whatever_its_addresses() {
        let uses = Uses::default();
        let [one, same, other] = [subject("One"), subject("One"), subject("Other")];
        [one, same, one, other, same].into_iter().for_each(|subject| uses.note(subject));
        assert_eq!(uses.count(), 2);
        assert_eq!(uses.subjects().collect::<Vec<_>>(), [one, other]);
        assert_eq!((uses.came(same), uses.came(other)), (Some(1), Some(2)));
    }

    #[test]
    fn what_comes_while_a_commit_is_under_way_is_not_stored() {
        let uses = Arc::new(Uses::default());
        let [old, new, newest] = ["Old", "New", "Newest"].map(subject);
        let may_store = |subject| uses.may_store(|| uses.came(subject));
        uses.note(old);
        let first = uses.committing();
        assert!(may_store(old));
        uses.note(new);
        let second = uses.committing();
        uses.note(newest);
        assert_eq!([old, new, newest].map(may_store), [true, false, false]);
        drop(first);
        assert_eq!([old, new, newest].map(may_store), [true, true, false]);
        drop(second);
        assert_eq!([old, new, newest].map(may_store), [true, true, true]);
    }
}
