//! Texts as primary keys, from people who mean no good.

use super::Here;
use crate::{
    databases::Kind,
    tables::keys::{NOTES, Note},
};
use cached_orm::{Error, MemcachedOrm as _};

fn hostile() -> Vec<String> {
    let mut keys: Vec<String> = [
        "",
        " ",
        "  ",
        "a b",
        "a",
        "a ",
        "A",
        "\n",
        "\r\n",
        "get x\r\n",
        "x 0 0 1\r\n1\r\nset y",
        ")(",
        "(1)",
        "%",
        "%20",
        "%2520",
        ":",
        "#",
        "'; DROP TABLE notes; --",
        "\\",
        "\\'",
        "\"",
        "`",
        "\u{7f}",
        "\u{85}",
        "é",
        "e\u{301}",
        "\u{1F980}",
        "\u{202e}",
        "\u{feff}",
        "\u{10FFFF}",
        "ß",
        "ss",
        "\t",
    ]
    .map(str::to_owned)
    .into();
    // As long as MariaDB takes, and longer than memcached takes.
    keys.extend([250, 251, 768].map(|length| "k".repeat(length)));
    keys.extend(["é".repeat(768), "\u{1F980}".repeat(768), " ".repeat(700)]);
    if Here::DATABASE != Kind::MariaDb {
        keys.extend(["l".repeat(10_000), "l".repeat(9_999) + "m"]);
    }
    keys
}

#[tokio::test]
async fn every_text_is_a_key_of_its_own() {
    let here = Here::with(&[NOTES]).await;
    let keys = hostile();
    for (number, title) in keys.iter().enumerate() {
        let note = Note { title: title.clone(), body: number.to_string() };
        assert_eq!(note.insert(&here.orm).await.unwrap(), note);
    }
    let mut since = here.statistics();
    for _ in 0..2 {
        for (number, title) in keys.iter().enumerate() {
            let note = Note::fetch_one(&here.orm, title.clone()).await.unwrap();
            assert_eq!((&note.title, note.body), (title, number.to_string()));
        }
    }
    // Written rows are in the cache already, others are loaded once.
    assert!(here.loads_since(&mut since) <= keys.len() as u64);
}

#[tokio::test]
async fn writes_through_hostile_keys_leave_nothing_stale() {
    let here = Here::with(&[NOTES]).await;
    for title in hostile() {
        let mut note = Note { title: title.clone(), body: "old".into() };
        note = note.insert(&here.orm).await.unwrap();
        Note::fetch(&here.orm, title.clone()).await.unwrap();
        note.body = "new".into();
        note.update(&here.orm).await.unwrap();
        assert_eq!(Note::fetch_one(&here.orm, title.clone()).await.unwrap(), note);
        assert!(note.delete(&here.orm).await.unwrap());
        assert_eq!(Note::fetch(&here.orm, title).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_nul_is_part_of_a_key_or_a_clear_error() {
    let here = Here::with(&[NOTES]).await;
    let title = "a\0b".to_owned();
    let note = Note { title: title.clone(), body: "nul".into() };
    let plain = Note { title: "a".into(), body: "plain".into() }.insert(&here.orm).await.unwrap();
    if Here::DATABASE == Kind::Postgres {
        for error in [
            note.insert(&here.orm).await.unwrap_err(),
            Note::fetch(&here.orm, title).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::Database { .. }), "{error}");
            assert!(error.to_string().contains("code 22021"), "{error}");
        }
    } else {
        note.insert(&here.orm).await.unwrap();
        assert_eq!(Note::fetch_one(&here.orm, title).await.unwrap(), note);
    }
    assert_eq!(Note::fetch_one(&here.orm, "a".into()).await.unwrap(), plain);
}
