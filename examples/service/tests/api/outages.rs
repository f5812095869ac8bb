//! Without its cache.

use crate::{ask, get, running::Service};
use serde_json::json;
use std::{net::TcpListener, time::Duration};
use tempfile::TempDir;

#[tokio::test]
async fn without_its_cache_reads_go_on_and_so_do_writes() {
    let (_folder, database) = filled();
    let service = Service::start(&["--database", &database, "--memcached", &nobody()]);
    assert_eq!(get(&service, "/api/cities/1").await.status, 200);
    let change = Some(json!({ "name": "Changed" }));
    assert_eq!(ask(&service, "PATCH", "/api/cities/1", change).await.status, 200);
    assert_eq!(get(&service, "/api/cities/1").await.json()["name"], "Changed");
    let health = get(&service, "/health").await;
    assert_eq!((health.status, health.json()), (200, json!({ "status": "degraded" })));
    let metrics = get(&service, "/metrics").await.text;
    let is_down = |line: &str| line.starts_with("cached_orm_server_up{") && line.ends_with(" 0");
    assert!(metrics.lines().any(is_down), "{metrics}");
}

#[tokio::test]
async fn without_its_cache_writes_are_refused_if_that_is_wanted() {
    let (_folder, database) = filled();
    let nobody = nobody();
    let refuse = ["--when-cache-is-away", "refuse", "--memcached", &nobody];
    let service = Service::start(&[&["--database", &database], &refuse[..]].concat());
    let before = get(&service, "/api/cities/1").await;
    assert_eq!(before.status, 200);
    let change = Some(json!({ "name": "Changed" }));
    let refused = ask(&service, "PATCH", "/api/cities/1", change).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (503, &json!("unavailable")));
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(!refused.text.contains(&nobody), "{}", refused.text);
    assert_eq!(get(&service, "/api/cities/1").await.json(), before.json());
}

/// A database whose tables were filled while there was a cache.
fn filled() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = format!("sqlite://{}/places.db", folder.path().display());
    let service = Service::start(&["--database", &database]);
    service.end(Duration::from_secs(15)).expect("it ends");
    (folder, database)
}

/// An address at which nobody answers.
fn nobody() -> String {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("it has an address").to_string()
}
