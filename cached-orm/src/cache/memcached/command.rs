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
use memcache::exp::{MetaCommand, MetaOp};
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

    /// Appends the command as it is sent. On an error nothing is appended.
    pub(super) fn encode(
        &self,
        key: &CacheKey,
        opaque: u64,
        may_lease: bool,
        out: &mut Vec<u8>,
    ) -> memcache::exp::Result<()> {
        let new = |op| MetaCommand::new(op, key.as_bytes());
        let command = match self {
            Self::Get { lease, .. } => {
                let get = new(MetaOp::Get).flag("v").flag("c").flag("t");
                match lease {
                    Some(seconds) if may_lease => get.flag(format!("N{seconds}")),
                    _ => get,
                }
            }
            // The length goes in as if it were the first flag, and the value
            // after the line: `MetaCommand::value` would copy it twice.
            Self::Set { value, ttl, over, .. } => {
                let set = new(MetaOp::Set).flag(value.len().to_string()).flag("c");
                let set = set.flag(format!("T{ttl}"));
                match over {
                    Over::Anything => set,
                    Over::Version(cas) => set.flag(format!("C{}", cas.token)),
                    Over::Nothing => set.flag("ME"),
                }
            }
            Self::Claim { below, .. } => new(MetaOp::Get).flag("c").flag(format!("R{below}")),
            Self::Delete { over, .. } => new(MetaOp::Delete).flag(format!("C{}", over.token)),
        };
        let start = out.len();
        if let Err(error) = command.flag(format!("O{opaque}")).encode_into(out) {
            out.truncate(start);
            return Err(error);
        }
        if let Self::Set { value, .. } = self {
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        Ok(())
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
        let answered = match self {
            Self::Get { lease, asker } => match lookup(reply, lease.is_some(), incarnation) {
                Some(found) => return Ok(asker.answer(key, Ok(found))),
                None => Err(Self::Get { lease, asker }),
            },
            Self::Set { value, ttl, over, caller } => match replaced(&reply, over, incarnation) {
                Some(replaced) => Ok(drop(caller.send(Ok(replaced)))),
                None => Err(Self::Set { value, ttl, over, caller }),
            },
            Self::Claim { below, caller } => match claimed(&reply, incarnation) {
                Some(claimed) => {
                    drop(caller.send(Ok(claimed)));
                    Ok(())
                }
                None => Err(Self::Claim { below, caller }),
            },
            Self::Delete { over, caller } => match deleted(&reply) {
                Some(deleted) => Ok(drop(caller.map(|caller| caller.send(Ok(deleted))))),
                None => Err(Self::Delete { over, caller }),
            },
        };
        match answered {
            Ok(()) => Ok(Vec::new()),
            Err(command) => {
                let error = peer.protocol("a reply that the command does not have");
                drop(command.fail(key, error.clone()));
                Err(error)
            }
        }
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
