//! Signatures of entries, by keys that the programs have and the cache has not.
//!
//! A signature is a keyed BLAKE3 hash of all that follows the checksum: kind, flags,
//! fingerprint, cache key and body. So an entry can neither be made, nor changed, nor
//! put under another key by who has none of the keys. It lies behind the body, and the
//! checksum covers it too: a program without keys reads signed entries by their
//! checksums, as it reads others.

use super::{FLAGS_AT, KIND_AT};
use std::{fmt, sync::Arc};

/// 128 bits: who guesses must ask a reader each time.
pub(super) const SIGNATURE: usize = 16;

/// Parts the keys from whatever else they are used for, and from other formats.
const CONTEXT: &str = "cached-orm 2026-11-26 signatures of cache entries, format 1";

/// The flag of entries that have a signature.
pub(super) const SIGNED: u8 = 4;

/// The keys that entries are signed with, if they are.
#[derive(Clone)]
pub(crate) struct Signing {
    /// The first signs, and each is accepted.
    keys: Option<Arc<[[u8; 32]]>>,
}

impl Signing {
    /// Entries are not signed.
    pub(crate) const OFF: Self = Self { keys: None };

    pub(crate) fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        let keys = keys.into_iter().map(|key| blake3::derive_key(CONTEXT, &key));
        Self { keys: Some(keys.collect()) }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.keys.is_none()
    }

    /// Whether entries are to be signed, and there is nothing to do it with.
    pub(crate) fn lacks_keys(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.is_empty())
    }

    /// Appends the signature of an entry that is complete but for its checksum.
    pub(super) fn sign(&self, entry: &mut Vec<u8>) {
        let Some(key) = self.keys.iter().flat_map(|keys| keys.iter()).next() else { return };
        entry[FLAGS_AT] |= SIGNED;
        let hash = blake3::keyed_hash(key, &entry[KIND_AT..]);
        entry.extend_from_slice(&hash.as_bytes()[..SIGNATURE]);
    }

    /// Whether one of the keys has signed `content`.
    pub(super) fn accepts(&self, content: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        self.keys.iter().flat_map(|keys| keys.iter()).any(|key| {
            let hash = blake3::keyed_hash(key, content);
            // This comparison takes as long for every guess.
            widened(&hash.as_bytes()[..SIGNATURE]) == widened(signature)
        })
    }
}

fn widened(signature: &[u8]) -> blake3::Hash {
    let mut bytes = [0; blake3::OUT_LEN];
    bytes[..SIGNATURE].copy_from_slice(signature);
    bytes.into()
}

// Not derived: whoever has the keys can sign.
impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing")
            .field("keys", &self.keys.as_ref().map_or(0, |keys| keys.len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::*, *};
    use crate::key::Namespace;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Account {
        id: i64,
        owner: String,
    }

    const SHAPE: u64 = 7;
    const OURS: [u8; 32] = [1; 32];
    const OTHERS: [u8; 32] = [2; 32];

    fn key(id: i64) -> CacheKey {
        CacheKey::of_parts(&Namespace::default(), "accounts", &[id.to_string()])
    }

    fn account() -> Account {
        Account { id: 1, owner: "ann".repeat(100) }
    }

    fn entries(signing: &Signing) -> [Bytes; 4] {
        let row =
            |from| of_row(&account(), SHAPE, &key(1), from, signing, |_| None).expect("an entry");
        let keys = of_keys(&[account()], SHAPE, &key(1), signing, Account::eq).expect("an entry");
        [row(None), row(Some(0)), keys, of_absent(&key(1), signing)]
    }

    fn read(entry: &[u8], signing: &Signing) -> Result<Option<Account>, Unreadable> {
        match entry.get(KIND_AT) {
            Some(&KEYS) => decode_keys(entry, SHAPE, &key(1), signing).map(|mut rows| rows.pop()),
            _ => decode(entry, SHAPE, &key(1), signing),
        }
    }

    /// With a checksum that fits: anyone can compute it.
    fn forged(mut entry: Vec<u8>) -> Vec<u8> {
        let sum = xxh3_64(&entry[KIND_AT..]);
        entry[CHECKSUM_AT..KIND_AT].copy_from_slice(&sum.to_le_bytes());
        entry
    }

    #[test]
    fn what_is_signed_is_read_with_the_key_and_by_who_has_none() {
        let signing = Signing::new([OURS]);
        for (entry, unsigned) in entries(&signing).iter().zip(entries(&Signing::OFF)) {
            let expected = read(&unsigned, &Signing::OFF);
            assert!(expected.is_ok());
            assert_eq!(read(entry, &signing), expected);
            assert_eq!(read(entry, &Signing::OFF), expected);
            assert_eq!(entry.len(), unsigned.len() + SIGNATURE);
            assert_eq!(unpacked_len(entry), unpacked_len(&unsigned) + SIGNATURE);
        }
    }

    #[test]
    fn what_is_not_signed_or_by_others_is_refused() {
        for others in [Signing::OFF, Signing::new([OTHERS])] {
            for entry in entries(&others) {
                assert_eq!(read(&entry, &Signing::new([OURS])), Err(Unreadable::Signature));
                assert!(read(&entry, &others).is_ok());
            }
        }
    }

    #[test]
    fn no_bit_can_be_changed_however_the_checksum_is() {
        let signing = Signing::new([OURS]);
        for entry in entries(&signing) {
            for bit in KIND_AT * 8..entry.len() * 8 {
                let mut changed = entry.to_vec();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    read(&forged(changed), &signing),
                    Err(Unreadable::Signature),
                    "bit {bit} of {}",
                    entry.len(),
                );
            }
            for len in 0..entry.len() {
                assert!(read(&entry[..len], &signing).is_err(), "cut to {len}");
            }
        }
    }

    #[test]
    fn an_entry_cannot_be_moved() {
        let signing = Signing::new([OURS]);
        let [row, .., absent] = entries(&signing);
        for entry in [&row, &absent] {
            assert_eq!(decode::<Account>(entry, SHAPE, &key(2), &signing), Err(Unreadable::Key));
            // The key in it, of the same length, changed too.
            let mut moved = entry.to_vec();
            let at = HEADER + key(1).as_bytes().len() - 2;
            assert_eq!(moved[at], b'1');
            moved[at] = b'2';
            let moved = forged(moved);
            assert_eq!(
                decode::<Account>(&moved, SHAPE, &key(2), &signing),
                Err(Unreadable::Signature)
            );
            assert!(decode::<Account>(&moved, SHAPE, &key(2), &Signing::OFF).is_ok());
        }
    }

    #[test]
    fn the_signature_cannot_be_taken_away() {
        let signing = Signing::new([OURS]);
        for entry in entries(&signing) {
            let mut stripped = entry[..entry.len() - SIGNATURE].to_vec();
            stripped[FLAGS_AT] &= !SIGNED;
            let stripped = forged(stripped);
            assert!(read(&stripped, &Signing::OFF).is_ok());
            assert_eq!(read(&stripped, &signing), Err(Unreadable::Signature));
        }
    }

    #[test]
    fn the_first_key_signs_and_each_is_accepted() {
        let both = Signing::new([OURS, OTHERS]);
        for entry in entries(&both) {
            assert!(read(&entry, &Signing::new([OURS])).is_ok());
            assert_eq!(read(&entry, &Signing::new([OTHERS])), Err(Unreadable::Signature));
        }
        for entry in entries(&Signing::new([OTHERS])) {
            assert!(read(&entry, &both).is_ok());
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let shown = format!("{:?}", Signing::new([OURS, OTHERS]));
        assert_eq!(shown, "Signing { keys: 2, .. }");
    }
}
