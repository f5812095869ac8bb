//! Inserting many rows.

use super::Here;
use crate::{
    databases::Kind,
    documents::{DOCUMENTS, Document, PLAYERS, Player, SEATS, Seat},
    entries::{ENTRIES, Entry, entries},
    sessions::EVERYWHERE,
    tables::{
        Table,
        people::{PAGES, PEOPLE, Page, Person, TICKETS, Ticket},
    },
};
use cached_orm::{Error, MemcachedOrm as _};
use futures_util::future::join_all;
use std::{collections::HashSet, time::Duration};

fn page(id: i64) -> Page {
    Page { id, body: format!("page {id}") }
}

fn people(round: usize, count: usize) -> Vec<Person> {
    // In no order that a key would have by chance.
    (0..count).map(|n| Person::named(&format!("person {round} {}", n * 7919 % 1009))).collect()
}

/// What was asked for, in this order, and as the database has it.
async fn assert_inserted(here: &Here, asked: &[Person], rows: &[Person]) {
    assert_eq!(rows.len(), asked.len());
    let keys: HashSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(keys.len(), rows.len());
    for (asked, row) in asked.iter().zip(rows) {
        assert_eq!((&row.email, &row.name), (&asked.email, &asked.name));
        assert_eq!((row.status.as_str(), &row.shout), ("new", &asked.name.to_uppercase()));
        assert_eq!(Person::fetch_uncached(&here.orm, row.id).await.unwrap().as_ref(), Some(row));
        assert_eq!(Person::fetch(&here.orm, row.id).await.unwrap().as_ref(), Some(row));
    }
}

#[tokio::test]
async fn rows_come_back_in_the_order_they_were_given_with_keys_that_the_database_made() {
    let here = Here::with(&[PEOPLE]).await;
    for (round, place) in EVERYWHERE.into_iter().enumerate() {
        let asked = people(round, 300);
        let rows = done!(place, here, |session| {
            Person::insert_many(session, &asked).await.unwrap()
        });
        assert_inserted(&here, &asked, &rows).await;
    }
}

#[tokio::test]
async fn several_at_once_do_not_mix_up_their_rows() {
    let here = Here::with(&[PEOPLE]).await;
    let batches: Vec<_> = (0..4).map(|round| people(round, 50)).collect();
    let orm = &here.orm;
    let inserts = batches.iter().map(|asked| async move {
        let rows = Person::insert_many(orm, asked).await.unwrap();
        (asked, rows)
    });
    for (asked, rows) in join_all(inserts).await {
        assert_inserted(&here, asked, &rows).await;
    }
}

#[tokio::test]
async fn rows_come_back_in_the_order_they_were_given_with_keys_of_the_programs() {
    let here = Here::with(&[PAGES, DOCUMENTS, SEATS]).await;
    for (round, place) in (0..).zip(EVERYWHERE) {
        let pages: Vec<_> = (0..700).rev().map(|id| page(id + 1000 * round)).collect();
        for id in [0, 350, 699] {
            assert_eq!(Page::fetch(&here.orm, id + 1000 * round).await.unwrap(), None);
        }
        let rows = done!(place, here, |session| Page::insert_many(session, &pages).await.unwrap());
        assert_eq!(rows, pages);
        for page in &pages {
            assert_eq!(Page::fetch(&here.orm, page.id).await.unwrap().as_ref(), Some(page));
        }
        let documents: Vec<_> = (0..20).map(|id| Document::new(id + 100 * round, "e")).collect();
        let rows = done!(place, here, |session| {
            Document::insert_many(session, &documents).await.unwrap()
        });
        assert_eq!(rows, documents);
        let seats: Vec<_> =
            (0..20).map(|n| Seat { hall: round as i32, row: format!("({n})") }).collect();
        let rows = done!(place, here, |session| Seat::insert_many(session, &seats).await.unwrap());
        assert_eq!(rows, seats);
    }
}

#[tokio::test]
async fn columns_of_every_kind_with_null_in_any_place() {
    let here = Here::with(&[ENTRIES]).await;
    let rows = entries(40);
    assert_eq!(Entry::insert_many(&here.orm, &rows).await.unwrap(), rows);
    for row in &rows {
        let key = (row.token, row.number);
        assert_eq!(Entry::fetch_uncached(&here.orm, key).await.unwrap().as_ref(), Some(row));
        assert_eq!(Entry::fetch(&here.orm, key).await.unwrap().as_ref(), Some(row));
    }
}

#[tokio::test]
async fn rows_of_which_the_database_makes_everything() {
    let here = Here::with(&[TICKETS]).await;
    let tickets = vec![Ticket { id: 0, state: String::new() }; 5];
    let rows = Ticket::insert_many(&here.orm, &tickets).await.unwrap();
    let keys: HashSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(keys.len(), 5);
    assert!(rows.iter().all(|row| row.state == "open"));
}

#[tokio::test]
async fn inserted_rows_are_in_the_cache_when_it_returns() {
    let here = Here::with(&[PEOPLE, PLAYERS]).await;
    let rows = Person::insert_many(&here.orm, &people(0, 100)).await.unwrap();
    let players: Vec<_> = (0..10).map(|id| Player::new(id, 1)).collect();
    assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap(), []);
    Player::insert_many(&here.orm, &players).await.unwrap();
    let mut since = here.statistics();
    for row in rows {
        assert_eq!(Person::fetch_one(&here.orm, row.id).await.unwrap(), row);
    }
    assert_eq!(Player::fetch_one(&here.orm, 3).await.unwrap(), players[3]);
    assert_eq!(here.loads_since(&mut since), 0);
    assert_eq!(Player::fetch_by_team(&here.orm, 1).await.unwrap().len(), 10);
}

#[tokio::test]
async fn one_row_that_is_refused_and_none_is_there() {
    let here = Here::with(&[PAGES, PEOPLE]).await;
    page(450).insert(&here.orm).await.unwrap();
    page(1_000).insert(&here.orm).await.unwrap();
    let fences = here.statistics().fences;
    // In the third statement; the rows of the first two were inserted.
    let mut rows: Vec<_> = (0..400).map(page).collect();
    rows[399].id = 450;
    for place in EVERYWHERE {
        let error = done!(place, here, |session| {
            Page::insert_many(session, &rows).await.unwrap_err()
        });
        assert!(matches!(error, Error::Database { .. }), "{error}");
    }
    assert_eq!(here.statistics().fences, fences);
    // The transaction goes on.
    in_transaction!(here, |session| {
        Page::insert_many(&mut *session, &rows).await.unwrap_err();
        Page { id: 1_000, body: "after".into() }.update(session).await.unwrap();
    });
    assert_eq!(here.statistics().fences, fences + 1);
    let mut since = here.statistics();
    for id in [0, 255, 256, 398] {
        assert_eq!(Page::fetch(&here.orm, id).await.unwrap(), None);
        // The key was never fenced, so the answer was stored.
        assert_eq!(Page::fetch(&here.orm, id).await.unwrap(), None);
    }
    assert_eq!(here.loads_since(&mut since), 4);
    assert_eq!(Page::fetch_one(&here.orm, 450).await.unwrap(), page(450));
    assert_eq!(Page::fetch_one(&here.orm, 1_000).await.unwrap().body, "after");

    let mut rows = people(0, 20);
    rows[19].email = rows[0].email.clone();
    for place in EVERYWHERE {
        done!(place, here, |session| Person::insert_many(session, &rows).await.unwrap_err());
    }
    let named = Person::fetch_all_by_field(&here.orm, crate::tables::people::PersonColumns::NAME, rows[1].name.clone());
    assert_eq!(named.await.unwrap(), []);
}

#[tokio::test]
async fn a_key_given_twice_is_refused_and_no_rows_ask_nobody() {
    let here = Here::with(&[PAGES]).await;
    let before = here.statistics();
    for place in EVERYWHERE {
        let twice = [page(1), page(2), page(1)];
        let error = done!(place, here, |session| {
            Page::insert_many(session, &twice).await.unwrap_err()
        });
        assert_eq!(error.to_string(), "insert_many of Page: a primary key is given twice");
        assert_eq!(done!(place, here, |session| Page::insert_many(session, &[]).await.unwrap()), []);
    }
    assert_eq!(here.statistics(), before);
}

#[tokio::test]
async fn rolled_back_they_have_never_been() {
    let here = Here::with(&[PAGES]).await;
    let rows: Vec<_> = (0..300).map(page).collect();
    undone!(here, |session| assert_eq!(Page::insert_many(session, &rows).await.unwrap(), rows));
    assert_eq!(here.statistics().fences, 0);
    assert_eq!(Page::fetch(&here.orm, 7).await.unwrap(), None);
}

#[tokio::test]
async fn ten_thousand_rows() {
    // On a busy machine so many fences take their time.
    let here = Here::built(&[PAGES], |builder| {
        builder.commit_window(Duration::from_secs(20)).hold_off(Duration::from_secs(30))
    })
    .await;
    let mut rows: Vec<_> = (0..10_000).map(page).collect();
    assert_eq!(Page::insert_many(&here.orm, &rows).await.unwrap(), rows);
    assert_eq!(here.statistics().fences, 10_000);
    rows.iter_mut().for_each(|row| row.body.push_str(" changed"));
    Page::update_many(&here.orm, &mut rows).await.unwrap();
    let mut since = here.statistics();
    for row in rows.iter().step_by(97) {
        assert_eq!(Page::fetch_one(&here.orm, row.id).await.unwrap(), *row);
    }
    assert_eq!(here.loads_since(&mut since), 0);
    assert_eq!(Page::delete_many(&here.orm, 0..10_000).await.unwrap(), 10_000);
    assert_eq!(Page::fetch(&here.orm, 9_999).await.unwrap(), None);
}

/// Keys that count neither upwards nor one by one.
#[tokio::test]
async fn keys_that_are_made_in_other_ways() {
    const NAMED: &[(&str, &str)] = match Here::DATABASE {
        Kind::Postgres => &[
            ("a sequence that counts down", "BIGINT GENERATED BY DEFAULT AS IDENTITY (INCREMENT -3)"),
            ("cached numbers", "BIGINT GENERATED ALWAYS AS IDENTITY (CACHE 10)"),
            ("serial", "BIGSERIAL"),
            ("an expression", "BIGINT DEFAULT (100000 * random())::bigint"),
        ],
        Kind::MariaDb => &[("counting", "BIGINT AUTO_INCREMENT")],
        Kind::Sqlite => &[
            ("counting", "INTEGER"),
            ("an expression", "BIGINT DEFAULT (abs(random() % 100000)) NOT NULL"),
        ],
    };
    for (what, key) in NAMED {
        let sql = format!(
            "CREATE TABLE people (
                id {key} PRIMARY KEY, email VARCHAR(200) NOT NULL, name VARCHAR(200) NOT NULL,
                age INT, status VARCHAR(9) NOT NULL DEFAULT 'new',
                shout VARCHAR(200) GENERATED ALWAYS AS (upper(name)) STORED)"
        );
        let here = Here::with(&[Table::everywhere(sql.leak())]).await;
        if Here::DATABASE == Kind::MariaDb {
            // For every session to come.
            here.run("SET SESSION auto_increment_increment = 7").await;
        }
        let asked = people(0, 9);
        let rows = Person::insert_many(&here.orm, &asked).await.unwrap();
        for (asked, row) in asked.iter().zip(&rows) {
            assert_eq!(asked.email, row.email, "{what}");
            let read = Person::fetch_uncached(&here.orm, row.id).await.unwrap();
            assert_eq!(read.as_ref(), Some(row), "{what}");
        }
    }
}
