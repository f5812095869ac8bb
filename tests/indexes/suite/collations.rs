//! Databases that take `ANN` for `ann`. The cache does not.

use super::Here;
use crate::members::{ALIASES, Alias};
use cached_orm::MemcachedOrm as _;

async fn by_name(here: &Here, name: &str) -> Option<i64> {
    Alias::fetch_by_name(&here.orm, name).await.unwrap().map(|alias| alias.id)
}

async fn by_kind(here: &Here, kind: &str) -> Vec<i64> {
    let found = Alias::fetch_by_kind(&here.orm, kind).await.unwrap();
    found.iter().map(|alias| alias.id).collect()
}

fn alias(id: i64, name: &str, kind: &str) -> Alias {
    Alias { id, name: name.into(), kind: kind.into() }
}

#[tokio::test]
async fn a_value_is_found_by_its_own_spelling_only() {
    let here = Here::with(&[ALIASES]).await;
    here.run("INSERT INTO aliases VALUES (1, 'ann', 'Nick'), (2, 'bob', 'nick')").await;
    for _ in 0..3 {
        assert_eq!(by_name(&here, "ANN").await, None);
        assert_eq!(by_name(&here, "ann").await, Some(1));
        assert_eq!(by_kind(&here, "Nick").await, [1]);
        assert_eq!(by_kind(&here, "nick").await, [2]);
        assert_eq!(by_kind(&here, "NICK").await, [0; 0]);
    }
    let mut transaction = here.orm.begin().await.unwrap();
    assert!(Alias::fetch_by_name(&mut transaction, "ANN").await.unwrap().is_none());
    assert_eq!(Alias::fetch_by_kind(&mut transaction, "NICK").await.unwrap(), []);
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn a_row_that_changes_its_spelling_is_found_by_the_new_one() {
    let here = Here::with(&[ALIASES]).await;
    let mut ann = alias(1, "ann", "nick").insert(&here.orm).await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_name(&here, "ANN").await, None);
        assert_eq!(by_name(&here, "ann").await, Some(1));
        assert_eq!(by_kind(&here, "NICK").await, [0; 0]);
        assert_eq!(by_kind(&here, "nick").await, [1]);
    }
    (ann.name, ann.kind) = ("ANN".into(), "NICK".into());
    ann.update(&here.orm).await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_name(&here, "ANN").await, Some(1));
        assert_eq!(by_name(&here, "ann").await, None);
        assert_eq!(by_kind(&here, "NICK").await, [1]);
        assert_eq!(by_kind(&here, "nick").await, [0; 0]);
    }
    assert!(ann.delete(&here.orm).await.unwrap());
    alias(2, "Ann", "Nick").insert(&here.orm).await.unwrap();
    for (spelling, found) in [("ann", None), ("ANN", None), ("Ann", Some(2))] {
        assert_eq!(by_name(&here, spelling).await, found, "{spelling}");
    }
}
