//! What lies in memcached after operations on a row with a secret, byte for byte.

use super::Here;
use crate::{
    memcached::Wire,
    rows::accounts::{ACCOUNTS, Account, AccountColumns},
};
use cached_orm::{MemcachedOrm as _, SetOptions, Uncached};

const SECRETS: [&str; 4] = ["hunter2-secret", "otter-secret", "hunter3-secret", "beaver-secret"];

/// Fails if a secret lies under the row's key. Says whether anything does.
fn is_cached(here: &Here, wire: &mut Wire) -> bool {
    let key = Account::with(1, "", "").get_cache_key(&here.orm).to_string();
    let Some(value) = wire.get(&key) else { return false };
    for secret in SECRETS {
        let found = value.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "`{secret}` lies in the cache");
    }
    true
}

#[tokio::test]
async fn no_operation_puts_a_secret_into_memcached() {
    let here = Here::with(&[ACCOUNTS]).await;
    let mut wire = Wire::shared();
    let mut ann = Account::with(1, SECRETS[0], SECRETS[1]).insert(&here.orm).await.unwrap();
    let after_insert = is_cached(&here, &mut wire);
    assert!(after_insert, "written through");

    Account::delete_cached_instance(&here.orm, 1).await.unwrap();
    assert!(!is_cached(&here, &mut wire));
    Account::fetch_one(&here.orm, 1).await.unwrap();
    assert!(is_cached(&here, &mut wire), "filled");

    ann.password = Uncached::new(SECRETS[2].into());
    ann.update(&here.orm).await.unwrap();
    assert!(is_cached(&here, &mut wire), "written through");

    ann.refresh(&here.orm).await.unwrap();
    assert!(is_cached(&here, &mut wire), "refreshed");

    let options = SetOptions::default().min_compress_len(1 << 20);
    assert!(ann.set_cached_instance(&here.orm, options).await.unwrap());
    assert!(is_cached(&here, &mut wire));

    Account::fetch_uncached(&here.orm, 1).await.unwrap().unwrap();
    ann.unloaded().load_uncached(&here.orm).await.unwrap();
    assert!(is_cached(&here, &mut wire));

    let mut transaction = here.orm.begin().await.unwrap();
    ann.recovery_code = Uncached::new(Some(SECRETS[3].into()));
    ann.update(&mut transaction).await.unwrap();
    Account::fetch(&mut transaction, 1).await.unwrap();
    is_cached(&here, &mut wire);
    transaction.commit().await.unwrap();
    is_cached(&here, &mut wire);
    Account::fetch_one(&here.orm, 1).await.unwrap();
    assert!(is_cached(&here, &mut wire), "filled after a transaction");

    // What cannot be read is replaced.
    wire.set(&ann.get_cache_key(&here.orm).to_string(), b"rubbish");
    Account::fetch_one(&here.orm, 1).await.unwrap();
    assert!(is_cached(&here, &mut wire), "replaced");

    assert_eq!(ann.upsert(&here.orm).await.unwrap(), ann);
    assert!(is_cached(&here, &mut wire), "upserted");
    let patched = Account::patch(1).set(AccountColumns::PASSWORD, SECRETS[0]);
    ann = patched.execute(&here.orm).await.unwrap();
    assert!(is_cached(&here, &mut wire), "patched");
    let mut rows = [ann.clone()];
    Account::update_many(&here.orm, &mut rows).await.unwrap();
    is_cached(&here, &mut wire);
    let rows = Account::fetch_many(&here.orm, [1, 2]).await.unwrap();
    assert_eq!(rows, [Some(ann.unloaded()), None]);
    assert!(is_cached(&here, &mut wire), "filled by a batch");

    let mut fetched = Account::fetch_one(&here.orm, 1).await.unwrap();
    fetched.name = "Anna".into();
    fetched.update(&here.orm).await.unwrap();
    assert!(is_cached(&here, &mut wire), "written through without its secrets");
    assert_eq!(fetched, Account { name: "Anna".into(), ..ann });

    let mut transaction = here.orm.pool().begin().await.unwrap();
    let pending = fetched.update_on(&here.orm, &mut transaction).await.unwrap();
    let fenced = pending.fence(&mut transaction).await.unwrap();
    transaction.commit().await.unwrap();
    fenced.release().await;
    Account::fetch_one(&here.orm, 1).await.unwrap();
    assert!(is_cached(&here, &mut wire), "filled after a transaction of sqlx");
}
