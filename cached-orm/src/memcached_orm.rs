use crate::{
    Backend, CacheKey, Column, Entity, Error, Freshness, GivenKey, Operation, Orm, Patch, Pending,
    Persist, PrimaryKey as _, Result, Session, SetOptions, Warmed, observe::Watch, read,
    sql::Storable, write,
};
use std::future::Future;

/// What a derived struct can do.
///
/// Every method says in which [`Session`]s it works. The examples speak of this
/// struct:
///
/// ```
/// use cached_orm::MemcachedOrm;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
/// #[orm(table = "users", database = Postgres, ttl = "10m")]
/// struct User {
///     #[primary_key]
///     #[orm(generated)]
///     id: i64,
///     email: String,
///     name: String,
/// }
/// ```
pub trait MemcachedOrm: Entity {
    /// The row with this primary key; `None` if there is none.
    ///
    /// On an `Orm`: from the cache, else from the database, and then it is in the
    /// cache. Reads of one key share loads, in this process and, by leases, between
    /// processes. If the cache does not answer, the database does.
    /// In a transaction: from the database, as the transaction sees it.
    ///
    /// A row whose key is only equal by the database's collation (`ANN` for `ann`)
    /// is not this row.
    ///
    /// # Guarantee
    /// On an `Orm`, nothing older than what was committed and acknowledged before
    /// the call.
    ///
    /// # Errors
    /// [`Error::Database`] if the statement fails, [`Error::Column`] if a column
    /// cannot be read. Never because of the cache.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let user: Option<User> = User::fetch(orm, 7).await?;
    /// # Ok(()) }
    /// ```
    fn fetch<S: Session>(
        session: S,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let (target, operation) = (session.target(), Operation::on::<Self>("fetch"));
            if target.is_read_seen() {
                let watch = target.watch_read(operation);
                return Box::pin(watch.over(read::fetch(target, key, operation))).await;
            }
            read::fetch(target, key, operation).await
        }
    }

    /// The row with this primary key, as [`fetch`](Self::fetch) gives it.
    ///
    /// # Errors
    /// [`Error::RowNotFound`] if there is none; those of [`fetch`](Self::fetch).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let user: User = User::fetch_one(orm, 7).await?;
    /// # Ok(()) }
    /// ```
    fn fetch_one<S: Session>(
        session: S,
        key: Self::Key,
    ) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("fetch_one");
            let target = session.target();
            let watch = target.is_read_seen().then(|| target.watch_read(operation));
            let fetching = async {
                let row = read::fetch(target, key, operation).await?;
                row.ok_or(Error::RowNotFound { operation })
            };
            match watch {
                Some(watch) => Box::pin(watch.over(fetching)).await,
                None => fetching.await,
            }
        }
    }

    /// The rows with these primary keys, in the order asked; `None` where there is
    /// none. A key that comes twice is asked for once.
    ///
    /// On an `Orm`: 512 keys at a time (256 if they have two columns, 128 if they have
    /// three or four, 64 if more), each cache server is asked once for all of its keys.
    /// What the cache does not have is read by one statement on one connection, and put
    /// in the cache together. Whatever happens to one key (a fence, a server that is
    /// down) is no matter to the others.
    /// In a transaction: from the database, as the transaction sees it.
    ///
    /// The rows are in memory all at once. To fill the cache for millions of keys
    /// there is [`warm`](Self::warm).
    ///
    /// # Guarantee
    /// For each row that of [`fetch`](Self::fetch): on an `Orm`, nothing older than what
    /// was committed and acknowledged before the call. The rows together are no
    /// snapshot: of a transaction that commits meanwhile, one row may be the new one and
    /// another the old one.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch), and then for all of the keys;
    /// [`Error::MoreThanOneRow`] if the table has two rows with one of the keys.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let users: Vec<Option<User>> = User::fetch_many(orm, [1, 2, 2, 9]).await?;
    /// assert_eq!(users.len(), 4);
    /// # Ok(()) }
    /// ```
    fn fetch_many<S: Session>(
        session: S,
        keys: impl IntoIterator<Item = Self::Key>,
    ) -> impl Future<Output = Result<Vec<Option<Self>>>> + Send
    where
        Self: Persist<S::Database>,
    {
        let keys = keys.into_iter().collect();
        async move {
            let (target, operation) = (session.target(), Operation::on::<Self>("fetch_many"));
            if target.is_read_seen() {
                let watch = target.watch_read(operation);
                return Box::pin(watch.over(read::fetch_many(target, keys, operation))).await;
            }
            read::fetch_many(target, keys, operation).await
        }
    }

    /// The row with this primary key, as [`fetch`](Self::fetch) gives it; or, if the
    /// database fails, the last that is known of it. Needs
    /// `#[orm(stale_if_error = "1h")]`, which keeps rows in the cache for that much
    /// longer than their TTL.
    ///
    /// The database fails if it cannot be reached, if no connection is free in time, or
    /// if too many loads are under way ([`Error::is_outage`]). A row that is being
    /// written at that moment has no last state that could be given.
    ///
    /// # Guarantee
    /// As [`fetch`](Self::fetch) if the result is fresh. A stale row shows everything
    /// that was written through this crate and acknowledged before; what other
    /// programs have written since it was cached it may not show, for up to the TTL
    /// and `stale_if_error` together.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch), if the cache does not have the row.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// use cached_orm::Freshness;
    ///
    /// match User::fetch_or_stale(orm, 7).await? {
    ///     Freshness::Fresh(user) => println!("{user:?}"),
    ///     Freshness::Stale { row, expired_for, .. } => {
    ///         println!("{} as of long ago: {expired_for:?} past its time", row.name);
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    fn fetch_or_stale<DB: Backend>(
        orm: &Orm<DB>,
        key: Self::Key,
    ) -> impl Future<Output = Result<Freshness<Self>>> + Send
    where
        Self: Persist<DB>,
    {
        let operation = Operation::on::<Self>("fetch_or_stale");
        let watch = Watch::read(orm.meters(), operation);
        watch.over(read::fetch_or_stale(orm, key, operation))
    }

    /// The row with this primary key, from the database; the cache is neither asked
    /// nor filled.
    ///
    /// # Guarantee
    /// What was committed when the database read it; in a transaction, what the
    /// transaction sees.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let user = User::fetch_uncached(orm, 7).await?;
    /// # Ok(()) }
    /// ```
    fn fetch_uncached<S: Session>(
        session: S,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("fetch_uncached");
            let target = session.target();
            let watch = target.watch_read(operation);
            watch.over(read::fetch_uncached(target, key, operation)).await
        }
    }

    /// Loads this row's [`Uncached`](crate::Uncached) columns from the database; its
    /// other fields stay as they are.
    ///
    /// # Guarantee
    /// What was committed when the database read it, which may be newer than the
    /// rest of the row; in a transaction, what the transaction sees.
    ///
    /// # Errors
    /// [`Error::RowNotFound`] if the row is gone; those of [`fetch`](Self::fetch). On
    /// an error `self` is as it was.
    ///
    /// ```no_run
    /// use cached_orm::{MemcachedOrm, Orm, Postgres, Result, Uncached};
    /// # use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
    /// #[orm(table = "accounts", database = Postgres)]
    /// struct Account {
    ///     #[primary_key]
    ///     id: i64,
    ///     name: String,
    ///     #[orm(uncached)]
    ///     password_hash: Uncached<String>,
    /// }
    ///
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// if let Some(mut account) = Account::fetch(orm, 7).await? {
    ///     assert!(!account.password_hash.is_loaded());
    ///     account.load_uncached(orm).await?;
    ///     assert!(account.password_hash.get().is_some());
    /// }
    /// # Ok(()) }
    /// ```
    fn load_uncached<S: Session>(&mut self, session: S) -> impl Future<Output = Result<()>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("load_uncached");
            let target = session.target();
            let watch = target.watch_read(operation);
            watch.over(read::load_uncached(target, self, operation)).await
        }
    }

    /// The row whose `column` equals `value`; `None` if there is none.
    ///
    /// By the primary key's only column it is [`fetch`](Self::fetch), and by a column
    /// that has an index to itself it is what that index's own method does; the row's
    /// value is then the one asked for, byte for byte. By any other column it asks the
    /// database, by the database's idea of equality, and does not fill the cache. By
    /// `None`, which no index has, it asks the database for the row with NULL.
    ///
    /// # Guarantee
    /// That of [`fetch`](Self::fetch).
    ///
    /// # Errors
    /// [`Error::MoreThanOneRow`] if several rows match; those of
    /// [`fetch`](Self::fetch).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let ann = User::fetch_by_field(orm, UserColumns::EMAIL, "ann@example.org").await?;
    /// # Ok(()) }
    /// ```
    fn fetch_by_field<S, V>(
        session: S,
        column: Column<Self, V>,
        value: impl Into<V> + Send,
    ) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        S: Session,
        V: Storable<S::Database>,
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("fetch_by_field");
            let target = session.target();
            let watch = target.watch_read(operation);
            watch.over(read::fetch_by_field(target, column, value.into(), operation)).await
        }
    }

    /// All rows whose `column` equals `value`.
    ///
    /// By a column that has an index to itself it is what that index's own method
    /// does: from the cache or else from the database, in the order of the primary
    /// keys. By any other it asks the database, and the rows are in no particular
    /// order; so it does by `None`, for the rows with NULL.
    ///
    /// # Guarantee
    /// That of [`fetch`](Self::fetch) for each row: whether it is there, and what is in
    /// it. They need not be of one moment.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let anns: Vec<User> = User::fetch_all_by_field(orm, UserColumns::NAME, "Ann").await?;
    /// # Ok(()) }
    /// ```
    fn fetch_all_by_field<S, V>(
        session: S,
        column: Column<Self, V>,
        value: impl Into<V> + Send,
    ) -> impl Future<Output = Result<Vec<Self>>> + Send
    where
        S: Session,
        V: Storable<S::Database>,
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("fetch_all_by_field");
            let target = session.target();
            let watch = target.watch_read(operation);
            watch.over(read::fetch_all_by_field(target, column, value.into(), operation)).await
        }
    }

    /// Inserts this row, and returns it as the database has it: with generated keys,
    /// defaults, and what triggers made of it.
    ///
    /// # Guarantee
    /// On an `Orm`, every read that starts after it returned sees the row, under
    /// the key that the database returned. In a transaction, after its commit.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses; [`Error::Argument`] and
    /// [`Error::Column`] if a value cannot be written or read;
    /// [`Error::NotLoaded`] if an [`Uncached`](crate::Uncached) column has no value;
    /// [`Error::NoGeneratedKey`] on MySQL and MariaDB if the key is no
    /// `AUTO_INCREMENT` column, and [`Error::KeyChanged`] if they have changed the key.
    /// On an `Orm` also those of
    /// [`Transaction::commit`](crate::Transaction::commit).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let new = User { id: 0, email: "ann@example.org".into(), name: "Ann".into() };
    /// let ann = new.insert(orm).await?;
    /// println!("{}", ann.id);
    /// # Ok(()) }
    /// ```
    fn insert<S: Session>(&self, session: S) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("insert");
            let target = session.target();
            let watch = target.watch_write(operation);
            watch.over(write::insert(target, self, operation)).await
        }
    }

    /// Writes every column of this row but the primary key and those that are
    /// generated or read-only, and takes over what the database made of it. An
    /// [`Uncached`](crate::Uncached) column that is not loaded is left as it is in
    /// the database, and is loaded afterwards.
    ///
    /// With a field `#[orm(version)]` only over the version that this row has, and
    /// then this row has the next one: of several who have read the same version
    /// one writes, and the others are told.
    ///
    /// # Guarantee
    /// On an `Orm`, every read that starts after it returned sees the row. In a
    /// transaction, after its commit.
    ///
    /// # Errors
    /// [`Error::RowNotFound`] if the row is gone; [`Error::Conflict`] if it has
    /// another version; otherwise those of [`insert`](Self::insert). On an error `self` is as it was.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut user = User::fetch_one(orm, 7).await?;
    /// user.name = "Ann".into();
    /// user.update(orm).await?;
    /// # Ok(()) }
    /// ```
    fn update<S: Session>(&mut self, session: S) -> impl Future<Output = Result<()>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("update");
            let target = session.target();
            let watch = target.watch_write(operation);
            let row = watch.over(write::update(target, &*self, operation)).await?;
            self.become_row(row);
            Ok(())
        }
    }

    /// Begins a write of some of the columns of the row with this primary key: name
    /// them with [`set`](Patch::set), and end with [`execute`](Patch::execute), which
    /// returns the row.
    ///
    /// Of two who patch different columns at once neither undoes what the other has
    /// written. A version is increased, so that one who has read the row before and
    /// [`update`](Self::update)s it is told.
    ///
    /// # Guarantee
    /// On an `Orm`, every read that starts after [`execute`](Patch::execute) returned
    /// sees the row. In a transaction, after its commit.
    ///
    /// # Errors
    /// Those of [`execute`](Patch::execute).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let ann: User = User::patch(7).set(UserColumns::NAME, "Ann").execute(orm).await?;
    /// # Ok(()) }
    /// ```
    fn patch<DB: Backend>(key: Self::Key) -> Patch<Self, DB>
    where
        Self: Persist<DB>,
    {
        Patch::of(key)
    }

    /// Inserts this row, or updates the one with its primary key, and returns it as
    /// the database has it.
    ///
    /// Of several who do so at once with one new key all succeed, one after another.
    /// A version is written as it is by an insert, and increased by an update
    /// without being compared. A column that is not loaded is left as it is by an
    /// update, and refused by an insert ([`Error::NotLoaded`]).
    ///
    /// On MySQL and MariaDB it is a transaction of the level READ COMMITTED, and of
    /// several statements, never `ON DUPLICATE KEY UPDATE`, which may change a row
    /// with another key. In a transaction of the caller's two who insert the same
    /// row may be a deadlock, which is an error and ends one of them, and on
    /// PostgreSQL an error of another unique index that the two rows have in common.
    ///
    /// # Guarantee
    /// On an `Orm`, every read that starts after it returned sees the row. In a
    /// transaction, after its commit.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses, as it does if another row equals
    /// this one in another unique index; otherwise those of
    /// [`insert`](Self::insert).
    ///
    /// ```no_run
    /// use cached_orm::{MemcachedOrm, Orm, Postgres, Result};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
    /// #[orm(table = "settings", database = Postgres)]
    /// struct Setting {
    ///     #[primary_key]
    ///     name: String,
    ///     value: String,
    /// }
    ///
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let theme = Setting { name: "theme".into(), value: "dark".into() };
    /// theme.upsert(orm).await?;
    /// # Ok(()) }
    /// ```
    fn upsert<S: Session>(&self, session: S) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Persist<S::Database> + GivenKey,
    {
        async move {
            let operation = Operation::on::<Self>("upsert");
            let target = session.target();
            let watch = target.watch_write(operation);
            watch.over(write::upsert(target, self, operation)).await
        }
    }

    /// Inserts these rows, all or none, and returns them in the same order, each as
    /// the database has it.
    ///
    /// By one statement for up to 256 rows. Rows with a key that the database makes
    /// are inserted one by one, unless it is a single integer that PostgreSQL takes
    /// from a sequence which the user may use, or an `AUTO_INCREMENT` column.
    ///
    /// In a transaction it is a savepoint: after an error none of the rows is there,
    /// and the transaction goes on. Triggers (see
    /// [`install_triggers`](Orm::install_triggers)) put the keys into the outbox, on
    /// every database, so that what was cached is soon taken out again.
    ///
    /// # Guarantee
    /// On an `Orm`, every read that starts after it returned sees the rows. In a
    /// transaction, after its commit. Readers may see one row of them in the cache
    /// before another, but none before they are committed.
    ///
    /// # Errors
    /// [`Error::Refused`] if a primary key is given twice; [`Error::RowNotFound`] if
    /// a trigger swallows a row or gives it another key; otherwise those of
    /// [`insert`](Self::insert).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let new = ["Ann", "Bob"].map(|name| User {
    ///     id: 0,
    ///     email: format!("{name}@example.org"),
    ///     name: name.into(),
    /// });
    /// let rows: Vec<User> = User::insert_many(orm, &new).await?;
    /// assert_eq!(rows[1].name, "Bob");
    /// # Ok(()) }
    /// ```
    fn insert_many<S: Session>(
        session: S,
        values: &[Self],
    ) -> impl Future<Output = Result<Vec<Self>>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("insert_many");
            let target = session.target();
            let watch = target.watch_write(operation);
            watch.over(write::insert_many(target, values, operation)).await
        }
    }

    /// [`update`](Self::update)s these rows, all or none.
    ///
    /// On PostgreSQL by one statement for up to 256 rows. On the others, whose
    /// lists of values have no types, by one statement for each row, in one
    /// transaction. With a version each row's is compared.
    ///
    /// In a transaction it is a savepoint: after an error nothing is changed, and the
    /// transaction goes on. Triggers put the keys into the outbox, as
    /// [`insert_many`](Self::insert_many) says.
    ///
    /// # Guarantee
    /// As [`insert_many`](Self::insert_many).
    ///
    /// # Errors
    /// [`Error::Refused`] if a primary key is given twice; [`Error::RowNotFound`] if
    /// one of the rows is gone; [`Error::Conflict`] if one has another version;
    /// otherwise those of [`insert`](Self::insert). On an error `values` are as they
    /// were.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut users = User::fetch_all_by_field(orm, UserColumns::NAME, "Ann").await?;
    /// for user in &mut users {
    ///     user.name.push_str(" the Great");
    /// }
    /// User::update_many(orm, &mut users).await?;
    /// # Ok(()) }
    /// ```
    fn update_many<S: Session>(
        session: S,
        values: &mut [Self],
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("update_many");
            let target = session.target();
            let watch = target.watch_write(operation);
            let rows = watch.over(write::update_many(target, &*values, operation)).await?;
            for (value, row) in values.iter_mut().zip(rows) {
                value.become_row(row);
            }
            Ok(())
        }
    }

    /// Reads this row anew from the database, its [`Uncached`](crate::Uncached)
    /// columns too.
    ///
    /// On an `Orm` the cache gets it too, unless a write of the row is under way. If
    /// the row is gone its entry goes as well. In a transaction the cache is left alone:
    /// it is the row as the transaction sees it, and on MySQL and MariaDB, whose snapshot
    /// may be older than a [`Conflict`](Error::Conflict) with another's write, the row as
    /// it is now, which is locked until the end.
    ///
    /// # Guarantee
    /// What was committed when the database read it. It is cached only if no write
    /// has come between, so no reader gets an older row for it.
    ///
    /// # Errors
    /// [`Error::RowNotFound`] if the row is gone; those of [`fetch`](Self::fetch). On
    /// an error `self` is as it was.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut user = User::fetch_one(orm, 7).await?;
    /// user.refresh(orm).await?;
    /// # Ok(()) }
    /// ```
    fn refresh<S: Session>(&mut self, session: S) -> impl Future<Output = Result<()>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("refresh");
            let target = session.target();
            let watch = target.watch_write(operation);
            let row = watch.over(read::refresh(target, self.key(), operation)).await?;
            self.become_row(row.ok_or(Error::RowNotFound { operation })?);
            Ok(())
        }
    }

    /// Deletes this row, and its entry; says whether there was such a row.
    ///
    /// Rows that the database deletes or changes along with it, by cascading
    /// foreign keys and triggers, keep their entries: take those out with
    /// [`delete_cached_instance`](Self::delete_cached_instance), or delete these
    /// rows first, in one transaction.
    ///
    /// # Guarantee
    /// On an `Orm`, no read that starts after it returned sees the row. In a
    /// transaction, after its commit.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let user = User::fetch_one(orm, 7).await?;
    /// let was_there = user.delete(orm).await?;
    /// # Ok(()) }
    /// ```
    fn delete<S: Session>(&self, session: S) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("delete");
            let target = session.target();
            let watch = target.watch_write(operation);
            watch.over(write::delete::<_, Self>(target, &self.key(), operation)).await
        }
    }

    /// Deletes the row with this primary key, and its entry; says whether there was
    /// such a row. See [`delete`](Self::delete).
    ///
    /// # Guarantee
    /// As [`delete`](Self::delete).
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let was_there = User::delete_by_key(orm, 7).await?;
    /// # Ok(()) }
    /// ```
    fn delete_by_key<S: Session>(
        session: S,
        key: Self::Key,
    ) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Persist<S::Database>,
    {
        async move {
            let operation = Operation::on::<Self>("delete_by_key");
            let target = session.target();
            let watch = target.watch_write(operation);
            watch.over(write::delete::<_, Self>(target, &key, operation)).await
        }
    }

    /// Deletes the rows with these primary keys, and their entries; says how many
    /// there were. A key may be given twice.
    ///
    /// By one statement for up to 512 keys (on MySQL and MariaDB by two), and all or
    /// none: in a transaction it is a savepoint. Triggers put the keys into the
    /// outbox, as [`insert_many`](Self::insert_many) says.
    ///
    /// # Guarantee
    /// As [`delete`](Self::delete), for each of the rows.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let deleted: u64 = User::delete_many(orm, [7, 8, 9]).await?;
    /// # Ok(()) }
    /// ```
    fn delete_many<S: Session>(
        session: S,
        keys: impl IntoIterator<Item = Self::Key>,
    ) -> impl Future<Output = Result<u64>> + Send
    where
        Self: Persist<S::Database>,
    {
        let keys: Vec<_> = keys.into_iter().collect();
        async move {
            let operation = Operation::on::<Self>("delete_many");
            let target = session.target();
            let watch = target.watch_write(operation);
            watch.over(write::delete_many::<_, Self>(target, keys, operation)).await
        }
    }

    /// [`insert`](Self::insert) in a transaction that the caller has begun with
    /// sqlx.
    ///
    /// If it fails, or its future is dropped, roll the transaction back.
    ///
    /// # Guarantee
    /// Readers see the row once the [`Pending`] is fenced, the transaction
    /// committed, and the fences released.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert) in a transaction;
    /// [`Error::Configuration`] if the connection is in no transaction.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, new: User) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.pool().begin().await?;
    /// let (ann, pending) = new.insert_on(orm, &mut transaction).await?;
    /// let fenced = pending.fence(&mut transaction).await?;
    /// transaction.commit().await?;
    /// fenced.release().await;
    /// # Ok(()) }
    /// ```
    fn insert_on<DB: Backend>(
        &self,
        orm: &Orm<DB>,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<(Self, Pending<DB>)>> + Send
    where
        Self: Persist<DB>,
    {
        let operation = Operation::on::<Self>("insert_on");
        let watch = Watch::write(orm.meters(), operation);
        watch.over(write::insert_on(orm, connection, self, operation))
    }

    /// [`update`](Self::update) in a transaction that the caller has begun with
    /// sqlx.
    ///
    /// If it fails, or its future is dropped, roll the transaction back.
    ///
    /// # Guarantee
    /// As [`insert_on`](Self::insert_on).
    ///
    /// # Errors
    /// Those of [`update`](Self::update) in a transaction;
    /// [`Error::Configuration`] if the connection is in no transaction.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut ann: User) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.pool().begin().await?;
    /// let fenced = ann.update_on(orm, &mut transaction).await?.fence(&mut transaction).await?;
    /// transaction.commit().await?;
    /// fenced.release().await;
    /// # Ok(()) }
    /// ```
    fn update_on<DB: Backend>(
        &mut self,
        orm: &Orm<DB>,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<Pending<DB>>> + Send
    where
        Self: Persist<DB>,
    {
        async move {
            let operation = Operation::on::<Self>("update_on");
            let watch = Watch::write(orm.meters(), operation);
            let updating = write::update_on(orm, connection, &*self, operation);
            let (row, pending) = watch.over(updating).await?;
            self.become_row(row);
            Ok(pending)
        }
    }

    /// [`delete`](Self::delete) in a transaction that the caller has begun with
    /// sqlx.
    ///
    /// If it fails, or its future is dropped, roll the transaction back.
    ///
    /// # Guarantee
    /// As [`insert_on`](Self::insert_on).
    ///
    /// # Errors
    /// Those of [`delete`](Self::delete) in a transaction;
    /// [`Error::Configuration`] if the connection is in no transaction.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, ann: User) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = orm.pool().begin().await?;
    /// let (was_there, pending) = ann.delete_on(orm, &mut transaction).await?;
    /// let fenced = pending.fence(&mut transaction).await?;
    /// transaction.commit().await?;
    /// fenced.release().await;
    /// # Ok(()) }
    /// ```
    fn delete_on<DB: Backend>(
        &self,
        orm: &Orm<DB>,
        connection: &mut DB::Connection,
    ) -> impl Future<Output = Result<(bool, Pending<DB>)>> + Send
    where
        Self: Persist<DB>,
    {
        async move {
            let operation = Operation::on::<Self>("delete_on");
            let watch = Watch::write(orm.meters(), operation);
            let key = self.key();
            watch.over(write::delete_on::<DB, Self>(orm, connection, &key, operation)).await
        }
    }

    /// The row with this primary key if it lies in the cache; the database is not
    /// asked, and `None` says nothing about it.
    ///
    /// # Guarantee
    /// As [`fetch`](Self::fetch): nothing older than what was acknowledged before.
    ///
    /// # Errors
    /// [`Error::Cache`] if the cache does not answer.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// if let Some(user) = User::get_cached_instance(orm, 7).await? {
    ///     println!("{} is cached", user.name);
    /// }
    /// # Ok(()) }
    /// ```
    fn get_cached_instance<DB: Backend>(
        orm: &Orm<DB>,
        key: Self::Key,
    ) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: Persist<DB>,
    {
        let operation = Operation::on::<Self>("get_cached_instance");
        let watch = Watch::read(orm.meters(), operation);
        watch.over(read::cached(orm, key, operation))
    }

    /// Puts the rows with these primary keys in the cache, unless they are there, as
    /// [`fetch_many`](Self::fetch_many) would; before traffic comes, or after a cache
    /// was lost.
    ///
    /// `progress` is called after each step of 512 keys or less. The keys are taken
    /// from the iterator step by step, and no row is kept: there may be millions.
    ///
    /// # Guarantee
    /// A row is put in the cache only as `fetch` does it: never an old one, and not while
    /// it is being written. Nothing is said of how long it stays.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch); the steps before are done. A cache that does not
    /// answer is no error: its rows are counted as skipped.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let warmed = User::warm(orm, 1..=1_000_000, |so_far| {
    ///     println!("{} keys, {} rows put in the cache", so_far.done, so_far.filled);
    /// })
    /// .await?;
    /// println!("{} rows were there, {} do not exist", warmed.present, warmed.absent);
    /// # Ok(()) }
    /// ```
    fn warm<DB: Backend>(
        orm: &Orm<DB>,
        keys: impl IntoIterator<Item = Self::Key, IntoIter: Send>,
        progress: impl FnMut(Warmed) + Send,
    ) -> impl Future<Output = Result<Warmed>> + Send
    where
        Self: Persist<DB>,
    {
        let operation = Operation::on::<Self>("warm");
        let watch = Watch::write(orm.meters(), operation);
        watch.over(read::warm::<DB, Self>(orm, keys.into_iter(), progress, operation))
    }

    /// Puts this row in the cache, with its own lifetime and compression; says
    /// whether it lies there now.
    ///
    /// What is stored is what the database has, since the object in hand may be old.
    /// Nothing is stored while a write of the row is under way, while another reader
    /// fills it, or if the cache does not answer or does not take a row of its size.
    /// If the row is gone its entry goes as well.
    ///
    /// # Guarantee
    /// As [`refresh`](Self::refresh): no reader gets an older row for it.
    ///
    /// # Errors
    /// Those of [`fetch`](Self::fetch).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// use std::time::Duration;
    ///
    /// let user = User::fetch_one(orm, 7).await?;
    /// let options = SetOptions::default().ttl(Duration::from_secs(60)).min_compress_len(1024);
    /// user.set_cached_instance(orm, options).await?;
    /// # Ok(()) }
    /// ```
    fn set_cached_instance<DB: Backend>(
        &self,
        orm: &Orm<DB>,
        options: SetOptions,
    ) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Persist<DB>,
    {
        async move {
            let operation = Operation::on::<Self>("set_cached_instance");
            let watch = Watch::write(orm.meters(), operation);
            let reloading = read::reload::<DB, Self>(orm, self.key(), options, operation);
            let reloaded = watch.over(reloading).await?;
            Ok(matches!(reloaded, (Some(_), true)))
        }
    }

    /// Takes the row with this primary key out of the cache, after SQL of your own
    /// has changed it.
    ///
    /// Entries of indexes stay. What they say of this row is checked whenever they are
    /// used; but a value that your SQL has given to the row may be remembered as
    /// nobody's, or its list be without the row, until that entry expires. Call
    /// [`touch`](crate::Transaction::touch) after your SQL, or have
    /// [triggers](crate::Orm::install_triggers) see to it.
    ///
    /// # Guarantee
    /// When it returns, no read that starts later returns a row older than the call;
    /// nor can a reader that had loaded the old row store it afterwards.
    ///
    /// # Errors
    /// [`Error::Cache`] if the cache does not answer: the old row may be there still.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// cached_orm::sqlx::query("UPDATE users SET name = 'Ann' WHERE id = 7").execute(orm.pool()).await.ok();
    /// User::delete_cached_instance(orm, 7).await?;
    /// # Ok(()) }
    /// ```
    fn delete_cached_instance<DB: Backend>(
        orm: &Orm<DB>,
        key: Self::Key,
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Persist<DB>,
    {
        async move {
            let operation = Operation::on::<Self>("delete_cached_instance");
            let keys: Vec<_> = orm.cache_keys::<Self>(&key).collect();
            let invalidating = async {
                let invalidated = orm.coherence().invalidate_all(keys).await;
                invalidated.map_err(|source| Error::Cache { operation, source })
            };
            Watch::write(orm.meters(), operation).over(invalidating).await
        }
    }

    /// Takes the rows with these primary keys out of the cache, after SQL of your own
    /// has changed them and was committed. All at once; see
    /// [`delete_cached_instance`](Self::delete_cached_instance).
    ///
    /// The entries of indexes are not known by the keys. If indexed columns may have
    /// changed, use a transaction and [`touch`](crate::Transaction::touch), or
    /// [`install_triggers`](Orm::install_triggers).
    ///
    /// # Guarantee
    /// When it returns, no read that starts later returns a row older than the call;
    /// nor can a reader that had loaded an old row store it afterwards. From the
    /// commit until then, readers may get old rows.
    ///
    /// # Errors
    /// [`Error::Cache`] if the cache does not answer: some of the old rows may be
    /// there still. No key is left out for another's failure.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<(), Box<dyn std::error::Error>> {
    /// let sql = "UPDATE users SET name = upper(name) WHERE id < 100 RETURNING id";
    /// let changed: Vec<i64> = cached_orm::sqlx::query_scalar(sql).fetch_all(orm.pool()).await?;
    /// User::invalidate(orm, changed).await?;
    /// # Ok(()) }
    /// ```
    fn invalidate<DB: Backend>(
        orm: &Orm<DB>,
        keys: impl IntoIterator<Item = Self::Key>,
    ) -> impl Future<Output = Result<()>> + Send
    where
        Self: Persist<DB>,
    {
        let keys = keys.into_iter();
        let keys: Vec<_> =
            keys.flat_map(|key| orm.cache_keys::<Self>(&key).collect::<Vec<_>>()).collect();
        async move {
            let operation = Operation::on::<Self>("invalidate");
            let invalidating = async {
                let invalidated = orm.coherence().invalidate_all(keys).await;
                invalidated.map_err(|source| Error::Cache { operation, source })
            };
            Watch::write(orm.meters(), operation).over(invalidating).await
        }
    }

    /// This row's instance key: `(7)`, or `(AD)(06)` for a composite key.
    ///
    /// ```
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// let user = User { id: 7, email: "ann@example.org".into(), name: "Ann".into() };
    /// assert_eq!(user.get_instance_key(), "(7)");
    /// ```
    fn get_instance_key(&self) -> String {
        let mut key = String::new();
        self.key().write_instance_key(&mut key);
        key
    }

    /// The key under which this row lies in `orm`'s cache: `shop:users:(7)`.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # fn example(orm: &Orm<Postgres>, user: User) {
    /// println!("{}", user.get_cache_key(orm));
    /// # }
    /// ```
    fn get_cache_key<DB: Backend>(&self, orm: &Orm<DB>) -> CacheKey
    where
        Self: Persist<DB>,
    {
        orm.cache_key::<Self>(&self.key())
    }
}

impl<T: Entity> MemcachedOrm for T {}

trait BecomeRow: Entity {
    /// Takes over a row that was read, and keeps the fields that have no column.
    fn become_row(&mut self, mut row: Self) {
        row.take_skipped(self);
        *self = row;
    }
}

impl<T: Entity> BecomeRow for T {}
