//! What a command prints: one JSON object, or text.

use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, Write as _},
};

/// Prints an answer. Whoever reads it may have gone away, such as `head`.
pub(crate) fn print(is_json: bool, answer: &impl Serialize, text: impl Display) {
    let printed = if is_json {
        serde_json::to_string_pretty(answer).unwrap_or_else(|error| {
            serde_json::json!({ "error": { "kind": "output", "message": error.to_string() } })
                .to_string()
        })
    } else {
        text.to_string()
    };
    let _ = writeln!(io::stdout(), "{}", printed.trim_end());
}
