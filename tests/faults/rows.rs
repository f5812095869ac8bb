//! The hot rows, as two versions of a program see them.

use cached_orm::{Entity, MemcachedOrm};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many rows there are. So few that everybody meets everybody.
pub(crate) const KEYS: i64 = 16;

/// What a version of the program knows of a hot row.
pub(crate) trait HotRow: MemcachedOrm + Entity<Key: From<i64>> + Clone + fmt::Debug {
    fn new(id: i64, revision: i64, attempt: i64) -> Self;
    fn id(&self) -> i64;
    fn revision(&self) -> i64;
    fn attempt(&self) -> i64;
    fn body(&self) -> &str;

    /// Whether all of it was written by one writer for this key.
    fn is_whole(&self, id: i64) -> bool {
        self.id() == id && self.body() == body(id, self.revision(), self.attempt())
    }
}

/// What a writer puts beside the numbers, so that a row made of two shows.
fn body(id: i64, revision: i64, attempt: i64) -> String {
    // Of different lengths, so that rows move between memcached's slabs.
    let padding = usize::try_from(revision % 7).unwrap_or(0) * 24;
    format!("{id} {revision} {attempt} {:.<padding$}", "")
}

macro_rules! hot_row {
    ($(#[$doc:meta])* $name:ident { $($note:ident)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, MemcachedOrm)]
        #[orm(table = "hot", ttl = "30s", negative_ttl = "5s")]
        pub(crate) struct $name {
            #[primary_key]
            id: i64,
            revision: i64,
            attempt: i64,
            body: String,
            $($note: String,)?
        }

        impl HotRow for $name {
            fn new(id: i64, revision: i64, attempt: i64) -> Self {
                let body = body(id, revision, attempt);
                Self { id, revision, attempt, body, $($note: "new".to_owned(),)? }
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

            fn body(&self) -> &str {
                &self.body
            }
        }
    };
}

hot_row! {
    /// As the old version of the program has it.
    Hot {}
}

hot_row! {
    /// As the new version has it: the same entry in the cache, in another shape.
    NotedHot { note }
}
