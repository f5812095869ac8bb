//! Tables that make the promise false: a struct on one is refused at its first use,
//! with what to do, unless it says that it knows.

use super::{Database, Here};
use crate::{
    databases::Kind,
    rows::{NOTES, note},
};
use cached_orm::{Error, MemcachedOrm};
use serde::{Deserialize, Serialize};

macro_rules! on_things {
    ($name:ident $(, $accepted:ident)?) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        #[orm(table = "things" $(, accepts($accepted))?)]
        struct $name {
            #[primary_key]
            id: i64,
            body: String,
        }
    };
}

on_things!(Thing);
on_things!(Viewed, views);
on_things!(Parted, partitions);
on_things!(Secured, row_security);
on_things!(Ruled, rules);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "things")]
struct Unique {
    #[primary_key]
    id: i64,
    #[orm(unique)]
    body: String,
}

fn thing() -> Thing {
    Thing { id: 2, body: "new".into() }
}

/// It says which struct, what is wrong, and what to do.
fn assert_refused(error: &Error, parts: &[&str]) {
    assert!(matches!(error, Error::Configuration(_)), "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text} does not say {part}");
    }
}

async fn writes_are_refused(here: &Here, parts: &[&str]) {
    let parts: Vec<_> = parts.iter().copied().chain([" of Thing: "]).collect();
    assert_refused(&thing().insert(&here.orm).await.unwrap_err(), &parts);
    assert_refused(&thing().update(&here.orm).await.unwrap_err(), &parts);
    assert_refused(&Thing::delete_by_key(&here.orm, 2).await.unwrap_err(), &parts);
    assert_refused(&Thing::delete_many(&here.orm, [2]).await.unwrap_err(), &parts);
    let mut transaction = here.orm.begin().await.unwrap();
    assert_refused(&thing().insert(&mut transaction).await.unwrap_err(), &parts);
    // It is none the worse for it.
    transaction.commit().await.unwrap();
    // What reads past the cache is not refused.
    let _ = Thing::fetch_uncached(&here.orm, 1).await.unwrap();
}

async fn all_is_refused(here: &Here, parts: &[&str]) {
    writes_are_refused(here, parts).await;
    assert_refused(&Thing::fetch(&here.orm, 1).await.unwrap_err(), parts);
    assert_refused(&Thing::fetch_many(&here.orm, [1, 2]).await.unwrap_err(), parts);
}

#[tokio::test]
async fn views() {
    let here = Here::with(&[]).await;
    here.run(
        "CREATE TABLE behind (id BIGINT PRIMARY KEY, body VARCHAR(10));
         INSERT INTO behind VALUES (1, 'old');
         CREATE VIEW things AS SELECT * FROM behind",
    )
    .await;
    all_is_refused(&here, &["is a view", "accepts(views)"]).await;
    assert_eq!(Viewed::fetch_one(&here.orm, 1).await.unwrap().body, "old");
}

#[tokio::test]
async fn partitions() {
    let here = Here::with(&[]).await;
    let sql = match Here::DATABASE {
        Kind::Postgres => {
            "CREATE TABLE things (id BIGINT PRIMARY KEY, body TEXT) PARTITION BY RANGE (id);
             CREATE TABLE things_1 PARTITION OF things FOR VALUES FROM (0) TO (100);
             INSERT INTO things VALUES (1, 'old')"
        }
        Kind::MariaDb => {
            "CREATE TABLE things (id BIGINT PRIMARY KEY, body TEXT)
                PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (100));
             INSERT INTO things VALUES (1, 'old')"
        }
        Kind::Sqlite => return,
    };
    here.run(sql).await;
    all_is_refused(&here, &["is partitioned", "attached", "accepts(partitions)"]).await;
    assert_eq!(Parted::fetch_one(&here.orm, 1).await.unwrap().body, "old");
    Parted { id: 1, body: "new".into() }.update(&here.orm).await.unwrap();
    assert_eq!(Parted::fetch_one(&here.orm, 1).await.unwrap().body, "new");
}

#[tokio::test]
async fn unique_fields_without_a_unique_index() {
    let broken: Vec<(&str, &str)> = match Here::DATABASE {
        Kind::Postgres => vec![
            ("", "there is no such index"),
            ("CREATE INDEX plain ON things (body)", "there is no such index"),
            ("CREATE UNIQUE INDEX partial ON things (body) WHERE id > 5", "leaves rows out"),
            (
                "ALTER TABLE things ADD CONSTRAINT late UNIQUE (body) DEFERRABLE INITIALLY DEFERRED",
                "at the end of a transaction",
            ),
            (
                "ALTER TABLE things ADD CONSTRAINT late UNIQUE (body) DEFERRABLE",
                "at the end of a transaction",
            ),
            ("CREATE UNIQUE INDEX other ON things (body COLLATE \"C\")", "another collation"),
            ("CREATE UNIQUE INDEX filled ON things (NULLIF(body, ''))", "may be NULL"),
            ("CREATE UNIQUE INDEX wider ON things (body, id)", "there is no such index"),
        ],
        Kind::MariaDb => vec![
            ("", "there is no such index"),
            ("CREATE INDEX plain ON things (body)", "there is no such index"),
            ("CREATE UNIQUE INDEX wider ON things (body, id)", "there is no such index"),
        ],
        Kind::Sqlite => vec![
            ("", "there is no such index"),
            ("CREATE INDEX plain ON things (body)", "there is no such index"),
            ("CREATE UNIQUE INDEX partial ON things (body) WHERE id > 5", "leaves rows out"),
            ("CREATE UNIQUE INDEX other ON things (body COLLATE NOCASE)", "another collation"),
            ("CREATE UNIQUE INDEX filled ON things (NULLIF(body, ''))", "may be NULL"),
            ("CREATE UNIQUE INDEX wider ON things (body, id)", "there is no such index"),
        ],
    };
    let right: &[&str] = match Here::DATABASE {
        Kind::Postgres | Kind::Sqlite => {
            &["CREATE UNIQUE INDEX i ON things (body)", "CREATE UNIQUE INDEX i ON things (lower(body))"]
        }
        Kind::MariaDb => {
            &["CREATE UNIQUE INDEX i ON things (body)", "CREATE UNIQUE INDEX i ON things (body(5))"]
        }
    };
    let table = "CREATE TABLE things (id BIGINT PRIMARY KEY, body VARCHAR(20) NOT NULL)";
    for (index, why) in broken {
        let here = Here::with(&[]).await;
        here.run(table).await;
        if !index.is_empty() {
            here.run(index).await;
        }
        // A struct that has no such index is nothing to do with it.
        thing().insert(&here.orm).await.unwrap();
        let error = Unique::fetch_by_body(&here.orm, "a").await.unwrap_err();
        assert_refused(&error, &["fetch_by_body of Unique: ", "unique body", why, "CREATE UNIQUE"]);
        let row = Unique { id: 1, body: "a".into() };
        assert_refused(&row.insert(&here.orm).await.unwrap_err(), &[why]);
    }
    for index in right {
        let here = Here::with(&[]).await;
        here.run(table).await;
        here.run(index).await;
        assert_eq!(Unique::fetch_by_body(&here.orm, "a").await.unwrap(), None, "{index}");
        let row = Unique { id: 1, body: "a".into() }.insert(&here.orm).await.unwrap();
        assert_eq!(Unique::fetch_by_body(&here.orm, "a").await.unwrap(), Some(row));
    }
}

#[tokio::test]
async fn keys_that_several_rows_can_have() {
    let tables: &[&str] = match Here::DATABASE {
        Kind::Postgres => &[
            "CREATE TABLE things (id BIGINT, body TEXT)",
            "CREATE TABLE things (id BIGINT PRIMARY KEY DEFERRABLE, body TEXT)",
            "CREATE TABLE things (id BIGINT, body TEXT, PRIMARY KEY (id, body))",
        ],
        _ => &[
            "CREATE TABLE things (id BIGINT, body VARCHAR(10))",
            "CREATE TABLE things (id BIGINT, body VARCHAR(10), PRIMARY KEY (id, body))",
        ],
    };
    for table in tables {
        let here = Here::with(&[]).await;
        here.run(table).await;
        writes_are_refused(&here, &["primary key id", "several rows", "ADD PRIMARY KEY"]).await;
        assert_eq!(Thing::fetch(&here.orm, 1).await.unwrap(), None);
    }
}

/// Rows that a role does not see are absent to it, and would be to everybody.
#[tokio::test]
async fn row_level_security() {
    if Here::DATABASE != Kind::Postgres {
        return;
    }
    let here = Here::with(&[]).await;
    let schema: String = sqlx::query_scalar("SELECT current_schema()::text")
        .fetch_one(&here.other_pool().await)
        .await
        .unwrap();
    let role = format!("{schema}_reader");
    here.run(&format!(
        "CREATE TABLE things (id BIGINT PRIMARY KEY, body TEXT);
         INSERT INTO things VALUES (1, 'old'), (2, 'hidden');
         ALTER TABLE things ENABLE ROW LEVEL SECURITY;
         CREATE POLICY visible ON things USING (id = 1) WITH CHECK (true);
         CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON things TO {role}"
    ))
    .await;
    // Its owner sees every row.
    assert_eq!(Thing::fetch_one(&here.orm, 2).await.unwrap().body, "hidden");
    let options = (*here.other_pool().await.connect_options()).clone();
    let as_role = sqlx::pool::PoolOptions::<Database>::new()
        .max_connections(3)
        .after_connect({
            let role = role.clone();
            move |connection, _| {
                let role = role.clone();
                Box::pin(async move {
                    let sql = sqlx::AssertSqlSafe(format!("SET ROLE {role}"));
                    sqlx::raw_sql(sql).execute(connection).await.map(drop)
                })
            }
        })
        .connect_with(options)
        .await
        .unwrap();
    let orm = cached_orm::Orm::builder(as_role).embedded(1 << 20).build().await.unwrap();
    let parts = ["row-level security", "namespace", "accepts(row_security)"];
    let read = Thing::fetch(&orm, 2).await;
    let written = thing().update(&orm).await;
    let accepted = Secured::fetch(&orm, 1).await;
    orm.close().await;
    here.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert_refused(&read.unwrap_err(), &parts);
    assert_refused(&written.unwrap_err(), &parts);
    assert_eq!(accepted.unwrap().unwrap().body, "old");
}

#[tokio::test]
async fn rules() {
    if Here::DATABASE != Kind::Postgres {
        return;
    }
    let here = Here::with(&[]).await;
    here.run(
        "CREATE TABLE things (id BIGINT PRIMARY KEY, body TEXT);
         CREATE TABLE log (id BIGINT);
         CREATE RULE logged AS ON UPDATE TO things DO ALSO INSERT INTO log VALUES (NEW.id);
         INSERT INTO things VALUES (1, 'old')",
    )
    .await;
    writes_are_refused(&here, &["rule logged", "accepts(rules)"]).await;
    Ruled { id: 1, body: "new".into() }.update(&here.orm).await.unwrap();
    assert_eq!(Thing::fetch_one(&here.orm, 1).await.unwrap().body, "new");
}

#[tokio::test]
async fn conflicts_that_remove_other_rows() {
    if Here::DATABASE != Kind::Sqlite {
        return;
    }
    for table in [
        "CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT UNIQUE ON CONFLICT REPLACE)",
        "CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT, UNIQUE (body) on  conflict
            replace)",
        "CREATE TABLE things (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, body TEXT)",
    ] {
        let here = Here::with(&[]).await;
        here.run(table).await;
        writes_are_refused(&here, &["ON CONFLICT REPLACE", "removes other rows"]).await;
    }
    let here = Here::with(&[]).await;
    here.run("CREATE TABLE things (id INTEGER PRIMARY KEY, body TEXT DEFAULT 'on conflict replace')")
        .await;
    thing().insert(&here.orm).await.unwrap();
}

#[tokio::test]
async fn engines_without_transactions() {
    if Here::DATABASE != Kind::MariaDb {
        return;
    }
    let here = Here::with(&[]).await;
    here.run("CREATE TABLE things (id BIGINT PRIMARY KEY, body TEXT) ENGINE = MyISAM").await;
    writes_are_refused(&here, &["engine MyISAM", "ENGINE = InnoDB"]).await;
}

#[tokio::test]
async fn temporary_tables() {
    let here = Here::built(&[], |builder| builder).await;
    if Here::DATABASE != Kind::Postgres {
        return;
    }
    // One that the handle's own connections have too, each another one.
    let options = (*here.other_pool().await.connect_options()).clone();
    let pool = sqlx::pool::PoolOptions::<Database>::new()
        .max_connections(3)
        .after_connect(|connection, _| {
            Box::pin(async move {
                let sql = "CREATE TEMPORARY TABLE things (id BIGINT PRIMARY KEY, body TEXT)";
                sqlx::raw_sql(sql).execute(connection).await.map(drop)
            })
        })
        .connect_with(options)
        .await
        .unwrap();
    let orm = cached_orm::Orm::builder(pool).embedded(1 << 20).build().await.unwrap();
    let error = Thing::fetch(&orm, 1).await.unwrap_err();
    assert_refused(&error, &["is temporary"]);
}

/// What was refused is allowed when the schema is as it should be, without a restart.
#[tokio::test]
async fn a_migration_ends_the_refusal() {
    let here = Here::with(&[]).await;
    here.run("CREATE TABLE things (id BIGINT PRIMARY KEY, body VARCHAR(20) NOT NULL)").await;
    let row = Unique { id: 1, body: "a".into() };
    row.insert(&here.orm).await.unwrap_err();
    here.run("CREATE UNIQUE INDEX i ON things (body)").await;
    crate::polling::until("the index is seen", || async { row.insert(&here.orm).await.is_ok() })
        .await;
}

/// What another struct has seen of the table is no reason to refuse.
#[tokio::test]
async fn a_first_use_is_not_refused_for_what_was_mended_before_it() {
    let here = Here::with(&[]).await;
    here.run("CREATE TABLE things (id BIGINT PRIMARY KEY, body VARCHAR(20) NOT NULL)").await;
    thing().insert(&here.orm).await.unwrap();
    let other = here.handle(|builder| builder).await;
    thing().update(&other).await.unwrap();
    here.run("CREATE UNIQUE INDEX i ON things (body)").await;
    assert!(Unique::fetch_by_body(&here.orm, "new").await.unwrap().is_some());
    let mut transaction = other.begin().await.unwrap();
    Unique { id: 1, body: "a".into() }.insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
}

/// A table that is not there is the statement's own error.
#[tokio::test]
async fn no_table() {
    let here = Here::with(&[]).await;
    let error = thing().insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
    let error = Thing::fetch(&here.orm, 1).await.unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error}");
}

/// Two tables must not share entries.
#[tokio::test]
async fn two_tables_under_one_cache_name() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "things", cache_name = "notes")]
    struct Misnamed {
        #[primary_key]
        id: i64,
        body: String,
    }
    let here = Here::with(&[NOTES]).await;
    here.run("CREATE TABLE things (id BIGINT PRIMARY KEY, body VARCHAR(20) NOT NULL)").await;
    note(1, "a").insert(&here.orm).await.unwrap();
    let error = Misnamed::fetch(&here.orm, 1).await.unwrap_err();
    assert_refused(&error, &["rows of Note", "another table (`notes`)", "`cache_name` of its own"]);
}
