//! Random writes beside reads by value: every answer was true at some moment of
//! the read.
//!
//! Each writer has two rows to itself, and an address that one of them has, or
//! none; all writers' rows live in the same few cities. What a writer does is a
//! sequence of states, of which a reader may see those from the last that was
//! acknowledged when it began to the last that was begun when it ended.

use super::{Database, Here};
use crate::members::{MEMBERS, Member};
use cached_orm::{MemcachedOrm as _, Orm};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

const WRITERS: usize = 3;
const CITIES: [&str; 2] = ["Rome", "Oslo"];
const RUN: Duration = Duration::from_secs(2);

/// A writer's two rows.
type State = [Option<Member>; 2];

#[derive(Default)]
struct Sequence {
    states: Mutex<Vec<State>>,
    acknowledged: AtomicUsize,
}

impl Sequence {
    fn begin(&self, state: State) {
        self.states.lock().unwrap().push(state);
    }

    fn acknowledge(&self) {
        self.acknowledged.store(self.states.lock().unwrap().len() - 1, Ordering::SeqCst);
    }

    fn last(&self) -> State {
        self.states.lock().unwrap().last().unwrap().clone()
    }

    fn least(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Whether a state that could be seen since `least` is like that.
    fn some_is(&self, least: usize, like: impl Fn(&State) -> bool) -> bool {
        self.states.lock().unwrap()[least..].iter().any(like)
    }
}

#[derive(Default)]
struct World {
    sequences: [Sequence; WRITERS],
    stop: AtomicBool,
    reads: AtomicU64,
    writes: AtomicU64,
}

impl World {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

fn address(writer: usize) -> String {
    format!("{writer}@example.org")
}

fn handle(writer: usize, row: usize) -> String {
    format!("{writer}-{row}")
}

/// Another state of a row: `None` if it is not there.
fn next(writer: usize, row: usize, step: usize, has_address: bool) -> Option<Member> {
    (rand::random_range(0..4) > 0).then(|| Member {
        email: has_address.then(|| address(writer)),
        city: CITIES.get(rand::random_range(0..3)).map(|city| (*city).to_owned()),
        note: step.to_string(),
        ..Member::named(&handle(writer, row))
    })
}

/// Both rows in one transaction, in the order in which an address can move.
async fn write_both(orm: &Orm<Database>, sequence: &Sequence, writer: usize) -> bool {
    let now = sequence.last();
    let step = sequence.states.lock().unwrap().len();
    let owner = rand::random_range(0..3);
    let mut then = [0, 1].map(|row| next(writer, row, step, row == owner));
    let mut transaction = orm.begin().await.unwrap();
    // Who loses the address comes first.
    let order = if owner == 0 { [1, 0] } else { [0, 1] };
    for row in order {
        let written = match (&now[row], &mut then[row]) {
            (None, None) => Ok(()),
            (Some(old), None) => old.delete(&mut transaction).await.map(drop),
            (None, Some(new)) => new.insert(&mut transaction).await.map(|written| *new = written),
            (Some(old), Some(new)) => {
                new.id = old.id;
                new.update(&mut transaction).await
            }
        };
        // On MariaDB they may wait for each other's gaps.
        if written.is_err() {
            transaction.rollback().await.unwrap();
            return false;
        }
    }
    if rand::random_range(0..5) == 0 {
        transaction.rollback().await.unwrap();
        return false;
    }
    sequence.begin(then);
    if transaction.commit().await.is_err() {
        sequence.begin(now);
    }
    sequence.acknowledge();
    true
}

/// One row in a transaction of its own.
async fn write_one(orm: &Orm<Database>, sequence: &Sequence, writer: usize) -> bool {
    let now = sequence.last();
    let row = rand::random_range(0..2);
    let Some(old) = &now[row] else { return false };
    let step = sequence.states.lock().unwrap().len();
    let is_free = now[1 - row].as_ref().is_none_or(|other| other.email.is_none());
    let new = next(writer, row, step, is_free && rand::random());
    let new = new.map(|new| Member { id: old.id, ..new });
    let mut then = now.clone();
    then[row] = new.clone();
    sequence.begin(then);
    let written = match new {
        Some(mut new) => new.update(orm).await,
        None => old.delete(orm).await.map(drop),
    };
    if written.is_err() {
        sequence.begin(now);
    }
    sequence.acknowledge();
    written.is_ok()
}

async fn write(orm: Orm<Database>, world: Arc<World>, writer: usize) {
    let sequence = &world.sequences[writer];
    while world.goes_on() {
        let written = match rand::random_range(0..3) {
            0 => write_both(&orm, sequence, writer).await,
            _ => write_one(&orm, sequence, writer).await,
        };
        if written {
            world.writes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn read_by_address(orm: &Orm<Database>, world: &World, writer: usize) {
    let sequence = &world.sequences[writer];
    let least = sequence.least();
    let found = Member::fetch_by_email(orm, address(writer)).await.unwrap();
    let address = Some(address(writer));
    let owner = |state: &State| state.iter().flatten().find(|row| row.email == address).cloned();
    assert!(
        sequence.some_is(least, |state| owner(state) == found),
        "{found:?} never had {address:?} since step {least}"
    );
}

async fn read_by_handle(orm: &Orm<Database>, world: &World, writer: usize, row: usize) {
    let sequence = &world.sequences[writer];
    let least = sequence.least();
    let found = Member::fetch_by_team_and_handle(orm, 1, handle(writer, row)).await.unwrap();
    assert!(
        sequence.some_is(least, |state| state[row] == found),
        "{found:?} was not row {row} of {writer} since step {least}"
    );
}

async fn read_by_city(orm: &Orm<Database>, world: &World, city: &str, with_team: bool) {
    let least = world.sequences.each_ref().map(Sequence::least);
    let found = if with_team {
        Member::fetch_by_team_and_city(orm, 1, city).await.unwrap()
    } else {
        Member::fetch_by_city(orm, city).await.unwrap()
    };
    for (writer, least) in least.into_iter().enumerate() {
        for row in 0..2 {
            let listed: Vec<_> =
                found.iter().filter(|member| member.handle == handle(writer, row)).collect();
            let is_here = |row: &&Member| row.city.as_deref() == Some(city);
            let like = |state: &State| {
                state[row].as_ref().filter(is_here).into_iter().collect::<Vec<_>>() == listed
            };
            assert!(
                world.sequences[writer].some_is(least, like),
                "{listed:?} was not what {city} had of row {row} of {writer} since step {least}"
            );
        }
    }
}

async fn read(orm: Orm<Database>, world: Arc<World>) {
    while world.goes_on() {
        let writer = rand::random_range(0..WRITERS);
        match rand::random_range(0..4) {
            0 => read_by_address(&orm, &world, writer).await,
            1 => read_by_handle(&orm, &world, writer, rand::random_range(0..2)).await,
            _ => {
                let city = CITIES[rand::random_range(0..CITIES.len())];
                read_by_city(&orm, &world, city, rand::random()).await;
            }
        }
        world.reads.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads on some handles, writes on others.
pub(super) async fn run(here: &Here, others: &[Orm<Database>]) {
    let world = Arc::new(World::default());
    for sequence in &world.sequences {
        sequence.begin([None, None]);
    }
    let mut tasks = Vec::new();
    for (number, orm) in others.iter().cycle().take(WRITERS.max(others.len())).enumerate() {
        if number < WRITERS {
            tasks.push(tokio::spawn(write(orm.clone(), Arc::clone(&world), number)));
        }
        tasks.push(tokio::spawn(read(orm.clone(), Arc::clone(&world))));
        tasks.push(tokio::spawn(read(orm.clone(), Arc::clone(&world))));
    }
    tokio::time::sleep(RUN).await;
    world.stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    // At rest there is one answer, and it is the database's.
    for orm in others {
        for _ in 0..2 {
            for writer in 0..WRITERS {
                read_by_address(orm, &world, writer).await;
            }
            for city in CITIES {
                read_by_city(orm, &world, city, false).await;
                read_by_city(orm, &world, city, true).await;
            }
        }
    }
    let (reads, writes) =
        (world.reads.load(Ordering::Relaxed), world.writes.load(Ordering::Relaxed));
    assert!(reads > 50 && writes > 10, "{reads} reads and {writes} writes show nothing");
    let hits: u64 = others.iter().map(|orm| orm.statistics().hits).sum();
    assert!(hits > 0, "{:?}", here.statistics());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_was_true_at_some_moment_of_the_read() {
    let here = Here::with(&[MEMBERS]).await;
    run(&here, std::slice::from_ref(&here.orm)).await;
}
