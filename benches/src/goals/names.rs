//! What contestants, workloads and facts are called by those that measure them.

/// This crate, as most use it.
pub(crate) const MEMCACHED: &str = "cached-orm, memcached";
/// This crate with copies in the process.
pub(crate) const NEAR: &str = "cached-orm, near";
/// This crate with the store inside the process.
pub(crate) const EMBEDDED: &str = "cached-orm, embedded";
/// All of this crate's contestants begin with it.
pub(crate) const OURS: &str = "cached-orm";

/// This crate's connections to memcached without anything around them.
pub(crate) const BARE_LANES: &str = "bare lanes";
/// One command, one answer, nothing else.
pub(crate) const PING_PONG: &str = "raw ping-pong socket";
/// What one writes without a crate for it.
pub(crate) const BY_HAND: &str = "memcache by hand";
/// Another crate for caching rows.
pub(crate) const CACHE_KIT: &str = "cache-kit";
/// No cache.
pub(crate) const PLAIN: &str = "sqlx, PostgreSQL";
/// What this crate took its idea from.
pub(crate) const PYTHON: &str = "the original, in Python";
/// A cache inside the process.
pub(crate) const HYDRACACHE: &str = "hydracache";
/// Another one.
pub(crate) const MOKA: &str = "moka by hand";
/// One batch of `get`s on one socket.
pub(crate) const RAW_BATCH: &str = "raw batch";
/// The statements that a write needs, without a cache.
pub(crate) const SAME_TRANSACTION: &str = "transaction by hand";

/// What the measuring itself costs.
pub(crate) const NOTHING: &str = "nothing";

/// Contestants that ask nobody outside their process for a hit.
pub(crate) const IN_PROCESS: [&str; 5] = [EMBEDDED, NEAR, HYDRACACHE, MOKA, NOTHING];

/// Reads of what the cache has.
pub(crate) const HITS: &str = "hits";
/// Reads of what it does not have.
pub(crate) const MISSES: &str = "misses";
/// Reads with writes among them.
pub(crate) const MIX: &str = "mix";
/// Writes alone.
pub(crate) const WRITES: &str = "writes";
/// A hundred rows at once.
pub(crate) const MANY_100: &str = "many-100";
/// The number of keys follows.
pub(crate) const GROWTH_KEYS: &str = "growth-keys-";
/// The number of servers follows.
pub(crate) const GROWTH_SERVERS: &str = "growth-servers-";

/// Programs measured against: the name of such a fact says all, its value nothing.
pub(crate) const VERSIONS: &str = "versions";
/// Many readers of one missing row.
pub(crate) const STAMPEDE: &str = "stampede";
/// A fact of it: others wait so long.
pub(crate) const SHORT_LOAD: &str = "loads, 4 processes, a load takes 20 ms";
/// A fact of it: nobody waits so long for another process.
pub(crate) const LONG_LOAD: &str = "loads, 4 processes, a load takes 200 ms";
/// What an `Orm` takes.
pub(crate) const MEMORY: &str = "memory";
/// A fact of it, in KiB.
pub(crate) const IDLE_ORM: &str = "an idle Orm";
/// What a derive costs.
pub(crate) const COMPILE: &str = "compile";
/// A fact of it, for one struct.
pub(crate) const OUR_DERIVE: &str = "MemcachedOrm, each struct";
/// The same of serde's two derives.
pub(crate) const SERDE_DERIVE: &str = "serde, each struct";
