//! Who drains the outbox, what of it, and until when.

use super::{Database, Here};
use crate::{
    databases::Kind,
    memcached::Wire,
    polling::until,
    tables::{keys::{TAGS, Tag}, people::{PAGES, Page}},
};
use cached_orm::{Error, MemcachedOrm as _, Orm};
use std::time::Duration;
use tokio::{join, time::sleep};

const POLL: Duration = Duration::from_millis(50);

async fn without_drainer() -> Here {
    let here = Here::built(&[PAGES, TAGS], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here
}

fn page(id: i64) -> Page {
    Page { id, body: "old".into() }
}

async fn is_cached(here: &Here, id: i64) -> bool {
    Page::get_cached_instance(&here.orm, id).await.unwrap().is_some()
}

/// Rows that lie in the cache, and in the outbox as well.
async fn enlisted(here: &Here, ids: std::ops::Range<i64>) {
    let values = |text: &dyn Fn(i64) -> String| ids.clone().map(text).collect::<Vec<_>>().join(", ");
    here.run(&format!("INSERT INTO pages VALUES {}", values(&|id| format!("({id}, 'old')")))).await;
    for id in ids.clone() {
        assert!(page(id).set_cached_instance(&here.orm, Default::default()).await.unwrap());
    }
    let rows = values(&|id| {
        format!("('{}', '{}')", here.namespace(), page(id).get_cache_key(&here.orm))
    });
    here.run(&format!("INSERT INTO cached_orm_outbox (namespace, cache_key) VALUES {rows}")).await;
}

#[tokio::test]
async fn without_a_drainer_rows_stay_until_one_is_asked_to_drain() {
    let here = without_drainer().await;
    enlisted(&here, 0..3).await;
    sleep(POLL * 4).await;
    assert_eq!(here.outbox().await.len(), 3);
    assert!(is_cached(&here, 0).await);
    let done = here.orm.drain_outbox().await.unwrap();
    assert_eq!((done.drained, done.remaining), (3, 0));
    assert_eq!(here.statistics().drained, 3);
    assert_eq!(here.outbox().await, [""; 0]);
    for id in 0..3 {
        assert!(!is_cached(&here, id).await);
    }
    let done = here.orm.drain_outbox().await.unwrap();
    assert_eq!((done.drained, done.remaining), (0, 0));
}

#[tokio::test]
async fn two_drainers_share_the_rows() {
    const ROWS: i64 = 700;
    let here = without_drainer().await;
    let other = here.handle(|builder| builder.drainer(false)).await;
    enlisted(&here, 0..ROWS).await;
    let (mut drained, mut rounds) = (0, 0);
    while !here.outbox().await.is_empty() {
        let (one, two) = join!(here.orm.drain_outbox(), other.drain_outbox());
        drained += one.unwrap().drained + two.unwrap().drained;
        rounds += 1;
        assert!(rounds < 10, "they make no progress");
    }
    if Here::DATABASE == Kind::Sqlite {
        // Nothing is locked there, so that both may drain one row.
        assert!(drained >= ROWS as u64, "{drained}");
    } else {
        assert_eq!(drained, ROWS as u64);
    }
    for id in 0..ROWS {
        assert!(!is_cached(&here, id).await, "{id}");
    }
}

/// A report or a health check, beside a service whose cache has the rows.
#[tokio::test]
async fn one_without_a_cache_drains_nothing() {
    let here = without_drainer().await;
    let report = here.handle(|builder| builder.uncached().outbox_poll(POLL)).await;
    enlisted(&here, 0..5).await;
    sleep(POLL * 6).await;
    assert_eq!(here.outbox().await.len(), 5);
    let error = report.drain_outbox().await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert_eq!(here.orm.drain_outbox().await.unwrap().drained, 5);
    assert!(!is_cached(&here, 0).await);
}

#[tokio::test]
async fn rows_of_other_namespaces_are_left_alone() {
    let here = without_drainer().await;
    enlisted(&here, 0..1).await;
    let foreign = format!("other:{}", page(0).get_cache_key(&here.orm));
    here.enlist("other", &foreign).await;
    here.enlist("", "pages:(1)").await;
    let done = here.orm.drain_outbox().await.unwrap();
    assert_eq!((done.drained, done.remaining), (1, 0));
    let rest: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM cached_orm_outbox")
        .fetch_one(here.direct())
        .await
        .unwrap();
    assert_eq!(rest, 2);
}

#[tokio::test]
async fn rows_that_name_no_key_are_removed_and_hold_up_no_others() {
    let here = without_drainer().await;
    let long = "x".repeat(251);
    for text in ["", " ", "no key", "two\r\nlines", "hex ", "hex pages:(3", &long] {
        here.enlist(here.namespace(), text).await;
    }
    enlisted(&here, 0..1).await;
    // The key that a trigger writes for a hostile text.
    let tag = Tag { post: 7, label: "a (b)\r\n%:é".into() }.insert(&here.orm).await.unwrap();
    let tag_is_cached = async || {
        let key = (tag.post, tag.label.clone());
        Tag::get_cached_instance(&here.orm, key).await.unwrap().is_some()
    };
    assert!(tag_is_cached().await);
    let hex: String = tag.label.bytes().map(|byte| format!("{byte:02x}")).collect();
    here.enlist(here.namespace(), &format!("hex tags:(37)({hex})")).await;

    let errors = here.statistics().cache_errors;
    let done = here.orm.drain_outbox().await.unwrap();
    assert_eq!((done.drained, done.remaining), (9, 0));
    assert_eq!(here.statistics().cache_errors, errors, "memcached was sent no rubbish");
    assert!(!is_cached(&here, 0).await);
    assert!(!tag_is_cached().await);
}

#[tokio::test]
async fn a_fence_is_marked_and_not_taken_away() {
    let here = without_drainer().await;
    enlisted(&here, 1..2).await;
    let other = here.handle(|builder| builder.drainer(false)).await;
    let mut transaction = here.direct().begin().await.unwrap();
    let mut row = page(1);
    row.body = "new".into();
    let pending = row.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    let key = row.get_cache_key(&here.orm);
    let mut wire = Wire::shared();
    let fence = wire.get(key.as_str()).expect("a fence");

    // On SQLite the row can be removed only when the transaction is over.
    let drained = tokio::spawn({
        let orm = here.orm.clone();
        async move { orm.drain_outbox().await.unwrap() }
    });
    let mut marked = fence.clone();
    until("the fence is marked", async || {
        marked = wire.get(key.as_str()).expect("it is never taken away");
        marked != fence
    })
    .await;
    assert_eq!(marked.len(), fence.len());
    assert_eq!(marked[..marked.len() - 1], fence[..fence.len() - 1], "it is the same writer's");
    for orm in [&here.orm, &other] {
        assert_eq!(Page::fetch_one(orm, 1).await.unwrap(), page(1));
        assert!(!is_cached(&here, 1).await, "the key is protected still");
    }

    transaction.commit().await.unwrap();
    assert_eq!(fenced.release().await.release_unconfirmed, 0);
    assert_eq!(drained.await.unwrap().drained, 1);
    assert_eq!(here.outbox().await, [""; 0]);
    assert_eq!(wire.get(key.as_str()), None);
    assert_eq!(Page::fetch_one(&other, 1).await.unwrap(), row);
    assert!(is_cached(&here, 1).await);
}

/// Whether a row is still there when it would have been drained long since.
async fn is_left(here: &Here, orm: Orm<Database>) -> bool {
    // A look that is under way may go on to its end.
    sleep(POLL * 8).await;
    here.enlist(here.namespace(), page(1).get_cache_key(&orm).as_str()).await;
    sleep(POLL * 8).await;
    here.outbox().await.len() == 1
}

async fn with_drainer(here: &Here) -> Orm<Database> {
    // Nobody says that these rows are there, so it must look for them.
    let orm = here.handle(|builder| builder.drainer(true).listen(false).outbox_poll(POLL)).await;
    enlisted(here, 0..1).await;
    until("it is drained", async || here.outbox().await.is_empty()).await;
    assert!(!is_cached(here, 0).await);
    orm
}

#[tokio::test]
async fn closing_ends_the_drainer() {
    let here = without_drainer().await;
    let orm = with_drainer(&here).await;
    orm.close().await;
    assert!(is_left(&here, orm).await);
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_drainer() {
    let here = without_drainer().await;
    let orm = with_drainer(&here).await;
    drop(orm);
    assert!(is_left(&here, here.orm.clone()).await);
}

#[tokio::test]
async fn a_handle_that_was_there_before_the_outbox_drains_it_once_it_knows_of_it() {
    let here = Here::built(&[PAGES], |builder| builder.listen(false).outbox_poll(POLL)).await;
    here.run(Orm::<Database>::outbox_sql()).await;
    here.orm.install_outbox().await.unwrap();
    enlisted(&here, 0..300).await;
    until("it is drained", async || here.outbox().await.is_empty()).await;
    assert!(!is_cached(&here, 0).await && !is_cached(&here, 299).await);
}
