//! What `cargo fuzz` calls, with bytes that it makes up; not in other builds. Each
//! function panics if what it is about does not hold.

pub use cached_orm_protocol::fuzzing::replies;

use crate::{
    PrimaryKey, cache_url, entry,
    key::{CacheKey, Namespace},
};
use cached_orm_protocol::fuzzing::fences;

/// What may lie under a key: entries and fences.
pub fn entries(data: &[u8]) {
    fences(data);
    entry::fuzzing::values(data);
}

/// Keys: no two are alike, and the outbox gives back what was put in.
pub fn keys(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // Whatever stands in the outbox.
    let shop = Namespace::new("shop").expect("a plain name");
    if let Some(key) = CacheKey::of_outbox(&shop, &text) {
        assert_is_plain(&key);
    }
    let namespace = Namespace::default();
    // Three words for each of two rows.
    let mut words = text.split('|').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let [one, other] = [(); 2].map(|()| (word(), word(), word()));
    let [key, other_key] = [&one, &other].map(row_key);
    assert_eq!(key == other_key, one == other, "{one:?} and {other:?}");
    // A key of one column is none of two.
    let (table, left, right) = &one;
    let short = of_row(table, left);
    assert_ne!(short, key);
    // The entry of an index is no row.
    let index = CacheKey::of_index(&namespace, table, "column", "(value)");
    for row in [&key, &short] {
        assert_ne!(&index, row);
    }
    let bytes = of_row(table, &(left.clone().into_bytes(), right.clone()));
    assert_is_plain(&bytes);
}

fn row_key((table, left, right): &(String, String, String)) -> CacheKey {
    let namespace = Namespace::default();
    let row = (left.clone(), right.clone());
    let key = of_row(table, &row);
    assert_is_plain(&key);
    let text = CacheKey::outbox_text(table, |text| row.write_instance_key(text));
    assert_eq!(CacheKey::of_outbox(&namespace, &text).as_ref(), Some(&key));
    assert_eq!(CacheKey::of_outbox(&namespace, key.as_str()).as_ref(), Some(&key));
    key
}

fn of_row(table: &str, key: &impl PrimaryKey) -> CacheKey {
    CacheKey::of_row(&Namespace::default(), table, |text| key.write_instance_key(text))
}

fn assert_is_plain(key: &CacheKey) {
    let is_plain = key.as_bytes().iter().all(|byte| matches!(byte, b'!'..=b'~'));
    assert!(is_plain && (1..=250).contains(&key.as_bytes().len()), "{key:?}");
}

/// What a cache URL may be.
pub fn cache_urls(data: &[u8]) {
    let url = String::from_utf8_lossy(data);
    cache_url::fuzz(&url);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn replay(target: &str, run: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        cached_orm_protocol::fuzzing::replay(&corpus, run);
    }

    #[test]
    fn entries() {
        replay("entries", super::entries);
    }

    #[test]
    fn keys() {
        replay("keys", super::keys);
    }

    #[test]
    fn cache_urls() {
        replay("cache_urls", super::cache_urls);
    }
}
