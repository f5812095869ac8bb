//! What a program asks of an error, instead of matching on what it is made of.

use super::Error;
use crate::Operation;
use sqlx::error::DatabaseError;

impl Error {
    /// What was being done, and of which struct; `None` where that says nothing: of a
    /// column, of a connection, of a configuration.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut user: User) {
    /// if let Err(error) = user.update(orm).await {
    ///     let entity = error.operation().and_then(|operation| operation.entity());
    ///     assert_eq!(entity, Some("User"));
    /// }
    /// # }
    /// ```
    pub fn operation(&self) -> Option<Operation> {
        match self {
            Self::RowNotFound { operation }
            | Self::Conflict { operation }
            | Self::Refused { operation, .. }
            | Self::MoreThanOneRow { operation }
            | Self::Database { operation, .. }
            | Self::Argument { operation, .. }
            | Self::NotLoaded { operation, .. }
            | Self::KeyChanged { operation }
            | Self::NoGeneratedKey { operation }
            | Self::NotFenced { operation, .. }
            | Self::RolledBack { operation, .. }
            | Self::HalfDone { operation }
            | Self::CommitUnknown { operation, .. }
            | Self::Cache { operation, .. }
            | Self::Overloaded { operation, .. }
            | Self::Panicked { operation }
            | Self::ShuttingDown { operation } => Some(*operation),
            Self::Key { source, .. } => source.operation(),
            Self::Column { .. } | Self::Connect { .. } | Self::Configuration(_) => None,
        }
    }

    /// Whether the transaction came to nothing beside others, and may succeed if all of it
    /// is done once more: a serialization failure, a deadlock, a lock that was not to be
    /// had in time, a busy SQLite. A database that is away is none of these
    /// ([`is_outage`](Self::is_outage)), and neither is [`Conflict`](Self::Conflict), whose
    /// row must be read anew first.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, mut user: User) -> Result<()> {
    /// while let Err(error) = user.update(orm).await {
    ///     if !error.is_retryable() {
    ///         return Err(error);
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Database { source, .. } | Self::RolledBack { source, .. } => {
                source.as_database_error().is_some_and(came_to_nothing)
            }
            Self::Key { source, .. } => source.is_retryable(),
            _ => false,
        }
    }

    /// Whether a unique index or a primary key has such a value already.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, user: &User) -> Result<u16> {
    /// let status = match user.insert(orm).await {
    ///     Ok(_) => 201,
    ///     Err(error) if error.is_unique_violation() => 409,
    ///     Err(error) => return Err(error),
    /// };
    /// # Ok(status) }
    /// ```
    pub fn is_unique_violation(&self) -> bool {
        self.database_error().is_some_and(DatabaseError::is_unique_violation)
    }

    /// The constraint or unique index that the statement would have violated, where the
    /// database names it: PostgreSQL does, MySQL, MariaDB and SQLite in their texts only,
    /// in which values may be quoted.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, user: &User) -> Result<()> {
    /// match user.insert(orm).await {
    ///     Err(error) if error.constraint() == Some("users_email_key") => {
    ///         println!("somebody has this address");
    ///     }
    ///     inserted => println!("{}", inserted?.id),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn constraint(&self) -> Option<&str> {
        self.database_error()?.constraint()
    }

    fn database_error(&self) -> Option<&dyn DatabaseError> {
        match self {
            Self::Database { source, .. } | Self::RolledBack { source, .. } => {
                source.as_database_error()
            }
            Self::Key { source, .. } => source.database_error(),
            _ => None,
        }
    }
}

/// By its SQLSTATE, or SQLite's number: serialization failures and deadlocks (class 40 of
/// the SQL standard), PostgreSQL's `lock_not_available`, and busy or locked databases, of
/// which the low byte tells the kind. MySQL gives a lock wait timeout no state of its own.
fn came_to_nothing(error: &dyn DatabaseError) -> bool {
    const BUSY: [u32; 2] = [5, 6];
    let Some(code) = error.code() else { return false };
    let of_sqlite = || code.parse::<u32>().is_ok_and(|code| BUSY.contains(&(code & 0xff)));
    match code.len() {
        5 => code.starts_with("40") || code == "55P03" || is_lock_timeout(error),
        _ => of_sqlite(),
    }
}

#[cfg(feature = "mysql")]
fn is_lock_timeout(error: &dyn DatabaseError) -> bool {
    // ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD (MariaDB's `innodb_snapshot_isolation`).
    let error = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>();
    error.is_some_and(|error| [1205, 1020].contains(&error.number()))
}

#[cfg(not(feature = "mysql"))]
fn is_lock_timeout(_: &dyn DatabaseError) -> bool {
    false
}
