//! Several structs on one table, under the same keys and under keys of their own.

use super::Here;
use crate::rows::members::{
    MEMBERS, Member, MemberAge, MemberAgeColumns, MemberColumns, MemberName, MemberNameColumns,
};
use cached_orm::MemcachedOrm as _;

/// All three show what the database has.
async fn assert_agreed(here: &Here, expected: Option<&Member>) {
    // Twice: once they may be loaded.
    for _ in 0..2 {
        let name = MemberName::fetch(&here.orm, 1).await.unwrap();
        assert_eq!(name.map(|row| row.name), expected.map(|row| row.name.clone()));
        let age = MemberAge::fetch(&here.orm, 1).await.unwrap();
        assert_eq!(age.map(|row| row.age), expected.map(|row| row.age));
        assert_eq!(Member::fetch(&here.orm, 1).await.unwrap().as_ref(), expected);
    }
}

/// A place with a row that is cached in two shapes.
async fn with_ann() -> (Here, Member) {
    let here = Here::with(&[MEMBERS]).await;
    assert_agreed(&here, None).await;
    let ann = Member::new(1).insert(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;
    (here, ann)
}

#[tokio::test]
async fn entries_of_another_shape_are_replaced() {
    let (here, ann) = with_ann().await;
    let before = here.statistics();
    assert_agreed(&here, Some(&ann)).await;
    let after = here.statistics();
    assert!(after.unreadable >= before.unreadable + 3, "two shapes under one key");
    assert_eq!(after.loads - before.loads, after.unreadable - before.unreadable);
}

#[tokio::test]
async fn what_is_written_through_one_is_seen_by_all() {
    let (here, mut ann) = with_ann().await;
    ann.name = "Anna".into();
    ann.update(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    ann.age = 31;
    MemberAge { id: 1, age: 31 }.update(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    ann.name = "Ann".into();
    MemberName { id: 1, name: "Ann".into() }.update(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    assert!(MemberAge { id: 1, age: 0 }.delete(&here.orm).await.unwrap());
    assert_agreed(&here, None).await;
    let ann = Member::new(1).upsert(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;
    assert!(MemberName::delete_by_key(&here.orm, 1).await.unwrap());
    assert_agreed(&here, None).await;
}

#[tokio::test]
async fn every_kind_of_write_fences_the_others() {
    let (here, _) = with_ann().await;
    let patch = Member::patch(1).set(MemberColumns::NAME, "patched");
    let mut ann = patch.execute(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;
    MemberAge::patch(1).set(MemberAgeColumns::AGE, 7).execute(&here.orm).await.unwrap();
    ann.age = 7;
    assert_agreed(&here, Some(&ann)).await;
    let patch = MemberName::patch(1).set(MemberNameColumns::NAME, "by name");
    patch.execute(&here.orm).await.unwrap();
    ann.name = "by name".into();
    assert_agreed(&here, Some(&ann)).await;

    ann.name = "upserted".into();
    ann.upsert(&here.orm).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    ann.name = "many".into();
    Member::update_many(&here.orm, std::slice::from_mut(&mut ann)).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    assert_eq!(Member::delete_many(&here.orm, [1]).await.unwrap(), 1);
    assert_agreed(&here, None).await;
    Member::insert_many(&here.orm, std::slice::from_ref(&ann)).await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    let mut transaction = here.orm.pool().begin().await.unwrap();
    ann.name = "on".into();
    let pending = ann.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    assert_agreed(&here, Some(&ann)).await;
}

#[tokio::test]
async fn transactions_fence_the_others_and_savepoints_undo_it() {
    let (here, mut ann) = with_ann().await;
    let mut transaction = here.orm.begin().await.unwrap();
    let mut savepoint = transaction.savepoint().await.unwrap();
    Member { name: "undone".into(), ..ann.clone() }.update(&mut savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    ann.name = "Anna".into();
    MemberName { id: 1, name: "Anna".into() }.update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_agreed(&here, Some(&ann)).await;

    let before = here.statistics();
    let mut transaction = here.orm.begin().await.unwrap();
    ann.age = 32;
    ann.update(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(here.statistics().fences, before.fences + 2, "one for each cache name");
    assert_agreed(&here, Some(&ann)).await;
}

#[tokio::test]
async fn only_the_shape_that_was_written_is_in_the_cache() {
    let (here, mut ann) = with_ann().await;
    ann.name = "Anna".into();
    ann.update(&here.orm).await.unwrap();
    assert_eq!(Member::get_cached_instance(&here.orm, 1).await.unwrap(), Some(ann));
    assert_eq!(MemberName::get_cached_instance(&here.orm, 1).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_taken_out_is_taken_out_in_every_shape() {
    let (here, mut ann) = with_ann().await;
    for revision in 0..3 {
        ann.name = format!("raw {revision}");
        let name = &ann.name;
        let sql = format!("UPDATE members SET name = '{name}' WHERE id = 1");
        match revision {
            0 => {
                here.run(&sql).await;
                Member::delete_cached_instance(&here.orm, 1).await.unwrap();
            }
            1 => {
                here.run(&sql).await;
                Member::invalidate(&here.orm, [1]).await.unwrap();
            }
            _ => {
                let mut transaction = here.orm.begin().await.unwrap();
                transaction.touch::<Member>(1).await.unwrap();
                let sql = sqlx::AssertSqlSafe(sql);
                sqlx::raw_sql(sql).execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            }
        }
        assert_agreed(&here, Some(&ann)).await;
    }
}
