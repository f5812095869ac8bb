//! Triggers that put the keys of rows into the outbox which others have changed,
//! in the same transaction.
#![cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    allow(dead_code, reason = "only databases have triggers")
)]

mod installed;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub(crate) use installed::InstalledTriggers;
#[cfg(feature = "mysql")]
pub(crate) use mysql::text as mysql_text;
#[cfg(feature = "postgres")]
pub(crate) use postgres::{select_date as postgres_date, text as postgres_text};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::text as sqlite_text;

use crate::{
    Backend, CacheKey, Entity, Error, Index, IndexColumn, KeyKind, NamedTable, Operation, Orm,
    Persist, PrimaryKey as _, Result, key::index_name, named_table::Known,
};
use sqlx::Database;
use std::future::Future;
use xxhash_rust::xxh3::xxh3_64;

impl<DB: Backend> Orm<DB> {
    /// Creates triggers on the entity's table that put the keys of rows which
    /// others change into the outbox, in the writer's own transaction. From
    /// there they are drained: their rows are read from the database again.
    ///
    /// Call it where you migrate, for each entity whose table others write to,
    /// or run what [`triggers_sql`](Self::triggers_sql) prints. Any number of processes
    /// may call it at each start: where these very triggers are there it locks nothing
    /// and changes nothing; else they are replaced, which waits for those who use the
    /// table. Their names begin with `cached_orm_`; those of a former namespace or
    /// `cache_name` are not removed, which
    /// [`uninstall_triggers`](Self::uninstall_triggers) does. What is in the cache
    /// already is not looked at.
    ///
    /// Values that rows get in indexed columns are noted as well, so that nobody
    /// believes any longer that no row has one, or that a list has no more rows.
    ///
    /// With triggers, what another program has committed is stale until its row
    /// is drained: milliseconds on PostgreSQL, which wakes the drainer, and up to
    /// [`outbox_poll`](crate::OrmBuilder::outbox_poll) on the others. Rows that
    /// foreign keys change or delete, with `ON DELETE CASCADE` and the like, are
    /// noticed if their own table has triggers.
    ///
    /// - **PostgreSQL** (14 and newer): also TRUNCATE, at the level READ
    ///   COMMITTED; and what logical replication applies. Of a partitioned table
    ///   not the TRUNCATE, DETACH or DROP of a single partition. A transaction
    ///   that sends NOTIFY cannot be prepared (PREPARE TRANSACTION). This crate's
    ///   own writes, where they put their row into the cache and are not in a
    ///   [`Transaction`](crate::Transaction), leave no row in the outbox; all
    ///   others do, and what they cached is taken out again.
    /// - **MySQL and MariaDB**: not TRUNCATE, nor dropped or exchanged
    ///   partitions, for which there are no triggers. A table whose foreign keys
    ///   cascade is refused, since InnoDB fires none for them either.
    /// - **SQLite**: `INSERT OR REPLACE` and `UPDATE OR REPLACE` too.
    ///
    /// # Errors
    /// [`Error::Configuration`] with the reason: the outbox is not installed,
    /// there is no such table, its changes or keys cannot be told by triggers, or this
    /// handle has installed those of another struct on it, which has the same `cache_name`
    /// and an index that this one does not have.
    /// [`Error::Database`] if the database refuses.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: Orm<Postgres>) -> Result<()> {
    /// orm.install_outbox().await?;
    /// orm.install_triggers::<User>().await?;
    /// # Ok(()) }
    /// ```
    pub async fn install_triggers<T: Persist<DB>>(&self) -> Result<()> {
        let operation = Operation::on::<T>("install_triggers");
        let watched = Watched::new::<T, DB>(self, operation)?;
        self.installed_triggers().note::<T>(operation)?;
        let mut connection = self.own_connection(operation).await?;
        let mut attempt = 0;
        let installed = loop {
            attempt += 1;
            match DB::install(&mut connection, &watched).await {
                // Somebody does the same by hand, or as an earlier version did it.
                Err(Refusal::Database(error))
                    if attempt < ATTEMPTS && DB::was_beside_another(&error) => {}
                installed => break installed,
            }
        };
        connection.answered();
        self.forget_schema();
        installed.map_err(|refusal| refusal.during(operation))
    }

    /// Removes the triggers that [`install_triggers`](Self::install_triggers) has created
    /// for this entity, in this handle's namespace; says whether there were any. What
    /// others write is stale from then on until its TTL.
    ///
    /// Those of a former namespace or `cache_name`, whose rows of the outbox nobody
    /// drains, are removed by a handle and a struct that have it. What there is is told by
    /// [`status`](Self::status).
    ///
    /// Where there are some it waits for those who use the table, as every DROP TRIGGER.
    ///
    /// # Errors
    /// [`Error::Database`] if the database refuses.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(pool: cached_orm::sqlx::PgPool) -> Result<()> {
    /// let former = Orm::builder(pool).uncached().namespace("shop-v1").drainer(false).build().await?;
    /// if former.uninstall_triggers::<User>().await? {
    ///     println!("nobody fills the outbox of `shop-v1` any longer");
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn uninstall_triggers<T: Persist<DB>>(&self) -> Result<bool> {
        let operation = Operation::on::<T>("uninstall_triggers");
        let table = T::TABLE.name();
        let name = name(self.namespace().name(), table, T::CACHE_NAME);
        let mut connection = self.own_connection(operation).await?;
        let uninstalled = DB::uninstall(&mut connection, table, &name).await;
        connection.answered();
        self.forget_schema();
        uninstalled.map_err(|refusal| refusal.during(operation))
    }

    /// The statements that create the triggers, for a migration. They depend on
    /// the table's columns and indexes as they are now.
    ///
    /// # Errors
    /// Those of [`install_triggers`](Self::install_triggers).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: Orm<Postgres>) -> Result<()> {
    /// println!("{}", orm.triggers_sql::<User>().await?);
    /// # Ok(()) }
    /// ```
    pub async fn triggers_sql<T: Persist<DB>>(&self) -> Result<String> {
        let operation = Operation::on::<T>("triggers_sql");
        let watched = Watched::new::<T, DB>(self, operation)?;
        let mut connection = self.own_connection(operation).await?;
        let sql = DB::sql(&mut connection, &watched).await;
        connection.answered();
        sql.map_err(|refusal| refusal.during(operation))
    }

    /// The statements that create the triggers on a table that is known by its name.
    /// They are those of [`triggers_sql`](Self::triggers_sql) if the table is
    /// described as the struct describes it, indexes included. If the outbox is not
    /// there yet, they expect it where [`outbox_sql`](Self::outbox_sql) creates it.
    ///
    /// # Errors
    /// Those of [`install_triggers`](Self::install_triggers), and those of a table
    /// that is not as it is described.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// use cached_orm::NamedTable;
    ///
    /// let users = NamedTable::new("users").index([("email", None)]);
    /// println!("{}", orm.triggers_sql_of(&users).await?);
    /// # Ok(()) }
    /// ```
    pub async fn triggers_sql_of(&self, table: &NamedTable) -> Result<String> {
        let operation = Operation::new("triggers_sql");
        let mut connection = self.own_connection(operation).await?;
        let known = table.find::<DB>(&mut connection, operation).await;
        let sql = match known {
            Ok(known) => {
                let watched = Watched::named(table, &known, self.namespace().name());
                let sql = DB::sql(&mut connection, &watched).await;
                sql.map_err(|refusal| refusal.during(operation))
            }
            Err(error) => Err(error),
        };
        connection.answered();
        sql
    }
}

/// How a database's triggers are made.
#[doc(hidden)]
pub trait Triggers: Database {
    /// The statements that create them.
    fn sql(
        connection: &mut Self::Connection,
        watched: &Watched,
    ) -> impl Future<Output = Result<String, Refusal>> + Send;

    /// Creates them, one process after the other, unless they are there.
    fn install(
        connection: &mut Self::Connection,
        watched: &Watched,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Removes those of the table that have this name; whether there were any.
    fn uninstall(
        connection: &mut Self::Connection,
        table: &str,
        name: &str,
    ) -> impl Future<Output = Result<bool, Refusal>> + Send;

    /// All that put rows into the outbox.
    fn triggers_found(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = sqlx::Result<Vec<TriggersFound>>> + Send;

    /// Whether this error is that of somebody who has done the same at the same moment.
    fn was_beside_another(_error: &sqlx::Error) -> bool {
        false
    }
}

/// How often it is tried beside others who do not take turns.
const ATTEMPTS: usize = 8;

/// The triggers of a table that put rows into the outbox.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggersFound {
    pub(crate) namespace: String,
    pub(crate) table: String,
    pub(crate) name: String,
}

impl TriggersFound {
    /// Of a table, the name of the triggers, and the text of one of them.
    #[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
    fn of((table, name, sql): (String, String, String)) -> Option<Self> {
        // The first string of the statement that puts rows in is the namespace.
        let (_, put) = sql.split_once("(namespace, cache_key)")?;
        let namespace = put.split('\'').nth(1)?.to_owned();
        Some(Self { namespace, table, name })
    }
}

/// A table whose changes triggers are to note.
#[doc(hidden)]
#[derive(Debug)]
pub struct Watched {
    table: String,
    outbox: WatchedOutbox,
    namespace: String,
    /// What the names of the triggers begin with; it can stand in SQL as it is.
    name: String,
    /// What the keys begin with; no quote and no backslash is in it.
    key_name: String,
    parts: Vec<Part>,
    indexes: Vec<WatchedIndex>,
}

/// An index, of which the triggers note the values that rows get. A value that a
/// row loses need not be noted: its entry names the row, and whoever follows it
/// finds out.
#[derive(Debug)]
struct WatchedIndex {
    /// What it is called in keys.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    name: String,
    /// What the keys begin with; no quote and no backslash is in it.
    key_name: String,
    parts: Vec<Part>,
}

/// A part of the key.
#[derive(Debug, Clone)]
struct Part {
    column: String,
    kind: KeyKind,
}

impl Part {
    fn new((column, kind): &(String, KeyKind)) -> Self {
        Self { column: column.clone(), kind: *kind }
    }
}

/// Whether the outbox must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatchedOutbox {
    Needed,
    /// It may be created by the statements before those of the triggers.
    Planned,
}

impl Watched {
    fn new<T: Persist<DB>, DB: Backend>(orm: &Orm<DB>, operation: Operation) -> Result<Self> {
        let columns = T::TABLE.key_columns();
        let kinds = T::Key::KINDS;
        let refused = |reason: String| Err(Refusal::Reason(reason).during(operation));
        if columns.len() != kinds.len() {
            return refused("the table has another number of key columns than the key".to_owned());
        }
        let parts = columns.iter().zip(kinds);
        let parts = parts.map(|(column, kind)| Part { column: (*column).to_owned(), kind: *kind });
        let parts: Vec<_> = parts.collect();
        let index = |index: &Index<T>| {
            let name = index.name();
            let part = |column: &IndexColumn| Part {
                column: column.name().to_owned(),
                kind: column.kind(),
            };
            WatchedIndex {
                key_name: format!("{}{name}", CacheKey::outbox_name(T::CACHE_NAME)),
                parts: index.columns().iter().map(part).collect(),
                name,
            }
        };
        let indexes: Vec<_> = T::INDEXES.iter().map(index).collect();
        let mut all = parts.iter().chain(indexes.iter().flat_map(|index| &index.parts));
        if let Some(Part { column, .. }) = all.find(|part| part.kind == KeyKind::Other) {
            return refused(format!(
                "the type of the key column `{column}` does not say what its text is made of; \
                 write `const KIND: KeyKind = …;` in its `impl KeyPart`, \
                 such as `<u32 as KeyPart>::KIND`"
            ));
        }
        let table = T::TABLE.name();
        let namespace = orm.namespace().name().to_owned();
        Ok(Self {
            table: table.to_owned(),
            outbox: WatchedOutbox::Needed,
            name: name(&namespace, table, T::CACHE_NAME),
            namespace,
            key_name: CacheKey::outbox_name(T::CACHE_NAME),
            parts,
            indexes,
        })
    }

    /// A table that no struct describes.
    fn named(table: &NamedTable, known: &Known, namespace: &str) -> Self {
        let cache_name = table.cache_name_or_table();
        let key_name = CacheKey::outbox_name(cache_name);
        let index = |columns: &Vec<(String, KeyKind)>| {
            let name = index_name(columns.iter().map(|(column, _)| column.as_str()));
            WatchedIndex {
                key_name: format!("{key_name}{name}"),
                parts: columns.iter().map(Part::new).collect(),
                name,
            }
        };
        Self {
            table: table.name().to_owned(),
            outbox: WatchedOutbox::Planned,
            name: name(namespace, table.name(), cache_name),
            namespace: namespace.to_owned(),
            parts: known.key().iter().map(Part::new).collect(),
            indexes: known.indexes().iter().map(index).collect(),
            key_name,
        }
    }

    /// The parts of every key.
    #[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code))]
    fn all_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain(self.indexes.iter().flat_map(|index| &index.parts))
    }
}

/// What a transaction tells this crate's triggers: the key of the row that it is
/// about to write, and the indexes whose entries it fences itself.
///
/// Another version of the program may know of fewer indexes than the triggers.
pub(crate) fn own_text<T: Entity>(key: &T::Key) -> String {
    let mut text = CacheKey::outbox_text(T::CACHE_NAME, |text| key.write_instance_key(text));
    for index in T::INDEXES {
        text.push(' ');
        text.push_str(&index.name());
    }
    if !T::INDEXES.is_empty() {
        text.push(' ');
    }
    text
}

/// `cached_orm_users_0123abcd`: the hash tells namespaces and entities apart
/// that have a table in common.
pub(crate) fn name(namespace: &str, table: &str, cache_name: &str) -> String {
    const LONGEST: usize = 32;
    let hash = xxh3_64(format!("{namespace}:{table}:{cache_name}").as_bytes()) as u32;
    let plain = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    let table = table.rsplit('.').next().unwrap_or(table).chars().map(plain).take(LONGEST);
    let table = table.collect::<String>().to_ascii_lowercase();
    format!("cached_orm_{table}_{hash:08x}")
}

/// Why there can be no triggers.
#[doc(hidden)]
#[derive(Debug)]
pub enum Refusal {
    Reason(String),
    Database(sqlx::Error),
}

impl Refusal {
    fn during(self, operation: Operation) -> Error {
        match self {
            Self::Reason(reason) => Error::Configuration(format!("{operation}: {reason}")),
            Self::Database(error) => Error::database(operation)(error),
        }
    }

    fn no_outbox() -> Self {
        Self::Reason(
            "there is no table `cached_orm_outbox`; call `install_outbox` first".to_owned(),
        )
    }

    fn no_table(table: &str) -> Self {
        Self::Reason(format!("there is no table `{table}`"))
    }

    fn no_column(column: &str) -> Self {
        Self::Reason(format!("there is no column `{column}`"))
    }

    fn wrong_type(part: &Part, found: &str) -> Self {
        let Part { column, kind } = part;
        Self::Reason(format!(
            "no SQL is known that writes the key column `{column}` of the type `{found}` \
             as its field is written (`KeyKind::{kind:?}`)"
        ))
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}
