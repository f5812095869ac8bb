//! What follows from a table's indexes for what a struct says of them.

use super::{
    description::{IndexDescription, RowsShown, TableDescription, TableKind},
    report::{Finding, Refuses},
    shape::{Shape, ShapeIndex},
};
use crate::sql::split_table;

/// Whether no two rows can have the same values in `columns`, which is seen at once.
fn is_unique(table: &TableDescription, index: &IndexDescription, columns: &[String]) -> bool {
    let IndexDescription {
        is_partial,
        is_deferrable,
        is_invalid,
        has_other_collation,
        has_other_nulls,
        ..
    } = *index;
    index.is_unique
        && !(is_partial || is_deferrable || is_invalid || has_other_collation || has_other_nulls)
        && !index.columns.is_empty()
        && table.are_among(&index.columns, columns)
}

/// Why an index that is near to it does not make `columns` unique.
fn nearly_unique(table: &TableDescription, columns: &[String]) -> Option<String> {
    let is_near =
        |index: &&IndexDescription| index.is_unique && table.are_among(&index.columns, columns);
    let index = table.indexes.iter().find(is_near)?;
    let why = match index {
        IndexDescription { is_deferrable: true, .. } => "is checked at the end of a transaction",
        IndexDescription { is_partial: true, .. } => "leaves rows out (WHERE)",
        IndexDescription { is_invalid: true, .. } => {
            "is not valid yet, or was not built to its end"
        }
        IndexDescription { has_other_nulls: true, .. } => {
            "is over an expression that may be NULL where the column is not"
        }
        IndexDescription { has_other_collation: true, .. } => {
            "compares by another collation than the column"
        }
        _ => return None,
    };
    Some(format!("the unique index `{}` {why}", index.name))
}

pub(super) fn primary_key(shape: &Shape, table: &TableDescription) -> Option<Finding> {
    if table.indexes.iter().any(|index| is_unique(table, index, &shape.key)) {
        return None;
    }
    let why = nearly_unique(table, &shape.key)
        .unwrap_or_else(|| "no unique index makes sure of it".to_owned());
    Some(
        Finding::error(
            format!("primary key {}", list(&shape.key)),
            format!("several rows may have one key: {why}"),
            format!(
                "`ALTER TABLE {} ADD PRIMARY KEY ({})`, not deferrable, or name the columns \
                     that are unique",
                table.identity,
                list(&shape.key)
            ),
        )
        .refuses(Refuses::Writes),
    )
}

pub(super) fn unique_index(
    shape: &Shape,
    index: &ShapeIndex,
    table: &TableDescription,
) -> Option<Finding> {
    let columns = &index.columns;
    if table.indexes.iter().any(|index| is_unique(table, index, columns)) {
        return None;
    }
    let why = nearly_unique(table, columns).unwrap_or_else(|| "there is no such index".to_owned());
    Some(
        Finding::error(
            format!("unique {}", list(columns)),
            format!(
                "no unique index makes sure that one row has a value: {why}; so lookups by it \
                 may be answered with a row or an absence that is not so"
            ),
            format!(
                "{}, without WHERE and not deferrable, or `#[orm(index)]` in the place of \
                 `#[orm(unique)]`",
                create_index("UNIQUE INDEX", shape, table, columns)
            ),
        )
        .refuses(Refuses::All),
    )
}

/// What makes lookups slow.
pub(super) fn costs(
    shape: &Shape,
    index: &ShapeIndex,
    table: &TableDescription,
) -> Option<Finding> {
    let is_of_use = |found: &IndexDescription| {
        let leading = found.leading.iter().take(index.columns.len());
        let leading: Vec<&String> = leading.collect();
        !found.is_partial
            && !found.is_invalid
            && !found.has_other_collation
            && leading.len() == index.columns.len()
            && table.are_among(&leading, &index.columns)
    };
    let is_table = !matches!(table.kind, TableKind::View | TableKind::Foreign);
    (is_table && !table.indexes.iter().any(is_of_use)).then(|| {
        Finding::warning(
            format!("index {}", list(&index.columns)),
            "no index begins with these columns: a lookup that misses reads the whole table",
            create_index("INDEX", shape, table, &index.columns),
        )
    })
}

/// The statement, with a name for the index, which only PostgreSQL makes up itself.
fn create_index(kind: &str, shape: &Shape, found: &TableDescription, columns: &[String]) -> String {
    let (schema, table) = split_table(&shape.table);
    let name = format!("{} {}", shape.table.replace('.', " "), columns.join(" "));
    let name: Vec<_> = name.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
    let (mut name, mut table) = (name.join("_").to_lowercase(), quoted(table, found));
    if let Some(schema) = schema.map(|schema| quoted(schema, found)) {
        // SQLite wants to know it of the index.
        let place = match found.rows_shown {
            RowsShown::BeforeTriggers => &mut name,
            _ => &mut table,
        };
        *place = format!("{schema}.{place}");
    }
    let columns: Vec<_> = columns.iter().map(|column| quoted(column, found)).collect();
    format!("`CREATE {kind} {name} ON {table} ({})`", columns.join(", "))
}

/// The name as SQL has it: in quotes if it is not plain.
fn quoted(name: &str, found: &TableDescription) -> String {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let quote = match found.rows_shown {
        RowsShown::Afterwards => '`',
        _ => '"',
    };
    if name.bytes().all(is_plain) { name.to_owned() } else { format!("{quote}{name}{quote}") }
}

fn list(columns: &[String]) -> String {
    columns.join(", ")
}
