use super::{CacheError, Incarnation};
use serde::{Serialize, Serializer};
use std::{pin::Pin, time::Duration};

/// What [`CacheStore::servers`](crate::CacheStore::servers) returns.
pub type ServerReports<'s> = Pin<Box<dyn Future<Output = Vec<ServerStatus>> + Send + 's>>;

/// One cache server, as it was a moment ago.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ServerStatus {
    /// Its address as it was configured, or the store's name.
    pub name: String,
    /// Why it does not answer; `None` if it does.
    pub error: Option<String>,
    /// How long it took to answer.
    #[serde(rename = "round_trip_seconds", serialize_with = "seconds")]
    pub round_trip: Option<Duration>,
    /// The life of the server that was last met.
    pub incarnation: Option<Incarnation>,
    /// How long it is not filled yet, since fences may have been lost when it
    /// started; `None` if that time is over, or the server was never met.
    #[serde(rename = "hold_off_seconds", serialize_with = "seconds")]
    pub hold_off: Option<Duration>,
}

impl ServerStatus {
    /// A server that was asked something, and how that went.
    ///
    /// ```
    /// # extern crate cached_orm_protocol as cached_orm;
    /// use cached_orm::ServerStatus;
    /// use std::time::Duration;
    ///
    /// let mine = ServerStatus::new("mine", Ok(Duration::from_micros(3)));
    /// assert!(mine.is_up());
    /// ```
    pub fn new(name: impl Into<String>, answered: Result<Duration, CacheError>) -> Self {
        let (round_trip, error) = match answered {
            Ok(after) => (Some(after), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { name: name.into(), error, round_trip, incarnation: None, hold_off: None }
    }

    /// Whether it has answered.
    pub fn is_up(&self) -> bool {
        self.error.is_none()
    }
}

/// Serializes a time as a number of seconds.
pub fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&time.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}
