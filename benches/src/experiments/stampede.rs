//! Four processes of 250 tasks each read one cold key at the same moment. How often
//! the row is loaded is counted by the database.

use crate::{
    children::{ChildProcess, serve},
    results::{Results, Spread},
    stage::Stage,
};
use benches::{Result, item::Item};
use cached_orm::{MemcachedOrm, Orm};
use futures_util::future::try_join_all;
use memcache::exp::{AsyncMetaClient, Ttl};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// Processes.
const PROCESSES: usize = 4;
/// Tasks of each.
const TASKS: usize = 250;
/// As many loads as cached-orm does at once by default.
const CONNECTIONS: u32 = 32;
/// From the question to the moment, so that every process is ready for it.
const HEAD_START: Duration = Duration::from_millis(100);

/// A view of the items whose rows take their time, and count themselves.
///
/// The function is volatile and not in SQL, so that it is called once for each row
/// that the table gives, and a sequence counts whatever becomes of the transaction.
const VIEW: &str = "
    DROP VIEW IF EXISTS slow_items;
    DROP FUNCTION IF EXISTS count_load(BIGINT);
    DROP TABLE IF EXISTS slow_time;
    DROP SEQUENCE IF EXISTS slow_loads;
    CREATE SEQUENCE slow_loads;
    CREATE TABLE slow_time (seconds DOUBLE PRECISION NOT NULL);
    INSERT INTO slow_time VALUES (0);
    CREATE FUNCTION count_load(item BIGINT) RETURNS BIGINT VOLATILE LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_sleep(seconds) FROM slow_time;
            RETURN nextval('slow_loads');
        END
    $$;
    CREATE VIEW slow_items AS
        SELECT items.*, load FROM items, LATERAL count_load(items.id) AS load";

/// How often the row was loaded since it was last asked.
const TAKE_LOADS: &str = "
    SELECT nextval('slow_loads') - 1, setval('slow_loads', 1, false)";

/// An item, slowly.
#[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "slow_items", database = Postgres, ttl = "1h")]
struct SlowItem {
    #[primary_key]
    id: i64,
    handle: String,
    owner: i64,
    kind: i32,
    active: bool,
    score: f64,
    title: String,
    note: String,
    created: i64,
    revision: i64,
}

impl From<SlowItem> for Item {
    fn from(row: SlowItem) -> Self {
        let SlowItem { id, handle, owner, kind, active, score, title, note, created, revision } =
            row;
        Self { id, handle, owner, kind, active, score, title, note, created, revision }
    }
}

/// Who reads.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Means {
    /// cached-orm.
    CachedOrm,
    /// Get, or else load and set, as it is written by hand.
    ByHand,
}

/// What all processes are asked at once.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    means: Means,
    id: i64,
    /// Since 1970.
    moment: Duration,
    tasks: usize,
}

/// Measures both means with a short load and a long one.
///
/// # Errors
/// A wrong or missing answer, or a server that does not do.
pub(crate) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    let pool = PgPool::connect(&stage.postgres).await?;
    sqlx::raw_sql(VIEW).execute(&pool).await?;
    let arguments = [stage.cache(), stage.postgres.clone()];
    let arguments = [arguments[0].as_str(), arguments[1].as_str()];
    let mut processes = (0..PROCESSES)
        .map(|_| ChildProcess::start("stampede", &arguments))
        .collect::<Result<Vec<_>>>()?;
    let repetitions = if stage.plan.quick { 2 } else { 5 };
    // Each key is read once; the last ones are nobody else's.
    let mut ids = (1..=stage.plan.rows).rev();
    for (means, name) in [(Means::CachedOrm, ""), (Means::ByHand, " by hand")] {
        connect(&mut processes, &mut ids, means).await?;
        for milliseconds in [20_u32, 200] {
            let sql = "UPDATE slow_time SET seconds = $1::DOUBLE PRECISION / 1000";
            sqlx::query(sql).bind(f64::from(milliseconds)).execute(&pool).await?;
            let (mut loads, mut times) = (Vec::new(), Vec::new());
            for _ in 0..repetitions {
                take_loads(&pool).await?;
                let time = stampede(&mut processes, next(&mut ids)?, means, TASKS).await?;
                times.push(time.as_secs_f64() * 1e3);
                loads.push(take_loads(&pool).await? as f64);
            }
            let case = format!("{PROCESSES} processes, a load takes {milliseconds} ms");
            note(results, &format!("loads{name}, {case}"), loads, "loads");
            note(results, &format!("time{name}, {case}"), times, "ms");
        }
    }
    drop(processes);
    let sql = "DROP VIEW slow_items; DROP FUNCTION count_load(BIGINT);
        DROP TABLE slow_time; DROP SEQUENCE slow_loads";
    sqlx::raw_sql(sql).execute(&pool).await?;
    Ok(())
}

/// Has every process open what it needs, with keys that are not measured.
async fn connect(
    processes: &mut [ChildProcess],
    ids: &mut impl Iterator<Item = i64>,
    means: Means,
) -> Result<()> {
    for process in processes.iter_mut() {
        stampede(std::slice::from_mut(process), next(ids)?, means, 1).await?;
    }
    stampede(processes, next(ids)?, means, TASKS).await?;
    Ok(())
}

fn next(ids: &mut impl Iterator<Item = i64>) -> Result<i64> {
    ids.next().ok_or_else(|| "the table has too few rows for a stampede; make it larger".into())
}

/// How long it took until the last task of the last process had its answer.
async fn stampede(
    processes: &mut [ChildProcess],
    id: i64,
    means: Means,
    tasks: usize,
) -> Result<Duration> {
    let moment = SystemTime::UNIX_EPOCH.elapsed()? + HEAD_START;
    let question = Question { means, id, moment, tasks };
    let answers = processes.iter_mut().map(|process| process.ask::<_, Duration>(&question));
    let answers = try_join_all(answers).await?;
    Ok(answers.into_iter().max().unwrap_or_default())
}

async fn take_loads(pool: &PgPool) -> Result<i64> {
    let (loads, _): (i64, i64) = sqlx::query_as(TAKE_LOADS).fetch_one(pool).await?;
    Ok(loads)
}

fn note(results: &mut Results, name: &str, values: Vec<f64>, unit: &str) {
    if let Some(spread) = Spread::of(values) {
        // Goals are for the worst.
        results.fact("stampede", name, spread.max, unit);
        results.fact("stampede", format!("{name}, median"), spread.median, unit);
    }
}

/// One of the processes.
///
/// # Errors
/// A server that does not do.
pub(crate) async fn child(cache: &str, postgres: &str) -> Result<()> {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy(postgres)?;
    let orm = Orm::builder(pool.clone())
        .memcached([cache])
        .namespace("stampede")
        .max_database_loads(CONNECTIONS)
        // It looks for an outbox, which would be one more connection.
        .drainer(false)
        .build()
        .await?;
    let client = AsyncMetaClient::connect(cache).await?;
    serve(async |question: Question| {
        sleep(question.moment.saturating_sub(SystemTime::UNIX_EPOCH.elapsed()?)).await;
        let reads = (0..question.tasks).map(|_| {
            let (orm, client, pool) = (orm.clone(), client.clone(), pool.clone());
            let Question { means, id, .. } = question;
            tokio::spawn(async move {
                let row = match means {
                    Means::CachedOrm => SlowItem::fetch(&orm, id).await?.map(Item::from),
                    Means::ByHand => by_hand(&client, &pool, id).await?,
                };
                if row != Some(Item::of(id)) {
                    return Err(format!("a wrong row or none for id {id}").into());
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        let reads: Vec<_> = reads.collect();
        for read in reads {
            read.await??;
        }
        Ok(SystemTime::UNIX_EPOCH.elapsed()?.saturating_sub(question.moment))
    })
    .await
}

/// Get; if it is not there, load and set.
async fn by_hand(client: &AsyncMetaClient, pool: &PgPool, id: i64) -> Result<Option<Item>> {
    let key = format!("stampede-by-hand:{id}");
    if let Some(value) = client.get(&key).send().await?.value {
        return Ok(Some(rmp_serde::from_slice(&value)?));
    }
    let sql = AssertSqlSafe("SELECT * FROM slow_items WHERE id = $1");
    let row: Option<Item> = sqlx::query_as(sql).bind(id).fetch_optional(pool).await?;
    if let Some(row) = &row {
        let value = rmp_serde::to_vec(row)?;
        client.set(&key, value).ttl(Ttl::secs(3600)).send().await?;
    }
    Ok(row)
}
