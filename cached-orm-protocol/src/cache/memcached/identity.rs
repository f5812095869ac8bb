use super::reply;
use crate::cache::Incarnation;
use bytes::{Buf, BytesMut};
use std::{
    collections::HashMap,
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::Instant,
};

/// An item's header, its CAS token, the byte after the key and the CRLF after
/// the value are 59 bytes in memcached 1.6; the rest is a margin.
const ITEM_OVERHEAD: usize = 128;
/// Larger values are neither sent nor read, whatever the server takes.
const MAX_VALUE: usize = 64 << 20;
/// memcached's `uptime` starts at 2 and counts whole seconds.
const UPTIME_AHEAD: Duration = Duration::from_secs(3);
/// From this `uptime` on, the server has lived for a whole second.
const SETTLED_UPTIME: u64 = 3;
/// When to ask a server again that had not lived for a second.
const SETTLES_AFTER: Duration = Duration::from_secs(2);
/// Lines that are read. Both answers together have about 150.
const MAX_STATS: usize = 2048;

/// Who is at the other end of a connection, as `stats` told.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) incarnation: Incarnation,
    item_size_max: usize,
    /// The server's age when it was asked.
    age: Duration,
    asked: Instant,
    is_settled: bool,
}

impl Identity {
    /// How old the server is, or younger: never older.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.age.saturating_add(now.saturating_duration_since(self.asked))
    }

    /// Whether an item of this size fits into the server.
    pub(super) fn fits(&self, key: usize, value: usize) -> bool {
        value <= MAX_VALUE && key + value + ITEM_OVERHEAD <= self.item_size_max
    }

    /// The largest value that the server can have.
    pub(super) fn max_value(&self) -> usize {
        self.item_size_max.min(MAX_VALUE)
    }

    /// Whether the server was in its first second when it was asked, and is no
    /// more.
    pub(super) fn is_outdated(&self, now: Instant) -> bool {
        !self.is_settled && now.saturating_duration_since(self.asked) >= SETTLES_AFTER
    }

    /// Asks the server.
    pub(super) async fn learn(
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        buffer: &mut BytesMut,
    ) -> io::Result<Self> {
        stream.write_all(b"stats\r\nstats settings\r\n").await?;
        let mut stats = HashMap::new();
        let (mut lines, mut ends) = (0, 0);
        while ends < 2 {
            let line = match reply::line_end(buffer).map_err(io::Error::other)? {
                Some(len) => {
                    let line = buffer.split_to(len);
                    buffer.advance(2);
                    line
                }
                None => {
                    if stream.read_buf(buffer).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    continue;
                }
            };
            lines += 1;
            let mut words = line[..].split(|&byte| byte == b' ');
            match (words.next(), words.next(), words.next()) {
                (Some(b"END"), None, None) => ends += 1,
                (Some(b"STAT"), Some(name), value) if lines <= MAX_STATS => {
                    // `uptime` comes from `stats`, before `stats settings` may
                    // repeat a name.
                    stats.entry(name.to_vec()).or_insert(value.unwrap_or_default().to_vec());
                }
                _ => return Err(io::Error::other("it does not answer `stats` like memcached")),
            }
        }
        Self::from_stats(&stats)
    }

    /// The start of a server is `time` - `uptime`: memcached computes both from
    /// one clock reading, so it is constant for the life of a process, and is
    /// compared exactly.
    ///
    /// It has whole seconds, and in a container each life of a server may have
    /// the same process id. So two lives that began in one second could be
    /// taken for one. Such an earlier life never lived for a whole second: what
    /// a server says in its first second is scoped to this connection.
    pub(super) fn from_stats(stats: &HashMap<Vec<u8>, Vec<u8>>) -> io::Result<Self> {
        let number = |name: &str| {
            let value = stats.get(name.as_bytes()).and_then(|digits| reply::number(digits));
            value.ok_or_else(|| io::Error::other(format!("it does not tell its `{name}`")))
        };
        let text = |name: &str| stats.get(name.as_bytes()).map(Vec::as_slice);
        if text("cas_enabled") != Some(b"yes") {
            return Err(io::Error::other("it runs without CAS (memcached's option `-C`)"));
        }
        let (pid, uptime) = (number("pid")?, number("uptime")?);
        let started = number("time")?.saturating_sub(uptime);
        let is_settled = uptime >= SETTLED_UPTIME;
        let process = if is_settled { pid } else { scoped(pid) };
        // A warm restart from a memory file goes on with the old uptime.
        let keeps_uptime = text("memory_file").is_some_and(|file| file != b"(null)");
        let age = if keeps_uptime {
            Duration::ZERO
        } else {
            Duration::from_secs(uptime).saturating_sub(UPTIME_AHEAD)
        };
        Ok(Self {
            incarnation: Incarnation { process, started },
            item_size_max: usize::try_from(number("item_size_max")?).unwrap_or(MAX_VALUE),
            age,
            asked: Instant::now(),
            is_settled,
        })
    }
}

/// A number that no process has, and that no two connections get.
fn scoped(pid: u64) -> u64 {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    // Process ids have at most 22 bits.
    (pid & 0xFFFF_FFFF) | (CONNECTIONS.fetch_add(1, Ordering::Relaxed) << 32)
}
