//! Rows whose keys are no `text` are found by their index, whatever the statement.

use crate::place::{Embedded, Place};
use cached_orm::{MemcachedOrm, Orm, Postgres};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "cities", database = Postgres)]
struct City {
    #[primary_key]
    code: String,
    #[orm(unique)]
    iso: String,
    #[orm(index)]
    region: String,
    size: i32,
}

#[derive(Debug, Clone, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "seats", database = Postgres, unique(hall, guest))]
struct Seat {
    #[primary_key]
    hall: String,
    #[primary_key]
    number: i32,
    guest: String,
}

const ROWS: i32 = 3_000;

/// How often the tables were read from end to end, once all sessions are over.
async fn scans(here: &Place<Postgres, Embedded>) -> i64 {
    let sql = "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables
               WHERE schemaname = current_schema()";
    sqlx::query_scalar(sql).fetch_one(here.direct()).await.unwrap()
}

async fn cities(orm: &Orm<Postgres>) {
    let found = City::fetch_uncached(orm, "c7   ".to_owned()).await.unwrap();
    let code = if found.is_some() { "c7   " } else { "c7" };
    let city = City::fetch_uncached(orm, code.to_owned()).await.unwrap().expect("it is there");
    let codes: Vec<_> =
        [1, 2, 3].map(|n| format!("{:len$}", format!("c{n}"), len = code.len())).into();
    assert_eq!(City::fetch_many(orm, codes.clone()).await.unwrap().iter().flatten().count(), 3);
    City::fetch_by_iso(orm, city.iso.clone()).await.unwrap().expect("it is there");
    assert_eq!(City::fetch_by_region(orm, city.region.clone()).await.unwrap().len(), 3);
    let isos = [city.iso.clone(), city.iso.replace('7', "8")];
    assert_eq!(City::fetch_many_by_iso(orm, isos).await.unwrap().iter().flatten().count(), 2);
    let mut some = vec![city.clone(), City::fetch_one(orm, codes[0].clone()).await.unwrap()];
    some.iter_mut().for_each(|city| city.size += 1);
    City::update_many(orm, &mut some).await.unwrap();
    some[0].update(orm).await.unwrap();
    some[0].upsert(orm).await.unwrap();
    City::patch(code.to_owned()).set(CityColumns::SIZE, 5).execute(orm).await.unwrap();
    assert_eq!(City::delete_many(orm, codes).await.unwrap(), 3);
    assert!(city.delete(orm).await.unwrap());
}

async fn seats(orm: &Orm<Postgres>) {
    let some = Seat::fetch_all_by_field(orm, SeatColumns::NUMBER, 7).await.unwrap();
    let hall = some[0].hall.clone();
    let keys = || (1..=3).map(|number| (hall.clone(), number));
    assert_eq!(Seat::fetch_many(orm, keys()).await.unwrap().iter().flatten().count(), 3);
    let guests = (1..=3).map(|number| (hall.clone(), format!("g{number}")));
    let guests: Vec<_> = guests
        .map(|(hall, guest)| (hall.clone(), format!("{guest:len$}", len = hall.len())))
        .collect();
    assert_eq!(
        Seat::fetch_many_by_hall_and_guest(orm, guests).await.unwrap().iter().flatten().count(),
        3
    );
    let mut some: Vec<Seat> =
        Seat::fetch_many(orm, keys()).await.unwrap().into_iter().flatten().collect();
    Seat::update_many(orm, &mut some).await.unwrap();
    assert_eq!(Seat::delete_many(orm, keys()).await.unwrap(), 3);
}

async fn by_index(sql_type: &str, prepare: &str) {
    let here = Place::<Postgres, Embedded>::with(&[]).await;
    here.run(prepare).await;
    here.run(&format!(
        "CREATE TABLE cities (code {sql_type} PRIMARY KEY, iso {sql_type} NOT NULL UNIQUE,
             region {sql_type} NOT NULL, size INTEGER NOT NULL);
         CREATE INDEX ON cities (region);
         INSERT INTO cities SELECT 'c' || n, 'i' || n, 'r' || n / 3, n FROM generate_series(1, {ROWS}) n;
         CREATE TABLE seats (hall {sql_type}, number INTEGER, guest {sql_type} NOT NULL,
             PRIMARY KEY (hall, number), UNIQUE (hall, guest));
         CREATE INDEX ON seats (number);
         INSERT INTO seats SELECT 'h', n, 'g' || n FROM generate_series(1, {ROWS}) n;
         SELECT pg_stat_force_next_flush()"
    ))
    .await;
    // What these sessions have read is counted before it counts.
    here.run("ANALYZE cities; ANALYZE seats; SELECT pg_stat_force_next_flush()").await;
    let orm = here.handle(|builder| builder).await;
    let before = scans(&here).await;
    cities(&orm).await;
    seats(&orm).await;
    // What a session has counted is there when it is over.
    orm.pool().close().await;
    orm.close().await;
    crate::polling::until("sessions are over", async || {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE query LIKE '%\"cities\"%' AND state <> 'active'
                     AND query NOT LIKE '%pg_stat_activity%'"; // Another test asks this too.
        let open: i64 = sqlx::query_scalar(sql).fetch_one(here.direct()).await.unwrap();
        open == 0
    })
    .await;
    assert_eq!(scans(&here).await - before, 0, "{sql_type}");
}

#[tokio::test]
async fn char_keys_are_found_by_their_index() {
    by_index("CHAR(5)", "SELECT 1").await;
}

#[tokio::test]
async fn varchar_keys_are_found_by_their_index() {
    by_index("VARCHAR(9)", "SELECT 1").await;
}

/// After the types, which use the extension too, or alone.
pub(crate) async fn citext() {
    by_index("CITEXT", "DROP EXTENSION IF EXISTS citext CASCADE; CREATE EXTENSION citext").await;
}
