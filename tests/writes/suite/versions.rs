//! Versions: an update is only over what was read.

use super::Here;
use crate::{
    documents::{DOCUMENTS, Document},
    sessions::{EVERYWHERE, Where},
};
use cached_orm::{Error, MemcachedOrm as _};
use futures_util::future::join_all;

#[tokio::test]
async fn an_update_counts_the_version() {
    let here = Here::with(&[DOCUMENTS]).await;
    let mut document = Document { revision: 41, ..Document::new(1, "a") };
    assert_eq!(document.insert(&here.orm).await.unwrap().revision, 41);
    for (place, expected) in EVERYWHERE.into_iter().zip(42..) {
        document.title = format!("{expected}");
        done!(place, here, |session| document.update(session).await.unwrap());
        assert_eq!(document.revision, expected);
        assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap(), document);
        assert_eq!(Document::fetch_uncached(&here.orm, 1).await.unwrap(), Some(document.clone()));
    }
}

#[tokio::test]
async fn another_version_is_a_conflict_that_changes_nothing() {
    let here = Here::with(&[DOCUMENTS]).await;
    let mut mine = Document::new(1, "a").insert(&here.orm).await.unwrap();
    let mut theirs = mine.clone();
    theirs.title = "theirs".into();
    theirs.update(&here.orm).await.unwrap();
    mine.title = "mine".into();
    let before = mine.clone();
    let fences = here.statistics().fences;
    for place in EVERYWHERE {
        let error = done!(place, here, |session| mine.update(session).await.unwrap_err());
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
        assert_eq!(error.to_string(), "update of Document: the row has another version");
        assert_eq!(mine, before);
        if matches!(place, Where::Orm) {
            assert_eq!(here.statistics().fences, fences);
            let cached = Document::get_cached_instance(&here.orm, 1).await.unwrap();
            assert_eq!(cached.as_ref(), Some(&theirs));
        }
    }
    // A transaction that is committed all the same fences the row: a trigger may have made
    // another statement of the update.
    assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap(), theirs);

    mine.refresh(&here.orm).await.unwrap();
    mine.title = "mine".into();
    mine.update(&here.orm).await.unwrap();
    assert_eq!(mine.revision, 3);
}

#[tokio::test]
async fn a_row_that_is_gone_is_no_conflict() {
    let here = Here::with(&[DOCUMENTS]).await;
    let mut document = Document::new(1, "a");
    for place in EVERYWHERE {
        let error = done!(place, here, |session| document.update(session).await.unwrap_err());
        assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    }
}

/// In each round all read the same version, and one of them writes.
#[tokio::test]
async fn of_many_at_once_exactly_one_wins() {
    const WRITERS: usize = 8;
    let here = Here::with(&[DOCUMENTS]).await;
    Document::new(1, "a").insert(&here.orm).await.unwrap();
    for round in 0..10 {
        let read = Document::fetch_one(&here.orm, 1).await.unwrap();
        assert_eq!(read.revision, 1 + round);
        let writers = (0..WRITERS).map(|writer| {
            let (orm, mut mine) = (here.orm.clone(), read.clone());
            async move {
                mine.title = format!("writer {writer}");
                mine.update(&orm).await.map(|()| mine)
            }
        });
        let mut winners = Vec::new();
        for outcome in join_all(writers).await {
            match outcome {
                Ok(row) => winners.push(row),
                Err(error) => assert!(matches!(error, Error::Conflict { .. }), "{error}"),
            }
        }
        let [winner] = winners.try_into().unwrap();
        assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap(), winner);
    }
}
