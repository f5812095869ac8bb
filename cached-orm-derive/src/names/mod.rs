//! What names are made of, and what a misspelt one may have meant.

mod case;
mod nearest;

pub(crate) use case::{Case, snake_case};
pub(crate) use nearest::nearest;

/// ``  `a`, `b` or `c`  ``
pub(crate) fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// ``did you mean `table`?``, or what would be right.
pub(crate) fn suggestion(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("expected {}", alternatives(known)),
    }
}
