//! Processes that hear of rows, and look seldom.

use super::Here;
use crate::{
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Orm, Outbox};
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

const NEVER: Duration = Duration::from_secs(3600);

/// Another process that drains, whose connections have this name.
async fn listener(here: &Here, name: &str) -> Orm<sqlx::Postgres> {
    let options = here.direct().connect_options().as_ref().clone().application_name(name);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    let orm = Orm::builder(pool)
        .embedded(1 << 20)
        .namespace(here.namespace())
        .outbox_poll(NEVER)
        .build()
        .await
        .unwrap();
    until("it listens", async || !pids(here, name).await.is_empty()).await;
    orm
}

/// The server's processes that listen for it.
async fn pids(here: &Here, name: &str) -> Vec<i32> {
    let sql =
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'";
    sqlx::query_scalar(sql).bind(name).fetch_all(here.direct()).await.unwrap()
}

async fn quiet_place() -> Here {
    let here = Here::built(&[PAGES], |builder| builder.drainer(false).outbox(Outbox::Always)).await;
    here.orm.install_outbox().await.unwrap();
    here
}

/// A process that does not drain says what it puts in.
#[tokio::test]
async fn rows_of_a_process_that_does_not_drain_are_heard_of() {
    let here = quiet_place().await;
    let _listener = listener(&here, &format!("{} a", here.namespace())).await;
    Page { id: 1, body: "a".into() }.insert(&here.orm).await.unwrap();
    until("it is drained", async || here.outbox().await.is_empty()).await;
    let mut transaction = here.orm.begin().await.unwrap();
    for id in 2..5 {
        Page { id, body: "a".into() }.insert(&mut transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
    until("they are drained", async || here.outbox().await.is_empty()).await;
}

/// As by hand, or by an earlier version. What is said to others all the time hides
/// nothing.
#[tokio::test]
async fn rows_of_which_nobody_says_anything_are_found_too() {
    let here = Here::built(&[], |builder| builder.outbox_poll(Duration::from_millis(50))).await;
    here.orm.install_outbox().await.unwrap();
    let name = format!("{} c", here.namespace());
    let _listener = listener(&here, &name).await;
    let until_found = async {
        here.enlist(here.namespace(), "pages:(1)").await;
        until("it is drained", async || here.outbox().await.is_empty()).await;
    };
    let others = async {
        loop {
            here.run("NOTIFY cached_orm_outbox, 'another'").await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        () = until_found => {}
        () = others => {}
    }
}

/// What came while nobody heard it is found when somebody listens again.
#[tokio::test]
async fn a_connection_that_is_lost_is_made_anew_and_nothing_is_missed() {
    let here = quiet_place().await;
    here.orm.install_triggers::<Page>().await.unwrap();
    let name = format!("{} b", here.namespace());
    let _listener = listener(&here, &name).await;
    for round in 0..5 {
        let before = pids(&here, &name).await;
        for pid in &before {
            let ended = sqlx::query("SELECT pg_terminate_backend($1)").bind(pid);
            ended.execute(here.direct()).await.unwrap();
        }
        here.run(&format!("INSERT INTO pages VALUES ({round}, 'a')")).await;
        until("it is drained", async || here.outbox().await.is_empty()).await;
        until("it listens again", async || {
            let now = pids(&here, &name).await;
            !now.is_empty() && now.iter().all(|pid| !before.contains(pid))
        })
        .await;
    }
}
