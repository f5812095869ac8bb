//! A partitioned table, whose triggers are there once more on each partition.

use super::Here;
use crate::{catalog::Catalog as _, rows::Parted};
use sqlx::Postgres;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn its_triggers_are_recognized_told_once_and_uninstalled() {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(
        "CREATE TABLE parted (id BIGINT PRIMARY KEY, body TEXT NOT NULL) PARTITION BY RANGE (id);
         CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
         CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200)",
    )
    .await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Parted>().await.unwrap();
    let before = Postgres::versions(here.direct()).await;
    let mut long = here.direct().begin().await.unwrap();
    sqlx::query("INSERT INTO parted VALUES (1, 'a'), (101, 'b')")
        .execute(&mut *long)
        .await
        .unwrap();
    let again = here.orm.install_triggers::<Parted>();
    timeout(Duration::from_secs(15), again).await.expect("it waits for nobody").unwrap();
    long.commit().await.unwrap();
    assert_eq!(Postgres::versions(here.direct()).await, before);
    assert_eq!(here.outbox().await.len(), 2);

    let other = here.handle(|builder| builder.drainer(false).namespace("another")).await;
    let status = other.status().await;
    assert_eq!(status.other_triggers.len(), 1, "{status}");
    assert!(here.orm.uninstall_triggers::<Parted>().await.unwrap());
    assert_eq!(Postgres::versions(here.direct()).await, [""; 0]);
}
