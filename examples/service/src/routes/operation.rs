//! What operators and their programs ask.

use crate::{app::App, demo::Shown, live::Report};
use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use cached_orm::Backend;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// `ok`; `degraded` if a cache server does not answer, so that reads are slower;
    /// `down` if the database does not.
    status: &'static str,
}

/// Unwell only without the database: to take an instance out of service because of its
/// cache would bring all of them down at once.
pub(super) async fn health<DB: Backend>(State(app): State<App<DB>>) -> (StatusCode, Json<Health>) {
    let status = app.orm.status().await;
    let (code, status) = if status.database.error.is_some() {
        (StatusCode::SERVICE_UNAVAILABLE, "down")
    } else if status.servers.iter().all(|server| server.is_up()) {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::OK, "degraded")
    };
    (code, Json(Health { status }))
}

/// For Prometheus. Whoever may see what the service does may see this: keep it from the
/// public.
pub(super) async fn metrics<DB: Backend>(
    State(app): State<App<DB>>,
) -> ([(HeaderName, &'static str); 1], String) {
    app.orm.publish_metrics().await;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.prometheus.render())
}

/// What the page shows.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    #[serde(flatten)]
    report: Report,
    /// Only with `--demo`.
    demo: Option<Shown>,
}

pub(super) async fn live<DB: Backend>(State(app): State<App<DB>>) -> Json<Page> {
    let demo = match &app.demo {
        Some(demo) => Some(demo.show().await),
        None => None,
    };
    Json(Page { report: app.live.report(), demo })
}
