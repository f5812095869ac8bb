use super::*;

fn instance_key(key: &impl PrimaryKey) -> String {
    let mut text = String::new();
    key.write_instance_key(&mut text);
    text
}

#[test]
fn every_part_has_its_parentheses() {
    assert_eq!(instance_key(&7_i64), "(7)");
    assert_eq!(instance_key(&-7_i8), "(-7)");
    assert_eq!(instance_key(&true), "(1)");
    assert_eq!(instance_key(&("AD".to_owned(), "06".to_owned())), "(AD)(06)");
    assert_eq!(instance_key(&(String::new(), 1_u32)), "()(1)");
    assert_eq!(instance_key(&vec![0_u8, 0xAB]), "(00ab)");
}

#[test]
fn what_has_a_meaning_is_escaped() {
    assert_eq!(instance_key(&")(".to_owned()), "(%29%28)");
    assert_eq!(instance_key(&"a b:%\r\n\0é".to_owned()), "(a%20b%3A%25%0D%0A%00%C3%A9)");
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_is_written_as_databases_write_it() {
    let id = uuid::Uuid::from_u128(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
    assert_eq!(instance_key(&id), "(01234567-89ab-cdef-0123-456789abcdef)");
}

#[cfg(all(feature = "chrono", feature = "time"))]
#[test]
fn both_crates_of_dates_write_the_same_text() {
    use chrono::{DateTime, NaiveDate, Utc};
    use time::{Date, OffsetDateTime};

    let nanoseconds = 1_700_000_000_123_456_789_i128;
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).expect("a date");
    let chrono = DateTime::<Utc>::from_timestamp_nanos(nanoseconds as i64);
    assert_eq!(instance_key(&time), instance_key(&chrono));
    assert_eq!(instance_key(&chrono), "(2023-11-14T22-13-20.123456789Z)");
    let micros = DateTime::<Utc>::from_timestamp_micros(1_700_000_000_120_000).expect("a date");
    assert_eq!(instance_key(&micros), "(2023-11-14T22-13-20.120000Z)");
    let date = Date::from_ordinal_date(2026, 1).expect("a date");
    let naive = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
    assert_eq!(instance_key(&date), instance_key(&naive));
    assert_eq!(instance_key(&naive), "(2026-01-01)");
}

#[test]
fn a_long_key_keeps_its_beginning_and_differs_from_every_other() {
    let namespace = Namespace::new("shop").expect("a plain name");
    let of = |text: String| CacheKey::of_row(&namespace, "users", &text);
    let (left, right) = (of("x".repeat(10_000) + "a"), of("x".repeat(10_000) + "b"));
    assert_eq!(left.as_str().len(), 250);
    assert!(left.as_str().starts_with("shop:users:(xxx"));
    assert_ne!(left, right);
    // A short key cannot be made to look like a shortened one.
    let imitation = left.as_str().trim_start_matches("shop:users:(").to_owned();
    assert_ne!(of(imitation), left);
}

#[test]
fn a_namespace_is_plain() {
    for wrong in ["a:b", "a b", "ä", "a\n", "a(b"] {
        assert!(Namespace::new(wrong).is_err(), "{wrong:?}");
    }
    assert!(Namespace::new(&"x".repeat(65)).is_err());
    let none = Namespace::new("").expect("no namespace");
    assert_eq!(CacheKey::of_row(&none, "users", &7).as_str(), "users:(7)");
    assert_eq!(CacheKey::of_row(&none, "a:b (c)", &7).as_str(), "a%3Ab%20%28c%29:(7)");
}

mod of_indexes {
    use super::*;
    use proptest::prelude::*;

    fn of(table: &str, columns: &[&'static str], value: &impl PrimaryKey) -> CacheKey {
        let namespace = Namespace::new("shop").expect("a plain name");
        let name = index_name(columns.iter().copied());
        CacheKey::of_index(&namespace, table, &name, &instance_key(value))
    }

    #[test]
    fn the_columns_stand_before_the_value() {
        let key = of("users", &["email"], &"ann@example.org".to_owned());
        assert_eq!(key.as_str(), "shop:users:email(ann@example.org)");
        let key = of("users", &["team", "handle"], &(7, "a b".to_owned()));
        assert_eq!(key.as_str(), "shop:users:team,handle(7)(a%20b)");
    }

    #[test]
    fn names_that_are_other_columns_are_other_keys() {
        let value = || "x".to_owned();
        let names: [&[&str]; 6] = [&["a,b"], &["a", "b"], &["a:b"], &["a(b"], &["a%2Cb"], &["a b"]];
        let mut keys: Vec<_> = names.iter().map(|columns| of("users", columns, &value())).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), names.len());
        assert!(keys.iter().all(|key| key.as_bytes().iter().all(u8::is_ascii_graphic)));
    }

    proptest! {
        #[test]
        fn none_is_a_rows_key(table in ".{0,20}", other in ".{0,20}", left: String, right: String) {
            let namespace = Namespace::new("shop").expect("a plain name");
            let row = CacheKey::of_row(&namespace, other.as_str(), &left);
            prop_assert_ne!(of(&table, &["email"], &right), row);
        }

        #[test]
        fn triggers_and_rust_write_the_same(left: i64, right: String) {
            let namespace = Namespace::new("shop").expect("a plain name");
            let hex: String = right.bytes().map(|byte| format!("{byte:02x}")).collect();
            let digits: String = left.to_string().bytes().map(|byte| format!("{byte:02x}")).collect();
            let text = format!("hex users:team,handle({digits})({hex})");
            let expected = of("users", &["team", "handle"], &(left, right));
            prop_assert_eq!(CacheKey::of_outbox(&namespace, &text), Some(expected));
        }
    }
}
