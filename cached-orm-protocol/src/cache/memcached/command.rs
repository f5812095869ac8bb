use super::{
    gets::Asker,
    peer::Peer,
    reply::{Reply, Status},
    request::Request,
};
use crate::{
    cache::{CacheError, Cas, Deleted, Incarnation, Lookup, Over, Replaced},
    key::CacheKey,
};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::oneshot;

/// Where an answer goes.
pub(super) type Caller<T> = oneshot::Sender<Result<T, CacheError>>;

/// What to do with a key, and who asked.
#[derive(Debug)]
pub(super) enum Command {
    /// `lease` in seconds.
    Get { lease: Option<u32>, asker: Asker },
    /// `ttl` in seconds.
    Set { value: Bytes, ttl: u32, over: Over, caller: Caller<Replaced> },
    /// `below` in seconds.
    Claim { below: u32, caller: Caller<Option<Cas>> },
    /// Without `caller` it gives back a lease that nobody waits for.
    Delete { over: Cas, caller: Option<Caller<Deleted>> },
}

impl Command {
    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Get { asker, .. } => asker.is_gone(),
            Self::Set { caller, .. } => caller.is_closed(),
            Self::Claim { caller, .. } => caller.is_closed(),
            Self::Delete { caller, .. } => caller.as_ref().is_some_and(Caller::is_closed),
        }
    }

    /// The version this command is meant for.
    pub(super) fn over(&self) -> Option<Cas> {
        match self {
            Self::Get { .. } | Self::Claim { .. } => None,
            Self::Set { over, .. } => over.version(),
            Self::Delete { over, .. } => Some(*over),
        }
    }

    pub(super) fn value_len(&self) -> usize {
        match self {
            Self::Set { value, .. } => value.len(),
            Self::Get { .. } | Self::Claim { .. } | Self::Delete { .. } => 0,
        }
    }

    // A caller that has gone away makes `send` fail; nobody is left to tell.

    /// Returns what is to be given back, as [`answer`](Self::answer) does.
    pub(super) fn fail(self, key: CacheKey, error: CacheError) -> Vec<Request> {
        match self {
            Self::Get { asker, .. } => return asker.answer(key, Err(error)),
            Self::Set { caller, .. } => drop(caller.send(Err(error))),
            Self::Claim { caller, .. } => drop(caller.send(Err(error))),
            Self::Delete { caller, .. } => drop(caller.map(|caller| caller.send(Err(error)))),
        }
        Vec::new()
    }

    /// Answers a command whose version another incarnation gave.
    pub(super) fn other_incarnation(self) {
        match self {
            // It has no version.
            Self::Get { .. } | Self::Claim { .. } => {}
            Self::Set { caller, .. } => drop(caller.send(Ok(Replaced::OtherIncarnation))),
            Self::Delete { caller, .. } => {
                drop(caller.map(|caller| caller.send(Ok(Deleted::OtherIncarnation))));
            }
        }
    }

    /// Answers a command whose value the server does not take.
    pub(super) fn too_large(self) {
        if let Self::Set { caller, .. } = self {
            drop(caller.send(Ok(Replaced::TooLarge)));
        }
    }

    /// Appends the command as it is sent: a line of memcached's meta protocol, and
    /// the value of a set. A [`CacheKey`] holds nothing that would end the line.
    pub(super) fn encode(&self, key: &CacheKey, opaque: u64, may_lease: bool, out: &mut Vec<u8>) {
        let mut line = Line::begin(out, self.verb(), key);
        match self {
            Self::Get { lease, .. } => {
                line.flags(b" v c t");
                if let Some(seconds) = lease.filter(|_| may_lease) {
                    line.number(b" N", seconds.into());
                }
            }
            Self::Set { value, ttl, over, .. } => {
                line.number(b" ", value.len() as u64);
                line.number(b" c T", (*ttl).into());
                match over {
                    Over::Anything => {}
                    Over::Version(cas) => line.number(b" C", cas.token),
                    Over::Nothing => line.flags(b" ME"),
                }
            }
            Self::Claim { below, .. } => line.number(b" c R", (*below).into()),
            Self::Delete { over, .. } => line.number(b" C", over.token),
        }
        line.number(b" O", opaque);
        line.flags(b"\r\n");
        if let Self::Set { value, .. } = self {
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    fn verb(&self) -> &'static [u8] {
        match self {
            Self::Get { .. } | Self::Claim { .. } => b"mg ",
            Self::Set { .. } => b"ms ",
            Self::Delete { .. } => b"md ",
        }
    }

    /// Gives the caller what the server said. If a caller has gone away with
    /// leases, returns the requests that give them back.
    ///
    /// # Errors
    /// The reply is not one to this command. The caller has been told.
    pub(super) fn answer(
        self,
        key: CacheKey,
        reply: Reply,
        incarnation: Incarnation,
        peer: &Peer,
    ) -> Result<Vec<Request>, CacheError> {
        let unanswered = match self {
            Self::Get { lease, asker } => match lookup(reply, lease.is_some(), incarnation) {
                Some(found) => return Ok(asker.answer(key, Ok(found))),
                None => Some(Self::Get { lease, asker }),
            },
            Self::Set { value, ttl, over, caller } => match replaced(&reply, over, incarnation) {
                Some(replaced) => {
                    drop(caller.send(Ok(replaced)));
                    None
                }
                None => Some(Self::Set { value, ttl, over, caller }),
            },
            Self::Claim { below, caller } => match claimed(&reply, incarnation) {
                Some(claimed) => {
                    drop(caller.send(Ok(claimed)));
                    None
                }
                None => Some(Self::Claim { below, caller }),
            },
            Self::Delete { over, caller } => match deleted(&reply) {
                Some(deleted) => {
                    drop(caller.map(|caller| caller.send(Ok(deleted))));
                    None
                }
                None => Some(Self::Delete { over, caller }),
            },
        };
        let Some(command) = unanswered else { return Ok(Vec::new()) };
        let error = peer.protocol("a reply that the command does not have");
        drop(command.fail(key, error.clone()));
        Err(error)
    }
}

/// A command's line, written without a detour: it is done for every read.
struct Line<'o>(&'o mut Vec<u8>);

impl<'o> Line<'o> {
    fn begin(out: &'o mut Vec<u8>, verb: &[u8], key: &CacheKey) -> Self {
        out.extend_from_slice(verb);
        out.extend_from_slice(key.as_bytes());
        Self(out)
    }

    fn flags(&mut self, flags: &[u8]) {
        self.0.extend_from_slice(flags);
    }

    fn number(&mut self, flag: &[u8], number: u64) {
        self.flags(flag);
        self.flags(itoa::Buffer::new().format(number).as_bytes());
    }
}

fn lookup(reply: Reply, asked_for_lease: bool, incarnation: Incarnation) -> Option<Lookup> {
    let value = match (reply.status, reply.value) {
        (Status::Miss, _) => return Some(Lookup::Miss),
        (Status::Value, Some(value)) => value,
        _ => return None,
    };
    let cas = Cas { incarnation, token: reply.token? };
    // Only a lease's placeholder is empty and not stale, and has a winner. The
    // winner's flag without a lease asked for would be a server's mistake.
    Some(if value.is_empty() && !reply.stale && (reply.won || reply.lost) {
        if reply.won && asked_for_lease { Lookup::Lease(cas) } else { Lookup::Leased(cas) }
    } else {
        let ttl = reply.ttl.map(|seconds| Duration::from_secs(seconds.into()));
        Lookup::Item { value, cas, stale: reply.stale, ttl, claimed: reply.lost }
    })
}

fn replaced(reply: &Reply, over: Over, incarnation: Incarnation) -> Option<Replaced> {
    match (reply.status, over) {
        (Status::Done, _) => Some(Replaced::Stored(Cas { incarnation, token: reply.token? })),
        (Status::Exists, Over::Version(_)) => Some(Replaced::Exists),
        (Status::NotFound, Over::Version(_)) => Some(Replaced::NotFound),
        (Status::NotStored, Over::Nothing) => Some(Replaced::Exists),
        _ => None,
    }
}

fn claimed(reply: &Reply, incarnation: Incarnation) -> Option<Option<Cas>> {
    match reply.status {
        Status::Miss => Some(None),
        Status::Done if reply.won => Some(Some(Cas { incarnation, token: reply.token? })),
        Status::Done => Some(None),
        _ => None,
    }
}

fn deleted(reply: &Reply) -> Option<Deleted> {
    match reply.status {
        Status::Done => Some(Deleted::Deleted),
        Status::Exists => Some(Deleted::Exists),
        Status::NotFound => Some(Deleted::NotFound),
        _ => None,
    }
}
