//! What is logged about rows that are not cached.

use std::{cell::RefCell, fmt, sync::Once};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span, subscriber,
};

thread_local! {
    /// What this thread has logged since it listens.
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What is logged on this thread from now on.
pub(crate) struct Warnings;

impl Warnings {
    /// One listener hears all threads: with one for each, what is logged while none
    /// listens elsewhere may be taken for unwanted here as well.
    pub(crate) fn listen() -> Self {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            subscriber::set_global_default(Listener).expect("nobody else listens");
        });
        LINES.with_borrow_mut(Vec::clear);
        Self
    }

    /// Those of rows that are not cached.
    pub(crate) fn of_lost_rows(&self) -> Vec<String> {
        LINES.with_borrow(|lines| {
            lines.iter().filter(|line| line.contains("rows are not cached")).cloned().collect()
        })
    }
}

struct Listener;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| lines.push(line.0));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
