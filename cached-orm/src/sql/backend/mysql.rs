use super::{
    Backend, Bindings, CommitOutcome, KeyNumbers, LockedRow, Witness, driver::has_class,
    no_transaction,
};
use crate::{
    Isolation,
    pooled::{Cut, roll_back_to},
};
use sqlx::{
    Database, Decode, Encode, Executor as _, MySql, MySqlConnection, Row as _, Type,
    encode::IsNull, error::BoxDynError, mysql::MySqlDatabaseError,
};

/// `ER_LOCK_WAIT_TIMEOUT`, with which MariaDB answers NOWAIT, and MySQL's
/// `ER_LOCK_NOWAIT`.
const LOCKED: [u16; 2] = [1205, 3572];
/// `ER_CANT_CHANGE_TX_CHARACTERISTICS`.
const TRANSACTION_IN_PROGRESS: u16 = 1568;

/// `ER_CHECKREAD`: MariaDB's `innodb_snapshot_isolation` refuses to lock a row that
/// was changed after the transaction's snapshot, and rolls the transaction back.
const CHANGED_SINCE_SNAPSHOT: u16 = 1020;

/// Whether the error has one of these numbers.
fn has_number(error: &sqlx::Error, numbers: &[u16]) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let error = error.try_downcast_ref::<MySqlDatabaseError>();
    error.is_some_and(|error| numbers.contains(&error.number()))
}

impl super::sealed::Sealed for MySql {}

impl Backend for MySql {
    driver!();

    fn encode<'q, T>(value: &T, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError>
    where
        T: Encode<'q, Self>,
    {
        value.encode_by_ref(bytes)
    }

    const RETURNING: bool = false;

    fn begin(isolation: Option<Isolation>) -> Option<&'static str> {
        isolation.map(|isolation| match isolation {
            Isolation::ReadCommitted => {
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION"
            }
            Isolation::RepeatableRead => {
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION"
            }
            Isolation::Serializable => {
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION"
            }
        })
    }

    fn placeholder(_: usize) -> String {
        "?".to_owned()
    }

    const ROW_LIST: &'static str = "";

    const LOCK_ROWS: &'static str = " FOR UPDATE";

    const READS_SNAPSHOTS: bool = true;

    fn quote(name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn last_key(done: &Self::QueryResult) -> Option<u64> {
        Some(done.last_insert_id()).filter(|key| *key != 0)
    }

    /// InnoDB reserves the numbers of an INSERT with a list of rows at once,
    /// whatever its lock mode.
    async fn key_numbers(
        connection: &mut MySqlConnection,
        _: &str,
        _: &str,
        _: usize,
    ) -> sqlx::Result<KeyNumbers> {
        let step = sqlx::query_scalar("SELECT CAST(@@auto_increment_increment AS SIGNED)");
        Ok(KeyNumbers::Consecutive { step: step.fetch_one(connection).await? })
    }

    const ERRORS_ABORT: bool = false;

    const CANCEL_SAFE: bool = false;

    /// What the caller has sent may have been dropped, and the pool would wait for
    /// ever for the answer of its ping. Only the error that `check_open` waits for
    /// shows that all before it was read.
    async fn recover(connection: &mut MySqlConnection, depth: usize, cut: Cut) -> bool {
        cut == Cut::Lent
            && Self::check_open(connection).await.is_ok()
            && roll_back_to::<Self>(connection, depth).await.is_ok()
    }

    /// A deadlock's victim, among others, is rolled back as a whole, and what
    /// follows would be committed statement by statement. Neither the driver
    /// nor a variable that MySQL and MariaDB share tells; but only inside a
    /// transaction is this statement refused. Outside it changes nothing, since
    /// read-write is what a transaction is.
    async fn check_open(connection: &mut MySqlConnection) -> sqlx::Result<()> {
        match connection.execute("SET TRANSACTION READ WRITE").await {
            Ok(_) => Err(no_transaction()),
            Err(error) if has_number(&error, &[TRANSACTION_IN_PROGRESS]) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn was_for_another(error: &sqlx::Error) -> bool {
        has_class(error, &["40001"]) || has_number(error, &[CHANGED_SINCE_SNAPSHOT])
    }

    fn commit_refused(error: &sqlx::Error) -> bool {
        has_class(error, &["23", "40", "25"])
    }

    /// The row's lock tells: InnoDB keeps those of an inserted, updated or
    /// deleted row until the transaction ends.
    async fn outcome(
        connection: &mut MySqlConnection,
        witness: &Witness<Self>,
    ) -> sqlx::Result<CommitOutcome> {
        let Some(LockedRow { sql, bind }) = &witness.locked_row else {
            return Ok(CommitOutcome::Open);
        };
        let mut bindings = Bindings::new();
        bind(&mut bindings);
        let arguments = bindings.finish().map_err(sqlx::Error::Encode)?;
        // Made of the derive's constant.
        let sql = sqlx::AssertSqlSafe(format!("{sql} NOWAIT"));
        // In autocommit, so the lock is gone with the statement.
        match sqlx::query_with(sql, arguments).fetch_optional(connection).await {
            Ok(_) => Ok(CommitOutcome::Ended),
            Err(error) if has_number(&error, &LOCKED) => Ok(CommitOutcome::Open),
            Err(error) => Err(error),
        }
    }

    async fn unfit_for_loads(
        connection: &mut MySqlConnection,
    ) -> sqlx::Result<Option<&'static str>> {
        // MySQL 8 has no `tx_isolation`, and MariaDB before 11.1 no
        // `transaction_isolation`; SHOW VARIABLES knows what there is.
        let settings = sqlx::query(
            "SHOW SESSION VARIABLES WHERE Variable_name IN
             ('autocommit', 'transaction_isolation', 'tx_isolation')",
        )
        .fetch_all(connection)
        .await?;
        for setting in settings {
            match setting.try_get::<String, _>(1)?.as_str() {
                "OFF" => return Ok(Some("autocommit is off, which shows an old snapshot")),
                "READ-UNCOMMITTED" => {
                    return Ok(Some("the isolation level shows uncommitted rows"));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

#[cfg(feature = "json")]
json_driver!(MySql);
