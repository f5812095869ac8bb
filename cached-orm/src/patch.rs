use crate::{
    Backend, Bindings, Column, Entity, Operation, Persist, Result, Session,
    sql::{Role, Storable},
    write,
};
use std::fmt;

/// A write of some of a row's columns, made by
/// [`patch`](crate::MemcachedOrm::patch).
///
/// The other columns are not sent, so that a write of them by somebody else is not
/// undone.
///
/// ```no_run
/// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
/// # async fn example(orm: &Orm<Postgres>, email: Option<String>) -> Result<()> {
/// let mut patch = User::patch(7).set(UserColumns::NAME, "Ann");
/// if let Some(email) = email {
///     patch = patch.set(UserColumns::EMAIL, email);
/// }
/// let ann: User = patch.execute(orm).await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is written before `execute`"]
pub struct Patch<T: Entity, DB: Backend> {
    key: T::Key,
    assigned: Bindings<DB>,
    refused: Option<String>,
}

impl<T: Entity, DB: Backend> Patch<T, DB> {
    pub(crate) fn of(key: T::Key) -> Self {
        Self { key, assigned: Bindings::new(), refused: None }
    }

    /// Writes `value` to `column`, which may be of JSON too.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// User::patch(7).set(UserColumns::NAME, "Ann").set(UserColumns::EMAIL, "ann@example.org").execute(orm).await?;
    /// # Ok(()) }
    /// ```
    pub fn set<V: Storable<DB>>(mut self, column: Column<T, V>, value: impl Into<V>) -> Self {
        let name = column.name();
        let reason = match column.role() {
            Role::Written if !self.assigned.columns().contains(&name) => {
                self.assigned.assign(&column, &value.into());
                return self;
            }
            Role::Written => "is set twice",
            Role::PrimaryKey | Role::KeyPart => "is of the primary key, which never changes",
            Role::ReadBack => "is generated or read-only",
            Role::Version => "is the version, which is counted by itself",
        };
        self.refused.get_or_insert_with(|| format!("column `{name}` {reason}"));
        self
    }

    /// Writes the columns that were set, and returns the row as it is then. A
    /// version is increased, and not compared.
    ///
    /// # Guarantee
    /// On an `Orm`, every read that starts after it returned sees the row. In a
    /// transaction, after its commit.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused), before anything is sent, if
    /// nothing was set, a column twice, or one that the program does not write: of
    /// the primary key, generated, read-only, or the version.
    /// [`Error::RowNotFound`](crate::Error::RowNotFound) if there is no such row;
    /// otherwise those of [`insert`](crate::MemcachedOrm::insert).
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>) -> Result<()> {
    /// let mut transaction = orm.begin().await?;
    /// User::patch(7).set(UserColumns::NAME, "Ann").execute(&mut transaction).await?;
    /// User::patch(8).set(UserColumns::NAME, "Bob").execute(&mut transaction).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// ```
    pub async fn execute<S: Session<Database = DB>>(self, session: S) -> Result<T>
    where
        T: Persist<DB>,
    {
        let operation = Operation::on::<T>("patch");
        let Self { key, assigned, refused } = self;
        let reason = refused
            .or_else(|| assigned.columns().is_empty().then(|| "no column is set".to_owned()));
        match reason {
            Some(reason) => Err(crate::Error::Refused { operation, reason }),
            None => {
                let target = session.target();
                let watch = target.watch_write(operation);
                watch.over(write::patch(target, &key, assigned, operation)).await
            }
        }
    }
}

// Not derived: key and values are the user's data.
impl<T: Entity, DB: Backend> fmt::Debug for Patch<T, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patch").field("columns", &self.assigned.columns()).finish_non_exhaustive()
    }
}
