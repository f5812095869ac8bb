mod triggers;

use super::{
    description::{
        Action, ColumnDescription, Describe, ForeignKey, IndexDescription, RowsShown,
        TableDescription, TableKind, TableLifetime,
    },
    words::{Dialect, Word, keeps_nulls, leaves_out_nulls, words},
};
use crate::{Backend as _, sql::split_table};
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
                   AND (SELECT COUNT(*) FROM pragma_table_xinfo($1, $2) WHERE pk > 0) = 1)
        FROM pragma_table_xinfo($1, $2) WHERE hidden <> 1 ORDER BY cid";
    let query = sqlx::query_as(QUERY).bind(name).bind(schema).persistent(false);
    let found: Vec<(String, String, bool)> = query.fetch_all(connection).await?;
    let column =
        |(name, type_name, is_nullable)| ColumnDescription { name, type_name, is_nullable };
    Ok(found.into_iter().map(column).collect())
}

/// Those of constraints too, and the row's number where the primary key is one.
async fn indexes(
    connection: &mut SqliteConnection,
    schema: &str,
    name: &str,
    declared: &Declared,
) -> sqlx::Result<Vec<IndexDescription>> {
    const INDEXES: &str = "
        SELECT name, \"unique\", origin = 'pk', partial
        FROM pragma_index_list($1, $2) ORDER BY origin <> 'pk', name";
    const COLUMNS: &str = "
        SELECT COALESCE(name, ''), coll FROM pragma_index_xinfo($1, $2) WHERE key ORDER BY seqno";
    const KEY: &str = "SELECT name FROM pragma_table_xinfo($1, $2) WHERE pk > 0 ORDER BY pk";
    let query = sqlx::query_as(INDEXES).bind(name).bind(schema).persistent(false);
    let found: Vec<(String, bool, bool, bool)> = query.fetch_all(&mut *connection).await?;
    let mut indexes = Vec::with_capacity(found.len() + 1);
    for (index, is_unique, is_primary, is_partial) in found {
        let query = sqlx::query_as(COLUMNS).bind(&index).bind(schema).persistent(false);
        let parts: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
        let leading: Vec<String> = parts
            .iter()
            .map(|(name, _)| name)
            .take_while(|name| !name.is_empty())
            .cloned()
            .collect();
        let mut columns = leading.clone();
        let mut has_other_nulls = false;
        let mut leaves_out_rows = is_partial;
        if leading.len() < parts.len() || is_partial {
            let sql = words(&index_sql(connection, schema, &index).await?, Dialect::Sqlite);
            let condition = sql.iter().position(|word| word.is("where")).unwrap_or(sql.len());
            let (expressions, condition) = sql.split_at_checked(condition).unwrap_or_default();
            if leading.len() < parts.len() {
                let (named, keeps_nulls) = in_expressions(expressions);
                columns.extend(named);
                has_other_nulls = !keeps_nulls;
            }
            leaves_out_rows = condition
                .split_first()
                .is_some_and(|(_, condition)| !leaves_out_nulls(condition, &leading));
        }
        let differs = |(column, collation): &(String, String)| {
            !column.is_empty() && !collation.eq_ignore_ascii_case(declared.collation(column))
        };
        indexes.push(IndexDescription {
            is_unique,
            is_primary,
            is_partial: leaves_out_rows,
            columns,
            leading,
            has_other_collation: parts.iter().any(differs),
            has_other_nulls,
            name: index,
            ..IndexDescription::default()
        });
    }
    if !indexes.iter().any(|index| index.is_primary) {
        let query = sqlx::query_scalar(KEY).bind(name).bind(schema).persistent(false);
        let key: Vec<String> = query.fetch_all(connection).await?;
        if !key.is_empty() {
            indexes.push(IndexDescription {
                name: "PRIMARY KEY".to_owned(),
                is_unique: true,
                is_primary: true,
                columns: key.clone(),
                leading: key,
                ..IndexDescription::default()
            });
        }
    }
    Ok(indexes)
}

/// The statement that made the index.
async fn index_sql(
    connection: &mut SqliteConnection,
    schema: &str,
    index: &str,
) -> sqlx::Result<String> {
    let query = format!(
        "SELECT sql FROM {}.sqlite_schema WHERE type = 'index' AND name = $1",
        Sqlite::quote(schema)
    );
    let query = sqlx::query_scalar(AssertSqlSafe(query)).bind(index).persistent(false);
    let sql: Option<Option<String>> = query.fetch_optional(connection).await?;
    Ok(sql.flatten().unwrap_or_default())
}

/// Every name in the parentheses of CREATE INDEX, of which some are columns', and whether
/// its expressions keep NULLs.
fn in_expressions(words: &[Word]) -> (Vec<String>, bool) {
    let start = words.iter().position(|word| word.is("(")).unwrap_or(words.len());
    let expressions = words.get(start..).unwrap_or_default();
    let columns = expressions.iter();
    // `lower(email)`: what stands before a parenthesis is a function.
    let followed = columns.clone().skip(1).map(Some).chain([None]);
    let names = columns.zip(followed).filter_map(|(word, next)| match word {
        _ if next.is_some_and(|next| next.is("(")) || word.is_any(&["asc", "desc", "collate"]) => {
            None
        }
        word => word.name().map(str::to_owned),
    });
    (names.collect(), keeps_nulls(expressions))
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
        }
    };
    Ok(found.into_iter().map(key).collect())
}

/// What only the text of CREATE TABLE tells.
struct Declared {
    replaces_rows: bool,
    /// Columns that are not compared byte by byte.
    collations: Vec<(String, String)>,
}

impl Declared {
    fn of(sql: &str) -> Self {
        let words = words(sql, Dialect::Sqlite);
        let replaces = |words: &[Word]| {
            words.iter().zip(["on", "conflict", "replace"]).all(|(word, it)| word.is(it))
        };
        let mut collations = Vec::new();
        let (mut depth, mut column) = (0, None);
        let mut before: Option<&Word> = None;
        for word in &words {
            match word {
                Word::Sign('(') => depth += 1,
                Word::Sign(')') => depth -= 1,
                Word::Name(name) | Word::Quoted(name) => {
                    let is_first = before.is_some_and(|before| before.is("(") || before.is(","));
                    if depth == 1 && is_first {
                        column = Some(name.clone());
                    }
                    if depth == 1 && before.is_some_and(|before| before.is("collate")) {
                        collations.extend(column.clone().map(|column| (column, name.clone())));
                    }
                }
                Word::Text(_) | Word::Sign(_) | Word::Versioned => {}
            }
            before = Some(word);
        }
        Self { replaces_rows: words.windows(3).any(replaces), collations }
    }

    fn collation(&self, column: &str) -> &str {
        let is_it = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(column);
        self.collations.iter().find(is_it).map_or("BINARY", |(_, collation)| collation)
    }
}
