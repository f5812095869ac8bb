//! Tables that no struct describes: what the catalog says of them, and their rows as
//! texts.
#![cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    allow(dead_code, reason = "only databases have catalogs")
)]

use crate::KeyKind;
use sqlx::Database;
use std::future::Future;

/// A table in the catalog.
#[doc(hidden)]
#[derive(Debug)]
pub struct TableFound {
    /// Its name as it stands in SQL.
    pub(crate) quoted: String,
    /// In the catalog's order.
    pub(crate) columns: Vec<ColumnFound>,
}

/// A column in the catalog.
#[derive(Debug)]
pub(crate) struct ColumnFound {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// What a struct's field for it can be; empty if that is not known.
    pub(crate) kinds: &'static [KeyKind],
    /// Its place in the primary key, if it has one.
    pub(crate) key_place: Option<i64>,
}

impl TableFound {
    /// The column of this name, as databases take names.
    pub(crate) fn column(&self, name: &str) -> Option<&ColumnFound> {
        let is_it = |column: &&ColumnFound| column.name == name;
        let is_alike = |column: &&ColumnFound| column.name.eq_ignore_ascii_case(name);
        self.columns.iter().find(is_it).or_else(|| self.columns.iter().find(is_alike))
    }

    /// The columns of the primary key, in its order.
    pub(crate) fn primary_key(&self) -> Vec<(String, Option<KeyKind>)> {
        let of_key = |column: &ColumnFound| Some((column.key_place?, column.name.clone()));
        let mut columns: Vec<_> = self.columns.iter().filter_map(of_key).collect();
        columns.sort();
        columns.into_iter().map(|(_, name)| (name, None)).collect()
    }
}

/// What a column is compared with.
#[doc(hidden)]
#[derive(Debug)]
pub enum Equals {
    /// SQL that stands as it is.
    Sql(String),
    /// SQL with a placeholder, of which the number is given, and its argument.
    Bound(String, String),
}

/// How a database's tables are found, and their values are made texts.
#[doc(hidden)]
pub trait Catalog: Database {
    /// What orders rows by chance.
    const RANDOM: &'static str;

    /// The table of this name that statements on the connection would find.
    fn find_table(
        connection: &mut Self::Connection,
        name: &str,
    ) -> impl Future<Output = sqlx::Result<Option<TableFound>>> + Send;

    /// The text that Rust writes of a column of this type; `None` if there is no SQL
    /// for it.
    fn key_text(kind: KeyKind, type_name: &str, column: &str) -> Option<String>;

    /// The hexadecimal digits of the UTF-8 bytes of a text.
    fn hex(text: &str) -> String;

    /// A condition that every row meets whose column has this text, or more rows;
    /// `None` if it cannot be put so that an index is of use. The text is not trusted.
    fn equals(
        kind: KeyKind,
        column: &str,
        type_name: &str,
        text: &str,
        placeholder: &str,
    ) -> Option<Equals>;

    /// Why rows are not found by a column for a field of this kind, and what to do; `None`
    /// if they are, or the database says so itself.
    fn unfit(kind: KeyKind, type_name: &str) -> Option<&'static str>;

    /// The rows of a SELECT of so many texts.
    fn select_texts(
        connection: &mut Self::Connection,
        sql: String,
        arguments: &[String],
        columns: usize,
    ) -> impl Future<Output = sqlx::Result<Vec<Vec<Option<String>>>>> + Send;
}

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
macro_rules! select_texts {
    () => {
        async fn select_texts(
            connection: &mut Self::Connection,
            sql: String,
            arguments: &[String],
            columns: usize,
        ) -> sqlx::Result<Vec<Vec<Option<String>>>> {
            // Names in it are quoted, and texts checked.
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
            for argument in arguments {
                query = query.bind(argument.as_str());
            }
            let rows = query.fetch_all(connection).await?;
            let texts = |row| (0..columns).map(|at| sqlx::Row::try_get(row, at)).collect();
            rows.iter().map(texts).collect()
        }
    };
}

/// Digits, and a sign before them.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A literal of these bytes, if `text` are hexadecimal digits and hyphens.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
fn bytes_literal(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|char| *char != '-').collect();
    let is_hex = digits.len().is_multiple_of(2) && digits.bytes().all(|it| it.is_ascii_hexdigit());
    is_hex.then(|| format!("X'{digits}'"))
}

/// A time as SQL writes it: that of `2026-01-31T23-59-59.000000Z`, of which `blank`
/// takes the place of the `T`.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn time_text(kind: KeyKind, text: &str, blank: &str) -> String {
    match (kind, text.split_once('T')) {
        (KeyKind::Time, _) => text.replace('-', ":"),
        (_, Some((date, time))) => format!("{date}{blank}{}", time.replace('-', ":")),
        _ => text.to_owned(),
    }
}

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
