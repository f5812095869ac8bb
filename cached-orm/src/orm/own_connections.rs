use super::{Orm, locked};
use crate::{Backend, Error, Operation, Result};
use sqlx::{Connection as _, pool::PoolConnection};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

/// How often it is asked whether loads go to a primary: after a failover the
/// same address may be a standby's.
const CHECK_EVERY: Duration = Duration::from_secs(1);

impl<DB: Backend> Orm<DB> {
    /// A connection that is nobody else's, in no transaction, and to where the
    /// user's pool connects; one that answers.
    pub(crate) async fn own_connection(&self, operation: Operation) -> Result<OwnConnection<DB>> {
        // A server that has restarted has left the pool nothing but dead ones.
        for _ in 0..self.0.own_pool.options().get_max_connections() {
            let mut connection = self.untried_connection(operation).await?;
            if connection.connection.ping().await.is_ok() {
                return Ok(connection);
            }
            connection.connection.close_on_drop();
        }
        self.untried_connection(operation).await
    }

    async fn untried_connection(&self, operation: Operation) -> Result<OwnConnection<DB>> {
        self.follow_pool();
        let connection = self.0.own_pool.acquire().await.map_err(Error::database(operation))?;
        Ok(OwnConnection { connection, is_answered: false, _load: None })
    }

    /// Connections for a read that may be done twice.
    pub(crate) fn load(&self, operation: Operation) -> Load<'_, DB> {
        Load { orm: self, operation, is_second: false }
    }

    /// A connection on which committed rows are seen as of now, and one of the
    /// few on which that is done at once.
    async fn load_connection(
        &self,
        operation: Operation,
        must_answer: bool,
    ) -> Result<OwnConnection<DB>> {
        let waiting = timeout(self.0.load_timeout, async {
            // It is never closed.
            let load = Arc::clone(&self.0.loads).acquire_owned().await.ok();
            let connection = match must_answer {
                true => self.own_connection(operation).await,
                false => self.untried_connection(operation).await,
            };
            connection.map(|connection| (connection, load))
        });
        let Ok(connected) = waiting.await else {
            return Err(Error::Overloaded { operation, waited: self.0.load_timeout });
        };
        let (mut connection, load) = connected?;
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

/// A read that loads rows. To ask every connection first whether it still answers
/// would cost a round trip each time; so a read that the database fails is done once
/// more, on a connection that was asked.
pub(crate) struct Load<'o, DB: Backend> {
    orm: &'o Orm<DB>,
    operation: Operation,
    is_second: bool,
}

impl<DB: Backend> Load<'_, DB> {
    /// The connection for this time.
    pub(crate) async fn connection(&self) -> Result<OwnConnection<DB>> {
        let connection = self.orm.load_connection(self.operation, self.is_second).await;
        if let Err(Error::Database { .. }) = &connection
            && !self.is_second
        {
            return self.orm.load_connection(self.operation, true).await;
        }
        connection
    }

    /// Whether that was it, and the read is not to be done once more.
    pub(crate) fn is_done<R>(&mut self, read: &Result<R>) -> bool {
        let is_done = self.is_second || !matches!(read, Err(Error::Database { .. }));
        self.is_second = true;
        is_done
    }
}

/// A connection of the own pool.
///
/// What is sent on it must be answered to the end before it is dropped, or it
/// is closed where another could be given the rest of the answer.
pub(crate) struct OwnConnection<DB: Backend> {
    connection: PoolConnection<DB>,
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
        if !DB::CANCEL_SAFE && !self.is_answered {
            self.connection.close_on_drop();
        }
    }
}
