use super::Meters;
use crate::{Error, Operation};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::time::Instant;
use tracing::{Span, field::Empty, level_filters::LevelFilter};

/// Whether an operation is watched, and by whom; made before it begins.
#[derive(Debug)]
pub(crate) struct Watch(Option<Box<Watcher>>);

#[derive(Debug)]
struct Watcher {
    meters: Arc<Meters>,
    operation: Operation,
    span: Span,
    started: Instant,
}

impl Watch {
    /// Whether an operation that reads may have somebody who watches. Cheaper than
    /// to make a watch, for what is done within a microsecond.
    #[inline]
    pub(crate) fn may_see_reads(meters: &Meters) -> bool {
        meters.measures() || LevelFilter::current() >= LevelFilter::DEBUG
    }

    /// Watches an operation that reads. There may be hundreds of thousands in a
    /// second, so its span is one for debugging.
    #[inline]
    pub(crate) fn read(meters: &Arc<Meters>, operation: Operation) -> Self {
        if !meters.measures() && !tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
            return Self(None);
        }
        Self::with(meters, operation, span_of_read)
    }

    /// Watches an operation that writes.
    #[inline]
    pub(crate) fn write(meters: &Arc<Meters>, operation: Operation) -> Self {
        if !meters.measures() && !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return Self(None);
        }
        Self::with(meters, operation, span_of_write)
    }

    #[cold]
    fn with(
        meters: &Arc<Meters>,
        operation: Operation,
        span: fn(Operation, &'static str) -> Span,
    ) -> Self {
        let span = span(operation, meters.system());
        let (meters, started) = (Arc::clone(meters), Instant::now());
        Self(Some(Box::new(Watcher { meters, operation, span, started })))
    }

    /// The operation, which is watched from the first poll to its end.
    pub(crate) fn over<F, T>(self, work: F) -> Watched<F>
    where
        F: Future<Output = Result<T, Error>>,
    {
        Watched { work, watcher: self.0 }
    }
}

const TARGET: &str = "cached_orm::operation";

macro_rules! span {
    ($level:ident, $operation:expr, $system:expr) => {{
        let (operation, system): (Operation, &str) = ($operation, $system);
        let span = tracing::span!(
            target: "cached_orm::operation",
            tracing::Level::$level,
            "cached_orm",
            otel.name = Empty,
            otel.kind = "client",
            otel.status_code = Empty,
            db.system.name = system,
            db.operation.name = operation.name(),
            db.collection.name = operation.table(),
            cached_orm.entity = operation.entity(),
            error.r#type = Empty,
        );
        if !span.is_disabled() {
            match operation.table() {
                Some(table) => span.record("otel.name", format!("{} {table}", operation.name())),
                None => span.record("otel.name", operation.name()),
            };
        }
        span
    }};
}

fn span_of_read(operation: Operation, system: &'static str) -> Span {
    span!(DEBUG, operation, system)
}

fn span_of_write(operation: Operation, system: &'static str) -> Span {
    span!(INFO, operation, system)
}

impl Watcher {
    fn end(self, error: Option<&Error>) {
        let kind = error.map(Error::kind);
        if let Some(kind) = kind {
            self.span.record("error.type", kind);
            self.span.record("otel.status_code", "ERROR");
        }
        let meter = self.meters.of(self.operation);
        if self.meters.measures() {
            meter.record_operation(self.started.elapsed(), kind);
        }
    }
}

pin_project! {
    /// An operation and who watches it.
    pub(crate) struct Watched<F> {
        #[pin]
        work: F,
        watcher: Option<Box<Watcher>>,
    }
}

impl<F, T> Future for Watched<F>
where
    F: Future<Output = Result<T, Error>>,
{
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(watcher) = &*this.watcher else { return this.work.poll(cx) };
        let polled = watcher.span.in_scope(|| this.work.poll(cx));
        let outcome = ready!(polled);
        if let Some(watcher) = this.watcher.take() {
            watcher.end(outcome.as_ref().err());
        }
        Poll::Ready(outcome)
    }
}
