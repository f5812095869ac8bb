//! The loop that measures.

use crate::Result;
use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use rand::{SeedableRng as _, rngs::SmallRng};
use serde::{Deserialize, Serialize};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The randomness of one task.
pub type Rng = SmallRng;

/// What is done again and again.
pub trait Operation: Send + Sync + 'static {
    /// Does it once, and checks the answer.
    fn once(&self, rng: &mut Rng) -> impl Future<Output = Result<Outcome>> + Send;

    /// How many rows were asked of a database so far.
    fn loads(&self) -> u64;
}

/// What one operation came to.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Rows read or written.
    pub units: u64,
    /// Answers older than what was acknowledged before they were asked for.
    pub stale: u64,
}

impl Outcome {
    /// So many right answers.
    pub fn right(units: u64) -> Self {
        Self { units, stale: 0 }
    }
}

/// What one round of one contestant came to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Rows read or written.
    pub units: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// CPU of the process that reads, in seconds.
    pub client_cpu: f64,
    /// CPU of the cache server, in seconds, where there is one.
    #[serde(default)]
    pub cache_cpu: f64,
    /// CPU of the database server, in seconds, where there is one.
    #[serde(default)]
    pub database_cpu: f64,
    /// Latencies of one operation, in microseconds.
    pub p50: f64,
    /// As above.
    pub p99: f64,
    /// As above.
    pub p999: f64,
    /// Rows asked of the database.
    pub loads: u64,
    /// Stale answers.
    pub stale: u64,
}

impl Measured {
    /// Rows in a second.
    pub fn rate(&self) -> f64 {
        self.units as f64 / self.seconds
    }

    /// Microseconds of the reader's CPU for a row.
    pub fn cpu_per_unit(&self) -> f64 {
        self.client_cpu * 1e6 / self.units.max(1) as f64
    }
}

/// Runs `operation` in so many tasks at once for about `duration`.
///
/// # Errors
/// The first wrong or missing answer.
pub async fn drive<O: Operation>(
    operation: &Arc<O>,
    tasks: usize,
    duration: Duration,
    seed: u64,
) -> Result<Measured> {
    let loads_before = operation.loads();
    let cpu_before = own_cpu()?;
    let begun = Instant::now();
    let end = begun + duration;
    let running: Vec<_> = (0..tasks as u64)
        .map(|task| {
            let operation = Arc::clone(operation);
            tokio::spawn(async move {
                let mut rng = Rng::seed_from_u64(seed.wrapping_mul(1009).wrapping_add(task));
                let mut latencies = Histogram::<u64>::new_with_max(60_000_000_000, 3)?;
                let (mut units, mut stale) = (0, 0);
                let mut before = Instant::now();
                while before < end {
                    let outcome = operation.once(&mut rng).await?;
                    let now = Instant::now();
                    latencies.saturating_record((now - before).as_nanos() as u64);
                    units += outcome.units;
                    stale += outcome.stale;
                    before = now;
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>((latencies, units, stale))
            })
        })
        .collect();
    let mut latencies = Histogram::<u64>::new_with_max(60_000_000_000, 3)?;
    let (mut units, mut stale) = (0, 0);
    for task in running {
        let (of_task, units_of_task, stale_of_task) = task.await??;
        latencies.add(of_task)?;
        units += units_of_task;
        stale += stale_of_task;
    }
    let micros = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
    Ok(Measured {
        units,
        seconds: begun.elapsed().as_secs_f64(),
        client_cpu: own_cpu()? - cpu_before,
        p50: micros(0.5),
        p99: micros(0.99),
        p999: micros(0.999),
        loads: operation.loads() - loads_before,
        stale,
        ..Measured::default()
    })
}

/// What this process has used of the CPU so far, in seconds.
///
/// # Errors
/// The operating system does not tell.
pub fn own_cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
