//! What MariaDB and MySQL do not show to an account that has few rights.

use super::{
    Database, Here,
    other_rows::{Crate, Version, assert_refused, here, version},
};
use crate::{databases::is_mariadb, databases::unique_name};
use cached_orm::{MemcachedOrm as _, Orm};
use sqlx::ConnectOptions as _;

const DML: &str = "SELECT, INSERT, UPDATE, DELETE";

/// A handle of an account with these rights, each `rights ON table`.
async fn account(here: &Here, grants: &[&str]) -> Orm<Database> {
    let user = unique_name();
    for host in ["127.0.0.1", "localhost", "%"] {
        let account = format!("{user}@'{host}'");
        here.run(&format!("CREATE USER {account}")).await;
        for grant in grants {
            here.run(&format!("GRANT {grant} TO {account}")).await;
        }
    }
    let mut url = here.other_pool().await.connect_options().to_url_lossy();
    url.set_username(&user).unwrap();
    let pool = sqlx::Pool::<Database>::connect(url.as_str()).await.unwrap();
    Orm::builder(pool).embedded(1 << 20).build().await.unwrap()
}

/// An account that may only read and write rows is not told what triggers do.
#[tokio::test]
async fn code_that_may_not_be_read_may_do_anything() {
    let here = here().await;
    here.run(
        "CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW
            UPDATE crates SET versions = versions + 1",
    )
    .await;
    let orm = account(&here, &[&format!("{DML} ON *.*")]).await;
    version(1).insert(&orm).await.unwrap();
    Crate::fetch_one(&orm, 1).await.unwrap();
    let done = version(2).insert(&orm).await;
    if is_mariadb().await {
        assert_refused(&done.unwrap_err(), &["may not read", "change rows of"]);
    } else {
        // MySQL does not even say that there is a trigger.
        done.unwrap();
    }
}

/// A table to which a trigger writes can have triggers that this account is not shown.
#[tokio::test]
async fn triggers_of_a_table_that_may_only_be_read() {
    let here = here().await;
    here.run(
        "CREATE TABLE log (id BIGINT);
         CREATE TRIGGER l AFTER INSERT ON log FOR EACH ROW
            UPDATE crates SET versions = versions + 1;
         CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
    )
    .await;
    let versions = format!("{DML}, TRIGGER ON versions");
    let grants = [&versions, "SELECT ON crates", "SELECT ON log"];
    let orm = account(&here, &grants).await;
    Crate::fetch_one(&orm, 1).await.unwrap();
    let error = version(1).insert(&orm).await.unwrap_err();
    assert_refused(&error, &["trigger of `", ".log`", "grant it TRIGGER"]);
    // With the right to see them, or where there are none, all is known.
    here.run("DROP TRIGGER l").await;
    let grants = [&versions, "SELECT ON crates", "SELECT, TRIGGER ON log"];
    let orm = account(&here, &grants).await;
    Crate::fetch_one(&orm, 1).await.unwrap();
    version(2).insert(&orm).await.unwrap();
}

#[tokio::test]
async fn foreign_keys_whose_columns_are_not_shown() {
    let here = here().await;
    here.run(
        "INSERT INTO versions (id) VALUES (7);
         ALTER TABLE crates ADD COLUMN version BIGINT,
            ADD FOREIGN KEY (version) REFERENCES versions (id) ON DELETE CASCADE;
         UPDATE crates SET version = 7",
    )
    .await;
    let versions = format!("{DML} ON versions");
    let columns = "SELECT (id, versions), UPDATE (versions) ON crates";
    let orm = account(&here, &[&versions, columns]).await;
    Crate::fetch_one(&orm, 1).await.unwrap();
    let error = Version::delete_by_key(&orm, 7).await.unwrap_err();
    assert_refused(&error, &["foreign key", "(CASCADE)", "a delete"]);
}

/// Its message says what to grant.
#[tokio::test]
async fn foreign_keys_whose_actions_are_not_shown() {
    let here = here().await;
    here.run(
        "INSERT INTO versions (id) VALUES (7);
         ALTER TABLE crates ADD COLUMN version BIGINT,
            ADD FOREIGN KEY (version) REFERENCES versions (id)",
    )
    .await;
    let versions = format!("{DML} ON versions");
    let orm = account(&here, &[&versions, "SELECT ON crates"]).await;
    Crate::fetch_one(&orm, 1).await.unwrap();
    let done = Version::delete_by_key(&orm, 7).await;
    if is_mariadb().await {
        assert_refused(&done.unwrap_err(), &["all that this account is shown", "REFERENCES"]);
    }
    let grants = [&versions, "SELECT ON crates", "REFERENCES ON *"];
    let orm = account(&here, &grants).await;
    Crate::fetch_one(&orm, 1).await.unwrap();
    Version::delete_by_key(&orm, 7).await.unwrap();
}
