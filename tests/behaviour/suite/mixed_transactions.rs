//! Transactions over several structs, with SQL of the caller's own in them, at
//! every level of isolation, and what is left of those that fail.

use super::Here;
use crate::{
    databases::Kind,
    tables::{
        keys::{NOTES, Note},
        people::{PAGES, PEOPLE, Page, Person},
    },
};
use cached_orm::{Isolation, MemcachedOrm as _};
use sqlx::Executor as _;

const LEVELS: [Isolation; 3] =
    [Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable];

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// Read twice, of which the second is a hit: nothing old is cached, and no fence
/// has been left.
async fn assert_body(here: &Here, id: i64, expected: &str) {
    assert_eq!(Page::fetch_uncached(&here.orm, id).await.unwrap(), Some(page(id, expected)));
    assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, expected));
    let hits = here.statistics().hits;
    assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, expected));
    assert_eq!(here.statistics().hits, hits + 1, "a fence has been left");
}

#[tokio::test]
async fn at_every_level_several_structs_are_written_at_once() {
    let here = Here::with(&[PEOPLE, PAGES, NOTES]).await;
    for (round, level) in LEVELS.into_iter().enumerate() {
        let id = i64::try_from(round).unwrap();
        page(id, "old").insert(&here.orm).await.unwrap();
        let note = Note { title: format!("note {round}"), body: "old".into() };
        note.insert(&here.orm).await.unwrap();
        let mut ann = Person::named(&format!("Ann{round}")).insert(&here.orm).await.unwrap();

        let mut transaction = here.orm.begin_with(level).await.unwrap();
        let bob = Person::named(&format!("Bob{round}")).insert(&mut transaction).await.unwrap();
        page(id, "new").update(&mut transaction).await.unwrap();
        assert!(note.delete(&mut transaction).await.unwrap());
        ann.name = "Anna".into();
        ann.update(&mut transaction).await.unwrap();
        let committed = transaction.commit().await.unwrap();
        assert_eq!(committed.release_unconfirmed, 0);

        assert_body(&here, id, "new").await;
        assert_eq!(Note::fetch(&here.orm, note.title.clone()).await.unwrap(), None);
        for person in [ann, bob] {
            for _ in 0..2 {
                assert_eq!(Person::fetch_one(&here.orm, person.id).await.unwrap(), person);
            }
        }
    }
}

#[tokio::test]
async fn at_every_level_raw_sql_may_change_the_rows_before_or_after() {
    let shout = match Here::DATABASE {
        Kind::MariaDb => "UPDATE pages SET body = CONCAT(body, '!') WHERE id = 1",
        Kind::Postgres | Kind::Sqlite => "UPDATE pages SET body = body || '!' WHERE id = 1",
    };
    let here = Here::with(&[PAGES]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    for level in LEVELS {
        let mut transaction = here.orm.begin_with(level).await.unwrap();
        page(1, "a").update(&mut transaction).await.unwrap();
        transaction.execute(shout).await.unwrap();
        transaction.commit().await.unwrap();
        assert_body(&here, 1, "a!").await;

        let mut transaction = here.orm.begin_with(level).await.unwrap();
        transaction.execute(shout).await.unwrap();
        page(1, "b").update(&mut transaction).await.unwrap();
        transaction.execute(shout).await.unwrap();
        let mut savepoint = transaction.savepoint().await.unwrap();
        savepoint.execute(shout).await.unwrap();
        savepoint.rollback().await.unwrap();
        transaction.commit().await.unwrap();
        assert_body(&here, 1, "b!").await;
    }
}

#[tokio::test]
async fn of_two_transactions_in_a_deadlock_one_is_written_whole_and_one_not_at_all() {
    if Here::DATABASE == Kind::Sqlite {
        return;
    }
    let here = Here::with(&[PAGES]).await;
    for id in 1..=2 {
        page(id, "old").insert(&here.orm).await.unwrap();
    }
    let both_hold_one = tokio::sync::Barrier::new(2);
    let write = async |body: &'static str, first: i64, second: i64| {
        let mut transaction = here.orm.begin().await.unwrap();
        page(first, body).update(&mut transaction).await?;
        both_hold_one.wait().await;
        let written = page(second, body).update(&mut transaction).await;
        let committed = transaction.commit().await.map(drop);
        assert_eq!(written.is_ok(), committed.is_ok(), "{written:?}, {committed:?}");
        committed
    };
    let (one, other) = tokio::join!(write("one", 1, 2), write("other", 2, 1));
    let winner = match (one, other) {
        (Ok(()), Err(_)) => "one",
        (Err(_), Ok(())) => "other",
        both => panic!("{both:?}"),
    };
    assert_body(&here, 1, winner).await;
    assert_body(&here, 2, winner).await;
}
