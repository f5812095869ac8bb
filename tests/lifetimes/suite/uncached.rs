//! Columns that never lie in the cache.

use super::Here;
use crate::rows::accounts::{ACCOUNTS, Account, AccountColumns};
use cached_orm::{Error, MemcachedOrm as _, SetOptions, Uncached};

async fn with_ann() -> (Here, Account) {
    let here = Here::with(&[ACCOUNTS]).await;
    let ann = Account::with(1, "hunter2", "otter");
    assert_eq!(ann.insert(&here.orm).await.unwrap(), ann);
    (here, ann)
}

async fn stored(here: &Here) -> Account {
    Account::fetch_uncached(&here.orm, 1).await.unwrap().unwrap()
}

#[tokio::test]
async fn reads_on_an_orm_give_them_not_loaded_on_a_hit_and_on_a_miss() {
    let (here, ann) = with_ann().await;
    assert_eq!(Account::fetch_one(&here.orm, 1).await.unwrap(), ann.unloaded());
    Account::delete_cached_instance(&here.orm, 1).await.unwrap();
    assert_eq!(Account::fetch_one(&here.orm, 1).await.unwrap(), ann.unloaded());
    let cached = Account::get_cached_instance(&here.orm, 1).await.unwrap();
    assert_eq!(cached, Some(ann.unloaded()));
    // Nor does it depend on whether there is an index.
    let found = Account::fetch_by_field(&here.orm, AccountColumns::NAME, "Ann").await.unwrap();
    assert_eq!(found, Some(ann.unloaded()));
    let found = Account::fetch_all_by_field(&here.orm, AccountColumns::NAME, "Ann").await.unwrap();
    assert_eq!(found, [ann.unloaded()]);
}

#[tokio::test]
async fn reads_of_the_database_give_them_loaded() {
    let (here, ann) = with_ann().await;
    assert_eq!(stored(&here).await, ann);
    let mut transaction = here.orm.begin().await.unwrap();
    let found = Account::fetch(&mut transaction, 1).await.unwrap();
    assert_eq!(found.as_ref(), Some(&ann));
    let found = Account::fetch_by_field(&mut transaction, AccountColumns::NAME, "Ann").await;
    assert_eq!(found.unwrap(), Some(ann));
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn they_are_loaded_on_demand_and_nothing_else_is() {
    let (here, ann) = with_ann().await;
    let mut fetched = Account::fetch_one(&here.orm, 1).await.unwrap();
    fetched.name = "mine".into();
    fetched.load_uncached(&here.orm).await.unwrap();
    assert_eq!(fetched, Account { name: "mine".into(), ..ann.clone() });

    let mut transaction = here.orm.begin().await.unwrap();
    let mut changed = ann.clone();
    changed.password = Uncached::new("hunter3".into());
    changed.update(&mut transaction).await.unwrap();
    let mut fetched = ann.unloaded();
    fetched.load_uncached(&mut transaction).await.unwrap();
    assert_eq!(fetched, changed);
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn loading_those_of_a_row_that_is_gone_is_an_error_and_leaves_it_alone() {
    let (here, ann) = with_ann().await;
    let mut fetched = Account::fetch_one(&here.orm, 1).await.unwrap();
    ann.delete(&here.orm).await.unwrap();
    let error = fetched.load_uncached(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    assert_eq!(fetched, ann.unloaded());
}

#[tokio::test]
async fn an_update_leaves_those_alone_that_are_not_loaded() {
    let (here, ann) = with_ann().await;
    let mut fetched = Account::fetch_one(&here.orm, 1).await.unwrap();
    // Another program changes one meanwhile.
    here.run("UPDATE accounts SET password = 'hunter3' WHERE id = 1").await;
    fetched.name = "Anna".into();
    fetched.update(&here.orm).await.unwrap();
    let mut expected = Account { name: "Anna".into(), ..ann };
    expected.password = Uncached::new("hunter3".into());
    assert_eq!(fetched, expected);
    assert_eq!(stored(&here).await, expected);
    assert_eq!(Account::fetch_one(&here.orm, 1).await.unwrap(), expected.unloaded());
}

#[tokio::test]
async fn each_is_written_or_left_alone_by_itself() {
    let (here, _) = with_ann().await;
    let loaded = Uncached::new;
    let mut expected = stored(&here).await;
    for (password, recovery) in [
        (Uncached::not_loaded(), Uncached::not_loaded()),
        (loaded("a".to_owned()), Uncached::not_loaded()),
        (Uncached::not_loaded(), Uncached::new(Some("b".to_owned()))),
        (Uncached::not_loaded(), Uncached::new(None)),
        (loaded("c".to_owned()), Uncached::new(Some("d".to_owned()))),
    ] {
        if password.is_loaded() {
            expected.password = password.clone();
        }
        if recovery.is_loaded() {
            expected.recovery_code = recovery.clone();
        }
        let mut row = Account { password, recovery_code: recovery, ..expected.clone() };
        row.update(&here.orm).await.unwrap();
        assert_eq!(row, expected);
        assert_eq!(stored(&here).await, expected);
    }
}

#[tokio::test]
async fn a_row_without_one_is_not_inserted() {
    let (here, ann) = with_ann().await;
    let mut bob = Account { id: 2, ..ann };
    bob.recovery_code = Uncached::not_loaded();
    let error = bob.insert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::NotLoaded { column: "recovery", .. }), "{error}");
    assert_eq!(error.to_string(), "insert of Account: the uncached column `recovery` is not loaded");

    let mut transaction = here.orm.begin().await.unwrap();
    bob.insert(&mut transaction).await.unwrap_err();
    // Nothing was sent, so the transaction can go on.
    bob.recovery_code = Uncached::new(None);
    bob.insert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(Account::fetch_uncached(&here.orm, 2).await.unwrap(), Some(bob));
}

#[tokio::test]
async fn a_refreshed_row_has_them_loaded() {
    let (here, ann) = with_ann().await;
    let mut fetched = Account::fetch_one(&here.orm, 1).await.unwrap();
    fetched.refresh(&here.orm).await.unwrap();
    assert_eq!(fetched, ann);
    assert_eq!(Account::fetch_one(&here.orm, 1).await.unwrap(), ann.unloaded());
    assert!(ann.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());
    assert_eq!(Account::fetch_one(&here.orm, 1).await.unwrap(), ann.unloaded());
}

#[tokio::test]
async fn refreshes_beside_each_other_and_a_fence_have_them_loaded() {
    let (here, ann) = with_ann().await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut writing = ann.clone();
    writing.name = "Anna".into();
    writing.update(&mut transaction).await.unwrap();
    let refreshes = (0..16).map(|_| async {
        let mut row = ann.unloaded();
        row.refresh(&here.orm).await.unwrap();
        (row.password, row.recovery_code)
    });
    for found in futures_util::future::join_all(refreshes).await {
        assert_eq!(found, (ann.password.clone(), ann.recovery_code.clone()));
    }
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn nothing_to_write_is_an_update_that_meets_its_row() {
    use crate::rows::accounts::OnlySecret;
    let (here, ann) = with_ann().await;
    let mut row = OnlySecret { id: 1, password: Uncached::not_loaded() };
    row.update(&here.orm).await.unwrap();
    assert_eq!(row, OnlySecret { id: 1, password: ann.password });
    let mut gone = OnlySecret { id: 2, password: Uncached::not_loaded() };
    let error = gone.update(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
}

#[tokio::test]
async fn many_rows_are_updated_each_with_what_it_has_loaded() {
    let (here, _) = with_ann().await;
    let rows = [Account::with(2, "b", "bb"), Account::with(3, "c", "cc")];
    assert_eq!(Account::insert_many(&here.orm, &rows).await.unwrap(), rows);
    let found = async |id| Account::fetch_uncached(&here.orm, id).await.unwrap().unwrap();
    let mut expected = [found(1).await, found(2).await, found(3).await];
    for loaded in [[false; 3], [true; 3], [true, false, true]] {
        let mut rows = expected.clone();
        for ((row, expected), loaded) in rows.iter_mut().zip(&mut expected).zip(loaded) {
            row.name.push('a');
            expected.name.push('a');
            if loaded {
                row.password = Uncached::new(format!("{} new", row.id));
                expected.password = row.password.clone();
            } else {
                row.password = Uncached::not_loaded();
            }
            row.recovery_code = Uncached::not_loaded();
        }
        Account::update_many(&here.orm, &mut rows).await.unwrap();
        assert_eq!(rows, expected, "{loaded:?}");
        for expected in &expected {
            assert_eq!(found(expected.id).await, *expected);
        }
    }
}

#[tokio::test]
async fn no_other_insert_takes_a_row_without_one() {
    let (here, ann) = with_ann().await;
    let new = Account { id: 3, ..ann.unloaded() };
    let error = new.upsert(&here.orm).await.unwrap_err();
    assert!(matches!(error, Error::NotLoaded { .. }), "{error}");
    let rows = [Account::with(2, "b", "bb"), new.clone()];
    for rows in [rows.clone(), [rows[1].clone(), rows[0].clone()]] {
        let error = Account::insert_many(&here.orm, &rows).await.unwrap_err();
        assert!(matches!(error, Error::NotLoaded { .. }), "{error}");
    }
    let all = Account::fetch_all_by_field(&here.orm, AccountColumns::NAME, "Ann").await.unwrap();
    assert_eq!(all, [ann.unloaded()]);
    let mut transaction = here.orm.begin().await.unwrap();
    new.upsert(&mut transaction).await.unwrap_err();
    Account::insert_many(&mut transaction, &rows).await.unwrap_err();
    let changed = Account::with(1, "upserted", "otter").upsert(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(stored(&here).await, changed);
}

#[tokio::test]
async fn a_patch_sets_one_by_its_plain_value() {
    let (here, mut ann) = with_ann().await;
    ann.password = Uncached::new("patched".into());
    let patched = Account::patch(1)
        .set(AccountColumns::PASSWORD, "patched")
        .execute(&here.orm)
        .await
        .unwrap();
    assert_eq!(patched, ann);
    assert_eq!(stored(&here).await, ann);
    assert_eq!(Account::fetch_one(&here.orm, 1).await.unwrap(), ann.unloaded());
}

#[tokio::test]
async fn many_rows_are_read_like_one() {
    let (here, ann) = with_ann().await;
    let found = Account::fetch_many(&here.orm, [1, 2, 1]).await.unwrap();
    assert_eq!(found, [Some(ann.unloaded()), None, Some(ann.unloaded())]);
    Account::delete_cached_instance(&here.orm, 1).await.unwrap();
    let found = Account::fetch_many(&here.orm, [1, 2, 1]).await.unwrap();
    assert_eq!(found, [Some(ann.unloaded()), None, Some(ann.unloaded())]);
    let mut transaction = here.orm.begin().await.unwrap();
    let found = Account::fetch_many(&mut transaction, [1, 2, 1]).await.unwrap();
    assert_eq!(found, [Some(ann.clone()), None, Some(ann)]);
    transaction.rollback().await.unwrap();
}
