//! A table whose primary key has two columns, and what lies in the cache as its
//! rows are read, written and deleted.
//!
//! ```sh
//! cargo run --example composite_key
//! ```
//!
//! `DATABASE_URL` and `MEMCACHED_URL` choose servers, as for `quickstart`. It
//! drops and creates the table `composite_key_regions`, and leaves it there.

mod environment;

use cached_orm::{Backend, MemcachedOrm, Orm, Persist};
use environment::{AnyOrm, Result};
use serde::{Deserialize, Serialize};

/// Both fields are the key, so `Region::fetch` takes `(country, admin1)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "composite_key_regions")]
struct Region {
    #[primary_key]
    country: String,
    #[primary_key]
    admin1: String,
    name: String,
}

const SCHEMA: &str = "
    DROP TABLE IF EXISTS composite_key_regions;
    CREATE TABLE composite_key_regions (
        country VARCHAR(20) NOT NULL,
        admin1  VARCHAR(20) NOT NULL,
        name    VARCHAR(200) NOT NULL,
        PRIMARY KEY (country, admin1)
    );";

const CSV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/regions.csv");

#[tokio::main]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    match environment::connect(directory.path(), SCHEMA).await? {
        AnyOrm::Postgres(orm) => tour(&orm).await,
        AnyOrm::MySql(orm) => tour(&orm).await,
        AnyOrm::Sqlite(orm) => tour(&orm).await,
    }
}

async fn tour<DB: Backend>(orm: &Orm<DB>) -> Result<()>
where
    Region: Persist<DB>,
{
    let regions = load(orm).await?;
    println!("{regions} regions were inserted.\n");
    environment::wait_for_cache::<Region, DB>(orm, key("AD", "06")).await?;

    println!("The key is a tuple, in the order of the fields:\n");
    let mut bavaria = Region::fetch_one(orm, key("DE", "02")).await?;
    println!("  {bavaria:?}");
    println!("  instance key   {}", bavaria.get_instance_key());
    println!("  cache key      {}", bavaria.get_cache_key(orm));

    println!("\nThe cache follows the row:\n");
    show(orm, "after a fetch").await?;
    bavaria.name = "Freistaat Bayern".to_owned();
    bavaria.update(orm).await?;
    show(orm, "after an update").await?;
    Region::delete_cached_instance(orm, key("DE", "02")).await?;
    show(orm, "without its entry").await?;
    bavaria.refresh(orm).await?;
    show(orm, "after a refresh").await?;
    println!("  deleted              {}", bavaria.delete(orm).await?);
    show(orm, "after the delete").await?;
    println!("  a fetch gives        {:?}", Region::fetch(orm, key("DE", "02")).await?);

    println!("\nNo two keys look alike, whatever is in them:\n");
    for (country, admin1) in [("a)(b", "c"), ("a", "b)(c"), ("", "%28"), ("São", "a b\n")] {
        let name = format!("{country:?} and {admin1:?}");
        let odd = Region { country: country.to_owned(), admin1: admin1.to_owned(), name };
        odd.insert(orm).await?;
        let found = Region::fetch_one(orm, key(country, admin1)).await?;
        println!("  {:<20} {}", found.name, found.get_instance_key());
    }
    orm.close().await;
    Ok(())
}

/// Prints what the cache has of Bavaria, without asking the database.
async fn show<DB: Backend>(orm: &Orm<DB>, when: &str) -> Result<()>
where
    Region: Persist<DB>,
{
    let entry = Region::get_cached_instance(orm, key("DE", "02")).await?;
    println!("  {when:<20} {:?}", entry.map(|region| region.name));
    Ok(())
}

async fn load<DB: Backend>(orm: &Orm<DB>) -> Result<usize>
where
    Region: Persist<DB>,
{
    let mut file = csv::Reader::from_path(CSV)
        .map_err(|error| format!("the example's data cannot be read: {error}"))?;
    let regions: Vec<Region> = file.deserialize().collect::<Result<_, _>>()?;
    let mut transaction = orm.begin().await?;
    for region in &regions {
        region.insert(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(regions.len())
}

fn key(country: &str, admin1: &str) -> (String, String) {
    (country.to_owned(), admin1.to_owned())
}
