//! Updating many rows.

use super::Here;
use crate::{
    documents::{DOCUMENTS, Document, PLAYERS, Player, SEATS, Seat},
    entries::{ENTRIES, Entry, entries},
    sessions::EVERYWHERE,
    tables::people::{COUNTERS, Counter, PEOPLE, Person},
};
use cached_orm::{Error, MemcachedOrm as _};

async fn documents(here: &Here, count: i64) -> Vec<Document> {
    let documents: Vec<_> = (0..count).map(|id| Document::new(id, &format!("title {id}"))).collect();
    Document::insert_many(&here.orm, &documents).await.unwrap()
}

#[tokio::test]
async fn each_row_gets_its_own_values() {
    let here = Here::with(&[DOCUMENTS, PEOPLE]).await;
    let mut rows = documents(&here, 300).await;
    let people: Vec<_> = (0..30).map(|n| Person::named(&format!("person {n}"))).collect();
    let mut people = Person::insert_many(&here.orm, &people).await.unwrap();
    for (round, place) in (2..).zip(EVERYWHERE) {
        rows.reverse();
        for row in &mut rows {
            row.title = format!("title {} {round}", row.id);
            row.body = (row.id % 3 == 0).then(|| format!("body {round}"));
            row.tags.push(format!("{round}"));
            // Not written.
            row.legacy = 0;
        }
        done!(place, here, |session| Document::update_many(session, &mut rows).await.unwrap());
        for row in &rows {
            assert_eq!((row.revision, row.legacy), (round, 7));
            assert_eq!(row.shout, row.title.to_uppercase());
            assert_eq!(Document::fetch_one(&here.orm, row.id).await.unwrap(), *row);
            assert_eq!(Document::fetch_uncached(&here.orm, row.id).await.unwrap().as_ref(), Some(row));
        }
        for person in &mut people {
            person.age = (person.id % 2 == 0).then_some(round);
            person.name.push('!');
            person.draft = 5;
        }
        done!(place, here, |session| Person::update_many(session, &mut people).await.unwrap());
        for person in &people {
            assert_eq!((person.draft, &person.shout), (5, &person.name.to_uppercase()));
            let read = Person::fetch_one(&here.orm, person.id).await.unwrap();
            assert_eq!(Person { draft: 5, ..read }, *person);
        }
    }
}

#[tokio::test]
async fn columns_of_every_kind_with_null_in_any_place() {
    let here = Here::with(&[ENTRIES, SEATS]).await;
    let rows = entries(40);
    Entry::insert_many(&here.orm, &rows).await.unwrap();
    let mut changed: Vec<_> = rows
        .iter()
        .zip(rows.iter().rev())
        .map(|(row, other)| Entry { token: row.token, number: row.number, ..other.clone() })
        .collect();
    let expected = changed.clone();
    Entry::update_many(&here.orm, &mut changed).await.unwrap();
    assert_eq!(changed, expected);
    for row in &expected {
        let key = (row.token, row.number);
        assert_eq!(Entry::fetch_uncached(&here.orm, key).await.unwrap().as_ref(), Some(row));
        assert_eq!(Entry::fetch(&here.orm, key).await.unwrap().as_ref(), Some(row));
    }
    // Nothing but NULL, which has no type of its own.
    for row in &mut changed {
        *row = Entry {
            before: None,
            maybe: None,
            real: None,
            bytes: None,
            text: None,
            notes: None,
            at: None,
            day: None,
            ..row.clone()
        };
    }
    let expected = changed.clone();
    Entry::update_many(&here.orm, &mut changed).await.unwrap();
    assert_eq!(changed, expected);
    // Nothing to write at all.
    let mut seats: Vec<_> = (0..3).map(|hall| Seat { hall, row: "a".into() }).collect();
    Seat::insert_many(&here.orm, &seats).await.unwrap();
    Seat::update_many(&here.orm, &mut seats).await.unwrap();
}

#[tokio::test]
async fn one_row_of_another_version_or_gone_and_none_is_changed() {
    let here = Here::with(&[DOCUMENTS]).await;
    let rows = documents(&here, 300).await;
    Document::fetch_one(&here.orm, 3).await.unwrap();
    let mut other = rows[299].clone();
    other.title = "theirs".into();
    other.update(&here.orm).await.unwrap();
    Document::delete_by_key(&here.orm, 298).await.unwrap();
    let fences = here.statistics().fences;

    let mut conflict: Vec<_> = rows.iter().filter(|row| row.id != 298).cloned().collect();
    let mut gone: Vec<_> = rows.iter().filter(|row| row.id != 299).cloned().collect();
    for place in EVERYWHERE {
        for rows in [&mut conflict, &mut gone] {
            rows.iter_mut().for_each(|row| row.title = format!("{place:?}"));
            let before = rows.clone();
            let error = done!(place, here, |session| {
                Document::update_many(session, rows).await.unwrap_err()
            });
            match rows.last().unwrap().id {
                299 => assert!(matches!(error, Error::Conflict { .. }), "{error}"),
                _ => assert!(matches!(error, Error::RowNotFound { .. }), "{error}"),
            }
            assert_eq!(*rows, before);
        }
    }
    assert_eq!(here.statistics().fences, fences);
    let cached = Document::get_cached_instance(&here.orm, 3).await.unwrap();
    assert_eq!(cached.as_ref(), Some(&rows[3]));
    for row in &rows[..298] {
        assert_eq!(Document::fetch_one(&here.orm, row.id).await.unwrap(), *row);
    }
    assert_eq!(Document::fetch_one(&here.orm, 299).await.unwrap(), other);
}

#[tokio::test]
async fn a_key_given_twice_is_refused_and_no_rows_ask_nobody() {
    let here = Here::with(&[DOCUMENTS]).await;
    let mut rows = documents(&here, 2).await;
    rows.push(rows[0].clone());
    let before = here.statistics();
    for place in EVERYWHERE {
        let error = done!(place, here, |session| {
            Document::update_many(session, &mut rows).await.unwrap_err()
        });
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        done!(place, here, |session| Document::update_many(session, &mut []).await.unwrap());
    }
    assert_eq!(here.statistics(), before);
}

#[tokio::test]
async fn rolled_back_nothing_was_changed() {
    let here = Here::with(&[DOCUMENTS]).await;
    let rows = documents(&here, 20).await;
    let fences = here.statistics().fences;
    undone!(here, |session| {
        let mut changed = rows.clone();
        changed.iter_mut().for_each(|row| row.title.clear());
        Document::update_many(session, &mut changed).await.unwrap();
    });
    assert_eq!(here.statistics().fences, fences);
    for row in &rows {
        assert_eq!(Document::fetch_one(&here.orm, row.id).await.unwrap(), *row);
    }
}

#[tokio::test]
async fn the_lists_of_an_index_follow_and_unique_values_can_be_exchanged() {
    let here = Here::with(&[PLAYERS]).await;
    for place in EVERYWHERE {
        let players: Vec<_> = (0..40).map(|id| Player::new(id, id as i32 % 4)).collect();
        let mut players = Player::insert_many(&here.orm, &players).await.unwrap();
        for team in 0..5 {
            let count = if team < 4 { 10 } else { 0 };
            assert_eq!(Player::fetch_by_team(&here.orm, team).await.unwrap().len(), count);
        }
        assert_eq!(Player::fetch_by_name(&here.orm, "moved 3").await.unwrap(), None);
        players.retain(|player| player.team == 3);
        for player in &mut players {
            player.team = 4;
            player.name = format!("moved {}", player.id);
        }
        done!(place, here, |session| Player::update_many(session, &mut players).await.unwrap());
        assert_eq!(Player::fetch_by_team(&here.orm, 3).await.unwrap(), []);
        let mut moved = Player::fetch_by_team(&here.orm, 4).await.unwrap();
        moved.sort_by_key(|player| player.id);
        assert_eq!(moved, players);
        for player in &players {
            let found = Player::fetch_by_name(&here.orm, player.name.as_str()).await.unwrap();
            assert_eq!(found.as_ref(), Some(player));
            let old = format!("player {}", player.id);
            assert_eq!(Player::fetch_by_name(&here.orm, old.as_str()).await.unwrap(), None);
        }
        Player::delete_many(&here.orm, 0..40).await.unwrap();
    }
}

/// The trigger counts each update, after RETURNING on SQLite.
#[tokio::test]
async fn what_triggers_make_of_the_rows_is_read() {
    let here = Here::with(&[COUNTERS]).await;
    let rows: Vec<_> = (0..20).map(|id| Counter { id, writer: 0, revision: 0 }).collect();
    let mut rows = Counter::insert_many(&here.orm, &rows).await.unwrap();
    for (revision, place) in (1..).zip(EVERYWHERE) {
        rows.iter_mut().for_each(|row| row.writer += 1);
        done!(place, here, |session| Counter::update_many(session, &mut rows).await.unwrap());
        for row in &rows {
            let read = Counter::fetch_one(&here.orm, row.id).await.unwrap();
            assert_eq!((read.writer, read.revision), (row.writer, revision));
        }
    }
}
