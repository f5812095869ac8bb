//! Databases that take `ANN` for `ann`. The cache does not.

use super::Here;
use crate::tables::keys::{NICKNAMES, Nickname, NicknameColumns};
use cached_orm::{Error, MemcachedOrm as _};

async fn with_ann() -> Here {
    let here = Here::with(&[NICKNAMES]).await;
    Nickname { name: "ann".into(), owner: 1 }.insert(&here.orm).await.unwrap();
    here
}

async fn fetch(here: &Here, name: &str) -> Option<Nickname> {
    Nickname::fetch(&here.orm, name.to_owned()).await.unwrap()
}

#[tokio::test]
async fn a_row_is_found_by_its_own_spelling_only() {
    let here = with_ann().await;
    for _ in 0..2 {
        assert_eq!(fetch(&here, "ANN").await, None);
        assert_eq!(fetch(&here, "ann").await.map(|ann| ann.owner), Some(1));
    }
    assert_eq!(Nickname::fetch_uncached(&here.orm, "ANN".into()).await.unwrap(), None);
    let mut transaction = here.orm.begin().await.unwrap();
    assert_eq!(Nickname::fetch(&mut transaction, "ANN".into()).await.unwrap(), None);
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn by_the_key_column_fetch_by_field_is_fetch_and_others_use_the_databases_equality() {
    let here = with_ann().await;
    let by_name = NicknameColumns::NAME;
    let one = Nickname::fetch_by_field(&here.orm, by_name, "ANN").await.unwrap();
    assert_eq!(one, None);
    let all = Nickname::fetch_all_by_field(&here.orm, by_name, "ANN").await.unwrap();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn an_update_by_another_spelling_leaves_nothing_stale_under_either() {
    let here = with_ann().await;
    assert_eq!(fetch(&here, "ANN").await, None);
    assert!(fetch(&here, "ann").await.is_some());

    let mut other = Nickname { name: "ANN".into(), owner: 2 };
    other.update(&here.orm).await.unwrap();
    // It is the row as the database has it.
    assert_eq!(other, Nickname { name: "ann".into(), owner: 2 });
    assert_eq!(fetch(&here, "ann").await, Some(other));
    assert_eq!(fetch(&here, "ANN").await, None);
}

#[tokio::test]
async fn a_delete_by_another_spelling_leaves_nothing_stale_under_either() {
    let here = with_ann().await;
    assert!(fetch(&here, "ann").await.is_some());
    let other = Nickname { name: "Ann".into(), owner: 0 };
    assert!(other.delete(&here.orm).await.unwrap());
    for spelling in ["ann", "Ann", "ANN"] {
        assert_eq!(fetch(&here, spelling).await, None, "{spelling}");
    }
}

#[tokio::test]
async fn a_row_inserted_in_another_spelling_is_another_entry() {
    let here = with_ann().await;
    let ann = fetch(&here, "ann").await.unwrap();
    assert_eq!(fetch(&here, "ANN").await, None);
    assert!(ann.delete(&here.orm).await.unwrap());
    let loud = Nickname { name: "ANN".into(), owner: 3 }.insert(&here.orm).await.unwrap();
    assert_eq!(fetch(&here, "ANN").await, Some(loud));
    assert_eq!(fetch(&here, "ann").await, None);
}

#[tokio::test]
async fn refreshing_by_another_spelling_finds_no_row() {
    let here = with_ann().await;
    let mut other = Nickname { name: "ANN".into(), owner: 9 };
    let error = other.refresh(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    assert_eq!(other.owner, 9);
}
