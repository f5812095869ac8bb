//! The application's own triggers and foreign keys change rows of other structs within a
//! write of this crate.

use super::Here;
use crate::databases::Kind;
use cached_orm::{Error, MemcachedOrm};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "crates")]
pub(super) struct Crate {
    #[primary_key]
    pub(super) id: i64,
    #[orm(readonly)]
    pub(super) versions: i64,
}

macro_rules! version {
    ($name:ident $(, $accepted:ident)?) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        #[orm(table = "versions" $(, accepts($accepted))?)]
        pub(super) struct $name {
            #[primary_key]
            id: i64,
            crate_id: Option<i64>,
            #[orm(readonly)]
            seen: Option<i64>,
        }
    };
}
version!(Version);
version!(Told, other_rows);

/// Tables without any relation.
pub(super) async fn here() -> Here {
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(
        "CREATE TABLE crates (id BIGINT PRIMARY KEY, versions BIGINT NOT NULL DEFAULT 0);
         CREATE TABLE versions (id BIGINT PRIMARY KEY, crate_id BIGINT, seen BIGINT);
         INSERT INTO crates (id) VALUES (1)",
    )
    .await;
    here
}

/// A trigger that counts in the crate's row.
pub(super) fn counter() -> &'static str {
    match Here::DATABASE {
        Kind::Postgres => {
            "CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE crates SET versions = versions + 1 WHERE id = NEW.crate_id;
                RETURN NULL; END $$;
             CREATE TRIGGER counted AFTER INSERT ON versions
                FOR EACH ROW EXECUTE FUNCTION counted()"
        }
        Kind::MariaDb => {
            "CREATE TRIGGER counted AFTER INSERT ON versions FOR EACH ROW
                UPDATE crates SET versions = versions + 1 WHERE id = NEW.crate_id"
        }
        Kind::Sqlite => {
            "CREATE TRIGGER counted AFTER INSERT ON versions BEGIN
                UPDATE crates SET versions = versions + 1 WHERE id = NEW.crate_id; END"
        }
    }
}

pub(super) fn version(id: i64) -> Version {
    Version { id, crate_id: Some(1), seen: None }
}

pub(super) fn assert_refused(error: &Error, parts: &[&str]) {
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text} does not say {part}");
    }
}

pub(super) async fn assert_agrees(here: &Here) {
    let database = Crate::fetch_uncached(&here.orm, 1).await.unwrap();
    assert_eq!(Crate::fetch(&here.orm, 1).await.unwrap(), database);
}

#[tokio::test]
async fn a_counter_in_another_structs_row() {
    let here = here().await;
    here.run(counter()).await;
    // As long as nobody caches the other, there is nothing to tell.
    version(1).insert(&here.orm).await.unwrap();
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 1);
    let parts =
        ["of Version: trigger `counted`", "an insert", "Crate", "install_triggers::<Crate>()"];
    assert_refused(&version(2).insert(&here.orm).await.unwrap_err(), &parts);
    assert_refused(&version(2).upsert(&here.orm).await.unwrap_err(), &parts);
    let many = Version::insert_many(&here.orm, &[version(2)]).await;
    assert_refused(&many.unwrap_err(), &parts);
    // What fires no trigger is none of its business.
    Version { seen: None, ..version(1) }.update(&here.orm).await.unwrap();
    assert!(Version::delete_by_key(&here.orm, 1).await.unwrap());
    assert_agrees(&here).await;
    // Triggers tell the cache.
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Crate>().await.unwrap();
    version(3).insert(&here.orm).await.unwrap();
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 2);
    assert_agrees(&here).await;
}

/// A read that was a hit counts too.
#[tokio::test]
async fn rows_that_others_have_cached() {
    let here = here().await;
    here.run(counter()).await;
    Crate::fetch_one(&here.orm, 1).await.unwrap();
    let other = here.other_handle().await;
    version(1).insert(&other).await.unwrap();
    Crate::fetch(&other, 1).await.unwrap();
    version(2).insert(&other).await.unwrap_err();
}

#[tokio::test]
async fn a_struct_that_tells_the_cache_by_itself() {
    let here = here().await;
    here.run(counter()).await;
    Crate::fetch_one(&here.orm, 1).await.unwrap();
    let mut transaction = here.orm.begin().await.unwrap();
    transaction.touch::<Crate>(1).await.unwrap();
    Told { id: 1, crate_id: Some(1), seen: None }.insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_agrees(&here).await;
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 1);
}

#[tokio::test]
async fn rows_that_foreign_keys_delete_or_change() {
    for action in ["CASCADE", "SET NULL"] {
        let here = Here::built(&[], |builder| builder.drainer(false)).await;
        here.run(&format!(
            "CREATE TABLE crates (id BIGINT PRIMARY KEY, versions BIGINT NOT NULL DEFAULT 0);
             CREATE TABLE versions (id BIGINT PRIMARY KEY, crate_id BIGINT, seen BIGINT,
                 FOREIGN KEY (crate_id) REFERENCES crates (id) ON DELETE {action});
             INSERT INTO crates (id) VALUES (1), (2); INSERT INTO versions VALUES (7, 1, NULL)"
        ))
        .await;
        assert!(Crate::delete_by_key(&here.orm, 2).await.unwrap());
        Version::fetch_one(&here.orm, 7).await.unwrap();
        let refused = Crate::delete_by_key(&here.orm, 1).await.unwrap_err();
        let parts = ["of Crate: foreign key", action, "a delete", "Version"];
        assert_refused(&refused, &parts);
        let many = Crate::delete_many(&here.orm, [1]).await.unwrap_err();
        assert_refused(&many, &parts);
        // Inserts and updates lead nowhere.
        Crate { id: 3, versions: 0 }.insert(&here.orm).await.unwrap();
        Crate { id: 3, versions: 0 }.update(&here.orm).await.unwrap();
        here.orm.install_outbox().await.unwrap();
        if Here::DATABASE == Kind::MariaDb {
            // Foreign keys fire none there, so none can be installed.
            here.orm.install_triggers::<Version>().await.unwrap_err();
            continue;
        }
        here.orm.install_triggers::<Version>().await.unwrap();
        assert!(Crate::delete_by_key(&here.orm, 1).await.unwrap());
        here.orm.drain_outbox().await.unwrap();
        let database = Version::fetch_uncached(&here.orm, 7).await.unwrap();
        assert_eq!(Version::fetch(&here.orm, 7).await.unwrap(), database);
    }
}

/// Over tables that no struct is on.
#[tokio::test]
async fn rows_at_the_end_of_a_chain() {
    if Here::DATABASE == Kind::MariaDb {
        return;
    }
    let here = here().await;
    here.run(match Here::DATABASE {
        Kind::Postgres => {
            "CREATE TABLE between_them (id BIGINT PRIMARY KEY REFERENCES versions ON DELETE CASCADE);
             CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE crates SET versions = versions - 1; RETURN NULL; END $$;
             CREATE TRIGGER counted AFTER DELETE ON between_them
                FOR EACH ROW EXECUTE FUNCTION counted()"
        }
        _ => {
            "CREATE TABLE between_them (id INTEGER PRIMARY KEY
                REFERENCES versions (id) ON DELETE CASCADE);
             CREATE TRIGGER counted AFTER DELETE ON between_them BEGIN
                UPDATE crates SET versions = versions - 1; END"
        }
    })
    .await;
    Crate::fetch_one(&here.orm, 1).await.unwrap();
    version(1).insert(&here.orm).await.unwrap();
    let error = Version::delete_by_key(&here.orm, 1).await.unwrap_err();
    assert_refused(&error, &["trigger `counted` of", "between_them", "Crate"]);
}

/// Rows of the same table, other than the one that is written.
#[tokio::test]
async fn other_rows_of_the_same_table() {
    let (other, own) = match Here::DATABASE {
        // Its triggers cannot.
        Kind::MariaDb => return,
        Kind::Postgres => (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE versions SET seen = NEW.id WHERE crate_id = NEW.crate_id AND id <> NEW.id;
                RETURN NULL; END $$;
             CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE versions SET seen = 1 WHERE id = NEW.id; RETURN NULL; END $$;
             CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f()",
        ),
        Kind::Sqlite => (
            "CREATE TRIGGER t AFTER INSERT ON versions BEGIN
                UPDATE versions SET seen = NEW.id WHERE crate_id = NEW.crate_id AND id <> NEW.id;
             END",
            "CREATE TRIGGER t AFTER INSERT ON versions BEGIN
                UPDATE versions SET seen = 1 WHERE id = NEW.id; END",
        ),
    };
    let here_with_other = here().await;
    here_with_other.run(other).await;
    let error = version(1).insert(&here_with_other.orm).await.unwrap_err();
    assert_refused(&error, &["of Version: trigger `t`", "install_triggers::<Version>()"]);

    let here = here().await;
    here.run(own).await;
    version(1).insert(&here.orm).await.unwrap();
    assert_eq!(Version::fetch_one(&here.orm, 1).await.unwrap().seen, Some(1));
}

/// The own row's update fires the table's other triggers.
#[tokio::test]
async fn what_a_change_of_the_own_row_leads_to() {
    let sql = match Here::DATABASE {
        // Its triggers cannot change it.
        Kind::MariaDb => return,
        Kind::Postgres => {
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE versions SET seen = 1 WHERE id = NEW.id; RETURN NULL; END $$;
             CREATE TRIGGER t AFTER INSERT ON versions FOR EACH ROW EXECUTE FUNCTION f();
             CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE crates SET versions = 1; RETURN NULL; END $$;
             CREATE TRIGGER u AFTER UPDATE ON versions FOR EACH ROW EXECUTE FUNCTION g()"
        }
        Kind::Sqlite => {
            "CREATE TRIGGER t AFTER INSERT ON versions BEGIN
                UPDATE versions SET seen = 1 WHERE id = NEW.id; END;
             CREATE TRIGGER u AFTER UPDATE ON versions BEGIN
                UPDATE crates SET versions = 1; END"
        }
    };
    let here = here().await;
    here.run(sql).await;
    Crate::fetch_one(&here.orm, 1).await.unwrap();
    let error = version(1).insert(&here.orm).await.unwrap_err();
    assert_refused(&error, &["an insert", "trigger `u`", "crates"]);
}

/// A foreign key changes what is another table's primary key, and so another's column.
#[tokio::test]
async fn rows_at_the_end_of_a_chain_of_foreign_keys() {
    let here = here().await;
    if Here::DATABASE == Kind::MariaDb {
        here.run("ALTER TABLE versions MODIFY crate_id BIGINT NOT NULL").await;
    }
    here.run(
        "CREATE UNIQUE INDEX one ON versions (crate_id);
         CREATE TABLE between_them (id BIGINT PRIMARY KEY,
             FOREIGN KEY (id) REFERENCES versions (crate_id) ON UPDATE CASCADE);
         DROP TABLE crates;
         CREATE TABLE crates (id BIGINT PRIMARY KEY, versions BIGINT,
             FOREIGN KEY (versions) REFERENCES between_them (id) ON UPDATE CASCADE);
         INSERT INTO versions VALUES (1, 7, NULL);
         INSERT INTO between_them VALUES (7);
         INSERT INTO crates VALUES (1, 7)",
    )
    .await;
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 7);
    let mut version = Version::fetch_one(&here.orm, 1).await.unwrap();
    version.crate_id = Some(8);
    let error = version.update(&here.orm).await.unwrap_err();
    assert_refused(&error, &["foreign key", "crates", "an update"]);
    assert_agrees(&here).await;
}

/// A table whose rows hang together.
#[tokio::test]
async fn a_tree_that_is_deleted_with_its_root() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "nodes")]
    struct Node {
        #[primary_key]
        id: i64,
        parent: Option<i64>,
    }
    let here = Here::built(&[], |builder| builder.drainer(false)).await;
    here.run(
        "CREATE TABLE nodes (id BIGINT PRIMARY KEY, parent BIGINT,
            FOREIGN KEY (parent) REFERENCES nodes (id) ON DELETE CASCADE);
         INSERT INTO nodes VALUES (1, NULL), (2, 1)",
    )
    .await;
    Node::fetch_one(&here.orm, 2).await.unwrap();
    let error = Node::delete_by_key(&here.orm, 1).await.unwrap_err();
    assert_refused(&error, &["foreign key", "rows of", "nodes", "Node"]);
    Node { id: 3, parent: Some(1) }.insert(&here.orm).await.unwrap();
    if Here::DATABASE == Kind::MariaDb {
        return;
    }
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Node>().await.unwrap();
    assert!(Node::delete_by_key(&here.orm, 1).await.unwrap());
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Node::fetch(&here.orm, 2).await.unwrap(), None);
}

/// Between a write and its COMMIT the program begins to read what the write has changed.
#[tokio::test]
async fn a_struct_that_is_first_read_while_a_write_is_open() {
    if Here::DATABASE == Kind::Sqlite {
        // A read beside the open write waits for it.
        return;
    }
    let here = here().await;
    here.run(counter()).await;
    let mut transaction = here.orm.begin().await.unwrap();
    version(1).insert(&mut transaction).await.unwrap();
    assert_eq!(Crate::fetch_one(&here.orm, 1).await.unwrap().versions, 0);
    let error = transaction.commit().await.unwrap_err();
    assert_refused(&error, &["insert of Version: trigger `counted`", "Crate"]);
    assert_agrees(&here).await;
    assert_eq!(Version::fetch(&here.orm, 1).await.unwrap(), None);
}
