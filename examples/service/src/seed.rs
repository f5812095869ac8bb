use crate::{
    city::{City, slug_of},
    database::Database,
    region::Region,
};
use cached_orm::{MemcachedOrm, Orm, Persist};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::HashSet, error::Error};
use tracing::info;

const CITIES: &str = include_str!("../../data/cities.csv");
const REGIONS: &str = include_str!("../../data/regions.csv");

/// How many rows are inserted in one transaction.
const AT_ONCE: usize = 2_000;

#[derive(Deserialize)]
struct Line {
    country: String,
    admin1: String,
    name: String,
    latitude: f64,
    longitude: f64,
}

/// Inserts the example's cities and regions, unless there are cities already.
pub(crate) async fn seed<DB: Database>(orm: &Orm<DB>) -> Result<(), Box<dyn Error + Send + Sync>>
where
    City: Persist<DB>,
    Region: Persist<DB>,
{
    if DB::has_cities(orm.pool()).await? {
        return Ok(());
    }
    let regions: Vec<Region> = read(REGIONS)?;
    for some in regions.chunks(AT_ONCE) {
        Region::insert_many(orm, some).await?;
    }
    let mut slugs = HashSet::new();
    let cities: Vec<City> = read(CITIES)?.into_iter().map(|line| city(line, &mut slugs)).collect();
    for some in cities.chunks(AT_ONCE) {
        City::insert_many(orm, some).await?;
    }
    info!(cities = cities.len(), regions = regions.len(), "the tables are filled");
    Ok(())
}

fn city(line: Line, slugs: &mut HashSet<String>) -> City {
    let Line { country, admin1, name, latitude, longitude } = line;
    let slug = slug_of(&name, &country);
    let mut free = slug.clone();
    let mut number = 1;
    while !slugs.insert(free.clone()) {
        number += 1;
        free = format!("{slug}-{number}");
    }
    City { id: 0, slug: free, country, admin1, name, latitude, longitude, revision: 1 }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect()
}
