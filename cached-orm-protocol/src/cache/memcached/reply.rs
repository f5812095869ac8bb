use bytes::{Buf, Bytes, BytesMut};

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
    let mut tokens = header.split(|&byte| byte == b' ').filter(|token| !token.is_empty());
    let status = match tokens.next() {
        Some(b"HD") => Status::Done,
        Some(b"VA") => Status::Value,
        Some(b"EN") => Status::Miss,
        Some(b"EX") => Status::Exists,
        Some(b"NF") => Status::NotFound,
        Some(b"NS") => Status::NotStored,
        Some(word @ (b"SERVER_ERROR" | b"CLIENT_ERROR" | b"ERROR")) => {
            let message = printable(&header[word.len()..]);
            let refused = word == b"SERVER_ERROR";
            buffer.advance(line_len);
            return Ok(match refused {
                true => Parsed::Refused(message),
                false => Parsed::NotUnderstood(message),
            });
        }
        _ => return Err("a line that is not a reply"),
    };
    let value_len = match status {
        Status::Value => {
            let len = tokens.next().and_then(number).ok_or("a value without a length")?;
            Some(usize::try_from(len).map_err(|_| "a value without a length")?)
        }
        _ => None,
    };
    let mut reply = read_flags(status, tokens)?;
    if let Some(len) = value_len {
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
    match memchr::memchr(b'\n', searched) {
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

fn read_flags<'a>(
    status: Status,
    flags: impl Iterator<Item = &'a [u8]>,
) -> Result<Reply, &'static str> {
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
    for flag in flags {
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
    let mut number = 0u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!digits.is_empty()).then_some(number)
}

fn printable(message: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let plain = message.trim_ascii().iter().copied().filter(is_plain).take(MAX_MESSAGE);
    plain.map(char::from).collect()
}
