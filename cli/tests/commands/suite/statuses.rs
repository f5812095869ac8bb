use super::Database;
use crate::place::{NOBODY, Place, TestDatabase as _};

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_how_database_servers_and_outbox_are() {
    let place = Place::<Database>::with("").await;
    let run = place.cli(&["status"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.line("database"), format!("{}, up", Database::SYSTEM));
    assert!(run.line("server").contains(", up, answers in "), "{run:?}");
    assert_eq!(run.line("outbox"), "not installed");

    place.orm.install_outbox().await.expect("it is created");
    let put = format!(
        "INSERT INTO cached_orm_outbox (namespace, cache_key) VALUES ('{}', 'x')",
        place.namespace()
    );
    place.run(&put).await;
    let run = place.cli(&["status", "--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let json = run.json();
    assert_eq!((&json["is_well"], &json["outbox"]["rows"]), (&false.into(), &1.into()), "{json}");
    assert_eq!(json["database"]["system"], Database::SYSTEM);
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_named() {
    let place = Place::<Database>::with("").await;
    let (servers, query) = place.cache_url.split_once('?').expect("it has parameters");
    let cache = format!("{servers},{NOBODY}?{query}");
    let run = place.cli(&["status", "--cache-url", &cache]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.out.contains(&format!("{NOBODY}, down: ")), "{run:?}");
    assert!(run.out.contains(", up, answers in "), "{run:?}");
    place.end().await;
}
