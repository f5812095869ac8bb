//! Reads while memcached is away: the database sees no more of them at once than
//! it is meant to.

use super::{Database, Here};
use crate::{
    databases::Kind,
    memcached::OwnServer,
    polling::until,
    tables::people::PAGES,
};
use cached_orm::{Error, MemcachedOrm, OrmBuilder};
use serde::{Deserialize, Serialize};
use sqlx::pool::PoolConnection;
use std::time::Duration;
use tokio::{task::JoinHandle, time::sleep};

const ROWS: i64 = 12;

/// A row of what is a view in SQLite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "pages", accepts(views))]
struct Page {
    #[primary_key]
    id: i64,
    body: String,
}

/// A place without a cache, where reads take as long as a [`Block`] lasts.
async fn here(options: impl Fn(OrmBuilder<Database>) -> OrmBuilder<Database>) -> Here {
    let server = OwnServer::absent();
    let here = Here::built(&[PAGES], |builder| {
        options(builder).memcached([server.address()]).timeout(Duration::from_millis(200))
    })
    .await;
    for id in 0..ROWS {
        here.run(&format!("INSERT INTO pages VALUES ({id}, 'a')")).await;
    }
    if Here::DATABASE == Kind::Sqlite {
        // Its readers wait for nobody, so that it is a slow view.
        here.run(
            "ALTER TABLE pages RENAME TO slow_pages;
             CREATE VIEW pages AS SELECT id, body FROM slow_pages WHERE (
                WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 1000000)
                SELECT MAX(n) FROM count) > 0",
        )
        .await;
    }
    here
}

/// Makes every read of the table wait.
struct Block(PoolConnection<Database>);

impl Block {
    async fn new(here: &Here) -> Self {
        let mut connection = here.direct().acquire().await.unwrap();
        let sql = match Here::DATABASE {
            Kind::Postgres => "BEGIN; LOCK TABLE pages IN ACCESS EXCLUSIVE MODE",
            Kind::MariaDb => "LOCK TABLES pages WRITE",
            Kind::Sqlite => "SELECT 1",
        };
        sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
        Self(connection)
    }

    async fn end(mut self) {
        let sql = match Here::DATABASE {
            Kind::Postgres => "ROLLBACK",
            Kind::MariaDb => "UNLOCK TABLES",
            Kind::Sqlite => "SELECT 1",
        };
        sqlx::raw_sql(sql).execute(&mut *self.0).await.unwrap();
    }
}

/// How many reads the database is at, where it tells.
async fn waiting(here: &Here) -> Option<i64> {
    let sql = match Here::DATABASE {
        Kind::Postgres => {
            "SELECT COUNT(*) FROM pg_locks WHERE relation = 'pages'::regclass AND NOT granted"
        }
        Kind::MariaDb => {
            "SELECT COUNT(*) FROM information_schema.processlist
             WHERE db = DATABASE() AND state LIKE 'Waiting for table%'"
        }
        Kind::Sqlite => return None,
    };
    Some(sqlx::query_scalar(sql).fetch_one(here.direct()).await.unwrap())
}

fn reading(here: &Here, id: i64) -> JoinHandle<cached_orm::Result<Option<Page>>> {
    let orm = here.orm.clone();
    tokio::spawn(async move { Page::fetch(&orm, id).await })
}

#[tokio::test]
async fn no_more_loads_run_at_once_than_are_allowed_and_the_others_wait() {
    const LOADS: u32 = 3;
    let here = here(|builder| {
        builder.max_database_loads(LOADS).load_timeout(Duration::from_secs(600))
    })
    .await;
    let block = Block::new(&here).await;
    let reads: Vec<_> = (0..ROWS).map(|id| reading(&here, id)).collect();
    if waiting(&here).await.is_some() {
        until("loads wait", async || waiting(&here).await >= Some(LOADS.into())).await;
        for _ in 0..20 {
            sleep(Duration::from_millis(10)).await;
            assert_eq!(waiting(&here).await, Some(LOADS.into()));
        }
        assert!(reads.iter().all(|read| !read.is_finished()));
    }
    block.end().await;
    for read in reads {
        assert!(read.await.unwrap().unwrap().is_some());
    }
    assert_eq!(here.statistics().loads, ROWS as u64);
}

#[tokio::test]
async fn a_load_that_waits_too_long_is_given_up() {
    const LOADS: u32 = 2;
    // Much shorter than a read of the slow view.
    const TIMEOUT: Duration = match Here::DATABASE {
        Kind::Sqlite => Duration::from_millis(30),
        Kind::Postgres | Kind::MariaDb => Duration::from_millis(300),
    };
    let here = here(|builder| builder.max_database_loads(LOADS).load_timeout(TIMEOUT)).await;
    // Connections are there, and were found fit.
    until("a row is read", async || Page::fetch(&here.orm, 0).await.is_ok()).await;
    let before = here.statistics().load_errors;
    let block = Block::new(&here).await;
    let reads: Vec<_> = (0..6).map(|id| reading(&here, id)).collect();
    let finished = || reads.iter().filter(|read| read.is_finished()).count();
    until("those that wait give up", async || finished() >= 4).await;
    block.end().await;
    let mut overloaded = 0;
    for read in reads {
        match read.await.unwrap() {
            Ok(row) => assert!(row.is_some()),
            Err(Error::Overloaded { waited, .. }) => {
                assert_eq!(waited, TIMEOUT);
                overloaded += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    // On a busy machine one that may run does not get a connection in time.
    assert!((4..=6).contains(&overloaded), "{overloaded}");
    assert_eq!(here.statistics().load_errors - before, overloaded);
    until("it goes on afterwards", async || Page::fetch(&here.orm, 5).await.is_ok()).await;
}

#[tokio::test]
async fn loads_of_one_key_are_shared() {
    let here = here(|builder| builder.max_database_loads(8)).await;
    Page::fetch(&here.orm, 0).await.unwrap();
    let before = here.statistics();
    let block = Block::new(&here).await;
    let first = reading(&here, 1);
    until("the first has begun", async || here.statistics().loads > before.loads).await;
    let others: Vec<_> = (0..20).map(|_| reading(&here, 1)).collect();
    sleep(Duration::from_millis(50)).await;
    block.end().await;
    assert!(first.await.unwrap().unwrap().is_some());
    for other in others {
        assert!(other.await.unwrap().unwrap().is_some());
    }
    // Those who came while it was under way share the next.
    let after = here.statistics();
    assert_eq!(after.loads - before.loads, 2);
    assert_eq!(after.coalesced - before.coalesced, 19);
}
