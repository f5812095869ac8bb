//! Whether the columns that rows are found by can be compared with what is sent for
//! them. Where they cannot, a database gives no error: it finds no row.

use super::{Backend, TableFound};
#[cfg(any(feature = "mysql", feature = "sqlite"))]
use crate::KeyKind;
use crate::{Error, IndexColumn, Operation, Persist, PrimaryKey as _, Result};

/// The first mistake in the columns of the primary key and of the indexes, in words that
/// say what to do. A table or column that the catalog does not have is not spoken of.
pub(crate) fn mistake<DB: Backend, T: Persist<DB>>(table: &TableFound) -> Option<String> {
    let keys = T::TABLE.key_columns().iter().copied().zip(T::Key::KINDS.iter().copied());
    let indexed = T::INDEXES.iter().flat_map(|index| index.columns());
    let indexed = indexed.map(|column: &IndexColumn| (column.name(), column.kind()));
    keys.chain(indexed).find_map(|(name, kind)| {
        let column = table.column(name)?;
        let reason = DB::unfit(kind, &column.type_name)?;
        let type_name = column.type_name.to_uppercase();
        Some(format!(
            "rows of {} are not found by its column `{name}`, which is {type_name}: {reason}",
            T::NAME
        ))
    })
}

/// Looks at the catalog, and refuses a table whose rows would not be found. `false` if
/// there is no such table yet.
pub(crate) async fn check<DB: Backend, T: Persist<DB>>(
    connection: &mut DB::Connection,
    operation: Operation,
) -> Result<bool> {
    let found = DB::find_table(connection, T::TABLE.name()).await;
    let Some(table) = found.map_err(Error::database(operation))? else { return Ok(false) };
    match mistake::<DB, T>(&table) {
        Some(mistake) => Err(Error::Configuration(mistake)),
        None => Ok(true),
    }
}

/// What to do about a UUID of another form than its column's, or bytes in a column of
/// text, or the other way round, where the database compares them without an error.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(super) fn unfit_binary(kind: KeyKind, is_text: bool, is_binary: bool) -> Option<&'static str> {
    Some(match kind {
        KeyKind::Uuid if is_text => {
            "a `Uuid` is sent as 16 bytes, which equal no text; use `uuid::fmt::Hyphenated`, or \
             change the column to 16 bytes"
        }
        KeyKind::UuidText if is_binary => {
            "`Hyphenated` and `Simple` are sent as text, which equals no bytes; use `uuid::Uuid`"
        }
        KeyKind::Bytes if is_text => "bytes are not compared as text is; use `String`",
        KeyKind::Text if is_binary => "text is not compared as bytes are; use `Vec<u8>`",
        _ => return None,
    })
}
