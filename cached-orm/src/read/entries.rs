//! What is put into the cache: rows and keys, if they would be read there as they are.

use crate::{
    Backend, CachePolicy, Entity, Index, Orm, Persist,
    coherence::Entry,
    entry::{self, Lost},
    index::asked_text,
    key::CacheKey,
    observe::Counters,
    sql::differing,
};
use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is stored for `row`, which has `lost` something of a JSON column if that is named.
/// Nothing if it would be read as another row than the database's: then an update would
/// write what serde has made of it.
pub(crate) fn row_entry<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    row: &T,
    lost: Option<&'static str>,
    key: &CacheKey,
    policy: &CachePolicy,
    counters: &Counters,
) -> Option<Entry> {
    let value = unless_panicking(|| {
        if let Some(column) = lost {
            return Err(Lost::Document(column));
        }
        let differing = |again: &T| differing::<DB, T>(row, again).first().copied();
        let compress_from = policy.compress_from();
        entry::of_row(row, T::FINGERPRINT, key, compress_from, orm.signing(), differing)
    });
    let value = stored::<DB, T>(orm, value, counters)?;
    Some(Entry { value, ttl: policy.row_ttl() })
}

/// What is stored for a value that the rows with these keys have.
pub(crate) fn index_entry<DB: Backend, T: Persist<DB>>(
    orm: &Orm<DB>,
    keys: &[T::Key],
    cache_key: &CacheKey,
    counters: &Counters,
) -> Option<Entry> {
    let value = unless_panicking(|| {
        let is_same = |one: &T::Key, other: &T::Key| asked_text(one) == asked_text(other);
        entry::of_keys(keys, Index::<T>::SHAPE, cache_key, orm.signing(), is_same)
    });
    let value = stored::<DB, T>(orm, value, counters)?;
    Some(Entry { value, ttl: T::POLICY.spread_ttl() })
}

/// The row as a reader of its entry has it; `None` if that is another.
pub(super) fn copied<DB: Backend, T: Persist<DB>>(
    row: &T,
    may_be_lost: impl Fn(&T) -> bool,
) -> Option<T> {
    let copy = unless_panicking(|| {
        if may_be_lost(row) {
            return Err(Lost::Unreadable);
        }
        let differing = |again: &T| differing::<DB, T>(row, again).first().copied();
        entry::write_row(row, &mut Vec::new(), differing)
    });
    copy.ok().map(|(_, copy)| copy)
}

/// What code of the user's types makes. If it panics there, a reader can do without.
fn unless_panicking<R>(make: impl FnOnce() -> Result<R, Lost>) -> Result<R, Lost> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or(Err(Lost::Panicked))
}

fn stored<DB: Backend, T: Entity>(
    orm: &Orm<DB>,
    value: Result<Bytes, Lost>,
    counters: &Counters,
) -> Option<Bytes> {
    let lost = match value {
        Ok(value) => return Some(value),
        Err(lost) => lost,
    };
    counters.uncacheable.add_one();
    if orm.is_news(T::NAME, lost) {
        let column = match lost {
            Lost::Column(column) | Lost::Document(column) => Some(column),
            _ => None,
        };
        tracing::warn!(
            entity = T::NAME,
            column,
            reason = %lost,
            "rows are not cached that would not be read there as the database gave them"
        );
    }
    None
}
