use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

/// How often it is told where there is no terminal to draw on.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// How far a command is: a bar on a terminal, now and then a line elsewhere, and nothing
/// of what is done at once.
pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines { what: &'static str, last: Instant },
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines { what, last: Instant::now() };
        }
        let bar = ProgressBar::new(0);
        let template = format!("{{bar:40}} {{pos}} of {{len}} {what}, {{eta}} to go");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    pub(crate) fn is_at(&mut self, done: u64, of: u64) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(done);
            }
            Self::Lines { what, last } => {
                if last.elapsed() >= TELL_EVERY {
                    *last = Instant::now();
                    eprintln!("{done} of {of} {what}");
                }
            }
        }
    }

    pub(crate) fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
