//! Filling the cache before rows are asked for.

use super::{Here, costs::insert_even_pages};
use crate::tables::people::{PAGES, Page};
use cached_orm::{MemcachedOrm as _, Warmed};
use std::sync::atomic::{AtomicU64, Ordering};

fn figures(warmed: Warmed) -> [u64; 5] {
    [warmed.done, warmed.filled, warmed.present, warmed.absent, warmed.skipped]
}

#[tokio::test]
async fn what_is_missing_is_filled_and_told() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 2000).await;
    for id in (0..100).step_by(2) {
        Page::fetch_one(&here.orm, id).await.unwrap();
    }
    // The keys are taken as they are needed.
    let taken = AtomicU64::new(0);
    let keys = (0..2000).inspect(|_| {
        taken.fetch_add(1, Ordering::SeqCst);
    });
    let mut steps = Vec::new();
    let warmed = Page::warm(&here.orm, keys, |so_far| {
        assert_eq!(taken.load(Ordering::SeqCst), so_far.done);
        steps.push(so_far);
    });
    assert_eq!(figures(warmed.await.unwrap()), [2000, 950, 50, 1000, 0]);
    let done: Vec<_> = steps.iter().map(|so_far| so_far.done).collect();
    assert_eq!(done, [512, 1024, 1536, 2000]);
    assert_eq!(figures(steps[0]), [512, 206, 50, 256, 0]);

    let mut since = here.statistics();
    let rows = Page::fetch_many(&here.orm, 0..2000).await.unwrap();
    assert_eq!(rows.into_iter().flatten().count(), 1000);
    assert_eq!(here.loads_since(&mut since), 0);
    let again = Page::warm(&here.orm, 0..2000, |_| {}).await.unwrap();
    assert_eq!(figures(again), [2000, 0, 1000, 1000, 0]);
}

#[tokio::test]
async fn keys_that_come_twice_and_none_at_all() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 10).await;
    let keys = [2, 2, 4, 2, 3];
    let warmed = Page::warm(&here.orm, keys, |_| {}).await.unwrap();
    assert_eq!(figures(warmed), [5, 2, 2, 1, 0]);
    let nothing = Page::warm(&here.orm, [], |_| panic!("there is nothing to tell")).await;
    assert_eq!(nothing.unwrap(), Warmed::default());
}

#[tokio::test]
async fn without_a_cache_rows_are_skipped() {
    let here = Here::built(&[PAGES], |builder| builder.uncached()).await;
    insert_even_pages(&here, 10).await;
    let warmed = Page::warm(&here.orm, 0..10, |_| {}).await.unwrap();
    assert_eq!(figures(warmed), [10, 0, 0, 5, 5]);
}

#[tokio::test]
async fn a_row_that_is_being_written_is_not_put_there() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 10).await;
    let mut transaction = here.orm.begin().await.unwrap();
    Page { id: 2, body: "new".into() }.update(&mut transaction).await.unwrap();
    // Not committed, so the old row is the row.
    let warmed = Page::warm(&here.orm, 0..10, |_| {}).await.unwrap();
    assert_eq!(figures(warmed), [10, 5, 0, 5, 0]);
    transaction.commit().await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 2).await.unwrap().body, "new");
}
