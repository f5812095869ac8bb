use super::{ArgumentType, Backend, Bindings, CommitOutcome, KeyNumbers, STAMP, Witness};
use crate::Isolation;
use sqlx::{
    Arguments as _, Database, Decode, Encode, Executor as _, PgConnection, Postgres, Row as _,
    Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{
        PgArgumentBuffer, PgArguments, PgDatabaseError, PgSeverity, PgTypeInfo, types::Oid,
    },
};
use std::mem;

/// SQLSTATE `invalid_parameter_value`.
const INVALID_VALUE: &str = "22023";
/// SQLSTATE `statement_completion_unknown`.
const COMPLETION_UNKNOWN: &str = "40003";

/// The type `unknown`, which stands for that of what is beside the argument.
const UNKNOWN: Oid = Oid(705);

/// A value that is sent as one of the type `unknown`.
struct OfColumn<'v, T>(&'v T);

impl<T: Type<Postgres>> Type<Postgres> for OfColumn<'_, T> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(UNKNOWN)
    }
}

impl<'q, T: Encode<'q, Postgres>> Encode<'q, Postgres> for OfColumn<'_, T> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.0.encode_by_ref(buffer)
    }

    fn size_hint(&self) -> usize {
        self.0.size_hint()
    }
}

impl super::sealed::Sealed for Postgres {}

impl Backend for Postgres {
    driver!();

    /// The buffer may note where the statement puts a type's number. That is decided by
    /// the type and not by the value.
    fn encode<'q, T>(value: &T, bytes: &mut Vec<u8>) -> Result<IsNull, BoxDynError>
    where
        T: Encode<'q, Self>,
    {
        let mut buffer = PgArgumentBuffer::default();
        mem::swap(&mut *buffer, bytes);
        let encoded = value.encode_by_ref(&mut buffer);
        mem::swap(&mut *buffer, bytes);
        encoded
    }

    const RETURNING: bool = true;

    /// A text takes its column's type. Were it declared `text`, as sqlx does, then
    /// `char(n)` would be compared as `text`, which blanks at the end tell apart, and
    /// `citext` too, past its index. The bytes are the same for all of them.
    fn add<T>(arguments: &mut PgArguments, value: &T) -> Result<ArgumentType, BoxDynError>
    where
        T: Type<Self> + for<'q> Encode<'q, Self>,
    {
        if value.produces().unwrap_or_else(T::type_info) == <str as Type<Self>>::type_info() {
            arguments.add(OfColumn(value))?;
            return Ok(ArgumentType::OfColumn);
        }
        arguments.add(value)?;
        Ok(ArgumentType::Declared)
    }

    fn begin(isolation: Option<Isolation>) -> Option<&'static str> {
        isolation.map(|isolation| match isolation {
            Isolation::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        })
    }

    fn placeholder(number: usize) -> String {
        format!("${number}")
    }

    const ROW_LIST: &'static str = "VALUES ";

    // The key stays as it is, so that whoever inserts a row that refers to this one
    // neither waits nor is waited for. A statement that changes the key or deletes
    // the row takes the stronger lock by itself.
    const LOCK_ROWS: &'static str = " FOR NO KEY UPDATE";

    fn quote(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    const ERRORS_ABORT: bool = true;

    const CANCEL_SAFE: bool = true;

    async fn check_open(connection: &mut PgConnection) -> sqlx::Result<()> {
        connection.execute("SELECT 1").await.map(drop)
    }

    fn commit_refused(error: &sqlx::Error) -> bool {
        let sqlx::Error::Database(error) = error else { return false };
        let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else { return false };
        // After FATAL the session has ended, who knows when.
        error.severity() == PgSeverity::Error && error.code() != COMPLETION_UNKNOWN
    }

    const OVERRIDING: &'static str = " OVERRIDING SYSTEM VALUE";

    const UPDATES_MANY: bool = true;

    /// From the sequence, if the column is an identity or its default is the next
    /// number of the sequence it owns, and if the user may use that.
    async fn key_numbers(
        connection: &mut PgConnection,
        table: &str,
        column: &str,
        count: usize,
    ) -> sqlx::Result<KeyNumbers> {
        const QUERY: &str = r"
            SELECT nextval(k.sequence::regclass)
            FROM (SELECT pg_get_serial_sequence($1, $2) AS sequence
                  FROM pg_attribute a
                  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                  WHERE a.attrelid = to_regclass($1) AND a.attname = $2
                    AND (a.attidentity <> ''
                         OR pg_get_expr(d.adbin, d.adrelid)
                            = format('nextval(%L::regclass)',
                                     pg_get_serial_sequence($1, $2)::regclass))) AS k,
                 generate_series(1, $3)
            WHERE has_sequence_privilege(k.sequence, 'USAGE')";
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let query = sqlx::query_scalar(QUERY).bind(table).bind(column).bind(count);
        let numbers: Vec<i64> = query.fetch_all(connection).await?;
        // None if the column is another.
        Ok(match numbers.is_empty() {
            true => KeyNumbers::Unknown,
            false => KeyNumbers::Reserved(numbers),
        })
    }

    const TRANSACTION_ID: Option<&'static str> =
        Some("txid_current() AS \"cached_orm_transaction\"");

    fn transaction_id(row: &Self::Row) -> Option<i64> {
        row.try_get("cached_orm_transaction").ok()
    }

    fn stamp_of(row: &Self::Row) -> Option<String> {
        row.try_get(STAMP).ok()
    }

    async fn outcome(
        connection: &mut PgConnection,
        witness: &Witness<Self>,
    ) -> sqlx::Result<CommitOutcome> {
        let Some(id) = witness.transaction_id else { return Ok(CommitOutcome::Open) };
        let status = sqlx::query_scalar("SELECT txid_status($1)").bind(id);
        match status.fetch_one(connection).await {
            Ok(status) => Ok(match Option::<String>::as_deref(&status) {
                Some("in progress") => CommitOutcome::Open,
                Some("committed") => CommitOutcome::Committed,
                _ => CommitOutcome::Ended,
            }),
            // An id that the server has not given yet: it has restarted, and has
            // never heard of the transaction.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INVALID_VALUE) => {
                Ok(CommitOutcome::Ended)
            }
            Err(error) => Err(error),
        }
    }

    async fn unfit_for_loads(connection: &mut PgConnection) -> sqlx::Result<Option<&'static str>> {
        let standby: bool =
            sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(connection).await?;
        Ok(standby.then_some("the server is a standby, which lags behind the primary"))
    }

    /// For this transaction only. Sent as one, they cost no round trip more.
    fn begin_with_own_key(own_key: &str) -> Option<String> {
        // A key in this form has no quote and no backslash.
        Some(format!("BEGIN; SELECT set_config('cached_orm.own_key', '{own_key}', true)"))
    }
}

#[cfg(feature = "json")]
json_driver!(Postgres);
