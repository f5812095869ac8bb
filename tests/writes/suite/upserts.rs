//! Inserting rows or updating them.

use super::Here;
use crate::{
    databases::Kind,
    documents::{DOCUMENTS, Document, PLAYERS, Player, SEATS, Seat},
    sessions::EVERYWHERE,
    tables::{
        keys::{NICKNAMES, Nickname},
        people::{COUNTERS, Counter, PAGES, Page},
    },
};
use cached_orm::{Error, MemcachedOrm as _};
use futures_util::future::join_all;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn a_new_row_is_inserted_and_an_old_one_updated() {
    let here = Here::with(&[DOCUMENTS, PLAYERS, SEATS]).await;
    for (id, place) in (1..).zip(EVERYWHERE) {
        assert_eq!(Document::fetch(&here.orm, id).await.unwrap(), None);
        let mut document = Document { legacy: 0, revision: 5, ..Document::new(id, "a") };
        let written = done!(place, here, |session| document.upsert(session).await.unwrap());
        assert_eq!(written, Document { revision: 5, ..Document::new(id, "a") });
        assert_eq!(Document::fetch_one(&here.orm, id).await.unwrap(), written);

        // Whatever version it has in hand.
        document.title = "b".into();
        document.revision = 1;
        document.tags = vec!["x".into()];
        let written = done!(place, here, |session| document.upsert(session).await.unwrap());
        let expected = Document { revision: 6, tags: vec!["x".into()], ..Document::new(id, "b") };
        assert_eq!(written, expected);
        assert_eq!(Document::fetch_one(&here.orm, id).await.unwrap(), written);
        assert_eq!(Document::fetch_uncached(&here.orm, id).await.unwrap(), Some(written));

        // With an index that has to know the row before.
        for team in [1, 2] {
            let there = Player::fetch_by_team(&here.orm, team).await.unwrap();
            assert!(there.iter().all(|player| player.id < id));
            let player = Player::new(id, team);
            let written = done!(place, here, |session| player.upsert(session).await.unwrap());
            assert_eq!(written, player);
            assert_eq!(Player::fetch_one(&here.orm, id).await.unwrap(), player);
            assert!(Player::fetch_by_team(&here.orm, team).await.unwrap().contains(&player));
        }
        assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap(), []);

        // With nothing to update.
        let seat = Seat { hall: id as i32, row: "c".into() };
        for _ in 0..2 {
            let written = done!(place, here, |session| seat.upsert(session).await.unwrap());
            assert_eq!(written, seat);
        }
    }
}

#[tokio::test]
async fn rolled_back_it_has_never_been() {
    let here = Here::with(&[PAGES, PLAYERS]).await;
    page(1, "old").insert(&here.orm).await.unwrap();
    Page::fetch(&here.orm, 1).await.unwrap();
    Page::fetch(&here.orm, 2).await.unwrap();
    let fences = here.statistics().fences;
    undone!(here, |session| {
        page(1, "new").upsert(&mut *session).await.unwrap();
        page(2, "new").upsert(&mut *session).await.unwrap();
        Player::new(1, 1).upsert(&mut *session).await.unwrap();
    });
    assert_eq!(here.statistics().fences, fences);
    assert_eq!(Page::get_cached_instance(&here.orm, 1).await.unwrap(), Some(page(1, "old")));
    assert_eq!(Page::fetch(&here.orm, 2).await.unwrap(), None);
    assert_eq!(Player::fetch(&here.orm, 1).await.unwrap(), None);
}

#[tokio::test]
async fn an_upserted_row_is_in_the_cache_when_it_returns() {
    let here = Here::with(&[PAGES, PLAYERS]).await;
    for body in ["new", "newer"] {
        page(1, body).upsert(&here.orm).await.unwrap();
        let mut since = here.statistics();
        assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, body));
        assert_eq!(here.loads_since(&mut since), 0);
    }
    for team in 1..=2 {
        Player::new(1, team).upsert(&here.orm).await.unwrap();
        let mut since = here.statistics();
        assert_eq!(Player::fetch_one(&here.orm, 1).await.unwrap().team, team);
        assert_eq!(here.loads_since(&mut since), 0);
    }
}

/// One of them inserts, and all of them write.
#[tokio::test]
async fn many_at_once_with_one_new_key_all_succeed() {
    const WRITERS: i64 = 12;
    let here = Here::with(&[COUNTERS, PLAYERS]).await;
    for id in 1..=5 {
        let rows: Vec<_> =
            (0..WRITERS).map(|writer| Counter { id, writer: writer as i32, revision: 0 }).collect();
        let orm = &here.orm;
        let upserts = rows.iter().map(|row| async move {
            let written = row.upsert(orm).await.unwrap();
            let read = Counter::fetch_one(orm, id).await.unwrap();
            assert!(read.revision >= written.revision, "{read:?} after {written:?}");
        });
        join_all(upserts).await;
        // The first is no update, and all others are.
        let read = Counter::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(read.revision, WRITERS - 1);

        let players: Vec<_> = (0..WRITERS).map(|team| Player::new(id, team as i32)).collect();
        join_all(players.iter().map(|player| async {
            player.upsert(&here.orm).await.unwrap();
        }))
        .await;
        let read = Player::fetch_one(&here.orm, id).await.unwrap();
        for team in 0..WRITERS as i32 {
            let there = Player::fetch_by_team(&here.orm, team).await.unwrap();
            assert_eq!(there.contains(&read), team == read.team, "{there:?}");
            assert!(there.iter().all(|player| player.team == team));
        }
    }
}

/// A key between others' new keys is in a gap that all of them lock.
#[tokio::test]
async fn neighbours_do_not_hinder_each_other() {
    let here = Here::with(&[PAGES]).await;
    page(1_000, "last").insert(&here.orm).await.unwrap();
    for round in 0..3 {
        let pages: Vec<_> = (0..16).map(|n| page(n * 10 + round, "new")).collect();
        let upserts = pages.iter().map(|page| async { page.upsert(&here.orm).await.unwrap() });
        assert_eq!(join_all(upserts).await, pages);
    }
}

#[tokio::test]
async fn upserts_beside_deletes_neither_fail_nor_leave_anything_stale() {
    let here = Here::with(&[PAGES]).await;
    let writer = async |name: &str| {
        for round in 0..25 {
            let mine = page(1, &format!("{name} {round}"));
            assert_eq!(mine.upsert(&here.orm).await.unwrap(), mine);
        }
    };
    let remover = async || {
        for _ in 0..25 {
            Page::delete_by_key(&here.orm, 1).await.unwrap();
        }
    };
    tokio::join!(writer("a"), writer("b"), remover());
    let cached = Page::fetch(&here.orm, 1).await.unwrap();
    assert_eq!(Page::fetch_uncached(&here.orm, 1).await.unwrap(), cached);
}

#[tokio::test]
async fn a_row_that_equals_another_in_a_unique_index_is_refused() {
    let here = Here::with(&[PLAYERS]).await;
    let (ann, bob) = (Player::new(1, 1), Player::new(2, 1));
    ann.upsert(&here.orm).await.unwrap();
    bob.upsert(&here.orm).await.unwrap();
    // Neither as a new row, nor as an update of Bob; and never Ann's.
    for id in [2, 3] {
        let twin = Player { id, team: 9, ..ann.clone() };
        for place in EVERYWHERE {
            if place != crate::sessions::Where::Orm && Here::DATABASE == Kind::Postgres {
                continue;
            }
            let error = done!(place, here, |session| twin.upsert(session).await.unwrap_err());
            assert!(matches!(error, Error::Database { .. }), "{error}");
        }
    }
    assert_eq!(Player::fetch_one(&here.orm, 1).await.unwrap(), ann);
    assert_eq!(Player::fetch_one(&here.orm, 2).await.unwrap(), bob);
    assert_eq!(Player::fetch(&here.orm, 3).await.unwrap(), None);
    assert_eq!(Player::fetch_by_team(&here.orm, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_row_that_the_database_finds_by_another_key_is_updated() {
    let here = Here::with(&[NICKNAMES]).await;
    Nickname { name: "ann".into(), owner: 1 }.insert(&here.orm).await.unwrap();
    Nickname::fetch(&here.orm, "ann".into()).await.unwrap();
    Nickname::fetch(&here.orm, "ANN".into()).await.unwrap();
    let written = Nickname { name: "ANN".into(), owner: 2 }.upsert(&here.orm).await.unwrap();
    assert_eq!(written, Nickname { name: "ann".into(), owner: 2 });
    assert_eq!(Nickname::fetch_one(&here.orm, "ann".into()).await.unwrap(), written);
    assert_eq!(Nickname::fetch(&here.orm, "ANN".into()).await.unwrap(), None);
}
