//! Audits while others write: what a writer is about to correct is never taken for
//! unexplained.

use super::{Database, Here};
use crate::{
    databases::TestDatabase as _,
    rows::{PARTS, Part},
};
use cached_orm::{Audit, AuditOptions, MemcachedOrm as _, Orm};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

const ROWS: i64 = 8;
const TIME: Duration = Duration::from_secs(2);

/// Audits again and again while `tasks` run, which end when they are told to.
async fn audited(orm: &Orm<Database>, stop: &AtomicBool, tasks: JoinSet<()>) -> Audit {
    let mut whole = Audit::default();
    let end = Instant::now() + TIME;
    let mut round = 0;
    while Instant::now() < end {
        // From nothing to a little longer than a write takes.
        round += 1;
        let settle = Duration::from_micros(700 * round % 8_000);
        let options = AuditOptions::default().settle(settle);
        let audit = orm.audit::<Part>(1..=ROWS, options, |_| {}).await.unwrap();
        assert_eq!(audit.unexplained, 0, "{audit}");
        whole.agreed += audit.agreed;
        whole.overtaken += audit.overtaken;
        whole.pending += audit.pending;
    }
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    whole
}

fn readers(orm: &Orm<Database>, stop: &Arc<AtomicBool>, tasks: &mut JoinSet<()>) {
    for _ in 0..2 {
        let (orm, stop) = (orm.clone(), Arc::clone(stop));
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                Part::fetch_many(&orm, 1..=ROWS).await.unwrap();
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_is_never_taken_for_something_unexplained() {
    let here = Here::with(&[PARTS]).await;
    let parts: Vec<_> = (1..=ROWS).map(Part::new).collect();
    Part::insert_many(&here.orm, &parts).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    readers(&here.orm, &stop, &mut tasks);
    for first in 0..2 {
        let (orm, stop, written) = (here.orm.clone(), Arc::clone(&stop), Arc::clone(&written));
        tasks.spawn(async move {
            let mut stock = 0;
            while !stop.load(Ordering::Relaxed) {
                stock += 1;
                // Each its own rows: on SQLite others wait for a lock, not for a row.
                let id = 1 + (2 * stock + first) % ROWS;
                Part { stock, ..Part::new(id) }.update(&orm).await.unwrap();
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let audit = audited(&here.orm, &stop, tasks).await;
    assert!(written.load(Ordering::Relaxed) > 0 && audit.compared() > 0, "{audit}");
    assert_eq!(audit.pending, 0, "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_drained_is_never_taken_for_something_unexplained() {
    let poll = Duration::from_millis(3);
    let here = Here::built(&[PARTS], |builder| builder.outbox_poll(poll)).await;
    let parts: Vec<_> = (1..=ROWS).map(Part::new).collect();
    Part::insert_many(&here.orm, &parts).await.unwrap();
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Part>().await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    readers(&here.orm, &stop, &mut tasks);
    let (pool, stopped) = (here.other_pool().await, Arc::clone(&stop));
    tasks.spawn(async move {
        let mut stock = 0;
        while !stopped.load(Ordering::Relaxed) {
            stock += 1;
            let id = 1 + stock % ROWS;
            let sql = format!("UPDATE parts SET stock = {stock} WHERE id = {id}");
            Database::run(&pool, &sql).await.unwrap();
        }
    });
    let audit = audited(&here.orm, &stop, tasks).await;
    assert!(audit.compared() > 0, "{audit}");
}
