//! What a server may say to a connection: anything.

use super::{
    address::Address,
    command::Command,
    connection::{Sent, read_replies},
    gets::Asker,
    identity::Identity,
    options::{self, MemcachedOptions},
    peer::Peer,
    reply,
};
use crate::{
    cache::{Cas, Deleted, Incarnation, Lookup, Over, Replaced},
    key::{CacheKey, Namespace},
};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};

const LEASE: u32 = 10;
const USUAL: &[u8] = b"STAT pid 7\r\nSTAT uptime 1000\r\nSTAT time 1000000\r\nEND\r\n\
    STAT item_size_max 1048576\r\nSTAT cas_enabled yes\r\nSTAT memory_file (null)\r\nEND\r\n";

/// A server that says what it is given, so many bytes at a time, and hangs up.
struct Server<'d> {
    says: &'d [u8],
    at_once: usize,
}

impl AsyncRead for Server<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = self.says.len().min(self.at_once).min(buffer.remaining());
        let (now, later) = self.says.split_at(len);
        buffer.put_slice(now);
        self.says = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Lets a server say `data` to a connection that has sent one command of each kind.
/// The first byte says how it is cut into packets, and whether `stats` is answered by
/// the rest too. No answer may be given that is not in what the server said.
pub fn replies(data: &[u8]) {
    let Some((&mode, data)) = data.split_first() else { return };
    let at_once = usize::from(mode >> 1) + 1;
    let mut received = BytesMut::new();
    let says = if mode & 1 == 0 { [USUAL, data].concat() } else { data.to_vec() };
    let mut server = Server { says: &says, at_once };
    let learnt = Identity::learn(&mut server, &mut received).now_or_never();
    let Some(Ok(identity)) = learnt else {
        // It is never waited for.
        assert!(learnt.is_some());
        return;
    };
    // What is left to be said, and so what replies may be in.
    let said = [&received[..], server.says].concat();

    let cas = Cas { incarnation: identity.incarnation, token: 5 };
    let mut sent = VecDeque::new();
    let mut send = |command| {
        let opaque = sent.len() as u64 + 1;
        let key = CacheKey::of_parts(&Namespace::default(), "t", &[opaque.to_string()]);
        sent.push_back(Sent { opaque, key, command });
    };
    let value = Bytes::from_static(b"value");
    let (caller, mut get) = oneshot::channel();
    send(Command::Get { lease: None, asker: Asker::One(caller) });
    let (caller, mut leased) = oneshot::channel();
    send(Command::Get { lease: Some(LEASE), asker: Asker::One(caller) });
    let mut sets = [Over::Anything, Over::Version(cas), Over::Nothing].map(|over| {
        let (caller, set) = oneshot::channel();
        send(Command::Set { value: value.clone(), ttl: 60, over, caller });
        (over, set)
    });
    let (caller, mut claim) = oneshot::channel();
    send(Command::Claim { below: 5, caller });
    let (caller, mut delete) = oneshot::channel();
    send(Command::Delete { over: cas, caller: Some(caller) });
    let (caller, gone) = oneshot::channel();
    drop(gone);
    send(Command::Get { lease: Some(LEASE), asker: Asker::One(caller) });

    let peer = Peer::new("server:11211");
    let mut orphans = Vec::new();
    let outcome =
        read_replies(&mut server, &mut received, &mut sent, &identity, &peer, &mut orphans)
            .now_or_never()
            .expect("it waits for nothing");
    assert!(outcome.is_err() || sent.is_empty() && received.is_empty());
    let most = identity.max_value() + said.len() + (64 << 10);
    assert!(received.capacity() <= most, "{} bytes for {most}", received.capacity());
    assert!(orphans.len() <= 1, "one lease was asked for by who has gone away");

    let said = Said { bytes: &said, incarnation: identity.incarnation };
    for (opaque, lease, get) in [(1, false, &mut get), (2, true, &mut leased)] {
        match get.try_recv() {
            Ok(Ok(Lookup::Miss)) => said.has_line(opaque, &["EN"]),
            Ok(Ok(Lookup::Lease(_))) => assert!(lease),
            Ok(Ok(Lookup::Item { value, cas, .. })) => said.has_value(opaque, &value, cas),
            _ => {}
        }
    }
    for (opaque, (over, set)) in (3..).zip(&mut sets) {
        match set.try_recv() {
            Ok(Ok(Replaced::Stored(cas))) => {
                assert_eq!(cas.incarnation, identity.incarnation);
                said.has_line(opaque, &["HD"]);
            }
            Ok(Ok(Replaced::Exists | Replaced::NotFound)) => {
                assert_ne!(*over, Over::Anything);
                said.has_line(opaque, &["EX", "NF", "NS"]);
            }
            Ok(Ok(other)) => panic!("{other:?}"),
            _ => {}
        }
    }
    match claim.try_recv() {
        Ok(Ok(Some(_))) => said.has_line(6, &["HD"]),
        Ok(Ok(None)) => said.has_line(6, &["HD", "EN"]),
        _ => {}
    }
    match delete.try_recv() {
        Ok(Ok(Deleted::Deleted)) => said.has_line(7, &["HD"]),
        Ok(Ok(_)) => said.has_line(7, &["EX", "NF"]),
        _ => {}
    }
}

/// What a server has said, looked at in another way than the connection does.
struct Said<'d> {
    bytes: &'d [u8],
    incarnation: Incarnation,
}

impl Said<'_> {
    fn has_line(&self, opaque: u64, statuses: &[&str]) {
        let is_it = |line: &[u8]| {
            let mut words = words(line);
            let status = words.next().unwrap_or_default();
            statuses.iter().any(|known| known.as_bytes() == status)
                && words.any(|word| is_number(word, b'O', opaque))
        };
        assert!(self.bytes.split(|&byte| byte == b'\n').any(is_it), "{opaque}: {statuses:?}");
    }

    fn has_value(&self, opaque: u64, value: &[u8], cas: Cas) {
        assert_eq!(cas.incarnation, self.incarnation);
        let framed = [b"\r\n", value, b"\r\n"].concat();
        let found = self.bytes.windows(framed.len()).enumerate().any(|(at, window)| {
            let before = &self.bytes[..at];
            let line = before.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
            let words: Vec<_> = words(line).collect();
            window == framed
                && words.first() == Some(&&b"VA"[..])
                && words.get(1).and_then(|word| reply::number(word)) == Some(value.len() as u64)
                && words.iter().any(|word| is_number(word, b'O', opaque))
                && words.iter().any(|word| is_number(word, b'c', cas.token))
        });
        assert!(found, "nobody said {value:?} to {opaque}");
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.trim_ascii_end().split(|&byte| byte == b' ').filter(|word| !word.is_empty())
}

fn is_number(word: &[u8], flag: u8, expected: u64) -> bool {
    word.first() == Some(&flag) && reply::number(&word[1..]) == Some(expected)
}

/// Reads servers' addresses: one that is accepted is written so that it is read as
/// the same.
pub fn addresses(servers: &[String]) {
    let options =
        |servers: Vec<String>| MemcachedOptions { servers, ..MemcachedOptions::default() };
    let Ok(accepted) = options::addresses(&options(servers.to_vec())) else { return };
    let canonical: Vec<_> = accepted.iter().map(Address::canonical).collect();
    let again = options::addresses(&options(canonical.clone()));
    let again = again.expect("a canonical address is one").into_iter();
    assert_eq!(again.map(|address| address.canonical()).collect::<Vec<_>>(), canonical);
}
