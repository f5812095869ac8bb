//! What the catalog says of the library's triggers.

use crate::databases::TestDatabase;
use sqlx::{MySql, Pool, Postgres, Sqlite};

pub(crate) trait Catalog: TestDatabase {
    /// Every trigger and function of the library's, with what changes if it is created
    /// anew.
    fn versions(pool: &Pool<Self>) -> impl Future<Output = Vec<String>> + Send;
}

macro_rules! catalog {
    ($database:ident, $query:literal) => {
        impl Catalog for $database {
            async fn versions(pool: &Pool<Self>) -> Vec<String> {
                sqlx::query_scalar($query).fetch_all(pool).await.expect("the catalog answers")
            }
        }
    };
}

catalog!(
    Postgres,
    "SELECT p.proname || ' ' || p.oid || ' ' || p.xmin FROM pg_proc p
     WHERE p.pronamespace = current_schema()::regnamespace AND starts_with(p.proname, 'cached_orm_')
     UNION ALL
     SELECT t.tgname || ' ' || t.oid || ' ' || t.xmin
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = current_schema()::regnamespace AND starts_with(t.tgname, 'cached_orm_')
     ORDER BY 1"
);

catalog!(
    MySql,
    "SELECT CONVERT(CONCAT(trigger_name, ' ', created) USING utf8mb4)
     FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1"
);

catalog!(
    Sqlite,
    "SELECT name || ' ' || (SELECT schema_version FROM pragma_schema_version)
     FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1"
);
