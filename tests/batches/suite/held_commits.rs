//! A batch over a row whose COMMIT is under way.

use super::{Database, Here, costs::insert_even_pages};
use crate::{
    databases::ServerDatabase as _,
    polling::until,
    proxy::{Fate, Proxy},
    tables::people::{PAGES, Page},
};
use cached_orm::MemcachedOrm as _;

#[tokio::test]
async fn a_fence_in_the_middle_is_no_matter_to_the_others() {
    let proxy: Proxy = Database::proxy().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| builder.drainer(false)).await;
    insert_even_pages(&here, 100).await;
    let other = here.other_handle().await;
    Page::fetch_many(&here.orm, 0..50).await.unwrap();
    for (id, round) in [(4, 0), (60, 1)] {
        proxy.next_commit(Fate::Hold);
        let writing = tokio::spawn({
            let orm = here.orm.clone();
            async move { Page { id, body: "new".into() }.update(&orm).await.unwrap() }
        });
        proxy.held().await;
        for orm in [&here.orm, &other] {
            let before = orm.statistics();
            let rows = Page::fetch_many(orm, 0..100).await.unwrap();
            let old = format!("page {id}");
            assert_eq!(rows[id as usize].as_ref().map(|row| &row.body), Some(&old));
            let after = orm.statistics();
            assert_eq!(after.fenced - before.fenced, 1, "round {round}");
            // Whoever came first has filled the others, and nobody the fenced one.
            assert_eq!(after.fills - before.fills, after.loads - before.loads - 1);
            assert_eq!(after.batch_loads - before.batch_loads, 1);
            assert_eq!(Page::get_cached_instance(orm, id).await.unwrap(), None);
        }
        proxy.let_go();
        writing.await.unwrap();
        for orm in [&here.orm, &other] {
            // After a COMMIT that took too long the row does not take the fence's place.
            until("all of them are hits again", async || {
                let before = orm.statistics();
                let rows = Page::fetch_many(orm, 0..100).await.unwrap();
                assert_eq!(rows[id as usize].as_ref().map(|row| row.body.as_str()), Some("new"));
                orm.statistics().hits - before.hits == 100
            })
            .await;
        }
    }
}
