//! Foreign keys, as far as an account is shown them.

use super::{
    super::description::{Action, ForeignKey},
    Place,
};
use sqlx::{AssertSqlSafe, MySqlConnection};

/// Of the tables of its own schema: to look into all of them can take seconds.
pub(super) async fn referenced_by(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    foreign_keys(connection, "referenced_table_name", "table_name", place).await
}

pub(super) async fn refers_to(
    connection: &mut MySqlConnection,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    foreign_keys(connection, "table_name", "referenced_table_name", place).await
}

/// Those that have the table in the column `own`. Their actions are shown to an account that
/// has another right than SELECT on the whole database, and their columns to one that has any
/// on these: what is not shown may be anything.
async fn foreign_keys(
    connection: &mut MySqlConnection,
    own: &str,
    other: &str,
    place: &Place,
) -> sqlx::Result<Vec<ForeignKey>> {
    const QUERY: &str = "
        SELECT CONVERT(k.constraint_name USING utf8mb4) AS name,
               CONVERT(k.{other} USING utf8mb4) AS other,
               CONVERT(k.referenced_column_name USING utf8mb4),
               CONVERT(k.column_name USING utf8mb4),
               CONVERT(r.delete_rule USING utf8mb4), CONVERT(r.update_rule USING utf8mb4),
               k.ordinal_position AS place
        FROM information_schema.key_column_usage k
        LEFT JOIN information_schema.referential_constraints r
          ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
         AND r.table_name = k.table_name
        WHERE k.table_schema = ? AND k.{own} = ? AND k.referenced_table_schema = k.table_schema
          AND k.referenced_column_name IS NOT NULL
        UNION ALL
        SELECT CONVERT(r.constraint_name USING utf8mb4), CONVERT(r.{other} USING utf8mb4),
               NULL, NULL,
               CONVERT(r.delete_rule USING utf8mb4), CONVERT(r.update_rule USING utf8mb4), 0
        FROM information_schema.referential_constraints r
        WHERE r.constraint_schema = ? AND r.{own} = ?
          AND r.unique_constraint_schema = r.constraint_schema
          AND NOT EXISTS (SELECT 1 FROM information_schema.key_column_usage k
                          WHERE k.constraint_schema = r.constraint_schema
                            AND k.constraint_name = r.constraint_name
                            AND k.table_name = r.table_name)
        ORDER BY other, name, place";
    let query = AssertSqlSafe(QUERY.replace("{own}", own).replace("{other}", other));
    let query = sqlx::query_as(query).bind(&place.schema).bind(&place.name);
    let query = query.bind(&place.schema).bind(&place.name).persistent(false);
    type Rule = Option<String>;
    type Found = (String, String, Option<String>, Option<String>, Rule, Rule, i64);
    let found: Vec<Found> = query.fetch_all(connection).await?;
    let mut keys: Vec<ForeignKey> = Vec::new();
    for (name, other, referred, referring, on_delete, on_update, _) in found {
        let other = format!("{}.{other}", place.schema);
        match keys.last_mut() {
            Some(key) if key.name == name && key.other == other => {
                key.referred.extend(referred);
                key.referring.extend(referring);
            }
            _ => keys.push(ForeignKey {
                name,
                other,
                referred: referred.into_iter().collect(),
                referring: referring.into_iter().collect(),
                shows_actions: on_delete.is_some() && on_update.is_some(),
                on_delete: on_delete.as_deref().map_or(Action::Cascade, Action::of),
                on_update: on_update.as_deref().map_or(Action::Cascade, Action::of),
                acts_elsewhere: false,
            }),
        }
    }
    Ok(keys)
}
