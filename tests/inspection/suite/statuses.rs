//! How database, outbox and loads are.

use super::{Database, Here};
use crate::rows::{PARTS, Part};
use sqlx::Database as _;
use std::time::Duration;

#[tokio::test]
async fn the_outbox_is_told_with_its_rows_and_the_age_of_the_oldest() {
    let here = Here::built(&[PARTS], |builder| builder.drainer(false)).await;
    let status = here.orm.status().await;
    let outbox = status.outbox.unwrap();
    assert!(!outbox.is_installed && outbox.rows == 0, "{status}");
    here.orm.install_outbox().await.unwrap();
    let status = here.orm.status().await;
    assert!(status.is_well() && status.outbox.unwrap().oldest.is_none(), "{status}");
    here.enlist(here.namespace(), "hex parts:(31)").await;
    here.enlist("another", "hex parts:(31)").await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    here.enlist(here.namespace(), "hex parts:(32)").await;
    let status = here.orm.status().await;
    let outbox = status.outbox.unwrap();
    assert_eq!((outbox.is_installed, outbox.rows), (true, 2), "{status}");
    let oldest = outbox.oldest.unwrap();
    assert!((1..60).contains(&oldest.as_secs()), "{oldest:?}");
    assert!(!status.is_well() && status.to_string().contains("2 rows"), "{status}");
    here.orm.drain_outbox().await.unwrap();
    assert!(here.orm.status().await.is_well());
}

#[tokio::test]
async fn database_cache_and_loads_are_told() {
    let here = Here::with(&[PARTS]).await;
    Part::fetch(&here.orm, 1).await.unwrap();
    let status = here.orm.status().await;
    assert_eq!((status.database.system, &status.database.error), (Database::NAME, &None));
    let [server] = &status.servers[..] else { panic!("{status}") };
    assert!(server.is_up() && server.round_trip.is_some(), "{status}");
    assert!(server.incarnation.is_some() && server.hold_off.is_none(), "{status}");
    assert_eq!((status.loads.under_way, status.loads.most), (0, 8));
    let json = serde_json::to_value(&status).unwrap();
    assert!(json["servers"][0]["round_trip_seconds"].as_f64().unwrap() > 0.0, "{json}");
}

#[tokio::test]
async fn a_database_that_is_gone_is_told_without_its_url() {
    let here = Here::with(&[PARTS]).await;
    here.orm.pool().close().await;
    here.orm.close().await;
    let status = here.orm.status().await;
    assert!(status.database.error.is_some() && status.outbox.is_none(), "{status}");
    assert!(!status.is_well());
}
