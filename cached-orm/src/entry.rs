//! What lies under a key: a header and a row's fields, or the primary keys that an
//! index has for a value.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic |
//! | 1 | format |
//! | 8 | XXH3 of all that follows |
//! | 1 | kind: a row, "there is no such row", or primary keys |
//! | 1 | flags: whether the body is compressed, its form, whether it is signed |
//! | 8 | the struct's fingerprint, or that of its key |
//! | 2 | length of the cache key |
//! | … | the cache key, then the body |
//! | 16 | if it is signed: the signature |
//!
//! What a body is made of: [`body`]; signatures: [`signing`]. Numbers are little-endian.
//! The key is repeated so that a value that a cache or a proxy confuses with another is
//! found out.

pub(crate) mod body;
mod facts;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod signing;

pub(crate) use self::facts::{Kind, facts, row_body};

pub(crate) use self::signing::Signing;

use self::{
    body::Form,
    signing::{SIGNATURE, SIGNED},
};
use crate::{
    Cacheable,
    coherence::{ENTRY_MAGIC as MAGIC, Unreadable},
    key::CacheKey,
};
use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

const FORMAT: u8 = 1;

const FORMAT_AT: usize = 4;
const CHECKSUM_AT: usize = 5;
const KIND_AT: usize = 13;
const FLAGS_AT: usize = 14;
const FINGERPRINT_AT: usize = 15;
const KEY_LENGTH_AT: usize = 23;
const HEADER: usize = 25;

const ROW: u8 = 1;
const ABSENT: u8 = 2;
const KEYS: u8 = 3;

const COMPRESSED: u8 = 1;
const COMPACT: u8 = 2;
// 4 is that of signatures.
const READABLE: u8 = 8;

/// The entry of a row. `differing` says in which column what it is read as differs from
/// the row, if it does.
///
/// A body of `compress_from` bytes or more is compressed if that makes it
/// smaller.
///
/// # Errors
/// Why nothing can be stored of which the row would be read again.
pub(crate) fn of_row<T: Cacheable>(
    row: &T,
    fingerprint: u64,
    key: &CacheKey,
    compress_from: Option<usize>,
    signing: &Signing,
    differing: impl FnMut(&T) -> Option<&'static str>,
) -> Result<Bytes, Lost> {
    let mut entry = header(ROW, fingerprint, key);
    let body_at = entry.len();
    let (form, _) = write_row(row, &mut entry, differing)?;
    entry[FLAGS_AT] |= flag_of(form);
    if compress_from.is_some_and(|least| entry.len() - body_at >= least) {
        compression::compress(&mut entry, body_at);
    }
    Ok(seal(entry, signing))
}

/// Appends a row's fields in the first form from which it comes back, and returns it as
/// it does.
pub(crate) fn write_row<T: Cacheable>(
    row: &T,
    entry: &mut Vec<u8>,
    mut differing: impl FnMut(&T) -> Option<&'static str>,
) -> Result<(Form, T), Lost> {
    let body_at = entry.len();
    let mut lost = Lost::Unwritable;
    for form in Form::ALL {
        entry.truncate(body_at);
        if row.write_body(form, entry).is_none() {
            continue;
        }
        match T::read_body(form, &entry[body_at..]) {
            None => lost = lost.max(Lost::Unreadable),
            Some(again) => match differing(&again) {
                None => return Ok((form, again)),
                Some(column) => lost = lost.max(Lost::Column(column)),
            },
        }
    }
    Err(lost)
}

/// The entry of an index: the primary keys of the rows that have a value. `is_same` says
/// whether a key is read as it was.
///
/// # Errors
/// Why nothing can be stored of which the keys would be read again.
pub(crate) fn of_keys<K: Cacheable>(
    keys: &[K],
    shape: u64,
    key: &CacheKey,
    signing: &Signing,
    is_same: impl Fn(&K, &K) -> bool,
) -> Result<Bytes, Lost> {
    let mut entry = header(KEYS, shape, key);
    let body_at = entry.len();
    K::write_bodies(keys, &mut entry).ok_or(Lost::Unwritable)?;
    let again = K::read_bodies(&entry[body_at..]).ok_or(Lost::Unreadable)?;
    let same = again.len() == keys.len() && keys.iter().zip(&again).all(|(a, b)| is_same(a, b));
    if !same {
        return Err(Lost::Key);
    }
    Ok(seal(entry, signing))
}

/// Why what serde makes of a row cannot stand for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub(crate) enum Lost {
    /// The code of one of its types panicked.
    #[error("one of its types panicked")]
    Panicked,
    /// serde cannot write it.
    #[error("serde cannot write it")]
    Unwritable,
    /// serde cannot read what it has written, or it is nested too deep.
    #[error("serde cannot read what it has written of it, or it is nested too deep")]
    Unreadable,
    /// Its primary key comes back as another.
    #[error("its primary key comes back from serde as another")]
    Key,
    /// This column comes back as another value, or cannot be encoded.
    #[error("the column `{0}` comes back from serde as another value, or cannot be encoded")]
    Column(&'static str),
    /// In this column's document is more than serde writes of what it reads there.
    #[error("the document in the column `{0}` has more than serde writes of what it reads there")]
    Document(&'static str),
}

/// The entry that says that there is no such row.
pub(crate) fn of_absent(key: &CacheKey, signing: &Signing) -> Bytes {
    seal(header(ABSENT, 0, key), signing)
}

/// What `value` says of `key`: a row, or `None` for "there is no such row".
pub(crate) fn decode<T: Cacheable>(
    value: &[u8],
    fingerprint: u64,
    key: &CacheKey,
    signing: &Signing,
) -> Result<Option<T>, Unreadable> {
    let Some((flags, body)) = open(value, ROW, fingerprint, key, signing)? else { return Ok(None) };
    let (form, flags) = form_of(flags);
    let row = match flags {
        0 => T::read_body(form, body),
        COMPRESSED => compression::decompress(body).and_then(|body| T::read_body(form, &body)),
        _ => return Err(Unreadable::Format),
    };
    row.map(Some).ok_or(Unreadable::Body)
}

/// The primary keys that `value` says have the value of `key`; none for "there is
/// no such row".
pub(crate) fn decode_keys<K: Cacheable>(
    value: &[u8],
    shape: u64,
    key: &CacheKey,
    signing: &Signing,
) -> Result<Vec<K>, Unreadable> {
    match open(value, KEYS, shape, key, signing)? {
        None => Ok(Vec::new()),
        Some((0, body)) => K::read_bodies(body).ok_or(Unreadable::Body),
        Some(_) => Err(Unreadable::Format),
    }
}

/// The flags and the body of an entry of this kind; `None` if it says that there is
/// no such row.
fn open<'v>(
    value: &'v [u8],
    kind: u8,
    fingerprint: u64,
    key: &CacheKey,
    signing: &Signing,
) -> Result<Option<(u8, &'v [u8])>, Unreadable> {
    let (header, body) = checked(value, key, signing)?;
    match header[KIND_AT] {
        ABSENT => return Ok(None),
        found if found == kind => {}
        _ => return Err(Unreadable::Format),
    }
    if header[FINGERPRINT_AT..KEY_LENGTH_AT] != fingerprint.to_le_bytes() {
        return Err(Unreadable::Shape);
    }
    Ok(Some((header[FLAGS_AT] & !SIGNED, body)))
}

/// The form that the flags tell, and the other flags.
fn form_of(flags: u8) -> (Form, u8) {
    if flags & COMPACT != 0 {
        (Form::Compact, flags & !COMPACT)
    } else if flags & READABLE != 0 {
        (Form::Readable, flags & !READABLE)
    } else {
        (Form::Named, flags)
    }
}

fn flag_of(form: Form) -> u8 {
    match form {
        Form::Compact => COMPACT,
        Form::Named => 0,
        Form::Readable => READABLE,
    }
}

/// The header and the body of an entry that is whole, and of this key.
#[inline]
fn checked<'v>(
    value: &'v [u8],
    key: &CacheKey,
    signing: &Signing,
) -> Result<(&'v [u8; HEADER], &'v [u8]), Unreadable> {
    if !value.starts_with(&MAGIC) {
        return Err(Unreadable::Foreign);
    }
    match value.get(FORMAT_AT) {
        Some(&FORMAT) => {}
        Some(_) => return Err(Unreadable::Format),
        None => return Err(Unreadable::Checksum),
    }
    let (Some(header), Some(sum)) =
        (value.first_chunk::<HEADER>(), value[CHECKSUM_AT..].first_chunk::<8>())
    else {
        return Err(Unreadable::Checksum);
    };
    // A signature says all that a checksum does, and more.
    if signing.is_off() && u64::from_le_bytes(*sum) != xxh3_64(&value[KIND_AT..]) {
        return Err(Unreadable::Checksum);
    }
    let is_signed = header[FLAGS_AT] & SIGNED != 0;
    let value = match value.split_last_chunk::<SIGNATURE>() {
        Some((content, signature)) if is_signed && content.len() >= HEADER => {
            if !signing.is_off() && !signing.accepts(&content[KIND_AT..], signature) {
                return Err(Unreadable::Signature);
            }
            content
        }
        _ if is_signed => return Err(Unreadable::Checksum),
        _ if !signing.is_off() => return Err(Unreadable::Signature),
        _ => value,
    };
    let key_length =
        usize::from(u16::from_le_bytes([header[KEY_LENGTH_AT], header[KEY_LENGTH_AT + 1]]));
    let Some((entry_key, body)) = value[HEADER..].split_at_checked(key_length) else {
        return Err(Unreadable::Checksum);
    };
    if entry_key != key.as_bytes() {
        return Err(Unreadable::Key);
    }
    Ok((header, body))
}

/// How long an entry is, or would be if it were not compressed.
pub(crate) fn unpacked_len(value: &[u8]) -> usize {
    let key_length = value.get(KEY_LENGTH_AT..HEADER);
    let key_length = key_length.map_or(0, |at| usize::from(u16::from_le_bytes([at[0], at[1]])));
    let flags = value.get(FLAGS_AT).copied().unwrap_or_default();
    let signature = if flags & SIGNED == 0 { 0 } else { SIGNATURE };
    match value.get(HEADER + key_length..value.len().saturating_sub(signature)) {
        Some(body) if flags & COMPRESSED != 0 => {
            let body = compression::unpacked_len(body).unwrap_or(body.len());
            HEADER + key_length + body + signature
        }
        _ => value.len(),
    }
}

fn header(kind: u8, fingerprint: u64, key: &CacheKey) -> Vec<u8> {
    let mut entry = Vec::with_capacity(256);
    entry.extend_from_slice(&MAGIC);
    entry.push(FORMAT);
    entry.extend_from_slice(&[0; 8]);
    entry.push(kind);
    entry.push(0);
    entry.extend_from_slice(&fingerprint.to_le_bytes());
    // A cache key has at most 250 bytes.
    entry.extend_from_slice(&(key.as_bytes().len() as u16).to_le_bytes());
    entry.extend_from_slice(key.as_bytes());
    entry
}

fn seal(mut entry: Vec<u8>, signing: &Signing) -> Bytes {
    signing.sign(&mut entry);
    let sum = xxh3_64(&entry[KIND_AT..]);
    entry[CHECKSUM_AT..KIND_AT].copy_from_slice(&sum.to_le_bytes());
    entry.into()
}

#[cfg(feature = "lz4")]
mod compression {
    use super::{COMPRESSED, FLAGS_AT};
    use lz4_flex::block;

    /// More than any cache server stores, and little enough to allocate.
    const MAX_BODY: usize = 64 << 20;
    /// LZ4 cannot do better than one byte for 255.
    const MAX_RATIO: usize = 255;

    pub(super) fn compress(entry: &mut Vec<u8>, body_at: usize) {
        let body = &entry[body_at..];
        if body.len() > MAX_BODY {
            return;
        }
        let compressed = block::compress_prepend_size(body);
        if compressed.len() < body.len() {
            entry.truncate(body_at);
            entry.extend_from_slice(&compressed);
            entry[FLAGS_AT] |= COMPRESSED;
        }
    }

    /// The length of the body, unless that is one that it cannot have.
    pub(super) fn unpacked_len(body: &[u8]) -> Option<usize> {
        let (length, block) = block::uncompressed_size(body).ok()?;
        (length <= MAX_BODY && length <= block.len().saturating_mul(MAX_RATIO)).then_some(length)
    }

    pub(super) fn decompress(body: &[u8]) -> Option<Vec<u8>> {
        let length = unpacked_len(body)?;
        let (_, block) = block::uncompressed_size(body).ok()?;
        block::decompress(block, length).ok().filter(|body| body.len() == length)
    }
}

#[cfg(not(feature = "lz4"))]
mod compression {
    pub(super) fn compress(_: &mut Vec<u8>, _: usize) {}

    pub(super) fn unpacked_len(_: &[u8]) -> Option<usize> {
        None
    }

    /// Written by a program that has the feature `lz4`.
    pub(super) fn decompress(_: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(test)]
mod tests;
