mod questions;

use crate::{KeyKind, PrimaryKey, cache::CacheError};
use sqlx::error::{DatabaseError, ErrorKind, UnexpectedNullError};
use std::{error::Error as StdError, fmt, num::TryFromIntError, str::Utf8Error, sync::Arc};

/// This crate's result.
///
/// ```
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// async fn name_of(orm: &Orm<Postgres>, id: i64) -> cached_orm::Result<String> {
///     Ok(User::fetch_one(orm, id).await?.name)
/// }
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What was being done when an error occurred: `update of User`, `commit`.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>) {
/// use cached_orm::Error;
///
/// if let Err(Error::RowNotFound { operation }) = User::fetch_one(orm, 7).await {
///     assert_eq!((operation.name(), operation.entity()), ("fetch_one", Some("User")));
///     assert_eq!(operation.to_string(), "fetch_one of User");
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    name: &'static str,
    subject: Option<&'static Subject>,
}

/// What an operation is on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) entity: &'static str,
    pub(crate) table: &'static str,
    pub(crate) cache_name: &'static str,
    pub(crate) key_columns: &'static [&'static str],
    pub(crate) key_kinds: &'static [KeyKind],
}

impl Operation {
    pub(crate) const fn on<E: crate::Entity>(name: &'static str) -> Self {
        let subject = const {
            &Subject {
                entity: E::NAME,
                table: E::TABLE.name(),
                cache_name: E::CACHE_NAME,
                key_columns: E::TABLE.key_columns(),
                key_kinds: <E::Key as PrimaryKey>::KINDS,
            }
        };
        Self { name, subject: Some(subject) }
    }

    #[cfg(test)]
    pub(crate) fn on_subject(name: &'static str, subject: &'static Subject) -> Self {
        Self { name, subject: Some(subject) }
    }

    pub(crate) const fn subject(&self) -> Option<&'static Subject> {
        self.subject
    }

    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, subject: None }
    }

    /// The method: `fetch`, `update`, `commit`, …
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The struct it was called on; `None` for a transaction as a whole.
    pub const fn entity(&self) -> Option<&'static str> {
        match self.subject {
            Some(subject) => Some(subject.entity),
            None => None,
        }
    }

    /// That struct's table.
    pub const fn table(&self) -> Option<&'static str> {
        match self.subject {
            Some(subject) => Some(subject.table),
            None => None,
        }
    }

    /// Whether `other` is the same for certain; it may be even if not.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.name, other.name)
            && match (self.subject, other.subject) {
                (Some(one), Some(other)) => std::ptr::eq(one, other),
                (None, None) => true,
                _ => false,
            }
    }

    /// A number that is the same for operations that are.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        let subject = self.subject.map_or(0, |subject| std::ptr::from_ref(subject).addr() as u64);
        let name = self.name.as_ptr().addr() as u64;
        // The lowest bits of addresses are alike.
        (name ^ subject.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entity() {
            Some(entity) => write!(f, "{} of {entity}", self.name),
            None => f.write_str(self.name),
        }
    }
}

/// What can go wrong.
///
/// What an error prints names the entity, the operation and the cause, and
/// never data of a row, but for the key in [`Key`](Self::Key). The source, where there is one, is the database's or
/// the cache's own error; a database may quote values in its own text.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>, mut user: User) -> Result<()> {
/// use cached_orm::Error;
///
/// match user.update(orm).await {
///     Ok(()) => println!("every reader sees it"),
///     Err(Error::RowNotFound { .. }) => println!("somebody has deleted it"),
///     Err(Error::NotFenced { .. }) => println!("nothing was written; try again later"),
///     Err(Error::CommitUnknown { .. }) => println!("look whether it is there"),
///     Err(other) => return Err(other),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no row with this primary key.
    #[error("{operation}: there is no such row")]
    RowNotFound {
        /// What was being done.
        operation: Operation,
    },
    /// The row's `#[orm(version)]` is another one: somebody has changed the row
    /// since this one was read. Read it again, and decide anew.
    #[error("{operation}: the row has another version")]
    Conflict {
        /// What was being done.
        operation: Operation,
    },
    /// What was asked makes no sense, so nothing was sent.
    #[error("{operation}: {reason}")]
    Refused {
        /// What was being done.
        operation: Operation,
        /// Why.
        reason: String,
    },
    /// More than one row met a condition that should meet at most one.
    #[error("{operation}: more than one row matches")]
    MoreThanOneRow {
        /// What was being done.
        operation: Operation,
    },
    /// A statement failed. In a transaction of its own it was rolled back.
    #[error("{operation}: {}", describe(source))]
    Database {
        /// What was being done.
        operation: Operation,
        /// sqlx's error.
        source: Arc<sqlx::Error>,
    },
    /// A value could not be encoded as an argument; nothing was sent.
    #[error("{operation}: a value could not be encoded as a statement's argument")]
    Argument {
        /// What was being done.
        operation: Operation,
        /// The encoder's error.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// A row whose [`Uncached`](crate::Uncached) column is not loaded cannot be
    /// inserted; nothing was sent.
    #[error("{operation}: the uncached column `{column}` is not loaded")]
    NotLoaded {
        /// What was being done.
        operation: Operation,
        /// The column's name.
        column: &'static str,
    },
    /// A column is missing, or holds something that its field's type cannot: a value
    /// of another type, or NULL in a field that is no `Option`.
    #[error("column `{column}` of {entity}: {}", describe_column(sql_type.as_deref(), source))]
    Column {
        /// The struct.
        entity: &'static str,
        /// The column's name.
        column: &'static str,
        /// The SQL type of what is in it, as the driver names it; `None` if there is
        /// no such column.
        sql_type: Option<String>,
        /// sqlx's error.
        source: Arc<sqlx::Error>,
    },
    /// One of several rows could not be read, or one of several keys could not be
    /// asked for: that with this key. No other error tells a key.
    #[error("key {key}: {source}")]
    Key {
        /// The primary key, as [`get_instance_key`] writes it, or the value that an
        /// index was asked for, in the same form.
        ///
        /// [`get_instance_key`]: crate::MemcachedOrm::get_instance_key
        key: String,
        /// What is wrong with it.
        source: Arc<Error>,
    },
    /// The database has stored a row under another key than the one that was given, as
    /// columns do that round, cut off or pad, and triggers that give it another, and does
    /// not say which: MySQL and MariaDB return no rows. It was not written; a transaction
    /// of the caller's can only be rolled back. Give the key as the column keeps it.
    #[error(
        "{operation}: the database has changed the primary key; give it as the column keeps it, \
         rounded and padded, or use a column that keeps it whole, and no trigger that changes it"
    )]
    KeyChanged {
        /// What was being done.
        operation: Operation,
    },
    /// The database reported no generated key for an inserted row, so the row
    /// cannot be found again. It was not inserted, unless in a transaction of
    /// the caller's. On MySQL and MariaDB only `AUTO_INCREMENT` columns can be
    /// generated primary keys.
    #[error("{operation}: the database generated no key; is the column AUTO_INCREMENT?")]
    NoGeneratedKey {
        /// What was being done.
        operation: Operation,
    },
    /// The cache could not be told that rows are about to change, nor the outbox
    /// take their keys, so the transaction was rolled back: the database is
    /// unchanged.
    #[error("{operation}: rolled back, since a key could not be fenced: {source}")]
    NotFenced {
        /// What was being done.
        operation: Operation,
        /// The cache's error.
        source: CacheError,
    },
    /// The database rolled the transaction back: nothing of it was written.
    #[error("{operation}: rolled back by the database: {}", describe(source))]
    RolledBack {
        /// What was being done.
        operation: Operation,
        /// sqlx's error.
        source: Arc<sqlx::Error>,
    },
    /// A write in the transaction, or the begin or end of a savepoint, was cancelled
    /// while it ran, its row could not be read, or the database rolled the transaction
    /// back with it. The transaction, or the savepoint around the write, can only be
    /// rolled back.
    #[error("{operation}: cancelled or failed halfway; the transaction can only be rolled back")]
    HalfDone {
        /// The write.
        operation: Operation,
    },
    /// COMMIT was sent, and its outcome is unknown: the transaction may have
    /// been committed. Its rows are read from the database until it is known to be
    /// over, one way or the other.
    #[error("{operation}: the outcome of COMMIT is unknown: {}", describe(source))]
    CommitUnknown {
        /// What was being done.
        operation: Operation,
        /// sqlx's error.
        source: Arc<sqlx::Error>,
    },
    /// A method that works on the cache alone could not reach it.
    #[error("{operation}: {source}")]
    Cache {
        /// What was being done.
        operation: Operation,
        /// The cache's error.
        source: CacheError,
    },
    /// As many rows as may be loaded at once (`max_database_loads`) are being
    /// loaded, and none of the loads ended in time (`load_timeout`). The database
    /// was not asked.
    #[error("{operation}: too many loads are under way; gave up after {waited:?}")]
    Overloaded {
        /// What was being done.
        operation: Operation,
        /// How long it waited.
        waited: std::time::Duration,
    },
    /// There is no connection to the database. No row was read or written, so
    /// this tells all that the database said.
    #[error("cannot connect to the database: {source}")]
    Connect {
        /// sqlx's error.
        source: Arc<sqlx::Error>,
    },
    /// A URL or an option that does not make sense.
    #[error("{0}")]
    Configuration(String),
    /// Code of the program's own types panicked while a row was loaded: a
    /// [`KeyPart`](crate::KeyPart), an `Encode`, a comparison of keys. The program's
    /// panic hook was told what it said. A panic while a column is decoded is
    /// [`Column`](Self::Column), which names it.
    #[error("{operation}: the code of one of the row's types panicked")]
    Panicked {
        /// What was being done.
        operation: Operation,
    },
    /// A task of this crate ended before its work was done, because the
    /// runtime is shutting down. The outcome of a write is unknown.
    #[error("{operation}: the runtime is shutting down")]
    ShuttingDown {
        /// What was being done.
        operation: Operation,
    },
}

impl Error {
    /// Whether the database could not be asked, or not now: the connection was lost
    /// or refused, none was free in time, or the server is starting, stopping or
    /// overloaded. What it has refused, or what cannot be read, is no outage.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<u16> {
    /// let status = match User::fetch(orm, 7).await {
    ///     Ok(Some(_)) => 200,
    ///     Ok(None) => 404,
    ///     Err(error) if error.is_outage() => 503, // worth another try, later
    ///     Err(_) => 500,
    /// };
    /// # Ok(status) }
    /// ```
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Overloaded { .. } | Self::Connect { .. } => true,
            Self::Database { source, .. } => is_outage(source),
            Self::Key { source, .. } => source.is_outage(),
            _ => false,
        }
    }

    /// The variant's name in snake case, such as `row_not_found`: what metrics and
    /// spans call `error.type`. Of [`Key`](Self::Key) that of what is wrong.
    ///
    /// ```
    /// use cached_orm::Error;
    ///
    /// assert_eq!(Error::Configuration("…".to_owned()).kind(), "configuration");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RowNotFound { .. } => "row_not_found",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
            Self::MoreThanOneRow { .. } => "more_than_one_row",
            Self::Database { .. } => "database",
            Self::Argument { .. } => "argument",
            Self::NotLoaded { .. } => "not_loaded",
            Self::Column { .. } => "column",
            Self::Key { source, .. } => source.kind(),
            Self::KeyChanged { .. } => "key_changed",
            Self::NoGeneratedKey { .. } => "no_generated_key",
            Self::NotFenced { .. } => "not_fenced",
            Self::RolledBack { .. } => "rolled_back",
            Self::HalfDone { .. } => "half_done",
            Self::CommitUnknown { .. } => "commit_unknown",
            Self::Cache { .. } => "cache",
            Self::Overloaded { .. } => "overloaded",
            Self::Connect { .. } => "connect",
            Self::Panicked { .. } => "panicked",
            Self::ShuttingDown { .. } => "shutting_down",
            Self::Configuration(_) => "configuration",
        }
    }

    /// Whether one of the statement's arguments is to blame: it cannot be sent, or the
    /// database takes it for no value of its type.
    pub(crate) fn is_of_argument(&self) -> bool {
        match self {
            Self::Argument { .. } => true,
            Self::Database { source, .. } => {
                let code = source.as_database_error().and_then(DatabaseError::code);
                // Data exceptions.
                code.is_some_and(|code| code.len() == 5 && code.starts_with("22"))
            }
            _ => false,
        }
    }

    pub(crate) fn database(operation: Operation) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { operation, source: Arc::new(source) }
    }
}

// Not derived: that would print the source, which may quote row data.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a panic is to who decodes a column. What it said may be data of the row.
#[derive(Debug, thiserror::Error)]
#[error("the field's type panicked while it decoded the value")]
pub(crate) struct Panicked;

/// sqlx's error without the database's own text, in which MySQL quotes values.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => describe_database(error.as_ref()),
        sqlx::Error::Decode(source) if source.is::<Panicked>() => Panicked.to_string(),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            "the value cannot be decoded as the field's type".to_owned()
        }
        sqlx::Error::Encode(_) => "a value cannot be encoded".to_owned(),
        // The others speak of connections, pools, columns and configuration.
        other => other.to_string(),
    }
}

/// What is wrong with a column's value, without the value.
fn describe_column(sql_type: Option<&str>, error: &sqlx::Error) -> String {
    let sqlx::Error::ColumnDecode { source, .. } = error else { return describe(error) };
    if source.is::<UnexpectedNullError>() {
        return "it is NULL, and its field is no `Option`".to_owned();
    }
    let said = source.to_string();
    // It names both types.
    if said.starts_with("mismatched types; Rust type") {
        return said;
    }
    let sql_type = sql_type.unwrap_or("value");
    let is_length = said.starts_with("Expected 16 bytes, got")
        || said.starts_with("invalid length: expected 16 bytes");
    if is_length {
        return format!(
            "its {sql_type} is no binary UUID; for UUIDs as text use `uuid::fmt::Hyphenated`"
        );
    }
    // Other texts may quote the value.
    let tells_no_value = source.is::<TryFromIntError>() || source.is::<Utf8Error>();
    match tells_no_value {
        true => format!("its {sql_type} cannot be decoded as the field's type: {said}"),
        false => format!("its {sql_type} cannot be decoded as the field's type"),
    }
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, too few resources, a server that stops or is not
        // up yet. SQLite: busy, I/O error, full or not to be opened.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "53", "57P"].iter().any(|class| code.starts_with(class) && code.len() == 5)
                || ["5", "10", "13", "14"].contains(&&*code)
        }),
        _ => false,
    }
}

fn describe_database(error: &dyn DatabaseError) -> String {
    let kind = match error.kind() {
        ErrorKind::UniqueViolation => "a unique index forbids it",
        ErrorKind::ForeignKeyViolation => "a foreign key forbids it",
        ErrorKind::NotNullViolation => "a column must not be NULL",
        ErrorKind::CheckViolation => "a check constraint forbids it",
        ErrorKind::ExclusionViolation => "an exclusion constraint forbids it",
        _ => "the database refused it",
    };
    let mut text = kind.to_owned();
    if let Some(constraint) = error.constraint() {
        text.push_str(&format!(" (`{constraint}`)"));
    }
    if let Some(code) = error.code() {
        text.push_str(&format!(", code {code}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn an_outage_is_what_a_database_cannot_help() {
        let operation = Operation::new("fetch");
        let database = |source| Error::Database { operation, source: Arc::new(source) };
        for error in [
            database(sqlx::Error::Io(io::ErrorKind::ConnectionReset.into())),
            database(sqlx::Error::PoolTimedOut),
            Error::Overloaded { operation, waited: std::time::Duration::ZERO },
            Error::Connect { source: Arc::new(sqlx::Error::PoolTimedOut) },
        ] {
            assert!(error.is_outage(), "{error}");
        }
        for error in [
            database(sqlx::Error::RowNotFound),
            database(sqlx::Error::Protocol("odd".into())),
            Error::RowNotFound { operation },
            Error::Column {
                entity: "User",
                column: "id",
                sql_type: None,
                source: Arc::new(sqlx::Error::RowNotFound),
            },
        ] {
            assert!(!error.is_outage(), "{error}");
        }
    }
}
