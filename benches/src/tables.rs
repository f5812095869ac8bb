//! The tables: `items` on each database alike, `cities` on PostgreSQL.

use crate::city::{Cities, City};
use benches::{Result, item::Item};
use cached_orm::Backend;
use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, Executor, PgPool, Pool, Postgres, QueryBuilder};
use std::fmt::Write as _;

/// Rows of one INSERT.
const CHUNK: i64 = 1000;
/// INSERTs under way at once.
const AT_ONCE: usize = 4;
/// Cities of one INSERT: it may have 65,535 parameters.
const CITIES: usize = 5_000;

/// Makes the table `items` anew, with rows 1 to `rows`.
///
/// # Errors
/// The database refuses, or has another number of rows afterwards.
pub(crate) async fn fill<DB: Backend>(pool: &Pool<DB>, rows: i64, at_once: usize) -> Result<()>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    (i64,): for<'r> sqlx::FromRow<'r, DB::Row>,
    DB::Arguments: sqlx::IntoArguments<DB>,
{
    for sql in [
        "DROP TABLE IF EXISTS items",
        "CREATE TABLE items (
            id BIGINT NOT NULL PRIMARY KEY, handle VARCHAR(32) NOT NULL UNIQUE, owner BIGINT NOT NULL,
            kind INT NOT NULL, active BOOLEAN NOT NULL, score DOUBLE PRECISION NOT NULL,
            title VARCHAR(64) NOT NULL, note VARCHAR(120) NOT NULL, created BIGINT NOT NULL,
            revision BIGINT NOT NULL)",
    ] {
        sqlx::raw_sql(sql).execute(pool).await?;
    }
    let firsts: Vec<_> = (1..=rows).step_by(CHUNK as usize).collect();
    let at_once = at_once.clamp(1, AT_ONCE);
    let workers = (0..at_once).map(|worker| {
        let mine: Vec<_> = firsts.iter().copied().skip(worker).step_by(at_once).collect();
        async move {
            for first in mine {
                let sql = insert(first, (first + CHUNK - 1).min(rows));
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
    });
    try_join_all(workers).await?;
    // After the rows: an index grows faster at once.
    sqlx::raw_sql("CREATE UNIQUE INDEX items_handle ON items (handle)").execute(pool).await?;
    let (counted,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM items").fetch_one(pool).await?;
    if counted != rows {
        return Err(format!("{} has {counted} items and not {rows}", DB::NAME).into());
    }
    Ok(())
}

fn insert(first: i64, last: i64) -> String {
    let mut sql = String::from(
        "INSERT INTO items (id, handle, owner, kind, active, score, title, note, created, \
         revision) VALUES ",
    );
    for id in first..=last {
        let Item { handle, owner, kind, active, score, title, note, created, revision, .. } =
            Item::of(id);
        let comma = if id == first { "" } else { "," };
        // Writing to a `String` cannot fail, and no text has a quote.
        let _ = write!(
            sql,
            "{comma}({id},'{handle}',{owner},{kind},{active},{score},'{title}','{note}',{created},\
             {revision})",
        );
    }
    sql
}

/// Makes the table `cities` anew, with those of the file.
///
/// # Errors
/// The database refuses, or has another number of rows afterwards.
pub(crate) async fn fill_cities(pool: &PgPool, cities: &Cities) -> Result<()> {
    for sql in [
        "DROP TABLE IF EXISTS cities",
        "CREATE TABLE cities (
            id BIGINT NOT NULL PRIMARY KEY, country VARCHAR(2) NOT NULL,
            admin1 VARCHAR(20) NOT NULL, name VARCHAR(200) NOT NULL,
            latitude DOUBLE PRECISION NOT NULL, longitude DOUBLE PRECISION NOT NULL)",
    ] {
        sqlx::raw_sql(sql).execute(pool).await?;
    }
    let rows: Vec<&City> = cities.rows().collect();
    for chunk in rows.chunks(CITIES) {
        let mut insert = QueryBuilder::<Postgres>::new(
            "INSERT INTO cities (id, country, admin1, name, latitude, longitude) ",
        );
        insert.push_values(chunk, |mut row, city| {
            row.push_bind(city.id)
                .push_bind(&city.country)
                .push_bind(&city.admin1)
                .push_bind(&city.name)
                .push_bind(city.latitude)
                .push_bind(city.longitude);
        });
        insert.build().execute(pool).await?;
    }
    let (counted,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM cities").fetch_one(pool).await?;
    if counted != rows.len() as i64 {
        return Err(format!("PostgreSQL has {counted} cities and not {}", rows.len()).into());
    }
    Ok(())
}
