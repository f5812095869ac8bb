use super::{Orm, locked};
use crate::{
    Backend, BindKey as _, Bindings, Error, Operation, Persist, Result,
    coherence::after_panic,
    pooled::{Cut, Pooled},
    sql::fetch_rows,
};
use serde::Serialize;
use sqlx::{Connection as _, Pool};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

/// How many rows are loaded for reads at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadStatus {
    /// Loads that are under way: statements, of which one may load many rows.
    pub under_way: usize,
    /// How many there may be
    /// ([`max_database_loads`](crate::OrmBuilder::max_database_loads)).
    pub most: usize,
}

/// How often it is asked whether loads go to a primary: after a failover the
/// same address may be a standby's.
const CHECK_EVERY: Duration = Duration::from_secs(1);

impl<DB: Backend> Orm<DB> {
    /// A connection that is nobody else's, in no transaction, and to where the
    /// user's pool connects.
    pub(crate) async fn own_connection(&self, operation: Operation) -> Result<OwnConnection<DB>> {
        self.follow_pool();
        let connection = self.acquire(&self.0.own_pool, operation).await?;
        Ok(OwnConnection { connection, is_answered: false, _load: None })
    }

    /// A connection of a pool on which no transaction is open.
    pub(crate) async fn acquire(
        &self,
        pool: &Pool<DB>,
        operation: Operation,
    ) -> Result<Pooled<DB>> {
        loop {
            let acquiring = pool.acquire();
            let acquired = if self.0.lives_in_pool {
                // sqlx closes a connection if it is dropped while it asks whether that
                // is alive; and with the last one all would be gone.
                let acquired = tokio::spawn(acquiring).await;
                acquired.map_err(|ended| after_panic(ended, Error::ShuttingDown { operation }))?
            } else {
                acquiring.await
            };
            let connection = acquired.map_err(Error::database(operation))?;
            self.still_rolls_back(connection.is_in_transaction(), operation)?;
            let depth = usize::from(self.probe().rolls_back());
            let mut connection = Pooled::new(connection, depth);
            if connection.is_as_it_came() {
                return Ok(connection);
            }
            // Somebody has leaked a transaction of sqlx's. In it a BEGIN would be a
            // savepoint, and COMMIT release no more than that.
            connection.cut_off(Cut::Statement);
        }
    }

    /// A connection on which committed rows are seen as of now, and one of the
    /// few on which that is done at once.
    pub(crate) async fn load_connection(&self, operation: Operation) -> Result<OwnConnection<DB>> {
        let waiting = timeout(self.0.load_timeout, async {
            // It is never closed.
            let load = Arc::clone(&self.0.loads).acquire_owned().await.ok();
            self.own_connection(operation).await.map(|connection| (connection, load))
        });
        let Ok(connected) = waiting.await else {
            return Err(Error::Overloaded { operation, waited: self.0.load_timeout });
        };
        let (mut connection, load) = connected?;
        self.probe().statement();
        connection._load = load;
        let is_recent = |at: &Instant| at.elapsed() < CHECK_EVERY;
        if locked(&self.0.loads_checked).as_ref().is_some_and(is_recent) {
            return Ok(connection);
        }
        let unfit = DB::unfit_for_loads(&mut connection).await;
        if let Some(reason) = unfit.map_err(Error::database(operation))? {
            return Err(Error::Configuration(format!(
                "rows read on the pool's connections must not be cached: {reason}"
            )));
        }
        *locked(&self.0.loads_checked) = Some(Instant::now());
        Ok(connection)
    }

    /// Whether there are no connections but those of the user's pool.
    pub(crate) fn lives_in_pool(&self) -> bool {
        self.0.lives_in_pool
    }

    /// Whether there is a row with this key that another connection sees. One that is
    /// locked here and is not seen there was inserted by the caller's transaction. `None`
    /// where there is no other connection.
    pub(crate) async fn is_committed<T: Persist<DB>>(
        &self,
        key: &T::Key,
        operation: Operation,
    ) -> Result<Option<bool>> {
        if self.0.lives_in_pool {
            return Ok(None);
        }
        let looking = async {
            let mut connection = self.load_connection(operation).await?;
            let mut bindings = Bindings::new();
            key.bind(&mut bindings);
            let sql = T::SELECT_BY_KEY;
            let rows = fetch_rows::<DB, T>(&mut connection, sql, bindings, operation).await;
            connection.answered();
            Ok(Some(!rows?.is_empty()))
        };
        // It may wait for somebody who changes the table's schema, and waits for the
        // caller's transaction.
        timeout(self.0.load_timeout, looking).await.unwrap_or_else(|_| {
            let reason = "the database did not say in time whether a trigger has given the new \
                          row another primary key";
            Err(Error::Refused { operation, reason: reason.to_owned() })
        })
    }

    /// Refuses to go on where everything is to be undone at the end, and what was done
    /// so far has been undone already: the rest would not be.
    pub(crate) fn still_rolls_back(
        &self,
        is_in_transaction: bool,
        operation: Operation,
    ) -> Result<()> {
        let probe = self.probe();
        if probe.rolls_back() && (probe.is_lost() || !is_in_transaction) {
            let reason = "the transaction that `rollback_on_drop` began is over: its connection \
                          was lost, or a statement of its own ended it";
            return Err(Error::Refused { operation, reason: reason.to_owned() });
        }
        Ok(())
    }

    /// Takes over the user's pool's connect options, which may have been set
    /// anew: to a new password, or to the primary after a failover.
    fn follow_pool(&self) {
        let wanted = self.0.pool.connect_options();
        let mut followed = locked(&self.0.connect_options);
        if !Arc::ptr_eq(&followed, &wanted) {
            self.0.own_pool.set_connect_options((*wanted).clone());
            *followed = wanted;
            *locked(&self.0.loads_checked) = None;
        }
    }
}

/// A connection of the own pool.
///
/// What is sent on it must be answered to the end before it is dropped, or nobody
/// gets it as it is.
pub(crate) struct OwnConnection<DB: Backend> {
    connection: Pooled<DB>,
    is_answered: bool,
    /// Given back with it.
    _load: Option<OwnedSemaphorePermit>,
}

impl<DB: Backend> OwnConnection<DB> {
    /// Notes that everything was answered, be it with an error.
    pub(crate) fn answered(&mut self) {
        self.is_answered = true;
    }
}

impl<DB: Backend> Deref for OwnConnection<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.connection
    }
}

impl<DB: Backend> DerefMut for OwnConnection<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }
}

impl<DB: Backend> Drop for OwnConnection<DB> {
    fn drop(&mut self) {
        if !self.is_answered || !self.connection.is_as_it_came() {
            self.connection.cut_off(Cut::Statement);
        }
    }
}
