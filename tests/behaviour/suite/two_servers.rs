//! Keys spread over two servers, of which one dies.

use super::Here;
use crate::{
    memcached::{OwnServer, Wire, wait_for_age},
    place::HOLD_OFF,
    tables::people::{PAGES, Page},
};
use cached_orm::{Error, MemcachedOrm as _};
use std::time::Duration;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

#[tokio::test]
async fn keys_of_the_living_server_are_cached_and_those_of_the_dead_one_are_read() {
    let (mut dying, living) = (OwnServer::started().await, OwnServer::started().await);
    let here = Here::built(&[PAGES], |builder| {
        let builder = builder.memcached([dying.address(), living.address()]);
        builder.timeout(Duration::from_millis(300))
    })
    .await;
    for server in [&dying, &living] {
        wait_for_age(&server.address(), HOLD_OFF).await;
    }
    let mut of_the_living = Vec::new();
    let mut of_the_dying = Vec::new();
    for id in 0..40 {
        let row = page(id, "old").insert(&here.orm).await.unwrap();
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), row);
        let key = row.get_cache_key(&here.orm);
        let in_one = Wire::to(&dying.address()).get(key.as_str()).is_some();
        let in_other = Wire::to(&living.address()).get(key.as_str()).is_some();
        assert!(in_one != in_other, "{key} lies in one of them");
        if in_one { of_the_dying.push(id) } else { of_the_living.push(id) }
    }
    assert!(of_the_dying.len() > 5 && of_the_living.len() > 5, "the keys are spread");

    dying.kill();
    for &id in &of_the_living {
        let hits = here.statistics().hits;
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, "old"));
        assert_eq!(here.statistics().hits, hits + 1);
        page(id, "new").update(&here.orm).await.unwrap();
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, "new"));
    }
    let fills = here.statistics().fills;
    for &id in &of_the_dying {
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap(), page(id, "old"));
        let error = page(id, "new").update(&here.orm).await.unwrap_err();
        assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    }
    assert_eq!(here.statistics().fills, fills, "no other server takes a dead one's keys");

    // A transaction over keys of both is refused as a whole.
    let mut transaction = here.orm.begin().await.unwrap();
    page(of_the_living[0], "both").update(&mut transaction).await.unwrap();
    page(of_the_dying[0], "both").update(&mut transaction).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::NotFenced { .. }), "{error}");
    for id in [of_the_living[0], of_the_dying[0]] {
        let expected = if id == of_the_living[0] { "new" } else { "old" };
        assert_eq!(Page::fetch_one(&here.orm, id).await.unwrap().body, expected);
        assert_eq!(Page::fetch_uncached(&here.orm, id).await.unwrap().unwrap().body, expected);
    }
}
