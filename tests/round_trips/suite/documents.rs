//! JSON columns whose types do not write all that they read of a document.

use super::{Database, Here};
use crate::{log::Warnings, rows::documents::*};
use cached_orm::{AuditOptions, MemcachedOrm as _, Persist, SetOptions};
use std::fmt::Debug;

const WITH_SECRET: &str = r#"{"theme":"dark","token":"secret-1"}"#;

/// Puts the document into a row, and looks whether every read gives what the database
/// has. Says whether the row is cached.
async fn is_cached<T>(here: &Here, id: i64, document: &str) -> bool
where
    T: Persist<Database, Key = i64> + Clone + Debug,
{
    let table = T::TABLE.name();
    here.run(&format!("INSERT INTO {table} VALUES ({id}, 'before', '{document}')")).await;
    let text = |row: &T| format!("{row:?}");
    let truth = T::fetch_uncached(&here.orm, id).await.unwrap().expect("it was inserted");
    let before = here.statistics();
    for _ in 0..2 {
        let read = T::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(text(&read), text(&truth), "{document}");
        let rows = T::fetch_many(&here.orm, [id, id]).await.unwrap();
        assert!(rows.iter().flatten().map(text).eq([text(&truth), text(&truth)]), "{document}");
    }
    let after = here.statistics();
    let is_cached = T::get_cached_instance(&here.orm, id).await.unwrap().is_some();
    assert_eq!(after.uncacheable == before.uncacheable, is_cached, "{document}");
    assert_eq!(after.hits - before.hits, if is_cached { 3 } else { 0 }, "{document}");
    is_cached
}

macro_rules! documents {
    ($here:ident: $($entity:ident $document:literal => $cached:literal)+) => {
        let mut id = 0;
        $(
            id += 1;
            assert_eq!(is_cached::<$entity>(&$here, id, $document).await, $cached, "{}", $document);
        )+
    };
}

#[tokio::test]
async fn what_is_read_and_not_written_is_not_cached() {
    let here = Here::with(&[
        WithSettings::TABLE, WithMasked::TABLE, WithRanked::TABLE, WithSome::TABLE, WithMany::TABLE,
    ])
    .await;
    documents!(here:
        WithSettings r#"{"theme":"dark","token":"secret-1"}"# => false
        WithSettings r#"{"theme":"dark"}"# => true
        WithMasked r#"{"token":"secret-1"}"# => false
        WithMasked r#"{"token":"***"}"# => true
        WithRanked r#"{"places":[3,1,2]}"# => false
        WithRanked r#"{"places":[1,2,3]}"# => true
        WithSome r#"{"theme":"dark","token":"secret-1"}"# => false
        WithSome "null" => true
        WithMany r#"[{},{"a":{"theme":"dark"},"b":{"theme":"dark","token":"secret-1"}}]"# => false
        WithMany r#"[{},{"a":{"theme":"dark"}}]"# => true
    );
}

#[tokio::test]
async fn what_has_an_order_beside_what_has_none_keeps_it() {
    let here = Here::with(&[WithTagged::TABLE, WithTour::TABLE]).await;
    documents!(here:
        WithTagged r#"{"tags":[7],"places":[3,1,2]}"# => false
        WithTagged r#"{"tags":[7],"places":[1,2,3]}"# => true
    );
    // The text of a set is another each time.
    let tags = "[9,8,7,6,5,4,3,2,1]";
    let tour = |places, days| format!(r#"{{"tags":{tags},"places":{places},"days":{days}}}"#);
    here.run(&format!(
        r#"INSERT INTO with_tagged VALUES (60, 'before', '{{"tags":{tags},"places":[3,1,2]}}')"#
    ))
    .await;
    for _ in 0..2 {
        let read = WithTagged::fetch_one(&here.orm, 60).await.unwrap();
        assert_eq!(read.value.places, [3, 1, 2]);
    }
    assert!(WithTagged::get_cached_instance(&here.orm, 60).await.unwrap().is_none());

    let at_first = tour("[1,2,3]", r#"{"a":1,"b":2}"#);
    here.run(&format!("INSERT INTO with_tour VALUES (60, 'before', '{at_first}')")).await;
    WithTour::fetch_one(&here.orm, 60).await.unwrap();
    assert!(WithTour::get_cached_instance(&here.orm, 60).await.unwrap().is_some());
    for (document, unexplained) in [
        (at_first, 0),
        (tour("[3,1,2]", r#"{"a":1,"b":2}"#), 1),
        (tour("[1,2,3]", r#"{"a":2,"b":1}"#), 1),
    ] {
        // As nobody has told the cache.
        here.run(&format!("UPDATE with_tour SET value = '{document}'")).await;
        let audit = here.orm.audit::<WithTour>([60], AuditOptions::default(), |_| ()).await.unwrap();
        assert_eq!(audit.unexplained, unexplained, "{document}: {audit}");
    }
}

#[tokio::test]
async fn a_key_that_is_only_looked_for_is_read() {
    let here = Here::with(&[WithMember::TABLE]).await;
    documents!(here:
        WithMember r#"{"name":"a","admin":{}}"# => false
        WithMember r#"{"name":"a","admin":null}"# => false
        WithMember r#"{"name":"a","seats":null}"# => false
        WithMember r#"{"name":"a","old":{}}"# => true
        WithMember r#"{"name":"a"}"# => true
    );
}

#[tokio::test]
async fn what_is_ignored_added_null_or_written_otherwise_is_cached() {
    let here = Here::with(&[WithProfile::TABLE, WithMap::TABLE, WithSet::TABLE, WithValue::TABLE]).await;
    documents!(here:
        WithProfile r#"{"name":"a","level":1,"old":{"token":"x"},"older":[1]}"# => true
        WithProfile r#"{"name":"a"}"# => true
        WithProfile r#"{"name":"a","note":null,"limit":null}"# => true
        WithProfile r#"{"name":"a","limit":1e2}"# => true
        WithProfile r#"{"limit":0.1,"name":"a"}"# => true
        WithMap r#"{"-7":{"name":"a","old":1}}"# => true
        WithSet "[7]" => true
        WithValue r#"{"b":[null,1.50,1e2,{"x":{}}],"a":18446744073709551615}"# => true
        WithValue "null" => true
    );
    // By the other name it is not what is written, and the value is right all the same.
    is_cached::<WithProfile>(&here, 50, r#"{"nick":"a"}"#).await;
    // Of many there is no order.
    here.run("INSERT INTO with_set VALUES (60, 'before', '[9,8,7,6,5,4,3,2,1]')").await;
    WithSet::fetch_one(&here.orm, 60).await.unwrap();
    assert!(WithSet::get_cached_instance(&here.orm, 60).await.unwrap().is_some());
}

#[tokio::test]
async fn variants_and_flattened_fields_are_looked_into() {
    let here = Here::with(&[
        WithSteps::TABLE, WithLogin::TABLE, WithEither::TABLE, WithExtended::TABLE,
    ])
    .await;
    documents!(here:
        WithSteps r#"["Begun",{"Moved":{"x":1,"old":2}},{"Of":{"name":"a","old":1}}]"# => true
        WithSteps r#"[{"Secret":{"theme":"dark","token":"secret-1"}}]"# => false
        WithLogin r#"{"kind":"Guest"}"# => true
        WithLogin r#"{"kind":"User","name":"a","note":null}"# => true
        WithLogin r#"{"kind":"Secret","theme":"dark","token":"secret-1"}"# => false
        WithEither "1e2" => true
        WithEither r#"{"name":"a"}"# => true
        WithEither r#"{"theme":"dark","token":"secret-1"}"# => false
        WithExtended r#"{"theme":"dark","more":{"n":1.0}}"# => true
        WithExtended r#"{"theme":"dark","more":{"n":1.0},"token":"secret-1"}"# => false
        // Which part of what serde buffers is ignored, it does not show.
        WithLogin r#"{"kind":"User","name":"a","old":1}"# => false
        WithEither r#"{"name":"a","old":1}"# => false
    );
}

#[tokio::test]
async fn nothing_puts_such_a_row_into_the_cache_or_copies_it() {
    let here = Here::with(&[WithSettings::TABLE]).await;
    here.run(&format!("INSERT INTO with_settings VALUES (1, 'before', '{WITH_SECRET}')")).await;
    let mut counted = 0;
    let mut more = |what: &str| {
        let before = std::mem::replace(&mut counted, here.statistics().uncacheable);
        assert!(counted > before, "{what}");
    };
    let orm = &here.orm;
    let mut row = WithSettings::fetch_one(orm, 1).await.unwrap();
    more("loaded");
    row.refresh(orm).await.unwrap();
    assert_eq!(row.value.token, "secret-1");
    more("refreshed");
    assert!(!row.set_cached_instance(orm, SetOptions::default()).await.unwrap());
    more("set");
    assert_eq!(WithSettings::warm(orm, [1, 2], |_| ()).await.unwrap().skipped, 1);
    more("warmed");
    let patched = WithSettings::patch(1).set(WithSettingsColumns::NOTE, "after").execute(orm).await.unwrap();
    assert_eq!((patched.note.as_str(), patched.value.token.as_str()), ("after", "secret-1"));
    more("patched");
    assert!(WithSettings::get_cached_instance(orm, 1).await.unwrap().is_none());
    let mut transaction = orm.begin().await.unwrap();
    let rows = WithSettings::fetch_many(&mut transaction, [1, 1, 2, 1]).await.unwrap();
    transaction.rollback().await.unwrap();
    let tokens: Vec<_> = rows.iter().flatten().map(|row| row.value.token.as_str()).collect();
    assert_eq!(tokens, ["secret-1"; 3]);
    let audit = orm.audit::<WithSettings>([1], AuditOptions::default(), |_| ()).await.unwrap();
    assert_eq!((audit.not_cached, audit.unexplained), (1, 0), "{audit}");

    // What is written then is all that there is.
    row.value.token.clear();
    row.update(orm).await.unwrap();
    assert!(is_read_from_cache(&here).await);
    // And an entry of before is found out.
    here.run(&format!("UPDATE with_settings SET value = '{WITH_SECRET}'")).await;
    let audit = orm.audit::<WithSettings>([1], AuditOptions::default(), |_| ()).await.unwrap();
    assert_eq!(audit.unexplained, 1, "{audit}");
    assert!(audit.differences[0].columns.iter().eq(["value"]), "{audit}");
    let explained = orm.explain::<WithSettings>(1).await;
    assert_eq!(explained.agrees, Some(false), "{explained}");
}

async fn is_read_from_cache(here: &Here) -> bool {
    let before = here.statistics().hits;
    WithSettings::fetch_one(&here.orm, 1).await.unwrap();
    here.statistics().hits > before
}

#[tokio::test]
async fn rows_that_are_found_twice_by_an_index_are_whole() {
    let here = Here::with(&[NAMED_SETTINGS]).await;
    here.run(&format!("INSERT INTO named_settings VALUES (1, 'ann', '{WITH_SECRET}')")).await;
    for _ in 0..2 {
        let names = ["ann", "ann", "bob", "ann"];
        let rows = NamedSettings::fetch_many_by_name(&here.orm, names).await.unwrap();
        let tokens: Vec<_> = rows.iter().flatten().map(|row| row.value.token.as_str()).collect();
        assert_eq!(tokens, ["secret-1"; 3]);
        let mut transaction = here.orm.begin().await.unwrap();
        let rows = NamedSettings::fetch_many_by_name(&mut transaction, names).await.unwrap();
        transaction.rollback().await.unwrap();
        let tokens: Vec<_> = rows.iter().flatten().map(|row| row.value.token.as_str()).collect();
        assert_eq!(tokens, ["secret-1"; 3]);
    }
}

#[tokio::test]
async fn it_is_told_once_and_without_the_document() {
    let warnings = Warnings::listen();
    let here = Here::with(&[WithSettings::TABLE]).await;
    for id in 1..4 {
        is_cached::<WithSettings>(&here, id, WITH_SECRET).await;
    }
    let told = warnings.of_lost_rows();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("WithSettings") && told[0].contains("column=\"value\""), "{told:#?}");
    assert!(told[0].contains("the document") && !told[0].contains("secret-1"), "{told:#?}");
}
