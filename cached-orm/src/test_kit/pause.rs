use crate::steps::Step;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// How far a pause has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nobody has taken the step yet.
    Open,
    /// Somebody is held there.
    Held,
    /// It holds nobody, or nobody any more.
    Over,
}

/// The pauses of one kit, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<Vec<(Step, watch::Sender<Stage>)>>);

impl Pauses {
    pub(super) fn pause_at(&self, step: Step) -> Pause {
        let (stage, _) = watch::channel(Stage::Open);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((step, stage.clone()));
        Pause { stage }
    }

    pub(super) async fn hold(&self, step: Step) {
        let Some(stage) = self.take(step) else { return };
        let mut changes = stage.subscribe();
        // The sender is here.
        let _ = changes.wait_for(|stage| *stage == Stage::Over).await;
    }

    /// Enters the first pause at this step that has not held anybody.
    fn take(&self, step: Step) -> Option<watch::Sender<Stage>> {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.retain(|(_, stage)| *stage.borrow() == Stage::Open);
        let place = pauses.iter().position(|(at, stage)| {
            *at == step
                && stage.send_if_modified(|stage| {
                    let is_open = *stage == Stage::Open;
                    if is_open {
                        *stage = Stage::Held;
                    }
                    is_open
                })
        })?;
        Some(pauses.remove(place).1)
    }
}

/// Holds one task at a [`Step`]; made by [`TestKit::pause_at`](super::TestKit::pause_at).
///
/// Dropped, it lets it go on, so that a test that fails does not hang.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); } use shop::*;
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use cached_orm::test_kit::{MemoryStore, Step, TestKit};
/// use std::sync::Arc;
///
/// # let pool = shop::pool().await?;
/// let kit = TestKit::new();
/// let orm = Orm::builder(pool).store(Arc::new(MemoryStore::new())).test_kit(&kit).build().await?;
/// let pause = kit.pause_at(Step::Committed);
/// let renaming = tokio::spawn({
///     let orm = orm.clone();
///     async move { User::patch(7).set(UserColumns::NAME, "Anna").execute(&orm).await }
/// });
/// pause.reached().await; // it is committed, and nobody was told
/// assert_eq!(User::fetch_one(&orm, 7).await?.name, "Anna");
/// pause.resume();
/// renaming.await??;
/// # Ok(()) }
/// ```
#[must_use = "dropped, a pause holds nobody"]
#[derive(Debug)]
pub struct Pause {
    stage: watch::Sender<Stage>,
}

impl Pause {
    /// Waits until somebody is held. For ever, if nobody takes the step.
    ///
    /// ```no_run
    /// # async fn example(kit: cached_orm::test_kit::TestKit) {
    /// use cached_orm::test_kit::Step;
    ///
    /// let pause = kit.pause_at(Step::Fenced);
    /// // … a task that writes …
    /// pause.reached().await;
    /// # }
    /// ```
    pub async fn reached(&self) {
        // The sender is here.
        let _ = self.stage.subscribe().wait_for(|stage| *stage != Stage::Open).await;
    }

    /// Lets who is held go on, or holds nobody any more.
    ///
    /// ```no_run
    /// # async fn example(kit: cached_orm::test_kit::TestKit) {
    /// use cached_orm::test_kit::Step;
    ///
    /// let pause = kit.pause_at(Step::Fenced);
    /// // … a task that writes …
    /// pause.reached().await;
    /// pause.resume();
    /// # }
    /// ```
    pub fn resume(self) {
        drop(self);
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.stage.send_replace(Stage::Over);
    }
}
