//! How long after another program's COMMIT the old row is read.

use super::{Database, Here};
use crate::{
    databases::{Kind, TestDatabase as _},
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::MemcachedOrm as _;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const WRITES: usize = 500;
const POLL: Duration = Duration::from_millis(250);

/// Run it alone: `cargo test --test behaviour trigger_latency -- --ignored --nocapture --test-threads 1`
#[tokio::test]
#[ignore = "takes two minutes where there is no NOTIFY; prints figures"]
async fn of_an_entry_after_the_commit_of_another() {
    let here = Here::built(&[PAGES], |builder| builder.outbox_poll(POLL)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    here.run("INSERT INTO pages VALUES (1, 'a')").await;
    let other = here.other_pool().await;
    let mut waited = Vec::with_capacity(WRITES);
    for write in 0..WRITES {
        until("the page is cached", async || {
            Page::fetch(&here.orm, 1).await.unwrap();
            Page::get_cached_instance(&here.orm, 1).await.unwrap().is_some()
        })
        .await;
        // Not in step with a drainer that polls.
        if Here::DATABASE != Kind::Postgres {
            sleep(POLL.mul_f64(rand::random())).await;
        }
        let sql = format!("UPDATE pages SET body = 'write {write}' WHERE id = 1");
        Database::run(&other, &sql).await.unwrap();
        let committed = Instant::now();
        while Page::get_cached_instance(&here.orm, 1).await.unwrap().is_some() {
            sleep(Duration::from_millis(1)).await;
        }
        waited.push(committed.elapsed());
    }
    waited.sort();
    let [p50, p99, max] = [WRITES / 2, WRITES * 99 / 100, WRITES - 1].map(|at| waited[at]);
    println!("{:?}: {WRITES} writes, p50 {p50:?}, p99 {p99:?}, max {max:?}", Here::DATABASE);
    let promised = match Here::DATABASE {
        Kind::Postgres => Duration::from_millis(100),
        _ => POLL + Duration::from_millis(100),
    };
    assert!(p99 < promised, "p99 is {p99:?}");
}
