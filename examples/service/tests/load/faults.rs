use crate::{
    arguments::Arguments,
    check::Check,
    servers::{DatabaseServer, Memcached},
};
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Quiet,
    CacheKilled,
    CacheHung,
    CacheBack,
    DatabaseDown,
    DatabaseBack,
}

/// One round after the other until the time is over; without one, a short one.
pub(crate) async fn inject(
    arguments: &Arguments,
    memcached: &Memcached,
    database: &DatabaseServer,
    url: &str,
    check: &Check,
) {
    let begun = Instant::now();
    let mut round = 0;
    while round == 0 || arguments.long.is_some_and(|long| begun.elapsed() < long) {
        eprintln!("load: round {}, {:.0?}", round + 1, begun.elapsed());
        one_round(arguments, memcached, database, url, check, round).await;
        round += 1;
    }
}

async fn one_round(
    arguments: &Arguments,
    memcached: &Memcached,
    database: &DatabaseServer,
    url: &str,
    check: &Check,
    round: u32,
) {
    let is_long = arguments.long.is_some();
    let seconds = |long, short| Duration::from_secs(if is_long { long } else { short });
    let hold_off = arguments.hold_off;

    stay(check, Phase::Quiet, hold_off.max(seconds(20, 0))).await;
    memcached.kill();
    stay(check, Phase::CacheKilled, seconds(10, 3)).await;
    memcached.start().await;
    stay(check, Phase::CacheBack, hold_off + seconds(5, 2)).await;

    memcached.stop();
    stay(check, Phase::CacheHung, seconds(10, 3)).await;
    memcached.go_on();
    stay(check, Phase::CacheBack, seconds(10, 3)).await;

    // So fast that its clients may not see that it was away.
    memcached.kill();
    memcached.start().await;
    stay(check, Phase::CacheBack, hold_off + seconds(5, 2)).await;

    check.database_goes_down();
    let started = begin(check, Phase::DatabaseDown);
    match round % 2 {
        0 => database.shut_down().await,
        _ => database.kill(),
    }
    sleep(seconds(3, 1)).await;
    database.start().await;
    wait_for_database(url).await;
    check.database_is_up();
    check.phase_took(Phase::DatabaseDown, started.elapsed());
    stay(check, Phase::DatabaseBack, seconds(10, 3)).await;
}

fn begin(check: &Check, phase: Phase) -> Instant {
    check.begin(phase);
    Instant::now()
}

async fn stay(check: &Check, phase: Phase, time: Duration) {
    let started = begin(check, phase);
    sleep(time).await;
    check.phase_took(phase, started.elapsed());
}

/// Until it answers a statement.
pub(crate) async fn wait_for_database(url: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let asking = async {
            let mut connection = PgConnection::connect(url).await?;
            sqlx::query("SELECT 1").execute(&mut connection).await?;
            connection.close().await
        };
        match asking.await {
            Ok(()) => return,
            Err(error) => assert!(Instant::now() < deadline, "the database is not back: {error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}
