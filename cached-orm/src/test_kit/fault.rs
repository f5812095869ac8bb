use super::Counts;
use crate::CacheKey;
use std::time::Duration;

/// A kind of command to the cache: a method of [`CacheStore`](crate::CacheStore).
///
/// ```
/// use cached_orm::test_kit::{Command, Fault, TestKit};
///
/// // Rows are read from the cache, and none gets in.
/// TestKit::new().cache().inject(Fault::fail(Command::Replace));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// A look-up, also as part of a batch.
    Get,
    /// A fence, before COMMIT.
    Fence,
    /// A fill, or a written row that takes its fence's place.
    Replace,
    /// An attempt to be the one who loads a row anew before it expires.
    Claim,
    /// An entry, a lease or a fence is taken away.
    Delete,
}

impl Command {
    pub(super) fn count(self, counts: &mut Counts) {
        let count = match self {
            Self::Get => &mut counts.gets,
            Self::Fence => &mut counts.fences,
            Self::Replace => &mut counts.replaces,
            Self::Claim => &mut counts.claims,
            Self::Delete => &mut counts.deletes,
        };
        *count += 1;
    }
}

/// What goes wrong with commands of one kind.
///
/// It lasts until [`CacheScript::heal`](super::CacheScript::heal), or for so many
/// [`times`](Self::times).
///
/// ```
/// use cached_orm::test_kit::{Command, Fault, TestKit};
/// use std::time::Duration;
///
/// let kit = TestKit::new();
/// kit.cache().inject(Fault::lose_answer(Command::Fence).times(1));
/// kit.cache().inject(Fault::delay(Command::Get, Duration::from_millis(30)));
/// ```
#[must_use = "give it to `CacheScript::inject`"]
#[derive(Debug, Clone)]
pub struct Fault {
    command: Command,
    key: Option<CacheKey>,
    /// How often it is still to happen, if not for ever.
    left: Option<usize>,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    Fail,
    LoseAnswer,
    Delay(Duration),
}

impl Fault {
    /// The command is not carried out, and there is no answer: it is as if it had been
    /// lost on its way.
    ///
    /// ```
    /// use cached_orm::test_kit::{Command, Fault};
    ///
    /// let fault = Fault::fail(Command::Get);
    /// # drop(fault);
    /// ```
    pub fn fail(command: Command) -> Self {
        Self::new(command, Effect::Fail)
    }

    /// The command is carried out, and its answer is lost. The library cannot tell it
    /// from [`fail`](Self::fail).
    ///
    /// ```
    /// use cached_orm::test_kit::{Command, Fault};
    ///
    /// let fault = Fault::lose_answer(Command::Replace).times(1);
    /// # drop(fault);
    /// ```
    pub fn lose_answer(command: Command) -> Self {
        Self::new(command, Effect::LoseAnswer)
    }

    /// The command is carried out so much later, and then answered, whatever the
    /// store's own timeout is.
    ///
    /// ```
    /// use cached_orm::test_kit::{Command, Fault};
    /// use std::time::Duration;
    ///
    /// let fault = Fault::delay(Command::Get, Duration::from_millis(30));
    /// # drop(fault);
    /// ```
    pub fn delay(command: Command, by: Duration) -> Self {
        Self::new(command, Effect::Delay(by))
    }

    fn new(command: Command, effect: Effect) -> Self {
        Self { command, key: None, left: None, effect }
    }

    /// For so many commands, and no more.
    ///
    /// ```
    /// use cached_orm::test_kit::{Command, Fault};
    ///
    /// let fault = Fault::fail(Command::Fence).times(1);
    /// # drop(fault);
    /// ```
    pub fn times(self, times: usize) -> Self {
        Self { left: Some(times), ..self }
    }

    /// For commands on this key only.
    ///
    /// ```no_run
    /// # mod user { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/user.rs")); } use user::*;
    /// # fn example(orm: &Orm<Postgres>, user: User) {
    /// use cached_orm::test_kit::{Command, Fault};
    ///
    /// let fault = Fault::fail(Command::Fence).on(user.get_cache_key(orm));
    /// # }
    /// ```
    pub fn on(self, key: CacheKey) -> Self {
        Self { key: Some(key), ..self }
    }

    pub(super) fn is_over(&self) -> bool {
        self.left == Some(0)
    }

    /// Whether it happens to this command; if so, it has happened once more.
    pub(super) fn happens(&mut self, command: Command, key: &CacheKey) -> bool {
        let concerns = self.command == command && self.key.as_ref().is_none_or(|own| own == key);
        match &mut self.left {
            _ if !concerns => false,
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}
