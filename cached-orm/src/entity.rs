use crate::{
    Accepted, Backend, BindKey, Bindings, CachePolicy, ColumnCheck, Index, PrimaryKey, Result, Row,
    entry::body::{self, Form},
    uncached::UncachedField,
};
use serde::{Serialize, de::DeserializeOwned};

/// A struct with an identity: what the cache knows of it.
///
/// Implemented by `#[derive(MemcachedOrm)]`.
///
/// ```
/// use cached_orm::{Entity, MemcachedOrm};
/// # use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, MemcachedOrm)]
/// #[orm(table = "app.seats", cache_name = "seats", database = Postgres)]
/// struct Seat {
///     #[primary_key]
///     row: String,
///     #[primary_key]
///     number: i64,
/// }
///
/// assert_eq!((Seat::NAME, Seat::CACHE_NAME), ("Seat", "seats"));
/// assert_eq!(Seat { row: "B".into(), number: 12 }.key(), ("B".to_owned(), 12));
/// ```
pub trait Entity: Cacheable + Sized + Send + Sync + 'static {
    /// The primary key: the field's type, or a tuple for a composite key.
    type Key: PrimaryKey + Cacheable;

    /// The struct's name, for errors and metrics.
    const NAME: &'static str;

    /// The table its rows are in.
    const TABLE: Table;

    /// The first part of its instances' cache keys, after the namespace.
    const CACHE_NAME: &'static str = Self::TABLE.name();

    /// The column that counts the row's versions, if there is one.
    const VERSION: Option<&'static str> = None;

    /// Changes whenever the shape of a cached row does. It lies in the cache
    /// entry and not in the key, so that two versions of a program fence and
    /// delete the same keys.
    const FINGERPRINT: u64;

    /// How long rows stay in the cache, and in what form.
    const POLICY: CachePolicy = CachePolicy::DEFAULT;

    /// The indexes by which its rows are read from the cache, besides the primary
    /// key.
    const INDEXES: &'static [Index<Self>] = &[];

    /// The cache names of other structs on its table, whose rows' keys are fenced
    /// whenever its own are.
    const ALSO_FENCES: &'static [&'static str] = &[];

    /// What its table may be like, although the cache is then not told of every
    /// change.
    const ACCEPTS: &'static [Accepted] = &[];

    /// This instance's primary key.
    fn key(&self) -> Self::Key;

    /// Moves the fields that have no column over from `other`.
    #[doc(hidden)]
    fn take_skipped(&mut self, _other: &mut Self) {}

    /// The row once more, if reads may be answered by a copy in this process.
    #[doc(hidden)]
    fn near_copy(&self) -> Option<Self> {
        None
    }

    /// The fields that never lie in the cache, always in the same order.
    #[doc(hidden)]
    fn uncached_fields(&mut self) -> Vec<&mut dyn UncachedField> {
        Vec::new()
    }
}

/// The table of an [`Entity`].
///
/// ```
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// use cached_orm::Entity;
///
/// assert_eq!(User::TABLE.name(), "users");
/// assert_eq!(User::TABLE.key_columns(), ["id"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    name: &'static str,
    key_columns: &'static [&'static str],
}

impl Table {
    /// The table `users`, or `schema.users`, and the columns of its primary key
    /// in the order of the key's parts.
    pub const fn new(name: &'static str, key_columns: &'static [&'static str]) -> Self {
        Self { name, key_columns }
    }

    /// `users`, or `schema.users`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The columns of the primary key.
    pub const fn key_columns(&self) -> &'static [&'static str] {
        self.key_columns
    }
}

/// How an [`Entity`] is read from and written to `DB`.
///
/// Implemented by `#[derive(MemcachedOrm)]`, once for each database, and by
/// nothing else: what it asks for changes with this crate.
///
/// A function for any entity and any database names it in its bounds:
///
/// ```
/// use cached_orm::{Backend, Error, MemcachedOrm, Orm, Persist};
///
/// async fn exists<DB: Backend, T: Persist<DB>>(orm: &Orm<DB>, key: T::Key) -> Result<bool, Error> {
///     Ok(T::fetch(orm, key).await?.is_some())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not mapped to a `{DB}` table",
    note = "name the database in the derive: `#[orm(database = …)]`"
)]
pub trait Persist<DB: Backend>: Entity<Key: BindKey<DB>> {
    /// `SELECT … FROM …`, without a condition.
    const SELECT: &'static str;

    /// Selects one row by primary key.
    const SELECT_BY_KEY: &'static str;

    /// Selects one row by primary key, and locks it until the transaction ends;
    /// where a transaction that writes locks the whole database, no more than
    /// [`SELECT_BY_KEY`](Self::SELECT_BY_KEY).
    const LOCK_BY_KEY: &'static str = Self::SELECT_BY_KEY;

    /// Inserts one row; returns it where the database can.
    const INSERT: &'static str;

    /// Selects the row just inserted, by the key that the database generated.
    /// Only for databases that do not return it.
    const SELECT_INSERTED: Option<&'static str> = None;

    /// Deletes one row by primary key; returns it where the database can.
    const DELETE: &'static str;

    /// Reads the columns of [`SELECT`](Self::SELECT).
    ///
    /// # Errors
    /// [`Error::Column`](crate::Error::Column) if a column is missing or of
    /// another type.
    fn from_row(row: &Row<'_, DB>) -> Result<Self>;

    /// Names the columns of [`SELECT`](Self::SELECT), and what they are read as.
    fn check_columns(columns: &mut ColumnCheck<'_, DB>);

    /// Adds the written columns, by their names and in the order of
    /// [`INSERT`](Self::INSERT).
    fn bind_columns(&self, bindings: &mut Bindings<DB>);

    /// Adds the columns that are read and never written, but for a key that the
    /// database generates.
    fn bind_read_back(&self, _bindings: &mut Bindings<DB>) {}

    /// Adds the version, which follows the columns in [`INSERT`](Self::INSERT).
    fn bind_version(&self, _bindings: &mut Bindings<DB>) {}

    /// Adds the parts of the primary key that the database does not generate,
    /// which come last in [`INSERT`](Self::INSERT).
    fn bind_given_key(&self, bindings: &mut Bindings<DB>) {
        bindings.key(Self::TABLE.key_columns(), &self.key());
    }
}

/// An [`Entity`] whose primary key the program chooses, all of it.
///
/// Implemented by `#[derive(MemcachedOrm)]`.
///
/// ```
/// use cached_orm::{Backend, Error, GivenKey, MemcachedOrm, Orm, Persist};
///
/// async fn save<DB: Backend, T: Persist<DB> + GivenKey>(orm: &Orm<DB>, row: &T) -> Result<T, Error> {
///     row.upsert(orm).await
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the database generates the primary key of `{Self}`, so there is no row to look for",
    label = "its key is `generated`",
    note = "call `insert` for a new row and `update` for one that is there",
    note = "or choose the key in the program, and leave `#[orm(generated)]` out"
)]
pub trait GivenKey {}

/// A struct whose rows are kept in the process and handed out as copies.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a `near_ttl`, so reads are given copies of a row that is kept",
    label = "cannot be copied",
    note = "add `#[derive(Clone)]` to `{Self}`"
)]
pub trait NearCopy: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> NearCopy for T {}

/// What the derive writes for a struct with a `near_ttl`.
pub fn near_copy<T: NearCopy>(row: &T) -> Option<T> {
    Some(row.clone())
}

/// The type of a field that no column fills.
#[diagnostic::on_unimplemented(
    message = "a skipped field is filled with `Default::default()`, and `{Self}` has no default",
    label = "has no default",
    note = "implement `Default` for `{Self}`, or make the field an `Option<{Self}>`"
)]
pub trait Skipped: Default {}

#[diagnostic::do_not_recommend]
impl<T: Default> Skipped for T {}

/// What the derive writes for a field without a column.
pub fn skipped<T: Skipped>() -> T {
    T::default()
}

/// A struct that a cache entry can hold: one that serde can write and read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cached",
    label = "serde can not both write and read this struct",
    note = "add `#[derive(serde::Serialize, serde::Deserialize)]` to `{Self}`"
)]
pub trait Cacheable: Sized {
    /// Appends the fields; `None` if serde cannot write one of them, or not in this
    /// form.
    #[doc(hidden)]
    fn write_body(&self, form: Form, entry: &mut Vec<u8>) -> Option<()>;

    #[doc(hidden)]
    fn read_body(form: Form, body: &[u8]) -> Option<Self>;

    /// Appends several, as one array.
    #[doc(hidden)]
    fn write_bodies(values: &[Self], entry: &mut Vec<u8>) -> Option<()>;

    #[doc(hidden)]
    fn read_bodies(body: &[u8]) -> Option<Vec<Self>>;
}

// Were serde's traits above `Cacheable`, rustc would report them one by one,
// and never show the message.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Cacheable for T {
    fn write_body(&self, form: Form, entry: &mut Vec<u8>) -> Option<()> {
        body::write(self, form, entry)
    }

    fn read_body(form: Form, body: &[u8]) -> Option<Self> {
        body::read(form, body)
    }

    fn write_bodies(values: &[Self], entry: &mut Vec<u8>) -> Option<()> {
        rmp_serde::encode::write_named(entry, values).ok()
    }

    fn read_bodies(body: &[u8]) -> Option<Vec<Self>> {
        rmp_serde::from_slice(body).ok()
    }
}
