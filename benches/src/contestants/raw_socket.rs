//! memcached's meta protocol by hand: so many gets in one write, and their replies.

use benches::Result;
use bytes::{Bytes, BytesMut};
use cached_orm::CacheKey;
use std::io::Write as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Room for a read.
const READ: usize = 64 << 10;

/// A connection that does one thing at a time.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    sent: Vec<u8>,
    received: BytesMut,
    /// The number that the next get is sent with.
    next: u64,
}

impl Socket {
    /// Dials the server.
    pub(super) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, sent: Vec::new(), received: BytesMut::with_capacity(READ), next: 0 })
    }

    /// Asks for the keys in one write, and passes on what lies under each, in their
    /// order.
    ///
    /// What is written must fit into the sockets' buffers: nothing is read meanwhile.
    pub(super) async fn ask<'k>(
        &mut self,
        keys: impl IntoIterator<Item = &'k CacheKey>,
        mut found: impl FnMut(Option<Bytes>),
    ) -> Result<()> {
        self.sent.clear();
        let mut expected = self.next;
        for key in keys {
            self.sent.extend_from_slice(b"mg ");
            self.sent.extend_from_slice(key.as_bytes());
            write!(self.sent, " v c t O{}\r\n", self.next)?;
            self.next += 1;
        }
        self.stream.write_all(&self.sent).await?;
        while expected < self.next {
            match take_reply(&mut self.received, expected)? {
                Some(value) => {
                    found(value);
                    expected += 1;
                }
                None => {
                    self.received.reserve(READ);
                    if self.stream.read_buf(&mut self.received).await? == 0 {
                        return Err("memcached has closed the connection".into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// The first reply, if it is there as a whole: a value, or that there is none.
fn take_reply(received: &mut BytesMut, expected: u64) -> Result<Option<Option<Bytes>>> {
    let Some(end) = received.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
    let line = std::str::from_utf8(&received[..end])?.trim_end();
    if line == "EN" {
        let _ = received.split_to(end + 1);
        return Ok(Some(None));
    }
    let mut words = line.split(' ');
    let (code, length, opaque) = (words.next(), words.next(), words.next_back());
    let opaque = opaque.and_then(|word| word.strip_prefix('O')?.parse().ok());
    let length = length.and_then(|word| word.parse::<usize>().ok());
    let (Some("VA"), Some(length), true) = (code, length, opaque == Some(expected)) else {
        return Err(format!("memcached has said {line:?} to get {expected}").into());
    };
    if received.len() < end + 1 + length + 2 {
        return Ok(None);
    }
    let mut reply = received.split_to(end + 1 + length + 2).freeze();
    Ok(Some(Some(reply.split_off(end + 1).split_to(length))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_replies_only_as_a_whole() -> Result<()> {
        let whole = b"VA 4 c7 t-1 O3\r\n\r\nab\r\nEN\r\n";
        for cut in 0..22 {
            assert_eq!(take_reply(&mut BytesMut::from(&whole[..cut]), 3)?, None, "{cut} bytes");
        }
        let mut received = BytesMut::from(&whole[..]);
        assert_eq!(take_reply(&mut received, 3)?, Some(Some(Bytes::from("\r\nab"))));
        assert_eq!(take_reply(&mut received, 4)?, Some(None));
        assert!(received.is_empty());
        Ok(())
    }

    #[test]
    fn refuses_another_gets_reply() {
        let mut received = BytesMut::from(&b"VA 2 c7 t-1 O4\r\nab\r\n"[..]);
        assert!(take_reply(&mut received, 3).is_err());
    }
}
