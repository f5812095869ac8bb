use super::{
    ABSENT, COMPRESSED, FINGERPRINT_AT, FLAGS_AT, KEYS, KIND_AT, ROW, Signing, body::Form, checked,
    compression, form_of, signing::SIGNED, unpacked_len,
};
use crate::{coherence::Unreadable, key::CacheKey};
use std::borrow::Cow;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Row,
    Absent,
    Keys,
}

/// What an entry tells without being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// Of the struct, or of an index's keys.
    pub(crate) fingerprint: u64,
    pub(crate) is_compressed: bool,
    /// Bytes, were it not compressed.
    pub(crate) unpacked: usize,
}

/// What `value` tells of itself, if it is a whole entry of this key.
pub(crate) fn facts(value: &[u8], key: &CacheKey, signing: &Signing) -> Result<Facts, Unreadable> {
    let (header, _) = checked(value, key, signing)?;
    let kind = match header[KIND_AT] {
        ROW => Kind::Row,
        ABSENT => Kind::Absent,
        KEYS => Kind::Keys,
        _ => return Err(Unreadable::Format),
    };
    let fingerprint = header[FINGERPRINT_AT..].first_chunk().copied().unwrap_or_default();
    Ok(Facts {
        kind,
        fingerprint: u64::from_le_bytes(fingerprint),
        is_compressed: header[FLAGS_AT] & COMPRESSED != 0,
        unpacked: unpacked_len(value),
    })
}

/// The body of a row's entry, of whatever struct.
pub(crate) fn row_body<'v>(
    value: &'v [u8],
    key: &CacheKey,
    signing: &Signing,
) -> Option<(Form, Cow<'v, [u8]>)> {
    let (header, body) = checked(value, key, signing).ok()?;
    if header[KIND_AT] != ROW {
        return None;
    }
    let (form, flags) = form_of(header[FLAGS_AT] & !SIGNED);
    match flags {
        0 => Some((form, Cow::Borrowed(body))),
        COMPRESSED => Some((form, Cow::Owned(compression::decompress(body)?))),
        _ => None,
    }
}
