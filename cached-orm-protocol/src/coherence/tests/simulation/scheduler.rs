use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use std::{
    collections::BTreeMap,
    future::pending,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep, timeout},
};

/// Who takes a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// The network, the cache or the database: they go on when a process dies.
    World,
    /// A process, by its number. One that has died takes no turn any more.
    Process(usize),
}

/// Lets one task go on at a time, and decides by a seed which.
///
/// A task asks for its turn wherever the order of events could differ in
/// another run: when it sends a command, when the command is carried out, when
/// the answer comes. Between two turns nothing else decides anything, and random
/// numbers are drawn only by the one whose turn it is.
pub(super) struct Scheduler {
    state: Mutex<State>,
    /// A task has come to wait for its turn.
    asked: Notify,
    began: Instant,
}

struct State {
    random: Xoshiro256PlusPlus,
    /// Those that have asked since the last step.
    arrived: Vec<(Caller, oneshot::Sender<()>)>,
    /// Whose turn it is, until it is noticed.
    turn_of: Option<Caller>,
    /// How many are slow, one in so many, and how many steps that takes at most.
    slowness: (u32, u64),
    waiting: Vec<Waiting>,
    is_dead: Vec<bool>,
    steps: u64,
    /// Faults come to an end, so that everything can come to rest.
    is_calm: bool,
    counts: BTreeMap<&'static str, u64>,
    /// Whether something has happened since it was asked.
    has_news: bool,
    trace: Option<Vec<String>>,
}

/// Who asks for a turn, in the order in which they are served.
type Caller = (By, Option<usize>);

struct Waiting {
    caller: Caller,
    /// It is passed over until then.
    from_step: u64,
    go: oneshot::Sender<()>,
}

tokio::task_local! {
    /// The number of the client that a task works for.
    pub(super) static CLIENT: usize;
}

fn caller(by: By) -> Caller {
    (by, CLIENT.try_with(|client| *client).ok())
}

/// What passes at most in one step.
const IDLE: Duration = Duration::from_secs(10);

impl Scheduler {
    pub(super) fn new(seed: u64, is_traced: bool) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let slowness = [(3, 40), (8, 80), (20, 400)][random.random_range(0..3)];
        Self {
            state: Mutex::new(State {
                random,
                slowness,
                arrived: Vec::new(),
                turn_of: None,
                waiting: Vec::new(),
                is_dead: Vec::new(),
                steps: 0,
                is_calm: false,
                counts: BTreeMap::new(),
                has_news: true,
                trace: is_traced.then(Vec::new),
            }),
            asked: Notify::new(),
            began: Instant::now(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    /// Waits until it is this task's turn.
    pub(super) async fn turn(&self, by: By) {
        let Some(gone) = self.ask(by) else { return pending().await };
        self.asked.notify_one();
        if gone.await.is_err() {
            // Its process has died.
            pending::<()>().await;
        }
    }

    /// Queues for a turn; a process that has died gets none.
    fn ask(&self, by: By) -> Option<oneshot::Receiver<()>> {
        let mut state = self.state();
        if state.is_dead(by) {
            return None;
        }
        let (go, gone) = oneshot::channel();
        state.arrived.push((caller(by), go));
        Some(gone)
    }

    /// Lets the next task take its turn, and then every task run until each
    /// waits for something. If none asks for a turn, some time passes.
    ///
    /// Paused time moves only when no task can run, so a millisecond that has
    /// passed says that all of them wait.
    pub(super) async fn step(&self) {
        if !self.let_one_go() {
            // Whether somebody asks or not, the next step shows.
            let _ = timeout(IDLE, self.asked.notified()).await;
        }
        sleep(Duration::from_millis(1)).await;
    }

    /// One whose future was dropped meanwhile takes no turn.
    fn let_one_go(&self) -> bool {
        let mut state = self.state();
        state.steps += 1;
        state.queue_the_arrived();
        state.turn_of = None;
        while let Some(Waiting { caller, go, .. }) = state.choose() {
            if go.send(()).is_ok() {
                state.turn_of = Some(caller);
                return true;
            }
        }
        false
    }

    /// Whether it is this task's turn, and was not yet noticed to be.
    pub(super) fn takes_turn(&self, by: By) -> bool {
        self.state().turn_of.take_if(|of| *of == caller(by)).is_some()
    }

    pub(super) fn new_process(&self) -> By {
        let mut state = self.state();
        state.is_dead.push(false);
        By::Process(state.is_dead.len() - 1)
    }

    pub(super) fn kill(&self, by: By) {
        let mut state = self.state();
        if let By::Process(number) = by {
            state.is_dead[number] = true;
        }
        state.waiting.retain(|waiting| waiting.caller.0 != by);
        state.arrived.retain(|((arrived, _), _)| *arrived != by);
    }

    pub(super) fn calm_down(&self) {
        self.state().is_calm = true;
    }

    /// Whether something happens that happens once in `times` cases. Never
    /// after the end of the faults.
    pub(super) fn fault(&self, once_in: u32) -> bool {
        let mut state = self.state();
        once_in > 0 && !state.is_calm && state.random.random_ratio(1, once_in)
    }

    /// Whether to do something, once in `times` cases.
    pub(super) fn once_in(&self, times: u32) -> bool {
        self.state().random.random_ratio(1, times)
    }

    pub(super) fn below(&self, limit: usize) -> usize {
        self.state().random.random_range(0..limit)
    }

    pub(super) fn millis(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.state().random.random_range(from..to))
    }

    pub(super) fn steps(&self) -> u64 {
        self.state().steps
    }

    pub(super) fn is_calm(&self) -> bool {
        self.state().is_calm
    }

    /// Notes what has happened: counts it, and if this run is traced writes it
    /// down with `detail`.
    pub(super) fn note(&self, what: &'static str, by: By, detail: impl FnOnce() -> String) {
        let elapsed = self.began.elapsed();
        let mut state = self.state();
        *state.counts.entry(what).or_default() += 1;
        state.has_news = true;
        let steps = state.steps;
        if let Some(trace) = &mut state.trace {
            let by = match by {
                By::World => "world".to_owned(),
                By::Process(number) => format!("process {number}"),
            };
            trace.push(format!("{steps:>5} {elapsed:>12.3?} {by:<10} {what} {}", detail()));
        }
    }

    /// Whether anything was noted since the last time this was asked.
    pub(super) fn has_news(&self) -> bool {
        std::mem::take(&mut self.state().has_news)
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.state().counts.clone()
    }

    pub(super) fn trace(&self) -> Vec<String> {
        self.state().trace.clone().unwrap_or_default()
    }
}

impl State {
    fn is_dead(&self, by: By) -> bool {
        matches!(by, By::Process(number) if self.is_dead[number])
    }

    /// Puts the arrived in an order of their own, for what has woken them may have
    /// had none.
    fn queue_the_arrived(&mut self) {
        let mut arrived = std::mem::take(&mut self.arrived);
        arrived.sort_by_key(|(caller, _)| *caller);
        for (caller, go) in arrived {
            // Some are slow, so that others can do a lot in between.
            let (once_in, longest) = self.slowness;
            let is_slow = !self.is_calm && self.random.random_ratio(1, once_in);
            let patience = if is_slow { self.random.random_range(1..longest) } else { 0 };
            let from_step = self.steps + patience;
            self.waiting.push(Waiting { caller, from_step, go });
        }
    }

    /// Takes one of those that wait, if there is one.
    fn choose(&mut self) -> Option<Waiting> {
        let ready: Vec<usize> = (0..self.waiting.len())
            .filter(|&index| self.waiting[index].from_step <= self.steps)
            .collect();
        let index = if ready.is_empty() {
            (0..self.waiting.len()).min_by_key(|&index| self.waiting[index].from_step)?
        } else {
            ready[self.random.random_range(0..ready.len())]
        };
        Some(self.waiting.remove(index))
    }
}
