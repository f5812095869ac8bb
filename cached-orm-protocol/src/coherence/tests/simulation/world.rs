use super::{
    client,
    config::{Config, Faults, Mutation, Policy, Promise, Store},
    database::Database,
    history::History,
    in_turns::in_turns,
    process::{HOLD_OFF, Keys, Process, TIMES, rows_of},
    scheduler::{By, CLIENT, Scheduler},
    store::{Server, Wire},
};
use crate::cache::Lookup;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};
use tokio::{
    runtime::Builder,
    task::JoinHandle,
    time::{Instant, sleep},
};

/// What became of one seed.
pub(super) struct Outcome {
    /// What must not have happened, if it has.
    pub(super) violation: Option<String>,
    /// How often what has happened.
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// What happened when; empty unless asked for.
    pub(super) trace: Vec<String>,
}

/// Steps after which a run counts as endless.
const LONGEST: u64 = 60_000;

/// Runs one seed, on a clock of its own.
pub(super) fn run(config: &Config, seed: u64, is_traced: bool) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut world = World::new(config, seed, is_traced);
        world.live().await;
        let mut counts = world.scheduler.counts();
        counts.insert("stale while pending", world.history.stale_while_pending());
        counts.insert("steps", world.scheduler.steps());
        Outcome { violation: world.history.violation(), counts, trace: world.scheduler.trace() }
    })
}

struct World {
    scheduler: Arc<Scheduler>,
    history: Arc<History>,
    database: Arc<Database>,
    servers: Vec<Arc<Server>>,
    keys: Keys,
    policy: Policy,
    promise: Promise,
    faults: Faults,
    mutation: Option<Mutation>,
    processes: Vec<Arc<Process>>,
    clients: Vec<Client>,
}

/// One who reads and writes, in the process that is at `place` now.
struct Client {
    place: usize,
    left: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl World {
    fn new(config: &Config, seed: u64, is_traced: bool) -> Self {
        let scheduler = Arc::new(Scheduler::new(seed, is_traced));
        let faults = config.faults.mixed(&scheduler);
        let policy = config.policies[scheduler.below(config.policies.len())];
        let keys = Keys::new(1 + scheduler.below(3), scheduler.once_in(2));
        let rows: Vec<_> = (0..keys.rows() as u64).map(|n| (n % 3 != 1).then_some(n)).collect();
        let history = Arc::new(History::new(config.promise, &rows, keys.list().is_some()));
        let database = Arc::new(Database::new(config, faults, rows, &scheduler, &history));
        let rings = if config.store == Store::Moving { 2 } else { 1 };
        let servers = (0..rings).map(|_| Arc::new(Server::new(config, HOLD_OFF))).collect();
        let (promise, mutation) = (config.promise, config.mutation);
        let mut world = Self {
            scheduler,
            history,
            database,
            servers,
            keys,
            policy,
            promise,
            faults,
            mutation,
            processes: Vec::new(),
            clients: Vec::new(),
        };
        let processes = rings.max(1 + world.scheduler.below(2));
        for place in 0..processes {
            let process = world.start_process(place);
            world.processes.push(process);
        }
        for place in 0..processes {
            for _ in 0..2 + world.scheduler.below(3) {
                let left = Arc::new(AtomicUsize::new(4 + world.scheduler.below(12)));
                let client = world.start_client(world.clients.len(), place, left);
                world.clients.push(client);
            }
        }
        world
    }

    fn start_process(&self, place: usize) -> Arc<Process> {
        let by = self.scheduler.new_process();
        let is_cut_off = Arc::default();
        let wire = |server: usize| Wire {
            by,
            server: Arc::clone(&self.servers[server]),
            also: None,
            scheduler: Arc::clone(&self.scheduler),
            faults: self.faults,
            is_cut_off: Arc::clone(&is_cut_off),
        };
        let rings = self.servers.len();
        let mut own = wire(place % rings);
        if rings > 1 && self.mutation != Some(Mutation::OneRingIsNotFenced) {
            own.also = Some(Box::new(wire((place + 1) % rings)));
        }
        self.scheduler.note("process", by, || format!("starts in place {place}"));
        Process::start(own, &self.database, &self.keys, self.policy)
    }

    fn start_client(&self, number: usize, place: usize, left: Arc<AtomicUsize>) -> Client {
        let process = Arc::clone(&self.processes[place]);
        let (scheduler, by) = (Arc::clone(&self.scheduler), process.by);
        let client = client::run(process, Arc::clone(&left));
        let task = tokio::spawn(CLIENT.scope(number, async move {
            in_turns(&scheduler, by, client).await;
        }));
        Client { place, left, task }
    }

    /// Everything from the first operation to the last check.
    async fn live(&mut self) {
        while self.goes_on() && self.clients.iter().any(|client| !client.task.is_finished()) {
            self.scheduler.step().await;
            self.happen().await;
            if self.promise == Promise::Linearizable && self.scheduler.has_news() {
                self.compare_all("under way").await;
            }
        }
        self.scheduler.calm_down();
        for process in &self.processes {
            process.cut_off(false);
        }
        self.scheduler.note("calm", By::World, String::new);
        // Fences of lost transactions are kept until it is found that they are
        // over, which is asked every second.
        self.rest().await;
        self.pass(Duration::from_secs(3)).await;
        self.rest().await;
        self.compare_all("at rest").await;
        self.read_all().await;
        self.pass(TIMES.fence_ttl + TIMES.lease_ttl + HOLD_OFF).await;
        self.compare_all("long after").await;
        self.use_all_again().await;
    }

    fn goes_on(&self) -> bool {
        if self.scheduler.steps() > LONGEST {
            self.history.fail("it does not end".to_owned());
        }
        self.history.violation().is_none()
    }

    /// What happens to everybody.
    async fn happen(&mut self) {
        let Self { scheduler, faults, .. } = self;
        let by = By::World;
        if scheduler.once_in(10) {
            self.database.end_an_abandoned_one();
        }
        for (once_in, fences) in [(faults.evicted, false), (faults.fence_evicted, true)] {
            if scheduler.fault(once_in) {
                let key = scheduler.below(self.keys.len());
                let server = &self.servers[scheduler.below(self.servers.len())];
                if server.evict(self.keys.get(key), fences).await {
                    let what = if fences { "fence evicted" } else { "evicted" };
                    scheduler.note(what, by, || key.to_string());
                }
            }
        }
        if scheduler.fault(faults.restarted) {
            let server = scheduler.below(self.servers.len());
            self.servers[server].restart();
            scheduler.note("restarted", by, || server.to_string());
        }
        if scheduler.fault(faults.cut_off) {
            let process = &self.processes[scheduler.below(self.processes.len())];
            let is_cut_off = scheduler.once_in(2);
            process.cut_off(is_cut_off);
            scheduler.note("cut off", process.by, || is_cut_off.to_string());
        }
        if scheduler.fault(faults.pause) {
            let longest = [50, 500, 5_000, 20_000, 70_000][scheduler.below(5)];
            let pause = scheduler.millis(1, longest);
            scheduler.note("pause", by, || format!("{pause:?}"));
            sleep(pause).await;
        }
        if scheduler.fault(faults.crashed) {
            let place = scheduler.below(self.processes.len());
            self.crash(place);
        }
    }

    fn crash(&mut self, place: usize) {
        self.scheduler.note("crashed", self.processes[place].by, String::new);
        self.processes[place].die();
        self.processes[place] = self.start_process(place);
        for number in 0..self.clients.len() {
            let client = &self.clients[number];
            if client.place == place && !client.task.is_finished() {
                client.task.abort();
                let left = Arc::clone(&client.left);
                self.clients[number] = self.start_client(number, place, left);
            }
        }
    }

    /// Lets everybody go on until nothing is under way.
    async fn rest(&self) {
        let is_under_way = || {
            let is_idle = self.servers.iter().all(|server| server.is_idle());
            !(self.database.is_at_rest() && is_idle)
        };
        while is_under_way() && self.goes_on() {
            self.database.end_an_abandoned_one();
            self.scheduler.step().await;
        }
    }

    /// Lets time pass, in which everybody goes on.
    async fn pass(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && self.goes_on() {
            self.scheduler.step().await;
        }
    }

    /// What the cache has must be what the database has.
    async fn compare_all(&self, when: &str) {
        for server in &self.servers {
            for (number, key) in self.keys.iter().enumerate() {
                if let Lookup::Item { value, .. } = server.look(key).await
                    && let Some(rows) = rows_of(&value)
                {
                    self.history.compare(number, &rows, when);
                }
            }
        }
    }

    async fn read_all(&self) {
        for process in &self.processes {
            let reads = (0..self.keys.len()).map(|key| {
                let process = Arc::clone(process);
                tokio::spawn(async move { client::read(&process, key).await })
            });
            self.until_done(reads.collect()).await;
        }
    }

    /// Nothing that has happened may keep a row out of the cache for ever.
    async fn use_all_again(&self) {
        for process in &self.processes {
            let uses = (0..self.keys.len()).map(|key| {
                let (process, history) = (Arc::clone(process), Arc::clone(&self.history));
                tokio::spawn(async move {
                    if !client::is_cached_again(&process, key).await {
                        history.fail(format!("key {key} is never cached again"));
                    }
                })
            });
            self.until_done(uses.collect()).await;
        }
    }

    async fn until_done(&self, tasks: Vec<JoinHandle<()>>) {
        while self.goes_on() && tasks.iter().any(|task| !task.is_finished()) {
            self.scheduler.step().await;
        }
    }
}
