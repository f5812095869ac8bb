//! SQL of others on a table with triggers.

use super::{Database, Here};
use crate::{
    databases::{Kind, TestDatabase as _},
    polling::until,
    tables::{
        keys::{ACCOUNTS, Account, AccountId, NOTES, Note},
        people::{PAGES, PEOPLE, Page, Person},
    },
};
use cached_orm::{Error, KeyPart, MemcachedOrm, Orm, PartWriter};
use serde::{Deserialize, Serialize};

/// Pages 1 to 5, with triggers.
async fn pages() -> Here {
    let here = Here::built(&[PAGES], |builder| builder.drainer(false)).await;
    here.run("INSERT INTO pages VALUES (1, 'a'), (2, 'a'), (3, 'a'), (4, 'a'), (5, 'a')").await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    here
}

/// Has the cache know of these pages, be they there or not.
async fn cache(here: &Here, ids: impl IntoIterator<Item = i64>) {
    for id in ids {
        Page::fetch(&here.orm, id).await.unwrap();
    }
}

/// Drains the outbox, and compares every page with the database.
async fn assert_agreed(here: &Here) {
    let drained = here.orm.drain_outbox().await.unwrap();
    assert_eq!(drained.remaining, 0);
    for id in 0..10 {
        let database = Page::fetch_uncached(&here.orm, id).await.unwrap();
        assert_eq!(Page::fetch(&here.orm, id).await.unwrap(), database, "page {id}");
    }
}

async fn rows_in_outbox(orm: &Orm<Database>) -> i64 {
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM cached_orm_outbox");
    count.fetch_one(orm.pool()).await.unwrap()
}

/// What another program may do to pages, beginning with pages 1 to 5.
fn statements() -> Vec<&'static str> {
    let mut statements = vec![
        "UPDATE pages SET body = 'b' WHERE id = 1",
        "UPDATE pages SET body = 'c'",
        "DELETE FROM pages WHERE id = 2",
        "INSERT INTO pages VALUES (6, 'new')",
        "INSERT INTO pages SELECT id + 6, body FROM pages WHERE id < 3",
        "UPDATE pages SET id = 8 WHERE id = 3",
        "UPDATE pages SET id = id + 10, body = 'moved' WHERE id IN (4, 5)",
        "UPDATE pages SET id = id - 10 WHERE id > 10",
        "DELETE FROM pages WHERE id < 100",
        "INSERT INTO pages VALUES (1, 'again'), (2, 'again'), (3, 'again')",
    ];
    statements.extend(match Here::DATABASE {
        Kind::Postgres => vec![
            "INSERT INTO pages VALUES (1, 'x'), (9, 'x') ON CONFLICT (id) DO UPDATE SET body = 'upsert'",
            "INSERT INTO pages VALUES (1, 'y') ON CONFLICT DO NOTHING",
            "WITH gone AS (DELETE FROM pages WHERE id = 1 RETURNING *)
             INSERT INTO pages SELECT 4, body FROM gone",
            "MERGE INTO pages USING (VALUES (2), (5)) AS v (id) ON pages.id = v.id
             WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'merged')",
            "TRUNCATE pages",
        ],
        Kind::MariaDb => vec![
            "INSERT INTO pages VALUES (1, 'x'), (9, 'x') ON DUPLICATE KEY UPDATE body = 'upsert'",
            "INSERT IGNORE INTO pages VALUES (1, 'y')",
            "REPLACE INTO pages VALUES (1, 'replaced'), (7, 'replaced')",
            "UPDATE pages p JOIN pages q ON q.id = p.id + 1 SET p.body = 'joined', q.body = 'too'",
            "DELETE p, q FROM pages p JOIN pages q ON q.id = p.id + 1",
        ],
        Kind::Sqlite => vec![
            "INSERT INTO pages VALUES (1, 'x'), (9, 'x') ON CONFLICT (id) DO UPDATE SET body = 'upsert'",
            "INSERT OR IGNORE INTO pages VALUES (1, 'y')",
            "REPLACE INTO pages VALUES (1, 'replaced'), (7, 'replaced')",
            "UPDATE OR REPLACE pages SET id = 2, body = 'over' WHERE id = 1",
            "DELETE FROM pages",
        ],
    });
    statements
}

#[tokio::test]
async fn whatever_others_do_is_read() {
    let here = pages().await;
    let other = here.other_pool().await;
    for (number, sql) in statements().into_iter().enumerate() {
        cache(&here, 0..10).await;
        // On the library's own pool, and as another program.
        let pool = if number % 2 == 0 { here.orm.pool() } else { &other };
        Database::run(pool, sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
        assert_agreed(&here).await;
    }
}

#[tokio::test]
async fn a_statement_that_changes_nothing_and_one_rolled_back_put_nothing_in() {
    let here = pages().await;
    here.run("UPDATE pages SET body = 'b' WHERE id = 99; DELETE FROM pages WHERE id = 99").await;
    assert_eq!(rows_in_outbox(&here.orm).await, 0);
    let mut transaction = here.other_pool().await.begin().await.unwrap();
    sqlx::query("UPDATE pages SET body = 'b'").execute(&mut *transaction).await.unwrap();
    sqlx::query("DELETE FROM pages WHERE id = 1").execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(rows_in_outbox(&here.orm).await, 0);
    assert_agreed(&here).await;
}

#[tokio::test]
async fn triggers_installed_again_or_by_a_migration_are_the_same() {
    let here = pages().await;
    for _ in 0..2 {
        here.orm.install_triggers::<Page>().await.unwrap();
        let sql = here.orm.triggers_sql::<Page>().await.unwrap();
        here.run(&sql).await;
    }
    here.run("UPDATE pages SET body = 'b' WHERE id = 1").await;
    assert_eq!(rows_in_outbox(&here.orm).await, 1);
    here.run("UPDATE pages SET id = 9 WHERE id = 1").await;
    assert_eq!(rows_in_outbox(&here.orm).await, 3);
    assert_agreed(&here).await;
}

/// On its own the drainer empties the outbox.
#[tokio::test]
async fn the_drainer_of_the_process_takes_rows_out() {
    let here = Here::with(&[PAGES]).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    Page { id: 1, body: "a".into() }.insert(&here.orm).await.unwrap();
    let other = here.other_pool().await;
    for round in 0..10 {
        Page::fetch(&here.orm, 1).await.unwrap();
        let body = format!("round {round}");
        let sql = format!("UPDATE pages SET body = '{body}' WHERE id = 1");
        Database::run(&other, &sql).await.unwrap();
        until("the write of another is read", || async {
            Page::fetch_one(&here.orm, 1).await.unwrap().body == body
        })
        .await;
    }
    until("the outbox is empty", || async { rows_in_outbox(&here.orm).await == 0 }).await;
}

#[tokio::test]
async fn the_librarys_writes_are_never_stale_with_triggers() {
    let here = Here::with(&[PEOPLE, PAGES]).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Person>().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    let mut ann = Person::named("ann").insert(&here.orm).await.unwrap();
    assert!(ann.id > 0);
    for round in 0..20 {
        assert_eq!(Person::fetch_one(&here.orm, ann.id).await.unwrap(), ann);
        ann.name = format!("ann {round}");
        if round % 2 == 0 {
            ann.update(&here.orm).await.unwrap();
        } else {
            let mut transaction = here.orm.begin().await.unwrap();
            ann.update(&mut transaction).await.unwrap();
            let page = Page { id: round, body: ann.name.clone() };
            page.insert(&mut transaction).await.unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(Page::fetch(&here.orm, round).await.unwrap(), Some(page));
        }
    }
    assert!(ann.delete(&here.orm).await.unwrap());
    assert_eq!(Person::fetch(&here.orm, ann.id).await.unwrap(), None);
    until("the outbox is empty", || async { rows_in_outbox(&here.orm).await == 0 }).await;
}

#[tokio::test]
async fn each_namespace_and_each_cache_name_has_triggers_of_its_own() {
    /// The same rows under another name.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
    #[orm(table = "pages", cache_name = "it's a \\ (page): 100%")]
    struct Leaf {
        #[primary_key]
        id: i64,
        body: String,
    }
    let here = pages().await;
    let other = here.handle(|builder| builder.namespace("other.name").drainer(false)).await;
    other.install_triggers::<Page>().await.unwrap();
    here.orm.install_triggers::<Leaf>().await.unwrap();
    Page::fetch(&other, 1).await.unwrap();
    Leaf::fetch(&here.orm, 1).await.unwrap();
    // A library's own write is one by others to another namespace, and to
    // another struct.
    for body in ["first", "second"] {
        Page { id: 1, body: body.into() }.update(&here.orm).await.unwrap();
        here.orm.drain_outbox().await.unwrap();
        assert_eq!(other.drain_outbox().await.unwrap().drained, 1);
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap().body, body);
        assert_eq!(Leaf::fetch_one(&here.orm, 1).await.unwrap().body, body);
        assert_eq!(Page::fetch_one(&other, 1).await.unwrap().body, body);
    }
}

#[tokio::test]
async fn a_key_of_the_programs_own_type_and_one_of_text() {
    let here = Here::built(&[ACCOUNTS, NOTES], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Account>().await.unwrap();
    here.orm.install_triggers::<Note>().await.unwrap();
    let title = "it's ) a (\\note".to_owned();
    Note { title: title.clone(), body: "old".into() }.insert(&here.orm).await.unwrap();
    Account { id: AccountId(-7), owner: "old".into() }.insert(&here.orm).await.unwrap();
    here.orm.drain_outbox().await.unwrap();
    Note::fetch(&here.orm, title.clone()).await.unwrap();
    Account::fetch(&here.orm, AccountId(-7)).await.unwrap();
    here.run("UPDATE notes SET body = 'new'; UPDATE accounts SET owner = 'new'").await;
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Note::fetch_one(&here.orm, title).await.unwrap().body, "new");
    assert_eq!(Account::fetch_one(&here.orm, AccountId(-7)).await.unwrap().owner, "new");
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(transparent)]
struct Slug(String);

impl KeyPart for Slug {
    fn write_part(&self, part: &mut PartWriter<'_>) {
        part.display(self.0.len());
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes")]
struct Slugged {
    #[primary_key]
    title: Slug,
    body: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes")]
struct Misread {
    #[primary_key]
    title: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "page_view")]
struct PageView {
    #[primary_key]
    id: i64,
    body: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "notes")]
struct Columnless {
    #[primary_key]
    missing: String,
}

/// Why it was refused.
fn reason(refused: cached_orm::Result<()>) -> String {
    match refused {
        Err(Error::Configuration(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_triggers_cannot_tell_is_refused() {
    let here = Here::with(&[PAGES, NOTES]).await;
    let text = reason(here.orm.install_triggers::<Page>().await);
    assert_eq!(
        text,
        "install_triggers of Page: there is no table `cached_orm_outbox`; call `install_outbox` first"
    );
    here.orm.install_outbox().await.unwrap();
    let text = reason(here.orm.install_triggers::<Person>().await);
    assert!(text.ends_with("there is no table `people`"), "{text}");
    let text = reason(here.orm.install_triggers::<Slugged>().await);
    assert!(text.contains("key column `title`") && text.contains("const KIND"), "{text}");
    let text = reason(here.orm.install_triggers::<Columnless>().await);
    assert!(text.ends_with("there is no column `missing`"), "{text}");
    if Here::DATABASE != Kind::Sqlite {
        // SQLite's columns hold whatever is put in.
        let text = reason(here.orm.install_triggers::<Misread>().await);
        assert!(text.contains("`title`") && text.contains("KeyKind::Bool"), "{text}");
    }
    here.run("CREATE VIEW page_view AS SELECT * FROM pages").await;
    let text = reason(here.orm.install_triggers::<PageView>().await);
    assert!(text.contains("`page_view` is a view"), "{text}");
}
