//! Indexes while the cache is away.

use super::Here;
use crate::{
    memcached::OwnServer,
    members::{MEMBERS, Member},
};
use cached_orm::{Error, MemcachedOrm as _};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_millis(200);

async fn before(server: &OwnServer) -> Here {
    Here::built(&[MEMBERS], |builder| {
        builder
            .memcached([server.address()])
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .drainer(false)
    })
    .await
}

#[tokio::test]
async fn without_a_cache_the_database_answers_and_writes_are_refused() {
    let here = before(&OwnServer::absent()).await;
    here.run("INSERT INTO members (team, handle, email, city, note) VALUES (1, 'ann', 'a@a', 'Rome', '')")
        .await;
    for _ in 0..2 {
        let ann = Member::fetch_by_email(&here.orm, "a@a").await.unwrap().unwrap();
        assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), [ann]);
        assert_eq!(Member::fetch_by_email(&here.orm, "b@b").await.unwrap(), None);
    }
    let error = Member::named("bob").insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::NotFenced { .. }), "{error}");
}

#[tokio::test]
async fn with_an_outbox_the_keys_of_values_wait_in_it() {
    let mut server = OwnServer::absent();
    let here = before(&server).await;
    here.orm.install_outbox().await.unwrap();
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    let waiting = here.outbox().await;
    // The row, address, team and handle, city, and team and city.
    assert_eq!(waiting.len(), 5, "{waiting:?}");
    let namespace = here.namespace();
    assert!(waiting.contains(&format!("{namespace}:members:city(Rome)")), "{waiting:?}");

    server.start().await;
    crate::polling::until("the outbox is drained", async || {
        here.orm.drain_outbox().await.unwrap();
        here.outbox().await.is_empty()
    })
    .await;
    assert_eq!(Member::fetch_by_city(&here.orm, "Rome").await.unwrap(), [ann]);
}
