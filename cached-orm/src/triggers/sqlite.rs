use super::{Part, Refusal, Triggers, TriggersFound, Watched, WatchedIndex, WatchedOutbox};
use crate::{Backend as _, KeyKind, sql::split_table};
use sqlx::{AssertSqlSafe, Connection as _, Sqlite, SqliteConnection};

/// What the names of a table's triggers end with.
const SUFFIXES: [&str; 5] = ["insert", "update", "delete", "replace", "replace_by_update"];

impl Triggers for Sqlite {
    async fn sql(connection: &mut SqliteConnection, watched: &Watched) -> Result<String, Refusal> {
        Ok(Wanted::of(connection, watched).await?.sql())
    }

    async fn install(connection: &mut SqliteConnection, watched: &Watched) -> Result<(), Refusal> {
        let wanted = Wanted::of(connection, watched).await?;
        if wanted.are_installed(connection).await? {
            return Ok(());
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if !wanted.are_installed(&mut transaction).await? {
            // Names in it are quoted.
            let sql = AssertSqlSafe(wanted.sql());
            sqlx::raw_sql(sql).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn uninstall(
        connection: &mut SqliteConnection,
        table: &str,
        name: &str,
    ) -> Result<bool, Refusal> {
        let (_, table) = split_table(table);
        let found = installed(connection, name).await?;
        let found: Vec<_> =
            found.into_iter().filter(|trigger| trigger.table.eq_ignore_ascii_case(table)).collect();
        if found.is_empty() {
            return Ok(false);
        }
        let drop = |trigger: &Installed| format!("DROP TRIGGER IF EXISTS {};\n", trigger.name);
        let sql: String = found.iter().map(drop).collect();
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        // The names are plain.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn triggers_found(connection: &mut SqliteConnection) -> sqlx::Result<Vec<TriggersFound>> {
        const QUERY: &str = "
            SELECT tbl_name, substr(name, 1, length(name) - 7), sql FROM sqlite_schema
            WHERE type = 'trigger' AND substr(name, 1, 11) = 'cached_orm_'
              AND substr(name, -7) = '_delete'
            ORDER BY 1, 2";
        let found: Vec<(String, String, String)> =
            sqlx::query_as(QUERY).fetch_all(connection).await?;
        Ok(found.into_iter().filter_map(TriggersFound::of).collect())
    }
}

/// A trigger that is there.
struct Installed {
    name: String,
    table: String,
    sql: String,
}

/// The triggers whose names begin like this.
async fn installed(connection: &mut SqliteConnection, name: &str) -> sqlx::Result<Vec<Installed>> {
    const QUERY: &str =
        "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' AND name = $1";
    let mut installed = Vec::new();
    for suffix in SUFFIXES {
        let query = sqlx::query_as(QUERY).bind(format!("{name}_{suffix}"));
        let found: Option<(String, String, String)> =
            query.fetch_optional(&mut *connection).await?;
        installed.extend(found.map(|(name, table, sql)| Installed { name, table, sql }));
    }
    Ok(installed)
}

/// The triggers as they are to be: the statement that creates each.
struct Wanted {
    name: String,
    triggers: Vec<String>,
}

impl Wanted {
    async fn of(connection: &mut SqliteConnection, watched: &Watched) -> Result<Self, Refusal> {
        check(connection, watched).await?;
        let columns = key_columns(connection, watched).await?;
        let rivals = unique(connection, watched, &columns).await?;
        let Watched { namespace, name, .. } = watched;
        let table = Sqlite::quote(&watched.table);
        let put = "    INSERT INTO cached_orm_outbox (namespace, cache_key)";
        let Watched { key_name, parts, .. } = watched;
        let [old, new, other] = ["OLD", "NEW", "r"].map(|row| key(key_name, parts, row));
        let (old, new, other) = (old?, new?, other?);
        let mut inserted = format!("{put}\n    VALUES ('{namespace}', {new});\n");
        let mut updated =
            format!("{put}\n    SELECT '{namespace}', {old} UNION SELECT '{namespace}', {new};\n");
        for WatchedIndex { key_name, parts, .. } in &watched.indexes {
            let [old, new] = ["OLD", "NEW"].map(|row| key(key_name, parts, row));
            let (old, new) = (old?, new?);
            let got = format!(
                "{put}\n    SELECT '{namespace}', {new} WHERE {}",
                each(parts, "NEW", "IS NOT NULL", " AND ")
            );
            inserted.push_str(&format!("{got};\n"));
            let was_null = each(parts, "OLD", "IS NULL", " OR ");
            updated.push_str(&format!("{got}\n    AND ({was_null} OR {new} <> {old});\n"));
        }
        let mut triggers = vec![
            ("insert", "AFTER INSERT", inserted),
            ("update", "AFTER UPDATE", updated),
            ("delete", "AFTER DELETE", format!("{put}\n    VALUES ('{namespace}', {old});\n")),
        ];
        // REPLACE fires nothing for the rows that it removes.
        let replaced = |condition: &dyn Fn(&Unique) -> String| -> String {
            let put = |rival| {
                let condition = condition(rival);
                format!(
                    "{put}\n    SELECT '{namespace}', {other} FROM {table} AS r WHERE {condition};\n"
                )
            };
            rivals.iter().map(put).collect()
        };
        if !rivals.is_empty() {
            triggers.push(("replace", "BEFORE INSERT", replaced(&Unique::equals_new)));
            let moved = |rival: &Unique| format!("{} AND {}", rival.equals_new(), rival.is_moved());
            triggers.push(("replace_by_update", "BEFORE UPDATE", replaced(&moved)));
        }
        let create = |(suffix, event, body)| {
            format!("CREATE TRIGGER {name}_{suffix} {event} ON {table} BEGIN\n{body}END")
        };
        let triggers = triggers.into_iter().map(create).collect();
        Ok(Self { name: name.clone(), triggers })
    }

    fn sql(&self) -> String {
        let Self { name, triggers } = self;
        let drop = |suffix| format!("DROP TRIGGER IF EXISTS {name}_{suffix};\n");
        let create = |trigger: &String| format!("{trigger};\n");
        SUFFIXES.into_iter().map(drop).chain(triggers.iter().map(create)).collect()
    }

    /// A trigger's text is kept as it was given.
    async fn are_installed(&self, connection: &mut SqliteConnection) -> sqlx::Result<bool> {
        let found = installed(connection, &self.name).await?;
        let is_wanted = |found: &Installed| self.triggers.contains(&found.sql);
        Ok(found.len() == self.triggers.len() && found.iter().all(is_wanted))
    }
}

async fn check(connection: &mut SqliteConnection, watched: &Watched) -> Result<(), Refusal> {
    let refused = |reason: String| Err(Refusal::Reason(reason));
    let (None, table) = split_table(&watched.table) else {
        return refused(format!(
            "`{}` is in an attached database; triggers write only to their own",
            watched.table
        ));
    };
    let kind: Option<String> = sqlx::query_scalar(
        "SELECT type FROM pragma_table_list WHERE schema = 'main' AND lower(name) = lower($1)",
    )
    .bind(table)
    .fetch_optional(&mut *connection)
    .await?;
    match kind.as_deref() {
        None => return Err(Refusal::no_table(table)),
        Some("table") => {}
        Some(kind) => {
            return refused(format!("`{table}` is a {kind}, and others change what is behind it"));
        }
    }
    let outbox: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'cached_orm_outbox'",
    )
    .fetch_one(&mut *connection)
    .await?;
    if outbox == 0 && watched.outbox == WatchedOutbox::Needed {
        return Err(Refusal::no_outbox());
    }
    let encoding: String = sqlx::query_scalar("PRAGMA encoding").fetch_one(connection).await?;
    if encoding != "UTF-8" {
        return refused(format!("the database's encoding is {encoding}, and not UTF-8"));
    }
    Ok(())
}

/// The key columns' names as they are declared.
async fn key_columns(
    connection: &mut SqliteConnection,
    watched: &Watched,
) -> Result<Vec<String>, Refusal> {
    let found: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_xinfo($1)")
        .bind(&watched.table)
        .fetch_all(connection)
        .await?;
    let declared = |part: &Part| {
        let declared = found.iter().find(|name| name.eq_ignore_ascii_case(&part.column));
        declared.cloned().ok_or_else(|| Refusal::no_column(&part.column))
    };
    watched.all_parts().try_for_each(|part| declared(part).map(drop))?;
    watched.parts.iter().map(declared).collect()
}

/// `NEW."a" IS NOT NULL AND NEW."b" IS NOT NULL`
fn each(parts: &[Part], row: &str, condition: &str, and: &str) -> String {
    let each = |part: &Part| format!("{row}.{} {condition}", Sqlite::quote(&part.column));
    parts.iter().map(each).collect::<Vec<_>>().join(and)
}

/// A unique index, by which REPLACE finds rows to remove.
struct Unique(Vec<UniqueColumn>);

struct UniqueColumn {
    name: String,
    collation: String,
    /// What REPLACE puts in NULL's place.
    instead_of_null: Option<String>,
}

impl UniqueColumn {
    fn new_value(&self) -> String {
        let column = Sqlite::quote(&self.name);
        match &self.instead_of_null {
            Some(default) => format!("COALESCE(NEW.{column}, {default})"),
            None => format!("NEW.{column}"),
        }
    }
}

impl Unique {
    fn equals_new(&self) -> String {
        let equal = |column: &UniqueColumn| {
            let (name, new) = (Sqlite::quote(&column.name), column.new_value());
            format!("r.{name} = {new} COLLATE {}", Sqlite::quote(&column.collation))
        };
        self.0.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// Whether an update gives the row other values.
    fn is_moved(&self) -> String {
        let differs = |column: &UniqueColumn| {
            let (name, new) = (Sqlite::quote(&column.name), column.new_value());
            format!("{new} IS NOT OLD.{name} COLLATE {}", Sqlite::quote(&column.collation))
        };
        format!("({})", self.0.iter().map(differs).collect::<Vec<_>>().join(" OR "))
    }

    /// Whether rows that are equal by it have the same key.
    fn has_whole_key(&self, key_columns: &[String]) -> bool {
        let is_in = |key: &String| {
            self.0.iter().any(|column| {
                column.name.eq_ignore_ascii_case(key)
                    && column.collation.eq_ignore_ascii_case("BINARY")
            })
        };
        key_columns.iter().all(is_in)
    }
}

/// The unique indexes by which rows with another key are found.
async fn unique(
    connection: &mut SqliteConnection,
    watched: &Watched,
    key_columns: &[String],
) -> Result<Vec<Unique>, Refusal> {
    let indexes: Vec<(String, String, bool)> = sqlx::query_as(
        "SELECT name, origin, partial FROM pragma_index_list($1) WHERE \"unique\" ORDER BY name",
    )
    .bind(&watched.table)
    .fetch_all(&mut *connection)
    .await?;
    let mut unique = Vec::new();
    if !indexes.iter().any(|(_, origin, _)| origin == "pk") {
        // An INTEGER PRIMARY KEY is no index but the table itself.
        let row_id: Option<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info($1) WHERE pk > 0")
                .bind(&watched.table)
                .fetch_optional(&mut *connection)
                .await?;
        unique.extend(row_id.map(|name| {
            let collation = "BINARY".to_owned();
            Unique(vec![UniqueColumn { name, collation, instead_of_null: None }])
        }));
    }
    for (index, _, is_partial) in indexes {
        let columns: Vec<(Option<String>, String, Option<String>)> = sqlx::query_as(
            "SELECT i.name, i.coll, CASE WHEN t.\"notnull\" THEN t.dflt_value END
             FROM pragma_index_xinfo($1) i LEFT JOIN pragma_table_xinfo($2) t ON t.cid = i.cid
             WHERE i.key ORDER BY i.seqno",
        )
        .bind(&index)
        .bind(&watched.table)
        .fetch_all(&mut *connection)
        .await?;
        let column = |(name, collation, instead_of_null): (Option<String>, _, _)| {
            Some(UniqueColumn { name: name?, collation, instead_of_null })
        };
        let columns: Option<Vec<_>> = columns.into_iter().map(column).collect();
        match columns {
            Some(columns) if !is_partial => unique.push(Unique(columns)),
            _ => {
                return Err(Refusal::Reason(format!(
                    "the unique index `{index}` is partial or has an expression, \
                     so the rows that REPLACE removes for it cannot be told"
                )));
            }
        }
    }
    unique.retain(|unique| !unique.has_whole_key(key_columns));
    Ok(unique)
}

/// The key of a row, or of its value under an index.
fn key(name: &str, parts: &[Part], row: &str) -> Result<String, Refusal> {
    let part = |part: &Part| {
        let column = format!("{row}.{}", Sqlite::quote(&part.column));
        let text = text(part.kind, &column).ok_or_else(|| Refusal::wrong_type(part, "any"))?;
        Ok(format!("hex({text})"))
    };
    let parts: Vec<String> = parts.iter().map(part).collect::<Result<_, Refusal>>()?;
    Ok(format!("'{name}(' || {} || ')'", parts.join(" || ')(' || ")))
}

/// The text that Rust writes of this column; dates and times are stored as sqlx
/// writes them, or else the row is not found by its key.
pub(crate) fn text(kind: KeyKind, x: &str) -> Option<String> {
    Some(match kind {
        KeyKind::Integer | KeyKind::Text | KeyKind::Date => x.to_owned(),
        KeyKind::Bool => format!("({x} <> 0)"),
        KeyKind::Bytes => format!("lower(hex({x}))"),
        KeyKind::Uuid => hyphenated(&format!("hex({x})")),
        KeyKind::UuidText => {
            // In whatever form the driver reads it.
            let digits = ["urn:uuid:", "{", "}", "-"]
                .into_iter()
                .fold(format!("lower({x})"), |text, other| {
                    format!("replace({text}, '{other}', '')")
                });
            hyphenated(&digits)
        }
        KeyKind::Time => {
            format!(
                "replace(substr({x}, 1, 8), ':', '-') || {}",
                fraction(&format!("substr({x}, 10)"))
            )
        }
        KeyKind::DateTime => {
            let at = format!("instr({x}, ' ')");
            let fraction = fraction(&format!("substr({x}, {at} + 10)"));
            format!(
                "substr({x}, 1, {at} - 1) || 'T' || replace(substr({x}, {at} + 1, 8), ':', '-') || {fraction}"
            )
        }
        KeyKind::Timestamp => timestamp(x),
        KeyKind::Other => return None,
    })
}

/// A UUID's digits in the form of keys.
fn hyphenated(digits: &str) -> String {
    let groups = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)];
    let groups = groups.map(|(from, count)| format!("substr({digits}, {from}, {count})"));
    format!("lower({})", groups.join(" || '-' || "))
}

/// Six digits, or nine if there are more than six.
fn fraction(digits: &str) -> String {
    format!(
        "'.' || CASE WHEN length(rtrim({digits}, '0')) > 6 \
         THEN substr({digits} || '00', 1, 9) ELSE substr({digits} || '000000', 1, 6) END"
    )
}

/// `2026-01-31T23:59:59.5+01:00`, or with `Z`, in UTC.
fn timestamp(x: &str) -> String {
    let fraction = fraction("fraction");
    format!(
        "(SELECT CASE WHEN zone IN ('Z', '+00:00')
                 THEN substr(x, 1, t) || replace(substr(x, t + 1, 8), ':', '-')
                 ELSE strftime('%Y-%m-%dT%H-%M-%S', substr(x, 1, t + 8) || zone) END
             || {fraction} || 'Z'
         FROM (SELECT x, t, zone, substr(x, t + 10, max(0, length(x) - length(zone) - t - 9)) AS fraction
         FROM (SELECT {x} AS x, instr({x}, 'T') AS t,
                      CASE substr({x}, -1) WHEN 'Z' THEN 'Z' ELSE substr({x}, -6) END AS zone)))"
    )
}
