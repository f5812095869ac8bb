//! A row is found by its key as it is written in cache keys, whatever the key is of.

use super::Database;
use crate::place::{Place, TestDatabase as _};

/// A kind; the column's type on PostgreSQL, MySQL and SQLite; a value as SQL has it there;
/// and the key's text.
const KINDS: [(&str, [&str; 3], [&str; 3], &str); 11] = [
    ("integer", ["BIGINT", "BIGINT", "BIGINT"], ["-7", "-7", "-7"], "-7"),
    ("bool", ["BOOLEAN", "BOOLEAN", "BOOLEAN"], ["true", "true", "1"], "1"),
    ("text", ["TEXT", "VARCHAR(50)", "TEXT"], ["'Ann (1) é'", "'Ann (1) é'", "'Ann (1) é'"], "Ann (1) é"),
    ("text", ["CHAR(5)", "CHAR(5)", "CHAR(5)"], ["'ab'", "'ab'", "'ab   '"], "ab   "),
    ("bytes", ["BYTEA", "VARBINARY(50)", "BLOB"], [r"'\x00ff7e'", "X'00ff7e'", "X'00ff7e'"], "00ff7e"),
    (
        "uuid",
        ["UUID", "BINARY(16)", "BLOB"],
        [
            "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
            "X'67e5504410b1426f9247bb680e5fe0c8'",
            "X'67e5504410b1426f9247bb680e5fe0c8'",
        ],
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
    ),
    ("date", ["DATE", "DATE", "DATE"], ["'2026-01-31'"; 3], "2026-01-31"),
    ("time", ["TIME", "TIME(6)", "TIME"], ["'23:59:59.5'"; 3], "23-59-59.500000"),
    (
        "datetime",
        ["TIMESTAMP", "DATETIME(6)", "DATETIME"],
        ["'2026-01-31 23:59:59.25'"; 3],
        "2026-01-31T23-59-59.250000",
    ),
    (
        "timestamp",
        ["TIMESTAMPTZ", "TIMESTAMP(6)", "DATETIME"],
        [
            "'2026-01-31 23:59:59.25+00'",
            "'2026-01-31 23:59:59.25'",
            "'2026-01-31T23:59:59.25+00:00'",
        ],
        "2026-01-31T23-59-59.250000Z",
    ),
    ("date", ["DATE", "DATE", "DATE"], ["'12026-01-31'", "'2026-02-01'", "'2026-02-01'"], ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_by_its_key_of_whatever_kind() {
    let number = match Database::SYSTEM {
        "PostgreSQL" => 0,
        "MySQL" => 1,
        _ => 2,
    };
    let place = Place::<Database>::with("").await;
    for (at, (kind, types, values, text)) in KINDS.iter().enumerate() {
        let (column, value) = (types[number], values[number]);
        place.run(&format!("CREATE TABLE t{at} (k {column} NOT NULL PRIMARY KEY)")).await;
        let zone = if number == 1 { "SET time_zone = '+00:00'; " } else { "" };
        place.run(&format!("{zone}INSERT INTO t{at} VALUES ({value})")).await;
        // MySQL takes away the blanks that fill a CHAR.
        let text = match (number, *kind, column, *text) {
            (1, "text", "CHAR(5)", text) => text.trim_end(),
            (0, "date", _, "") => "+12026-01-31",
            (_, "date", _, "") => "2026-02-01",
            (_, _, _, text) => text,
        };
        let (table, key) = (format!("t{at}"), format!("--key=k:{kind}"));
        let run = place.cli(&["explain", &table, &key, "--", text]);
        assert_eq!(run.code, Some(0), "{kind} {column}: {run:?}");
        assert_eq!(run.line("database"), "has the row", "{kind} {column}: {run:?}");
        // The sample makes the key of the row: it is one that the cache is asked for.
        let audit = place.cli(&["audit", &table, &key]);
        assert_eq!((audit.code, audit.line("asked")), (Some(0), "1"), "{kind} {column}: {audit:?}");
    }
    place.end().await;
}
