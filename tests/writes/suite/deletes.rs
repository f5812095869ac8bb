//! Deleting by keys.

use super::Here;
use crate::{
    documents::{PLAYERS, Player, SEATS, Seat},
    sessions::EVERYWHERE,
    tables::{
        keys::{NICKNAMES, Nickname},
        people::{PAGES, Page},
    },
};
use cached_orm::MemcachedOrm as _;

fn page(id: i64) -> Page {
    Page { id, body: format!("page {id}") }
}

async fn pages(here: &Here, ids: impl Iterator<Item = i64>) {
    let pages: Vec<_> = ids.map(page).collect();
    Page::insert_many(&here.orm, &pages).await.unwrap();
}

#[tokio::test]
async fn a_row_is_deleted_by_its_key() {
    let here = Here::with(&[PAGES]).await;
    for place in EVERYWHERE {
        pages(&here, 1..3).await;
        assert!(Page::fetch(&here.orm, 1).await.unwrap().is_some());
        assert!(done!(place, here, |session| Page::delete_by_key(session, 1).await.unwrap()));
        assert!(!done!(place, here, |session| Page::delete_by_key(session, 1).await.unwrap()));
        assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
        assert_eq!(Page::fetch_one(&here.orm, 2).await.unwrap(), page(2));
        Page::delete_by_key(&here.orm, 2).await.unwrap();
    }
}

#[tokio::test]
async fn many_rows_are_deleted_by_their_keys_and_counted() {
    let here = Here::with(&[PAGES, PLAYERS, SEATS]).await;
    for place in EVERYWHERE {
        pages(&here, 0..700).await;
        let players: Vec<_> = (0..9).map(|id| Player::new(id, id as i32 % 3)).collect();
        Player::insert_many(&here.orm, &players).await.unwrap();
        let seats: Vec<_> = (0..300).map(|hall| Seat { hall, row: "é".into() }).collect();
        Seat::insert_many(&here.orm, &seats).await.unwrap();
        assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap().len(), 3);

        // Some twice, and some that are not there.
        let keys = (0..1200).step_by(2).chain([0, 2, 4]);
        let deleted = done!(place, here, |session| {
            Page::delete_many(session, keys).await.unwrap()
        });
        assert_eq!(deleted, 350);
        for id in 0..700 {
            let expected = (id % 2 == 1).then(|| page(id));
            assert_eq!(Page::fetch(&here.orm, id).await.unwrap(), expected);
        }
        let deleted = done!(place, here, |session| {
            Player::delete_many(session, [1, 4, 99]).await.unwrap()
        });
        assert_eq!(deleted, 2);
        assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap(), [Player::new(7, 1)]);
        let keys = seats.iter().map(|seat| (seat.hall, seat.row.clone()));
        let deleted = done!(place, here, |session| {
            Seat::delete_many(session, keys).await.unwrap()
        });
        assert_eq!(deleted, 300);
        assert_eq!(Seat::fetch(&here.orm, (7, "é".into())).await.unwrap(), None);
        Page::delete_many(&here.orm, 0..700).await.unwrap();
        Player::delete_many(&here.orm, 0..9).await.unwrap();
    }
}

#[tokio::test]
async fn no_keys_ask_nobody_and_rolled_back_nothing_was_deleted() {
    let here = Here::with(&[PAGES]).await;
    pages(&here, 0..5).await;
    let before = here.statistics();
    for place in EVERYWHERE {
        assert_eq!(done!(place, here, |session| Page::delete_many(session, []).await.unwrap()), 0);
    }
    undone!(here, |session| assert_eq!(Page::delete_many(session, 0..9).await.unwrap(), 5));
    assert_eq!(here.statistics(), before);
    for id in 0..5 {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id));
    }
}

#[tokio::test]
async fn a_row_that_the_database_finds_by_another_key_is_deleted() {
    let here = Here::with(&[NICKNAMES]).await;
    let names = ["ann", "bob", "cy"].map(|name| Nickname { name: name.into(), owner: 1 });
    Nickname::insert_many(&here.orm, &names).await.unwrap();
    for name in &names {
        Nickname::fetch_one(&here.orm, name.name.clone()).await.unwrap();
    }
    let keys = ["ANN", "cy", "CY", "nobody"].map(str::to_owned);
    assert_eq!(Nickname::delete_many(&here.orm, keys).await.unwrap(), 2);
    assert_eq!(Nickname::fetch(&here.orm, "ann".into()).await.unwrap(), None);
    assert_eq!(Nickname::fetch(&here.orm, "cy".into()).await.unwrap(), None);
    assert!(Nickname::fetch(&here.orm, "bob".into()).await.unwrap().is_some());
}
