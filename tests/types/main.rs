//! Every type that a field can have, on every SQL type that it can stand on, on each
//! database: written, read from the database and from the cache, found by key and by
//! index, alone and with others, and noticed by triggers.
//!
//! What comes out is `docs/types.md`. `TYPES=overwrite cargo test --test types` writes it
//! anew, and `TYPES_VALUES=200` tries more values of each type than the short form.

#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/databases.rs"]
mod databases;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/memcached.rs"]
mod memcached;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/outbox_rows.rs"]
mod outbox_rows;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/place.rs"]
mod place;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/polling.rs"]
mod polling;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/proxy.rs"]
mod proxy;
#[allow(dead_code, reason = "a part of it is used")]
#[path = "../behaviour/tables/mod.rs"]
mod tables;

mod columns;
mod errors;
mod keys;
mod lists;
mod newtypes;
mod outcome;
mod page;
mod plans;
mod tables_of;
mod values;

use page::Page;

/// Unoptimized, all types together take more of a stack than a test's thread has.
const STACK: usize = 256 << 20;

#[test]
fn every_type_comes_back_and_is_found() {
    let tried = std::thread::Builder::new().stack_size(STACK).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(every_type());
    });
    if let Err(panic) = tried.expect("a thread").join() {
        std::panic::resume_unwind(panic);
    }
}

async fn every_type() {
    let [mut postgres, mut mysql, mut sqlite] = [(); 3].map(|()| Page::default());
    tokio::join!(
        async {
            keys::on_postgres(&mut postgres).await;
            columns::on_postgres(&mut postgres).await;
            postgres.findings.extend(lists::on_postgres().await);
            plans::citext().await;
        },
        async {
            keys::on_mysql(&mut mysql).await;
            columns::on_mysql(&mut mysql).await;
            mysql.findings.extend(lists::on_mysql().await);
        },
        async {
            keys::on_sqlite(&mut sqlite).await;
            columns::on_sqlite(&mut sqlite).await;
            sqlite.findings.extend(lists::on_sqlite().await);
        },
    );
    page::compare(&[postgres, mysql, sqlite]).await;
}
