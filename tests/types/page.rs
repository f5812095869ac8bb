//! The page of the guide that says what was seen.

use crate::{databases::is_mariadb, outcome::Outcome};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

/// What was seen on one database.
#[derive(Debug, Default)]
pub(crate) struct Page {
    keys: Vec<Seen>,
    columns: Vec<Seen>,
    /// What should hold and does not.
    pub(crate) findings: Vec<String>,
}

#[derive(Debug)]
struct Seen {
    name: &'static str,
    sql_type: &'static str,
    outcome: Outcome,
}

impl Page {
    pub(crate) fn add_key(&mut self, name: &'static str, sql_type: &'static str, outcome: Outcome) {
        self.keys.push(Seen { name, sql_type, outcome });
    }

    pub(crate) fn add_column(
        &mut self,
        name: &'static str,
        sql_type: &'static str,
        outcome: Outcome,
    ) {
        self.columns.push(Seen { name, sql_type, outcome });
    }
}

const BEGIN: &str = "<!-- made by tests/types -->\n";
const END: &str = "<!-- until here -->\n";

const DATABASES: [&str; 3] = ["PostgreSQL", "MySQL, MariaDB", "SQLite"];

/// One row for each Rust type.
fn table(pages: &[Page; 3], of: fn(&Page) -> &Vec<Seen>) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut cells: BTreeMap<(&str, usize), Vec<String>> = BTreeMap::new();
    for (at, page) in pages.iter().enumerate() {
        for Seen { name, sql_type, outcome } in of(page) {
            if !names.contains(name) {
                names.push(name);
            }
            if let Outcome::Works(works) = outcome {
                let sql_type = sql_type
                    .strip_prefix("an ")
                    .map_or_else(|| format!("`{sql_type}`"), |sql_type| format!("`{sql_type}`"));
                cells.entry((name, at)).or_default().push(format!("{sql_type}{works}"));
            }
        }
    }
    let mut table = format!("| Rust | {} |\n|---|---|---|---|\n", DATABASES.join(" | "));
    for name in names {
        let quoted = if name.starts_with("a") && name.contains(' ') {
            name.to_owned()
        } else {
            format!("`{name}`")
        };
        let cell =
            |at| cells.get(&(name, at)).map_or_else(|| "–".to_owned(), |cell| cell.join(", "));
        let _ = writeln!(table, "| {quoted} | {} | {} | {} |", cell(0), cell(1), cell(2));
    }
    table
}

/// What is refused at first use, and what it says.
fn refused(pages: &[Page; 3]) -> String {
    let mut table = "| Rust | on | it says |\n|---|---|---|\n".to_owned();
    for (page, database) in pages.iter().zip(DATABASES) {
        for Seen { name, sql_type, outcome } in page.keys.iter().chain(&page.columns) {
            if let Outcome::Refused(message) = outcome {
                let reason =
                    message.split_once(": ").map_or(message.as_str(), |(_, reason)| reason);
                let _ = writeln!(table, "| `{name}` | `{sql_type}` ({database}) | *{reason}* |");
            }
        }
    }
    table
}

/// Holds the page to what was seen.
pub(crate) async fn compare(pages: &[Page; 3]) {
    let findings: Vec<_> = pages.iter().flat_map(|page| &page.findings).cloned().collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
    let made = format!(
        "{BEGIN}\n## Keys, indexed columns, columns\n\n{}\n## Columns only\n\n{}\n## Refused at first use\n\n{}\n{END}",
        table(pages, |page| &page.keys),
        table(pages, |page| &page.columns),
        refused(pages)
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/types.md");
    let page = fs::read_to_string(&path).expect("docs/types.md");
    let (before, rest) = page.split_once(BEGIN).expect("where the tables begin");
    let (_, after) = rest.split_once(END).expect("where the tables end");
    let wanted = format!("{before}{made}{after}");
    if page == wanted {
        return;
    }
    if std::env::var("TYPES").is_ok_and(|what| what == "overwrite") {
        return fs::write(&path, wanted).expect("the page is written");
    }
    // MySQL's collations know of blanks, and MariaDB's do not.
    if is_mariadb().await {
        let new: Vec<_> = made.lines().filter(|line| !page.contains(line)).collect();
        panic!(
            "docs/types.md says otherwise; `TYPES=overwrite` writes it anew:\n{}",
            new.join("\n")
        );
    }
}
