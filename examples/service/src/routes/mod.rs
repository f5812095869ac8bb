mod cities;
mod demo;
mod operation;
mod page;
mod regions;

use crate::{app::App, city::City, database::Database, error::ApiError, latency, region::Region};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{get, put},
};
use cached_orm::{Persist, Storable};
use tower_http::trace::TraceLayer;

/// No request has more to say.
const LARGEST_BODY: usize = 16 << 10;

/// Everything that the service answers.
pub(crate) fn all<DB: Database>(app: App<DB>) -> Router
where
    City: Persist<DB>,
    Region: Persist<DB>,
    String: Storable<DB>,
    f64: Storable<DB>,
{
    let mut router = Router::new()
        .route("/", get(page::page))
        .route("/health", get(operation::health::<DB>))
        .route("/metrics", get(operation::metrics::<DB>))
        .route("/live", get(operation::live::<DB>));
    if app.demo.is_some() {
        router = router
            .route("/demo/cache", put(demo::set_cache::<DB>))
            .route("/demo/visitors", put(demo::set_visitors::<DB>));
    }
    router
        .with_state(app.clone())
        .merge(api(app))
        .fallback(async || ApiError::not_found("page"))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        // What fails is told where it fails, with its reason.
        .layer(TraceLayer::new_for_http().on_failure(()))
}

/// The API alone: what is measured, and what the demonstration's visitors ask.
pub(crate) fn api<DB: Database>(app: App<DB>) -> Router
where
    City: Persist<DB>,
    Region: Persist<DB>,
    String: Storable<DB>,
    f64: Storable<DB>,
{
    Router::new()
        .route("/api/cities", get(cities::list::<DB>).post(cities::create::<DB>))
        .route(
            "/api/cities/{id}",
            get(cities::one::<DB>).patch(cities::change::<DB>).delete(cities::delete::<DB>),
        )
        .route("/api/cities/by-slug/{slug}", get(cities::by_slug::<DB>))
        .route("/api/countries/{country}/regions", get(regions::list::<DB>))
        .route(
            "/api/countries/{country}/regions/{admin1}",
            get(regions::one::<DB>).put(regions::put::<DB>).delete(regions::delete::<DB>),
        )
        .route("/api/countries/{country}/regions/{admin1}/cities", get(regions::cities::<DB>))
        .route_layer(middleware::from_fn_with_state(app.clone(), latency::measure::<DB>))
        .with_state(app)
}

async fn method_not_allowed() -> ApiError {
    let message = "It cannot be asked that way; `Allow` says how.";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
