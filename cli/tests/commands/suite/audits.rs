use super::Database;
use crate::{
    place::{NOBODY, Place},
    tables::{NOTES, Note, PLATES, Plate, USERS, User, plate, plate_key, users},
};
use cached_orm::{MemcachedOrm as _, Uncached};
use serde_json::json;

async fn with_cached_users(count: i64) -> Place<Database> {
    let place = Place::<Database>::with(USERS).await;
    User::insert_many(&place.orm, &users(count)).await.expect("they are inserted");
    User::fetch_many(&place.orm, 1..=count).await.expect("they are read");
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_compares_what_lies_in_the_cache_as_it_is() {
    let place = with_cached_users(20).await;
    let run = place.cli(&["audit", "users"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((run.line("asked"), run.line("agreed")), ("20", "20"));
    assert_eq!(run.line("compared"), "id, email, name");
    assert_eq!(run.line("not compared"), "city, score");

    let few = place.cli(&["audit", "users", "--sample", "5", "--except", "name", "--json"]).json();
    assert_eq!((&few["asked"], &few["agreed"]), (&json!(5), &json!(5)), "{few}");
    assert_eq!(few["columns"], json!(["id", "email"]));
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_what_sql_past_the_library_has_changed() {
    let place = with_cached_users(20).await;
    place.run("UPDATE users SET name = 'Changed' WHERE id = 4").await;
    place.run("UPDATE users SET name = NULL WHERE id = 5").await;
    place.run("DELETE FROM users WHERE id = 6").await;
    let keys: String = (1..=21).map(|id| format!("{id}\n")).collect();
    let run = place.cli_with(&["audit", "users", "--keys", "-", "--json"], &keys);
    assert_eq!(run.code, Some(1), "{run:?}");
    let found = run.json();
    assert_eq!(found["table"], "users");
    assert_eq!((&found["asked"], &found["keys"]), (&json!(21), &json!(21)), "{found}");
    assert_eq!((&found["agreed"], &found["not_cached"]), (&json!(17), &json!(1)), "{found}");
    assert_eq!((&found["unexplained"], &found["pending"]), (&json!(3), &json!(0)), "{found}");
    let difference = |id: i64, is_in_database: bool, columns: &[&str]| {
        json!({
            "key": place.key(&format!("users:({id})")), "verdict": "unexplained",
            "is_in_cache": true, "is_in_database": is_in_database, "columns": columns,
        })
    };
    let expected = json!([
        difference(4, true, &["name"]),
        difference(5, true, &["name"]),
        difference(6, false, &[]),
    ]);
    assert_eq!(found["differences"], expected);

    let told = place.cli_with(&["audit", "users", "--keys", "-", "--most-told", "1"], &keys);
    assert_eq!(told.line("unexplained"), "3");
    assert!(told.out.contains("(4): Unexplained: name"), "{told:?}");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_programs_key_only_what_it_has_signed_counts() {
    let place = with_cached_users(2).await;
    let key = [("CACHE_SIGNING_KEYS", &*"7b".repeat(32))];
    let audit = ["audit", "users", "--json"];
    let unsigned = place.cli_under(&key, &audit, "").json();
    assert_eq!((&unsigned["agreed"], &unsigned["not_cached"]), (&json!(0), &json!(2)));
    let explained = place.cli_under(&key, &["explain", "users", "1"], "");
    assert_eq!(explained.code, Some(1), "{explained:?}");
    assert!(explained.out.contains("not signed"), "{explained:?}");

    let signing = place.handle(|builder| builder.sign_entries([[0x7b; 32]])).await;
    User::fetch_many(&signing, [1, 2]).await.expect("they are read");
    // Whoever has no key reads them by their checksums.
    for run in [place.cli_under(&key, &audit, ""), place.cli(&audit)] {
        assert_eq!(run.json()["agreed"], json!(2), "{run:?}");
    }
    let another = [("CACHE_SIGNING_KEYS", &*"7c".repeat(32))];
    assert_eq!(place.cli_under(&another, &audit, "").json()["agreed"], json!(0));
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_outbox_names_is_pending() {
    let place = Place::<Database>::with(&[USERS, PLATES].concat()).await;
    place.orm.install_outbox().await.expect("it is created");
    place.orm.install_triggers::<Plate>().await.expect("they are created");
    plate().insert(&place.orm).await.expect("it is inserted");
    place.orm.drain_outbox().await.expect("it is drained");
    Plate::fetch(&place.orm, plate_key()).await.expect("it is read");
    assert_eq!(place.cli(&["audit", "plates"]).code, Some(0));

    place.run("DELETE FROM plates").await;
    let run = place.cli_with(&["audit", "plates", "--keys", "-"], "(jk)(o%20%281%29%C3%A9)\n");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!((run.line("pending"), run.line("unexplained")), ("1", "0"), "{run:?}");
    let explained = place.cli(&["explain", "plates", "jk", "o (1)é", "--json"]);
    assert_eq!(explained.code, Some(1), "{explained:?}");
    assert_eq!(explained.json()["pending"], 1);
    // The program sees it too.
    assert_eq!(place.orm.explain::<Plate>(plate_key()).await.pending, Some(1));
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_whose_fields_cannot_be_told_apart_are_counted() {
    let place = Place::<Database>::with(PLATES).await;
    plate().insert(&place.orm).await.expect("it is inserted");
    Plate::fetch(&place.orm, plate_key()).await.expect("it is read");
    // The struct has another order than the table.
    let run = place.cli(&["audit", "plates"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((run.line("agreed"), run.line("presence only")), ("1", "1"));
    assert_eq!(run.line("compared"), "none");
    let run = place.cli(&["audit", "plates", "--fields", "country,number,owner"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.line("compared"), "owner, country, number");
    assert!(!run.out.contains("presence only"), "{run:?}");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_entries_are_compared_and_columns_that_are_not_cached_are_not() {
    let place = Place::<Database>::with(NOTES).await;
    let note = |id| Note { id, body: "lorem ".repeat(200), secret: Uncached::new("xyzzy".into()) };
    Note::insert_many(&place.orm, &[note(1), note(2)]).await.expect("they are inserted");
    Note::fetch_many(&place.orm, [1, 2]).await.expect("they are read");
    assert_eq!(place.cli(&["explain", "notes", "1", "--json"]).json()["is_compressed"], true);
    let run = place.cli(&["audit", "notes"]);
    assert_eq!((run.code, run.line("agreed")), (Some(0), "2"), "{run:?}");
    assert_eq!((run.line("compared"), run.line("not compared")), ("id, body", "secret"));

    place.run("UPDATE notes SET body = 'ipsum' WHERE id = 2").await;
    let run = place.cli(&["audit", "notes"]);
    assert_eq!((run.code, run.line("unexplained")), (Some(1), "1"), "{run:?}");
    assert!(!run.out.contains("lorem") && !run.out.contains("xyzzy"), "{run:?}");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_says_when_the_cache_does_not_answer() {
    let place = with_cached_users(3).await;
    let cache = format!("memcached://{NOBODY}?namespace={}", place.namespace());
    let run = place.cli(&["audit", "users", "--cache-url", &cache]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(run.line("unanswered"), "3");
    let none = place.cli(&["audit", "users", "--keys", "/nowhere/keys"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.err.contains("/nowhere/keys"), "{none:?}");
    place.end().await;
}
