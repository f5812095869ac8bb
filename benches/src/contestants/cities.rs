//! Reads of real rows, most of which do not exist: caches have to remember that, too.

use super::{
    Contestant,
    names::{EMBEDDED, MEMCACHED, POSTGRES},
    ours::{self, Ours},
    plain::Plain,
    postgres,
    preparing::until_held,
};
use crate::{
    city::{Cities, City},
    stage::Stage,
};
use benches::{
    Result,
    contestant::Reader,
    drive::{Operation, Outcome, Rng},
};
use cached_orm::{MemcachedOrm as _, Postgres};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rand::RngExt as _;
use std::collections::HashMap;

/// How many ids are asked for at once to fill a cache.
const BATCH: usize = 1000;
/// How many such batches are under way at once.
const PREPARING: usize = 8;

const BY_ID: &str =
    "SELECT id, country, admin1, name, latitude, longitude FROM cities WHERE id = $1";
const BY_IDS: &str =
    "SELECT id, country, admin1, name, latitude, longitude FROM cities WHERE id = ANY($1)";

/// Reads of any id up to the highest, with and without a row alike.
pub(crate) async fn cities(stage: &Stage) -> Result<Vec<Contestant>> {
    let (pool, cities) = (postgres(stage).await?, &stage.cities);
    let first = cities.rows().next().ok_or("the file of cities is empty")?.id;
    let memcached = ours::memcached::<City>(&pool, &stage.cache(), "cities", first).await?;
    let memcached = held(Ours(memcached), cities).await?;
    let embedded = held(Ours::embedded(&pool).await?, cities).await?;
    let plain = Lookups::new(Plain::new(pool), cities);
    plain.prepare().await?;
    Ok(vec![
        Contestant::new(MEMCACHED, memcached),
        Contestant::new(EMBEDDED, embedded),
        Contestant::new(POSTGRES, plain),
    ])
}

async fn held<R: CityReader>(reader: R, cities: &Cities) -> Result<Lookups<R>> {
    until_held(Lookups::new(reader, cities), Lookups::prepare).await
}

/// Reads cities as well.
trait CityReader: Reader {
    /// The city with this id.
    fn city(&self, id: i64) -> impl Future<Output = Result<Option<City>>> + Send;

    /// The cities with these ids, in their order.
    fn cities(&self, ids: Vec<i64>) -> impl Future<Output = Result<Vec<Option<City>>>> + Send;
}

impl CityReader for Ours {
    async fn city(&self, id: i64) -> Result<Option<City>> {
        Ok(City::fetch(&self.0, id).await?)
    }

    async fn cities(&self, ids: Vec<i64>) -> Result<Vec<Option<City>>> {
        Ok(City::fetch_many(&self.0, ids).await?)
    }
}

impl CityReader for Plain<Postgres> {
    async fn city(&self, id: i64) -> Result<Option<City>> {
        self.loading(1);
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(&self.pool).await?)
    }

    async fn cities(&self, ids: Vec<i64>) -> Result<Vec<Option<City>>> {
        self.loading(ids.len());
        let rows: Vec<City> = sqlx::query_as(BY_IDS).bind(&ids).fetch_all(&self.pool).await?;
        let mut rows: HashMap<_, _> = rows.into_iter().map(|city| (city.id, city)).collect();
        Ok(ids.iter().map(|id| rows.remove(id)).collect())
    }
}

/// Looks up one id after another.
struct Lookups<R> {
    reader: R,
    cities: Cities,
    highest: i64,
}

impl<R: CityReader> Lookups<R> {
    fn new(reader: R, cities: &Cities) -> Self {
        Self { reader, cities: cities.clone(), highest: cities.highest() }
    }

    /// Reads every id, so that the cache knows of each whether it has a row.
    async fn prepare(&self) -> Result<()> {
        let reads = (1..=self.highest).step_by(BATCH).map(|first| async move {
            let ids: Vec<_> = (first..=self.highest).take(BATCH).collect();
            let answers = self.reader.cities(ids.clone()).await?;
            if answers.len() != ids.len() {
                return Err(format!("{} answers for {} ids", answers.len(), ids.len()).into());
            }
            ids.iter()
                .zip(answers)
                .try_for_each(|(&id, answer)| self.cities.check(id, answer.as_ref()))
        });
        stream::iter(reads).buffer_unordered(PREPARING).try_collect().await
    }
}

impl<R: CityReader> Operation for Lookups<R> {
    async fn once(&self, rng: &mut Rng) -> Result<Outcome> {
        let id = rng.random_range(1..=self.highest);
        self.cities.check(id, self.reader.city(id).await?.as_ref())?;
        Ok(Outcome::right(1))
    }

    fn loads(&self) -> u64 {
        self.reader.loads()
    }
}
