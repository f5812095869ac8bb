//! What follows from a table's description for what a struct says of it.

use super::{
    column_rules::{given, incomparable},
    description::{RowSecurity, TableDescription, TableKind, TableLifetime},
    index_rules::{costs, primary_key, unique_index},
    remarks::remarks,
    report::{Finding, Refuses},
    shape::{Accepted, Shape},
};

/// Everything but its columns' types.
pub(crate) fn findings(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let mut findings = dangers(shape, table);
    findings.extend(shape.indexes.iter().flat_map(|index| costs(shape, index, table)));
    findings.extend(incomparable(shape, table));
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
    dangers.extend(given(shape, table));
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
