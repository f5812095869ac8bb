//! Tables whose triggers and defaults do more than one row's write shows.

use super::Here;
use crate::tables::{Table, people::PAGES};
use cached_orm::MemcachedOrm;
use serde::{Deserialize, Serialize};

/// What its triggers do to its other rows it takes upon itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "pages", database = Postgres, accepts(other_rows))]
struct Page {
    #[primary_key]
    id: i64,
    body: String,
}

/// A row's BEFORE trigger may change another row that the same statement has written
/// and returned already.
#[tokio::test]
async fn rows_that_a_later_rows_trigger_changes_are_not_cached_as_they_were_returned() {
    let here = Here::with(&[PAGES]).await;
    here.run(
        "CREATE FUNCTION change_the_one_before() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF pg_trigger_depth() = 1 THEN
                 UPDATE pages SET body = 'not the last any more' WHERE id = NEW.id - 1;
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER change_the_one_before BEFORE INSERT OR UPDATE ON pages
             FOR EACH ROW EXECUTE FUNCTION change_the_one_before()",
    )
    .await;
    let pages: Vec<_> = (1..=8).map(|id| Page { id, body: "the last".into() }).collect();
    Page::insert_many(&here.orm, &pages).await.unwrap();
    for id in 1..=8 {
        let cached = Page::fetch_one(&here.orm, id).await.unwrap();
        assert_eq!(Some(&cached), Page::fetch_uncached(&here.orm, id).await.unwrap().as_ref());
        assert_eq!(cached.body == "the last", id == 8);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "parcels", database = Postgres)]
struct Parcel {
    #[primary_key]
    #[orm(generated)]
    id: i64,
    label: String,
}

const PARCELS: Table = Table::everywhere(
    "CREATE TABLE parcels (id BIGSERIAL PRIMARY KEY, label TEXT NOT NULL);
     CREATE SEQUENCE numbers_of_all START 1000;
     ALTER TABLE parcels ALTER id SET DEFAULT nextval('numbers_of_all')",
);

/// It still owns the sequence that it had first.
#[tokio::test]
async fn keys_come_from_the_sequence_that_the_column_uses() {
    let here = Here::with(&[PARCELS]).await;
    let parcels: Vec<_> = (0..5).map(|n| Parcel { id: 0, label: format!("parcel {n}") }).collect();
    let rows = Parcel::insert_many(&here.orm, &parcels).await.unwrap();
    assert!(rows.iter().all(|row| row.id >= 1000), "{rows:?}");
    assert!(rows.iter().zip(&parcels).all(|(row, asked)| row.label == asked.label));
}
