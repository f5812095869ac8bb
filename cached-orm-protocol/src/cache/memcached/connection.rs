use super::{
    address::Address,
    alarm::Alarm,
    command::Command,
    identity::Identity,
    peer::Peer,
    reply::{self, Parsed},
    request::{Request, Work},
};
use crate::{cache::CacheError, key::CacheKey};
use bytes::BytesMut;
use std::{collections::VecDeque, io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    task::coop::unconstrained,
    time::{Instant, timeout_at},
};

/// What is asked of the operating system at once.
const READ: usize = 16 << 10;
/// Larger buffers are given back after a batch.
const KEEP: usize = 256 << 10;

/// One connection to a server, and the batch on it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    identity: Identity,
    received: BytesMut,
    out: Vec<u8>,
    /// In the order of the replies.
    sent: VecDeque<Sent>,
    /// Never repeated on a connection, so that a late, doubled or swapped reply
    /// cannot be taken for another's.
    next_opaque: u64,
    /// When the batch must be over.
    deadline: Option<Instant>,
    alarm: Alarm,
}

/// A command that waits for its reply.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) opaque: u64,
    pub(super) key: CacheKey,
    pub(super) command: Command,
}

impl Connection {
    /// Resolves the name anew each time: it may have moved. Of several addresses
    /// every process takes the same, since a key must have one place.
    pub(super) async fn dial(address: &Address) -> io::Result<Self> {
        let found = lookup_host((address.host.as_str(), address.port)).await?.min();
        let found = found.ok_or_else(|| io::Error::other("the name has no address"))?;
        let mut stream = TcpStream::connect(found).await?;
        stream.set_nodelay(true)?;
        let mut received = BytesMut::with_capacity(READ);
        let identity = Identity::learn(&mut stream, &mut received).await?;
        Ok(Self {
            stream,
            identity,
            received,
            out: Vec::new(),
            sent: VecDeque::new(),
            next_opaque: 1,
            deadline: None,
            alarm: Alarm::default(),
        })
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns once the server has closed the connection or said something
    /// that nobody asked for.
    pub(super) async fn broken(&self) -> io::Error {
        loop {
            if let Err(error) = self.stream.readable().await {
                return error;
            }
            match self.stream.try_read(&mut [0]) {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => return io::Error::other("the server spoke without being asked"),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return error,
            }
        }
    }

    /// Runs the first of the requests as one batch, and answers their callers: as
    /// many as have no more than `most` commands together, or one.
    ///
    /// # Errors
    /// The connection is out of step and must be dropped.
    pub(super) async fn run(
        &mut self,
        requests: &mut Vec<Request>,
        most: usize,
        timeout: Duration,
        hold_off: Duration,
        peer: &Peer,
    ) -> Result<(), CacheError> {
        let now = Instant::now();
        if self.identity.is_outdated(now) {
            let learning = Identity::learn(&mut self.stream, &mut self.received);
            self.identity = match timeout_at(now + timeout, learning).await {
                Ok(learnt) => learnt.map_err(|error| peer.disconnected(error))?,
                Err(_) => return Err(peer.timed_out(timeout)),
            };
            peer.meet(&self.identity);
        }
        let now = Instant::now();
        let mut commands = 0;
        let in_batch = requests.iter().take_while(|request| {
            let is_first = commands == 0;
            commands += request.commands();
            is_first || commands <= most
        });
        let in_batch = in_batch.count();
        let mut orphans = Vec::new();
        for request in requests.drain(..in_batch) {
            self.queue(request, now, timeout, hold_off, peer);
        }
        let Some(deadline) = self.deadline.take() else { return Ok(()) };
        let mut alarm = std::mem::take(&mut self.alarm);
        let outcome = tokio::select! {
            biased;
            outcome = self.exchange(peer, &mut orphans) => outcome,
            // Heard even if the exchange has used up the task's turn.
            () = unconstrained(alarm.wait(deadline)) => Err(peer.timed_out(timeout)),
        };
        self.alarm = alarm;
        if let Err(error) = &outcome {
            for sent in self.sent.drain(..) {
                orphans.extend(sent.command.fail(sent.key, error.clone()));
            }
        }
        // The next batch.
        requests.extend(orphans);
        self.out.clear();
        if self.out.capacity() > KEEP {
            self.out = Vec::new();
        }
        if self.received.capacity() > KEEP {
            self.received = BytesMut::new();
        }
        outcome
    }

    /// Encodes a request, or answers it at once if it must not be sent.
    fn queue(
        &mut self,
        request: Request,
        now: Instant,
        timeout: Duration,
        hold_off: Duration,
        peer: &Peer,
    ) {
        let deadline = request.queued + timeout;
        if request.is_abandoned() {
            return;
        }
        if deadline <= now {
            return request.fail(peer.timed_out(timeout));
        }
        let may_lease = self.identity.age(now) >= hold_off;
        let before = self.sent.len();
        match request.work {
            Work::One { key, command } => self.encode(key, command, may_lease),
            Work::Gets(gets) => {
                for (key, command) in gets.into_commands() {
                    self.encode(key, command, may_lease);
                }
            }
        }
        if self.sent.len() > before {
            // Who has waited long does not leave the others too little.
            let deadline = deadline.max(now + timeout / 2);
            self.deadline = Some(self.deadline.map_or(deadline, |first| first.min(deadline)));
        }
    }

    /// Appends a command to the batch, or answers it.
    fn encode(&mut self, key: CacheKey, command: Command, may_lease: bool) {
        if command.over().is_some_and(|cas| cas.incarnation != self.identity.incarnation) {
            return command.other_incarnation();
        }
        let value_len = command.value_len();
        if value_len > 0 && !self.identity.fits(key.as_bytes().len(), value_len) {
            return command.too_large();
        }
        let opaque = self.next_opaque;
        self.next_opaque += 1;
        command.encode(&key, opaque, may_lease, &mut self.out);
        self.sent.push_back(Sent { opaque, key, command });
    }

    /// Writes the batch and reads the replies at the same time: a server that
    /// waits for us to read would not read what we write.
    async fn exchange(
        &mut self,
        peer: &Peer,
        orphans: &mut Vec<Request>,
    ) -> Result<(), CacheError> {
        let Self { stream, received, out, sent, identity, .. } = self;
        let (mut reader, mut writer) = stream.split();
        let write = async {
            let mut rest = &out[..];
            while !rest.is_empty() {
                match writer.write(rest).await {
                    Ok(0) => return Err(peer.disconnected(io::ErrorKind::WriteZero.into())),
                    Ok(written) => rest = &rest[written..],
                    Err(error) => return Err(peer.disconnected(error)),
                }
                peer.note_write();
            }
            Ok(())
        };
        let read = read_replies(&mut reader, received, sent, identity, peer, orphans);
        tokio::try_join!(write, read)?;
        Ok(())
    }
}

/// Reads until every command is answered.
///
/// # Errors
/// What came is not what should.
pub(super) async fn read_replies(
    reader: &mut (impl AsyncRead + Unpin),
    received: &mut BytesMut,
    sent: &mut VecDeque<Sent>,
    identity: &Identity,
    peer: &Peer,
    orphans: &mut Vec<Request>,
) -> Result<(), CacheError> {
    while !sent.is_empty() {
        match reply::parse(received, identity.max_value()) {
            Ok(Parsed::Incomplete(needed)) => {
                received.reserve(needed.saturating_sub(received.len()).max(READ));
                match reader.read_buf(received).await {
                    Ok(0) => return Err(peer.disconnected(io::ErrorKind::UnexpectedEof.into())),
                    Ok(_) => {}
                    Err(error) => return Err(peer.disconnected(error)),
                }
            }
            Ok(parsed) => orphans.extend(settle(sent, parsed, identity, peer)?),
            Err(message) => return Err(peer.protocol(message)),
        }
    }
    if received.is_empty() { Ok(()) } else { Err(peer.protocol("more replies than commands")) }
}

/// Gives a reply to the command at the front, if it belongs to it. Returns what
/// is to be done about leases that nobody waits for any more.
///
/// An error line carries no opaque number, so it is taken for the next
/// command's by its place only. That is safe: an error tells the caller that
/// nothing is known, and if the line was not the command's own, the next reply
/// has a number that does not fit. After `SERVER_ERROR` (out of memory, item
/// too large) memcached has swallowed the value and the connection goes on.
/// After `CLIENT_ERROR` or `ERROR` it may take the value for commands, and the
/// connection ends.
fn settle(
    sent: &mut VecDeque<Sent>,
    parsed: Parsed,
    identity: &Identity,
    peer: &Peer,
) -> Result<Vec<Request>, CacheError> {
    if let Parsed::Reply(reply) = &parsed
        && sent.front().is_some_and(|next| next.opaque != reply.opaque)
    {
        return Err(peer.protocol("a reply to another command"));
    }
    let Some(Sent { command, key, .. }) = sent.pop_front() else { return Ok(Vec::new()) };
    match parsed {
        Parsed::Reply(reply) => command.answer(key, reply, identity.incarnation, peer),
        Parsed::Refused(message) => Ok(command.fail(key, peer.refused(&message))),
        Parsed::NotUnderstood(message) => {
            drop(command.fail(key, peer.refused(&message)));
            Err(peer.disconnected(io::Error::other("the server did not understand a command")))
        }
        // The caller has read on.
        Parsed::Incomplete(_) => Ok(Vec::new()),
    }
}
