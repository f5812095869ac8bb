use super::{Command, Fault, fault::Effect};
use crate::{CacheError, CacheKey, CacheStore, Cas, Deleted, Incarnation, Lookup};
use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{RwLock, RwLockReadGuard, watch},
    time::{Instant, sleep, timeout},
};

/// How long a command waits for a cache that hangs: what is usual for memcached.
const TIMEOUT: Duration = Duration::from_millis(50);

/// How the cache is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Condition {
    #[default]
    Up,
    Down,
    Hung,
}

/// What becomes of the cache of a [`TestKit`](super::TestKit); given by
/// [`TestKit::cache`](super::TestKit::cache).
///
/// It works before any store: memcached, the embedded one, a
/// [`MemoryStore`](super::MemoryStore). What it does is seen by the `Orm`s of the kit;
/// a memcached server that others use stays as it is for them, but for the entries
/// that [`evict`](Self::evict), [`flush`](Self::flush) and [`restart`](Self::restart)
/// take away.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); } use shop::*;
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use cached_orm::test_kit::{MemoryStore, TestKit};
/// use std::sync::Arc;
///
/// # let pool = shop::pool().await?;
/// let kit = TestKit::new();
/// let orm = Orm::builder(pool).store(Arc::new(MemoryStore::new())).test_kit(&kit).build().await?;
/// kit.cache().go_down();
/// assert_eq!(User::fetch_one(&orm, 7).await?.name, "Ann"); // from the database
/// assert!(matches!(User::delete_by_key(&orm, 7).await, Err(Error::NotFenced { .. })));
/// kit.cache().come_back();
/// assert!(User::delete_by_key(&orm, 7).await?);
/// # Ok(()) }
/// ```
#[derive(Default)]
pub struct CacheScript {
    condition: watch::Sender<Condition>,
    faults: Mutex<Vec<Fault>>,
    /// Held by commands while the store carries them out.
    life: RwLock<Life>,
    /// The stores behind it.
    stores: Mutex<Vec<Arc<dyn CacheStore>>>,
    /// Every key that was named to them.
    keys: Mutex<HashSet<CacheKey>>,
}

/// The cache between two restarts by script.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// How many there were before.
    number: u64,
    /// When leases are given.
    fills_from: Option<Instant>,
}

impl CacheScript {
    /// The cache is not reached any more: every command fails at once, and is not
    /// carried out. What lies there stays.
    ///
    /// ```
    /// # let kit = cached_orm::test_kit::TestKit::new();
    /// kit.cache().go_down();
    /// ```
    pub fn go_down(&self) {
        self.condition.send_replace(Condition::Down);
    }

    /// The cache does not answer any more: a command fails after 50 ms, and is not
    /// carried out, unless the cache has [come back](Self::come_back) by then.
    ///
    /// ```
    /// # let kit = cached_orm::test_kit::TestKit::new();
    /// kit.cache().hang();
    /// ```
    pub fn hang(&self) {
        self.condition.send_replace(Condition::Hung);
    }

    /// The cache answers again, after [`go_down`](Self::go_down) or
    /// [`hang`](Self::hang), and has what it had. Faults stay.
    ///
    /// ```
    /// # let kit = cached_orm::test_kit::TestKit::new();
    /// kit.cache().hang();
    /// // …
    /// kit.cache().come_back();
    /// ```
    pub fn come_back(&self) {
        self.condition.send_replace(Condition::Up);
    }

    /// Lets commands of one kind go wrong. Of several faults that concern a command,
    /// the one that was injected first happens to it, and no other.
    ///
    /// ```
    /// use cached_orm::test_kit::{Command, Fault, TestKit};
    ///
    /// let kit = TestKit::new();
    /// kit.cache().inject(Fault::fail(Command::Fence).times(1));
    /// ```
    pub fn inject(&self, fault: Fault) {
        self.faults().push(fault);
    }

    /// Ends all faults. A cache that is down or hangs stays so.
    ///
    /// ```
    /// use cached_orm::test_kit::{Command, Fault, TestKit};
    ///
    /// let kit = TestKit::new();
    /// kit.cache().inject(Fault::fail(Command::Get));
    /// // …
    /// kit.cache().heal();
    /// ```
    pub fn heal(&self) {
        self.faults().clear();
    }

    /// The cache drops what lies under this key, a row, a lease or a fence, as it may
    /// at any time. Says whether there was something.
    ///
    /// # Errors
    /// A [`CacheError`] if the store behind does not answer; faults by script do not
    /// count.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # async fn example(orm: &Orm<Postgres>, kit: cached_orm::test_kit::TestKit, user: User) -> Result<(), cached_orm::CacheError> {
    /// assert!(kit.cache().evict(&user.get_cache_key(orm)).await?);
    /// # Ok(()) }
    /// ```
    pub async fn evict(&self, key: &CacheKey) -> Result<bool, CacheError> {
        let mut was_there = false;
        for store in self.stores() {
            was_there |= remove(&*store, key).await?;
        }
        Ok(was_there)
    }

    /// The cache drops everything that the kit's `Orm`s have put there.
    ///
    /// # Errors
    /// As [`evict`](Self::evict).
    ///
    /// ```
    /// # async fn example(kit: cached_orm::test_kit::TestKit) -> Result<(), cached_orm::CacheError> {
    /// kit.cache().flush().await?;
    /// # Ok(()) }
    /// ```
    pub async fn flush(&self) -> Result<(), CacheError> {
        let keys: Vec<_> = locked(&self.keys).iter().cloned().collect();
        for key in &keys {
            self.evict(key).await?;
        }
        Ok(())
    }

    /// The cache restarts: what the kit's `Orm`s have put there is gone, and it counts
    /// its versions anew. It gives no leases for `hold_off`, on tokio's clock, as
    /// memcached is given none for
    /// [`OrmBuilder::hold_off`](crate::OrmBuilder::hold_off): until then nothing is
    /// filled, for fences of writes under way are lost. With `Duration::ZERO` a test
    /// need not wait, and must have no write under way.
    ///
    /// # Errors
    /// As [`evict`](Self::evict).
    ///
    /// ```
    /// # async fn example(kit: cached_orm::test_kit::TestKit) -> Result<(), cached_orm::CacheError> {
    /// use std::time::Duration;
    ///
    /// kit.cache().restart(Duration::from_secs(15)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn restart(&self, hold_off: Duration) -> Result<(), CacheError> {
        // No command is under way until it is over.
        let mut life = self.life.write().await;
        self.flush().await?;
        life.number += 1;
        life.fills_from = Some(Instant::now() + hold_off);
        Ok(())
    }

    pub(super) fn add(&self, store: Arc<dyn CacheStore>) {
        locked(&self.stores).push(store);
    }

    /// Lets a command go on to its store, or fail.
    pub(super) async fn admit(
        &self,
        command: Command,
        key: &CacheKey,
    ) -> Result<Admitted<'_>, CacheError> {
        self.answers().await?;
        let effect = {
            let mut faults = self.faults();
            let happens = |fault: &mut Fault| fault.happens(command, key).then_some(fault.effect);
            let effect = faults.iter_mut().find_map(happens);
            faults.retain(|fault| !fault.is_over());
            effect
        };
        match effect {
            Some(Effect::Fail) => return Err(timed_out()),
            Some(Effect::Delay(by)) => sleep(by).await,
            Some(Effect::LoseAnswer) | None => {}
        }
        locked(&self.keys).insert(key.clone());
        let loses_answer = matches!(effect, Some(Effect::LoseAnswer));
        Ok(Admitted { life: self.life.read().await, loses_answer })
    }

    /// Lets commands go on to their store together, if nothing goes wrong.
    pub(super) async fn admit_all(&self, keys: &[CacheKey]) -> Option<Admitted<'_>> {
        if *self.condition.borrow() != Condition::Up || !self.faults().is_empty() {
            return None;
        }
        locked(&self.keys).extend(keys.iter().cloned());
        Some(Admitted { life: self.life.read().await, loses_answer: false })
    }

    pub(super) async fn answers(&self) -> Result<(), CacheError> {
        let mut condition = self.condition.subscribe();
        let is_up = async {
            // The sender is here.
            let known = condition.wait_for(|condition| *condition != Condition::Hung).await;
            known.is_ok_and(|condition| *condition == Condition::Up)
        };
        match timeout(TIMEOUT, is_up).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(CacheError::Down { server: name(), reason: "the test has said so".into() })
            }
            Err(_) => Err(timed_out()),
        }
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        locked(&self.faults)
    }

    fn stores(&self) -> Vec<Arc<dyn CacheStore>> {
        locked(&self.stores).clone()
    }
}

/// A command on its way to a store. Tokens are shown to the `Orm` as those of the life
/// they are from.
pub(super) struct Admitted<'s> {
    life: RwLockReadGuard<'s, Life>,
    loses_answer: bool,
}

impl Admitted<'_> {
    /// The lease that may be asked for.
    pub(super) fn lease(&self, lease: Option<Duration>) -> Option<Duration> {
        lease.filter(|_| self.life.fills_from.is_none_or(|from| Instant::now() >= from))
    }

    /// The answer, unless it is lost.
    pub(super) fn answer<T>(&self, answer: Result<T, CacheError>) -> Result<T, CacheError> {
        if self.loses_answer { Err(timed_out()) } else { answer }
    }

    /// The store's token as it is shown.
    pub(super) fn shown(&self, cas: Cas) -> Cas {
        let Incarnation { process, started } = cas.incarnation;
        let started = started.wrapping_add(self.life.number);
        Cas { incarnation: Incarnation { process, started }, ..cas }
    }

    /// The store's token for one that was shown. That of another life is a token that
    /// the store has never given.
    pub(super) fn own(&self, shown: Cas) -> Cas {
        let Incarnation { process, started } = shown.incarnation;
        let started = started.wrapping_sub(self.life.number);
        Cas { incarnation: Incarnation { process, started }, ..shown }
    }

    pub(super) fn shown_lookup(&self, lookup: Lookup) -> Lookup {
        lookup.map_cas(|cas| self.shown(cas))
    }
}

/// Takes away whatever lies under the key.
async fn remove(store: &dyn CacheStore, key: &CacheKey) -> Result<bool, CacheError> {
    loop {
        let Some(cas) = store.get(key, None).await?.cas() else { return Ok(false) };
        match store.delete(key, cas).await? {
            Deleted::Deleted => return Ok(true),
            Deleted::NotFound => return Ok(false),
            _ => {}
        }
    }
}

fn timed_out() -> CacheError {
    CacheError::TimedOut { server: name(), after: TIMEOUT }
}

fn name() -> Arc<str> {
    "test-kit".into()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// Not derived: keys are the user's data.
impl fmt::Debug for CacheScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheScript")
            .field("condition", &*self.condition.borrow())
            .field("faults", &self.faults().len())
            .finish_non_exhaustive()
    }
}
