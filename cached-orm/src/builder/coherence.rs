//! What keeps cache and database agreed: times, fences and the outbox.

use super::{OnUnreachable, OrmBuilder};
use crate::{Backend, Outbox};
use std::time::Duration;

impl<DB: Backend> OrmBuilder<DB> {
    /// How long the right to fill a key lasts; a load that takes longer is
    /// returned but not stored. Default: 10 s.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.lease_ttl(Duration::from_secs(30));
    /// # }
    /// ```
    pub fn lease_ttl(mut self, ttl: Duration) -> Self {
        self.lease_ttl = ttl;
        self
    }

    /// How long a fence protects its key if its writer dies. Must be longer
    /// than any COMMIT takes. Default: 60 s.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.fence_ttl(Duration::from_secs(120));
    /// # }
    /// ```
    pub fn fence_ttl(mut self, ttl: Duration) -> Self {
        self.fence_ttl = ttl;
        self
    }

    /// COMMIT is sent at most this long after its fences. Default: 5 s.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.commit_window(Duration::from_secs(10));
    /// # }
    /// ```
    pub fn commit_window(mut self, window: Duration) -> Self {
        self.commit_window = window;
        self
    }

    /// How long a write waits for the cache, once before COMMIT, for its fences, and
    /// once after it; a read does not wait so long ([`timeout`](Self::timeout)), for it
    /// has the database. Also what taking an entry away may take, as for
    /// [`invalidate`](crate::MemcachedOrm::invalidate) and for each key of the outbox.
    /// Default: 500 ms, or half of the commit window if that is shorter.
    ///
    /// If the connection breaks meanwhile, the command is sent again as soon as the
    /// server is back. A server that has not answered for that long counts as down, and
    /// holds up no further write: it is asked again in the background.
    ///
    /// Must be shorter than the [commit window](Self::commit_window), and both together
    /// shorter than [`fence_ttl`](Self::fence_ttl) and [`hold_off`](Self::hold_off): a
    /// fence that is set anew while COMMIT takes long must be there before the old one
    /// can have ended.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.write_timeout(Duration::from_millis(200));
    /// # }
    /// ```
    pub fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = Some(timeout);
        self
    }

    /// How long a memcached server that has just started is not filled, since
    /// it has lost the fences of transactions under way. What it is longer than
    /// the commit window is what a COMMIT may take. Default: 15 s.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.hold_off(Duration::from_secs(30));
    /// # }
    /// ```
    pub fn hold_off(mut self, hold_off: Duration) -> Self {
        self.memcached.hold_off = hold_off;
        self
    }

    /// Fences on these servers as well, for changing the list of servers.
    ///
    /// It takes three roll-outs. First every process fences on the new servers
    /// too: `memcached(old).also_fence(new)`. Then reads move:
    /// `memcached(new).also_fence(old)`. When no process reads from the old list
    /// any more, it is dropped. While it is given, a write whose key changes
    /// its server costs three round trips more.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.memcached(["10.0.0.1"]).also_fence(["10.0.0.1", "10.0.0.2"]);
    /// # }
    /// ```
    pub fn also_fence<S: Into<String>>(mut self, servers: impl IntoIterator<Item = S>) -> Self {
        self.memcached.also_fence = servers.into_iter().map(Into::into).collect();
        self
    }

    /// What a write does if the cache cannot be told of it. Default:
    /// [`OnUnreachable::Outbox`] if the outbox is installed
    /// ([`Orm::install_outbox`](crate::Orm::install_outbox)), else [`OnUnreachable::Abort`].
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres, OnUnreachable};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.on_unreachable(OnUnreachable::Outbox);
    /// # }
    /// ```
    pub fn on_unreachable(mut self, on_unreachable: OnUnreachable) -> Self {
        self.on_unreachable = Some(on_unreachable);
        self
    }

    /// When writes use the outbox. Default: [`Outbox::OnFailure`].
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres, Outbox};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.outbox(Outbox::Always);
    /// # }
    /// ```
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        self
    }

    /// Whether this process drains the outbox, in a task of its own. Default:
    /// `true`. Of the processes on a database and its cache at least one must; one without
    /// a cache ([`uncached`](Self::uncached)) never does.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.drainer(false);
    /// # }
    /// ```
    pub fn drainer(mut self, drainer: bool) -> Self {
        self.drainer = drainer;
        self
    }

    /// How often the outbox is looked at for what other programs and triggers
    /// have put in, where nobody says so: on MySQL, MariaDB and SQLite, and on
    /// PostgreSQL while this process does not [`listen`](Self::listen). It is one
    /// SELECT, by an index. Default: 250 ms.
    ///
    /// While it listens it is told, and looks every ten seconds all the same, or less
    /// often if this is longer, a day at most. Its own writes are drained at once.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres}; use std::time::Duration;
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.outbox_poll(Duration::from_secs(1));
    /// # }
    /// ```
    pub fn outbox_poll(mut self, poll: Duration) -> Self {
        self.outbox_poll = poll;
        self
    }

    /// Whether, on PostgreSQL, this process LISTENs for what triggers and other
    /// processes put into the outbox. Without, it is found by the [poll](Self::outbox_poll). Default: `true`.
    ///
    /// Must be off in all processes behind a pooler that gives a connection to others
    /// between transactions, as PgBouncer's transaction pooling does: LISTEN stays
    /// with the server's connection, and whoever has it next is sent notifications,
    /// which sqlx takes for a broken answer.
    ///
    /// ```
    /// # use cached_orm::{OrmBuilder, Postgres};
    /// # fn example(builder: OrmBuilder<Postgres>) {
    /// let builder = builder.listen(false);
    /// # }
    /// ```
    pub fn listen(mut self, listen: bool) -> Self {
        self.listens = listen;
        self
    }
}
