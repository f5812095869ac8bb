//! Two processes, as far as the cache can tell.

use super::{Here, histories};
use crate::{
    documents::DOCUMENTS,
    tables::people::{COUNTERS, Counter},
};
use cached_orm::MemcachedOrm as _;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_is_read_whatever_the_writers_of_either_do() {
    let here = Here::with(&[DOCUMENTS]).await;
    let other = here.other_handle().await;
    histories::run(&here, [here.orm.clone(), other]).await;
}

#[tokio::test]
async fn upserts_of_one_new_key_by_both_all_succeed() {
    const WRITERS: i32 = 12;
    let here = Here::with(&[COUNTERS]).await;
    let other = here.other_handle().await;
    for id in 1..=5 {
        let upserts = (0..WRITERS).map(|writer| {
            let orm = if writer % 2 == 0 { &here.orm } else { &other };
            async move {
                let row = Counter { id, writer, revision: 0 };
                let written = row.upsert(orm).await.unwrap();
                let read = Counter::fetch_one(orm, id).await.unwrap();
                assert!(read.revision >= written.revision, "{read:?} after {written:?}");
            }
        });
        join_all(upserts).await;
        for orm in [&here.orm, &other] {
            let read = Counter::fetch_one(orm, id).await.unwrap();
            assert_eq!(read.revision, i64::from(WRITERS - 1));
        }
    }
}
