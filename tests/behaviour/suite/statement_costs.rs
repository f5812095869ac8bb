//! What a write costs in statements.

use super::{Database, Here};
use crate::{
    databases::{Kind, ServerDatabase as _},
    proxy::Proxy,
    tables::people::{PAGES, Page},
};
use cached_orm::{MemcachedOrm as _, Orm, Outbox};

fn page(id: i64, body: &str) -> Page {
    Page { id, body: body.into() }
}

const OUTBOX: &str = "cached_orm_outbox";

/// What is sent for something that is done again and again, once its statements
/// are prepared. sqlx's own question whether a pooled connection is alive is not
/// counted.
async fn sent(proxy: &Proxy, mut done: impl AsyncFnMut(i64)) -> Vec<String> {
    for round in 0..20 {
        proxy.take_sent();
        done(round).await;
        let sent: Vec<String> =
            proxy.take_sent().into_iter().filter(|sent| sent != "ping").collect();
        // A new connection of the pool has to prepare everything.
        let is_prepared = |sent: &String| !sent.starts_with("prepare") || sent.contains(OUTBOX);
        if sent.iter().all(is_prepared) {
            return sent;
        }
    }
    panic!("statements are prepared again and again");
}

async fn costs(proxy: &Proxy, orm: &Orm<Database>, what: &str, first: i64, extra: usize) {
    let returning = Here::DATABASE == Kind::Postgres;
    let (write, own) = if returning { (1, "RETURNING") } else { (2, "a locked read") };
    let check = |name: &str, sent: &[String], statements: usize| {
        println!("{:?} {what}: {name}: {}", Here::DATABASE, sent.join(", "));
        assert_eq!(sent.first().map(String::as_str), Some("BEGIN"), "{sent:?}");
        assert_eq!(sent.last().map(String::as_str), Some("COMMIT"), "{sent:?}");
        assert_eq!(sent.len() - 2, statements, "{what}: {name} with {own}: {sent:?}");
    };
    let done = sent(proxy, async |round| {
        page(first + round, "a").insert(orm).await.unwrap();
    })
    .await;
    check("insert", &done, write + extra);
    let done = sent(proxy, async |round| {
        page(first, &round.to_string()).update(orm).await.unwrap();
    })
    .await;
    check("update", &done, write + extra);
    let done = sent(proxy, async |round| {
        let mut transaction = orm.begin().await.unwrap();
        for id in [first + 100 + 2 * round, first + 101 + 2 * round] {
            page(id, "a").insert(&mut transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    })
    .await;
    // One that enlists several keys is prepared anew.
    check("transaction over 2 keys", &done, 2 * write + 2 * extra);
    let done = sent(proxy, async |round| {
        page(first + 50, &round.to_string()).insert(orm).await.unwrap();
        proxy.take_sent();
        assert!(page(first + 50, "").delete(orm).await.unwrap());
    })
    .await;
    check("delete", &done, write + extra);
}

#[tokio::test]
async fn a_write_costs_no_statement_for_the_cache_when_nothing_fails() {
    let proxy = Database::proxy().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| builder.drainer(false)).await;
    costs(&proxy, &here.orm, "without an outbox", 0, 0).await;
    here.orm.install_outbox().await.unwrap();
    costs(&proxy, &here.orm, "with the outbox", 1000, 0).await;
}

#[tokio::test]
async fn the_outbox_for_every_write_costs_one_statement_more() {
    let proxy = Database::proxy().await;
    let here =
        Here::behind(&proxy, &[PAGES], |builder| builder.drainer(false).outbox(Outbox::Always))
            .await;
    here.orm.install_outbox().await.unwrap();
    costs(&proxy, &here.orm, "with the outbox for every write", 0, 1).await;
}
