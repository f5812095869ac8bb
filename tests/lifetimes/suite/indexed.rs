//! Indexes of rows of which copies are kept, and that have columns which are not
//! cached.

use super::Here;
use crate::rows::labels::{LABELS, Label};
use cached_orm::MemcachedOrm as _;

/// Reads by index show these rows, in the order of their keys, without secrets.
async fn assert_found(here: &Here, rows: &[Label], absent: &str) {
    // Twice: at first they may be loaded.
    for _ in 0..2 {
        for row in rows {
            let found = Label::fetch_by_handle(&here.orm, row.handle.clone()).await.unwrap();
            assert_eq!(found, Some(row.unloaded()));
        }
        assert_eq!(Label::fetch_by_handle(&here.orm, absent).await.unwrap(), None);
        for team in 0..3 {
            let expected: Vec<_> =
                rows.iter().filter(|row| row.team == team).map(Label::unloaded).collect();
            assert_eq!(Label::fetch_by_team(&here.orm, team).await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn copies_of_index_entries_show_what_this_handle_has_written() {
    let here = Here::with(&[LABELS]).await;
    assert_found(&here, &[], "a").await;
    let mut rows = vec![Label::new(1, "a", 0).insert(&here.orm).await.unwrap()];
    assert_found(&here, &rows, "b").await;
    rows.push(Label::new(2, "b", 0).insert(&here.orm).await.unwrap());
    assert_found(&here, &rows, "c").await;
    let before = here.statistics();
    assert_found(&here, &rows, "c").await;
    let after = here.statistics();
    assert!(after.near_hits > before.near_hits);
    assert_eq!((after.hits, after.loads), (before.hits, before.loads), "copies answer them all");

    rows[0].handle = "c".into();
    rows[0].team = 1;
    rows[0].update(&here.orm).await.unwrap();
    assert_found(&here, &rows, "a").await;
    rows[1].handle = "a".into();
    rows[1].update(&here.orm).await.unwrap();
    assert_found(&here, &rows, "b").await;
    let gone = rows.remove(0);
    assert!(gone.delete(&here.orm).await.unwrap());
    assert_found(&here, &rows, "c").await;
}

#[tokio::test]
async fn an_update_of_a_row_that_was_found_by_an_index_leaves_its_secret() {
    let here = Here::with(&[LABELS]).await;
    let mut row = Label::new(1, "a", 0).insert(&here.orm).await.unwrap();
    let mut found = Label::fetch_by_handle(&here.orm, "a").await.unwrap().unwrap();
    found.team = 2;
    found.update(&here.orm).await.unwrap();
    row.team = 2;
    assert_eq!(Label::fetch_uncached(&here.orm, 1).await.unwrap(), Some(row));
}
