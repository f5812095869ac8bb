use super::Database;
use crate::{
    command_line::run,
    place::Place,
    tables::{PLATES, Plate, USERS, User, users},
};
use cached_orm::{MemcachedOrm as _, Orm};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_is_what_the_library_installs() {
    let place = Place::<Database>::with(&[USERS, PLATES].concat()).await;
    let outbox = place.cli(&["migrate", "--print"]);
    assert_eq!(outbox.code, Some(0), "{outbox:?}");
    assert_eq!(outbox.out.trim(), format!("{};", Orm::<Database>::outbox_sql()));

    // The outbox is not there yet: the statements are for one that is about to be.
    let printed = place.cli(&["migrate", "--print", "users", "--index", "email"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let json = place.cli(&["migrate", "--print", "users", "--index", "email", "--json"]).json();
    place.run(&printed.out).await;
    let installs = place.orm.triggers_sql::<User>().await.expect("it can be told");
    assert_eq!(json["triggers"], installs);
    assert_eq!(json["outbox"], Orm::<Database>::outbox_sql());
    assert!(printed.out.contains(installs.trim()), "{printed:?}");

    let plates = place.cli(&["migrate", "--print", "plates", "--no-index", "--json"]).json();
    let installs = place.orm.triggers_sql::<Plate>().await.expect("it can be told");
    assert_eq!(plates["triggers"], installs);
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_triggers_note_what_others_change() {
    let place = Place::<Database>::with(USERS).await;
    place.run(&place.cli(&["migrate", "--print", "users", "--index", "email"]).out).await;
    User::insert_many(&place.orm, &users(2)).await.expect("they are inserted");
    place.orm.drain_outbox().await.expect("it is drained");
    User::fetch_many(&place.orm, [1, 2]).await.expect("they are read");
    place.run("UPDATE users SET name = 'Changed' WHERE id = 2").await;
    assert!(!place.outbox().await.is_empty());
    assert_eq!(place.cli(&["outbox", "drain"]).code, Some(0));
    let user = User::fetch_one(&place.orm, 2).await.expect("it is read");
    assert_eq!(user.name.as_deref(), Some("Changed"));
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_must_be_named_or_denied() {
    let place = Place::<Database>::with(USERS).await;
    let run = place.cli(&["migrate", "--print", "users"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains("--no-index"), "{run:?}");
    let run = place.cli(&["migrate", "--print", "users", "--index", "phone"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains("no column `phone`"), "{run:?}");
    place.end().await;
}

#[test]
fn migrate_wants_to_be_told_to_print() {
    assert_eq!(run(&["migrate", "--database-url", "sqlite::memory:"]).code, Some(2));
}
