use super::fence::{Fence, MAGIC, NO_WRITE_THROUGH, Token};
use bytes::Bytes;

/// More tokens than transactions have in one fence at once.
const MOST_TOKENS: usize = 64;

/// A fence that several transactions have put together.
///
/// It lies under the key of a list, whose writers change different rows and have
/// no lock in common. Each adds its token, and takes it out when its transaction
/// is over; whoever takes out the last one deletes the fence. As bytes it is the
/// fence of one transaction, with the tokens of the others after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedFence {
    /// At least one.
    tokens: Vec<Token>,
}

impl SharedFence {
    pub(crate) fn of(token: Token) -> Self {
        Self { tokens: vec![token] }
    }

    /// One that may be put over a fence whose tokens are not known. It has a
    /// token that nobody takes out, so that it stays until it expires: those whose
    /// fence it replaces may need it for so long.
    pub(super) fn over_anything(token: Token) -> Self {
        Self { tokens: vec![Token::new(), token] }
    }

    /// The fence in `value`, if it is one. Of one that has an unknown form the
    /// tokens are not known, and so none can be taken out.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let rest = value.strip_prefix(&MAGIC)?;
        let tokens = match rest.split_first_chunk() {
            Some((first, [0 | NO_WRITE_THROUGH, more @ ..])) => {
                let (more, left) = more.as_chunks();
                (left.is_empty() && more.len() < MOST_TOKENS)
                    .then(|| [first].into_iter().chain(more).copied().map(Token::of_bytes))
                    .map(Iterator::collect)
            }
            _ => None,
        };
        Some(Self { tokens: tokens.unwrap_or_else(|| vec![Token::new()]) })
    }

    /// With this token too.
    pub(super) fn with(mut self, token: Token) -> Self {
        if self.tokens.contains(&token) {
            return self;
        }
        if self.tokens.len() >= MOST_TOKENS {
            return Self::over_anything(token);
        }
        self.tokens.push(token);
        self
    }

    /// Without these tokens; `None` if there was no other.
    pub(super) fn without(mut self, tokens: &[Token]) -> Option<Self> {
        self.tokens.retain(|other| !tokens.contains(other));
        (!self.tokens.is_empty()).then_some(self)
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub(super) fn has_any(&self, tokens: &[Token]) -> bool {
        self.tokens.iter().any(|own| tokens.contains(own))
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut tokens = self.tokens.iter().map(|token| token.to_bytes());
        let mut bytes = MAGIC.to_vec();
        bytes.extend(tokens.next().into_iter().flatten());
        // It is never replaced by a value.
        bytes.push(NO_WRITE_THROUGH);
        bytes.extend(tokens.flatten());
        debug_assert!(Fence::parse(&bytes).is_some());
        bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(fence: &SharedFence) -> SharedFence {
        SharedFence::parse(&fence.to_bytes()).expect("a fence")
    }

    #[test]
    fn tokens_come_and_go() {
        let [one, other] = [Token::new(), Token::new()];
        let fence = SharedFence::of(one);
        assert_eq!(read_back(&fence), fence);
        let both = fence.clone().with(other);
        assert_eq!(read_back(&both), both);
        assert_eq!(both.clone().with(one), both);
        assert!(both.has_any(&[one]) && both.has_any(&[other]));
        assert_eq!(both.clone().without(&[other]), Some(fence.clone()));
        assert_eq!(both.without(&[one]), Some(SharedFence::of(other)));
        assert_eq!(fence.clone().without(&[other]), Some(fence.clone()));
        assert_eq!(fence.without(&[one]), None);
    }

    #[test]
    fn the_fence_of_one_transaction_is_read_as_one_of_one() {
        for fence in [Fence::new(), Fence::new().without_write_through()] {
            let bytes = fence.to_bytes();
            let shared = SharedFence::parse(&bytes).expect("a fence");
            assert!(Fence::parse(&shared.to_bytes()).expect("a fence").same_writer(fence));
            let marked = Fence::marked(&shared.clone().with(Token::new()).to_bytes());
            assert!(SharedFence::parse(&marked.expect("a fence")).is_some());
        }
    }

    #[test]
    fn a_full_fence_stays_until_it_expires() {
        let mut fence = SharedFence::of(Token::new());
        let tokens: Vec<_> = (1..MOST_TOKENS).map(|_| Token::new()).collect();
        for token in &tokens {
            fence = fence.with(*token);
        }
        assert!(tokens.iter().all(|token| read_back(&fence).has_any(&[*token])));
        let one_more = Token::new();
        let fence = fence.with(one_more);
        assert!(fence.has_any(&[one_more]) && !fence.has_any(&[tokens[0]]));
        assert!(fence.without(&[one_more]).is_some());
    }

    #[test]
    fn nothing_can_be_taken_out_of_an_unknown_form() {
        let token = Token::new();
        let bytes = SharedFence::of(token).with(Token::new()).to_bytes();
        let mut flagged = bytes.to_vec();
        flagged[MAGIC.len() + Token::LENGTH] |= 2;
        let endless = [&bytes[..], &[0; Token::LENGTH * MOST_TOKENS]].concat();
        for unknown in [&bytes[..4], &bytes[..20], &bytes[..bytes.len() - 1], &flagged, &endless] {
            let fence = SharedFence::parse(unknown).expect("a fence");
            assert!(!fence.has_any(&[token]));
            assert!(fence.with(token).without(&[token]).is_some());
        }
        assert_eq!(SharedFence::parse(b"row 1"), None);
    }
}
