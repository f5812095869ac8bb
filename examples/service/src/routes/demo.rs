//! What the page's buttons do. PUT and JSON, which other sites' pages cannot send.

use crate::{
    app::App,
    demo::{Demo, Shown, VISITORS_MOST},
    error::{ApiError, Result},
    extract::Json,
};
use axum::{extract::State, http::StatusCode};
use cached_orm::Backend;
use serde::Deserialize;
use tracing::error;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetCache {
    is_running: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetVisitors {
    reads_per_second: u32,
}

pub(super) async fn set_cache<DB: Backend>(
    State(app): State<App<DB>>,
    Json(SetCache { is_running }): Json<SetCache>,
) -> Result<axum::Json<Shown>> {
    let demo = demo(&app)?;
    let done = match is_running {
        true => demo.cache.start().await,
        false => demo.cache.kill().await,
    };
    done.map_err(|error| {
        error!(%error, "memcached could not be started or killed");
        let message = "memcached does not obey. The log says why.";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    Ok(axum::Json(demo.show().await))
}

pub(super) async fn set_visitors<DB: Backend>(
    State(app): State<App<DB>>,
    Json(SetVisitors { reads_per_second }): Json<SetVisitors>,
) -> Result<axum::Json<Shown>> {
    let demo = demo(&app)?;
    if reads_per_second > VISITORS_MOST {
        let must = format!("be at most {VISITORS_MOST}");
        return Err(ApiError::invalid("reads_per_second", &must));
    }
    demo.set_visitors(reads_per_second);
    Ok(axum::Json(demo.show().await))
}

fn demo<DB: Backend>(app: &App<DB>) -> Result<&Demo> {
    app.demo.as_deref().ok_or_else(|| ApiError::not_found("page"))
}
