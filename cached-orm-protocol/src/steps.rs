//! The steps of reads and writes, for tests that stop at each of them.

#[cfg(feature = "test-kit")]
use std::{pin::Pin, sync::Arc};

/// A step of a read or a write that has been taken.
///
/// A read that the cache answers takes none. One that it does not takes `Loading`,
/// `Loaded`, and, if the row may be stored, `Filled`. A write takes the others, in
/// their order; `Begun` and `Written` if it is a transaction of its own.
///
/// ```
/// # mod cached_orm { pub use cached_orm_protocol::steps as test_kit; }
/// use cached_orm::test_kit::Step;
///
/// // For `TestKit::pause_at`: a read has its row, and has stored nothing; a write is about
/// // to be committed.
/// let [reader, writer] = [Step::Loaded, Step::Fenced];
/// assert!(!Step::OF_A_WRITE.contains(&reader) && Step::OF_A_WRITE.contains(&writer));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The cache did not answer a read, and the database is about to be asked.
    Loading,
    /// The database was asked; nothing was stored, and nobody has the row.
    Loaded,
    /// The cache has taken the row, or has refused it; nobody has it yet.
    Filled,
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
    /// Those of a write, in order.
    ///
    /// ```
    /// # mod cached_orm { pub use cached_orm_protocol::steps as test_kit; }
    /// use cached_orm::test_kit::Step;
    ///
    /// assert_eq!(Step::OF_A_WRITE.first(), Some(&Step::Begun));
    /// assert!(!Step::OF_A_WRITE.contains(&Step::Loaded));
    /// ```
    pub const OF_A_WRITE: [Self; 8] = [
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

/// Calls `hook` at each step of every read and write of this process, on the task
/// that takes it. Only the first hook counts; returns whether this was it.
///
/// To hold up a read or a write of one `Orm`, use `TestKit::pause_at`.
///
/// ```no_run
/// # mod cached_orm { pub use cached_orm_protocol::steps as test_kit; }
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

/// Where a step that was taken may be held up.
#[cfg(feature = "test-kit")]
pub trait Gate: std::fmt::Debug + Send + Sync + 'static {
    /// Goes on when nobody holds who has taken this step.
    fn pass(&self, step: Step) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Who is told of steps. Nothing is left of it without the feature `test-kit`.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    #[cfg(feature = "test-kit")]
    gate: Option<Arc<dyn Gate>>,
}

#[cfg(feature = "test-kit")]
impl Steps {
    /// Steps that are held up there.
    pub fn through(gate: Arc<dyn Gate>) -> Self {
        Self { gate: Some(gate) }
    }

    /// Notes that a step was taken. Goes on when no test holds it.
    pub async fn reach(&self, step: Step) {
        if let Some(hook) = HOOK.get() {
            hook(step);
        }
        if let Some(gate) = &self.gate {
            gate.pass(step).await;
        }
    }
}

#[cfg(not(feature = "test-kit"))]
impl Steps {
    /// Does nothing.
    pub fn reach(&self, _: Step) -> std::future::Ready<()> {
        std::future::ready(())
    }
}
