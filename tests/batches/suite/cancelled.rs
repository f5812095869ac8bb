//! Batches whose futures are dropped halfway.

use super::{Here, costs::insert_even_pages};
use crate::{
    polling::cancel_after,
    tables::people::{PAGES, Page},
};
use cached_orm::MemcachedOrm as _;
use std::time::Duration;
use tokio::time::sleep;

const KEYS: i64 = 60;

/// A lease left behind would keep everybody else from filling the key.
#[tokio::test]
async fn a_batch_that_is_dropped_leaves_no_lease_behind() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 40 * KEYS).await;
    let mut dropped = 0;
    for round in 0..40 {
        let ids = round * KEYS..(round + 1) * KEYS;
        let polls = (round % 10) as usize;
        let batch = Page::fetch_many(&here.orm, ids.clone());
        dropped += u32::from(cancel_after(polls, batch).await.is_none());
        sleep(Duration::from_millis(5)).await;
        let rows = Page::fetch_many(&here.orm, ids.clone()).await.unwrap();
        for (id, row) in ids.clone().zip(rows) {
            assert_eq!(row.map(|row| row.id), (id % 2 == 0).then_some(id));
        }
        for id in ids.step_by(2) {
            let cached = Page::get_cached_instance(&here.orm, id).await.unwrap();
            assert!(cached.is_some(), "page {id} could not be put in the cache");
        }
    }
    assert!(dropped >= 4, "{dropped} batches were dropped");
}

#[tokio::test]
async fn a_transaction_whose_batch_was_dropped_can_be_rolled_back() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 100).await;
    for polls in 0..8 {
        let mut transaction = here.orm.begin().await.unwrap();
        cancel_after(polls, Page::fetch_many(&mut transaction, 0..100)).await;
        transaction.rollback().await.unwrap();
        let rows = Page::fetch_many(&here.orm, 0..100).await.unwrap();
        assert_eq!(rows.iter().flatten().count(), 50);
    }
}
