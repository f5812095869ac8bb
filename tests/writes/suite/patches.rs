//! Writing some of the columns.

use super::Here;
use crate::{
    databases::Kind,
    documents::{DOCUMENTS, Document, DocumentColumns, PLAYERS, Player, PlayerColumns},
    sessions::EVERYWHERE,
    tables::people::{COUNTERS, Counter, CounterColumns},
};
use cached_orm::{Error, MemcachedOrm as _};
use tokio::join;

#[tokio::test]
async fn only_these_columns_are_written_and_the_row_is_returned() {
    let here = Here::with(&[DOCUMENTS]).await;
    for (id, place) in (1..).zip(EVERYWHERE) {
        Document::new(id, "a").insert(&here.orm).await.unwrap();
        Document::fetch(&here.orm, id).await.unwrap();
        here.run(&format!("UPDATE documents SET body = 'others' WHERE id = {id}")).await;
        let tags = vec!["x".to_owned(), "ü".to_owned()];
        let patched = done!(place, here, |session| {
            Document::patch(id)
                .set(DocumentColumns::TITLE, "b")
                .set(DocumentColumns::TAGS, tags.clone())
                .execute(session)
                .await
                .unwrap()
        });
        let expected = Document {
            body: Some("others".into()),
            tags,
            revision: 2,
            ..Document::new(id, "b")
        };
        assert_eq!(patched, expected);
        assert_eq!(Document::fetch_one(&here.orm, id).await.unwrap(), expected);
        let patched = done!(place, here, |session| {
            Document::patch(id).set(DocumentColumns::BODY, None).execute(session).await.unwrap()
        });
        assert_eq!(patched, Document { body: None, revision: 3, ..expected });
        assert_eq!(Document::fetch_one(&here.orm, id).await.unwrap(), patched);
    }
}

#[tokio::test]
async fn columns_can_be_set_one_after_another() {
    let here = Here::with(&[DOCUMENTS]).await;
    Document::new(1, "a").insert(&here.orm).await.unwrap();
    for (title, body) in [(None, Some("b")), (Some("c"), Some("d")), (Some("e"), None)] {
        let mut patch = Document::patch(1);
        if let Some(title) = title {
            patch = patch.set(DocumentColumns::TITLE, title);
        }
        if let Some(body) = body {
            patch = patch.set(DocumentColumns::BODY, Some(body.to_owned()));
        }
        patch.execute(&here.orm).await.unwrap();
    }
    let read = Document::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!((read.title.as_str(), read.body.as_deref()), ("e", Some("d")));
}

#[tokio::test]
async fn what_the_program_does_not_write_is_refused_by_its_name() {
    let here = Here::with(&[DOCUMENTS]).await;
    Document::new(1, "a").insert(&here.orm).await.unwrap();
    let before = here.statistics();
    let patches = [
        (Document::patch(1).set(DocumentColumns::ID, 2), "column `id` is of the primary key"),
        (Document::patch(1).set(DocumentColumns::SHOUT, "x"), "column `shout` is generated"),
        (Document::patch(1).set(DocumentColumns::LEGACY, 1), "column `legacy` is generated or read-only"),
        (Document::patch(1).set(DocumentColumns::REVISION, 1), "column `lock_version` is the version"),
        (
            Document::patch(1).set(DocumentColumns::TITLE, "x").set(DocumentColumns::TITLE, "y"),
            "column `title` is set twice",
        ),
        (Document::patch(1), "no column is set"),
    ];
    for (patch, expected) in patches {
        let error = patch.execute(&here.orm).await.unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("patch of Document: ") && text.contains(expected), "{text}");
    }
    assert_eq!(here.statistics(), before);
    assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap(), Document::new(1, "a"));
}

#[tokio::test]
async fn a_row_that_is_not_there_is_an_error() {
    let here = Here::with(&[DOCUMENTS]).await;
    for place in EVERYWHERE {
        let error = done!(place, here, |session| {
            let patch = Document::patch(1).set(DocumentColumns::TITLE, "x");
            patch.execute(session).await.unwrap_err()
        });
        assert!(matches!(error, Error::RowNotFound { .. }), "{error}");
    }
    assert_eq!(here.statistics().fences, 0);
}

#[tokio::test]
async fn rolled_back_it_has_never_been() {
    let here = Here::with(&[DOCUMENTS]).await;
    Document::new(1, "a").insert(&here.orm).await.unwrap();
    let fences = here.statistics().fences;
    undone!(here, |session| {
        Document::patch(1).set(DocumentColumns::TITLE, "x").execute(session).await.unwrap();
    });
    assert_eq!(here.statistics().fences, fences);
    let cached = Document::get_cached_instance(&here.orm, 1).await.unwrap();
    assert_eq!(cached, Some(Document::new(1, "a")));
}

#[tokio::test]
async fn a_patched_row_is_in_the_cache_unless_a_trigger_changes_it_afterwards() {
    let here = Here::with(&[DOCUMENTS, COUNTERS]).await;
    Document::new(1, "a").insert(&here.orm).await.unwrap();
    Counter { id: 1, writer: 0, revision: 0 }.insert(&here.orm).await.unwrap();
    let mut since = here.statistics();
    let patch = Document::patch(1).set(DocumentColumns::TITLE, "b");
    let patched = patch.execute(&here.orm).await.unwrap();
    assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap(), patched);
    assert_eq!(here.loads_since(&mut since), 0);

    Counter::patch(1).set(CounterColumns::WRITER, 1).execute(&here.orm).await.unwrap();
    let read = Counter::fetch_one(&here.orm, 1).await.unwrap();
    assert_eq!((read.writer, read.revision), (1, 1));
    let loads = if Here::DATABASE == Kind::Sqlite { 1 } else { 0 };
    assert_eq!(here.loads_since(&mut since), loads);
}

/// Each writes a column of its own, many times.
#[tokio::test]
async fn patches_of_different_columns_do_not_undo_each_other() {
    const ROUNDS: usize = 20;
    let here = Here::with(&[DOCUMENTS]).await;
    Document::new(1, "a").insert(&here.orm).await.unwrap();
    let title = async {
        for round in 0..ROUNDS {
            let title = format!("title {round}");
            let patch = Document::patch(1).set(DocumentColumns::TITLE, title.clone());
            assert_eq!(patch.execute(&here.orm).await.unwrap().title, title);
            assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap().title, title);
        }
    };
    let body = async {
        for round in 0..ROUNDS {
            let body = Some(format!("body {round}"));
            let patch = Document::patch(1).set(DocumentColumns::BODY, body.clone());
            assert_eq!(patch.execute(&here.orm).await.unwrap().body, body);
            assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap().body, body);
        }
    };
    // An update of a row that was patched meanwhile is a conflict, and tried again.
    let tags = async {
        for round in 0..ROUNDS {
            loop {
                let mut row = Document::fetch_one(&here.orm, 1).await.unwrap();
                row.tags = vec![format!("tag {round}")];
                match row.update(&here.orm).await {
                    Ok(()) => break,
                    Err(Error::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    join!(title, body, tags);
    let last = ROUNDS - 1;
    let expected = Document {
        body: Some(format!("body {last}")),
        tags: vec![format!("tag {last}")],
        revision: 1 + 3 * ROUNDS as i32,
        ..Document::new(1, &format!("title {last}"))
    };
    assert_eq!(Document::fetch_one(&here.orm, 1).await.unwrap(), expected);
}

#[tokio::test]
async fn the_lists_of_an_index_follow() {
    let here = Here::with(&[PLAYERS]).await;
    Player::new(1, 1).insert(&here.orm).await.unwrap();
    for (place, team) in EVERYWHERE.into_iter().zip(2..) {
        assert_eq!(Player::fetch_by_team(&here.orm, team - 1).await.unwrap().len(), 1);
        assert_eq!(Player::fetch_by_team(&here.orm, team).await.unwrap(), []);
        done!(place, here, |session| {
            Player::patch(1).set(PlayerColumns::TEAM, team).execute(session).await.unwrap()
        });
        assert_eq!(Player::fetch_by_team(&here.orm, team - 1).await.unwrap(), []);
        assert_eq!(Player::fetch_by_team(&here.orm, team).await.unwrap().len(), 1);
    }
}
