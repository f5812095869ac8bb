//! Triggers for the outbox on MariaDB, and keys that only some databases have.

use super::{
    Here,
    keys_in_sql::{self, keyed, values},
};
use crate::{
    databases::TestDatabase as _,
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm, MySql};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;

keyed!(u8s: (id: u8) of MySql as [["", "TINYINT UNSIGNED", ""]],
    values([0, u8::MAX], any::<u8>()).into_iter().map(|id| (id,)).collect());
keyed!(u16s: (id: u16) of MySql as [["", "SMALLINT UNSIGNED", ""]],
    values([0, u16::MAX], any::<u16>()).into_iter().map(|id| (id,)).collect());
keyed!(u32s: (id: u32) of MySql as [["", "INT(10) UNSIGNED ZEROFILL", ""]],
    values([0, u32::MAX], any::<u32>()).into_iter().map(|id| (id,)).collect());
keyed!(u64s: (id: u64) of MySql as [["", "BIGINT UNSIGNED", ""]],
    values([0, u64::MAX, 1 << 63], any::<u64>()).into_iter().map(|id| (id,)).collect());
keyed!(latin_texts: (id: String) of MySql as [["", "VARCHAR(100) CHARACTER SET latin1 COLLATE latin1_bin", ""]],
    ["", "é", "ÿ", "€", "'", "\\"].into_iter().map(|id| (id.to_owned(),)).collect());
keyed!(char_texts: (id: String) of MySql as [["", "CHAR(100) COLLATE utf8mb4_nopad_bin", ""]],
    ["", "a", " a", "é", "\u{1F980}"].into_iter().map(|id| (id.to_owned(),)).collect());
keyed!(chrono_timestamps: (id: DateTime<Utc>) of MySql as [["", "TIMESTAMP(6)", ""]],
    values([], 1..2_000_000_000_000_000_i64).into_iter()
        .map(|micros| (DateTime::from_timestamp_micros(micros).unwrap(),)).collect());
keyed!(timestamps: (id: OffsetDateTime) of MySql as [["", "TIMESTAMP", ""]],
    values([], 1..2_000_000_000_i64).into_iter()
        .map(|seconds| (OffsetDateTime::from_unix_timestamp(seconds).unwrap(),)).collect());

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "children", database = MySql)]
struct Child {
    #[primary_key]
    id: i64,
    page: Option<i64>,
}

#[tokio::test]
async fn a_table_whose_foreign_keys_cascade_is_refused() {
    let here = Here::with(&[PAGES]).await;
    here.orm.install_outbox().await.unwrap();
    here.run(
        "CREATE TABLE children (id BIGINT PRIMARY KEY, page BIGINT,
            CONSTRAINT of_page FOREIGN KEY (page) REFERENCES pages (id) ON DELETE CASCADE)",
    )
    .await;
    let refused = here.orm.install_triggers::<Child>().await.unwrap_err().to_string();
    assert!(refused.ends_with("and these of `children` do: of_page"), "{refused}");
    // The table that is referred to has no such keys.
    here.orm.install_triggers::<Page>().await.unwrap();
    here.run(
        "ALTER TABLE children DROP FOREIGN KEY of_page;
         ALTER TABLE children ADD CONSTRAINT of_page FOREIGN KEY (page) REFERENCES pages (id)",
    )
    .await;
    here.orm.install_triggers::<Child>().await.unwrap();
    here.run("ALTER TABLE children DROP FOREIGN KEY of_page; ALTER TABLE children ENGINE = MyISAM")
        .await;
    let refused = here.orm.install_triggers::<Child>().await.unwrap_err().to_string();
    assert!(refused.contains("is not InnoDB"), "{refused}");
}

/// Those that are there already are left in peace: to replace them waits for
/// all transactions on the table.
#[tokio::test]
async fn triggers_that_are_there_are_not_made_again() {
    let here = Here::with(&[PAGES]).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    let mut transaction = here.other_pool().await.begin().await.unwrap();
    sqlx::query("INSERT INTO pages VALUES (1, 'a')").execute(&mut *transaction).await.unwrap();
    let again = here.orm.install_triggers::<Page>();
    tokio::time::timeout(Duration::from_secs(5), again).await.unwrap().unwrap();
    transaction.rollback().await.unwrap();
    // One that is not as it should be is replaced, and no table stays locked.
    let name: String = sqlx::query_scalar(
        "SELECT trigger_name FROM information_schema.triggers
         WHERE trigger_schema = DATABASE() AND trigger_name LIKE '%_delete'",
    )
    .fetch_one(here.orm.pool())
    .await
    .unwrap();
    here.run(&format!("DROP TRIGGER {name}")).await;
    here.orm.install_triggers::<Page>().await.unwrap();
    let other = here.other_pool().await;
    MySql::run(&other, "INSERT INTO pages VALUES (1, 'a'); DELETE FROM pages").await.unwrap();
    let found: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    )
    .fetch_one(here.orm.pool())
    .await
    .unwrap();
    assert_eq!(found, 4);
}
