//! Keys: different rows never share one, and memcached takes every one of them.

use cached_orm::{MemcachedOrm, Orm, Persist, Postgres};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use std::sync::LazyLock;

macro_rules! entity {
    ($name:ident, $table:literal, $($part:ident: $ty:ty),+) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        #[orm(table = $table, database = Postgres)]
        struct $name {
            $(#[primary_key] $part: $ty,)+
        }
    };
}

entity!(Text, "texts", a: String);
entity!(Bytes, "bytes", a: Vec<u8>);
entity!(Pair, "pairs", a: String, b: String);
entity!(Mixed, "mixed", a: String, b: Vec<u8>);
entity!(Triple, "triples", a: String, b: i64, c: String);
entity!(Number, "numbers", a: i64);

/// A namespace that may be given, and the `Orm` that has it.
fn orm(namespace: &str) -> Orm<Postgres> {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Runtime::new().expect("a runtime"));
    RUNTIME.block_on(async {
        // Nobody connects: keys are made without a database.
        let pool = PgPoolOptions::new().connect_lazy("postgres://localhost:1/none");
        let builder = Orm::builder(pool.expect("a URL")).uncached().namespace(namespace);
        builder.build().await.expect("a namespace")
    })
}

/// Texts that are likely to be confused with one another, and any others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[()%:# ab\r\n\u{0}]{0,6}",
        any::<String>(),
        proptest::collection::vec(any::<char>(), 200..400).prop_map(String::from_iter),
        ("[ab]", 230..260_usize).prop_map(|(letter, length)| letter.repeat(length)),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(prop_oneof![Just(0), Just(b'a'), Just(0xFF)], 0..4),
        proptest::collection::vec(any::<u8>(), 0..300),
    ]
}

fn namespace() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_.-]{0,64}"
}

/// One of a kind for a pair of rows: equal rows have equal keys, others have not.
fn assert_faithful<T: MemcachedOrm + PartialEq + Persist<Postgres>>(
    orm: &Orm<Postgres>,
    one: &T,
    other: &T,
) {
    assert_eq!(one == other, one.get_instance_key() == other.get_instance_key());
    assert_eq!(one == other, one.get_cache_key(orm) == other.get_cache_key(orm));
}

fn assert_fit_for_memcached(key: &str) {
    assert!(!key.is_empty() && key.len() <= 250, "{} bytes: {key}", key.len());
    assert!(key.bytes().all(|byte| byte > 0x20 && byte < 0x7F), "{key:?}");
}

proptest! {
    #[test]
    fn texts_never_share_a_key(one in text(), other in text()) {
        let orm = orm("shop");
        assert_faithful(&orm, &Text { a: one }, &Text { a: other });
    }

    #[test]
    fn bytes_never_share_a_key(one in bytes(), other in bytes()) {
        let orm = orm("shop");
        assert_faithful(&orm, &Bytes { a: one }, &Bytes { a: other });
    }

    #[test]
    fn numbers_never_share_a_key(one: i64, other: i64) {
        let orm = orm("");
        assert_faithful(&orm, &Number { a: one }, &Number { a: other });
    }

    #[test]
    fn pairs_never_share_a_key(a in text(), b in text(), c in text(), d in text()) {
        let orm = orm("shop");
        assert_faithful(&orm, &Pair { a: a.clone(), b: b.clone() }, &Pair { a: c, b: d });
        // The same texts, cut elsewhere or the other way round.
        let swapped = Pair { a: b.clone(), b: a.clone() };
        assert_faithful(&orm, &Pair { a: a.clone(), b: b.clone() }, &swapped);
        let joined = Pair { a: format!("{a}{b}"), b: String::new() };
        assert_faithful(&orm, &Pair { a: a.clone(), b: b.clone() }, &joined);
        let forged = Pair { a: format!("{a})({b}"), b: String::new() };
        assert_faithful(&orm, &Pair { a, b }, &forged);
    }

    #[test]
    fn texts_with_bytes_never_share_a_key(a in text(), b in bytes(), c in text(), d in bytes()) {
        let orm = orm("shop");
        assert_faithful(&orm, &Mixed { a, b }, &Mixed { a: c, b: d });
    }

    #[test]
    fn triples_never_share_a_key(a in text(), b: i64, c in text(), d in text(), e: i64) {
        let orm = orm("shop");
        let one = Triple { a: a.clone(), b, c: c.clone() };
        assert_faithful(&orm, &one, &Triple { a: a.clone(), b: e, c: c.clone() });
        assert_faithful(&orm, &one, &Triple { a: d.clone(), b, c });
        assert_faithful(&orm, &one, &Triple { a, b, c: d });
    }

    #[test]
    fn memcached_takes_every_key(
        namespace in namespace(), a in text(), b in bytes(), c in text(), n: i64,
    ) {
        let orm = orm(&namespace);
        let keys = [
            Text { a: a.clone() }.get_cache_key(&orm),
            Bytes { a: b.clone() }.get_cache_key(&orm),
            Pair { a: a.clone(), b: c.clone() }.get_cache_key(&orm),
            Mixed { a: c.clone(), b }.get_cache_key(&orm),
            Triple { a, b: n, c }.get_cache_key(&orm),
            Number { a: n }.get_cache_key(&orm),
        ];
        for key in keys {
            assert_fit_for_memcached(key.as_str());
            prop_assert_eq!(key.as_bytes(), key.as_str().as_bytes());
        }
    }

    #[test]
    fn tables_and_namespaces_never_share_a_key(
        one in namespace(), other in namespace(), key in text(),
    ) {
        let (first, second) = (orm(&one), orm(&other));
        let text = Text { a: key.clone() };
        let same = text.get_cache_key(&first) == text.get_cache_key(&second);
        prop_assert_eq!(one == other, same);
        let bytes = Bytes { a: key.into_bytes() };
        prop_assert_ne!(text.get_cache_key(&first), bytes.get_cache_key(&second));
    }
}
