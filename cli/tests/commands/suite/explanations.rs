use super::Database;
use crate::{
    place::{NOBODY, Place},
    tables::{PLATES, Plate, USERS, User, plate, plate_key, users},
};
use cached_orm::MemcachedOrm as _;

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_what_lies_there_and_whether_there_is_a_row() {
    let place = Place::<Database>::with(USERS).await;
    User::insert_many(&place.orm, &users(3)).await.expect("they are inserted");
    User::delete_cached_instance(&place.orm, 1).await.expect("it is taken out");

    let nothing = place.cli(&["explain", "users", "1"]);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert_eq!(nothing.line("key"), place.key("users:(1)"));
    assert_eq!(nothing.line("content"), "nothing");
    assert_eq!(nothing.line("database"), "has the row");

    User::fetch(&place.orm, 1).await.expect("it is read");
    let row = place.cli(&["explain", "users", "1", "--json"]);
    assert_eq!(row.code, Some(0), "{row:?}");
    let json = row.json();
    assert_eq!(json["table"], "users");
    assert_eq!(json["content"], "row");
    assert_eq!(json["database"], "row");
    assert!(json["agrees"].is_null() && json["age"].is_null(), "{json}");
    let ttl = json["ttl_seconds"].as_f64().expect("a time");
    assert!((400.0..700.0).contains(&ttl), "{ttl}");
    assert!(place.cli(&["explain", "users", "(1)"]).out.contains("not compared here"));

    assert_eq!(User::fetch(&place.orm, 9).await.expect("it is asked"), None);
    let absent = place.cli(&["explain", "users", "9"]);
    assert_eq!(absent.code, Some(0), "{absent:?}");
    assert_eq!(absent.line("agrees"), "yes");

    place.run("INSERT INTO users VALUES (9, 'nine', NULL, 'lund', 0)").await;
    let differs = place.cli(&["explain", "users", "9", "--json"]);
    assert_eq!(differs.code, Some(1), "{differs:?}");
    assert_eq!((&differs.json()["content"], &differs.json()["agrees"]), (&"absent".into(), &false.into()));

    place.run("DELETE FROM users WHERE id = 1").await;
    let gone = place.cli(&["explain", "users", "1"]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert_eq!(gone.line("agrees"), "no");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composite_key_is_written_part_by_part_or_as_in_cache_keys() {
    let place = Place::<Database>::with(PLATES).await;
    let plate = plate().insert(&place.orm).await.expect("it is inserted");
    Plate::fetch(&place.orm, plate_key()).await.expect("it is read");
    let key = plate.get_instance_key();
    for arguments in [
        &["explain", "plates", "jk", "o (1)é"][..],
        &["explain", "plates", &key],
        &["explain", "--key", "country,number", "plates", &key],
    ] {
        let run = place.cli(arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_eq!(run.line("key"), place.key(&format!("plates:{key}")));
        assert_eq!((run.line("content"), run.line("database")), ("a row", "has the row"));
    }
    // Another key, even where the collation takes it for the same.
    let other = place.cli(&["explain", "plates", "JK", "o (1)é"]);
    assert_eq!(other.line("database"), "has no such row");

    let half = place.cli(&["explain", "plates", "jk"]);
    assert_eq!(half.code, Some(2), "{half:?}");
    assert!(half.err.contains("country, number"), "{half:?}");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_cannot_be_is_said() {
    let place = Place::<Database>::with(USERS).await;
    for (arguments, told) in [
        (&["explain", "user", "1"][..], "no table `user`"),
        (&["explain", "users", "seven"], "`id`"),
        (&["explain", "users", "007"], "`id`"),
        (&["explain", "users", "--key", "nr", "1"], "it has id, email, name, city, score"),
        (&["explain", "users", "--key", "score", "1"], "say its kind"),
        (&["explain", "users", "--key", "id:number", "1"], "`number` is no kind"),
        (&["explain", "users", "(1"], "(AD)(06)"),
    ] {
        let run = place.cli(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert!(run.err.contains(told), "{arguments:?}: {run:?}");
        assert!(run.out.is_empty(), "{run:?}");
    }
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_does_not_answer_is_told() {
    let place = Place::<Database>::with(USERS).await;
    let cache = format!("memcached://{NOBODY}");
    let run = place.cli(&["explain", "users", "1", "--cache-url", &cache, "--json"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(run.json()["content"], "unreachable");
    assert_eq!(run.json()["database"], "no_row");
    place.end().await;
}
