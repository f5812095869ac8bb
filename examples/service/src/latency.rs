use crate::app::App;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use cached_orm::Backend;
use std::{
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How requests went since this was last asked.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    /// Of reads. Some thousands a second are no matter.
    times: Vec<Duration>,
    writes: u64,
    failed: u64,
}

/// The sum of what was noted. The times are those of reads, if there were any.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) failed: u64,
    pub(crate) p50: Option<Duration>,
    pub(crate) p99: Option<Duration>,
}

impl Latencies {
    fn note(&self, is_read: bool, has_failed: bool, took: Duration) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_read {
            noted.times.push(took);
        } else {
            noted.writes += 1;
        }
        noted.failed += u64::from(has_failed);
    }

    pub(crate) fn take(&self) -> Taken {
        let noted = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let Noted { mut times, writes, failed } = noted;
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied();
        Taken { reads: times.len() as u64, writes, failed, p50: at(50), p99: at(99) }
    }
}

/// Notes how long each request took, for the page and for Prometheus.
pub(crate) async fn measure<DB: Backend>(
    State(app): State<App<DB>>,
    request: Request,
    next: Next,
) -> Response {
    let is_read = request.method().is_safe();
    let method = request.method().as_str().to_owned();
    // As it is written in the router: labels must not grow with the rows.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let started = Instant::now();
    let response = next.run(request).await;
    let took = started.elapsed();
    let status = response.status();
    app.live.latencies.note(is_read, status.is_server_error(), took);
    let labels = [
        ("http_request_method", method),
        ("http_route", route.map_or_else(String::new, |route| route.as_str().to_owned())),
        ("http_response_status_code", status.as_str().to_owned()),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels).record(took);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_that_of_the_time_since() {
        let latencies = Latencies::default();
        for millisecond in 1..=100 {
            latencies.note(true, millisecond == 1, Duration::from_millis(millisecond));
        }
        latencies.note(false, false, Duration::from_secs(9));
        let taken = latencies.take();
        assert_eq!((taken.reads, taken.writes, taken.failed), (100, 1, 1));
        assert_eq!(taken.p50, Some(Duration::from_millis(51)));
        assert_eq!(taken.p99, Some(Duration::from_millis(100)));
        let nothing = latencies.take();
        assert_eq!((nothing.reads, nothing.writes, nothing.p50), (0, 0, None));
    }
}
