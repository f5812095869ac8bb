//! Connections that are lost during COMMIT, whose outcome is unknown then.

use super::{Database, Here};
use crate::{
    databases::{Kind, ServerDatabase as _},
    polling::until,
    proxy::{Fate, Proxy},
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _, Orm};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The least there is.
const FENCE_TTL: Duration = Duration::from_secs(1);
/// How long fences last after a COMMIT that the database knows of: it is to lift
/// them much earlier. Elsewhere they expire, since only a commit tells that they
/// were put while the rows were locked.
const TTL_OF_A_COMMIT: Duration = match Here::DATABASE {
    Kind::Postgres => Duration::from_secs(60),
    Kind::MariaDb | Kind::Sqlite => FENCE_TTL,
};
/// What MariaDB tells of transactions is old if it is asked more often.
const REFRESHED: Duration = Duration::from_millis(150);
/// What a busy machine may take until a known outcome has lifted the fences.
const SOON: Duration = Duration::from_secs(10);

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn behind(proxy: &Proxy, fence_ttl: Duration) -> Here {
    let here = Here::behind(proxy, &[PAGES], |builder| builder.fence_ttl(fence_ttl)).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
    }
    here
}

fn assert_unknown<T: std::fmt::Debug>(outcome: cached_orm::Result<T>) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::CommitUnknown { .. }), "{error}");
}

async fn body(orm: &Orm<Database>, id: i64) -> Option<String> {
    Page::fetch(orm, id).await.unwrap().map(|page| page.body)
}

async fn is_cached(orm: &Orm<Database>, id: i64) -> bool {
    Page::get_cached_instance(orm, id).await.unwrap().is_some()
}

/// Past the cache, and past the library.
async fn in_database(here: &Here, id: i64) -> Option<String> {
    let sql = format!("SELECT body FROM pages WHERE id = {id}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_optional(here.direct()).await.unwrap()
}

/// Reads what the database has, again and again, until reads are hits.
async fn until_hits(here: &Here, id: i64, expected: Option<&str>) {
    let began = Instant::now();
    until("the fence is gone", async || {
        assert_eq!(body(&here.orm, id).await.as_deref(), expected);
        let hits = here.statistics().hits;
        assert_eq!(body(&here.orm, id).await.as_deref(), expected);
        here.statistics().hits > hits
    })
    .await;
    assert!(began.elapsed() < SOON, "the fence was there for {:?}", began.elapsed());
}

/// The writes of a row, and what it is before and after.
#[derive(Debug, Clone, Copy)]
enum Write {
    Insert,
    Update,
    Delete,
}

const WRITES: [(Write, i64, Option<&str>, Option<&str>); 3] = [
    (Write::Update, 1, Some("old"), Some("new")),
    (Write::Delete, 2, Some("old"), None),
    (Write::Insert, 3, None, Some("new")),
];

impl Write {
    async fn run(self, orm: &Orm<Database>, id: i64) -> cached_orm::Result<()> {
        match self {
            Self::Insert => page(id, "new").insert(orm).await.map(drop),
            Self::Update => page(id, "new").update(orm).await,
            Self::Delete => page(id, "old").delete(orm).await.map(drop),
        }
    }
}

#[tokio::test]
async fn a_commit_that_was_never_sent_leaves_the_old_row() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    for (write, id, before, _) in WRITES {
        proxy.next_commit(Fate::CutBefore);
        assert_unknown(write.run(&here.orm, id).await);
        assert_eq!(body(&here.orm, id).await.as_deref(), before, "{write:?}");
    }
    for (_, id, before, _) in WRITES {
        until_hits(&here, id, before).await;
        assert_eq!(in_database(&here, id).await.as_deref(), before);
    }
}

#[tokio::test]
async fn a_commit_without_its_answer_is_a_commit() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, TTL_OF_A_COMMIT).await;
    for (write, id, _, after) in WRITES {
        proxy.next_commit(Fate::CutAfter);
        assert_unknown(write.run(&here.orm, id).await);
        for _ in 0..3 {
            assert_eq!(body(&here.orm, id).await.as_deref(), after, "{write:?}");
        }
    }
    for (_, id, _, after) in WRITES {
        until_hits(&here, id, after).await;
    }
}

#[tokio::test]
async fn a_commit_that_arrives_late_is_waited_for_longer_than_a_fence_lasts() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    let mut transaction = here.orm.begin().await.unwrap();
    page(1, "new").update(&mut transaction).await.unwrap();
    assert!(page(2, "").delete(&mut transaction).await.unwrap());
    page(3, "new").insert(&mut transaction).await.unwrap();
    proxy.next_commit(Fate::CutAndHold);
    assert_unknown(transaction.commit().await);
    // A fence lives a second longer than asked, and was put a moment ago.
    let began = Instant::now();
    while began.elapsed() < FENCE_TTL + Duration::from_millis(1500) {
        for (write, id, before, _) in WRITES {
            assert_eq!(body(&here.orm, id).await.as_deref(), before, "{write:?}");
            assert!(!is_cached(&here.orm, id).await, "the fence has ended");
        }
        sleep(Duration::from_millis(20)).await;
    }
    let hits = here.statistics().hits;
    assert_eq!(body(&here.orm, 1).await.as_deref(), Some("old"));
    assert_eq!(here.statistics().hits, hits);
    proxy.let_go();
    until("it is committed", async || in_database(&here, 2).await.is_none()).await;
    for (_, id, _, after) in WRITES {
        until_hits(&here, id, after).await;
    }
}

#[tokio::test]
async fn a_commit_that_is_lost_late_is_a_rollback() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    for (write, id, before, _) in WRITES {
        proxy.next_commit(Fate::CutAndHold);
        assert_unknown(write.run(&here.orm, id).await);
        for _ in 0..3 {
            assert_eq!(body(&here.orm, id).await.as_deref(), before, "{write:?}");
            assert!(!is_cached(&here.orm, id).await);
        }
        proxy.drop_held();
    }
    for (_, id, before, _) in WRITES {
        until_hits(&here, id, before).await;
    }
}

#[tokio::test]
async fn all_keys_of_a_transaction_share_its_outcome() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    let mut expected = [Some("old"), Some("old"), None, Some("old")];
    page(4, "old").insert(&here.orm).await.unwrap();
    for fate in [Fate::CutBefore, Fate::CutAfter] {
        let mut transaction = here.orm.begin().await.unwrap();
        page(1, "new").update(&mut transaction).await.unwrap();
        page(3, "new").insert(&mut transaction).await.unwrap();
        assert!(page(2, "").delete(&mut transaction).await.unwrap());
        let mut savepoint = transaction.savepoint().await.unwrap();
        page(4, "undone").update(&mut savepoint).await.unwrap();
        savepoint.rollback().await.unwrap();
        proxy.next_commit(fate);
        assert_unknown(transaction.commit().await);
        if matches!(fate, Fate::CutAfter) {
            expected = [Some("new"), None, Some("new"), Some("old")];
        }
        for (id, expected) in (1..).zip(expected) {
            until_hits(&here, id, expected).await;
        }
    }
}

#[tokio::test]
async fn a_later_writer_is_not_disturbed() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    for fate in [Fate::CutBefore, Fate::CutAfter, Fate::CutBefore, Fate::CutAfter] {
        proxy.next_commit(fate);
        assert_unknown(page(1, "lost").update(&here.orm).await);
        // While the fences of the first are still being lifted.
        for round in 0..10 {
            let text = round.to_string();
            page(1, &text).update(&here.orm).await.unwrap();
            for _ in 0..2 {
                assert_eq!(body(&here.orm, 1).await.as_deref(), Some(text.as_str()));
            }
        }
        until_hits(&here, 1, Some("9")).await;
    }
}

/// Ends the sessions that have changed `pages` and not committed.
async fn kill_writers(here: &Here) {
    let (find, kill) = match Here::DATABASE {
        Kind::Postgres => (
            "SELECT pid::text FROM pg_stat_activity WHERE state = 'idle in transaction'
             AND pid IN (SELECT pid FROM pg_locks
                         WHERE relation = 'pages'::regclass AND mode = 'RowExclusiveLock')",
            "SELECT pg_terminate_backend(",
        ),
        Kind::MariaDb => (
            "SELECT CAST(t.trx_mysql_thread_id AS CHAR) FROM information_schema.innodb_trx t
             JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
             WHERE p.db = DATABASE() AND t.trx_rows_modified > 0",
            "KILL (",
        ),
        Kind::Sqlite => return,
    };
    let mut found: Vec<String> = Vec::new();
    until("one transaction is open", async || {
        sleep(REFRESHED).await;
        found = sqlx::query_scalar(find).fetch_all(here.direct()).await.unwrap();
        found.len() == 1
    })
    .await;
    here.run(&format!("{kill}{})", found[0])).await;
}

#[tokio::test]
async fn a_session_that_is_killed_before_its_commit_leaves_the_old_row() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    for (write, id, before, _) in WRITES {
        proxy.next_commit(Fate::Hold);
        let orm = here.orm.clone();
        let writing = tokio::spawn(async move { write.run(&orm, id).await });
        proxy.held().await;
        kill_writers(&here).await;
        proxy.let_go();
        let error = writing.await.unwrap().unwrap_err();
        let is_told = matches!(error, Error::CommitUnknown { .. } | Error::RolledBack { .. });
        assert!(is_told, "{write:?}: {error}");
        assert_eq!(body(&here.orm, id).await.as_deref(), before);
    }
    for (_, id, before, _) in WRITES {
        until_hits(&here, id, before).await;
    }
}

#[tokio::test]
async fn closing_does_not_wait_for_an_outcome() {
    let proxy = Database::proxy().await;
    let here = behind(&proxy, FENCE_TTL).await;
    proxy.next_commit(Fate::CutAndHold);
    assert_unknown(page(1, "new").update(&here.orm).await);
    let began = Instant::now();
    here.orm.close().await;
    assert!(began.elapsed() < SOON, "closing took {:?}", began.elapsed());
}
