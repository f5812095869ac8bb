use super::{Lines, readable, seconds};
use serde::Serialize;
use std::{fmt, time::Duration};

/// What lies under a key: what [`Orm::explain`](crate::Orm::explain) gives. It prints
/// as a table, and serializes. Of the row it tells the columns' names and no value;
/// the key is in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The key in the cache.
    pub key: String,
    /// The server that has the key; `None` if the store has no servers.
    pub server: Option<String>,
    /// What lies there.
    pub content: CacheContent,
    /// Why it cannot be used, or why there was no answer.
    pub reason: Option<String>,
    /// How long it is going to live.
    #[serde(rename = "ttl_seconds", serialize_with = "seconds")]
    pub ttl: Option<Duration>,
    /// How long ago it was stored; known of fences, and of rows whose struct is known.
    pub age: Option<Age>,
    /// Its size in bytes, without the key.
    pub bytes: Option<usize>,
    /// Its size in bytes, were it not compressed.
    pub unpacked_bytes: Option<usize>,
    /// Whether it is compressed.
    pub is_compressed: Option<bool>,
    /// The shape of the struct that has written it, as 16 hexadecimal digits.
    pub fingerprint: Option<String>,
    /// Whether that is the shape that this program has; if not, the row is loaded anew.
    pub is_own_shape: Option<bool>,
    /// How many transactions have put the fence.
    pub writers: Option<usize>,
    /// The copy in this process.
    pub near: Option<NearCopy>,
    /// Rows of the outbox that name the key; `None` if there is no outbox, or the
    /// database did not answer.
    pub pending: Option<u64>,
    /// What the database says; `None` if it was not asked.
    pub database: Option<InDatabase>,
    /// Whether the cache and the database say the same; `None` if the cache says
    /// nothing of the row, the database was not asked, or a write kept coming between.
    pub agrees: Option<bool>,
    /// The columns in which they differ, if both have a row.
    pub differing: Vec<String>,
}

/// What lies under a key of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CacheContent {
    /// The cache did not answer.
    Unreachable,
    /// Nothing.
    Nothing,
    /// A reader's right to fill it.
    Lease,
    /// A writer's fence: the row is being written, or the writer has crashed.
    Fence,
    /// A row.
    Row,
    /// A row whose time is over, which lies there in case the database fails.
    Expired,
    /// That there is no such row.
    Absent,
    /// The primary keys that an index has for a value.
    Keys,
    /// Something that is not used, and will be replaced.
    Unusable,
}

/// How long ago something was stored, within these limits: entries' times to live
/// have a jitter, and do not tell when they began.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Age {
    /// At least so long ago.
    #[serde(rename = "at_least_seconds", serialize_with = "whole")]
    pub at_least: Duration,
    /// At most so long ago.
    #[serde(rename = "at_most_seconds", serialize_with = "whole")]
    pub at_most: Duration,
}

/// A copy of a row in this process (`near_ttl`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NearCopy {
    /// How long ago the cache was asked for it.
    #[serde(rename = "age_seconds", serialize_with = "whole")]
    pub age: Duration,
    /// Whether reads may still be answered by it.
    pub is_used: bool,
}

/// What the database says of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InDatabase {
    /// There is one.
    Row,
    /// There is none.
    NoRow,
    /// It did not answer, for this reason.
    Failed(String),
}

fn whole<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl fmt::Display for CacheContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unknown: the cache does not answer",
            Self::Nothing => "nothing",
            Self::Lease => "a lease: a reader is filling it",
            Self::Fence => "a fence: it is being written",
            Self::Row => "a row",
            Self::Expired => "a row whose time is over",
            Self::Absent => "that there is no such row",
            Self::Keys => "primary keys of an index",
            Self::Unusable => "something that is not used",
        })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (readable(self.at_least), readable(self.at_most));
        if least == most { f.write_str(&least) } else { write!(f, "{least} to {most}") }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines(f);
        lines.line("key", &self.key)?;
        lines.if_any("server", self.server.as_ref())?;
        lines.line("content", self.content)?;
        lines.if_any("reason", self.reason.as_ref())?;
        lines.if_any("writers", self.writers)?;
        lines.if_any("age", self.age)?;
        lines.if_any("time to live", self.ttl.map(readable))?;
        if let Some(bytes) = self.bytes {
            match (self.is_compressed, self.unpacked_bytes) {
                (Some(true), Some(unpacked)) => {
                    lines
                        .line("size", format_args!("{bytes} bytes, compressed from {unpacked}"))?;
                }
                _ => lines.line("size", format_args!("{bytes} bytes"))?,
            }
        }
        if let Some(fingerprint) = &self.fingerprint {
            let whose = match self.is_own_shape {
                Some(true) => ", as this program's",
                Some(false) => ", of another shape than this program's",
                None => "",
            };
            lines.line("fingerprint", format_args!("{fingerprint}{whose}"))?;
        }
        if let Some(NearCopy { age, is_used }) = self.near {
            let use_of = if is_used { "used" } else { "no longer used" };
            lines.line("near copy", format_args!("{} old, {use_of}", readable(age)))?;
        }
        lines.if_any("outbox rows", self.pending)?;
        match &self.database {
            None => {}
            Some(InDatabase::Row) => lines.line("database", "has the row")?,
            Some(InDatabase::NoRow) => lines.line("database", "has no such row")?,
            Some(InDatabase::Failed(error)) => lines.line("database", error)?,
        }
        match self.agrees {
            None => Ok(()),
            Some(true) => lines.line("agrees", "yes"),
            Some(false) if self.differing.is_empty() => lines.line("agrees", "no"),
            Some(false) => lines.line("agrees", format_args!("no: {}", self.differing.join(", "))),
        }
    }
}
