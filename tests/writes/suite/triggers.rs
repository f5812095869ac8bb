//! The library's own writes beside its triggers.

use super::Here;
use crate::{
    databases::Kind,
    tables::people::{PAGES, PEOPLE, Page, PageColumns, Person},
};
use cached_orm::MemcachedOrm as _;

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

async fn place() -> Here {
    let here = Here::built(&[PAGES, PEOPLE], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    here.orm.install_triggers::<Person>().await.unwrap();
    here
}

#[tokio::test]
async fn one_row_written_by_itself_leaves_nothing_to_drain_on_postgres() {
    let here = place().await;
    let mut since = here.statistics();
    page(1, "a").upsert(&here.orm).await.unwrap();
    page(1, "b").upsert(&here.orm).await.unwrap();
    Page::patch(1).set(PageColumns::BODY, "c").execute(&here.orm).await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "c"));
    assert_eq!(here.loads_since(&mut since), 0);
    let left = here.outbox().await.len();
    match Here::DATABASE {
        Kind::Postgres => assert_eq!(left, 0),
        Kind::MariaDb | Kind::Sqlite => assert!(left > 0),
    }
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Page::fetch_one(&here.orm, 1).await.unwrap(), page(1, "c"));
    assert!(Page::delete_by_key(&here.orm, 1).await.unwrap());
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Page::fetch(&here.orm, 1).await.unwrap(), None);
}

/// Nothing is left out for one of many: what was cached is drained.
#[tokio::test]
async fn many_rows_are_all_noted_and_never_stale() {
    let here = place().await;
    let mut pages: Vec<_> = (0..20).map(|id| page(id, "a")).collect();
    Page::insert_many(&here.orm, &pages).await.unwrap();
    let people: Vec<_> = (0..20).map(|n| Person::named(&format!("person {n}"))).collect();
    let mut people = Person::insert_many(&here.orm, &people).await.unwrap();
    assert_eq!(here.outbox().await.len(), 40);
    for round in 0..4 {
        for page in &mut pages {
            page.body = format!("round {round}");
        }
        for person in &mut people {
            person.age = Some(round);
        }
        Page::update_many(&here.orm, &mut pages).await.unwrap();
        Person::update_many(&here.orm, &mut people).await.unwrap();
        if round % 2 == 1 {
            assert!(here.orm.drain_outbox().await.unwrap().drained >= 40);
        }
        for page in &pages {
            assert_eq!(Page::fetch_one(&here.orm, page.id).await.unwrap(), *page);
        }
        for person in &people {
            assert_eq!(Person::fetch_one(&here.orm, person.id).await.unwrap(), *person);
        }
    }
    assert_eq!(Page::delete_many(&here.orm, 0..20).await.unwrap(), 20);
    here.orm.drain_outbox().await.unwrap();
    assert_eq!(Page::fetch(&here.orm, 3).await.unwrap(), None);
    assert_eq!(here.outbox().await.len(), 0);
}
