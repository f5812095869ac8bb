//! Triggers that nobody needs any more, and those of namespaces that nobody has.

use super::{Database, Here};
use crate::{
    catalog::Catalog as _,
    databases::Kind,
    rows::{LOUD, Loud},
    tables::people::{PAGES, Page},
};

#[tokio::test]
async fn triggers_are_uninstalled_and_others_stay() {
    let here = Here::built(&[PAGES, LOUD], |builder| builder.drainer(false)).await;
    here.orm.install_outbox().await.unwrap();
    assert!(!here.orm.uninstall_triggers::<Page>().await.unwrap(), "there are none");
    here.orm.install_triggers::<Page>().await.unwrap();
    let pages = Database::versions(here.direct()).await.len();
    here.orm.install_triggers::<Loud>().await.unwrap();
    let both = Database::versions(here.direct()).await.len();
    let other = here.handle(|builder| builder.drainer(false).namespace("another")).await;
    other.install_triggers::<Page>().await.unwrap();

    assert!(here.orm.uninstall_triggers::<Loud>().await.unwrap());
    assert!(!here.orm.uninstall_triggers::<Loud>().await.unwrap(), "they are gone");
    let left = Database::versions(here.direct()).await;
    // PostgreSQL's function for dates serves all tables.
    let dates = left.iter().filter(|name| name.starts_with("cached_orm_date ")).count();
    assert_eq!(left.len() - dates, 2 * pages, "{left:?}");
    assert!(both > pages);

    assert!(here.orm.uninstall_triggers::<Page>().await.unwrap());
    here.run("INSERT INTO pages VALUES (1, 'a')").await;
    assert_eq!(here.outbox().await, [""; 0]);
    let others: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM cached_orm_outbox WHERE namespace = 'another'")
            .fetch_one(here.direct())
            .await
            .unwrap();
    assert_eq!(others, 1);
    assert!(other.uninstall_triggers::<Page>().await.unwrap());
    here.run("INSERT INTO pages VALUES (2, 'a')").await;
    here.orm.install_triggers::<Page>().await.unwrap();
    here.run("INSERT INTO pages VALUES (3, 'a')").await;
    assert_eq!(here.outbox().await.len(), 1);
}

#[tokio::test]
async fn triggers_of_another_namespace_are_told() {
    let here = Here::built(&[PAGES, LOUD], |builder| builder.drainer(false)).await;
    assert!(here.orm.status().await.other_triggers.is_empty());
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    here.orm.install_triggers::<Loud>().await.unwrap();
    let status = here.orm.status().await;
    assert!(status.other_triggers.is_empty(), "its own are no others: {status}");

    let former = here.handle(|builder| builder.drainer(false).namespace("former")).await;
    former.install_triggers::<Page>().await.unwrap();
    former.install_triggers::<Loud>().await.unwrap();
    let status = here.orm.status().await;
    let [one, two] = &status.other_triggers[..] else { panic!("{status}") };
    for (found, table) in [(one, "Loud names"), (two, "pages")] {
        assert_eq!(found.namespace, "former", "{status}");
        assert!(found.table.ends_with(table), "{status}");
        assert!(found.name.starts_with("cached_orm_"), "{status}");
    }
    let text = status.to_string();
    assert!(text.contains("of the namespace `former`"), "{text}");
    assert!(status.is_well(), "two programs may share a database");
    if Here::DATABASE == Kind::Postgres {
        assert!(text.contains(".pages`"), "{text}");
    }
    former.uninstall_triggers::<Page>().await.unwrap();
    former.uninstall_triggers::<Loud>().await.unwrap();
    assert!(here.orm.status().await.other_triggers.is_empty());
}
