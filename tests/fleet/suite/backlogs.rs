//! Rows that nobody drains, of a namespace that no program has any more.

use super::Here;
use crate::{databases::Kind, tables::people::PAGES};
use std::time::{Duration, Instant};

const BACKLOG: u32 = 400_000;

/// The shortest of some times that a row takes to be drained, and an empty look.
async fn drained_within(here: &Here) -> Duration {
    let mut shortest = Duration::MAX;
    for number in 0..12 {
        here.enlist(here.namespace(), &format!("pages:({number})")).await;
        let began = Instant::now();
        assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 1);
        assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 0);
        assert_eq!(here.orm.status().await.outbox.unwrap().rows, 0);
        shortest = shortest.min(began.elapsed());
    }
    shortest
}

#[tokio::test]
async fn another_namespaces_backlog_slows_nobody_down() {
    let here = Here::built(&[PAGES], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    let empty = drained_within(&here).await;
    let put = "INSERT INTO cached_orm_outbox (namespace, cache_key)";
    here.run(&match Here::DATABASE {
        Kind::Postgres => {
            format!("{put} SELECT 'a former one', 'pages:(1)' FROM generate_series(1, {BACKLOG})")
        }
        // MariaDB and MySQL limit recursion by variables of different names.
        Kind::MariaDb => {
            let ten = "(SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 \
                        UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 \
                        UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1)";
            format!(
                "{put} SELECT 'a former one', 'pages:(1)' FROM {ten} a, {ten} b, {ten} c, {ten} d, \
                 {ten} e, (SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 1) f"
            )
        }
        Kind::Sqlite => format!(
            "WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL
                 SELECT n + 1 FROM numbers WHERE n < {BACKLOG})
             {put} SELECT 'a former one', 'pages:(1)' FROM numbers"
        ),
    })
    .await;
    let beside = drained_within(&here).await;
    println!("{:?}: {empty:?} alone, {beside:?} beside {BACKLOG} rows", Here::DATABASE);
    assert!(beside < empty * 4 + Duration::from_millis(10), "{beside:?}, and {empty:?} alone");
}
