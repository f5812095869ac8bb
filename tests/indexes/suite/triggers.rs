//! Values that other programs give to rows, noted by triggers.

use super::Here;
use crate::{
    databases::Kind,
    members::{MEMBERS, Member},
};
use cached_orm::MemcachedOrm as _;

/// A place with triggers, whose outbox is drained when the test says so.
async fn watched() -> Here {
    let here = Here::built(&[MEMBERS], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Member>().await.unwrap();
    here
}

async fn by_email(here: &Here, email: &str) -> Option<String> {
    Member::fetch_by_email(&here.orm, email).await.unwrap().map(|row| row.handle)
}

async fn in_city(here: &Here, city: &str) -> Vec<String> {
    let found = Member::fetch_by_city(&here.orm, city).await.unwrap();
    found.into_iter().map(|row| row.handle).collect()
}

#[tokio::test]
async fn what_others_write_is_found_once_it_is_drained() {
    let here = watched().await;
    assert_eq!(by_email(&here, "a@a").await, None);
    assert_eq!(in_city(&here, "Rome").await, [""; 0]);
    here.run("INSERT INTO members (id, team, handle, email, city, note) VALUES (1, 1, 'ann', 'a@a', 'Rome', '')")
        .await;
    here.orm.drain_outbox().await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_email(&here, "a@a").await.as_deref(), Some("ann"));
        assert_eq!(in_city(&here, "Rome").await, ["ann"]);
    }
    assert_eq!(by_email(&here, "b@b").await, None);
    assert_eq!(in_city(&here, "Oslo").await, [""; 0]);
    here.run("UPDATE members SET email = 'b@b', city = 'Oslo'").await;
    here.orm.drain_outbox().await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_email(&here, "a@a").await, None);
        assert_eq!(in_city(&here, "Rome").await, [""; 0]);
        assert_eq!(by_email(&here, "b@b").await.as_deref(), Some("ann"));
        assert_eq!(in_city(&here, "Oslo").await, ["ann"]);
    }
    here.run("DELETE FROM members").await;
    here.orm.drain_outbox().await.unwrap();
    for _ in 0..2 {
        assert_eq!(by_email(&here, "b@b").await, None);
        assert_eq!(in_city(&here, "Oslo").await, [""; 0]);
    }
}

#[tokio::test]
async fn only_the_values_that_a_row_gets_are_noted() {
    let here = watched().await;
    here.run("INSERT INTO members (id, team, handle, email, note) VALUES (1, 1, 'ann', NULL, '')").await;
    let noted = here.outbox().await;
    // The row, and its team and handle: address and city are NULL.
    assert_eq!(noted.len(), 2, "{noted:?}");
    here.orm.drain_outbox().await.unwrap();
    here.run("UPDATE members SET note = 'x'").await;
    assert_eq!(here.outbox().await.len(), 1);
    here.orm.drain_outbox().await.unwrap();
    // The row, the city, and the team with it.
    here.run("UPDATE members SET city = ''").await;
    assert_eq!(here.outbox().await.len(), 3);
    here.orm.drain_outbox().await.unwrap();
    here.run("UPDATE members SET city = NULL").await;
    assert_eq!(here.outbox().await.len(), 1);
}

#[tokio::test]
async fn own_writes_leave_nothing_behind_on_postgres() {
    let here = watched().await;
    let mut ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    ann.city = Some("Oslo".into());
    ann.update(&here.orm).await.unwrap();
    let key_is_generated = 1;
    if Here::DATABASE == Kind::Postgres {
        // The key of the insert was not known when it began.
        let noted = here.outbox().await;
        assert!(noted.iter().all(|key| !key.contains(&hex("Oslo"))), "{noted:?}");
        assert!(noted.len() <= 4 + key_is_generated, "{noted:?}");
    }
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(in_city(&here, "Oslo").await, ["ann"]);
    assert_eq!(in_city(&here, "Rome").await, [""; 0]);
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Another struct on the table, that knows of no index.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, cached_orm::MemcachedOrm)]
#[orm(table = "members")]
struct Resident {
    #[primary_key]
    id: i64,
    city: Option<String>,
}

#[tokio::test]
async fn a_program_that_knows_of_no_index_is_noted_as_others_are() {
    let here = watched().await;
    let ann = Member::of("ann", "Rome").insert(&here.orm).await.unwrap();
    assert_eq!(in_city(&here, "Oslo").await, [""; 0]);
    let other = here.handle(|builder| builder.drainer(false)).await;
    let mut resident = Resident { id: ann.id, city: Some("Oslo".into()) };
    resident.update(&other).await.unwrap();
    let noted = here.outbox().await;
    assert!(noted.iter().any(|key| key.to_lowercase().contains(&hex("Oslo"))), "{noted:?}");
    here.orm.drain_outbox().await.unwrap();
    // This handle's own cache, where each has its own.
    assert_eq!(in_city(&here, "Oslo").await, ["ann"]);
    assert_eq!(in_city(&here, "Rome").await, [""; 0]);
}
