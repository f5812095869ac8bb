use bytes::Bytes;

/// Frozen for ever: every version of this crate must know every other's fences.
const MAGIC: [u8; 4] = *b"\xF1CO\x1A";
const TOKEN: usize = MAGIC.len();
const FLAGS: usize = TOKEN + 16;
const LENGTH: usize = FLAGS + 1;

const NO_WRITE_THROUGH: u8 = 1;

/// What lies under a key while a transaction that changed its row commits.
///
/// A reader that meets it loads the row and stores nothing. Only its writer
/// replaces it, by the CAS token of its own fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Tells one transaction's fences from another's.
    token: u128,
    /// The writer must delete the fence, and not replace it by its row.
    no_write_through: bool,
}

impl Fence {
    /// A fence unlike every other.
    pub(crate) fn new() -> Self {
        Self { token: rand::random(), no_write_through: false }
    }

    /// The same fence, which its writer may now only delete.
    pub(crate) fn without_write_through(self) -> Self {
        Self { no_write_through: true, ..self }
    }

    /// Whether `other` was put by the same transaction.
    pub(crate) fn same_writer(self, other: Self) -> bool {
        self.token == other.token
    }

    pub(crate) fn to_bytes(self) -> Bytes {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.token.to_le_bytes());
        bytes.push(u8::from(self.no_write_through) * NO_WRITE_THROUGH);
        bytes.into()
    }

    /// The fence in `value`, if it is one.
    ///
    /// The magic decides. A fence that was cut short or goes on in a way that
    /// this version does not know is a fence still, and of somebody else.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let rest = value.strip_prefix(&MAGIC)?;
        let token = rest.first_chunk::<16>().map_or(0, |token| u128::from_le_bytes(*token));
        let flags = rest.get(16).copied().unwrap_or(NO_WRITE_THROUGH);
        Some(Self { token, no_write_through: flags & NO_WRITE_THROUGH != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_read_back() {
        let fence = Fence::new();
        assert_eq!(Fence::parse(&fence.to_bytes()), Some(fence));
        let marked = fence.without_write_through();
        assert_eq!(Fence::parse(&marked.to_bytes()), Some(marked));
        assert!(marked.same_writer(fence));
        assert!(!Fence::new().same_writer(fence));
    }

    #[test]
    fn a_broken_fence_is_still_a_fence() {
        let bytes = Fence::new().to_bytes();
        for length in MAGIC.len()..bytes.len() {
            assert!(Fence::parse(&bytes[..length]).is_some(), "cut to {length} bytes");
        }
        assert_eq!(Fence::parse(b""), None);
        assert_eq!(Fence::parse(b"\xF1CO"), None);
    }
}
