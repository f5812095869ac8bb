use super::{Backend, Bindings, CommitOutcome, STAMP, Witness, no_transaction, similar_pool};
use crate::{
    Isolation,
    pooled::{Cut, roll_back_to},
};
use sqlx::{
    Connection as _, Database, Decode, Encode, Executor as _, Pool, Row as _, Sqlite,
    SqliteConnection, Type,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{SqliteArgumentsBuffer, SqliteTransactionManager},
};
use sqlx_core::transaction::TransactionManager as _;
use std::io::Write as _;

/// Result codes after which a transaction is not committed.
const ERROR: i32 = 1;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const FULL: i32 = 13;
const CONSTRAINT: i32 = 19;

impl super::sealed::Sealed for Sqlite {}

impl Backend for Sqlite {
    driver!();

    /// What is in sqlx's buffer it shows by `Debug` alone.
    fn encode<'q, T>(value: &T, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError>
    where
        T: Encode<'q, Self>,
    {
        let mut buffer = SqliteArgumentsBuffer::default();
        let encoded = value.encode_by_ref(&mut buffer)?;
        write!(bytes, "{buffer:?}")?;
        Ok(encoded)
    }

    const RETURNING: bool = true;

    // A write that begins as a read fails with "busy" where it could have
    // waited, and the row it was to lock is not locked. SQLite runs writers
    // one after another, so every level of isolation is the same.
    fn begin(_: Option<Isolation>) -> Option<&'static str> {
        Some("BEGIN IMMEDIATE")
    }

    fn placeholder(number: usize) -> String {
        format!("${number}")
    }

    const ROW_LIST: &'static str = "VALUES ";

    // A transaction that writes has locked the whole database.
    const LOCK_ROWS: &'static str = "";

    /// In double quotes a name that is no column's is a string.
    fn quote(name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    const ERRORS_ABORT: bool = false;

    const CANCEL_SAFE: bool = true;

    /// The driver's thread does all that was sent, in order, whoever waits for it;
    /// so when it answers, nothing is under way. The connection is kept, since a
    /// database in memory may be gone with it.
    async fn recover(connection: &mut SqliteConnection, depth: usize, cut: Cut) -> bool {
        if cut == Cut::End {
            // A COMMIT or ROLLBACK that is done, and that nobody has heard of, lets the
            // thread leave out the next one of these; one that it never got is made up for.
            SqliteTransactionManager::start_rollback(connection);
        }
        if connection.ping().await.is_err() {
            return false;
        }
        if roll_back_to::<Self>(connection, depth).await.is_err() {
            // The database has ended the transaction by itself, and sqlx has not noticed.
            let begun = depth == 0 && connection.execute("BEGIN").await.is_ok();
            if !begun || roll_back_to::<Self>(connection, depth).await.is_err() {
                return false;
            }
        }
        match Self::check_open(connection).await {
            // This error is that of a transaction's absence.
            Err(sqlx::Error::Protocol(_)) => depth == 0,
            checked => depth > 0 && checked.is_ok(),
        }
    }

    /// A full disk, `ON CONFLICT ROLLBACK` and the like end the whole
    /// transaction. BEGIN is refused only inside one.
    async fn check_open(connection: &mut SqliteConnection) -> sqlx::Result<()> {
        match connection.execute("BEGIN").await {
            Ok(_) => {
                connection.execute("ROLLBACK").await?;
                Err(no_transaction())
            }
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("1") => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn commit_refused(error: &sqlx::Error) -> bool {
        has_code(error, &[ERROR, BUSY, LOCKED, FULL, CONSTRAINT])
    }

    /// Of two transactions that write, one waits for the other.
    async fn outcome(
        connection: &mut SqliteConnection,
        _: &Witness<Self>,
    ) -> sqlx::Result<CommitOutcome> {
        match connection.begin_with("BEGIN IMMEDIATE").await {
            Ok(transaction) => transaction.rollback().await.map(|()| CommitOutcome::Ended),
            Err(error) if has_code(&error, &[BUSY, LOCKED]) => Ok(CommitOutcome::Open),
            Err(error) => Err(error),
        }
    }

    async fn unfit_for_loads(
        connection: &mut SqliteConnection,
    ) -> sqlx::Result<Option<&'static str>> {
        let dirty: i64 =
            sqlx::query_scalar("PRAGMA read_uncommitted").fetch_one(connection).await?;
        Ok((dirty != 0).then_some("`PRAGMA read_uncommitted` shows uncommitted rows"))
    }

    fn stamp_of(row: &Self::Row) -> Option<String> {
        row.try_get(STAMP).ok()
    }

    /// A database in memory may be that of one connection, and is at any rate
    /// that of one pool.
    async fn own_pool(
        pool: &Pool<Sqlite>,
        max_connections: u32,
    ) -> sqlx::Result<Option<Pool<Sqlite>>> {
        let file: Option<String> =
            sqlx::query_scalar("SELECT file FROM pragma_database_list WHERE name = 'main'")
                .fetch_one(pool)
                .await?;
        let in_memory = file.is_none_or(|file| file.is_empty());
        Ok((!in_memory).then(|| similar_pool(pool, max_connections)))
    }
}

/// Whether the error has one of these primary result codes, which are the low
/// eight bits of the extended ones.
fn has_code(error: &sqlx::Error, codes: &[i32]) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| codes.contains(&(code & 0xff)))
}

#[cfg(feature = "json")]
json_driver!(Sqlite);
