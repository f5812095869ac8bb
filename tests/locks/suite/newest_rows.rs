//! What a transaction reads of rows that it has locked, when others have written them
//! after its first read: the rows that are locked, and no older ones. Where a database
//! cannot do that it fails the transaction, and the program begins anew.

use super::{Database, Here};
use crate::{
    databases::{Kind, is_mariadb},
    rows::{
        BADGES, Badge, BadgeColumns, BadgeName, BadgeNameColumns, DATED, Dated, DatedColumns,
    },
};
use cached_orm::{Error, Isolation, MemcachedOrm as _, Transaction};
use sqlx::mysql::MySqlDatabaseError;

/// The database's own level, and each that can be asked for.
const LEVELS: [Option<Isolation>; 4] = [
    None,
    Some(Isolation::ReadCommitted),
    Some(Isolation::RepeatableRead),
    Some(Isolation::Serializable),
];

async fn begin(here: &Here, level: Option<Isolation>) -> Transaction<Database> {
    match level {
        Some(level) => here.orm.begin_with(level).await.unwrap(),
        None => here.orm.begin().await.unwrap(),
    }
}

/// Lets MariaDB lock what the snapshot does not show, as it did by default before 11.6
/// and as MySQL does.
async fn enforce_no_snapshot(transaction: &mut Transaction<Database>) {
    if Here::DATABASE == Kind::MariaDb && is_mariadb().await {
        let setting = sqlx::query("SET SESSION innodb_snapshot_isolation = OFF");
        setting.execute(&mut **transaction).await.unwrap();
    }
}

fn badge(id: i64, text: &str) -> Badge {
    Badge { id, code: format!("{text} {id}"), city: text.into(), note: text.into(), visits: 0 }
}

async fn badges() -> Here {
    let here = Here::with(&[BADGES, DATED]).await;
    for id in 1..=4 {
        badge(id, "old").insert(&here.orm).await.unwrap();
    }
    here
}

/// Others' writes of rows that a transaction has not met yet. On SQLite it is the only
/// writer, so there they come before it.
async fn with_others_writes(here: &Here, level: Option<Isolation>) -> Transaction<Database> {
    let others = async || {
        for id in [2, 3] {
            badge(id, "new").update(&here.orm).await.unwrap();
        }
    };
    if Here::DATABASE == Kind::Sqlite {
        others().await;
        return begin(here, level).await;
    }
    let mut transaction = begin(here, level).await;
    // The snapshot is that of the first read.
    Badge::fetch_one(&mut transaction, 1).await.unwrap();
    others().await;
    transaction
}

/// Whether the transaction was failed for the sake of another, as it may be.
fn is_refused(error: &Error) -> bool {
    let (Error::Database { source, .. } | Error::RolledBack { source, .. }) = error else {
        return false;
    };
    let Some(error) = source.as_database_error() else { return false };
    let number = error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    // MariaDB's, for a row that the snapshot does not show.
    number == Some(1020) || matches!(error.code().as_deref(), Some("40001" | "40P01"))
}

/// Every read shows row 2 as `text`, and row 4, which is not locked, as it was.
async fn every_read_shows(transaction: &mut Transaction<Database>, text: &str, what: &str) {
    let expected = badge(2, text);
    let gone = if text == "new" { "old" } else { "new" };
    let t = transaction;
    assert_eq!(Badge::fetch_one(&mut *t, 2).await.unwrap(), expected, "{what}");
    assert_eq!(Badge::fetch_uncached(&mut *t, 2).await.unwrap().unwrap(), expected, "{what}");
    let many = Badge::fetch_many(&mut *t, [4, 2, 9, 2, 4]).await.unwrap();
    let four = Some(badge(4, "old"));
    let two = Some(expected.clone());
    assert_eq!(many, [four.clone(), two.clone(), None, two.clone(), four], "{what}");
    assert_eq!(Badge::fetch_by_code(&mut *t, &*expected.code).await.unwrap(), two, "{what}");
    assert_eq!(Badge::fetch_by_code(&mut *t, &*badge(2, gone).code).await.unwrap(), None, "{what}");
    let codes = [badge(2, gone).code, expected.code.clone(), badge(4, "old").code];
    let found = Badge::fetch_many_by_code(&mut *t, codes).await.unwrap();
    assert_eq!(found, [None, two.clone(), Some(badge(4, "old"))], "{what}");
    let ids = |rows: Vec<Badge>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    let here = ids(Badge::fetch_by_city(&mut *t, text).await.unwrap());
    assert!(here.contains(&2) && here.is_sorted(), "{what}: {here:?}");
    let away = ids(Badge::fetch_by_city(&mut *t, gone).await.unwrap());
    assert!(!away.contains(&2) && away.is_sorted(), "{what}: {away:?}");
    let note = BadgeColumns::NOTE;
    let here = Badge::fetch_all_by_field(&mut *t, note, text.to_owned()).await.unwrap();
    assert!(ids(here).contains(&2), "{what}");
    let away = Badge::fetch_all_by_field(&mut *t, note, gone.to_owned()).await.unwrap();
    assert!(!ids(away).contains(&2), "{what}");
    let id = BadgeColumns::ID;
    assert_eq!(Badge::fetch_by_field(&mut *t, id, 2).await.unwrap(), two, "{what}");
    let name = BadgeName::fetch_one(&mut *t, 2).await.unwrap();
    assert_eq!(name.code, expected.code, "{what}, by another struct on the table");
    let by_name = BadgeName::fetch_all_by_field(
        &mut *t,
        BadgeNameColumns::CODE,
        expected.code.clone(),
    );
    assert_eq!(by_name.await.unwrap(), [name], "{what}, by another struct on the table");
    let mut again = badge(2, "in hand");
    again.refresh(&mut *t).await.unwrap();
    assert_eq!(again, expected, "{what}");
}

#[tokio::test]
async fn a_row_that_was_touched_is_read_as_it_is() {
    for level in LEVELS {
        let here = badges().await;
        let mut transaction = with_others_writes(&here, level).await;
        match transaction.touch::<Badge>(2).await {
            Err(error) => assert!(is_refused(&error), "{level:?}: {error}"),
            Ok(there) => {
                assert!(there);
                every_read_shows(&mut transaction, "new", &format!("touched, {level:?}")).await;
                let mut row = Badge::fetch_one(&mut transaction, 2).await.unwrap();
                row.visits += 1;
                row.update(&mut transaction).await.unwrap();
                transaction.commit().await.unwrap();
                // Nobody's write is lost.
                let expected = Badge { visits: 1, ..badge(2, "new") };
                assert_eq!(Badge::fetch_one(&here.orm, 2).await.unwrap(), expected);
                assert_eq!(Badge::fetch_uncached(&here.orm, 2).await.unwrap(), Some(expected));
            }
        }
    }
}

/// InnoDB writes nothing where nothing changes, and then its snapshot still shows the old
/// row.
#[tokio::test]
async fn a_row_that_was_written_as_it_was_is_read_as_it_is() {
    for level in LEVELS {
        let here = badges().await;
        let mut transaction = with_others_writes(&here, level).await;
        let same = badge(2, "new").update(&mut transaction).await;
        match same {
            Err(error) => assert!(is_refused(&error), "{level:?}: {error}"),
            Ok(()) => {
                every_read_shows(&mut transaction, "new", &format!("updated, {level:?}")).await;
            }
        }
        drop(transaction);
        let mut transaction = with_others_writes(&here, level).await;
        let patch = Badge::patch(2).set(BadgeColumns::NOTE, "new");
        match patch.execute(&mut transaction).await {
            Err(error) => assert!(is_refused(&error), "{level:?}: {error}"),
            Ok(row) => {
                assert_eq!(row, badge(2, "new"));
                every_read_shows(&mut transaction, "new", &format!("patched, {level:?}")).await;
            }
        }
    }
}

#[tokio::test]
async fn what_is_locked_in_a_savepoint_is_read_as_it_is_there_and_after_it() {
    for level in LEVELS {
        let here = badges().await;
        let mut transaction = with_others_writes(&here, level).await;
        let mut savepoint = transaction.savepoint().await.unwrap();
        if let Err(error) = savepoint.touch::<Badge>(2).await {
            assert!(is_refused(&error), "{level:?}: {error}");
            continue;
        }
        assert_eq!(Badge::fetch_one(&mut savepoint, 2).await.unwrap(), badge(2, "new"));
        savepoint.commit().await.unwrap();
        every_read_shows(&mut transaction, "new", &format!("in a savepoint, {level:?}")).await;
        let mut savepoint = transaction.savepoint().await.unwrap();
        badge(2, "undone").update(&mut savepoint).await.unwrap();
        assert_eq!(Badge::fetch_one(&mut savepoint, 2).await.unwrap(), badge(2, "undone"));
        savepoint.rollback().await.unwrap();
        every_read_shows(&mut transaction, "new", &format!("undone, {level:?}")).await;
    }
}

/// Of two rows that have had a unique value one after the other.
#[tokio::test]
async fn a_unique_value_that_has_changed_hands_is_the_locked_rows() {
    let here = badges().await;
    let mut transaction = begin(&here, None).await;
    enforce_no_snapshot(&mut transaction).await;
    if Here::DATABASE != Kind::Sqlite {
        Badge::fetch_one(&mut transaction, 1).await.unwrap();
        let code = badge(3, "old").code;
        badge(3, "new").update(&here.orm).await.unwrap();
        Badge { code: code.clone(), ..badge(2, "old") }.update(&here.orm).await.unwrap();
        assert!(transaction.touch::<Badge>(2).await.unwrap());
        let owner = Badge::fetch_by_code(&mut transaction, &*code).await.unwrap().unwrap();
        assert_eq!(owner.id, 2);
        let owners = Badge::fetch_many_by_code(&mut transaction, [code, badge(1, "old").code]);
        let owners: Vec<_> =
            owners.await.unwrap().into_iter().map(|row| row.map(|row| row.id)).collect();
        assert_eq!(owners, [Some(2), Some(1)]);
    }
}

/// "Refresh, decide anew, try again", as the documentation of versions has it.
#[tokio::test]
async fn after_a_conflict_the_newest_row_is_there_to_decide_anew() {
    for level in LEVELS {
        if Here::DATABASE == Kind::MariaDb && level == Some(Isolation::Serializable) {
            // There the first read keeps others from writing.
            continue;
        }
        let here = badges().await;
        let first = Dated { id: 1, visits: 0, version: 0 }.insert(&here.orm).await.unwrap();
        let write = Dated::patch(1).set(DatedColumns::VISITS, 100);
        if Here::DATABASE == Kind::Sqlite {
            write.execute(&here.orm).await.unwrap();
        } else {
            let mut transaction = begin(&here, level).await;
            Dated::fetch_one(&mut transaction, 1).await.unwrap();
            write.execute(&here.orm).await.unwrap();
            let tried = visited(&mut transaction, first.clone()).await;
            match tried {
                Ok(tries) => {
                    assert_eq!(tries, 2, "{level:?}");
                    transaction.commit().await.unwrap();
                    let now = Dated::fetch_one(&here.orm, 1).await.unwrap();
                    assert_eq!((now.visits, now.version), (101, 2), "{level:?}");
                }
                Err(error) => assert!(is_refused(&error), "{level:?}: {error}"),
            }
            continue;
        }
        let mut transaction = begin(&here, level).await;
        assert_eq!(visited(&mut transaction, first).await.unwrap(), 2);
    }
}

/// Adds a visit, by `fetch` and `refresh` in turn after a conflict.
async fn visited(transaction: &mut Transaction<Database>, mut row: Dated) -> Result<u32, Error> {
    for tries in 1..5 {
        row.visits += 1;
        match row.update(&mut *transaction).await {
            Ok(()) => return Ok(tries),
            Err(Error::Conflict { .. }) => {
                row = Dated::fetch_one(&mut *transaction, row.id).await?;
                let fetched = row.clone();
                row.refresh(&mut *transaction).await?;
                assert_eq!(row, fetched, "both are the newest row");
            }
            Err(error) => return Err(error),
        }
    }
    panic!("a conflict each time");
}

/// A refresh shows the newest row also if nothing was locked before, and what is read
/// after it does not go back.
#[tokio::test]
async fn a_refresh_is_never_followed_by_an_older_row() {
    for level in LEVELS {
        let here = badges().await;
        let mut transaction = with_others_writes(&here, level).await;
        let mut row = badge(2, "in hand");
        match row.refresh(&mut transaction).await {
            Err(error) => assert!(is_refused(&error), "{level:?}: {error}"),
            // PostgreSQL's snapshot, whose row cannot be written any more.
            Ok(()) if Here::DATABASE == Kind::Postgres && row == badge(2, "old") => {
                let refused = row.update(&mut transaction).await.unwrap_err();
                assert!(is_refused(&refused), "{level:?}: {refused}");
            }
            Ok(()) => {
                assert_eq!(row, badge(2, "new"));
                every_read_shows(&mut transaction, "new", &format!("refreshed, {level:?}")).await;
            }
        }
    }
}

/// Reads of locked rows lock nothing else.
#[tokio::test]
async fn others_go_on_writing_rows_that_a_transaction_has_not_locked() {
    let here = badges().await;
    if Here::DATABASE == Kind::Sqlite {
        return;
    }
    let mut transaction = with_others_writes(&here, None).await;
    enforce_no_snapshot(&mut transaction).await;
    assert!(transaction.touch::<Badge>(2).await.unwrap());
    every_read_shows(&mut transaction, "new", "beside others").await;
    let mut other = here.orm.begin().await.unwrap();
    for id in [1, 3, 4] {
        badge(id, "newest").update(&mut other).await.unwrap();
    }
    // Nor do they wait for others' locks.
    every_read_shows(&mut transaction, "new", "beside others").await;
    other.commit().await.unwrap();
}

/// MariaDB refuses to lock what the snapshot does not show, since 11.6 by default, and
/// ends the transaction. Nothing old is read.
#[tokio::test]
async fn where_the_snapshot_is_enforced_the_transaction_is_refused() {
    let here = badges().await;
    if Here::DATABASE != Kind::MariaDb {
        return;
    }
    let mut transaction = here.orm.begin().await.unwrap();
    if is_mariadb().await {
        let enforced = sqlx::query("SET SESSION innodb_snapshot_isolation = ON");
        enforced.execute(&mut *transaction).await.unwrap();
    }
    Badge::fetch_one(&mut transaction, 1).await.unwrap();
    badge(2, "new").update(&here.orm).await.unwrap();
    if !is_mariadb().await {
        // MySQL enforces no snapshot: it locks the row, and reads it as it is.
        assert!(transaction.touch::<Badge>(2).await.unwrap());
        assert_eq!(Badge::fetch_one(&mut transaction, 2).await.unwrap(), badge(2, "new"));
        transaction.commit().await.unwrap();
        return;
    }
    let refused = transaction.touch::<Badge>(2).await.unwrap_err();
    assert!(is_refused(&refused), "{refused}");
    let error = Badge::fetch_one(&mut transaction, 2).await;
    let error = match error {
        Ok(_) => transaction.commit().await.map(drop).unwrap_err(),
        Err(error) => error,
    };
    assert!(
        matches!(error, Error::HalfDone { .. } | Error::RolledBack { .. }),
        "the transaction is over: {error}"
    );
    assert_eq!(Badge::fetch_one(&here.orm, 2).await.unwrap(), badge(2, "new"));
}

/// The snapshot shows it still.
#[tokio::test]
async fn a_row_that_is_gone_is_not_read_any_more() {
    if Here::DATABASE == Kind::Sqlite {
        // Nobody else can delete it meanwhile.
        return;
    }
    for level in LEVELS {
        for way in ["touch", "update", "delete", "refresh", "delete_many"] {
            let here = badges().await;
            let mut transaction = begin(&here, level).await;
            Badge::fetch_one(&mut transaction, 1).await.unwrap();
            assert!(Badge::delete_by_key(&here.orm, 3).await.unwrap());
            enforce_no_snapshot(&mut transaction).await;
            let mut row = badge(3, "old");
            let met = match way {
                "touch" => transaction.touch::<Badge>(3).await,
                "update" => row.update(&mut transaction).await.map(|()| true),
                "delete" => row.delete(&mut transaction).await,
                "refresh" => row.refresh(&mut transaction).await.map(|()| true),
                _ => Badge::delete_many(&mut transaction, [3]).await.map(|count| count > 0),
            };
            match met {
                Err(error) if is_refused(&error) => continue,
                Err(Error::RowNotFound { .. }) | Ok(false) => {}
                // PostgreSQL's snapshot, whose row cannot be written any more.
                Ok(true) if Here::DATABASE == Kind::Postgres && way == "refresh" => continue,
                met => panic!("{way}, {level:?}: {met:?}"),
            }
            let what = format!("{way}, {level:?}");
            assert_eq!(Badge::fetch(&mut transaction, 3).await.unwrap(), None, "{what}");
            let many = Badge::fetch_many(&mut transaction, [3]).await.unwrap();
            assert_eq!(many, [None], "{what}");
        }
    }
}
