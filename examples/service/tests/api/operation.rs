use crate::running::Service;
use crate::{cities::create, get};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(crate) async fn is_healthy(service: &Service) {
    let health = get(service, "/health").await;
    assert_eq!((health.status, health.json()), (200, json!({ "status": "ok" })));
}

/// A read of a row that was just written is the cache's, unless memcached has just
/// started; then it is after a while.
pub(crate) async fn metrics_count_what_the_cache_did(service: &Service) {
    let city = create(service, "Often Read").await;
    let path = format!("/api/cities/{}", city["id"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let before = fetch_hits(service).await;
        for _ in 0..10 {
            assert_eq!(get(service, &path).await.status, 200);
        }
        let hits = fetch_hits(service).await - before;
        if hits >= 9 {
            break;
        }
        assert!(Instant::now() < deadline, "only {hits} of 10 reads were hits");
        sleep(Duration::from_millis(500)).await;
    }
    let metrics = get(service, "/metrics").await;
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    for line in [
        "cached_orm_database_up{cached_orm_namespace=",
        "http_server_request_duration_seconds_bucket{http_request_method=\"GET\",http_route=\"/api/cities/{id}\",http_response_status_code=\"200\",le=",
        "cached_orm_operation_duration_seconds_bucket{",
    ] {
        assert!(metrics.text.contains(line), "no {line} in {}", metrics.text);
    }
    crate::ask(service, "DELETE", &path, None).await;
}

async fn fetch_hits(service: &Service) -> u64 {
    let metrics = get(service, "/metrics").await;
    let is_wanted = |line: &&str| {
        line.starts_with("cached_orm_hits_total{")
            && line.contains("\"fetch\"")
            && line.contains("\"City\"")
    };
    let line = metrics.text.lines().find(is_wanted);
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

pub(crate) async fn the_page_is_told_of_the_last_seconds(service: &Service) {
    for _ in 0..5 {
        get(service, "/api/cities/1").await;
    }
    sleep(Duration::from_secs(2)).await;
    let live = get(service, "/live").await.json();
    let seconds = live["seconds"].as_array().unwrap();
    let reads: u64 = seconds.iter().map(|second| second["reads"].as_u64().unwrap()).sum();
    let timed = seconds.iter().filter(|second| second["p99_seconds"].is_f64()).count();
    assert!(reads >= 5 && timed >= 1, "{live}");
    assert_eq!(live["database"]["is_up"], true);
    assert_eq!(live["outbox"]["rows"], 0);
    let page = get(service, "/").await;
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("'none'"));
    assert!(page.text.contains("<title>Places</title>"));
}

/// Although clients keep their connections.
pub(crate) async fn ends_when_asked(service: Service) {
    assert_eq!(get(&service, "/health").await.status, 200);
    let ended = tokio::task::spawn_blocking(|| service.end(Duration::from_secs(8))).await.unwrap();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}
