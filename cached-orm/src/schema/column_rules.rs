//! What follows from a table's columns for what a struct says of them.

use super::{
    description::{ColumnDescription, Filled, TableDescription, is_alike},
    report::{Finding, Refuses},
    shape::Shape,
};

/// A column of the struct that the table does not have.
pub(super) fn missing(table: &TableDescription, column: &str) -> Option<Finding> {
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

/// Columns to which the struct gives values, and the database takes none. To an index over
/// one it is not told that a value comes with a change of other columns.
pub(super) fn given(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let given = shape.written.iter().filter_map(|name| {
        let what = match table.column(name)?.filled {
            Filled::ByStatements => return None,
            Filled::Generated => "is computed by the database (GENERATED ALWAYS)",
            Filled::Numbered => "is numbered by the database (GENERATED ALWAYS AS IDENTITY)",
        };
        let is_indexed = shape.indexes.iter().any(|index| index.columns.contains(name));
        let finding = Finding::error(
            format!("column {name}"),
            format!("{what}, and the struct gives it values, which the database refuses"),
            "write `#[orm(generated)]` on the field",
        );
        Some(if is_indexed { finding.refuses(Refuses::Writes) } else { finding })
    });
    given.collect()
}

/// Columns by which rows are to be found, and cannot be.
pub(super) fn incomparable(shape: &Shape, table: &TableDescription) -> Vec<Finding> {
    let indexed = shape.indexes.iter().flat_map(|index| &index.columns);
    let columns = shape.key.iter().chain(indexed).filter_map(|name| table.column(name));
    let finding = |column: &ColumnDescription| {
        Finding::error(
            format!("column {}", column.name),
            format!(
                "is of `{}`, a domain over an enum, which PostgreSQL compares with nothing: no row \
                 is found by it, and statements fail",
                column.type_name
            ),
            "make the enum itself the column's type",
        )
    };
    columns.filter(|column| column.is_incomparable).map(finding).collect()
}
