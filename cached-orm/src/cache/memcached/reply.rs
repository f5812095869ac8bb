use bytes::{Buf, Bytes, BytesMut};
use memcache::exp::{Error, MetaResponse, ReturnCode};

/// Longer lines are not read. memcached's own have a few hundred bytes.
const MAX_LINE: usize = 2048;
/// Below this a value is copied out of the read buffer: cheap, and a value that
/// somebody keeps does not keep the whole buffer. Larger values share it.
const COPY_BELOW: usize = 4096;
/// What of a server's error message is passed on.
const MAX_MESSAGE: usize = 120;

/// A reply to one command.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: Status,
    pub(super) opaque: u64,
    /// The item's CAS token, if there is one.
    pub(super) token: Option<u64>,
    /// `W`: the caller may refill the item.
    pub(super) won: bool,
    /// `Z`: somebody else may.
    pub(super) lost: bool,
    /// `X`: the item was marked as out of date.
    pub(super) stale: bool,
    /// How many seconds the item is going to live, if it ends.
    pub(super) ttl: Option<u32>,
    pub(super) value: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// `HD`
    Done,
    /// `VA`
    Value,
    /// `EN`
    Miss,
    /// `EX`
    Exists,
    /// `NF`
    NotFound,
    /// `NS`
    NotStored,
}

/// What the read buffer begins with.
#[derive(Debug)]
pub(super) enum Parsed {
    Reply(Reply),
    /// `SERVER_ERROR`: the server understood the command and could not do it.
    Refused(String),
    /// `CLIENT_ERROR` or `ERROR`: the server did not understand the command.
    NotUnderstood(String),
    /// So many bytes are needed in all, or more.
    Incomplete(usize),
}

/// Takes one reply off the buffer.
///
/// # Errors
/// The bytes are not a reply. The text tells nothing of them: a connection
/// that is out of step may have a value where a line should be.
pub(super) fn parse(buffer: &mut BytesMut, max_value: usize) -> Result<Parsed, &'static str> {
    let Some(end) = line_end(buffer)? else { return Ok(Parsed::Incomplete(buffer.len() + 1)) };
    let (header, line_len) = (&buffer[..end], end + 2);
    let response = match MetaResponse::parse_header(header) {
        Ok(response) => response,
        Err(Error::Server(message)) => {
            buffer.advance(line_len);
            return Ok(Parsed::Refused(printable(&message)));
        }
        Err(Error::Rejected(message)) => {
            buffer.advance(line_len);
            return Ok(Parsed::NotUnderstood(printable(&message)));
        }
        Err(_) => return Err("a line that is not a reply"),
    };
    let mut reply = read_flags(&response)?;
    if reply.status == Status::Value {
        // The crate checks the length and keeps it to itself.
        let len = header.split(|&byte| byte == b' ').filter(|token| !token.is_empty()).nth(1);
        let len = len.and_then(number).ok_or("a value without a length")?;
        let len = usize::try_from(len).map_err(|_| "a value without a length")?;
        if len > max_value {
            return Err("a value larger than the server's item limit");
        }
        let total = line_len + len + 2;
        if buffer.len() < total {
            return Ok(Parsed::Incomplete(total));
        }
        if &buffer[line_len + len..total] != b"\r\n" {
            return Err("a value that does not end where it should");
        }
        buffer.advance(line_len);
        reply.value = Some(take(buffer, len));
        buffer.advance(2);
    } else {
        buffer.advance(line_len);
    }
    Ok(Parsed::Reply(reply))
}

/// The length of the first line, without its `\r\n`.
pub(super) fn line_end(buffer: &[u8]) -> Result<Option<usize>, &'static str> {
    let searched = &buffer[..buffer.len().min(MAX_LINE)];
    match searched.iter().position(|&byte| byte == b'\n') {
        Some(at) if at > 0 && searched[at - 1] == b'\r' => Ok(Some(at - 1)),
        Some(_) => Err("a line that does not end in CRLF"),
        None if searched.len() == MAX_LINE => Err("a line without end"),
        None => Ok(None),
    }
}

fn take(buffer: &mut BytesMut, len: usize) -> Bytes {
    if len < COPY_BELOW {
        let value = Bytes::copy_from_slice(&buffer[..len]);
        buffer.advance(len);
        value
    } else {
        buffer.split_to(len).freeze()
    }
}

fn read_flags(response: &MetaResponse) -> Result<Reply, &'static str> {
    let status = match response.rc() {
        ReturnCode::Hd => Status::Done,
        ReturnCode::Va => Status::Value,
        ReturnCode::En => Status::Miss,
        ReturnCode::Ex => Status::Exists,
        ReturnCode::Nf => Status::NotFound,
        ReturnCode::Ns => Status::NotStored,
        _ => return Err("a reply that no command here has"),
    };
    let mut opaque = None;
    let mut reply = Reply {
        status,
        opaque: 0,
        token: None,
        won: false,
        lost: false,
        stale: false,
        ttl: None,
        value: None,
    };
    for flag in response.flags() {
        match flag {
            [b'O', digits @ ..] if opaque.is_none() => opaque = number(digits),
            // 0 stands for "no token", as after a failed store.
            [b'c', digits @ ..] => reply.token = number(digits).filter(|&token| token != 0),
            // It lives for ever.
            b"t-1" => {}
            [b't', digits @ ..] if reply.ttl.is_none() => {
                let seconds = number(digits).ok_or("a lifetime that is no number")?;
                reply.ttl = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
            }
            b"W" => reply.won = true,
            b"Z" => reply.lost = true,
            b"X" => reply.stale = true,
            _ => return Err("a flag that was not asked for"),
        }
    }
    reply.opaque = opaque.ok_or("a reply without its number")?;
    Ok(reply)
}

pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn printable(message: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
    message.chars().filter(is_plain).take(MAX_MESSAGE).collect()
}
