//! Levels of isolation.

use super::Here;
use crate::{
    databases::Kind,
    tables::people::{PAGES, Page},
};
use cached_orm::{Isolation, MemcachedOrm as _};

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn every_level_writes_and_reads() {
    let here = Here::with(&[PAGES]).await;
    let levels = [Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];
    for (id, isolation) in (1..).zip(levels) {
        let mut transaction = here.orm.begin_with(isolation).await.unwrap();
        let row = page(id, "new").insert(&mut transaction).await.unwrap();
        assert_eq!(Page::fetch_one(&mut transaction, id).await.unwrap(), row);
        transaction.commit().await.unwrap();
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), row);
    }
}

#[tokio::test]
async fn a_transaction_sees_others_commits_as_its_level_says() {
    // SQLite has one writer at a time, so there are no others.
    let concurrent = Here::DATABASE != Kind::Sqlite;
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    for (isolation, expected) in
        [(Isolation::ReadCommitted, "new"), (Isolation::RepeatableRead, "old")]
    {
        page(1, "old").update(&here.orm).await.unwrap();
        let mut transaction = here.orm.begin_with(isolation).await.unwrap();
        assert_eq!(Page::fetch_one(&mut transaction, 1).await.unwrap().body, "old");
        if concurrent {
            page(1, "new").update(&here.orm).await.unwrap();
            assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, "new");
        }
        let seen = Page::fetch_one(&mut transaction, 1).await.unwrap().body;
        assert_eq!(seen, if concurrent { expected } else { "old" });
        transaction.commit().await.unwrap();
        // What an old snapshot showed has not got into the cache.
        let read = Page::fetch_one(&here.orm, 1).await.unwrap();
        assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), Some(read));
    }
}
