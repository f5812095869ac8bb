use super::{
    ABSENT, COMPRESSED, FINGERPRINT_AT, FLAGS_AT, KEYS, KIND_AT, ROW, checked, unpacked_len,
};
use crate::{coherence::Unreadable, key::CacheKey};

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
pub(crate) fn facts(value: &[u8], key: &CacheKey) -> Result<Facts, Unreadable> {
    let (header, _) = checked(value, key)?;
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
