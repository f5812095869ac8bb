use super::Database;
use crate::{
    place::{NOBODY, Place},
    tables::{USERS, User, users},
};
use cached_orm::MemcachedOrm as _;

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_that_is_not_there_is_told() {
    let place = Place::<Database>::with("").await;
    for arguments in [["outbox", "status"], ["outbox", "drain"]] {
        let run = place.cli(&arguments);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.out.contains("migrate --print"), "{run:?}");
    }
    assert_eq!(place.cli(&["outbox", "status", "--json"]).json()["is_installed"], false);
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_is_counted_and_drained() {
    let place = Place::<Database>::with(USERS).await;
    place.orm.install_outbox().await.expect("it is created");
    User::insert_many(&place.orm, &users(2)).await.expect("they are inserted");
    User::fetch(&place.orm, 1).await.expect("it is read");
    let empty = place.cli(&["outbox", "status"]);
    assert_eq!((empty.code, empty.line("rows")), (Some(0), "0"), "{empty:?}");

    let (namespace, key) = (place.namespace(), place.key("users:(1)"));
    let put = format!(
        "INSERT INTO cached_orm_outbox (namespace, cache_key)
         VALUES ('{namespace}', '{key}'), ('{namespace}', 'hex users:(32)'), ('other', 'x')"
    );
    place.run(&put).await;
    let two = place.cli(&["outbox", "status", "--json"]);
    assert_eq!(two.code, Some(1), "{two:?}");
    assert_eq!((&two.json()["rows"], &two.json()["namespace"]), (&2.into(), &namespace.into()));
    assert!(two.json()["oldest_seconds"].as_f64().is_some_and(|age| age < 60.0), "{two:?}");
    // That needs no cache, but the namespace.
    let other = place.cli(&["outbox", "status", "--namespace", "other"]);
    assert_eq!((other.code, other.line("rows")), (Some(1), "1"), "{other:?}");

    let cache = format!("memcached://{NOBODY}?namespace={namespace}");
    let away = place.cli(&["outbox", "drain", "--within", "1s", "--cache-url", &cache, "--json"]);
    assert_eq!(away.code, Some(3), "{away:?}");
    assert_eq!((&away.json()["drained"], &away.json()["remaining"]), (&0.into(), &2.into()));
    assert_eq!(away.json()["silent_servers"][0], NOBODY);

    let drained = place.cli(&["outbox", "drain"]);
    assert_eq!(drained.code, Some(0), "{drained:?}");
    assert_eq!((drained.line("drained"), drained.line("remaining")), ("2", "0"));
    assert_eq!(place.outbox().await, ["x"]);
    let left = User::get_cached_instance(&place.orm, 1).await.expect("the cache answers");
    assert_eq!(left, None);
    place.end().await;
}
