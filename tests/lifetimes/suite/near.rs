//! Copies in the process, as the handle sees them that keeps them.

use super::Here;
use crate::rows::notes::{NEAR_TTL, NOTES, Note};
use cached_orm::{MemcachedOrm as _, Orm, SetOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// A place with a note of which a copy is kept.
async fn with_copy() -> (Here, Note) {
    let here = Here::with(&[NOTES]).await;
    let note = Note::new(1).insert(&here.orm).await.unwrap();
    read(&here, Some(&note)).await;
    read(&here, Some(&note)).await;
    assert_eq!(here.statistics().near_hits, 1, "a copy answers");
    (here, note)
}

async fn read(here: &Here, expected: Option<&Note>) {
    assert_eq!(Note::fetch(&here.orm, 1).await.unwrap().as_ref(), expected);
}

#[tokio::test]
async fn a_copy_answers_for_as_long_as_it_may() {
    let (here, note) = with_copy().await;
    let before = here.statistics();
    sleep(NEAR_TTL).await;
    read(&here, Some(&note)).await;
    assert_eq!(here.statistics().near_hits, before.near_hits);
    assert_eq!(here.statistics().hits, before.hits + 1);
    read(&here, Some(&note)).await;
    assert_eq!(here.statistics().near_hits, before.near_hits + 1);
}

#[tokio::test]
async fn what_this_handle_writes_is_seen_at_once() {
    let (here, mut note) = with_copy().await;
    for revision in 1..20 {
        note.revision = revision;
        note.update(&here.orm).await.unwrap();
        read(&here, Some(&note)).await;
        read(&here, Some(&note)).await;
    }
    note.delete(&here.orm).await.unwrap();
    read(&here, None).await;
    let before = here.statistics().near_hits;
    read(&here, None).await;
    assert_eq!(here.statistics().near_hits, before + 1, "that there is no row is kept too");
    let note = Note::new(1).insert(&here.orm).await.unwrap();
    read(&here, Some(&note)).await;
}

#[tokio::test]
async fn what_transactions_write_is_seen_at_once() {
    let (here, mut note) = with_copy().await;
    let mut transaction = here.orm.begin().await.unwrap();
    note.revision = 1;
    note.update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    read(&here, Some(&note)).await;
    read(&here, Some(&note)).await;

    let mut transaction = here.orm.pool().begin().await.unwrap();
    note.revision = 2;
    let pending = note.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    read(&here, Some(&note)).await;
    read(&here, Some(&note)).await;

    let mut transaction = here.orm.begin().await.unwrap();
    Note { revision: 3, ..note.clone() }.update(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    read(&here, Some(&note)).await;
}

#[tokio::test]
async fn what_is_taken_out_or_refreshed_is_read_anew() {
    let (here, note) = with_copy().await;
    here.run("UPDATE notes SET revision = 1").await;
    read(&here, Some(&note)).await;
    Note::delete_cached_instance(&here.orm, 1).await.unwrap();
    read(&here, Some(&Note { revision: 1, ..note.clone() })).await;
    here.run("UPDATE notes SET revision = 2").await;
    let mut refreshed = note.clone();
    refreshed.refresh(&here.orm).await.unwrap();
    assert_eq!(refreshed.revision, 2);
    read(&here, Some(&refreshed)).await;
    here.run("UPDATE notes SET revision = 3").await;
    assert!(note.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());
    read(&here, Some(&Note { revision: 3, ..note })).await;
}

#[tokio::test]
async fn a_row_beside_a_fence_is_not_kept() {
    let here = Here::with(&[NOTES]).await;
    let note = Note::new(1).insert(&here.orm).await.unwrap();
    let mut transaction = here.orm.pool().begin().await.unwrap();
    let mut changed = Note { revision: 1, ..note.clone() };
    let pending = changed.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    if Here::DATABASE != crate::databases::Kind::Sqlite {
        for _ in 0..3 {
            read(&here, Some(&note)).await;
        }
    }
    assert_eq!(here.statistics().near_hits, 0);
    transaction.commit().await.unwrap();
    read(&here, Some(&changed)).await;
    assert_eq!(here.statistics().near_hits, 0);
    fenced.release().await;
    read(&here, Some(&changed)).await;
}

#[tokio::test]
async fn get_cached_instance_asks_the_cache() {
    let (here, note) = with_copy().await;
    let before = here.statistics().near_hits;
    assert_eq!(Note::get_cached_instance(&here.orm, 1).await.unwrap(), Some(note));
    assert_eq!(here.statistics().near_hits, before);
}

#[tokio::test]
async fn without_a_capacity_nothing_is_kept() {
    let here = Here::built(&[NOTES], |builder| builder.near_capacity(0)).await;
    let note = Note::new(1).insert(&here.orm).await.unwrap();
    for _ in 0..3 {
        read(&here, Some(&note)).await;
    }
    assert_eq!(here.statistics().near_hits, 0);
}

#[tokio::test]
async fn batches_keep_copies_and_are_answered_by_them() {
    let here = Here::with(&[NOTES]).await;
    let notes = [Note::new(1), Note::new(2)];
    Note::insert_many(&here.orm, &notes).await.unwrap();
    let expected = [Some(notes[1].clone()), None, Some(notes[0].clone())];
    assert_eq!(Note::fetch_many(&here.orm, [2, 9, 1]).await.unwrap(), expected);
    let before = here.statistics();
    assert_eq!(Note::fetch_many(&here.orm, [2, 9, 1]).await.unwrap(), expected);
    read(&here, Some(&notes[0])).await;
    let after = here.statistics();
    assert_eq!((after.near_hits, after.hits), (before.near_hits + 4, before.hits));

    let changed = Note { revision: 1, ..notes[0].clone() };
    changed.clone().update(&here.orm).await.unwrap();
    Note::new(9).insert(&here.orm).await.unwrap();
    let expected = [Some(notes[1].clone()), Some(Note::new(9)), Some(changed)];
    assert_eq!(Note::fetch_many(&here.orm, [2, 9, 1]).await.unwrap(), expected);
}

/// What is known of a row whose revision only grows.
#[derive(Default)]
struct Known {
    revision: AtomicI64,
    over: AtomicBool,
}

async fn write(orm: Orm<super::Database>, known: Arc<Known>) {
    while !known.over.load(Ordering::SeqCst) {
        let mut transaction = orm.begin().await.unwrap();
        // Whoever has updated the row first sees its latest state.
        let mut note = Note::new(1);
        note.revision = -1;
        note.update(&mut transaction).await.unwrap();
        note.revision = known.revision.load(Ordering::SeqCst) + 1;
        note.update(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        known.revision.fetch_max(note.revision, Ordering::SeqCst);
    }
}

async fn read_on(orm: Orm<super::Database>, known: Arc<Known>) -> u64 {
    let mut reads = 0;
    while !known.over.load(Ordering::SeqCst) {
        let least = known.revision.load(Ordering::SeqCst);
        let found = Note::fetch_one(&orm, 1).await.unwrap().revision;
        assert!(found >= least, "{found} was read after {least}");
        // Who has read it has seen it: later reads must not go back.
        known.revision.fetch_max(found, Ordering::SeqCst);
        reads += 1;
        tokio::task::yield_now().await;
    }
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_of_the_writing_handle_never_go_back() {
    let here = Here::with(&[NOTES]).await;
    Note::new(1).insert(&here.orm).await.unwrap();
    let known = Arc::new(Known::default());
    let writers: Vec<_> =
        (0..2).map(|_| tokio::spawn(write(here.orm.clone(), Arc::clone(&known)))).collect();
    let readers: Vec<_> =
        (0..4).map(|_| tokio::spawn(read_on(here.orm.clone(), Arc::clone(&known)))).collect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        sleep(Duration::from_millis(10)).await;
        Note::delete_cached_instance(&here.orm, 1).await.unwrap();
    }
    known.over.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.unwrap();
    }
    let (revisions, near_hits) =
        (known.revision.load(Ordering::SeqCst), here.statistics().near_hits);
    assert!(revisions > 10, "{revisions} writes show nothing");
    assert!(near_hits > 10, "{near_hits} of {reads} reads were answered by a copy");
}
