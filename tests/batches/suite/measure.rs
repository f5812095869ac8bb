//! What a cached row of a batch costs: `cargo test --release --test batches --
//! --ignored --nocapture measure`.

use super::Here;
use crate::tables::people::{PEOPLE, Person};
use cached_orm::MemcachedOrm as _;
use std::{fs, time::Instant};

const ROWS: usize = 100;
const ROUNDS: u32 = 5_000;

/// Nanoseconds that the threads of this process have run.
fn cpu() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux");
    let times = tasks.filter_map(|task| {
        let path = task.ok()?.path().join("schedstat");
        fs::read_to_string(path).ok()?.split(' ').next()?.parse::<u64>().ok()
    });
    times.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "measures; to be run in a release build on a quiet machine"]
async fn a_cached_row_of_a_batch() {
    let here = Here::with(&[PEOPLE]).await;
    let mut ids = Vec::new();
    for n in 0..ROWS {
        ids.push(Person::named(&format!("n{n}")).insert(&here.orm).await.unwrap().id);
    }
    let orm = here.orm.clone();
    tokio::spawn(async move {
        let mut figures = Vec::new();
        for _ in 0..7 {
            let (began, before) = (Instant::now(), cpu());
            for _ in 0..ROUNDS {
                let rows = Person::fetch_many(&orm, ids.iter().copied()).await.unwrap();
                assert!(rows.len() == ROWS && rows.iter().all(Option::is_some));
            }
            let keys = f64::from(ROUNDS) * ROWS as f64;
            figures.push((
                (cpu() - before) as f64 / keys,
                began.elapsed().as_nanos() as f64 / f64::from(ROUNDS),
            ));
        }
        figures.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (cpu, batch) = figures[3];
        println!("{cpu:.0} ns of CPU a key, {:.0} µs a batch of {ROWS}", batch / 1000.0);
    })
    .await
    .unwrap();
}
