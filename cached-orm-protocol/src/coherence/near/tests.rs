use super::*;
use crate::{
    coherence::{Entry, Unreadable},
    key::Namespace,
};

const TTL: Option<Duration> = Some(Duration::from_secs(2));

fn key(n: i64) -> CacheKey {
    CacheKey::of_parts(&Namespace::default(), "near", &[n.to_string()])
}

/// What lies under a key, whose value is the row.
#[derive(Debug, Clone)]
struct Text(CacheKey);

impl Source for Text {
    type Row = String;
    type Loaded = String;
    type Error = ();
    type Meter = ();

    fn key(&self) -> &CacheKey {
        &self.0
    }

    async fn load(&self) -> Result<Option<String>, ()> {
        Err(())
    }

    fn row(loaded: String) -> String {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<String> {
        match std::str::from_utf8(value) {
            Ok("") => Content::Absent,
            Ok(text) => Content::Row(text.to_owned()),
            Err(_) => Content::Unreadable(Unreadable::Body),
        }
    }

    fn encode(&self, _: Option<&String>) -> Option<Entry> {
        None
    }

    fn copy(row: &String) -> Option<String> {
        Some(row.clone())
    }

    fn abandoned(&self) {}

    fn panicked(&self) {}
}

fn keep(near: &Near, n: i64, value: &'static str, ticket: Option<Ticket>) {
    near.keep(&Text(key(n)), &value.into(), ticket);
}

fn kept(near: &Near, n: i64, value: &'static str) {
    keep(near, n, value, near.ticket(&key(n), TTL));
}

/// The row that is kept, if one is.
fn row(near: &Near, n: i64) -> Option<String> {
    near.get::<Text>(key(n).as_str(), TTL).map(|row| row.expect("a row"))
}

#[tokio::test(start_paused = true)]
async fn a_copy_counts_from_when_the_cache_was_asked() {
    let near = Near::new(1 << 20);
    let ticket = near.ticket(&key(1), TTL);
    tokio::time::advance(Duration::from_millis(1500)).await;
    keep(&near, 1, "old", ticket);
    assert_eq!(row(&near, 1).as_deref(), Some("old"));
    assert_eq!(row(&near, 2), None);
    tokio::time::advance(Duration::from_millis(500)).await;
    assert_eq!(row(&near, 1), None);
    keep(&near, 1, "late", ticket);
    assert_eq!(row(&near, 1), None);
}

#[test]
fn what_was_asked_before_a_write_is_of_no_use_after_it() {
    let near = Near::new(1 << 20);
    kept(&near, 1, "old");
    let begun = near.ticket(&key(1), TTL);
    near.end(&key(1));
    assert_eq!(row(&near, 1), None);
    keep(&near, 1, "old", begun);
    assert_eq!(row(&near, 1), None);
    kept(&near, 1, "new");
    assert_eq!(row(&near, 1).as_deref(), Some("new"));
}

#[test]
fn an_earlier_answer_does_not_replace_a_later_one() {
    let near = Near::new(1 << 20);
    let slow = near.ticket(&key(1), TTL);
    std::thread::sleep(Duration::from_millis(2));
    kept(&near, 1, "later");
    keep(&near, 1, "earlier", slow);
    assert_eq!(row(&near, 1).as_deref(), Some("later"));
}

#[test]
fn the_copies_have_their_limit() {
    let near = Near::new(64 << 10);
    for n in 0..1000 {
        near.keep(&Text(key(n)), &vec![b'x'; 1000].into(), near.ticket(&key(n), TTL));
    }
    let map = &near.copies.get().unwrap().map;
    assert!(map.weight() <= 64 << 10);
    assert!(map.len() > 10, "{}", map.len());
}

#[test]
fn nothing_is_kept_without_a_ttl_or_a_capacity() {
    let near = Near::new(1 << 20);
    assert!(near.ticket(&key(1), None).is_none());
    let none = Near::new(0);
    kept(&none, 1, "row");
    assert_eq!(row(&none, 1), None);
}

/// What lies under the same key, as another struct reads it.
#[derive(Debug, Clone)]
struct Length(CacheKey);

impl Source for Length {
    type Row = usize;
    type Loaded = usize;
    type Error = ();
    type Meter = ();

    fn key(&self) -> &CacheKey {
        &self.0
    }

    async fn load(&self) -> Result<Option<usize>, ()> {
        Err(())
    }

    fn row(loaded: usize) -> usize {
        loaded
    }

    fn decode(&self, value: &Bytes) -> Content<usize> {
        Content::Row(value.len())
    }

    fn encode(&self, _: Option<&usize>) -> Option<Entry> {
        None
    }

    fn copy(row: &usize) -> Option<usize> {
        Some(*row)
    }

    fn abandoned(&self) {}

    fn panicked(&self) {}
}

#[test]
fn a_row_is_not_taken_for_one_of_another_struct() {
    let near = Near::new(1 << 20);
    kept(&near, 1, "row");
    assert_eq!(near.get::<Length>(key(1).as_str(), TTL), None);
    near.keep(&Length(key(1)), &"row".into(), near.ticket(&key(1), TTL));
    assert_eq!(near.get::<Length>(key(1).as_str(), TTL), Some(Some(3)));
    assert_eq!(row(&near, 1), None);
}

#[test]
fn that_there_is_no_row_is_kept_too() {
    let near = Near::new(1 << 20);
    kept(&near, 1, "");
    assert_eq!(near.get::<Text>(key(1).as_str(), TTL), Some(None));
}
