//! Audits of what lies in the cache.

use super::Here;
use crate::rows::{PARTS, Part, SECRET};
use cached_orm::{AuditOptions, Disagreement, MemcachedOrm as _, Verdict};
use std::time::Duration;

fn soon() -> AuditOptions {
    AuditOptions::default().settle(Duration::from_millis(5))
}

/// Ten rows in the cache, and one that is known not to exist.
async fn place() -> Here {
    let here = Here::built(&[PARTS], |builder| builder.drainer(false)).await;
    let parts: Vec<_> = (1..=10).map(Part::new).collect();
    Part::insert_many(&here.orm, &parts).await.unwrap();
    Part::fetch_many(&here.orm, 1..=11).await.unwrap();
    here
}

#[tokio::test]
async fn what_agrees_is_counted_and_nothing_is_changed() {
    let here = place().await;
    let before = here.statistics();
    let mut calls = 0;
    let keys = (1..=20).chain([1, 2]);
    let audit = here.orm.audit::<Part>(keys, soon(), |_| calls += 1).await.unwrap();
    assert_eq!((audit.asked, audit.agreed, audit.not_cached), (20, 11, 9), "{audit}");
    assert_eq!((audit.compared(), audit.unexplained, calls), (11, 0, 1), "{audit}");
    let after = here.statistics();
    assert_eq!((after.fills, after.misses), (before.fills, before.misses));
    assert_eq!(after.audits_agreed, 11);
    let again = here.orm.audit::<Part>(1..=20, soon(), |_| {}).await.unwrap();
    assert_eq!(again.not_cached, 9, "an audit leaves no lease");
}

#[tokio::test]
async fn sql_past_the_library_is_found_and_nothing_explains_it() {
    let here = place().await;
    here.run("UPDATE parts SET stock = 5 WHERE id = 3").await;
    here.run("DELETE FROM parts WHERE id = 4").await;
    here.run("INSERT INTO parts VALUES (11, 'past the library', 1)").await;
    let audit = here.orm.audit::<Part>(1..=11, soon(), |_| {}).await.unwrap();
    assert_eq!((audit.agreed, audit.unexplained), (8, 3), "{audit}");
    assert_eq!((audit.overtaken, audit.pending), (0, 0), "{audit}");
    let told: Vec<_> = audit
        .differences
        .iter()
        .map(|Disagreement { key, is_in_cache, is_in_database, columns, .. }| {
            let id = key.rsplit(':').next().unwrap();
            (id, *is_in_cache, *is_in_database, columns.join(" "))
        })
        .collect();
    let expected = [
        ("(3)", true, true, "stock".to_owned()),
        ("(4)", true, false, String::new()),
        ("(11)", false, true, String::new()),
    ];
    assert_eq!(told, expected);
    for text in [audit.to_string(), serde_json::to_string(&audit).unwrap()] {
        assert!(!text.contains(SECRET) && !text.contains("past the library"), "{text}");
    }
    assert_eq!(here.statistics().audits_unexplained, 3);
    let few = here.orm.audit::<Part>(1..=11, soon().most_told(1), |_| {}).await.unwrap();
    assert_eq!((few.unexplained, few.differences.len()), (3, 1));
}

#[tokio::test]
async fn a_row_of_the_outbox_explains_a_difference() {
    let here = place().await;
    here.orm.install_outbox().await.unwrap();
    here.orm.install_triggers::<Part>().await.unwrap();
    here.run("UPDATE parts SET stock = 5 WHERE id = 3").await;
    here.run("UPDATE parts SET stock = 6 WHERE id = 5").await;
    let audit = here.orm.audit::<Part>(1..=11, soon(), |_| {}).await.unwrap();
    assert_eq!((audit.pending, audit.unexplained, audit.agreed), (2, 0, 9), "{audit}");
    assert!(audit.differences.iter().all(|told| told.verdict == Verdict::Pending));
    here.orm.drain_outbox().await.unwrap();
    let audit = here.orm.audit::<Part>(1..=11, soon(), |_| {}).await.unwrap();
    assert_eq!((audit.pending, audit.unexplained, audit.agreed), (0, 0, 9), "{audit}");
}
