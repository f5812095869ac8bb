//! Rows near their end, and readers of two processes; how lives are spread.

use super::Here;
use crate::{
    polling::until,
    rows::notes::{HOT_AFTER, HotNote, JitteryNote, NOTES},
};
use cached_orm::MemcachedOrm as _;
use futures_util::future::join_all;
use std::{
    collections::HashSet,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_reader_of_two_processes_loads_the_row() {
    let here = Here::with(&[NOTES]).await;
    let other = here.other_handle().await;
    here.run("INSERT INTO notes VALUES (1, 'first', 0)").await;
    HotNote::fetch_one(&here.orm, 1).await.unwrap();
    HotNote::fetch_one(&other, 1).await.unwrap();
    here.run("UPDATE notes SET revision = 1").await;
    let before = here.statistics().loads + other.statistics().loads;
    sleep(HOT_AFTER).await;
    let readers = (0..64).map(|reader| {
        let orm = if reader % 2 == 0 { here.orm.clone() } else { other.clone() };
        tokio::spawn(async move {
            for _ in 0..10 {
                HotNote::fetch_one(&orm, 1).await.unwrap();
            }
        })
    });
    join_all(readers).await.into_iter().for_each(Result::unwrap);
    for orm in [&here.orm, &other] {
        until("the row is loaded anew", async || {
            HotNote::fetch_one(orm, 1).await.unwrap().revision == 1
        })
        .await;
    }
    let after = here.statistics().loads + other.statistics().loads;
    assert_eq!(after - before, 1);
}

/// How many seconds each of these items is going to live.
fn lives(keys: &[String]) -> Vec<u64> {
    let mut stream = TcpStream::connect(crate::memcached::shared_address()).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    keys.iter()
        .map(|key| {
            write!(stream, "mg {key} t\r\n").unwrap();
            let answer = lines.next().unwrap().unwrap();
            answer.strip_prefix("HD t").expect("it is there").parse().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn the_lives_of_rows_are_spread_as_the_jitter_says() {
    let here = Here::with(&[NOTES]).await;
    let notes: Vec<_> =
        (0..200).map(|id| JitteryNote { id, text: "a".into(), revision: 0 }).collect();
    JitteryNote::insert_many(&here.orm, &notes).await.unwrap();
    // Those written through and those filled.
    let some: Vec<_> = (0..100).collect();
    JitteryNote::invalidate(&here.orm, some.clone()).await.unwrap();
    JitteryNote::fetch_many(&here.orm, some).await.unwrap();
    let keys: Vec<_> =
        notes.iter().map(|note| note.get_cache_key(&here.orm).to_string()).collect();
    for half in [&keys[..100], &keys[100..]] {
        let lives = lives(half);
        // It takes the test some seconds.
        assert!(lives.iter().all(|life| (40..=101).contains(life)), "{lives:?}");
        let mean = lives.iter().sum::<u64>() as f64 / lives.len() as f64;
        assert!((60.0..85.0).contains(&mean), "{mean}");
        let different = lives.iter().collect::<HashSet<_>>().len();
        assert!(different > 20, "{different} different lives");
    }
}
