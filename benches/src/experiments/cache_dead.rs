//! Reads while memcached is away: killed, so that connections are refused, or stopped,
//! so that it takes connections and says nothing. And how soon they are hits again.

mod comeback;
mod reads;

use crate::{
    memcached::Memcached,
    results::{Results, Series},
    stage::Stage,
};
use benches::{Result, drive::drive};
use cached_orm::{Orm, Postgres};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reads::{Cached, Plain, Reads};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{sync::Arc, time::Duration};

/// As it stands in tables.
const CACHED: &str = "cached-orm, memcached";
/// As above.
const PLAIN: &str = "plain sqlx, PostgreSQL";
/// Tasks that read at once.
const TASKS: usize = 64;
/// As many connections for plain sqlx as cached-orm loads rows on.
const CONNECTIONS: u32 = 32;
/// For how long a restarted server is not filled; 15 s unless it is set.
const HOLD_OFF: Duration = Duration::from_secs(2);
/// Nobody writes here, and it must be shorter than the hold-off.
const COMMIT_WINDOW: Duration = Duration::from_secs(1);
/// More than the rows need.
const MEGABYTES: u32 = 64;

/// Measures reads in all three states, and the way back.
///
/// # Errors
/// A server that does not do, or a cache that is not used again.
pub(crate) async fn run(stage: &Stage, results: &mut Results) -> Result<()> {
    let mut server = Memcached::start(MEGABYTES).await?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy(&stage.postgres)?;
    let orm = Orm::builder(pool.clone())
        .memcached([server.address()])
        .hold_off(HOLD_OFF)
        .commit_window(COMMIT_WINDOW)
        .max_database_loads(CONNECTIONS)
        .build()
        .await?;
    // Until it fills the server, which is too young for it at first.
    comeback::until_hits(&orm, &stage.set).await?;
    rounds(stage, results, "alive", &orm, &pool).await?;

    let pid = Pid::from_raw(i32::try_from(server.pid())?);
    kill(pid, Signal::SIGSTOP)?;
    rounds(stage, results, "stopped", &orm, &pool).await?;
    kill(pid, Signal::SIGCONT)?;
    let back = comeback::until_hits(&orm, &stage.set).await?;
    comeback::note(results, "SIGCONT", &back);

    let port = server.port();
    server.kill();
    rounds(stage, results, "killed", &orm, &pool).await?;
    let _server = Memcached::start_at(port, MEGABYTES).await?;
    let back = comeback::until_hits(&orm, &stage.set).await?;
    comeback::note(results, "a restart", &back);
    results.fact("cache-dead", "hold-off in this experiment", HOLD_OFF.as_secs_f64(), "s");
    results.fact("cache-dead", "hold-off by default", 15.0, "s");
    orm.close().await;
    Ok(())
}

/// Interleaves rounds of cached-orm and plain sqlx. The first of cached-orm's begins
/// as soon as the server's state has changed.
async fn rounds(
    stage: &Stage,
    results: &mut Results,
    state: &str,
    orm: &Orm<Postgres>,
    pool: &PgPool,
) -> Result<()> {
    let cached = Arc::new(Reads::new(Cached(orm.clone()), stage.set.clone()));
    let plain = Arc::new(Reads::new(Plain(pool.clone()), stage.set.clone()));
    let (mut of_cached, mut of_plain) = (Vec::new(), Vec::new());
    for round in 0..stage.plan.rounds as u64 {
        of_cached.push(drive(&cached, TASKS, stage.plan.slice, round).await?);
        of_plain.push(drive(&plain, TASKS, stage.plan.slice, round).await?);
    }
    let counts = [(CACHED, cached.counts()), (PLAIN, plain.counts())];
    for (contestant, counts) in counts {
        let mut note = |what: &str, value: f64, unit: &str| {
            results.fact("cache-dead", format!("{contestant}, {state}: {what}"), value, unit);
        };
        note("failures", counts.failures as f64, "reads");
        note("wrong answers", counts.wrong as f64, "reads");
        note("the longest read", counts.longest.as_secs_f64() * 1e3, "ms");
    }
    for (contestant, rounds) in [(CACHED, of_cached), (PLAIN, of_plain)] {
        let series = Series {
            workload: format!("cache-{state}"),
            contestant: contestant.to_owned(),
            tasks: TASKS,
            rounds,
        };
        for (what, unit, spread) in [
            ("rate", "reads/s", series.spread(benches::drive::Measured::rate)),
            ("p50", "µs", series.spread(|measured| measured.p50)),
            ("p99", "µs", series.spread(|measured| measured.p99)),
        ] {
            if let Some(spread) = spread {
                let name = format!("{contestant}, {state}: {what}");
                results.fact("cache-dead", name, spread.median, unit);
            }
        }
        results.series.push(series);
    }
    Ok(())
}
