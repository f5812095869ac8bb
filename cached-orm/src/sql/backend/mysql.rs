use super::{
    Backend,
    driver::{has_class, split_table},
};
use crate::Isolation;
use sqlx::{Database, Decode, MySql, MySqlConnection, Row as _, Type};

impl super::sealed::Sealed for MySql {}

impl Backend for MySql {
    driver!();

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

    fn placeholder() -> &'static str {
        "?"
    }

    fn quote(name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn generated_key(done: &Self::QueryResult) -> bool {
        done.last_insert_id() != 0
    }

    // A deadlock's victim is rolled back as a whole, and what follows on the
    // connection would be committed statement by statement.
    fn rolled_back(error: &sqlx::Error) -> bool {
        has_class(error, &["40"])
    }

    fn commit_refused(error: &sqlx::Error) -> bool {
        has_class(error, &["23", "40", "25"])
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

    /// The row is read back after the statement, when all of its triggers have
    /// run: MySQL and MariaDB have no deferred ones, and a trigger cannot
    /// change its own table. That leaves views, and foreign keys of the table
    /// to itself.
    async fn rows_are_final(
        connection: &mut MySqlConnection,
        table: &'static str,
    ) -> sqlx::Result<bool> {
        const QUERY: &str = "
            SELECT COUNT(*) FROM information_schema.tables t
            WHERE t.table_schema = COALESCE(?, DATABASE()) AND t.table_name = ?
              AND t.table_type = 'BASE TABLE'
              AND NOT EXISTS (
                  SELECT 1 FROM information_schema.referential_constraints k
                  WHERE k.constraint_schema = t.table_schema
                    AND k.table_name = t.table_name AND k.referenced_table_name = t.table_name)";
        let (schema, name) = split_table(table);
        let tables: i64 =
            sqlx::query_scalar(QUERY).bind(schema).bind(name).fetch_one(connection).await?;
        Ok(tables == 1)
    }
}

#[cfg(feature = "json")]
json_driver!(MySql);
