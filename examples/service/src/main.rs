//! A web service over `cached-orm`: a REST API, metrics, and a page that shows them
//! live. `README.md` says how it is run.

mod app;
mod city;
mod database;
mod demo;
mod error;
mod extract;
mod latency;
mod live;
mod options;
mod place;
mod region;
mod routes;
mod seed;
mod shutdown;

use app::App;
use cached_orm::{OnUnreachable, Orm, Persist, Postgres, Sqlite, Storable};
use city::City;
use clap::Parser;
use database::Database;
use demo::{Cache, Demo};
use live::Live;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use options::{Options, WhenAway};
use region::Region;
use std::{error::Error as StdError, io::IsTerminal, process::ExitCode, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tracing::{error, info};
use tracing_subscriber::EnvFilter;

type Result<T, E = Box<dyn StdError + Send + Sync>> = std::result::Result<T, E>;

/// From half a millisecond, since hits are fast, to the longest that a load may wait.
const BUCKETS: [f64; 12] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];

/// So often what the recorder has gathered is put in order, and the cache's counters are
/// published.
const UPKEEP: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let url = match &options.database {
        Some(url) => url.clone(),
        None => format!("sqlite://{}/places.db", directory.path().display()),
    };
    match url.split(':').next() {
        Some("postgres" | "postgresql") => serve::<Postgres>(&url, options).await,
        Some("sqlite") => serve::<Sqlite>(&url, options).await,
        // No more of it is told: it may hold a password.
        _ => Err("the database's URL begins with neither `postgres:` nor `sqlite:`".into()),
    }
}

async fn serve<DB: Database>(url: &str, options: Options) -> Result<()>
where
    City: Persist<DB>,
    Region: Persist<DB>,
    String: Storable<DB>,
    f64: Storable<DB>,
{
    let prometheus = prometheus()?;
    let demo = match options.demo {
        true => Some(Arc::new(Demo::new(launch_cache(&options).await?))),
        false => None,
    };
    let orm = open::<DB>(url, &options, demo.as_deref()).await?;
    seed::seed(&orm).await?;
    let app = App { orm: orm.clone(), live: Arc::new(Live::default()), prometheus, demo };

    let mut background = tokio::task::JoinSet::new();
    background.spawn(Arc::clone(&app.live).watch(orm.clone()));
    background.spawn(keep_up(app.prometheus.clone()));
    if let Some(demo) = &app.demo {
        let last_city = DB::last_city(orm.pool()).await?;
        background.spawn(demo::visit(Arc::clone(demo), routes::api(app.clone()), last_city));
    }

    let listener = TcpListener::bind(options.listen).await?;
    let address = listener.local_addr()?;
    info!("listening on http://{address}");
    let (asked, asked_to_end) = shutdown::signal()?;
    let serving = axum::serve(listener, routes::all(app)).with_graceful_shutdown(asked);
    tokio::select! {
        served = serving.into_future() => served?,
        // Who has not been answered by now waits for something else.
        () = shutdown::patience(asked_to_end) => info!("some requests were cut off"),
    }
    background.shutdown().await;
    orm.close().await;
    info!("closed");
    Ok(())
}

async fn open<DB: Database>(url: &str, options: &Options, demo: Option<&Demo>) -> Result<Orm<DB>> {
    // sqlx's own text may quote the URL.
    let pool = DB::open(url).await.map_err(|error| cannot_open::<DB>(&error))?;
    DB::create_tables(&pool).await.map_err(|error| cannot_open::<DB>(&error))?;
    let mut builder = Orm::builder(pool)
        .namespace(&options.namespace)
        .hold_off(options.hold_off)
        .max_database_loads(options.max_database_loads)
        .load_timeout(Duration::from_secs(2))
        .metrics(UPKEEP);
    builder = match demo {
        Some(demo) => builder.memcached([demo.cache.address().to_string()]),
        None if options.memcached.is_empty() => builder.embedded(64 << 20),
        None => builder.memcached(options.memcached.iter().cloned()),
    };
    builder = match options.when_cache_is_away {
        WhenAway::Outbox => builder,
        WhenAway::Refuse => builder.on_unreachable(OnUnreachable::Abort),
    };
    let orm = builder.build().await?;
    orm.install_outbox().await?;
    Ok(orm)
}

fn cannot_open<DB: Database>(error: &cached_orm::sqlx::Error) -> String {
    use cached_orm::sqlx::Error::{Database, Io, PoolTimedOut};
    let why = match error {
        Io(error) => error.to_string(),
        Database(error) => error.message().to_owned(),
        PoolTimedOut => "it does not answer".to_owned(),
        _ => "is its URL right?".to_owned(),
    };
    format!("{} cannot be opened: {why}", DB::NAME)
}

async fn launch_cache(options: &Options) -> Result<Cache> {
    let program = &options.memcached_binary;
    Cache::launch(program.clone()).await.map_err(|error| {
        format!(
            "--demo needs memcached, and `{program}` cannot be started: {error}. Install it \
             (Debian: apt-get install memcached), or name it with --memcached-binary"
        )
        .into()
    })
}

fn prometheus() -> Result<PrometheusHandle> {
    let times = Matcher::Suffix("_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(times, &BUCKETS)?.install_recorder()?)
}

async fn keep_up(prometheus: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        prometheus.run_upkeep();
    }
}
