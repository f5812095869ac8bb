//! What a batch costs.

use super::Here;
use crate::{
    databases::Kind,
    tables::people::{LEAFLETS, Leaflet, PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Statistics};
use sqlx::Connection as _;

fn page(id: i64) -> Page {
    Page { id, body: format!("page {id}") }
}

/// Rows that the library knows nothing of: even numbers below `end`.
pub(super) async fn insert_even_pages(here: &Here, end: i64) {
    let from = match Here::DATABASE {
        Kind::Postgres => format!("generate_series(0, {end} - 1, 2) AS g (n)"),
        Kind::MariaDb => format!(
            "(SELECT 2 * (i - 1) AS n FROM JSON_TABLE(
                CONCAT('[0', REPEAT(',0', ({end} - 1) DIV 2), ']'), '$[*]'
                COLUMNS (i FOR ORDINALITY)) AS numbers) g"
        ),
        Kind::Sqlite => format!(
            "(WITH RECURSIVE g (n) AS (SELECT 0 UNION ALL SELECT n + 2 FROM g WHERE n + 2 < {end})
              SELECT n FROM g)"
        ),
    };
    let body = match Here::DATABASE {
        Kind::MariaDb => "CONCAT('page ', n)",
        _ => "'page ' || n",
    };
    here.run(&format!("INSERT INTO pages (id, body) SELECT n, {body} FROM {from}")).await;
}

fn expected(ids: impl Iterator<Item = i64>) -> Vec<Option<Page>> {
    ids.map(|id| (id % 2 == 0).then(|| page(id))).collect()
}

fn spent(now: Statistics, before: Statistics) -> (u64, u64, u64, u64) {
    (
        now.batches - before.batches,
        now.batch_loads - before.batch_loads,
        now.loads - before.loads,
        now.hits - before.hits,
    )
}

#[tokio::test]
async fn a_hundred_missing_rows_are_one_statement_and_then_a_hundred_hits() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 100).await;
    let start = here.statistics();
    assert_eq!(Page::fetch_many(&here.orm, 0..100).await.unwrap(), expected(0..100));
    let filled = here.statistics();
    assert_eq!(spent(filled, start), (1, 1, 100, 0));
    // Absent rows are remembered as well.
    assert_eq!((filled.fills - start.fills, filled.misses - start.misses), (100, 100));
    assert_eq!(Page::fetch_many(&here.orm, 0..100).await.unwrap(), expected(0..100));
    assert_eq!(spent(here.statistics(), filled), (1, 0, 0, 100));
    for id in 0..100 {
        let cached = Page::get_cached_instance(&here.orm, id).await.unwrap();
        assert_eq!(cached, (id % 2 == 0).then(|| page(id)));
    }

    // Only what is missing is loaded, and all of that at once.
    for id in [3, 50, 99] {
        Page::delete_cached_instance(&here.orm, id).await.unwrap();
    }
    let before = here.statistics();
    assert_eq!(Page::fetch_many(&here.orm, 0..100).await.unwrap(), expected(0..100));
    assert_eq!(spent(here.statistics(), before), (1, 1, 3, 97));
}

#[tokio::test]
async fn a_hundred_thousand_keys_work() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 100_000).await;
    let chunks = 100_000_u64.div_ceil(512);
    let start = here.statistics();
    let found = Page::fetch_many(&here.orm, (0..100_000).rev()).await.unwrap();
    assert!(found == expected((0..100_000).rev()), "rows in their places");
    let filled = here.statistics();
    assert_eq!(spent(filled, start), (chunks, chunks, 100_000, 0));
    let found = Page::fetch_many(&here.orm, 0..100_000).await.unwrap();
    assert!(found == expected(0..100_000), "rows in their places");
    let (batches, _, loads, hits) = spent(here.statistics(), filled);
    assert_eq!((batches, loads + hits), (chunks, 100_000));
}

#[tokio::test]
async fn rows_that_may_not_be_remembered_as_absent_are_not() {
    let here = Here::with(&[LEAFLETS]).await;
    Leaflet { id: 1, text: "a".into() }.insert(&here.orm).await.unwrap();
    Leaflet::delete_cached_instance(&here.orm, 1).await.unwrap();
    for loads in [10, 9] {
        let mut since = here.statistics();
        let found = Leaflet::fetch_many(&here.orm, 0..10).await.unwrap();
        assert_eq!(found.iter().flatten().count(), 1);
        assert_eq!(here.loads_since(&mut since), loads);
    }
}

/// Drivers keep prepared statements by their text.
#[tokio::test]
async fn lists_of_any_length_are_few_statements() {
    let here = Here::with(&[PAGES]).await;
    insert_even_pages(&here, 300).await;
    let mut transaction = here.orm.begin().await.unwrap();
    for length in 0..300 {
        let found = Page::fetch_many(&mut transaction, 0..length).await.unwrap();
        assert_eq!(found, expected(0..length));
    }
    let kept = transaction.cached_statements_size();
    assert!((1..=12).contains(&kept), "{kept} statements");
    transaction.rollback().await.unwrap();
}
