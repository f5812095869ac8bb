//! memcached's replies, one by one, and how to spoil them.

use bytes::{Bytes, BytesMut};
use rand::{Rng, RngExt};

/// Takes one whole reply off the buffer: a line, and the value if it has one.
pub(super) fn take(buffer: &mut BytesMut) -> Option<Bytes> {
    let end = line_end(buffer)?;
    let length = match value_length(&buffer[..end]) {
        Some(value) => end + value + 2,
        None => end,
    };
    (buffer.len() >= length).then(|| buffer.split_to(length).freeze())
}

/// The length of the first line, its end included.
fn line_end(buffer: &[u8]) -> Option<usize> {
    Some(buffer.iter().position(|&byte| byte == b'\n')? + 1)
}

fn value_length(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b"VA ")?;
    let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether it is the reply to a command on a key. The answer to `stats` is left
/// alone: a wrong digit in a server's age is as good an age.
pub(super) fn is_reply(frame: &[u8]) -> bool {
    [b"HD", b"VA", b"EN", b"EX", b"NF"].iter().any(|code| frame.starts_with(*code))
}

/// Turns over one bit of the value; of the line, if there is no value.
pub(super) fn flip_in_value(frame: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let line = line_end(frame).unwrap_or(frame.len());
    if frame.len() < line + 3 {
        return flip_in_line(frame, rng);
    }
    let at = rng.random_range(line..frame.len() - 2);
    flip(frame, at, rng)
}

/// Turns over one bit of the line.
///
/// A digit of a CAS token never becomes another digit: such a line is a valid
/// reply that memcached could have given, and no client can tell.
pub(super) fn flip_in_line(frame: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let line = line_end(frame).unwrap_or(frame.len());
    loop {
        let spoilt = flip(frame, rng.random_range(0..line), rng);
        if token(&spoilt[..line]).is_none_or(|spoilt| Some(spoilt) == token(&frame[..line])) {
            return spoilt;
        }
    }
}

fn flip(frame: &[u8], at: usize, rng: &mut impl Rng) -> Vec<u8> {
    let mut spoilt = frame.to_vec();
    spoilt[at] ^= 1 << rng.random_range(0..8);
    spoilt
}

/// The CAS token's digits, if the line has a token that can be read.
fn token(line: &[u8]) -> Option<&[u8]> {
    let mut words = line.split(|byte| byte.is_ascii_whitespace());
    let token = words.find_map(|word| word.strip_prefix(b"c"))?;
    (!token.is_empty() && token.iter().all(u8::is_ascii_digit)).then_some(token)
}

/// Takes some bytes out of the middle.
pub(super) fn shorten(frame: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    // Past the line, if there is a value: see `flip_in_line`.
    let line = line_end(frame).filter(|&line| line < frame.len()).unwrap_or(0);
    let from = rng.random_range(line..frame.len() - 1);
    let length = rng.random_range(1..=(frame.len() - from).min(20));
    let mut spoilt = frame[..from].to_vec();
    // Without a value it is the end of the line that is lost.
    spoilt.extend_from_slice(if line > 0 { &frame[from + length..] } else { b"" });
    spoilt
}
