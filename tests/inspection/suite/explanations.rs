//! What lies under a key.

use super::Here;
use crate::rows::{BAGS, Bag, NEAR_PARTS, NearPart, OlderPart, PARTS, Part, SECRET};
use cached_orm::{CacheContent, Explanation, InDatabase, Lookup, MemcachedOrm as _, Replaced};
use std::time::Duration;

async fn place() -> Here {
    Here::with(&[PARTS]).await
}

async fn explain(here: &Here, id: i64) -> Explanation {
    here.orm.explain::<Part>(id).await
}

/// Puts a value there as no library does: by a lease and its token.
async fn put(here: &Here, id: i64, value: &'static [u8]) {
    let key = Part::new(id).get_cache_key(&here.orm);
    let lease = here.orm.store().get(&key, Some(Duration::from_secs(9))).await.unwrap();
    let Lookup::Lease(cas) = lease else { panic!("{lease:?}") };
    let ttl = Duration::from_secs(60);
    let stored = here.orm.store().replace(&key, value.into(), ttl, cas).await.unwrap();
    assert!(matches!(stored, Replaced::Stored(_)), "{stored:?}");
}

#[tokio::test]
async fn a_row_is_told_with_its_age_size_and_shape_and_agrees() {
    let here = place().await;
    Part::new(1).insert(&here.orm).await.unwrap();
    let before = explain(&here, 2).await;
    assert_eq!(before.content, CacheContent::Nothing);
    assert_eq!((before.database, before.agrees), (Some(InDatabase::NoRow), None));

    Part::fetch_one(&here.orm, 1).await.unwrap();
    let told = explain(&here, 1).await;
    assert_eq!(told.content, CacheContent::Row, "{told}");
    assert_eq!(told.key, format!("{}:parts:(1)", here.namespace()));
    assert_eq!((told.agrees, told.database.clone()), (Some(true), Some(InDatabase::Row)));
    assert_eq!((told.is_own_shape, told.is_compressed), (Some(true), Some(false)));
    assert_eq!((told.reason.clone(), told.pending, told.near), (None, None, None));
    let (ttl, age) = (told.ttl.unwrap(), told.age.unwrap());
    // 10 minutes with a quarter of jitter, and memcached's clock of whole seconds.
    assert!((430..=600).contains(&ttl.as_secs()), "{ttl:?}");
    assert!(age.at_least <= Duration::from_secs(20), "{age:?}");
    assert!(age.at_most <= Duration::from_secs(170), "{age:?}");
    let bytes = told.bytes.unwrap();
    assert!((30..200).contains(&bytes), "{bytes}");
    assert_eq!(told.unpacked_bytes, Some(bytes));

    let by_name = here.orm.explain_key(&here.orm.row_key("parts", &["1"])).await;
    assert_eq!(by_name.key, told.key);
    assert_eq!((by_name.content, by_name.bytes), (CacheContent::Row, told.bytes));
    assert_eq!(by_name.fingerprint, told.fingerprint);
    assert_eq!((by_name.database, by_name.agrees), (None, None));
    let json = serde_json::to_string(&told).unwrap();
    for text in [told.to_string(), json.clone(), format!("{told:?}")] {
        assert!(!text.contains(SECRET), "{text}");
    }
    assert!(told.to_string().contains("agrees        yes"), "{told}");
    assert!(json.contains(r#""content":"row""#), "{json}");
}

#[tokio::test]
async fn a_compressed_row_is_told_with_both_sizes() {
    let here = place().await;
    let mut part = Part { name: "long ".repeat(300), ..Part::new(1) };
    part = part.insert(&here.orm).await.unwrap();
    Part::fetch_one(&here.orm, part.id).await.unwrap();
    let told = explain(&here, 1).await;
    assert_eq!((told.is_compressed, told.agrees), (Some(true), Some(true)), "{told}");
    assert!(told.bytes.unwrap() < 300 && told.unpacked_bytes.unwrap() > 1500, "{told}");
}

#[tokio::test]
async fn no_such_row_is_told_and_that_there_is_one_by_now() {
    let here = place().await;
    assert_eq!(Part::fetch(&here.orm, 3).await.unwrap(), None);
    let told = explain(&here, 3).await;
    assert_eq!((told.content, told.agrees), (CacheContent::Absent, Some(true)), "{told}");
    assert_eq!(told.fingerprint, None);
    here.run("INSERT INTO parts VALUES (3, 'past the library', 1)").await;
    let told = explain(&here, 3).await;
    assert_eq!((told.content, told.agrees), (CacheContent::Absent, Some(false)), "{told}");
    assert_eq!((told.database, told.differing), (Some(InDatabase::Row), Vec::new()));
}

#[tokio::test]
async fn a_difference_is_told_by_its_columns() {
    let here = place().await;
    Part::new(1).insert(&here.orm).await.unwrap();
    Part::fetch_one(&here.orm, 1).await.unwrap();
    here.run("UPDATE parts SET label = 'plugh' WHERE id = 1").await;
    let told = explain(&here, 1).await;
    assert_eq!((told.agrees, &told.differing[..]), (Some(false), &["label".to_owned()][..]));
    let text = told.to_string();
    assert!(text.contains("no: label") && !text.contains("plugh") && !text.contains(SECRET));
    here.run("UPDATE parts SET stock = 7 WHERE id = 1").await;
    assert_eq!(explain(&here, 1).await.differing, ["label", "stock"]);
    here.run("DELETE FROM parts").await;
    let told = explain(&here, 1).await;
    assert_eq!((told.agrees, told.database), (Some(false), Some(InDatabase::NoRow)));
}

#[tokio::test]
async fn a_field_without_an_order_differs_only_if_it_holds_something_else() {
    let here = Here::with(&[BAGS]).await;
    let words = ["a", "b", "c", "d", "e", "f"].map(String::from).into_iter().collect();
    Bag { id: 1, words, stock: 1 }.insert(&here.orm).await.unwrap();
    Bag::fetch_one(&here.orm, 1).await.unwrap();
    for _ in 0..10 {
        let told = here.orm.explain::<Bag>(1).await;
        assert_eq!(told.agrees, Some(true), "{told}");
    }
    here.run(r#"UPDATE bags SET words = '["a", "b"]'"#).await;
    assert_eq!(here.orm.explain::<Bag>(1).await.differing, ["words"]);
}

#[tokio::test]
async fn a_lease_is_told() {
    let here = place().await;
    let key = Part::new(1).get_cache_key(&here.orm);
    here.orm.store().get(&key, Some(Duration::from_secs(9))).await.unwrap();
    let told = explain(&here, 1).await;
    assert_eq!((told.content, told.agrees), (CacheContent::Lease, None), "{told}");
}

#[tokio::test]
async fn a_fence_is_told_with_its_age() {
    let here = place().await;
    let mut part = Part::new(1).insert(&here.orm).await.unwrap();
    let pool = here.other_pool().await;
    let mut transaction = pool.begin().await.unwrap();
    part.stock = 2;
    let pending = part.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    // SQLite has one writer, but readers see the last commit.
    let told = explain(&here, 1).await;
    assert_eq!((told.content, told.writers), (CacheContent::Fence, Some(1)), "{told}");
    assert!(told.age.unwrap().at_most <= Duration::from_secs(10), "{told}");
    assert_eq!((told.database, told.agrees), (Some(InDatabase::Row), None));
    transaction.commit().await.unwrap();
    let _ = fenced.release().await;
    assert_eq!(explain(&here, 1).await.content, CacheContent::Nothing);
}

#[tokio::test]
async fn what_is_not_ours_is_told_as_such() {
    let here = place().await;
    Part::new(1).insert(&here.orm).await.unwrap();
    Part::delete_cached_instance(&here.orm, 1).await.unwrap();
    put(&here, 1, b"somebody's").await;
    let told = explain(&here, 1).await;
    assert_eq!((told.content, told.agrees), (CacheContent::Unusable, None), "{told}");
    assert!(told.reason.unwrap().contains("not an entry of this crate"));
    assert_eq!(told.bytes, Some(10));
    // As a reader finds it, and replaces it.
    Part::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!(explain(&here, 1).await.content, CacheContent::Row);
}

#[tokio::test]
async fn a_row_of_another_shape_is_told_with_its_fingerprint() {
    let here = place().await;
    Part::new(1).insert(&here.orm).await.unwrap();
    OlderPart::fetch_one(&here.orm, 1).await.unwrap();
    OlderPart::fetch_one(&here.orm, 1).await.unwrap();
    let (told, own) = (explain(&here, 1).await, here.orm.explain::<OlderPart>(1).await);
    assert_eq!((own.content, own.agrees), (CacheContent::Row, Some(true)), "{own}");
    assert_eq!(told.content, CacheContent::Unusable, "{told}");
    assert_eq!((told.is_own_shape, own.is_own_shape), (Some(false), Some(true)));
    assert_eq!(told.fingerprint, own.fingerprint);
}

#[tokio::test]
async fn a_copy_in_this_process_is_told() {
    let here = Here::with(&[NEAR_PARTS]).await;
    NearPart { id: 1, stock: 1 }.insert(&here.orm).await.unwrap();
    assert_eq!(here.orm.explain::<NearPart>(1).await.near, None);
    let mut part = NearPart::fetch_one(&here.orm, 1).await.unwrap();
    NearPart::fetch_one(&here.orm, 1).await.unwrap();
    let told = here.orm.explain::<NearPart>(1).await;
    let near = told.near.unwrap();
    assert!(near.is_used && near.age < Duration::from_secs(20), "{told}");
    part.update(&here.orm).await.unwrap();
    let near = here.orm.explain::<NearPart>(1).await.near;
    assert!(near.is_none_or(|near| !near.is_used), "{near:?}");
}

#[tokio::test]
async fn rows_of_the_outbox_are_told_by_either_text() {
    let here = Here::built(&[PARTS], |builder| builder.drainer(false)).await;
    assert_eq!(explain(&here, 1).await.pending, None);
    here.orm.install_outbox().await.unwrap();
    assert_eq!(explain(&here, 1).await.pending, Some(0));
    let key = format!("{}:parts:(1)", here.namespace());
    here.enlist(here.namespace(), &key).await;
    // As a trigger writes it.
    here.enlist(here.namespace(), "hex parts:(31)").await;
    here.enlist(here.namespace(), "hex parts:(32)").await;
    here.enlist("another", &key).await;
    assert_eq!(explain(&here, 1).await.pending, Some(2));
    let by_name = here.orm.explain_key(&here.orm.row_key("parts", &["1"])).await;
    assert_eq!(by_name.pending, Some(2));
}
