use super::{Backend, Column, Row, Storable, backend::ArgumentType, encoded::Encoded};
use crate::{
    Uncached,
    primary_key::{KeyPart, PrimaryKey},
};
use sqlx::error::BoxDynError;

/// The arguments of a statement on `DB`.
type Arguments<DB> = <DB as sqlx::Database>::Arguments;

/// Collects a statement's arguments.
///
/// Like `sqlx::query::Query` it keeps an encoding error until the statement
/// runs, so that binding reads as a list.
#[derive(Debug)]
pub struct Bindings<DB: Backend> {
    arguments: Result<Arguments<DB>, BoxDynError>,
    columns: Vec<&'static str>,
    /// Columns that there was no value of.
    not_loaded: Vec<&'static str>,
    /// What is collected in place of arguments where rows are compared.
    encoded: Option<Encoded<DB>>,
    /// Whether there is an argument that takes its type from its column.
    has_types_of_columns: bool,
    json_columns: Vec<&'static str>,
}

impl<DB: Backend> Bindings<DB> {
    pub(crate) fn new() -> Self {
        Self {
            arguments: Ok(Arguments::<DB>::default()),
            columns: Vec::new(),
            not_loaded: Vec::new(),
            encoded: None,
            has_types_of_columns: false,
            json_columns: Vec::new(),
        }
    }

    /// To compare a row with another, and not for a statement.
    pub(super) fn encoding() -> Self {
        Self { encoded: Some(Encoded::new()), ..Self::new() }
    }

    /// The columns that the cache holds, and what was collected of them.
    pub(super) fn into_encoded(self) -> (Vec<&'static str>, Encoded<DB>) {
        (self.columns, self.encoded.unwrap_or_else(Encoded::new))
    }

    /// Adds the next argument: what is to be written to the column called `name`.
    /// The derive names `T`, so that rustc underlines the field's type in the
    /// user's struct where a bound is not met.
    pub fn column<T: Storable<DB>>(&mut self, name: &'static str, value: &T) {
        self.columns.push(name);
        self.push(value);
    }

    /// Adds what is to be written to the column called `name`, as JSON.
    #[cfg(feature = "json")]
    pub fn json_column<T>(&mut self, name: &'static str, value: &T)
    where
        DB: super::backend::JsonBackend,
        T: serde::Serialize + Sync,
    {
        self.columns.push(name);
        if self.encoded.is_none() && !self.json_columns.contains(&name) {
            self.json_columns.push(name);
        }
        self.push_json(value);
    }

    /// Adds the version, in the column called `name`.
    pub fn version<T: Version + Storable<DB>>(&mut self, name: &'static str, value: &T) {
        self.column(name, value);
    }

    /// Adds a primary key's parts, in these columns.
    pub(crate) fn key<K: BindKey<DB>>(&mut self, names: &[&'static str], key: &K) {
        self.columns.extend(names);
        key.bind(self);
    }

    /// The columns that were named, in their order.
    pub(crate) fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    /// Adds the next argument.
    pub fn push<T: Storable<DB>>(&mut self, value: &T) {
        if let Some(encoded) = &mut self.encoded {
            return encoded.push(value);
        }
        self.add(|arguments| value.add_to(arguments));
    }

    /// Adds a NULL of the type `T`.
    pub(crate) fn push_null<T: Storable<DB>>(&mut self) {
        self.add(T::add_null_to);
    }

    /// Adds what is to be written to `column`.
    pub(crate) fn assign<E, V: Storable<DB>>(&mut self, column: &Column<E, V>, value: &V) {
        self.columns.push(column.name());
        if column.is_absent(value) {
            self.push_null::<V>();
        } else {
            self.push(value);
        }
    }

    /// Whether there is an argument that takes its type from its column, which a
    /// list of rows must then name.
    pub(crate) fn has_types_of_columns(&self) -> bool {
        self.has_types_of_columns
    }

    /// The columns whose arguments are JSON.
    pub(crate) fn json_columns(&self) -> &[&'static str] {
        &self.json_columns
    }

    /// Adds what is to be written to the column called `name`, unless it is not
    /// loaded: the statement must then leave the column out.
    pub fn uncached_column<T: Storable<DB>>(&mut self, name: &'static str, value: &Uncached<T>) {
        match value.get() {
            // The cache does not hold it.
            _ if self.encoded.is_some() => {}
            Some(value) => self.column(name, value),
            None => self.not_loaded.push(name),
        }
    }

    /// Says that the statement is made of the columns that were added.
    pub(crate) fn leave_out_not_loaded(&mut self) {
        self.not_loaded.clear();
    }

    /// Adds the next argument, as JSON.
    #[cfg(feature = "json")]
    pub fn push_json<T>(&mut self, value: &T)
    where
        DB: super::backend::JsonBackend,
        T: serde::Serialize + Sync,
    {
        if let Some(encoded) = &mut self.encoded {
            return encoded.push_json(value);
        }
        self.add(|arguments| {
            DB::add_json(arguments, value)?;
            Ok(ArgumentType::Declared)
        });
    }

    fn add(&mut self, add: impl FnOnce(&mut Arguments<DB>) -> Result<ArgumentType, BoxDynError>) {
        let Ok(arguments) = &mut self.arguments else { return };
        match add(arguments) {
            Ok(ArgumentType::Declared) => {}
            Ok(ArgumentType::OfColumn) => self.has_types_of_columns = true,
            Err(error) => self.arguments = Err(error),
        }
    }

    /// A column that has no value, although the statement has not left it out.
    pub(crate) fn not_loaded(&self) -> Option<&'static str> {
        self.not_loaded.first().copied()
    }

    /// How many arguments were added.
    pub(crate) fn len(&self) -> usize {
        self.arguments.as_ref().map_or(0, sqlx::Arguments::len)
    }

    pub(crate) fn finish(self) -> Result<Arguments<DB>, BoxDynError> {
        self.arguments
    }
}

/// A number that counts a row's versions, for `#[orm(version)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot count versions",
    label = "not an integer",
    note = "use an integer that the database can store, such as `i64`"
)]
pub trait Version {}

macro_rules! versions {
    ($($integer:ident)+) => {$(
        impl Version for $integer {}
    )+};
}

versions!(i8 i16 i32 i64 u8 u16 u32 u64);

/// A primary key whose parts `DB` can store.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a primary key in a `{DB}` table",
    label = "`{DB}` cannot store this key"
)]
pub trait BindKey<DB: Backend>: PrimaryKey {
    /// Adds the key's parts, in the order of the fields.
    #[doc(hidden)]
    fn bind(&self, bindings: &mut Bindings<DB>);

    /// Reads the key from these columns, of which there is one for each part.
    #[doc(hidden)]
    fn from_row(row: &Row<'_, DB>, columns: &[&'static str]) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<DB: Backend, K: KeyPart + Storable<DB>> BindKey<DB> for K {
    fn bind(&self, bindings: &mut Bindings<DB>) {
        bindings.push(self);
    }

    fn from_row(row: &Row<'_, DB>, columns: &[&'static str]) -> Option<Self> {
        row.get(columns.first()?).ok()
    }
}

macro_rules! composite {
    ($($part:ident)+) => {
        #[diagnostic::do_not_recommend]
        impl<DB: Backend, $($part: KeyPart + Storable<DB>),+> BindKey<DB> for ($($part,)+) {
            #[allow(non_snake_case)]
            fn bind(&self, bindings: &mut Bindings<DB>) {
                let ($($part,)+) = self;
                $(bindings.push($part);)+
            }

            fn from_row(row: &Row<'_, DB>, columns: &[&'static str]) -> Option<Self> {
                let mut columns = columns.iter();
                Some(($(row.get::<$part>(columns.next()?).ok()?,)+))
            }
        }
    };
}

composite!(A B);
composite!(A B C);
composite!(A B C D);
composite!(A B C D E);
composite!(A B C D E F);
composite!(A B C D E F G);
composite!(A B C D E F G H);
