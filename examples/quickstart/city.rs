use crate::environment::Result;
use cached_orm::{Backend, MemcachedOrm, Orm, Persist};
use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressStyle};
use rand::{SeedableRng, rngs::SmallRng, seq::SliceRandom};
use serde::{Deserialize, Serialize};

/// A row of `quickstart_cities`. It maps to three databases here because the
/// example runs on any of them; add `database = Postgres` to name one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "quickstart_cities", ttl = "10m", negative_ttl = "5s")]
pub(crate) struct City {
    #[primary_key]
    pub(crate) id: i64,
    pub(crate) country: String,
    pub(crate) admin1: String,
    pub(crate) name: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    // The file has no more than these; the rest begins as NULL and 0.
    pub(crate) elevation: Option<i32>,
    pub(crate) population: Option<i64>,
    pub(crate) counted_on: Option<NaiveDate>,
    /// How often this row was updated.
    #[serde(default)]
    pub(crate) revision: i64,
}

/// SQL that PostgreSQL, MySQL, MariaDB and SQLite all understand.
pub(crate) const SCHEMA: &str = "
    DROP TABLE IF EXISTS quickstart_cities;
    CREATE TABLE quickstart_cities (
        id         BIGINT PRIMARY KEY,
        country    VARCHAR(2) NOT NULL,
        admin1     VARCHAR(20) NOT NULL,
        name       VARCHAR(200) NOT NULL,
        latitude   DOUBLE PRECISION NOT NULL,
        longitude  DOUBLE PRECISION NOT NULL,
        elevation  INTEGER,
        population BIGINT,
        counted_on DATE,
        revision   BIGINT NOT NULL
    );";

const CSV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/cities.csv");

/// How many rows are inserted in one transaction.
const AT_ONCE: usize = 1_000;

/// Inserts the file's cities, and returns their ids in a random order.
///
/// Plain SQL with many rows per statement would be faster. But it would not
/// tell the cache, where an earlier run may have left rows with the same keys.
pub(crate) async fn load<DB: Backend>(orm: &Orm<DB>) -> Result<Vec<i64>>
where
    City: Persist<DB>,
{
    let mut file = csv::Reader::from_path(CSV)
        .map_err(|error| format!("the example's data cannot be read: {error}"))?;
    let cities: Vec<City> = file.deserialize().collect::<Result<_, _>>()?;

    // Without a terminal it shows nothing.
    let bar = ProgressBar::new(cities.len() as u64)
        .with_style(ProgressStyle::with_template("Loading {bar:40} {human_pos} of {human_len}")?);
    for some in cities.chunks(AT_ONCE) {
        let mut transaction = orm.begin().await?;
        for city in some {
            city.insert(&mut transaction).await?;
        }
        transaction.commit().await?;
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    let mut ids: Vec<i64> = cities.iter().map(|city| city.id).collect();
    ids.shuffle(&mut SmallRng::seed_from_u64(0));
    Ok(ids)
}
