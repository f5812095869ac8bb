//! Columns of every kind, through the database and through the cache.

use super::Here;
use crate::tables::columns::{KINDS, Kinds, ORDERS, Order, OrderColumns, Settings};
use cached_orm::MemcachedOrm as _;
use chrono::{DateTime, NaiveDate};
use uuid::Uuid;

fn full() -> Kinds {
    Kinds {
        id: 1,
        small: i16::MIN,
        medium: i32::MAX,
        large: i64::MIN,
        real: 0.1 + 0.2,
        flag: true,
        text: "naïve \u{1F980} 'quoted' \"twice\" \\ \r\n\t %s ; -- ".into(),
        bytes: (0..=255).collect(),
        maybe_small: Some(-1),
        maybe_text: Some(String::new()),
        maybe_bytes: Some(vec![]),
        settings: Settings { theme: "dark ☾".into(), sizes: vec![1, u32::MAX] },
        token: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        at: DateTime::from_timestamp_micros(1_234_567_890_123_456).unwrap(),
        day: NaiveDate::from_ymd_opt(2024, 2, 29),
    }
}

fn empty() -> Kinds {
    Kinds {
        id: 2,
        small: 0,
        medium: 0,
        large: 0,
        real: -0.5,
        flag: false,
        text: String::new(),
        bytes: vec![],
        maybe_small: None,
        maybe_text: None,
        maybe_bytes: None,
        settings: Settings { theme: String::new(), sizes: vec![] },
        token: Uuid::nil(),
        at: DateTime::from_timestamp_micros(1_000_000).unwrap(),
        day: None,
    }
}

#[tokio::test]
async fn every_kind_of_column_comes_back_as_it_was_written() {
    let here = Here::with(&[KINDS]).await;
    for row in [full(), empty()] {
        assert_eq!(row.insert(&here.orm).await.unwrap(), row);
        Kinds::delete_cached_instance(&here.orm, row.id).await.unwrap();
        let loaded = Kinds::fetch(&here.orm, row.id).await.unwrap();
        assert_eq!(loaded.as_ref(), Some(&row));
        let cached = Kinds::get_cached_instance(&here.orm, row.id).await.unwrap();
        assert_eq!(cached, Some(row));
    }
}

#[tokio::test]
async fn every_kind_of_column_is_updated() {
    let here = Here::with(&[KINDS]).await;
    full().insert(&here.orm).await.unwrap();
    let mut row = Kinds { id: 1, ..empty() };
    row.update(&here.orm).await.unwrap();
    assert_eq!(row, Kinds { id: 1, ..empty() });
    assert_eq!(Kinds::fetch(&here.orm, 1).await.unwrap().as_ref(), Some(&row));
    assert_eq!(Kinds::fetch_uncached(&here.orm, 1).await.unwrap(), Some(row));
}

fn order() -> Order {
    Order {
        select: 1,
        r#type: "urgent".into(),
        placed_by: "Ann".into(),
        group: 3,
        legacy_number: 0,
    }
}

#[tokio::test]
async fn columns_may_be_renamed_or_called_like_keywords() {
    let here = Here::with(&[ORDERS]).await;
    let mut placed = order().insert(&here.orm).await.unwrap();
    placed.group = 4;
    placed.r#type = "late".into();
    placed.update(&here.orm).await.unwrap();
    assert_eq!(Order::fetch(&here.orm, 1).await.unwrap().as_ref(), Some(&placed));

    let by_group = Order::fetch_all_by_field(&here.orm, OrderColumns::GROUP, 4).await.unwrap();
    assert_eq!(by_group, [placed.clone()]);
    let by_name = Order::fetch_by_field(&here.orm, OrderColumns::PLACED_BY, "Ann").await.unwrap();
    assert_eq!(by_name, Some(placed.clone()));
    assert!(placed.delete(&here.orm).await.unwrap());
}

#[tokio::test]
async fn a_readonly_column_is_read_and_never_written() {
    let here = Here::with(&[ORDERS]).await;
    let mut placed = Order { legacy_number: 99, ..order() }.insert(&here.orm).await.unwrap();
    assert_eq!(placed.legacy_number, 7);
    placed.legacy_number = 99;
    placed.update(&here.orm).await.unwrap();
    assert_eq!(placed.legacy_number, 7);
    assert_eq!(Order::fetch_uncached(&here.orm, 1).await.unwrap(), Some(placed));
}
