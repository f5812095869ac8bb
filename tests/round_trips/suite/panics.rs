//! Code of the program's own types that panics: whoever called is told the truth, and
//! nobody else is harmed.

use super::{Database, Here};
use crate::rows::{
    Noted as _,
    fussy::{
        Fragile, FragileColumns, Fussy, FussyKey, REFUSED, UNDECODABLE, UNENCODABLE, UNREADABLE, UNSERIALIZABLE,
    },
};
use cached_orm::{Error, MemcachedOrm as _};
use std::time::Duration;
use tokio::time::timeout;

/// Far less than a lease lasts.
const SOON: Duration = Duration::from_secs(5);

async fn with_row(value: i64) -> Here {
    let here = Here::built(&[Fragile::TABLE], |builder| builder.max_database_loads(2)).await;
    for (id, value) in [(1, value), (2, 2)] {
        here.run(&format!("INSERT INTO fragile VALUES ({id}, 'before', {value})")).await;
    }
    here
}

fn assert_names_the_column(error: &Error) {
    assert_eq!(error.kind(), "column", "{error}");
    let told = error.to_string();
    assert!(told.contains("column `value` of Fragile") && told.contains("panicked"), "{error}");
}

/// Everything is free again, and the other row is read, and soon this one.
async fn assert_unharmed(here: &Here) {
    let healthy = timeout(SOON, Fragile::fetch_one(&here.orm, 2)).await.expect("soon");
    assert_eq!(healthy.unwrap().value, Fussy(2));
    assert_eq!(here.orm.status().await.loads.under_way, 0);
    here.run("UPDATE fragile SET value = 1 WHERE id = 1").await;
    let mended = timeout(SOON, Fragile::fetch_one(&here.orm, 1)).await.expect("soon");
    assert_eq!(mended.unwrap().value, Fussy(1));
    let before = here.statistics().hits;
    Fragile::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(here.statistics().hits, before + 1, "the lease was given back");
}

#[tokio::test]
async fn a_column_that_panics_is_an_error_that_names_it() {
    let here = with_row(UNDECODABLE).await;
    for _ in 0..4 {
        let error = Fragile::fetch(&here.orm, 1).await.unwrap_err();
        assert_names_the_column(&error);
    }
    for error in [
        Fragile::fetch_many(&here.orm, [1, 2, 3]).await.unwrap_err(),
        Fragile::fetch_uncached(&here.orm, 1).await.unwrap_err(),
        Fragile::fetch_all_by_field(&here.orm, FragileColumns::NOTE, "before").await.unwrap_err(),
        Fragile::warm(&here.orm, [1, 2], |_| ()).await.unwrap_err(),
        Fragile::patch(1).set(FragileColumns::NOTE, "after").execute(&here.orm).await.unwrap_err(),
    ] {
        assert_names_the_column(&error);
    }
    assert_unharmed(&here).await;
}

#[tokio::test]
async fn all_who_wait_for_such_a_load_are_told() {
    let here = with_row(UNDECODABLE).await;
    let readers = (0..20).map(|_| {
        let orm = here.orm.clone();
        tokio::spawn(async move { timeout(SOON, Fragile::fetch(&orm, 1)).await })
    });
    for reader in readers.collect::<Vec<_>>() {
        let read = reader.await.expect("the reader does not panic").expect("soon");
        assert_names_the_column(&read.unwrap_err());
    }
    assert_unharmed(&here).await;
}

#[tokio::test]
async fn a_transaction_can_go_on_or_be_rolled_back() {
    let here = with_row(UNDECODABLE).await;
    let mut transaction = here.orm.begin().await.unwrap();
    let error = Fragile::fetch(&mut transaction, 1).await.unwrap_err();
    assert_names_the_column(&error);
    let mut other = Fragile::fetch_one(&mut transaction, 2).await.unwrap();
    other.note = "after".into();
    other.update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(Fragile::fetch_one(&here.orm, 2).await.unwrap().note, "after");

    // A write whose row cannot be read may have changed keys that nobody knows.
    let mut transaction = here.orm.begin().await.unwrap();
    let patch = Fragile::patch(1).set(FragileColumns::NOTE, "lost");
    let error = patch.execute(&mut transaction).await.unwrap_err();
    assert_names_the_column(&error);
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::HalfDone { .. }), "{error}");
    assert_unharmed(&here).await;
    assert_eq!(Fragile::fetch_one(&here.orm, 1).await.unwrap().note, "before");
}

/// What cannot be cached is read all the same.
#[tokio::test]
async fn a_row_that_serde_or_the_encoder_cannot_bear_is_not_stored() {
    for value in [UNSERIALIZABLE, UNREADABLE, UNENCODABLE, REFUSED] {
        let here = with_row(value).await;
        for _ in 0..3 {
            let before = here.statistics();
            let row = timeout(SOON, Fragile::fetch_one(&here.orm, 1)).await.expect("soon");
            assert_eq!(row.unwrap().value, Fussy(value));
            let rows = Fragile::fetch_many(&here.orm, [1, 2, 1]).await.unwrap();
            let values: Vec<_> = rows.iter().flatten().map(|row| row.value.0).collect();
            assert_eq!(values, [value, 2, value]);
            assert!(here.statistics().uncacheable >= before.uncacheable + 2);
        }
        assert!(Fragile::get_cached_instance(&here.orm, 1).await.unwrap().is_none());
        assert_unharmed(&here).await;
    }
}

#[tokio::test]
async fn a_key_that_panics_is_an_error_of_who_asks_for_it() {
    let here = with_row(1).await;
    for _ in 0..3 {
        let asked = FussyKey::fetch(&here.orm, Fussy(UNENCODABLE));
        let error = timeout(SOON, asked).await.expect("soon").unwrap_err();
        assert!(matches!(error, Error::Panicked { .. }), "{error}");
        assert!(error.to_string().starts_with("fetch of FussyKey"), "{error}");
        let asked = FussyKey::fetch_many(&here.orm, [Fussy(1), Fussy(UNENCODABLE)]);
        let error = timeout(SOON, asked).await.expect("soon").unwrap_err();
        assert!(matches!(error, Error::Panicked { .. }), "{error}");
    }
    let row = FussyKey::fetch_one(&here.orm, Fussy(1)).await.unwrap();
    assert_eq!((row.id, row.note.as_str()), (Fussy(1), "before"));
    assert_unharmed(&here).await;
}

/// The connection that was lent to it is not given to others in the midst of something.
#[tokio::test]
async fn a_write_that_panics_changes_nothing() {
    let here = with_row(1).await;
    for _ in 0..12 {
        let orm = here.orm.clone();
        let write = tokio::spawn(async move {
            let mut row = Fragile::new(1, Fussy(UNENCODABLE));
            row.note = "lost".into();
            row.update(&orm).await
        });
        assert!(write.await.is_err() , "the panic goes on in the caller");
    }
    let value: i64 = sqlx::query_scalar::<Database, _>("SELECT value FROM fragile WHERE id = 1")
        .fetch_one(here.orm.pool())
        .await
        .unwrap();
    assert_eq!(value, 1);
    assert_eq!(Fragile::fetch_one(&here.orm, 1).await.unwrap().note, "before");
    assert_unharmed(&here).await;
}
