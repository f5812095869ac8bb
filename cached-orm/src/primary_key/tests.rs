use super::*;
use crate::key::{CacheKey, Namespace, index_name};

fn of_row(namespace: &Namespace, table: &str, key: &impl PrimaryKey) -> CacheKey {
    CacheKey::of_row(namespace, table, |text| key.write_instance_key(text))
}

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
            let row = of_row(&namespace, other.as_str(), &left);
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

mod in_the_outbox {
    use super::*;
    use proptest::prelude::*;

    fn hex(part: &str) -> String {
        part.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    proptest! {
        #[test]
        fn rust_can_write_it_as_triggers_do(table in ".{0,20}", left in any::<String>(), id: i64) {
            let name = CacheKey::outbox_name(&table);
            let text = CacheKey::outbox_text(&table, |text| (left.clone(), id).write_instance_key(text));
            let expected = format!("{name}({})({})", hex(&left), hex(&id.to_string()));
            prop_assert_eq!(&text, &expected);
            let namespace = Namespace::default();
            let key = of_row(&namespace, table.as_str(), &(left, id));
            if let Some(again) = key.trigger_text(&namespace) {
                prop_assert_eq!(&again, &text);
            }
            prop_assert_eq!(CacheKey::of_outbox(&namespace, &text), Some(key));
        }

        #[test]
        fn a_key_can_be_made_of_texts(
            table in ".{0,20}", left in any::<String>(), right: Vec<u8>, id: i64,
        ) {
            let namespace = Namespace::new("shop").expect("a plain name");
            let digits: String = right.iter().map(|byte| format!("{byte:02x}")).collect();
            let parts = [left.as_str(), &digits, &id.to_string()];
            let made = CacheKey::of_parts(&namespace, &table, &parts);
            prop_assert_eq!(made, of_row(&namespace, table.as_str(), &(left.clone(), right, id)));
        }
    }
}
