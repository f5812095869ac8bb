//! Copies in the process, and what another process writes.

use super::Here;
use crate::{
    memcached::OwnServer,
    rows::notes::{NEAR_TTL, NOTES, Note},
};
use cached_orm::MemcachedOrm as _;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

#[tokio::test]
async fn what_another_process_writes_is_seen_when_the_copy_is_over() {
    let here = Here::with(&[NOTES]).await;
    let other = here.other_handle().await;
    let mut note = Note::new(1).insert(&here.orm).await.unwrap();
    let before = Instant::now();
    Note::fetch(&here.orm, 1).await.unwrap();
    let asked = Instant::now();
    note.revision = 1;
    note.update(&other).await.unwrap();
    let found = Note::fetch_one(&here.orm, 1).await.unwrap();
    if before.elapsed() < NEAR_TTL {
        assert_eq!(found.revision, 0, "the copy answers");
    }
    sleep(NEAR_TTL.saturating_sub(asked.elapsed())).await;
    assert_eq!(Note::fetch_one(&here.orm, 1).await.unwrap(), note);
    // And the other way round, where there is no copy.
    note.revision = 2;
    note.update(&here.orm).await.unwrap();
    assert_eq!(Note::fetch_one(&other, 1).await.unwrap(), note);
}

#[tokio::test]
async fn that_there_is_no_row_is_over_in_time_too() {
    let here = Here::with(&[NOTES]).await;
    let other = here.other_handle().await;
    assert_eq!(Note::fetch(&here.orm, 1).await.unwrap(), None);
    assert_eq!(Note::fetch(&here.orm, 1).await.unwrap(), None);
    let asked = Instant::now();
    let note = Note::new(1).insert(&other).await.unwrap();
    sleep(NEAR_TTL.saturating_sub(asked.elapsed())).await;
    assert_eq!(Note::fetch(&here.orm, 1).await.unwrap(), Some(note));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_beside_another_process_is_behind_by_the_bound_at_most() {
    let here = Here::with(&[NOTES]).await;
    let other = here.other_handle().await;
    let mut note = Note::new(1).insert(&other).await.unwrap();
    let acknowledged = Arc::new(Mutex::new(vec![(Instant::now(), 0)]));
    let writing = {
        let acknowledged = Arc::clone(&acknowledged);
        tokio::spawn(async move {
            for revision in 1.. {
                note.revision = revision;
                note.update(&other).await.unwrap();
                acknowledged.lock().unwrap().push((Instant::now(), revision));
                if revision % 64 == 0 && acknowledged.lock().unwrap()[0].0.elapsed() > 2 * NEAR_TTL
                {
                    return;
                }
                sleep(Duration::from_millis(2)).await;
            }
        })
    };
    let mut behind = 0;
    while !writing.is_finished() {
        let began = Instant::now();
        let found = Note::fetch_one(&here.orm, 1).await.unwrap().revision;
        let (least, latest) = {
            let acknowledged = acknowledged.lock().unwrap();
            let must_see = acknowledged.iter().rev().find(|(at, _)| *at + NEAR_TTL <= began);
            let revision = |known: Option<&(Instant, i64)>| known.map_or(0, |known| known.1);
            (revision(must_see), revision(acknowledged.last()))
        };
        assert!(found >= least, "{found} was read, {least} is older than the bound");
        behind += u64::from(found < latest);
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert!(behind > 0, "no copy was ever behind, which shows nothing");
}

#[tokio::test]
async fn a_cache_that_dies_ends_the_copies_in_time() {
    let mut server = OwnServer::started().await;
    crate::memcached::wait_for_age(&server.address(), crate::place::HOLD_OFF).await;
    let here = Here::built(&[NOTES], |builder| {
        builder.memcached([server.address()]).timeout(Duration::from_millis(200))
    })
    .await;
    here.run("INSERT INTO notes VALUES (1, 'first', 0)").await;
    let before = Instant::now();
    for _ in 0..2 {
        Note::fetch_one(&here.orm, 1).await.unwrap();
    }
    let (asked, near_hits) = (Instant::now(), here.statistics().near_hits);
    server.kill();
    here.run("UPDATE notes SET revision = 1").await;
    let found = Note::fetch_one(&here.orm, 1).await.unwrap();
    if before.elapsed() < NEAR_TTL {
        assert_eq!((found.revision, here.statistics().near_hits), (0, near_hits + 1));
    }
    sleep(NEAR_TTL.saturating_sub(asked.elapsed())).await;
    assert_eq!(Note::fetch_one(&here.orm, 1).await.unwrap().revision, 1);
}
