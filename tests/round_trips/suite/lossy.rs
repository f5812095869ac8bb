//! Rows that serde changes, by every way that leads into the cache.

use super::Here;
use crate::{
    log::Warnings,
    rows::{
        Noted as _,
        fussy::{ARTICLES, Article, Coarse, MEMBERS, Member},
        types::{Masked, Secret, Seconds},
    },
};
use cached_orm::{MemcachedOrm as _, SetOptions};
use chrono::DateTime;

async fn with_secret() -> (Here, Secret) {
    let here = Here::with(&[Secret::TABLE]).await;
    let secret = Secret::new(1, Masked("hunter2".into())).insert(&here.orm).await.unwrap();
    assert_eq!(secret.value.0, "hunter2");
    (here, secret)
}

async fn is_cached(here: &Here) -> bool {
    Secret::get_cached_instance(&here.orm, 1).await.unwrap().is_some()
}

#[tokio::test]
async fn nothing_puts_such_a_row_into_the_cache() {
    let (here, mut secret) = with_secret().await;
    let mut counted = here.statistics().uncacheable;
    assert_eq!(counted, 1, "written through");
    let mut more = |what: &str| {
        let before = std::mem::replace(&mut counted, here.statistics().uncacheable);
        assert!(counted > before, "{what}");
    };
    assert!(!is_cached(&here).await);

    assert_eq!(Secret::fetch_one(&here.orm, 1).await.unwrap().value.0, "hunter2");
    more("loaded");
    let rows = Secret::fetch_many(&here.orm, [1, 1, 2, 1]).await.unwrap();
    let values: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.value.0.as_str())).collect();
    assert_eq!(values, [Some("hunter2"), Some("hunter2"), None, Some("hunter2")]);
    more("loaded in a batch");
    secret.refresh(&here.orm).await.unwrap();
    assert_eq!(secret.value.0, "hunter2");
    more("refreshed");
    assert!(!secret.set_cached_instance(&here.orm, SetOptions::default()).await.unwrap());
    more("set");
    let warmed = Secret::warm(&here.orm, [1, 2], |_| ()).await.unwrap();
    assert_eq!((warmed.filled, warmed.skipped, warmed.absent), (0, 1, 1));
    more("warmed");
    secret.note = "changed".into();
    secret.update(&here.orm).await.unwrap();
    more("updated");
    secret.upsert(&here.orm).await.unwrap();
    more("upserted");
    let mut both = [secret.clone()];
    Secret::update_many(&here.orm, &mut both).await.unwrap();
    more("updated with others");
    assert!(!is_cached(&here).await);
    let truth = Secret::fetch_uncached(&here.orm, 1).await.unwrap().unwrap();
    assert_eq!((truth.note.as_str(), truth.value.0.as_str()), ("changed", "hunter2"));
}

#[tokio::test]
async fn many_readers_at_once_are_all_given_the_row() {
    let (here, _) = with_secret().await;
    let readers = (0..20).map(|_| {
        let orm = here.orm.clone();
        tokio::spawn(async move { Secret::fetch_one(&orm, 1).await })
    });
    for reader in readers.collect::<Vec<_>>() {
        assert_eq!(reader.await.unwrap().unwrap().value.0, "hunter2");
    }
    assert!(!is_cached(&here).await);
}

#[tokio::test]
async fn it_is_told_once_for_each_column_and_without_the_value() {
    let warnings = Warnings::listen();
    let here = Here::with(&[Secret::TABLE, Seconds::TABLE]).await;
    let at = DateTime::from_timestamp_micros(1_500_000).unwrap();
    for id in 1..4 {
        Secret::new(id, Masked("hunter2".into())).insert(&here.orm).await.unwrap();
        Secret::fetch_one(&here.orm, id).await.unwrap();
        Seconds::new(id, at).insert(&here.orm).await.unwrap();
    }
    let told = warnings.of_lost_rows();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("Secret") && told[1].contains("Seconds"), "{told:#?}");
    for line in told {
        assert!(line.contains("column=\"value\"") && !line.contains("hunter2"), "{line}");
    }
}

/// Entries of indexes hold keys.
#[tokio::test]
async fn keys_that_serde_changes_are_not_cached_either() {
    let here = Here::with(&[MEMBERS]).await;
    let member = |id: i64, team| Member { id: Coarse(id), name: format!("name {id}"), team };
    let rows = [member(7, 1), member(20, 1), member(30, 2)];
    for row in &rows {
        assert_eq!(row.insert(&here.orm).await.unwrap(), *row);
    }
    let before = here.statistics();
    for _ in 0..3 {
        for row in &rows {
            assert_eq!(Member::fetch_one(&here.orm, row.id).await.unwrap(), *row);
            let found = Member::fetch_by_name(&here.orm, row.name.clone()).await.unwrap();
            assert_eq!(found.as_ref(), Some(row));
        }
        assert_eq!(Member::fetch_by_team(&here.orm, 1).await.unwrap(), rows[..2]);
        assert_eq!(Member::fetch_by_team(&here.orm, 2).await.unwrap(), rows[2..]);
        let names = rows.iter().map(|row| row.name.clone());
        let found = Member::fetch_many_by_name(&here.orm, names).await.unwrap();
        assert!(found.iter().flatten().eq(&rows));
    }
    let after = here.statistics();
    assert_eq!((after.misled, after.unreadable), (before.misled, before.unreadable));
    assert!(after.uncacheable > before.uncacheable);
    // A key that serde leaves alone is a hit, and so is a pointer to it.
    assert!(after.near_hits - before.near_hits >= 2 * 4, "{after:?}");
}

#[tokio::test]
async fn columns_that_are_only_read_count_and_those_that_are_not_cached_do_not() {
    let here = Here::with(&[ARTICLES]).await;
    let article = |id| Article {
        id,
        title: "title".into(),
        legacy: Coarse(0),
        revision: 1,
        // serde would change it, but does not come to see it.
        secret: Coarse(7).into(),
        shown: true,
    };
    for id in 1..=2 {
        article(id).insert(&here.orm).await.unwrap();
    }
    here.run("UPDATE articles SET legacy = 11 WHERE id = 2").await;
    Article::invalidate(&here.orm, [1, 2]).await.unwrap();
    for (id, legacy, is_cached) in [(1, 10, true), (2, 11, false)] {
        for _ in 0..2 {
            assert_eq!(Article::fetch_one(&here.orm, id).await.unwrap().legacy, Coarse(legacy));
        }
        let cached = Article::get_cached_instance(&here.orm, id).await.unwrap();
        assert_eq!(cached.is_some(), is_cached, "{id}");
    }
    let audit = here.orm.audit::<Article>([1, 2], Default::default(), |_| ()).await.unwrap();
    assert_eq!((audit.agreed, audit.unexplained), (1, 0), "{audit}");
}
