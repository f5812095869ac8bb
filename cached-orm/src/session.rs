use crate::{Backend, Operation, Orm, Savepoint, Transaction, observe::Watch, transaction::Open};

mod sealed {
    pub trait Sealed {}
}

/// Where a method works: `&Orm`, `&mut Transaction` or `&mut Savepoint`.
///
/// On an [`Orm`] a read asks the cache first, and a write is a transaction of
/// its own. In a [`Transaction`] or [`Savepoint`] a read asks the database and
/// nothing else, and a write becomes visible, in the database and in the
/// cache, when the transaction commits.
///
/// A function that works on all three passes `&mut db` on, which is a session too, and
/// `db` itself with its last call:
///
/// ```
/// use cached_orm::{Error, MemcachedOrm, Persist, Session};
///
/// /// Whether the row was there, and is gone now.
/// async fn remove<S, T>(mut db: S, key: T::Key) -> Result<bool, Error>
/// where
///     S: Session,
///     T: Persist<S::Database>,
/// {
///     if T::fetch(&mut db, key.clone()).await?.is_none() {
///         return Ok(false);
///     }
///     T::delete_by_key(&mut db, key.clone()).await?;
///     Ok(T::fetch_uncached(db, key).await?.is_none())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a row cannot be read or written on `{Self}`",
    label = "expected `&Orm`, `&mut Transaction` or `&mut Savepoint`",
    note = "pass `&orm`, `&mut transaction` or `&mut savepoint`"
)]
pub trait Session: Send + sealed::Sealed {
    /// The database behind it.
    type Database: Backend;

    #[doc(hidden)]
    fn target<'s>(self) -> Target<'s, Self::Database>
    where
        Self: 's;

    /// The same for one call of several.
    #[doc(hidden)]
    fn target_mut(&mut self) -> Target<'_, Self::Database>;
}

/// What a [`Session`] turns out to be.
#[doc(hidden)]
#[derive(Debug)]
pub enum Target<'s, DB: Backend> {
    Orm(&'s Orm<DB>),
    Open(Open<'s, DB>),
}

impl<DB: Backend> Target<'_, DB> {
    #[inline]
    fn orm(&self) -> &Orm<DB> {
        match self {
            Self::Orm(orm) => orm,
            Self::Open(open) => open.orm(),
        }
    }

    /// Whether to call [`watch_read`](Self::watch_read).
    #[inline]
    pub(crate) fn is_read_seen(&self) -> bool {
        Watch::may_see_reads(self.orm().meters())
    }

    pub(crate) fn watch_read(&self, operation: Operation) -> Watch {
        Watch::read(self.orm().meters(), operation)
    }

    pub(crate) fn watch_write(&self, operation: Operation) -> Watch {
        Watch::write(self.orm().meters(), operation)
    }
}

impl<DB: Backend> sealed::Sealed for &Orm<DB> {}

impl<DB: Backend> Session for &Orm<DB> {
    type Database = DB;

    fn target<'s>(self) -> Target<'s, DB>
    where
        Self: 's,
    {
        Target::Orm(self)
    }

    fn target_mut(&mut self) -> Target<'_, DB> {
        Target::Orm(self)
    }
}

impl<S: Session> sealed::Sealed for &mut S {}

impl<S: Session> Session for &mut S {
    type Database = S::Database;

    fn target<'s>(self) -> Target<'s, S::Database>
    where
        Self: 's,
    {
        S::target_mut(self)
    }

    fn target_mut(&mut self) -> Target<'_, S::Database> {
        S::target_mut(self)
    }
}

impl<DB: Backend> sealed::Sealed for &mut Transaction<DB> {}

impl<DB: Backend> Session for &mut Transaction<DB> {
    type Database = DB;

    fn target<'s>(self) -> Target<'s, DB>
    where
        Self: 's,
    {
        Target::Open(self.open())
    }

    fn target_mut(&mut self) -> Target<'_, DB> {
        Target::Open(self.open())
    }
}

impl<DB: Backend> sealed::Sealed for &mut Savepoint<'_, DB> {}

impl<DB: Backend> Session for &mut Savepoint<'_, DB> {
    type Database = DB;

    fn target<'s>(self) -> Target<'s, DB>
    where
        Self: 's,
    {
        Target::Open(self.open())
    }

    fn target_mut(&mut self) -> Target<'_, DB> {
        Target::Open(self.open())
    }
}

macro_rules! session_of {
    ($feature:literal, $database:ident, $name:ident, $message:literal) => {
        #[cfg(feature = $feature)]
        #[doc = concat!("A [`Session`] of [`", stringify!($database), "`](crate::", stringify!($database), ").")]
        #[diagnostic::on_unimplemented(
            message = $message,
            label = "expected `&Orm`, `&mut Transaction` or `&mut Savepoint` of its database",
            note = "pass `&orm`, `&mut transaction` or `&mut savepoint`"
        )]
        pub trait $name: Session<Database = crate::$database> {}

        #[cfg(feature = $feature)]
        #[diagnostic::do_not_recommend]
        impl<S: Session<Database = crate::$database>> $name for S {}
    };
}

session_of!(
    "postgres",
    Postgres,
    PgSession,
    "the struct is mapped to Postgres, and cannot be read or written on `{Self}`"
);
session_of!(
    "mysql",
    MySql,
    MySqlSession,
    "the struct is mapped to MySql, and cannot be read or written on `{Self}`"
);
session_of!(
    "sqlite",
    Sqlite,
    SqliteSession,
    "the struct is mapped to Sqlite, and cannot be read or written on `{Self}`"
);
