//! What follows from a table's description for what a struct says of it.

use super::{
    description::{
        IndexDescription, RowSecurity, RowsShown, TableDescription, TableKind, TableLifetime,
        are_among, is_alike,
    },
    remarks::remarks,
    report::{Finding, Refuses},
    shape::{Accepted, Shape, ShapeIndex},
};
use crate::sql::split_table;

/// Everything but its columns' types.
pub(crate) fn findings(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let mut findings = dangers(shape, table);
    findings.extend(shape.indexes.iter().flat_map(|index| costs(shape, index, table)));
    findings.extend(remarks(shape, table));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What makes the promise false: for this the struct is refused.
pub(crate) fn dangers(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let mut dangers = Vec::new();
    dangers.extend(kind(shape, table));
    dangers.extend(lifetime(table));
    dangers.extend(row_security(shape, table));
    dangers.extend(rules(shape, table));
    dangers.extend(conflicts(table));
    dangers.extend(engine(table));
    let is_table = matches!(table.kind, TableKind::Ordinary | TableKind::Partitioned);
    if is_table {
        dangers.extend(primary_key(shape, table));
    }
    if table.kind != TableKind::View {
        let unique = shape.indexes.iter().filter(|index| index.is_unique);
        dangers.extend(unique.filter_map(|index| unique_index(shape, index, table)));
    }
    dangers
}

/// `accepts(…)`, as a part of what to do.
fn or_accept(accepted: Accepted, knowing: &str) -> String {
    format!("write `#[orm(accepts({}))]` on the struct, if {knowing}", accepted.name())
}

fn kind(shape: &Shape, table: &TableDescription) -> Option<Finding> {
    let (accepted, what, knowing) = match table.kind {
        TableKind::Ordinary => return None,
        TableKind::View => (
            Accepted::Views,
            "is a view: the cache is not told when the tables behind it are changed",
            "rows may be as old as their TTL",
        ),
        TableKind::Foreign => (
            Accepted::Views,
            "is a foreign table: the cache is not told what others change elsewhere",
            "rows may be as old as their TTL",
        ),
        TableKind::Virtual => (
            Accepted::Views,
            "is a virtual table: the cache is not told what its module changes",
            "rows may be as old as their TTL",
        ),
        TableKind::Partitioned => (
            Accepted::Partitions,
            "is partitioned: the cache is not told when a partition with rows in it is attached, \
             detached, exchanged, dropped or truncated",
            "that is not done, or is told to the cache by `invalidate` or a flush",
        ),
        TableKind::Inherited => (
            Accepted::Partitions,
            "has child tables, whose rows it shows: the cache is not told of what is written to \
             them, and nothing keeps their primary keys apart",
            "nobody writes to them past this crate, and their keys differ",
        ),
    };
    let finding =
        Finding::error(format!("table {}", table.identity), what, or_accept(accepted, knowing));
    (!shape.accepts(accepted)).then(|| finding.refuses(Refuses::All))
}

fn lifetime(table: &TableDescription) -> Option<Finding> {
    let subject = format!("table {}", table.identity);
    match table.lifetime {
        TableLifetime::Permanent => None,
        TableLifetime::Temporary => Some(
            Finding::error(
                subject,
                "is temporary: each connection has another table of this name, and all of them \
                 would share one cache",
                "use a table that stays, or no cache",
            )
            .refuses(Refuses::All),
        ),
        TableLifetime::Unlogged => Some(Finding::warning(
            subject,
            "is unlogged: after a crash of the server it is empty, and the cache is not",
            "flush the cache after a crash, or `ALTER TABLE … SET LOGGED`",
        )),
    }
}

fn row_security(shape: &Shape, table: &TableDescription) -> Option<Finding> {
    let subject = "row-level security";
    match table.row_security {
        RowSecurity::Off => None,
        RowSecurity::Bypassed => Some(Finding::warning(
            subject,
            "restricts other roles, and not this one: what the cache has is shown to everybody \
             who reads by it",
            "let only programs read by this cache whose role may see every row",
        )),
        RowSecurity::Active if shape.accepts(Accepted::RowSecurity) => None,
        RowSecurity::Active => Some(
            Finding::error(
                subject,
                "decides which rows this role sees: rows that were cached for one role or setting \
                 would be shown to every other one, and so would the absence of rows",
                format!(
                    "connect as a role that sees every row, or give each role a namespace of its \
                     own and {}",
                    or_accept(
                        Accepted::RowSecurity,
                        "all who share the namespace may see the same rows"
                    )
                ),
            )
            .refuses(Refuses::All),
        ),
    }
}

fn rules(shape: &Shape, table: &TableDescription) -> Option<Finding> {
    let first = table.rules.first().filter(|_| !shape.accepts(Accepted::Rules))?;
    Some(
        Finding::error(
            format!("rule {first}"),
            "makes other statements of a write, of which the cache is not told",
            format!(
                "make a trigger of it, or {}",
                or_accept(Accepted::Rules, "it changes no row that is cached")
            ),
        )
        .refuses(Refuses::Writes),
    )
}

fn conflicts(table: &TableDescription) -> Option<Finding> {
    table.replaces_rows.then(|| {
        Finding::error(
            "ON CONFLICT REPLACE",
            "removes other rows when a row is written, and the cache is not told which",
            "create the table without it, and delete the other row before the write",
        )
        .refuses(Refuses::Writes)
    })
}

fn engine(table: &TableDescription) -> Option<Finding> {
    let engine = table.engine_without_transactions.as_ref()?;
    Some(
        Finding::error(
            format!("engine {engine}"),
            "has no transactions: a write stays when it is rolled back, and the cache is not told",
            format!("`ALTER TABLE {} ENGINE = InnoDB`", table.identity),
        )
        .refuses(Refuses::Writes),
    )
}

/// Whether no two rows can have the same values in `columns`, which is seen at once.
fn is_unique(index: &IndexDescription, columns: &[String]) -> bool {
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
        && are_among(&index.columns, columns)
}

/// Why an index that is near to it does not make `columns` unique.
fn nearly_unique(table: &TableDescription, columns: &[String]) -> Option<String> {
    let is_near = |index: &&IndexDescription| index.is_unique && are_among(&index.columns, columns);
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

fn primary_key(shape: &Shape, table: &TableDescription) -> Option<Finding> {
    if table.indexes.iter().any(|index| is_unique(index, &shape.key)) {
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

fn unique_index(shape: &Shape, index: &ShapeIndex, table: &TableDescription) -> Option<Finding> {
    let columns = &index.columns;
    if table.indexes.iter().any(|index| is_unique(index, columns)) {
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
fn costs(shape: &Shape, index: &ShapeIndex, table: &TableDescription) -> Option<Finding> {
    let is_of_use = |found: &IndexDescription| {
        let leading = found.leading.iter().take(index.columns.len());
        let leading: Vec<&String> = leading.collect();
        !found.is_partial
            && !found.is_invalid
            && !found.has_other_collation
            && leading.len() == index.columns.len()
            && are_among(&leading, &index.columns)
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

/// Columns of the struct that the table does not have.
pub(crate) fn missing(table: &TableDescription, column: &str) -> Option<Finding> {
    if table.column(column).is_some() {
        return None;
    }
    let columns: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let near = columns.iter().find(|name| is_alike(name, column));
    let cure = match near {
        Some(near) => format!("write `#[orm(column = \"{near}\")]`"),
        None => format!(
            "add it, or leave the field out with `#[orm(skip)]`; the table has {}",
            columns.join(", ")
        ),
    };
    Some(Finding::error(format!("column {column}"), "is not in the table", cure))
}
