use super::scheduler::{By, Scheduler};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Lets a future go on only when it is its turn, whatever has woken it.
///
/// Several readers may wait for one fill, and tokio's `watch` wakes them in an
/// order that no seed tells.
pub(super) async fn in_turns<F: Future>(scheduler: &Scheduler, by: By, future: F) -> F::Output {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        poll_fn(|context| woken.poll(context)).await;
        // It may have asked for its turn itself.
        if !scheduler.takes_turn(by) {
            scheduler.turn(by).await;
            scheduler.takes_turn(by);
        }
    }
}

#[derive(Default)]
struct Woken {
    is_woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Woken {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        *self.task.lock().expect("no panic") = Some(context.waker().clone());
        if self.is_woken.swap(false, SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, SeqCst);
        if let Some(task) = self.task.lock().expect("no panic").take() {
            task.wake();
        }
    }
}
