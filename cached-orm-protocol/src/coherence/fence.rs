use bytes::Bytes;

/// Frozen for ever: every version of this crate must know every other's fences.
pub(super) const MAGIC: [u8; 4] = *b"\xF1CO\x1A";
const FLAGS: usize = MAGIC.len() + Token::LENGTH;
const LENGTH: usize = FLAGS + 1;

pub(super) const NO_WRITE_THROUGH: u8 = 1;

/// Tells one transaction's fences from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u128);

impl Token {
    pub(super) const LENGTH: usize = size_of::<u128>();

    /// One unlike every other.
    pub(crate) fn new() -> Self {
        Self(rand::random())
    }

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        self.0.to_le_bytes()
    }

    pub(super) fn of_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}

/// What lies under a key while a transaction that changed its row commits.
///
/// A reader that meets it loads the row and stores nothing. Only its writer
/// replaces it, by the CAS token of its own fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    token: Token,
    /// The writer must delete the fence, and not replace it by its row.
    no_write_through: bool,
}

impl Fence {
    /// A fence unlike every other.
    pub(crate) fn new() -> Self {
        Self { token: Token::new(), no_write_through: false }
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
        bytes.extend_from_slice(&self.token.to_bytes());
        bytes.push(u8::from(self.no_write_through) * NO_WRITE_THROUGH);
        bytes.into()
    }

    /// The fence in `value`, if it is one.
    ///
    /// The magic decides. A fence that was cut short or goes on in a way that
    /// this version does not know is a fence still, and of somebody else.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let rest = value.strip_prefix(&MAGIC)?;
        Some(match rest.split_first_chunk() {
            Some((token, [flags])) => Self {
                token: Token::of_bytes(*token),
                no_write_through: flags & NO_WRITE_THROUGH != 0,
            },
            _ => Self::new().without_write_through(),
        })
    }

    /// `value` with the mark that its writers may only delete it, if it is a
    /// fence. Of whatever form: what follows is kept.
    pub(super) fn marked(value: &[u8]) -> Option<Bytes> {
        let rest = value.strip_prefix(&MAGIC)?;
        Some(match rest.split_at_checked(Token::LENGTH) {
            Some((token, [flags, more @ ..])) => {
                [&MAGIC[..], token, &[flags | NO_WRITE_THROUGH], more].concat().into()
            }
            _ => Self::new().without_write_through().to_bytes(),
        })
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
        let fence = Fence::new();
        let bytes = fence.to_bytes();
        for length in MAGIC.len()..bytes.len() {
            let found = Fence::parse(&bytes[..length]).expect("a fence");
            assert!(!found.same_writer(fence), "cut to {length} bytes");
            assert!(Fence::parse(&Fence::marked(&bytes[..length]).expect("a fence")).is_some());
        }
        assert_eq!(Fence::parse(b""), None);
        assert_eq!(Fence::parse(b"\xF1CO"), None);
        assert_eq!(Fence::marked(b"\xF1CO"), None);
    }

    #[test]
    fn a_fence_of_another_form_is_somebody_elses_and_is_kept_when_it_is_marked() {
        let fence = Fence::new();
        let longer = [&fence.to_bytes()[..], b"and more"].concat();
        assert!(!Fence::parse(&longer).expect("a fence").same_writer(fence));
        let marked = [&fence.without_write_through().to_bytes()[..], b"and more"].concat();
        assert_eq!(Fence::marked(&longer).as_deref(), Some(&marked[..]));
    }
}
