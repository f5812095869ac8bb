use super::Demo;
use axum::{Router, body::Body, http::Request};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::MissedTickBehavior};
use tower::ServiceExt;

const TICKS: u32 = 50;

/// More wait for the database than the page need show.
const AT_ONCE: usize = 200;

/// Asks the API for cities, popular ones most of all, for ever. The requests take every
/// step but the network's.
pub(crate) async fn visit(demo: Arc<Demo>, api: Router, last_city: i64) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / TICKS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut owed = 0;
    loop {
        ticks.tick().await;
        owed += demo.visitors();
        for _ in 0..owed / TICKS {
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
            let Ok(request) = Request::get(uri(last_city)).body(Body::empty()) else { continue };
            let api = api.clone();
            tokio::spawn(async move {
                // How it went is measured on its way.
                drop(api.oneshot(request).await);
                drop(place);
            });
        }
        owed %= TICKS;
    }
}

/// The number of readers of a city falls with its id, as by Zipf's law.
fn uri(last_city: i64) -> String {
    let id = (last_city.max(1) as f64).powf(rand::random::<f64>());
    format!("/api/cities/{}", id as i64)
}
