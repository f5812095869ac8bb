//! Rows that are larger than the cache takes.

use super::Here;
use crate::tables::people::{PAGES, Page};
use cached_orm::{MemcachedOrm as _, SetOptions};
use futures_util::future::join_all;

/// Above memcached's megabyte, and above an eighth of the embedded store.
const TOO_LARGE: usize = 9 << 20;

fn page(id: i64, length: usize) -> Page {
    Page { id, body: "x".repeat(length) }
}

#[tokio::test]
async fn a_row_over_the_limit_is_returned_but_not_cached() {
    let here = Here::with(&[PAGES]).await;
    here.run("INSERT INTO pages VALUES (1, 'small')").await;
    Page::fetch(&here.orm, 1).await.unwrap();

    let mut row = page(1, TOO_LARGE);
    row.update(&here.orm).await.unwrap();
    assert!(here.statistics().too_large >= 1);
    for _ in 0..2 {
        let before = here.statistics();
        let read = Page::fetch_one(&here.orm, 1).await.unwrap();
        assert_eq!(read.body.len(), TOO_LARGE);
        let after = here.statistics();
        assert_eq!((after.loads, after.fills), (before.loads + 1, before.fills));
        assert!(after.too_large > before.too_large);
    }
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), None);
    assert!(!row.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());

    // Small again, it is cached again.
    page(1, 10).update(&here.orm).await.unwrap();
    let cached = Page::get_cached_instance(&here.orm, 1).await.unwrap();
    assert_eq!(cached, Some(page(1, 10)));
}

#[tokio::test]
async fn it_does_not_keep_other_rows_from_being_read_and_cached() {
    let here = Here::with(&[PAGES]).await;
    page(1, TOO_LARGE).insert(&here.orm).await.unwrap();
    page(2, 10).insert(&here.orm).await.unwrap();
    Page::fetch(&here.orm, 2).await.unwrap();

    let before = here.statistics();
    let (large, small) = tokio::join!(
        join_all((0..3).map(|_| Page::fetch_one(&here.orm, 1))),
        join_all((0..50).map(|_| Page::fetch_one(&here.orm, 2))),
    );
    assert!(large.into_iter().all(|row| row.unwrap().body.len() == TOO_LARGE));
    assert!(small.into_iter().all(|row| row.unwrap() == page(2, 10)));
    let after = here.statistics();
    assert_eq!(after.hits, before.hits + 50);
    // Each reader loads once at most; nobody loads again and again.
    assert!(after.loads - before.loads <= 3);
}

#[tokio::test]
async fn a_row_of_some_hundred_kilobytes_is_cached() {
    let here = Here::with(&[PAGES]).await;
    page(1, 300_000).insert(&here.orm).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, 300_000));
    let mut since = here.statistics();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, 300_000));
    assert_eq!(here.loads_since(&mut since), 0);
}
