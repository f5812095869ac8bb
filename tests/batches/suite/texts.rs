//! Texts as keys: hostile ones, and databases that take `ANN` for `ann`.

use super::Here;
use crate::{
    databases::Kind,
    shapes::{PLAYERS, Player},
    tables::keys::{NICKNAMES, NOTES, Nickname, Note},
};
use cached_orm::MemcachedOrm as _;

fn hostile() -> Vec<String> {
    let mut keys: Vec<String> = [
        "", " ", "  ", "a b", "a", "a ", "A", "\n", "\r\n", "get x\r\n", ")(", "(1)", "%", "%20",
        ":", "#", "'; DROP TABLE notes; --", "') OR ('1'='1", "$1", "?", "\\", "\\'", "\"", "`",
        "\u{7f}", "é", "e\u{301}", "\u{1F980}", "\u{feff}", "ß", "ss", "\t",
    ]
    .map(str::to_owned)
    .into();
    // Longer than memcached takes.
    keys.extend([250, 251, 768].map(|length| "k".repeat(length)));
    keys.extend(["é".repeat(768), " ".repeat(700)]);
    if Here::DATABASE != Kind::MariaDb {
        keys.extend(["l".repeat(10_000), "l".repeat(9_999) + "m"]);
    }
    keys
}

#[tokio::test]
async fn every_text_gets_its_own_row() {
    let here = Here::with(&[NOTES]).await;
    let keys = hostile();
    for (number, title) in keys.iter().enumerate() {
        let note = Note { title: title.clone(), body: number.to_string() };
        note.insert(&here.orm).await.unwrap();
        Note::delete_cached_instance(&here.orm, title.clone()).await.unwrap();
    }
    for loads in [keys.len() as u64, 0] {
        let mut since = here.statistics();
        let found = Note::fetch_many(&here.orm, keys.clone()).await.unwrap();
        assert_eq!(here.loads_since(&mut since), loads);
        assert_eq!(found.len(), keys.len());
        for (number, (title, note)) in keys.iter().zip(found).enumerate() {
            let note = note.unwrap_or_else(|| panic!("{title:?}"));
            assert_eq!((&note.title, note.body), (title, number.to_string()));
        }
    }
}

#[tokio::test]
async fn a_row_is_found_by_its_own_spelling_only() {
    let here = Here::with(&[NICKNAMES, PLAYERS]).await;
    let ann = Nickname { name: "ann".into(), owner: 1 }.insert(&here.orm).await.unwrap();
    let spellings = ["ANN", "ann", "Ann", "bob"].map(str::to_owned);
    let expected = [None, Some(ann), None, None];
    Nickname::delete_cached_instance(&here.orm, "ann".into()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(Nickname::fetch_many(&here.orm, spellings.clone()).await.unwrap(), expected);
    }
    let mut transaction = here.orm.begin().await.unwrap();
    assert_eq!(Nickname::fetch_many(&mut transaction, spellings).await.unwrap(), expected);
    transaction.commit().await.unwrap();

    let ann = Player { team: "Reds".into(), name: "ann".into(), goals: 3 };
    ann.insert(&here.orm).await.unwrap();
    let keys = [("Reds", "ANN"), ("Reds", "ann"), ("reds", "ann"), ("Blues", "ann")];
    let keys = keys.map(|(team, name)| (team.to_owned(), name.to_owned()));
    Player::delete_cached_instance(&here.orm, keys[1].clone()).await.unwrap();
    let expected = [None, Some(ann), None, None];
    for _ in 0..2 {
        assert_eq!(Player::fetch_many(&here.orm, keys.clone()).await.unwrap(), expected);
    }
}
