//! More keys than rows: several structs on one table, each with keys of its own.
//!
//! Several namespaces would do as well, but each has an `Orm` and connections of its
//! own, and then it would be connections that grow.

use benches::{Result, item::Item};
use cached_orm::{MemcachedOrm, Orm, Postgres, Warmed};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

macro_rules! copies {
    ($($number:literal $name:ident $cache_name:literal),+ $(,)?) => {
        $(
            #[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
            #[orm(table = "items", cache_name = $cache_name, database = Postgres, ttl = "1h")]
            struct $name {
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

            impl From<$name> for Item {
                fn from(row: $name) -> Self {
                    Self {
                        id: row.id,
                        handle: row.handle,
                        owner: row.owner,
                        kind: row.kind,
                        active: row.active,
                        score: row.score,
                        title: row.title,
                        note: row.note,
                        created: row.created,
                        revision: row.revision,
                    }
                }
            }
        )+

        /// The row under the key of this copy.
        pub(super) async fn fetch(orm: &Orm<Postgres>, copy: u64, id: i64) -> Result<Option<Item>> {
            match copy {
                $($number => Ok($name::fetch(orm, id).await?.map(Item::from)),)+
                _ => Err(too_many()),
            }
        }

        /// Puts rows under the keys of this copy.
        pub(super) async fn warm(
            orm: &Orm<Postgres>,
            copy: u64,
            ids: RangeInclusive<i64>,
        ) -> Result<Warmed> {
            match copy {
                $($number => Ok($name::warm(orm, ids, |_| ()).await?),)+
                _ => Err(too_many()),
            }
        }
    };
}

copies!(
    0 Copy0 "items-0",
    1 Copy1 "items-1",
    2 Copy2 "items-2",
    3 Copy3 "items-3",
    4 Copy4 "items-4",
    5 Copy5 "items-5",
    6 Copy6 "items-6",
    7 Copy7 "items-7",
    8 Copy8 "items-8",
    9 Copy9 "items-9",
);

fn too_many() -> Box<dyn std::error::Error + Send + Sync> {
    "there are ten copies of the table, and more keys are to be read; make the table larger".into()
}
