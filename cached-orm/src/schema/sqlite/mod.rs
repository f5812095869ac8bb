mod declared;
mod indexes;
mod triggers;

use super::{
    description::{
        Action, ColumnDescription, Describe, Filled, ForeignKey, RowsShown, TableDescription,
        TableKind, TableLifetime,
    },
    words::{Dialect, words},
};
use crate::{Backend as _, sql::split_table};
use declared::Declared;
use indexes::indexes;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};
use triggers::triggers;

impl Describe for Sqlite {
    async fn describe(
        connection: &mut SqliteConnection,
        name: &str,
    ) -> sqlx::Result<Option<TableDescription>> {
        let (schema, name) = split_table(name);
        let Some((place, name, mut table, sql)) = table(connection, schema, name).await? else {
            return Ok(None);
        };
        let declared = Declared::of(&sql);
        table.replaces_rows = declared.replaces_rows;
        table.columns = columns(connection, &place, &name).await?;
        table.indexes = indexes(connection, &place, &name, &declared).await?;
        table.triggers = triggers(connection, &place, &name).await?;
        table.referenced_by = referenced_by(connection, &place, &name).await?;
        table.refers_to = refers_to(connection, &place, &name).await?;
        Ok(Some(table))
    }

    /// A transaction that writes has locked the schema too. Of what only its connection
    /// has, nothing shows in it.
    fn stamp(name: &str) -> Option<String> {
        let is_main = split_table(name).0.is_none_or(|schema| schema.eq_ignore_ascii_case(MAIN));
        is_main.then(|| STAMP.to_owned())
    }
}

const MAIN: &str = "main";

const STAMP: &str = "\
    (SELECT schema_version FROM pragma_schema_version) || \
    CASE WHEN EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE type <> 'index') \
    THEN ' and more' ELSE '' END";

/// In which schema the table is, its name as it was created, and by which statement.
async fn table(
    connection: &mut SqliteConnection,
    schema: Option<&str>,
    name: &str,
) -> sqlx::Result<Option<(String, String, TableDescription, String)>> {
    // In the order in which SQLite looks for a name.
    const SCHEMAS: &str = "SELECT name FROM pragma_database_list ORDER BY seq <> 1, seq";
    let schemas: Vec<String> = match schema {
        Some(schema) => vec![schema.to_owned()],
        None => sqlx::query_scalar(SCHEMAS).persistent(false).fetch_all(&mut *connection).await?,
    };
    for schema in schemas {
        // The schema's name is quoted; sqlite knows no argument for it.
        let query = format!(
            "SELECT name, type, COALESCE(sql, ''), {STAMP} FROM {}.sqlite_schema
             WHERE type IN ('table', 'view') AND lower(name) = lower($1)",
            Sqlite::quote(&schema),
        );
        let query = sqlx::query_as(AssertSqlSafe(query)).bind(name).persistent(false);
        let found: Option<(String, String, String, String)> =
            query.fetch_optional(&mut *connection).await?;
        let Some((name, kind, sql, stamp)) = found else { continue };
        let begins = words(&sql, Dialect::Sqlite);
        let is_virtual = begins.get(1).is_some_and(|word| word.is("virtual"));
        let table = TableDescription {
            identity: format!("{}.{}", schema.to_ascii_lowercase(), name.to_ascii_lowercase()),
            kind: match kind.as_str() {
                "view" => TableKind::View,
                _ if is_virtual => TableKind::Virtual,
                _ => TableKind::Ordinary,
            },
            lifetime: match schema.eq_ignore_ascii_case("temp") {
                true => TableLifetime::Temporary,
                false => TableLifetime::Permanent,
            },
            rows_shown: RowsShown::BeforeTriggers,
            stamp: Some(stamp).filter(|stamp| {
                schema.eq_ignore_ascii_case(MAIN) && stamp.bytes().all(|it| it.is_ascii_digit())
            }),
            ..TableDescription::default()
        };
        return Ok(Some((schema, name, table, sql)));
    }
    Ok(None)
}

async fn columns(
    connection: &mut SqliteConnection,
    schema: &str,
    name: &str,
) -> sqlx::Result<Vec<ColumnDescription>> {
    // An INTEGER PRIMARY KEY that is alone is the row's number, which is never NULL.
    const QUERY: &str = "
        SELECT name, upper(type),
               NOT \"notnull\" AND NOT (pk > 0 AND upper(type) = 'INTEGER'
                   AND (SELECT COUNT(*) FROM pragma_table_xinfo($1, $2) WHERE pk > 0) = 1),
               hidden > 1
        FROM pragma_table_xinfo($1, $2) WHERE hidden <> 1 ORDER BY cid";
    let query = sqlx::query_as(QUERY).bind(name).bind(schema).persistent(false);
    let found: Vec<(String, String, bool, bool)> = query.fetch_all(connection).await?;
    let column = |(name, type_name, is_nullable, is_generated)| {
        let filled = if is_generated { Filled::Generated } else { Filled::ByStatements };
        ColumnDescription { name, type_name, is_nullable, filled, is_incomparable: false }
    };
    Ok(found.into_iter().map(column).collect())
}

async fn referenced_by(
    connection: &mut SqliteConnection,
    schema: &str,
    name: &str,
) -> sqlx::Result<Vec<ForeignKey>> {
    let query = format!(
        "SELECT m.name, f.\"to\", f.\"from\", f.on_delete, f.on_update
         FROM {}.sqlite_schema m JOIN pragma_foreign_key_list(m.name, $2) f
         WHERE m.type = 'table' AND lower(f.\"table\") = lower($1)",
        Sqlite::quote(schema)
    );
    let query = sqlx::query_as(AssertSqlSafe(query)).bind(name).bind(schema).persistent(false);
    foreign_keys(query.fetch_all(connection).await?, schema)
}

async fn refers_to(
    connection: &mut SqliteConnection,
    schema: &str,
    name: &str,
) -> sqlx::Result<Vec<ForeignKey>> {
    const QUERY: &str = "
        SELECT \"table\", \"to\", \"from\", on_delete, on_update FROM pragma_foreign_key_list($1, $2)";
    let query = sqlx::query_as(QUERY).bind(name).bind(schema).persistent(false);
    foreign_keys(query.fetch_all(connection).await?, schema)
}

/// They have no names. Without a column they refer to the primary key.
fn foreign_keys(
    found: Vec<(String, Option<String>, String, String, String)>,
    schema: &str,
) -> sqlx::Result<Vec<ForeignKey>> {
    let key = |(other, column, referring, on_delete, on_update): (String, _, _, String, String)| {
        ForeignKey {
            name: format!("of `{other}`"),
            other: format!("{}.{}", schema.to_ascii_lowercase(), other.to_ascii_lowercase()),
            referred: Option::into_iter(column).collect(),
            referring: vec![referring],
            on_delete: Action::of(&on_delete),
            on_update: Action::of(&on_update),
            shows_actions: true,
            acts_elsewhere: false,
        }
    };
    Ok(found.into_iter().map(key).collect())
}
