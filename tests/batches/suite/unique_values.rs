//! Many rows by values of a unique index.

use super::{Database, Here};
use crate::{
    databases::Kind,
    members::{ALIASES, Alias, BADGES, Badge, MEMBERS, Member},
};
use cached_orm::{Error, MemcachedOrm as _, Orm, Statistics};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

fn email(name: &str) -> String {
    format!("{name}@example.org")
}

/// Rows that the library knows nothing of, counted from 0; their keys from 1.
async fn with_members(count: i64) -> Here {
    let here = Here::with(&[MEMBERS]).await;
    let rows = (0..count).map(|n| format!("({n} + 1, {n} % 3, 'h{n}', 'n{n}@example.org', 'n{n}')"));
    let rows: Vec<_> = rows.collect();
    here.run(&format!(
        "INSERT INTO members (id, team, handle, email, note) VALUES {}",
        rows.join(", ")
    ))
    .await;
    here
}

fn numbers(rows: Vec<Option<Member>>) -> Vec<Option<i64>> {
    rows.into_iter().map(|row| row.map(|row| row.id - 1)).collect()
}

fn spent(now: Statistics, before: Statistics) -> (u64, u64) {
    (now.batch_loads - before.batch_loads, now.hits - before.hits)
}

#[tokio::test]
async fn each_value_gets_its_own_row_in_its_own_place() {
    let here = with_members(40).await;
    let order = [7, 39, 40, 7, 0, 99, 12];
    let expected = order.map(|id| (id < 40).then_some(id));
    let emails = || order.map(|id| email(&format!("n{id}")));
    for _ in 0..3 {
        let rows = Member::fetch_many_by_email(&here.orm, emails()).await.unwrap();
        assert_eq!(numbers(rows), expected);
    }
    let handles = || order.map(|id| ((id % 3) as i32, format!("h{id}")));
    for _ in 0..3 {
        let rows = Member::fetch_many_by_team_and_handle(&here.orm, handles()).await.unwrap();
        assert_eq!(numbers(rows), expected);
    }
    let mut transaction = here.orm.begin().await.unwrap();
    let rows = Member::fetch_many_by_email(&mut transaction, emails()).await.unwrap();
    assert_eq!(numbers(rows), expected);
    let rows = Member::fetch_many_by_team_and_handle(&mut transaction, handles()).await.unwrap();
    assert_eq!(numbers(rows), expected);
    transaction.commit().await.unwrap();
    let nothing = Member::fetch_many_by_email(&here.orm, Vec::<&str>::new()).await.unwrap();
    assert_eq!(nothing, []);
}

#[tokio::test]
async fn entries_are_one_batch_and_their_rows_another() {
    let here = with_members(300).await;
    let emails: Vec<_> = (0..320).map(|id| email(&format!("n{id}"))).collect();
    let expected: Vec<_> = (0..320).map(|id| (id < 300).then_some(id)).collect();
    // The database answers; then the entries name rows, which are loaded; then both
    // are there.
    for cost in [(1, 0), (1, 320), (0, 620)] {
        let before = here.statistics();
        let rows = Member::fetch_many_by_email(&here.orm, emails.clone()).await.unwrap();
        assert_eq!(numbers(rows), expected);
        assert_eq!(spent(here.statistics(), before), cost);
    }
}

#[tokio::test]
async fn the_rows_of_a_list_are_one_batch() {
    let here = with_members(300).await;
    here.run("UPDATE members SET city = 'Rome'").await;
    for cost in [(0, 0), (1, 1), (0, 301)] {
        let before = here.statistics();
        let rows = Member::fetch_by_city(&here.orm, "Rome").await.unwrap();
        assert_eq!(rows.len(), 300);
        assert_eq!(spent(here.statistics(), before), cost);
    }
}

#[tokio::test]
async fn values_that_have_moved_are_found_where_they_are() {
    let here = with_members(30).await;
    let emails: Vec<_> = (0..30).map(|id| email(&format!("n{id}"))).collect();
    for _ in 0..2 {
        Member::fetch_many_by_email(&here.orm, emails.clone()).await.unwrap();
    }
    // Two change places, one goes, and one is new.
    let mut transaction = here.orm.begin().await.unwrap();
    let rows = Member::fetch_many(&mut transaction, 1..=4).await.unwrap();
    let mut rows: Vec<_> = rows.into_iter().flatten().collect();
    for (n, name) in [(1, "away"), (2, "n1"), (1, "n2"), (3, "new")] {
        rows[n].email = Some(email(name));
        rows[n].update(&mut transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();

    let mut expected: Vec<_> = (0..30).map(Some).collect();
    expected.swap(1, 2);
    expected[3] = None;
    expected.push(Some(3));
    let emails: Vec<_> = emails.into_iter().chain([email("new")]).collect();
    for _ in 0..3 {
        let rows = Member::fetch_many_by_email(&here.orm, emails.clone()).await.unwrap();
        for row in rows.iter().zip(&emails) {
            assert!(row.0.as_ref().is_none_or(|found| found.email.as_ref() == Some(row.1)));
        }
        assert_eq!(numbers(rows), expected);
    }
    // What led astray was replaced.
    let before = here.statistics();
    Member::fetch_many_by_email(&here.orm, emails).await.unwrap();
    let after = here.statistics();
    assert_eq!((after.misled, after.batch_loads), (before.misled, before.batch_loads));
}

#[tokio::test]
async fn another_spelling_is_another_value() {
    let here = Here::with(&[ALIASES]).await;
    let ann = Alias { id: 1, name: "ann".into(), kind: "x".into() };
    ann.insert(&here.orm).await.unwrap();
    let expected = [None, Some(ann), None];
    for _ in 0..3 {
        let rows = Alias::fetch_many_by_name(&here.orm, ["ANN", "ann", "Ann"]).await.unwrap();
        assert_eq!(rows, expected);
    }
}

#[tokio::test]
async fn two_rows_with_one_value_are_an_error() {
    let here = Here::with(&[BADGES]).await;
    // Without the index the struct would be refused. It goes while programs run.
    assert_eq!(Badge::fetch_by_code(&here.orm, "x").await.unwrap(), None);
    here.run(match Here::DATABASE {
        Kind::MariaDb => "DROP INDEX badges_by_code ON badges",
        _ => "DROP INDEX badges_by_code",
    })
    .await;
    here.run("INSERT INTO badges VALUES (1, 'a', 'red'), (2, 'b', 'red'), (3, 'b', 'red')").await;
    let found = Badge::fetch_many_by_code(&here.orm, ["a", "c"]).await.unwrap();
    assert_eq!(found[0].as_ref().map(|badge| badge.id), Some(1));
    assert_eq!(found[1], None);
    let error = Badge::fetch_many_by_code(&here.orm, ["a", "b", "c"]).await.unwrap_err();
    assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
    assert_eq!(error.to_string(), "fetch_many_by_code of Badge: more than one row matches");
    let mut transaction = here.orm.begin().await.unwrap();
    let error = Badge::fetch_many_by_code(&mut transaction, ["b"]).await.unwrap_err();
    assert!(matches!(error, Error::MoreThanOneRow { .. }), "{error}");
}

/// Members exchange their addresses, and count in their notes how often; a reader
/// sees each address at one that has it, and nobody behind what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_that_move_beside_readers() {
    const COUNT: usize = 8;
    let here = with_members(COUNT as i64).await;
    here.run("UPDATE members SET note = '0'").await;
    // For each address, how often it was given away.
    let known: Arc<[AtomicI64; COUNT]> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let read = |orm: Orm<Database>| {
        let (known, stop) = (Arc::clone(&known), Arc::clone(&stop));
        async move {
            let mut reads = 0;
            while !stop.load(Ordering::SeqCst) {
                let least: Vec<_> = known.iter().map(|n| n.load(Ordering::SeqCst)).collect();
                let emails: Vec<_> = (0..COUNT).map(|n| email(&format!("n{n}"))).collect();
                let rows = Member::fetch_many_by_email(&orm, emails.clone()).await.unwrap();
                for ((email, row), least) in emails.iter().zip(rows).zip(least) {
                    let Some(row) = row else { continue };
                    assert_eq!(row.email.as_ref(), Some(email));
                    let count: i64 = row.note.parse().unwrap();
                    assert!(count >= least, "{row:?} was read after {least} was acknowledged");
                }
                reads += 1;
            }
            reads
        }
    };
    let write = |orm: Orm<Database>| {
        let (known, stop) = (Arc::clone(&known), Arc::clone(&stop));
        async move {
            let mut count = 0;
            while !stop.load(Ordering::SeqCst) {
                count += 1;
                let [one, two] = [0, 4].map(|from| rand::random_range(from..from + 4));
                let mut transaction = orm.begin().await.unwrap();
                let rows = Member::fetch_many(&mut transaction, [one + 1, two + 1]).await.unwrap();
                let [mut one, mut two] = <[_; 2]>::try_from(rows).unwrap().map(Option::unwrap);
                let emails = [two.email.take(), one.email.take()];
                one.update(&mut transaction).await.unwrap();
                for (row, email) in [(&mut two, &emails[1]), (&mut one, &emails[0])] {
                    (row.email, row.note) = (email.clone(), count.to_string());
                    row.update(&mut transaction).await.unwrap();
                }
                transaction.commit().await.unwrap();
                for email in emails.into_iter().flatten() {
                    let at: usize = email[1..2].parse().unwrap();
                    known[at].store(count, Ordering::SeqCst);
                }
            }
            count
        }
    };
    let readers: Vec<_> = (0..4).map(|_| tokio::spawn(read(here.orm.clone()))).collect();
    let writer = tokio::spawn(write(here.orm.clone()));
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::SeqCst);
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.unwrap();
    }
    let writes = writer.await.unwrap();
    assert!(reads > 20 && writes > 5, "{reads} reads and {writes} writes show nothing");
}
