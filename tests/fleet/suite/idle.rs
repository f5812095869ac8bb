//! What a process sends that has nothing to do.

use super::{Database, Here};
use crate::{
    databases::{Kind, ServerDatabase as _},
    polling::until,
    tables::people::{PAGES, Page},
};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test]
async fn a_process_that_has_nothing_to_do_asks_little() {
    let poll = Duration::from_millis(100);
    let proxy = Database::proxy().await;
    let here = Here::behind(&proxy, &[PAGES], |builder| builder.outbox_poll(poll)).await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Page>().await.unwrap();
    // It drains, and so all that is done once is done.
    here.run("INSERT INTO pages VALUES (1, 'a')").await;
    until("it is drained", async || here.outbox().await.is_empty()).await;
    if Here::DATABASE == Kind::Postgres {
        until("it listens", async || proxy.take_sent().iter().any(|sent| sent.contains("LISTEN")))
            .await;
    }
    sleep(Duration::from_secs(1)).await;
    proxy.take_sent();
    sleep(Duration::from_secs(3)).await;
    let sent: Vec<_> = proxy.take_sent().into_iter().filter(|sent| sent != "ping").collect();
    match Here::DATABASE {
        // A look in ten seconds.
        Kind::Postgres => assert!(sent.len() <= 3, "{sent:?}"),
        _ => {
            assert!((3..=40).contains(&sent.len()), "one look each time: {sent:?}");
            let is_look = |sent: &String| {
                !["BEGIN", "START", "COMMIT"].iter().any(|other| sent.contains(other))
            };
            assert!(sent.iter().all(is_look), "{sent:?}");
        }
    }
}
