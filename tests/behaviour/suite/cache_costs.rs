//! What a write costs in commands to memcached.

use super::{Database, Here};
use crate::{
    memcached::{OwnServer, Wire, wait_for_age},
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Orm, Outbox};
use std::time::Duration;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

/// `mg`, `ms` and `md` that a server has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Commands {
    gets: u64,
    sets: u64,
    deletes: u64,
}

impl Commands {
    fn of(server: &OwnServer) -> Self {
        let mut wire = Wire::to(&server.address());
        let mut stat = |name| wire.stat(name);
        Self {
            gets: stat("cmd_get"),
            sets: stat("cmd_set"),
            deletes: stat("delete_hits") + stat("delete_misses"),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            gets: self.gets - before.gets,
            sets: self.sets - before.sets,
            deletes: self.deletes - before.deletes,
        }
    }
}

async fn writes(server: &OwnServer, orm: &Orm<Database>, what: &str) {
    let cost = async |write: &str, commands: (u64, u64, u64), done: &dyn Fn() -> Commands| {
        let Commands { gets, sets, deletes } = done();
        println!("{} {what}: {write}: mg {gets}, ms {sets}, md {deletes}", <Database as sqlx::Database>::NAME);
        assert_eq!((gets, sets, deletes), commands, "{what}: {write}");
    };
    // The first of all may dial, and ask the catalog.
    page(0, "a").insert(orm).await.unwrap();
    let since = |before: Commands| move || Commands::of(server).since(before);

    let before = Commands::of(server);
    page(1, "a").insert(orm).await.unwrap();
    cost("insert", (0, 2, 0), &since(before)).await;
    let before = Commands::of(server);
    page(1, "b").update(orm).await.unwrap();
    cost("update", (0, 2, 0), &since(before)).await;
    let before = Commands::of(server);
    let mut transaction = orm.begin().await.unwrap();
    for id in 2..=4 {
        page(id, "a").insert(&mut transaction).await.unwrap();
    }
    page(2, "b").update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    cost("transaction over 3 keys", (0, 3, 3), &since(before)).await;
    let before = Commands::of(server);
    let mut transaction = orm.begin().await.unwrap();
    page(2, "c").update(&mut transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    cost("rollback", (0, 0, 0), &since(before)).await;
    let before = Commands::of(server);
    Page::fetch_one(orm, 1).await.unwrap();
    cost("hit", (1, 0, 0), &since(before)).await;
    for id in 0..=4 {
        let before = Commands::of(server);
        assert!(page(id, "").delete(orm).await.unwrap());
        cost("delete", (0, 1, 1), &since(before)).await;
    }
    assert!(!page(9, "").delete(orm).await.unwrap());
}

/// One command before COMMIT and one after it, for each key.
#[tokio::test]
async fn a_write_costs_two_round_trips_to_memcached() {
    let server = OwnServer::started().await;
    // Younger it is asked anew who it is, and what it said before is forgotten.
    wait_for_age(&server.address(), Duration::from_millis(1)).await;
    let here = Here::built(&[PAGES], |builder| {
        builder.memcached([server.address()]).drainer(false)
    })
    .await;
    crate::polling::until("it is filled", async || {
        Page::fetch(&here.orm, 7).await.unwrap();
        here.statistics().fills > 0
    })
    .await;
    writes(&server, &here.orm, "without an outbox").await;
    here.orm.install_outbox().await.unwrap();
    writes(&server, &here.orm, "with the outbox").await;
    let always = here
        .handle(|builder| {
            builder.memcached([server.address()]).drainer(false).outbox(Outbox::Always)
        })
        .await;
    Page::fetch(&always, 7).await.unwrap();
    writes(&server, &always, "with the outbox for every write").await;
}
