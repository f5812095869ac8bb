use super::{Backend, backend::ArgumentType};
use crate::{BindKey as _, Error, Persist, Result, Uncached, error::Panicked};
use sqlx::{
    Database, Decode, Encode, Type,
    encode::IsNull,
    error::{BoxDynError, UnexpectedNullError},
};
use std::{
    cell::Cell,
    marker::PhantomData,
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
    fn add_to(&self, arguments: &mut DB::Arguments) -> Result<ArgumentType, BoxDynError>;

    /// Adds the NULL of this type.
    #[doc(hidden)]
    fn add_null_to(arguments: &mut DB::Arguments) -> Result<ArgumentType, BoxDynError>;

    /// Appends what is sent of it as an argument.
    #[doc(hidden)]
    fn encode_to(&self, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError>;

    /// The argument's type, where the value decides on it.
    #[doc(hidden)]
    fn type_of_argument(&self) -> Option<DB::TypeInfo>;

    /// Whether it is written as NULL.
    #[doc(hidden)]
    fn is_null(&self) -> bool;
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

    fn add_to(&self, arguments: &mut DB::Arguments) -> Result<ArgumentType, BoxDynError> {
        DB::add(arguments, self)
    }

    fn add_null_to(arguments: &mut DB::Arguments) -> Result<ArgumentType, BoxDynError> {
        DB::add(arguments, &Null::<T>(PhantomData))
    }

    fn encode_to(&self, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        DB::encode(self, bytes)
    }

    fn type_of_argument(&self) -> Option<DB::TypeInfo> {
        self.produces()
    }

    fn is_null(&self) -> bool {
        DB::binds_null(self)
    }
}

/// The NULL of a type.
struct Null<T>(PhantomData<fn() -> T>);

impl<DB: Database, T: Type<DB>> Type<DB> for Null<T> {
    fn type_info() -> DB::TypeInfo {
        T::type_info()
    }
}

impl<'q, DB: Database, T> Encode<'q, DB> for Null<T> {
    fn encode_by_ref(&self, _: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// A row to read columns from.
#[derive(Debug)]
pub struct Row<'r, DB: Backend> {
    row: &'r DB::Row,
    entity: &'static str,
    /// The column that was decoded last.
    column: Cell<&'static str>,
    #[cfg_attr(not(feature = "json"), allow(dead_code, reason = "only JSON is compared"))]
    kept: Kept,
    /// The first column whose document does not come back.
    lost: Cell<Option<&'static str>>,
}

/// A row as it was read.
pub(crate) struct Loaded<T> {
    pub(crate) row: T,
    /// A JSON column in whose document is more than serde writes of the value. So the row
    /// cannot be stored, or copied by serde. Known if it was looked for.
    pub(crate) lost: Option<&'static str>,
}

impl<T> Loaded<T> {
    pub(crate) fn into_row(self) -> T {
        self.row
    }
}

/// Whether rows may be stored that are read, or copied by serde: only of those is it
/// looked for what they have lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    No,
    Yes,
}

impl<'r, DB: Backend> Row<'r, DB> {
    /// What the row holds. If the code of a field's type panics that is an error as
    /// well: whoever reads the row has the rest of an answer to read.
    pub(crate) fn read<T: Persist<DB>>(row: &'r DB::Row, kept: Kept) -> Result<Loaded<T>> {
        let this = Self::new::<T>(row, kept);
        let row = catch_unwind(AssertUnwindSafe(|| T::from_row(&this))).unwrap_or_else(|_| {
            Err(this.error(this.column.get(), sqlx::Error::Decode(Box::new(Panicked))))
        })?;
        Ok(Loaded { row, lost: this.lost.get() })
    }

    fn new<T: Persist<DB>>(row: &'r DB::Row, kept: Kept) -> Self {
        let (column, lost) = Default::default();
        Self { row, entity: T::NAME, column, kept, lost }
    }

    /// The key of a row of which something else could not be read.
    pub(crate) fn read_key<T: Persist<DB>>(row: &'r DB::Row) -> Option<T::Key> {
        let row = Self::new::<T>(row, Kept::No);
        let read = || T::Key::from_row(&row, T::TABLE.key_columns());
        catch_unwind(AssertUnwindSafe(read)).ok().flatten()
    }

    /// Decodes the column called `name`.
    ///
    /// # Errors
    /// [`Error::Column`] if there is no such column, or it cannot be decoded
    /// as a `T`; so too if it is NULL, unless the `T` that is made of NULL is written
    /// as NULL again, as `None` is.
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

    /// Decodes the JSON in the column called `name`. NULL is `None`. What is not NULL
    /// is `Some`, also JSON's `null`, unless what is in the `Option` cannot be that.
    ///
    /// # Errors
    /// [`Error::Column`] if there is no such column, its JSON is not a `T`, or it is
    /// NULL and `T` is no `Option`.
    #[cfg(feature = "json")]
    pub fn get_json<T>(&self, name: &'static str) -> Result<T>
    where
        DB: super::backend::JsonBackend,
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        self.column.set(name);
        let value = DB::json_column(self.row, name).map_err(|source| self.error(name, source))?;
        if self.kept == Kept::Yes && self.lost.get().is_none() && !self.comes_back(name, &value) {
            self.lost.set(Some(name));
        }
        Ok(value)
    }

    /// Whether the column's document is whole in what was read from it. Where the code of
    /// a type panics it is not; the row can be read all the same.
    #[cfg(feature = "json")]
    fn comes_back<T>(&self, name: &str, value: &T) -> bool
    where
        DB: super::backend::JsonBackend,
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let comes_back = || match DB::json_text(self.row, name) {
            Ok(Some(document)) => super::document::comes_back(document, value),
            Ok(None) => true,
            Err(_) => false,
        };
        catch_unwind(AssertUnwindSafe(comes_back)).unwrap_or(false)
    }

    fn error(&self, column: &'static str, source: sqlx::Error) -> Error {
        let sql_type = DB::type_name(self.row, column);
        let source = match source {
            // As MySQL's driver calls a date of zeros.
            sqlx::Error::ColumnDecode { index, source }
                if source.is::<UnexpectedNullError>()
                    && DB::is_null(self.row, column).is_ok_and(|is_null| !is_null) =>
            {
                sqlx::Error::ColumnDecode { index, source: "there is no such date".into() }
            }
            source => source,
        };
        Error::Column { entity: self.entity, column, sql_type, source: source.into() }
    }
}
