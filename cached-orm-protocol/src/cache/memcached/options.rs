use super::address::Address;
use std::{collections::HashSet, time::Duration};

/// How to reach memcached, and how long to wait for it.
#[derive(Debug, Clone)]
pub struct MemcachedOptions {
    /// `host` or `host:port`.
    pub servers: Vec<String>,
    /// Where writers fence as well, while the list is changed.
    pub also_fence: Vec<String>,
    /// Connections to each server, besides the one for large values; if not given,
    /// two in all, and at least one to each.
    pub connections: Option<usize>,
    /// From the call of a command to its answer, waiting in queues included.
    pub timeout: Duration,
    /// For dialling a server and learning who it is.
    pub connect_timeout: Duration,
    /// How old a server must be before it gives leases: the fences of running
    /// writers were lost if it restarted.
    pub hold_off: Duration,
    /// Requests that may wait for one connection; several reads may be one.
    pub queue: usize,
    /// How long after a connection broke requests wait for the server to be back,
    /// before they fail at once.
    pub patience: Duration,
}

/// More connections make smaller batches, and with them more system calls: what a
/// second one brings is a second processor.
const CONNECTIONS: usize = 2;

impl Default for MemcachedOptions {
    fn default() -> Self {
        Self {
            servers: vec!["127.0.0.1:11211".to_owned()],
            also_fence: Vec::new(),
            connections: None,
            timeout: Duration::from_millis(50),
            connect_timeout: Duration::from_millis(500),
            hold_off: Duration::from_secs(15),
            queue: 4096,
            patience: Duration::ZERO,
        }
    }
}

impl MemcachedOptions {
    /// The options of the lanes that writes have for themselves, so that a command of
    /// theirs may take `timeout`: a read that is given up on takes its connection with
    /// it. They outlast a server that restarts as quickly.
    pub(super) fn for_writes(&self, timeout: Duration) -> Self {
        Self { connections: Some(1), timeout, patience: timeout, ..self.clone() }
    }

    /// The options of the second ring, if there is one.
    pub(super) fn for_also_fence(&self) -> Option<Self> {
        if self.also_fence.is_empty() {
            return None;
        }
        Some(Self { servers: self.also_fence.clone(), also_fence: Vec::new(), ..self.clone() })
    }

    /// Connections to each of so many servers.
    pub(super) fn connections_to_each(&self, servers: usize) -> usize {
        self.connections.unwrap_or_else(|| CONNECTIONS.div_ceil(servers.max(1)))
    }
}

/// Nobody waits longer for a cache, and dates stay in range.
const MAX_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Refuses options that can't work, in words for whoever wrote them.
pub(super) fn addresses(options: &MemcachedOptions) -> Result<Vec<Address>, String> {
    if options.servers.is_empty() {
        return Err("no memcached server is given; at least one is needed".to_owned());
    }
    if options.connections == Some(0) {
        return Err("0 connections to each memcached server; at least 1 is needed".to_owned());
    }
    if options.queue == 0 {
        return Err("a queue of 0 commands for memcached; at least 1 is needed".to_owned());
    }
    if options.timeout.is_zero() || options.connect_timeout.is_zero() {
        return Err("a timeout of 0 for memcached; it must be longer".to_owned());
    }
    if options.timeout > MAX_TIMEOUT || options.connect_timeout > MAX_TIMEOUT {
        return Err("a timeout of more than an hour for memcached; it must be shorter".to_owned());
    }
    let mut seen = HashSet::new();
    options
        .servers
        .iter()
        .map(|text| {
            let address = Address::parse(text)?;
            let canonical = address.canonical();
            if !seen.insert(canonical.clone()) {
                return Err(format!(
                    "memcached address {text:?} is given twice: it is {canonical}"
                ));
            }
            Ok(address)
        })
        .collect()
}
