//! Primary keys of types other than integers and texts.

use super::Here;
use crate::tables::keys::{ACCOUNTS, Account, AccountColumns, AccountId, BLOBS, Blob};
use cached_orm::MemcachedOrm as _;

#[tokio::test]
async fn bytes_can_be_a_key() {
    let here = Here::with(&[BLOBS]).await;
    let keys: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"get x\r\n", b"\xff\xfe", &[0xAB; 400]];
    for (size, hash) in (1..).zip(keys) {
        Blob { hash: hash.to_vec(), size }.insert(&here.orm).await.unwrap();
    }
    for (size, hash) in (1..).zip(keys) {
        // From the database, and then from the cache.
        for _ in 0..2 {
            let found = Blob::fetch(&here.orm, hash.to_vec()).await.unwrap();
            assert_eq!(found.map(|found| found.size), Some(size), "{hash:?}");
        }
    }
    let mut blob = Blob { hash: keys[5].to_vec(), size: 100 };
    blob.update(&here.orm).await.unwrap();
    let read = Blob::fetch_one(&here.orm, blob.hash.clone()).await.unwrap();
    assert_eq!(read, blob);
}

#[tokio::test]
async fn a_type_of_the_programs_own_can_be_a_key() {
    let here = Here::with(&[ACCOUNTS]).await;
    let id = AccountId(-5);
    let mut account = Account { id, owner: "Ann".into() }.insert(&here.orm).await.unwrap();
    assert_eq!(account.get_instance_key(), "(-5)");
    account.owner = "Bob".into();
    account.update(&here.orm).await.unwrap();
    assert_eq!(Account::fetch(&here.orm, id).await.unwrap().as_ref(), Some(&account));
    let mut since = here.statistics();
    let found = Account::fetch_by_field(&here.orm, AccountColumns::ID, id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&account));
    assert_eq!(here.loads_since(&mut since), 0);
    assert!(account.delete(&here.orm).await.unwrap());
    assert_eq!(Account::fetch(&here.orm, id).await.unwrap(), None);
}
