use super::{Lines, PATIENCE, readable, seconds};
use crate::{
    Backend, Error, Operation, Orm, Result, ServerStatus, orm::LoadStatus, triggers::TriggersFound,
};
use serde::Serialize;
use std::{fmt, time::Duration};
use tokio::time::timeout;

const STATUS: Operation = Operation::new("status");

/// How an [`Orm`]'s database, cache servers, outbox and loads are: what
/// [`Orm::status`] gives. It prints as a table, and serializes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The database.
    pub database: DatabaseStatus,
    /// The cache servers: those that are read from, and then those on which writers
    /// only fence ([`also_fence`](crate::OrmBuilder::also_fence)).
    pub servers: Vec<ServerStatus>,
    /// The outbox; `None` if the database did not answer.
    pub outbox: Option<OutboxStatus>,
    /// Triggers that put rows of another namespace into this outbox. Where no program has
    /// that namespace any longer nobody drains them;
    /// [`uninstall_triggers`](Orm::uninstall_triggers) removes the triggers.
    pub other_triggers: Vec<OtherTriggers>,
    /// Rows that are being loaded for reads.
    pub loads: LoadStatus,
}

/// Triggers of another namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OtherTriggers {
    /// The namespace.
    pub namespace: String,
    /// The table that they are on.
    pub table: String,
    /// What their names begin with.
    pub name: String,
}

/// How the database is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DatabaseStatus {
    /// Which one it is, such as `PostgreSQL`.
    pub system: &'static str,
    /// Why it does not answer; `None` if it does.
    pub error: Option<String>,
}

/// How the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OutboxStatus {
    /// Whether there is one.
    pub is_installed: bool,
    /// Rows in it, of this namespace. For each the cache may hold an old row.
    pub rows: u64,
    /// How long ago the oldest was put in, by the database's clock; `None` if there
    /// is none.
    #[serde(rename = "oldest_seconds", serialize_with = "seconds")]
    pub oldest: Option<Duration>,
}

impl Status {
    /// Whether the database and all cache servers answer, and the outbox is empty.
    pub fn is_well(&self) -> bool {
        self.database.error.is_none()
            && self.servers.iter().all(ServerStatus::is_up)
            && self.outbox.is_some_and(|outbox| outbox.rows == 0)
    }
}

impl<DB: Backend> Orm<DB> {
    /// How database, cache servers, outbox and loads are.
    ///
    /// It asks the database and every server, all at once, and takes five seconds at
    /// most. What does not answer is told as such, so this has no errors.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) {
    /// let status = orm.status().await;
    /// println!("{status}");
    /// if !status.servers.iter().all(|server| server.is_up()) {
    ///     println!("reads of some keys come from the database");
    /// }
    /// # }
    /// ```
    pub async fn status(&self) -> Status {
        let (mut status, others) = tokio::join!(self.status_now(), self.other_triggers());
        match others {
            Ok(others) => status.other_triggers = others,
            Err(error) => {
                status.database.error.get_or_insert_with(|| error.to_string());
            }
        }
        status
    }

    /// What changes from one moment to the next: without the triggers.
    pub(crate) async fn status_now(&self) -> Status {
        let (servers, outbox) = tokio::join!(self.store().servers(), self.outbox_status());
        let (outbox, error) = match outbox {
            Ok(outbox) => (Some(outbox), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Status {
            database: DatabaseStatus { system: DB::NAME, error },
            servers,
            outbox,
            other_triggers: Vec::new(),
            loads: self.load_status(),
        }
    }

    /// How the outbox is: a part of [`status`](Self::status) that asks no cache server.
    ///
    /// # Errors
    /// [`Error::Database`] if it cannot be read, [`Error::Overloaded`] if the database
    /// does not answer within five seconds.
    ///
    /// ```no_run
    /// # async fn example(orm: cached_orm::Orm<cached_orm::Postgres>) -> cached_orm::Result<()> {
    /// let outbox = orm.outbox_status().await?;
    /// println!("{} rows, the oldest {:?} old", outbox.rows, outbox.oldest);
    /// # Ok(()) }
    /// ```
    pub async fn outbox_status(&self) -> Result<OutboxStatus> {
        let asking = async {
            let mut connection = self.own_connection(STATUS).await?;
            let answer = match DB::exists(&mut connection).await {
                Ok(true) => {
                    let backlog = DB::backlog(&mut connection, self.namespace().name()).await;
                    backlog.map(Some)
                }
                Ok(false) => Ok(None),
                Err(error) => Err(error),
            };
            connection.answered();
            answer.map_err(Error::database(STATUS))
        };
        let backlog = match timeout(PATIENCE, asking).await {
            Ok(backlog) => backlog?,
            Err(_) => return Err(Error::Overloaded { operation: STATUS, waited: PATIENCE }),
        };
        let (rows, oldest) = backlog.unwrap_or_default();
        Ok(OutboxStatus {
            is_installed: backlog.is_some(),
            rows: u64::try_from(rows).unwrap_or_default(),
            // The clock may have been put back.
            oldest: oldest.map(|age| Duration::try_from_secs_f64(age).unwrap_or_default()),
        })
    }
}

impl<DB: Backend> Orm<DB> {
    async fn other_triggers(&self) -> Result<Vec<OtherTriggers>> {
        let asking = async {
            let mut connection = self.own_connection(STATUS).await?;
            let found = DB::triggers_found(&mut connection).await;
            connection.answered();
            found.map_err(Error::database(STATUS))
        };
        let Ok(found) = timeout(PATIENCE, asking).await else {
            return Err(Error::Overloaded { operation: STATUS, waited: PATIENCE });
        };
        let others = found?.into_iter().filter(|found| found.namespace != self.namespace().name());
        let other =
            |TriggersFound { namespace, table, name }| OtherTriggers { namespace, table, name };
        Ok(others.map(other).collect())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Lines(f);
        let DatabaseStatus { system, error } = &self.database;
        match error {
            None => lines.line("database", format_args!("{system}, up"))?,
            Some(error) => lines.line("database", format_args!("{system}, down: {error}"))?,
        }
        for server in &self.servers {
            lines.line("server", ServerLine(server))?;
        }
        match self.outbox {
            None => lines.line("outbox", "unknown")?,
            Some(OutboxStatus { is_installed: false, .. }) => {
                lines.line("outbox", "not installed")?
            }
            Some(OutboxStatus { rows: 0, .. }) => lines.line("outbox", "empty")?,
            Some(OutboxStatus { rows, oldest, .. }) => {
                let oldest = readable(oldest.unwrap_or_default());
                lines.line("outbox", format_args!("{rows} rows, the oldest {oldest} old"))?;
            }
        }
        for OtherTriggers { namespace, table, name } in &self.other_triggers {
            let of = format_args!("`{name}` on `{table}`, of the namespace `{namespace}`");
            lines.line("triggers", of)?;
        }
        let LoadStatus { under_way, most } = self.loads;
        lines.line("loads", format_args!("{under_way} under way of {most} at most"))
    }
}

struct ServerLine<'s>(&'s ServerStatus);

impl fmt::Display for ServerLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServerStatus { name, error, round_trip, incarnation, hold_off, .. } = self.0;
        match (error, round_trip) {
            (Some(error), _) => write!(f, "{name}, down: {error}")?,
            (None, Some(after)) => write!(f, "{name}, up, answers in {}", readable(*after))?,
            (None, None) => write!(f, "{name}, up")?,
        }
        if let Some(incarnation) = incarnation {
            write!(f, ", process {incarnation}")?;
        }
        if let Some(left) = hold_off {
            write!(f, ", not filled for {}", readable(*left))?;
        }
        Ok(())
    }
}
