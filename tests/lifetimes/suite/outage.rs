//! What can be read while the database does not answer.

use super::{Database, Here};
use crate::{
    databases::Kind,
    rows::notes::{KeptNote, NOTES},
};
use cached_orm::{Error, Freshness, MemcachedOrm as _};
use sqlx::pool::PoolConnection;
use std::time::Duration;
use tokio::{task::JoinHandle, time::sleep};

const OVER: Duration = Duration::from_millis(2100);

/// Holds up every read of the table, and with one of them the only load that may be
/// under way.
struct Outage {
    connection: PoolConnection<Database>,
    load: JoinHandle<cached_orm::Result<Option<KeptNote>>>,
}

impl Outage {
    async fn begin(here: &Here) -> Self {
        let mut connection = here.direct().acquire().await.unwrap();
        let sql = match Here::DATABASE {
            Kind::Postgres => "BEGIN; LOCK TABLE notes IN ACCESS EXCLUSIVE MODE",
            _ => "LOCK TABLES notes WRITE",
        };
        sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap();
        let orm = here.orm.clone();
        let load = tokio::spawn(async move { KeptNote::fetch(&orm, 99).await });
        sleep(Duration::from_millis(300)).await;
        Self { connection, load }
    }

    async fn end(mut self) {
        let sql = match Here::DATABASE {
            Kind::Postgres => "ROLLBACK",
            _ => "UNLOCK TABLES",
        };
        sqlx::raw_sql(sql).execute(&mut *self.connection).await.unwrap();
        self.load.await.unwrap().unwrap();
    }
}

async fn with_note() -> Here {
    let here = Here::built(&[NOTES], |builder| {
        builder.max_database_loads(1).load_timeout(Duration::from_millis(200))
    })
    .await;
    here.run("INSERT INTO notes VALUES (1, 'first', 0)").await;
    KeptNote::fetch_one(&here.orm, 1).await.unwrap();
    here
}

#[tokio::test]
async fn a_row_whose_time_is_over_is_given_as_stale_to_those_who_ask_for_it_so() {
    let here = with_note().await;
    here.run("UPDATE notes SET revision = 1").await;
    sleep(OVER).await;
    let outage = Outage::begin(&here).await;
    for _ in 0..2 {
        match KeptNote::fetch_or_stale(&here.orm, 1).await.unwrap() {
            Freshness::Stale { row, expired_for, error } => {
                assert_eq!(row.revision, 0);
                assert!(expired_for <= Duration::from_secs(20), "{expired_for:?}");
                assert!(matches!(error, Error::Overloaded { .. }), "{error}");
            }
            fresh => panic!("{fresh:?}"),
        }
        let error = KeptNote::fetch(&here.orm, 1).await.unwrap_err();
        assert!(error.is_outage(), "{error}");
        assert!(KeptNote::fetch_many(&here.orm, [1]).await.unwrap_err().is_outage());
    }
    assert_eq!(here.statistics().stale_reads, 2);
    let error = KeptNote::fetch_or_stale(&here.orm, 2).await.unwrap_err();
    assert!(error.is_outage(), "nothing is known of it: {error}");
    outage.end().await;
    let fresh = KeptNote::fetch_or_stale(&here.orm, 1).await.unwrap();
    assert!(matches!(fresh, Freshness::Fresh(Some(row)) if row.revision == 1));
}

#[tokio::test]
async fn a_row_that_is_being_written_has_no_last_state() {
    let here = with_note().await;
    sleep(OVER).await;
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let mut note = KeptNote { id: 1, text: "second".into(), revision: 1 };
    let pending = note.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let outage = Outage::begin(&here).await;
    KeptNote::fetch_or_stale(&here.orm, 1).await.unwrap_err();
    outage.end().await;
    fenced.release().await;
    assert_eq!(KeptNote::fetch_one(&here.orm, 1).await.unwrap(), note);
}
