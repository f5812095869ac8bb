//! Dates and times that chrono cannot hold.

use super::Here;
use cached_orm::MemcachedOrm;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "offers", database = Postgres)]
struct Offer {
    #[primary_key]
    id: i64,
    #[orm(index)]
    city: String,
    until: Option<DateTime<Utc>>,
    day: Option<NaiveDate>,
}

const OFFERS: crate::tables::Table = crate::tables::Table::everywhere(
    "CREATE TABLE offers (id BIGINT PRIMARY KEY, city TEXT NOT NULL, until TIMESTAMPTZ, day DATE);
     CREATE INDEX ON offers (city);
     INSERT INTO offers VALUES (1, 'Lima', now(), now()), (2, 'Lima', 'infinity', NULL),
        (3, 'Lima', NULL, '-infinity'), (4, 'Rome', '294276-01-01', NULL), (5, 'Rome', NULL, NULL)",
);

#[tokio::test]
async fn they_are_errors_that_name_the_column() {
    let here = Here::with(&[OFFERS]).await;
    for round in 0..2 {
        for (id, name) in [(2, "until"), (3, "day"), (4, "until")] {
            let error = Offer::fetch(&here.orm, id).await.unwrap_err();
            let column = format!("column `{name}` of Offer");
            assert!(error.to_string().contains(&column), "{id}, round {round}: {error}");
        }
        for error in [
            Offer::fetch_many(&here.orm, [1, 2, 5]).await.unwrap_err(),
            Offer::fetch_by_city(&here.orm, "Lima").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), "column", "{error}");
        }
    }
    Offer::fetch_one(&here.orm, 1).await.unwrap();
    here.run("UPDATE offers SET until = '2026-01-01', day = NULL").await;
    Offer::invalidate(&here.orm, 1..=5).await.unwrap();
    for id in 1..=5 {
        Offer::fetch_one(&here.orm, id).await.unwrap();
    }
    assert_eq!(Offer::fetch_by_city(&here.orm, "Lima").await.unwrap().len(), 3);
}
