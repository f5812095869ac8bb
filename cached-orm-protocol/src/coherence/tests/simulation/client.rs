use super::{
    config::{Mutation, Policy},
    database::{Change, Database},
    history::Row,
    process::{Process, entry},
    scheduler::{By, CLIENT, Scheduler},
    transaction::Transaction,
};
use crate::{
    coherence::{CommitFailure, Journal},
    key::CacheKey,
};
use futures_util::future::{Either, select};
use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::sleep;

/// Reads and writes, one after the other, until `left` is used up.
pub(super) async fn run(process: Arc<Process>, left: Arc<AtomicUsize>) {
    let scheduler = Arc::clone(&process.database.scheduler);
    scheduler.turn(process.by).await;
    while left.load(SeqCst) > 0 {
        left.fetch_sub(1, SeqCst);
        let operation = operate(&process);
        if scheduler.fault(process.database.faults.cancelled) {
            let patience = scheduler.below(8);
            let going_away = turns(&scheduler, process.by, patience);
            if let Either::Right(_) = select(pin!(operation), pin!(going_away)).await {
                scheduler.note("cancelled", process.by, String::new);
            }
        } else {
            operation.await;
        }
        match scheduler.below(30) {
            0 => sleep(scheduler.millis(1, 5_000)).await,
            1..5 => sleep(scheduler.millis(1, 60)).await,
            _ => {}
        }
    }
}

async fn turns(scheduler: &Scheduler, by: By, count: usize) {
    for _ in 0..count {
        scheduler.turn(by).await;
    }
}

async fn operate(process: &Process) {
    let scheduler = &process.database.scheduler;
    let key = scheduler.below(process.keys.len());
    let row = if Some(key) == process.keys.list() { 0 } else { key };
    match scheduler.below(20) {
        0..9 => read(process, key).await,
        9 => refresh(process, key).await,
        10..12 => peek(process, key).await,
        12 => {
            let invalidated = process.coherence.invalidate(process.keys.get(key)).await;
            scheduler.note("invalidated", process.by, || format!("{key}: {invalidated:?}"));
        }
        13 if process.policy != Policy::Abort => others_sql(process, row).await,
        _ => write(process, row).await,
    }
}

/// The rows that lie under a key, from the cache or the database.
async fn read_rows(process: &Process, key: usize) -> Option<Vec<Row>> {
    let coherence = &process.coherence;
    if Some(key) == process.keys.list() {
        return coherence.read(process.list(key)).await.ok()?;
    }
    coherence.read(process.row(key)).await.ok().map(|row| vec![row])
}

pub(super) async fn read(process: &Process, key: usize) {
    let database = &process.database;
    let reading = database.history.begin_read(key);
    database.scheduler.note("read begins", process.by, || key.to_string());
    if let Some(rows) = read_rows(process, key).await {
        database.scheduler.note("read", process.by, || format!("{key}: {rows:?}"));
        database.history.end_read(reading, &rows, "a read");
    }
}

async fn refresh(process: &Process, key: usize) {
    let Process { database, coherence, .. } = process;
    let reading = database.history.begin_read(key);
    database.scheduler.note("refresh begins", process.by, || key.to_string());
    let refreshed = if Some(key) == process.keys.list() {
        coherence.refresh(process.list(key)).await
    } else {
        coherence.refresh(process.row(key)).await.map(|(row, stored)| (Some(vec![row]), stored))
    };
    if let Ok((Some(rows), stored)) = refreshed {
        database.scheduler.note("refresh", process.by, || format!("{key}: {rows:?}, {stored}"));
        database.history.end_read(reading, &rows, "a refresh");
    }
}

/// What the cache has. "Nothing" says nothing.
async fn peek_rows(process: &Process, key: usize) -> Option<Vec<Row>> {
    let coherence = &process.coherence;
    if Some(key) == process.keys.list() {
        return coherence.peek(&process.list(key)).await.ok()?;
    }
    coherence.peek(&process.row(key)).await.ok()?.map(|row| vec![Some(row)])
}

async fn peek(process: &Process, key: usize) {
    let database = &process.database;
    let reading = database.history.begin_read(key);
    if let Some(rows) = peek_rows(process, key).await {
        database.scheduler.note("peek", process.by, || format!("{key}: {rows:?}"));
        database.history.end_read(reading, &rows, "a peek");
    }
}

/// A write of another program's, that triggers put into the outbox.
async fn others_sql(process: &Process, key: usize) {
    let Process { database, by, policy, keys, .. } = process;
    let mut transaction = Transaction::begin(database, *by, *policy, keys).await;
    if transaction.change(key, some_change(&database.scheduler)).await.is_some() {
        transaction.enlist_now(&[key]);
        transaction.enlist_now(keys.list().as_slice());
        let id = transaction.id;
        if transaction.commit_raw().await {
            acknowledge(database, id, *by);
        }
    }
}

fn some_change(scheduler: &Scheduler) -> Change {
    match scheduler.below(8) {
        0 => Change::Delete,
        1..3 => Change::Insert,
        _ => Change::Update,
    }
}

async fn write(process: &Process, first: usize) {
    let Process { database, by, policy, keys, coherence, .. } = process;
    let scheduler = &database.scheduler;
    let mut transaction = Transaction::begin(database, *by, *policy, keys).await;
    let writes_through = scheduler.once_in(2);
    let mut journal = Journal::default();
    // In ascending order, so that there are no deadlocks.
    let last = if scheduler.once_in(3) { keys.rows() } else { first + 1 };
    for key in first..last {
        let change = some_change(scheduler);
        let Some(row) = transaction.change(key, change).await else { continue };
        journal.touch(keys.get(key).clone());
        if row.is_some() && writes_through {
            journal.store(&HashMap::from([(keys.get(key).clone(), entry(&[row]))]));
        }
        if let Some(list) = keys.list() {
            touch_list(database, &mut journal, keys.get(list), change);
        }
    }
    if scheduler.once_in(12) {
        // Drops it, as `Transaction::rollback` may.
        return;
    }
    let id = transaction.id;
    let committing = {
        let (coherence, database) = (Arc::clone(coherence), Arc::clone(database));
        async move {
            let outcome = coherence.commit(transaction, journal).await;
            // Also if the caller has gone away.
            if let Ok(1..) = outcome {
                database.doubt(id);
            }
            outcome
        }
    };
    let committing = match CLIENT.try_with(|client| *client) {
        Ok(client) => tokio::spawn(CLIENT.scope(client, committing)),
        Err(_) => tokio::spawn(committing),
    };
    let outcome = committing.await.expect("no panic");
    scheduler.note("commit", *by, || format!("{id}: {outcome:?}"));
    match outcome {
        Ok(_) => acknowledge(database, id, *by),
        Err(CommitFailure::NotFenced(_) | CommitFailure::RolledBack(_)) => {
            if database.versions(id).is_some() || !database.is_over(id) {
                database.history.fail(format!("{id} was said to be rolled back, and is not"));
            }
        }
        Err(CommitFailure::Unknown(_)) => {}
    }
}

fn touch_list(database: &Database, journal: &mut Journal, list: &CacheKey, change: Change) {
    match (database.mutation, change) {
        (Some(Mutation::ListsAreFencedAsRows), _) => journal.touch(list.clone()),
        (Some(Mutation::ListsAreFencedOnInsert), Change::Update | Change::Delete) => {}
        _ => journal.touch_shared(list.clone()),
    }
}

fn acknowledge(database: &Database, id: u64, by: By) {
    match database.versions(id) {
        Some(versions) => {
            database.scheduler.note("acknowledged", by, || format!("{id}: {versions:?}"));
            for (key, version) in versions {
                database.history.acknowledged(key, version);
            }
        }
        None => database.history.fail(format!("{id} was said to be committed, and is not")),
    }
}

/// Whether the key is read from the cache again, some time after the faults.
pub(super) async fn is_cached_again(process: &Process, key: usize) -> bool {
    for _ in 0..20 {
        let Some(rows) = read_rows(process, key).await else { continue };
        if rows == [None] || peek_rows(process, key).await.is_some_and(|peeked| peeked == rows) {
            return true;
        }
        sleep(Duration::from_millis(100)).await;
    }
    false
}
