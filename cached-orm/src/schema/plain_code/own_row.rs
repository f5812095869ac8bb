//! Conditions that only the trigger's own row can meet.

use super::nested;
use crate::schema::words::{Dialect, Word};

/// The columns of `id = NEW.id AND …`, whatever else has to be so. `tables` are the names
/// of the table whose rows are asked.
pub(super) fn own_row_by(condition: &[Word], dialect: Dialect, tables: &[String]) -> Vec<String> {
    /// What binds weaker than AND, and the AND of which is none. `||` is MySQL's OR.
    const OTHERS: [&str; 4] = ["or", "xor", "between", "|"];
    let condition = without_parentheses(condition);
    if nested(condition).any(|(depth, word)| depth == 0 && word.is_any(&OTHERS)) {
        return Vec::new();
    }
    terms(condition).into_iter().filter_map(|term| own_column(term, dialect, tables)).collect()
}

/// What ANDs stand between.
fn terms(condition: &[Word]) -> Vec<&[Word]> {
    let is_and =
        |(at, (depth, word)): (usize, (i32, &Word))| (depth == 0 && word.is("and")).then_some(at);
    let ends = nested(condition).enumerate().filter_map(is_and).chain([condition.len()]);
    let mut start = 0;
    ends.map(|end| {
        let term = condition.get(start..end).unwrap_or_default();
        start = end + 1;
        term
    })
    .collect()
}

/// The column of `id = NEW.id`, either way round.
fn own_column(term: &[Word], dialect: Dialect, tables: &[String]) -> Option<String> {
    let term = without_parentheses(term);
    let equal =
        term.iter().position(|word| word.is("=") || dialect == Dialect::Sqlite && word.is("is"))?;
    let (left, right) = (term.get(..equal)?, term.get(equal + 1..)?);
    let right = match right {
        [second, right @ ..] if dialect == Dialect::Sqlite && second.is("=") => right,
        right => right,
    };
    let is_table = |word: &Word| {
        let is_it = |table: &String| match dialect {
            Dialect::Postgres => word.name() == Some(table),
            _ => word.name().is_some_and(|name| name.eq_ignore_ascii_case(table)),
        };
        tables.iter().any(is_it)
    };
    let of_row = |side: &[Word]| match side {
        [row, dot, column] if row.is_any(&["new", "old"]) && dot.is(".") => {
            column.name().map(str::to_owned)
        }
        _ => None,
    };
    let of_table = |side: &[Word]| match side {
        [column] => column.name().map(str::to_owned),
        [table, dot, column] if is_table(table) && dot.is(".") => column.name().map(str::to_owned),
        _ => None,
    };
    let (one, other) = match (of_table(left), of_row(right)) {
        (Some(one), Some(other)) => (one, other),
        _ => (of_table(right)?, of_row(left)?),
    };
    // Where letters' case does not count, it does not for the row's number either.
    match dialect {
        Dialect::Postgres => (one == other).then_some(one),
        _ => one.eq_ignore_ascii_case(&other).then(|| one.to_ascii_lowercase()),
    }
}

/// What is in the parentheses, where they are around all of it.
fn without_parentheses(mut words: &[Word]) -> &[Word] {
    while let [open, inner @ .., close] = words
        && open.is("(")
        && close.is(")")
        && nested(inner).all(|(depth, _)| depth >= 0)
    {
        words = inner;
    }
    words
}
