//! The hot rows, as two versions of a program see them.

use cached_orm::{Entity, GivenKey, MemcachedOrm, Orm, Persist, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, future::Future};

use crate::engines::Engine;

/// How many rows there are. So few that everybody meets everybody.
pub(crate) const KEYS: i64 = 16;

/// How many rows may share a bucket.
const BUCKET: i64 = 4;

/// What a version of the program knows of a hot row.
///
/// A row's indexed values change with every revision, between two *sides*: so
/// every write moves the row from one entry of each index to another, and who
/// looks it up can be told what is possible.
pub(crate) trait HotRow:
    MemcachedOrm + GivenKey + Entity<Key: From<i64>> + Clone + fmt::Debug
{
    fn new(id: i64, revision: i64, attempt: i64) -> Self;
    fn id(&self) -> i64;
    fn revision(&self) -> i64;
    fn attempt(&self) -> i64;

    /// Whether all of it was written by one writer for this key.
    fn is_whole(&self, id: i64) -> bool;

    /// By the unique index.
    fn by_label<DB: Engine>(
        orm: &Orm<DB>,
        label: i64,
    ) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: Persist<DB>;

    /// By the unique index, several at once.
    fn many_by_label<DB: Engine>(
        orm: &Orm<DB>,
        labels: Vec<i64>,
    ) -> impl Future<Output = Result<Vec<Option<Self>>>> + Send
    where
        Self: Persist<DB>;

    /// By the other index.
    fn by_bucket<DB: Engine>(
        orm: &Orm<DB>,
        bucket: i64,
    ) -> impl Future<Output = Result<Vec<Self>>> + Send
    where
        Self: Persist<DB>;
}

/// A hot row of one database.
pub(crate) trait HotRowOf<DB: Engine>: HotRow + Persist<DB> {
    /// Writes all columns, one by one.
    fn patch_all(&self, orm: &Orm<DB>) -> impl Future<Output = Result<()>> + Send;
}

/// The side on which a revision of a row is.
pub(crate) fn side(revision: i64) -> i64 {
    revision % 2
}

/// A value of the unique index: of one row, on one side.
pub(crate) fn label(id: i64, side: i64) -> i64 {
    id * 2 + side
}

/// A value of the other index: of several rows, on one side.
pub(crate) fn bucket(id: i64, side: i64) -> i64 {
    id / BUCKET * 2 + side
}

/// The rows that can be in a bucket.
pub(crate) fn bucket_members(bucket: i64) -> impl Iterator<Item = i64> {
    let first = bucket / 2 * BUCKET;
    first..first + BUCKET
}

/// What a writer puts beside the numbers, so that a row made of two shows.
fn body(id: i64, revision: i64, attempt: i64) -> String {
    // Of different lengths, so that rows move between memcached's slabs.
    let padding = usize::try_from(revision % 7).unwrap_or(0) * 24;
    format!("{id} {revision} {attempt} {:.<padding$}", "")
}

macro_rules! hot_row {
    ($(#[$doc:meta])* $name:ident $columns:ident { $($note:ident)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        // Its triggers change the ledger, which nobody caches.
        #[orm(table = "hot", ttl = "30s", negative_ttl = "5s", accepts(other_rows))]
        pub(crate) struct $name {
            #[primary_key]
            id: i64,
            revision: i64,
            attempt: i64,
            body: String,
            #[orm(unique)]
            label: i64,
            #[orm(index)]
            bucket: i64,
            $($note: String,)?
        }

        impl HotRow for $name {
            fn new(id: i64, revision: i64, attempt: i64) -> Self {
                let side = side(revision);
                Self {
                    id,
                    revision,
                    attempt,
                    body: body(id, revision, attempt),
                    label: label(id, side),
                    bucket: bucket(id, side),
                    $($note: "new".to_owned(),)?
                }
            }

            fn id(&self) -> i64 {
                self.id
            }

            fn revision(&self) -> i64 {
                self.revision
            }

            fn attempt(&self) -> i64 {
                self.attempt
            }

            fn is_whole(&self, id: i64) -> bool {
                let side = side(self.revision);
                self.id == id
                    && self.body == body(id, self.revision, self.attempt)
                    && self.label == label(id, side)
                    && self.bucket == bucket(id, side)
            }

            async fn by_label<DB: Engine>(orm: &Orm<DB>, label: i64) -> Result<Option<Self>>
            where
                Self: Persist<DB>,
            {
                Self::fetch_by_label(orm, label).await
            }

            async fn many_by_label<DB: Engine>(
                orm: &Orm<DB>,
                labels: Vec<i64>,
            ) -> Result<Vec<Option<Self>>>
            where
                Self: Persist<DB>,
            {
                Self::fetch_many_by_label(orm, labels).await
            }

            async fn by_bucket<DB: Engine>(orm: &Orm<DB>, bucket: i64) -> Result<Vec<Self>>
            where
                Self: Persist<DB>,
            {
                Self::fetch_by_bucket(orm, bucket).await
            }
        }

        hot_row!(@of sqlx::Postgres, $name, $columns);
        hot_row!(@of sqlx::MySql, $name, $columns);
        hot_row!(@of sqlx::Sqlite, $name, $columns);
    };
    (@of $database:ty, $name:ident, $columns:ident) => {
        impl HotRowOf<$database> for $name {
            async fn patch_all(&self, orm: &Orm<$database>) -> Result<()> {
                let patch = Self::patch(self.id)
                    .set($columns::REVISION, self.revision)
                    .set($columns::ATTEMPT, self.attempt)
                    .set($columns::BODY, self.body.clone())
                    .set($columns::LABEL, self.label)
                    .set($columns::BUCKET, self.bucket);
                patch.execute(orm).await.map(drop)
            }
        }
    };
}

hot_row! {
    /// As the old version of the program has it.
    Hot HotColumns {}
}

hot_row! {
    /// As the new version has it: the same entry in the cache, in another shape.
    NotedHot NotedHotColumns { note }
}

/// As a program has it that knows of no indexes.
#[derive(Debug, Serialize, Deserialize, MemcachedOrm)]
#[orm(table = "hot", ttl = "30s", accepts(other_rows))]
pub(crate) struct Unindexed {
    #[primary_key]
    id: i64,
    revision: i64,
    attempt: i64,
    body: String,
    label: i64,
    bucket: i64,
}

impl Unindexed {
    pub(crate) fn new(id: i64, revision: i64, attempt: i64) -> Self {
        let Hot { id, revision, attempt, body, label, bucket } = Hot::new(id, revision, attempt);
        Self { id, revision, attempt, body, label, bucket }
    }
}
