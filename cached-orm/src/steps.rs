//! The steps of a write, for tests that stop it at each of them.
#![cfg_attr(not(feature = "test-kit"), allow(dead_code, unreachable_pub))]

/// A step of a write that has been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The transaction has begun; no statement was sent.
    Begun,
    /// The rows are written, and locked.
    Written,
    /// The transaction was found fit to be committed; nothing is fenced.
    Checked,
    /// The fences were sent and answered; keys that missed theirs are not in
    /// the outbox yet.
    Fencing,
    /// Every key is fenced or in the outbox; COMMIT was not sent.
    Fenced,
    /// COMMIT was answered; the fences are all there.
    Committed,
    /// The fences are released.
    Released,
    /// The caller is about to be told.
    Acknowledged,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Begun,
        Self::Written,
        Self::Checked,
        Self::Fencing,
        Self::Fenced,
        Self::Committed,
        Self::Released,
        Self::Acknowledged,
    ];
}

#[cfg(feature = "test-kit")]
static HOOK: std::sync::OnceLock<Box<dyn Fn(Step) + Send + Sync>> = std::sync::OnceLock::new();

/// Calls `hook` at each step of every write of this process, on the task that
/// writes. Only the first hook counts; returns whether this was it.
///
/// ```no_run
/// use cached_orm::test_kit::{Step, on_step};
///
/// // A process that dies here leaves its fences behind.
/// on_step(|step| {
///     if step == Step::Fenced {
///         std::process::abort();
///     }
/// });
/// ```
#[cfg(feature = "test-kit")]
pub fn on_step(hook: impl Fn(Step) + Send + Sync + 'static) -> bool {
    HOOK.set(Box::new(hook)).is_ok()
}

#[cfg(feature = "test-kit")]
pub(crate) fn reach(step: Step) {
    if let Some(hook) = HOOK.get() {
        hook(step);
    }
}

#[cfg(not(feature = "test-kit"))]
pub(crate) const fn reach(_: Step) {}
