/// What the text of a [`KeyPart`](crate::KeyPart) is made of, and so which SQL
/// writes the same text.
///
/// Each says what Rust writes and which columns there are for it on PostgreSQL;
/// MySQL, MariaDB and SQLite have columns as sqlx stores such values.
///
/// ```
/// use cached_orm::{KeyKind, KeyPart};
///
/// assert_eq!(<i64 as KeyPart>::KIND, KeyKind::Integer);
/// assert_eq!(<String as KeyPart>::KIND, KeyKind::Text);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// Decimal digits: `SMALLINT`, `INTEGER`, `BIGINT`, `"char"`.
    Integer,
    /// `1` or `0`: `BOOLEAN`.
    Bool,
    /// The text itself: `TEXT`, `VARCHAR`, `CHAR`, `NAME`, `citext`, an enum.
    Text,
    /// Lower-case hexadecimal digits: `BYTEA`.
    Bytes,
    /// With hyphens, in lower case: `UUID`.
    Uuid,
    /// `2026-01-31`: `DATE`.
    Date,
    /// `23-59-59.000000`, with nine digits if there are nanoseconds: `TIME`.
    Time,
    /// `2026-01-31T23-59-59.000000`: `TIMESTAMP`.
    DateTime,
    /// `2026-01-31T23-59-59.000000Z`, in UTC: `TIMESTAMPTZ`.
    Timestamp,
    /// Something that no SQL is known for.
    Other,
    /// As [`Uuid`](Self::Uuid), of a column of text: `CHAR(36)`, `TEXT`, MariaDB's `UUID`.
    UuidText,
}
