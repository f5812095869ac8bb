//! A list of servers that is changed in three roll-outs, with old and new
//! programs side by side.

use super::{Database, Here};
use crate::{
    memcached::{OwnServer, Wire},
    polling::until,
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Orm, OrmBuilder};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

const HOLD_OFF: Duration = Duration::from_millis(500);
const COMMIT_WINDOW: Duration = Duration::from_millis(400);
const SIDE_BY_SIDE: Duration = Duration::from_millis(400);

fn page(id: i64, number: u64) -> Page {
    Page { id, body: number.to_string() }
}

async fn number(orm: &Orm<Database>, id: i64) -> u64 {
    Page::fetch_one(orm, id).await.unwrap().body.parse().unwrap()
}

/// Two servers, of which a third takes over some keys.
struct Change {
    here: Here,
    servers: [OwnServer; 3],
    /// Rows whose keys go to the third.
    moved: Vec<i64>,
    /// A row whose key stays.
    stays: i64,
}

impl Change {
    async fn begun() -> Self {
        let servers =
            [OwnServer::started().await, OwnServer::started().await, OwnServer::started().await];
        let [one, two, three] = servers.each_ref().map(OwnServer::address);
        let here = Here::built(&[PAGES], |builder| quick(builder).memcached([one, two])).await;
        let mut change = Self { here, servers, moved: Vec::new(), stays: 0 };
        let new = change.handle(&[0, 1, 2], &[]).await;
        // Keys and addresses are others in each run, and each key is on the third
        // by chance.
        for id in 1.. {
            if change.stays != 0 && change.moved.len() >= 3 {
                break;
            }
            assert!(id < 200, "of 200 keys, {:?} are on the third server", change.moved);
            page(id, 0).insert(&change.here.orm).await.unwrap();
            until("the new servers are filled", async || {
                number(&new, id).await;
                Page::get_cached_instance(&new, id).await.unwrap().is_some()
            })
            .await;
            let key = page(id, 0).get_cache_key(&new);
            // The insert has left the row on the old list's server.
            if Wire::to(&three).get(key.as_str()).is_some() {
                change.moved.push(id);
            } else {
                change.stays = id;
            }
            // As if nobody had read by the new list yet.
            Page::delete_cached_instance(&new, id).await.unwrap();
        }
        change
    }

    async fn handle(&self, reads: &[usize], also: &[usize]) -> Orm<Database> {
        let addresses =
            |list: &[usize]| list.iter().map(|&at| self.servers[at].address()).collect::<Vec<_>>();
        self.here
            .handle(|builder| {
                quick(builder).memcached(addresses(reads)).also_fence(addresses(also))
            })
            .await
    }

    fn commands(&self) -> u64 {
        let names = ["cmd_get", "cmd_set", "delete_hits", "delete_misses"];
        let of = |server: &OwnServer| -> u64 {
            let mut wire = Wire::to(&server.address());
            names.iter().map(|name| wire.stat(name)).sum()
        };
        self.servers.iter().map(of).sum()
    }

    /// Reads and writes on both handles at once; returns how many reads gave
    /// less than what had been acknowledged when they began.
    async fn stale_reads(&self, handles: [&Orm<Database>; 2]) -> u64 {
        let stale = Arc::new(AtomicU64::new(0));
        let until = Instant::now() + SIDE_BY_SIDE;
        let mut tasks = Vec::new();
        for &id in self.moved.iter().chain([&self.stays]) {
            let acknowledged = Arc::new(AtomicU64::new(number(handles[0], id).await));
            for orm in handles {
                let (orm, stale, acknowledged) =
                    (orm.clone(), Arc::clone(&stale), Arc::clone(&acknowledged));
                tasks.push(tokio::spawn(async move {
                    while Instant::now() < until {
                        let least = acknowledged.load(Ordering::SeqCst);
                        let read = number(&orm, id).await;
                        stale.fetch_add(u64::from(read < least), Ordering::SeqCst);
                    }
                }));
            }
            let handles = handles.map(Orm::clone);
            tasks.push(tokio::spawn(async move {
                while Instant::now() < until {
                    for orm in &handles {
                        let next = acknowledged.load(Ordering::SeqCst) + 1;
                        page(id, next).update(orm).await.unwrap();
                        acknowledged.store(next, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        stale.load(Ordering::SeqCst)
    }
}

fn quick(builder: OrmBuilder<Database>) -> OrmBuilder<Database> {
    builder.hold_off(HOLD_OFF).commit_window(COMMIT_WINDOW).drainer(false)
}

#[tokio::test]
async fn three_roll_outs_show_no_stale_row() {
    let change = Change::begun().await;
    let (old, new): (&[usize], &[usize]) = (&[0, 1], &[0, 1, 2]);
    let stages = [
        change.handle(old, &[]).await,
        change.handle(old, new).await,
        change.handle(new, old).await,
        change.handle(new, &[]).await,
    ];
    for pair in stages.windows(2) {
        let [before, after] = pair else { unreachable!("windows of two") };
        assert_eq!(change.stale_reads([before, after]).await, 0);
    }
    for stage in &stages[1..3] {
        assert!(stage.statistics().hits > 0, "it has read from the cache");
    }
}

/// What the roll-outs are for; and the test above would see it.
#[tokio::test]
async fn one_roll_out_shows_stale_rows() {
    let change = Change::begun().await;
    let old = change.handle(&[0, 1], &[]).await;
    let new = change.handle(&[0, 1, 2], &[]).await;
    let reads = async |id: i64| {
        until("the new servers are filled", async || {
            number(&new, id).await;
            Page::get_cached_instance(&new, id).await.unwrap().is_some()
        })
        .await;
        page(id, 1).update(&old).await.unwrap();
        number(&new, id).await
    };
    assert_eq!(reads(change.moved[0]).await, 0, "the write is not seen");
    assert_eq!(reads(change.stays).await, 1);
}

#[tokio::test]
async fn only_a_key_that_moves_costs_more_commands() {
    let change = Change::begun().await;
    let alone = change.handle(&[0, 1], &[]).await;
    let both = change.handle(&[0, 1], &[0, 1, 2]).await;
    // A server that has not lived for three seconds is asked anew who it is, and
    // tokens from before that are not used any more.
    for server in &change.servers {
        crate::memcached::wait_for_age(&server.address(), Duration::ZERO).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let cost = async |orm: &Orm<Database>, id: i64| {
        // The first may have to dial, or to learn who the server is.
        page(id, 1).update(orm).await.unwrap();
        let before = change.commands();
        page(id, 2).update(orm).await.unwrap();
        change.commands() - before
    };
    assert_eq!(cost(&alone, change.stays).await, 2, "a fence, and the row in its place");
    assert_eq!(cost(&both, change.stays).await, 2);
    assert_eq!(cost(&alone, change.moved[0]).await, 2);
    // On the other server: a fence, a look whether it is there still, a delete.
    assert_eq!(cost(&both, change.moved[0]).await, 5);
}
