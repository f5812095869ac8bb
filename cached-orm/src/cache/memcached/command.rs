use super::{
    peer::Peer,
    reply::{Reply, Status},
};
use crate::{
    cache::{CacheError, Cas, Deleted, Incarnation, Lookup, Over, Replaced},
    key::CacheKey,
};
use bytes::Bytes;
use memcache::exp::{MetaCommand, MetaOp};
use tokio::{sync::oneshot, time::Instant};

/// Where an answer goes.
pub(super) type Caller<T> = oneshot::Sender<Result<T, CacheError>>;

/// A command that waits for its connection.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) key: CacheKey,
    pub(super) command: Command,
    /// When the caller began to wait.
    pub(super) queued: Instant,
}

/// What to do with a key, and who asked.
#[derive(Debug)]
pub(super) enum Command {
    /// `lease` in seconds.
    Get { lease: Option<u32>, caller: Caller<Lookup> },
    /// `ttl` in seconds.
    Set { value: Bytes, ttl: u32, over: Over, caller: Caller<Replaced> },
    /// Without `caller` it gives back a lease that nobody waits for.
    Delete { over: Cas, caller: Option<Caller<Deleted>> },
}

impl Command {
    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Get { caller, .. } => caller.is_closed(),
            Self::Set { caller, .. } => caller.is_closed(),
            Self::Delete { caller, .. } => caller.as_ref().is_some_and(Caller::is_closed),
        }
    }

    /// The version this command is meant for.
    pub(super) fn over(&self) -> Option<Cas> {
        match self {
            Self::Get { .. } => None,
            Self::Set { over, .. } => over.version(),
            Self::Delete { over, .. } => Some(*over),
        }
    }

    pub(super) fn value_len(&self) -> usize {
        match self {
            Self::Set { value, .. } => value.len(),
            Self::Get { .. } | Self::Delete { .. } => 0,
        }
    }

    // A caller that has gone away makes `send` fail; nobody is left to tell.

    pub(super) fn fail(self, error: CacheError) {
        match self {
            Self::Get { caller, .. } => drop(caller.send(Err(error))),
            Self::Set { caller, .. } => drop(caller.send(Err(error))),
            Self::Delete { caller, .. } => drop(caller.map(|caller| caller.send(Err(error)))),
        }
    }

    /// Answers a command whose version another incarnation gave.
    pub(super) fn other_incarnation(self) {
        match self {
            // It has no version.
            Self::Get { .. } => {}
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
                let get = new(MetaOp::Get).flag("v").flag("c");
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

    /// Gives the caller what the server said. If the caller has gone away with a
    /// lease, returns the command that gives it back: for as long as it lasts
    /// nobody else fills the key.
    ///
    /// # Errors
    /// The reply is not one to this command. The caller has been told.
    pub(super) fn answer(
        self,
        key: CacheKey,
        reply: Reply,
        incarnation: Incarnation,
        peer: &Peer,
    ) -> Result<Option<Request>, CacheError> {
        match self {
            Self::Get { lease, caller } => {
                let orphan = deliver(caller, lookup(reply, lease.is_some(), incarnation), peer)?;
                let Some(Lookup::Lease(over)) = orphan else { return Ok(None) };
                let command = Self::Delete { over, caller: None };
                Ok(Some(Request { key, command, queued: Instant::now() }))
            }
            Self::Set { over, caller, .. } => {
                deliver(caller, replaced(&reply, over, incarnation), peer)?;
                Ok(None)
            }
            Self::Delete { caller, .. } => {
                if let Some(caller) = caller {
                    deliver(caller, deleted(&reply), peer)?;
                }
                Ok(None)
            }
        }
    }
}

/// Returns an answer that nobody takes.
fn deliver<T>(caller: Caller<T>, answer: Option<T>, peer: &Peer) -> Result<Option<T>, CacheError> {
    match answer {
        Some(answer) => Ok(caller.send(Ok(answer)).err().and_then(Result::ok)),
        None => {
            let error = peer.protocol("a reply that the command does not have");
            drop(caller.send(Err(error.clone())));
            Err(error)
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
        Lookup::Item { value, cas, stale: reply.stale }
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

fn deleted(reply: &Reply) -> Option<Deleted> {
    match reply.status {
        Status::Done => Some(Deleted::Deleted),
        Status::Exists => Some(Deleted::Exists),
        Status::NotFound => Some(Deleted::NotFound),
        _ => None,
    }
}
