//! What `docs/observability.md` says.

const DOCUMENT: &str = include_str!("../../docs/observability.md");

/// The names in the first column of the table under this heading, which stand in
/// backticks.
pub(crate) fn first_column(heading: &str) -> Vec<&'static str> {
    let start = DOCUMENT.find(&format!("\n## {heading}\n")).expect("the heading is there");
    let section = &DOCUMENT[start + 4..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let columns = rows.filter_map(|row| row.split('|').nth(1));
    columns.flat_map(|column| column.split('`').skip(1).step_by(2)).collect()
}
