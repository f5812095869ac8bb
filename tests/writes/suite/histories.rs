//! Random histories: writers with every method, against readers.

use super::{Database, Here};
use crate::documents::{DOCUMENTS, Document, DocumentColumns};
use cached_orm::{Error, MemcachedOrm as _, Orm};
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;

/// Few, so that readers and writers meet.
const KEYS: i64 = 6;
const RUN: Duration = Duration::from_secs(2);

/// The highest version of each row that was acknowledged, or read. Rows are never
/// deleted, and every write counts.
#[derive(Default)]
struct Known {
    versions: [AtomicI32; KEYS as usize],
    stop: AtomicBool,
}

impl Known {
    fn of(&self, id: i64) -> i32 {
        self.versions[id as usize].load(Ordering::SeqCst)
    }

    fn note(&self, row: &Document) {
        self.versions[row.id as usize].fetch_max(row.revision, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

async fn read(orm: Orm<Database>, known: Arc<Known>) -> u64 {
    let mut reads = 0;
    while known.goes_on() {
        let id = rand::random_range(0..KEYS);
        let least = known.of(id);
        let row = Document::fetch_one(&orm, id).await.unwrap();
        assert!(row.revision >= least, "{row:?} was read after {least} was acknowledged");
        // Each version has one title: no row is made of two writes.
        assert_eq!(row.shout, row.title.to_uppercase());
        known.note(&row);
        reads += 1;
    }
    reads
}

/// Whether a write has failed as a write may: by another's version, or a deadlock.
fn is_expected(error: &Error) -> bool {
    matches!(error, Error::Conflict { .. } | Error::Database { .. } | Error::HalfDone { .. })
}

async fn write(orm: Orm<Database>, known: Arc<Known>) -> u64 {
    let mut writes = 0;
    while known.goes_on() {
        let id = rand::random_range(0..KEYS);
        let title = format!("title {}", rand::random::<u32>());
        let written = match rand::random_range(0..7) {
            0 => Document::new(id, &title).upsert(&orm).await.map(|row| vec![row]),
            1 => {
                let patch = Document::patch(id).set(DocumentColumns::TITLE, title);
                patch.execute(&orm).await.map(|row| vec![row])
            }
            2 => {
                let mut row = Document::fetch_one(&orm, id).await.unwrap();
                row.title = title;
                row.update(&orm).await.map(|()| vec![row])
            }
            3 => {
                // In the order of the keys, or the database has deadlocks.
                let mut rows = Vec::new();
                for id in 0..KEYS {
                    rows.push(Document::fetch_one(&orm, id).await.unwrap());
                }
                rows.iter_mut().for_each(|row| row.title.clone_from(&title));
                Document::update_many(&orm, &mut rows).await.map(|()| rows)
            }
            4 => in_transaction(&orm, id, &title).await,
            5 => {
                let mut transaction = orm.begin().await.unwrap();
                let patch = Document::patch(id).set(DocumentColumns::TITLE, "never");
                let patched = patch.execute(&mut transaction).await;
                let _ = transaction.rollback().await;
                patched.map(|_| vec![])
            }
            _ => {
                // Its rows are there, so all of it is undone.
                let rows = [Document::new(100 + id, "never"), Document::new(id, "never")];
                let error = Document::insert_many(&orm, &rows).await.unwrap_err();
                assert!(matches!(error, Error::Database { .. }), "{error}");
                Ok(vec![])
            }
        };
        match written {
            Ok(rows) => rows.iter().for_each(|row| known.note(row)),
            Err(error) => assert!(is_expected(&error), "{error}"),
        }
        writes += 1;
    }
    writes
}

async fn in_transaction(
    orm: &Orm<Database>,
    id: i64,
    title: &str,
) -> cached_orm::Result<Vec<Document>> {
    let mut transaction = orm.begin().await?;
    let row = Document::new(id, title).upsert(&mut transaction).await?;
    let mut savepoint = transaction.savepoint().await?;
    let patch = Document::patch(id).set(DocumentColumns::TITLE, "undone");
    patch.execute(&mut savepoint).await?;
    savepoint.rollback().await?;
    let mut rows = [row];
    rows[0].title.push('!');
    Document::update_many(&mut transaction, &mut rows).await?;
    transaction.commit().await?;
    Ok(rows.to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stale_is_read_whatever_the_writers_do() {
    let here = Here::with(&[DOCUMENTS]).await;
    run(&here, [here.orm.clone(), here.orm.clone()]).await;
}

pub(super) async fn run(here: &Here, orms: [Orm<Database>; 2]) {
    let rows: Vec<_> = (0..KEYS).map(|id| Document::new(id, "first")).collect();
    Document::insert_many(&here.orm, &rows).await.unwrap();
    let known = Arc::new(Known::default());
    let of = |n: usize| (orms[n % 2].clone(), Arc::clone(&known));
    let spawn_reader = |n| {
        let (orm, known) = of(n);
        tokio::spawn(read(orm, known))
    };
    let spawn_writer = |n| {
        let (orm, known) = of(n);
        tokio::spawn(write(orm, known))
    };
    let readers: Vec<_> = (0..3).map(spawn_reader).collect();
    let writers: Vec<_> = (0..3).map(spawn_writer).collect();
    sleep(RUN).await;
    known.stop.store(true, Ordering::SeqCst);
    let reads: u64 = join_all(readers).await.into_iter().map(Result::unwrap).sum();
    let writes: u64 = join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert!(reads > 50 && writes > 10, "{reads} reads, {writes} writes");
    for id in 0..KEYS {
        let cached = Document::fetch(&here.orm, id).await.unwrap();
        assert_eq!(Document::fetch_uncached(&here.orm, id).await.unwrap(), cached);
        assert_ne!(cached.unwrap().title, "never");
        assert_eq!(Document::fetch(&here.orm, 100 + id).await.unwrap(), None);
    }
}
