use super::Backend;
use crate::{Error, Persist, Result, Uncached, error::Panicked};
use sqlx::{Arguments as _, Decode, Encode, Type, encode::IsNull, error::BoxDynError};
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A Rust type that `DB` can store in a column and load from it.
///
/// ```
/// use cached_orm::{Postgres, Storable};
///
/// fn has_a_column<T: Storable<Postgres>>() {}
/// has_a_column::<String>();
/// has_a_column::<Option<i64>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a `{DB}` column",
    label = "`{DB}` can neither encode nor decode this type",
    note = "derive `sqlx::Type` for it, store it as JSON with `#[orm(json)]`, or leave the field out with `#[orm(skip)]`",
    note = "PostgreSQL has no unsigned integers, and SQLite none of 64 bits: use `i64`",
    note = "UUIDs and dates need the feature `uuid`, `chrono` or `time` of `cached-orm`"
)]
pub trait Storable<DB: Backend>: Sized + Send + Sync + 'static {
    #[doc(hidden)]
    fn from_column(row: &DB::Row, column: &str) -> sqlx::Result<Self>;

    /// Whether values of the column's type can be read; so too if it is not known.
    #[doc(hidden)]
    fn is_compatible(row: &DB::Row, column: &str) -> bool;

    #[doc(hidden)]
    fn add_to(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError>;

    /// Appends what is sent of it as an argument.
    #[doc(hidden)]
    fn encode_to(&self, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError>;

    /// The argument's type, where the value decides on it.
    #[doc(hidden)]
    fn type_of_argument(&self) -> Option<DB::TypeInfo>;
}

// Without `do_not_recommend` rustc reports the innermost unmet bound
// (`T: Encode<'_, DB>`), and never shows the message above.
#[diagnostic::do_not_recommend]
impl<T, DB> Storable<DB> for T
where
    DB: Backend,
    T: Send + Sync + 'static + Type<DB> + for<'q> Encode<'q, DB> + for<'r> Decode<'r, DB>,
{
    fn from_column(row: &DB::Row, column: &str) -> sqlx::Result<Self> {
        DB::column(row, column)
    }

    fn is_compatible(row: &DB::Row, column: &str) -> bool {
        DB::is_compatible::<T>(row, column)
    }

    fn add_to(&self, arguments: &mut DB::Arguments) -> Result<(), BoxDynError> {
        arguments.add(self)
    }

    fn encode_to(&self, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        DB::encode(self, bytes)
    }

    fn type_of_argument(&self) -> Option<DB::TypeInfo> {
        self.produces()
    }
}

/// A row to read columns from.
#[derive(Debug)]
pub struct Row<'r, DB: Backend> {
    row: &'r DB::Row,
    entity: &'static str,
    /// The column that was decoded last.
    column: Cell<&'static str>,
}

impl<'r, DB: Backend> Row<'r, DB> {
    /// What the row holds. If the code of a field's type panics that is an error as
    /// well: whoever reads the row has the rest of an answer to read.
    pub(crate) fn read<T: Persist<DB>>(row: &'r DB::Row) -> Result<T> {
        let row = Self { row, entity: T::NAME, column: Cell::default() };
        catch_unwind(AssertUnwindSafe(|| T::from_row(&row))).unwrap_or_else(|_| {
            Err(row.error(row.column.get(), sqlx::Error::Decode(Box::new(Panicked))))
        })
    }

    /// Decodes the column called `name`.
    ///
    /// # Errors
    /// [`Error::Column`] if there is no such column, or it cannot be decoded
    /// as a `T`.
    pub fn get<T: Storable<DB>>(&self, name: &'static str) -> Result<T> {
        self.column.set(name);
        T::from_column(self.row, name).map_err(|source| self.error(name, source))
    }

    /// Decodes the column called `name`, which the cache never holds.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub fn get_uncached<T: Storable<DB>>(&self, name: &'static str) -> Result<Uncached<T>> {
        self.get(name).map(Uncached::new)
    }

    /// Decodes the JSON in the column called `name`.
    ///
    /// # Errors
    /// [`Error::Column`] if there is no such column, or its JSON is not a `T`.
    #[cfg(feature = "json")]
    pub fn get_json<T>(&self, name: &'static str) -> Result<T>
    where
        DB: super::backend::JsonBackend,
        T: serde::de::DeserializeOwned,
    {
        self.column.set(name);
        DB::json_column(self.row, name).map_err(|source| self.error(name, source))
    }

    fn error(&self, column: &'static str, source: sqlx::Error) -> Error {
        Error::Column { entity: self.entity, column, source: source.into() }
    }
}
